// What the commands share: how they end, and the streams they talk through. Exit 0 done, 1 failed,
// 2 wrong use or configuration (one clear line on stderr).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/config.h"
#include "base/result.h"
#include "exchange/venue.h"

namespace candlewick::app {

inline constexpr int done = 0;
inline constexpr int failed = 1;
inline constexpr int wrong_use = 2;

// Prints "candlewick: <message>" and answers the exit status that the kind of error stands for.
int report(const Error& error);

// The venue a user named, as settings do ("binance-usdm") or with a market. Error: misconfigured,
// listing what there is.
Result<const exchange::Venue*> venue_named(std::string_view name, std::string_view market = "spot");
// The same for a symbol, which may tell the market: "BTC/USDT:USDT" of binance is of its swaps.
Result<const exchange::Venue*> venue_of(std::string_view name, std::string_view symbol);

// The instrument a user typed, in any spelling; an unlisted one is taken apart by its quote asset.
// Error: misconfigured, with near matches.
Result<const Instrument*> instrument_named(const exchange::Venue& venue, Catalogue& catalogue,
                                           std::string_view typed);

// How rows name what a user typed, at an exchange that is followed natively or through CCXT. Error:
// misconfigured.
struct StoredName {
  std::string exchange;
  std::string symbol;
};
Result<StoredName> stored_name(std::string_view exchange, std::string_view typed);

// A time that a user typed; null when nothing was. Error: misconfigured, naming the flag.
Result<std::optional<Time>> optional_time(std::string_view flag, const std::string& text);

// Standard output is a terminal.
bool is_terminal();

// Buffered standard output for lines; the last piece is written at destruction.
class LineOutput {
 public:
  LineOutput() { buffer_.reserve(capacity); }
  ~LineOutput() { flush(); }
  LineOutput(const LineOutput&) = delete;
  LineOutput& operator=(const LineOutput&) = delete;
  // The text being built; end_line() adds the break.
  std::string& text() { return buffer_; }
  void end_line() {
    buffer_ += '\n';
    if (buffer_.size() >= capacity - 4096) flush();
  }
  void flush();

 private:
  static constexpr std::size_t capacity = 1 << 16;
  std::string buffer_;
};

}  // namespace candlewick::app
