// A market that is known by its candles only: history files. There are no trades and no books in
// it; a candle that is still open shows the first quarters of its way from open to close.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "simulator/market.h"

namespace candlewick::simulator {

class CandleMarket final : public Market {
 public:
  // Each file is "PATH" or "SYMBOL=PATH"; without a symbol it is read off the file's name
  // ("…-BTCUSDT-…"). Plain, gzip or zstd; a header names the columns, without one they are
  // Binance's twelve. Several files of one symbol add up. Error: misconfigured, naming file and
  // line.
  static Result<std::unique_ptr<CandleMarket>> load(const std::string& exchange,
                                                    const std::vector<std::string>& files);

  Bar bar(std::size_t listing, Time from, Time to) override;
  std::span<const MarketTrade> minute_trades(std::size_t, std::int64_t) override { return {}; }
  std::optional<std::int64_t> minute_of_trade(std::size_t, std::uint64_t) override {
    return std::nullopt;
  }
  std::optional<std::int64_t> minute_of_aggregate(std::size_t, std::uint64_t) override {
    return std::nullopt;
  }
  Book book(std::size_t, Time, std::size_t) override { return {}; }
  BookSteps* book_steps(std::size_t) override { return nullptr; }
  std::span<const RecordedFrame> recorded(std::string_view) override { return {}; }
  Time known_from(std::size_t listing) override { return series_[listing].rows.front().open_time; }
  Time known_until(std::size_t listing) override { return series_[listing].rows.back().end_time; }
  bool is_young() const override { return false; }
  // A minute that a file leaves out was left out by the venue.
  bool fills_quiet_candles() const override { return false; }
  bool knows_details(std::size_t listing) const override { return series_[listing].is_detailed; }
  Timeframe shortest() const override { return shortest_; }
  // When the last candle has closed.
  Time default_start() const override;

 private:
  struct Series {
    std::vector<Row> rows;
    bool is_detailed = true;
  };

  Result<void> read(const std::string& exchange, const std::string& file);
  Result<void> finish();

  std::vector<Series> series_;
  Timeframe shortest_ = Timeframe::m1;
};

}  // namespace candlewick::simulator
