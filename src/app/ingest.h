// The ingest side of the service on its thread: one feed and one pipeline a venue, and the way of
// their rows to the log.
//
// The log takes rows without making this thread wait. When it takes none (a full disk), rows wait
// here up to a limit; beyond it the oldest are given up, which are counted, and the candles among
// them are forgotten, so that they are fetched again when there is room.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "app/assets.h"
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
  };
  explicit Ingest(Parts parts);
  ~Ingest() override;

  // Before the loop runs. Reads what the warehouse remembers; a null one remembers nothing.
  Result<void> prepare(warehouse::Database* memory);
  // On the loop's thread.
  void start();
  void stop();

  // Any thread.
  std::vector<feed::FeedStatus> feeds() const;
  std::vector<pipeline::PipelineStatistics> pipelines() const;

  void on_row(schema::Row row) override;

 private:
  struct VenueLine;

  Result<void> prepare_venue(const exchange::Venue& venue, warehouse::Database* memory);
  std::unique_ptr<feed::Link> link_of(const VenueLine& line, std::uint64_t seed);
  Result<void> prepare_assets(warehouse::Database* memory);
  Result<void> remember(VenueLine& line, warehouse::Database& memory);
  Result<void> remember_indicators(warehouse::Database& memory, const Instrument& instrument,
                                   pipeline::Memory& known) const;
  Result<void> remember_coverage(warehouse::Database& memory, const Instrument& instrument,
                                 Timeframe timeframe, pipeline::Memory& known) const;
  void flush();
  void give_up_oldest();
  void publish_status();
  void obey_budget(const log::WriterStatistics& log);
  void ask_for_listings(VenueLine& line);

  Parts parts_;
  std::vector<std::unique_ptr<VenueLine>> lines_;
  std::unique_ptr<Assets> assets_;  // null when switched off
  std::vector<schema::Row> pending_;
  bool flush_is_posted_ = false;
  net::Timer retry_timer_;
  net::Timer status_timer_;
  bool is_paused_ = false;  // log.when_full = stop_ingest, and it is
  std::vector<net::Timer> listing_timers_;
  Guarded<std::vector<feed::FeedStatus>> status_;
  Guarded<std::vector<pipeline::PipelineStatistics>> statistics_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace candlewick::app
