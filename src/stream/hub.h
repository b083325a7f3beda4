// All live streams: numbers their events, paces what changes often, keeps the newest for those who
// come back, and writes each event's text once for all listeners. Plain computation: it is driven
// by pump() and calls back from there, and from join(). On one thread.
//
// A stream lives from its first listener until a minute after its last. Meanwhile it numbers every
// event; when it sleeps, its number goes on by what passed, or by one where that is not counted, so
// that nobody goes on behind a hole unseen. Memory: kept_events events a stream, kept_bytes for all
// streams together.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "pipeline/latest.h"
#include "query/coverage.h"
#include "stream/channel.h"
#include "stream/intake.h"
#include "stream/kept_events.h"
#include "stream/message.h"
#include "stream/test_market.h"

namespace candlewick::stream {

// Who hears a stream. Never leaves or joins from inside.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void on_message(const StreamKey& key, const Message& message) = 0;
};

// What is wrong with a name or a request; `param` is the part at fault, empty if there is none.
struct Refusal {
  std::string_view code;
  std::string message{};
  std::string param{};
};

// Who is who: the API's own index, so that both accept the same spellings.
struct Directory {
  std::function<std::optional<std::size_t>(std::string_view symbol, std::string_view exchange)>
      find{};
  std::function<bool(std::string_view exchange)> has_exchange{};
  std::function<std::vector<std::string>(std::string_view symbol)> near{};
};

struct HubOptions {
  std::string session{};                              // names this run of the server
  std::vector<Timeframe> timeframes{Timeframe::m1};   // those that are kept
  std::size_t kept_events = 1000;                     // a stream
  std::size_t kept_bytes = 64U << 20U;                // all streams
  Duration linger = std::chrono::minutes{1};          // after the last listener
  Duration coverage_retry = std::chrono::seconds{2};  // of a question that was not answered
};

class Hub {
 public:
  // Asks the warehouse what holds now; answers later, on the hub's thread, null for failure.
  using Spans = std::optional<std::vector<query::CoverageSpan>>;
  using AskCoverage = std::function<void(const Instrument&, std::function<void(Spans)> answer)>;

  struct Parts {
    const Clock& clock;
    const pipeline::LatestBoard& board;
    Intake& intake;  // of that board; the hub adds its test instrument to it
    Directory directory;
    AskCoverage ask_coverage;
  };
  Hub(Parts parts, HubOptions options);
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;
  ~Hub();

  const std::string& session() const { return options_.session; }
  const std::vector<Timeframe>& timeframes() const { return options_.timeframes; }

  // "binance:btc-usdt@candle_1m".
  std::optional<Refusal> find(std::string_view name, StreamKey& key) const;
  // "test" has one of its own; null for what nobody knows.
  std::optional<std::size_t> find_slot(std::string_view symbol, std::string_view exchange) const;
  bool is_test(std::size_t slot) const { return slot == Intake::extra_slot; }
  const Instrument& instrument(std::size_t slot) const;
  std::string name(const StreamKey& key) const;
  const std::string& head(const StreamKey& key);

  // From then on the listener hears every event; first what follows `after`, if all of that is
  // still known, else a snapshot (of coverage: when the warehouse has answered). A second join is
  // none.
  void join(Listener& listener, const StreamKey& key, std::optional<std::uint64_t> after);
  // Of a stream that somebody listens to: the newest closed candles that were told, listened to or
  // not.
  Intake::Recent<Candle> told_candles(const StreamKey& key);
  // Only what is new: no snapshot.
  void join_silently(Listener& listener, const StreamKey& key);
  void leave(Listener& listener, const StreamKey& key);

  // Tells what is due, and of what waits a part, so that clients can be written to in between. Call
  // it when the intake has something, and when the time is over that it returns: none when more
  // waits.
  Duration pump();
  // What was told of all that the intake queued, ever.
  std::uint64_t heard() const { return heard_; }

  std::size_t active_streams() const { return active_.size(); }
  std::size_t kept_bytes() const;

 private:
  struct Stream;

  Stream& stream_of(const StreamKey& key);
  Stream& wake(const StreamKey& key);
  void sleep(Stream& stream);
  void share_room();
  void tell(Stream& stream, const Message& message);
  void tell_update(Stream& stream, std::string_view data, bool is_paced);
  void tell_stale(Stream& stream, std::optional<Time> since, std::string_view reason);
  Message snapshot(Stream& stream) const;
  void welcome(Stream& stream, Listener& listener, std::optional<std::uint64_t> after);

  void take(const Intake::Item& item);
  void take_candle(Stream& stream, const Candle& candle);
  void take_row(Stream& stream, const schema::Row& row);
  void take_assertion(Stream& stream, const schema::Row& row);
  void note_loss(Stream& stream, std::uint64_t until);
  void look_for_losses();
  void look(Stream& stream, bool tells);
  void look_at_candle(Stream& stream);
  void look_at_quote(Stream& stream, bool tells);
  void look_at_ticker(Stream& stream, bool tells);
  void look_at_book(Stream& stream, bool tells);
  void tell_forming(Stream& stream, bool tells);
  void tell_paced(Stream& stream);
  void note_stale(Stream& stream, const std::optional<Time>& since, std::string_view reason,
                  bool tells);
  void ask_coverage(Stream& stream);
  void take_coverage(Stream& stream, Spans spans);
  template <class F>
  auto look_at_board(std::size_t slot, F&& function) const;
  pipeline::Latest read_board(std::size_t slot) const;

  Parts parts_;
  HubOptions options_;
  TestMarket test_;
  std::map<StreamKey, std::unique_ptr<Stream>> streams_;
  std::vector<Stream*> active_;
  std::size_t room_a_stream_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t heard_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace candlewick::stream
