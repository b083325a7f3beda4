// "bid:size:ask:-size:…" by turns, best first. The venue computes it in JavaScript, so numbers
// below a millionth have an exponent: 2.5e-7.
//
// Source: docs.bitfinex.com/docs/ws-websocket-checksum, read 2026-11-21.
#include <fmt/format.h>

#include "exchange/bitfinex/bitfinex.h"
#include "exchange/reading.h"

namespace candlewick::exchange::bitfinex {
namespace {

void append_number(std::string& out, Decimal value) {
  constexpr int128 millionth = Decimal::one / 1'000'000;
  if (value.is_negative()) {
    out += '-';
    value = -value;
  }
  if (value.is_zero() || value.count() >= millionth) {
    out += value.to_string();
    return;
  }
  std::string digits = fmt::format("{}", static_cast<std::uint64_t>(value.count()));
  const auto exponent = Decimal::scale + 1 - static_cast<int>(digits.size());
  digits.erase(digits.find_last_not_of('0') + 1);
  out += digits.front();
  if (digits.size() > 1) out += "." + digits.substr(1);
  out += fmt::format("e-{}", exponent);
}

}  // namespace

std::uint32_t checksum(std::span<const Level> bids, std::span<const Level> asks, int, int) {
  constexpr std::size_t levels = 25;
  std::string text;
  const auto append = [&](Decimal price, Decimal size) {
    if (!text.empty()) text += ':';
    append_number(text, price);
    text += ':';
    append_number(text, size);
  };
  for (std::size_t i = 0; i < levels; ++i) {
    if (i < bids.size()) append(bids[i].price, bids[i].size);
    if (i < asks.size()) append(asks[i].price, -asks[i].size);
  }
  return crc32(text);
}

}  // namespace candlewick::exchange::bitfinex
