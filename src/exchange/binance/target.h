// What a Binance URL says: the endpoint asked at and its symbol, or the stream of a raw connection.
#pragma once

#include <string>
#include <string_view>

namespace candlewick::exchange::binance {

struct Target {
  std::string_view path;  // "klines", "ticker/24hr": behind /api/v3/ (or v1, or futures' /fapi/v1/)
  std::string symbol;     // upper case
  std::string interval;
};

// Of a REST URL, whole or from its path on.
Target parse_target(std::string_view url);

// The symbol of the first stream that a WebSocket URL names; empty when it names none.
std::string_view stream_in(std::string_view url);

}  // namespace candlewick::exchange::binance
