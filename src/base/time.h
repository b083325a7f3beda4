// Time is UTC nanoseconds since the Unix epoch. Its text form is RFC 3339 with 0, 3, 6 or 9
// fractional digits, as few as hold the value.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace candlewick {

using Duration = std::chrono::nanoseconds;
using Time = std::chrono::sys_time<Duration>;
// Deadlines and watchdogs: a clock that never jumps.
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, Duration>;

constexpr Time time_from_ms(std::int64_t ms) {
  return Time{std::chrono::milliseconds{ms}};
}
constexpr Time time_from_us(std::int64_t us) {
  return Time{std::chrono::microseconds{us}};
}
constexpr Time time_from_ns(std::int64_t ns) {
  return Time{std::chrono::nanoseconds{ns}};
}
// Rounded towards the past, so that a time never moves into a later interval.
constexpr std::int64_t to_ms(Time time) {
  return std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
}
constexpr std::int64_t to_us(Time time) {
  return std::chrono::floor<std::chrono::microseconds>(time).time_since_epoch().count();
}
constexpr std::int64_t to_ns(Time time) {
  return time.time_since_epoch().count();
}

// "2024-08-08T23:55:00.123Z"
std::string to_rfc3339(Time time);
void append_rfc3339(std::string& out, Time time);

// RFC 3339: "T" or a space, up to nine fractional digits (more are refused), "Z" or an offset; a
// bare date means midnight UTC. Error: malformed.
Result<Time> parse_rfc3339(std::string_view text);

// What users type: RFC 3339, or an integer epoch in s, ms, µs or ns told apart by its size
// (s below 10^11, ms below 10^14, µs below 10^17).
Result<Time> parse_time(std::string_view text);

// An integer epoch as files hold it, its unit told by its size as in parse_time; one outside the
// range of Time is moved to its nearest end.
Time time_from_epoch_of_any_unit(std::int64_t value);

// "90s", "5m", "2h", "1d", "250ms": an integer and a unit. Error: malformed.
Result<Duration> parse_duration(std::string_view text);

}  // namespace candlewick
