// Columns of the live table.
#include "app/live_table.h"

#include <fmt/format.h>

#include "schema/table.h"

namespace candlewick::app {
namespace {

std::string real(const schema::Row& row, std::string_view column, int digits) {
  const auto* value = std::get_if<double>(&row.at(column));
  return value == nullptr ? "–" : fmt::format("{:.{}f}", *value, digits);
}

// A column of `width` characters; an en dash is one character in three bytes.
std::string right(const std::string& text, std::size_t width) {
  const std::size_t shown = text == "–" ? 1 : text.size();
  return std::string(shown < width ? width - shown : 0, ' ') + text;
}

std::string line_of(const pipeline::Latest& latest) {
  std::string line =
      fmt::format("{:<11}{:<12}", latest.instrument->exchange, latest.instrument->symbol);
  const auto candle = latest.forming.find(Timeframe::m1);
  const bool has_candle = candle != latest.forming.end();
  std::string last = "–";
  if (has_candle) {
    last = candle->second.close.to_string();
  } else if (latest.ticker && latest.ticker->last) {
    last = latest.ticker->last->to_string();
  }
  line += right(last, 12);
  line += right(latest.quote ? latest.quote->bid.to_string() : "–", 12);
  line += right(latest.quote ? latest.quote->ask.to_string() : "–", 12);
  line += right(has_candle ? candle->second.high.to_string() : "–", 12);
  line += right(has_candle ? candle->second.low.to_string() : "–", 12);
  line += right(has_candle ? candle->second.volume.to_fixed(3) : "–", 12);
  if (latest.indicators) {
    line += right(real(*latest.indicators, "rsi_14", 1), 7);
    line += right(real(*latest.indicators, "macd", 3), 10);
    line += right(real(*latest.indicators, "moving_average_30", 2), 12);
  } else {
    line += right("–", 7) + right("–", 10) + right("–", 12);
  }
  line += right(latest.tick ? real(*latest.tick, "price_change_pct_24h", 2) : "–", 9);
  return line;
}

constexpr std::string_view columns =
    "exchange   symbol              last         bid         ask        high         low    volume "
    "1m    RSI      MACD        MA30   24h %";

std::string status_of(const TableState& state) {
  std::string line;
  for (const auto& feed : state.feeds) {
    line += fmt::format(
        "{}: {}, {} frames, {} reconnects, venue time {}   ", feed.venue,
        feed.connected ? "connected" : "not connected", feed.frames, feed.reconnects,
        feed.venue_time ? to_rfc3339(std::chrono::floor<std::chrono::seconds>(*feed.venue_time))
                        : "–");
    if (!feed.connected && !feed.last_error.empty())
      line += fmt::format("({})   ", feed.last_error);
  }
  for (const auto& sink : state.sinks) {
    line += fmt::format("{}: {} rows written, {} behind   ", sink.sink, sink.written_rows,
                        sink.lag_rows);
  }
  return line;
}

}  // namespace

std::size_t live_table_lines(const TableState& state) {
  return state.board.entries().size() + 3;
}

std::string live_table(const TableState& state, std::size_t lines_before) {
  std::string text;
  if (lines_before > 0) text += fmt::format("\033[{}F", lines_before);
  text += fmt::format("\033[K{}\n\033[K\033[1m{}\033[0m\n", state.heading, columns);
  for (const auto& entry : state.board.entries())
    text += "\033[K" + line_of(state.board.read(entry.slot)) + "\n";
  text += "\033[K" + status_of(state) + "\n";
  return text;
}

std::string plain_table(const TableState& state) {
  std::string text = fmt::format("{}\n{}\n", state.heading, columns);
  for (const auto& entry : state.board.entries())
    text += line_of(state.board.read(entry.slot)) + "\n";
  text += status_of(state) + "\n";
  return text;
}

}  // namespace candlewick::app
