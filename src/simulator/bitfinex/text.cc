// How Bitfinex writes rows and refusals.
#include <fmt/format.h>

#include "base/json_text.h"
#include "simulator/bitfinex/bitfinex.h"

namespace candlewick::simulator::bitfinex {

Reply error(int status, int code, std::string_view words) {
  std::string body = fmt::format(R"(["error",{},)", code);
  json::append_string(body, words);
  return {.status = status,
          .headers = {{"Content-Type", "application/json; charset=utf-8"}},
          .body = body + "]"};
}

std::string candle_text(const Row& row) {
  return fmt::format("[{},{},{},{},{},{}]", to_ms(row.open_time), row.bar.open.to_string(),
                     row.bar.close.to_string(), row.bar.high.to_string(), row.bar.low.to_string(),
                     row.bar.volume.to_string());
}

std::string trade_text(const MarketTrade& trade) {
  return fmt::format("[{},{},{},{}]", trade.id, to_ms(trade.time),
                     (trade.taker_is_buyer ? trade.size : -trade.size).to_string(),
                     trade.price.to_string());
}

std::string level_text(const Level& level, bool is_bid) {
  if (level.size.is_zero())
    return fmt::format("[{},0,{}]", level.price.to_string(), is_bid ? 1 : -1);
  return fmt::format("[{},1,{}]", level.price.to_string(),
                     (is_bid ? level.size : -level.size).to_string());
}

std::string book_text(const Book& book) {
  std::string out;
  const auto side = [&](const std::vector<Level>& levels, bool is_bid) {
    for (const auto& level : levels) {
      if (!out.empty()) out += ',';
      out += level_text(level, is_bid);
    }
  };
  side(book.bids, true);
  side(book.asks, false);
  return out;
}

std::string ticker_text(const DayFigures& day) {
  return fmt::format("[{},{},{},{},{},{},{},{},{},{}]", day.bid.price.to_string(),
                     day.bid.size.to_string(), day.ask.price.to_string(), day.ask.size.to_string(),
                     day.change().to_string(), day.change_share().to_fixed(8),
                     day.bar.close.to_string(), day.bar.volume.to_string(),
                     day.bar.high.to_string(), day.bar.low.to_string());
}

}  // namespace candlewick::simulator::bitfinex
