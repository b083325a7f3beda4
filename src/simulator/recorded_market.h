// A market that was recorded: the frames of its streams as they came, and what can be worked out
// from them (candles from trades, the book from snapshot and changes). All of it is held in memory.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "simulator/market.h"

namespace candlewick::simulator {

// Recordings are JSON Lines: {"recv_ns":…,"dir":"in"|"http"|"open"|"out","url":…,"msg":…}, plain,
// gzip or zstd. The venue's clock is taken to run ahead of the receiver's by the most that any
// event time does, so that no event comes before its time.
class RecordedMarket final : public Market {
 public:
  // In the order in which they were made. Error: misconfigured, naming file and line; a recording
  // without any stream's frames is one.
  static Result<std::unique_ptr<RecordedMarket>> load(const std::string& exchange,
                                                      const std::vector<std::string>& files);

  Bar bar(std::size_t listing, Time from, Time to) override;
  std::span<const MarketTrade> minute_trades(std::size_t listing, std::int64_t minute) override;
  std::optional<std::int64_t> minute_of_trade(std::size_t listing, std::uint64_t id) override;
  std::optional<std::int64_t> minute_of_aggregate(std::size_t listing, std::uint64_t id) override;
  // Rebuilt as of then; before the first snapshot, that snapshot: whoever buffers the stream's
  // changes can start from it.
  Book book(std::size_t listing, Time at, std::size_t levels) override;
  BookSteps* book_steps(std::size_t) override { return nullptr; }
  std::span<const RecordedFrame> recorded(std::string_view stream) override;
  Time known_from(std::size_t) override { return first_; }
  Time known_until(std::size_t) override { return last_; }
  bool is_young() const override { return false; }
  bool fills_quiet_candles() const override;
  Timeframe shortest() const override { return Timeframe::s1; }
  // A moment before the first frame.
  Time default_start() const override;

 private:
  struct BookChange {
    Time time;
    bool is_snapshot = false;
    std::uint64_t sequence = 0;
    std::vector<Level> bids;
    std::vector<Level> asks;
  };
  struct Ladders {
    std::map<Decimal, Decimal> bids;
    std::map<Decimal, Decimal> asks;
    std::uint64_t sequence = 0;
    std::size_t next = 0;  // change
    Time at;
    bool has_snapshot = false;

    void apply(const BookChange& change);
  };
  struct Series {
    std::vector<MarketTrade> trades;
    bool has_single_trades = false;
    std::vector<BookChange> changes;
    Ladders ladders;
  };
  struct Loader;

  std::size_t list(const std::string& exchange, std::string_view symbol);
  void advance(Series& series, Time at);

  std::vector<Series> series_;
  std::unordered_map<std::string, std::vector<RecordedFrame>> streams_;
  Time first_;
  Time last_;
};

}  // namespace candlewick::simulator
