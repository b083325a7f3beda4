// One client of /v1/candles/stream: history from the warehouse, then live, each candle and each
// correction once. On the API's loop thread; its questions are answered on the query threads.
//
// The seam: it listens before it reads. What it hears meanwhile waits, and of that a row of the
// warehouse that says the same is told in its place. What the warehouse does not have yet, though
// it was told before, is in the intake's memory.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/streams.h"

namespace candlewick::api {

class CandleStream final : public stream::Listener,
                           public std::enable_shared_from_this<CandleStream> {
 public:
  // Where it begins: nowhere (only what is new), or behind what the client has.
  struct Begin {
    std::optional<Time> start{};
    // Of the last event that the client had.
    struct Last {
      Time open_time;
      std::int64_t revision = 0;
    };
    std::optional<Last> last{};
  };

  CandleStream(Streams& streams, const stream::StreamKey& key, Begin begin,
               std::shared_ptr<net::Responder> responder);
  ~CandleStream() override;

  void start();
  void tick();
  // Ends the answer.
  void finish();
  // The hub goes.
  void detach();

  void on_message(const stream::StreamKey& key, const stream::Message& message) override;

 private:
  // What one question to the warehouse brought.
  struct Page {
    bool is_behind = false;  // the warehouse has not got as far yet as memory reaches back
    std::vector<query::Candle> corrections;
    std::vector<query::Candle> candles;
    bool is_last = true;
  };
  struct Question;

  void ask();
  void take(std::optional<Page> page);
  void tell(const Page& page, std::uint64_t queued);
  void finish_history();
  bool is_wanted(const Candle& recent) const;
  void note(Time open_time, std::int64_t revision);
  bool is_told(Time open_time, std::int64_t revision) const;
  void tell(Time open_time, std::int64_t revision, bool is_closed, std::string_view data);
  void tell(const stream::Message& message);
  void go_on();
  void flush();
  void cut();

  Streams& streams_;
  stream::StreamKey key_;
  Begin begin_;
  std::shared_ptr<net::Responder> responder_;
  bool is_attached_ = false;
  bool is_reading_ = false;  // history
  bool is_asking_ = false;
  bool is_first_page_ = true;
  net::Timer retry_;                     // of a question
  Time from_{};                          // of history
  std::optional<Candle> oldest_recent_;  // which the warehouse must have
  std::map<Time, Candle> recent_;        // told before, perhaps not stored yet
  // Of the recent ones and of those that came live meanwhile, what a row has told already.
  std::set<Time> heard_;
  std::map<Time, std::int64_t> told_;
  std::optional<Time> newest_closed_;  // told
  std::deque<stream::Message> waiting_;
  bool is_cut_ = false;
  std::string out_;  // what the connection has not taken
  SteadyTime sent_{};
};

}  // namespace candlewick::api
