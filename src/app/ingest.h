// The ingest side of the service on its thread: one feed and one pipeline a venue, and the way of
// their rows to the log.
//
// The log takes rows without making this thread wait. When it takes none (a full disk), rows wait
// here up to a limit; beyond it the oldest are given up, which are counted, and the candles among
// them are forgotten, so that they are fetched again when there is room.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "app/assets.h"
#include "app/memory.h"
#include "app/subscriptions.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/guarded.h"
#include "base/observation.h"
#include "feed/driver.h"
#include "feed/link.h"
#include "feed/recorder.h"
#include "feed/venue_feed.h"
#include "log/writer.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "pipeline/venue_pipeline.h"
#include "stream/intake.h"
#include "warehouse/database.h"

namespace candlewick::app {

class Ingest final : public pipeline::PipelineOutput {
 public:
  struct Parts {
    const Config& config;
    const Clock& clock;
    Observer& observer;
    net::Loop& loop;
    net::HttpClient& http;
    log::Writer& writer;
    pipeline::LatestBoard& board;
    // What is followed later on begins from what this remembers. May block; any thread.
    std::function<Result<std::unique_ptr<warehouse::Database>>()> open_memory;
  };
  explicit Ingest(Parts parts);
  ~Ingest() override;

  // Before the loop runs. Reads what the warehouse remembers; a null one remembers nothing.
  Result<void> prepare(const Wanted& wanted, warehouse::Database* memory);
  // On the loop's thread.
  void start();
  void stop();
  // From now on exactly this is followed. Any thread but the loop's; blocks while the warehouse is
  // read. What is followed already goes on undisturbed. Errors: misconfigured (no such venue,
  // symbol or timeframe), transient (the warehouse does not answer); nothing has changed then.
  Result<void> follow(const Wanted& wanted);
  // No changes from now on; before stop(), and not on the loop's thread.
  void end_changes();

  // Any thread.
  std::vector<feed::FeedStatus> feeds() const;
  std::vector<pipeline::PipelineStatistics> pipelines() const;
  std::vector<FollowedVenue> followed() const;

  // Live events go there as well. Before start(); it outlives this.
  void tell(stream::Intake& intake) { intake_ = &intake; }

  void on_row(schema::Row row) override;
  void on_event(const Event& event) override;

 private:
  struct VenueLine;

  struct Change;

  Result<std::unique_ptr<VenueLine>> make_line(const std::string& name, const Wanted& wanted,
                                               warehouse::Database* memory);
  Result<void> settle_timeframes(VenueLine& line) const;
  Result<void> make_pipeline(VenueLine& line);
  void start_line(VenueLine& line);
  std::vector<exchange::Channel> channels_of(const VenueLine& line,
                                             const Instrument& instrument) const;
  Result<void> follow_now(const Wanted& wanted);
  Result<void> choose(VenueLine& line, Change& change);
  void apply(Change change);
  void leave(VenueLine& line, const Instrument& instrument);
  void retire(VenueLine& line);
  void discard(std::unique_ptr<VenueLine> line);
  void ask_for_volumes(VenueLine& line);
  void note_for_rules(const Event& event);
  void look_at_rules();
  void publish_followed();
  std::unique_ptr<feed::Link> link_of(const VenueLine& line, std::uint64_t seed);
  Result<void> prepare_assets(warehouse::Database* memory);
  void flush();
  void give_up_oldest();
  void publish_status();
  void obey_budget(const log::WriterStatistics& log);
  void ask_for_listings(VenueLine& line);

  Parts parts_;
  stream::Intake* intake_ = nullptr;
  std::vector<std::unique_ptr<VenueLine>> lines_;
  // Followed no more. Their instruments are pointed at by what still waits somewhere.
  std::vector<std::unique_ptr<VenueLine>> retired_;
  Wanted wanted_;
  std::mutex changing_;  // one change at a time
  bool is_closed_to_changes_ = true;  // before the start and while it stops
  SteadyTime rules_wait_until_{};  // after a look that failed
  // Where what rules mean anew is followed, away from the loop.
  std::unique_ptr<net::Loop> changes_;
  std::unique_ptr<Assets> assets_;  // null when switched off
  std::vector<schema::Row> pending_;
  bool flush_is_posted_ = false;
  net::Timer retry_timer_;
  net::Timer status_timer_;
  bool is_paused_ = false;  // log.when_full = stop_ingest, and it is
  std::vector<net::Timer> listing_timers_;
  Guarded<std::vector<feed::FeedStatus>> status_;
  Guarded<std::vector<pipeline::PipelineStatistics>> statistics_;
  Guarded<std::vector<FollowedVenue>> followed_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace candlewick::app
