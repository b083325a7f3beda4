// What the decoders of several venues need to read: amounts, times in the forms that venues use,
// price levels, and URLs. Values refuse what cannot be right, with the path to it, as json::Value
// does.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "market/event.h"

namespace candlewick::exchange {

// A price or size: refuses negative ones, which live feeds have sent.
Decimal amount(json::Value& value);
// The same; null and "" are none, as thin markets have no best price.
std::optional<Decimal> optional_amount(json::Value& value);

// Seconds, milliseconds, microseconds or nanoseconds since the epoch, told apart by size. Nothing
// outside 2001 to 2261, so that a cut or absurd number is never taken for a time.
std::optional<Time> time_of_epoch(std::int64_t epoch);
// The same from a number or a string of digits.
Time epoch(json::Value& value);
// Seconds since the epoch with a fraction: 1617666420.123456, as a number or a string.
Time epoch_seconds(json::Value& value);
// RFC 3339, with any number of fractional digits.
Time timestamp(json::Value& value);

// How prices and sizes were written; see BookUpdate::price_digits.
struct LevelDigits {
  std::uint8_t price = 0;
  std::uint8_t size = 0;
};
// [["price","size",…],…], numbers or strings, further elements unread. Replaces `levels`. `digits`
// becomes the most fractional digits seen, unless null.
void read_levels(json::Value& value, std::vector<Level>& levels, LevelDigits* digits = nullptr);

// A venue's word for a length of candles.
struct TimeframeName {
  Timeframe timeframe;
  std::string_view name;
};
// Empty when the venue has no candles of that length.
std::string_view name_of(std::span<const TimeframeName> names, Timeframe timeframe);
std::optional<Timeframe> timeframe_of(std::span<const TimeframeName> names, std::string_view name);
template <std::size_t N>
constexpr std::array<Timeframe, N> timeframes_of(const std::array<TimeframeName, N>& names) {
  std::array<Timeframe, N> timeframes{};
  for (std::size_t i = 0; i < N; ++i) timeframes[i] = names[i].timeframe;
  return timeframes;
}

// IEEE 802.3, as in zip: what venues compute over a book's best levels.
std::uint32_t crc32(std::string_view text);

// Of a URL or target: "/api/v3/time" of "https://host/api/v3/time?a=b".
std::string_view path_of(std::string_view url);
// A query parameter, decoded; empty when it is not there.
std::string parameter(std::string_view url, std::string_view name);
// For a value in a query.
std::string percent_encoded(std::string_view text);

// Of ASCII letters; no other letters of symbols have case.
std::string upper(std::string_view text);
std::string lower(std::string_view text);

}  // namespace candlewick::exchange
