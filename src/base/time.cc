// RFC 3339 by hand: venues send it in hot frames, and g++ 12 has no chrono::parse.
#include "base/time.h"

#include <array>
#include <charconv>

#include <fmt/format.h>

namespace candlewick {
namespace {

using namespace std::chrono_literals;

// Reads exactly `count` digits; -1 when they are not there.
int digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return -1;
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

Result<Duration> parse_offset(std::string_view text) {
  if (text == "Z" || text == "z") return Duration{0};
  const int hours = digits(text, 1, 2);
  const bool colon = text.size() == 6 && text[3] == ':';
  const int minutes = digits(text, colon ? 4 : 3, 2);
  if ((text.size() != 6 && text.size() != 5) || (text.size() == 6 && !colon) ||
      (text[0] != '+' && text[0] != '-') || hours < 0 || hours > 23 || minutes < 0 ||
      minutes > 59) {
    return fail(ErrorKind::malformed, "bad UTC offset \"{}\"", text);
  }
  const Duration offset = std::chrono::hours{hours} + std::chrono::minutes{minutes};
  return text[0] == '-' ? -offset : offset;
}

void two(char* out, unsigned value) {
  out[0] = static_cast<char>('0' + value / 10);
  out[1] = static_cast<char>('0' + value % 10);
}

}  // namespace

void append_rfc3339(std::string& out, Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  // By remainder: midnight before the earliest time cannot be represented.
  Duration since_midnight = time.time_since_epoch() % std::chrono::days{1};
  if (since_midnight < Duration{0}) since_midnight += std::chrono::days{1};
  const auto in_day = static_cast<std::uint64_t>(since_midnight.count());
  const auto seconds = in_day / 1'000'000'000;
  auto fraction = in_day % 1'000'000'000;
  const int year = static_cast<int>(date.year());
  std::array<char, 32> text{};
  char* at = text.data();
  two(at, static_cast<unsigned>(year / 100));
  two(at + 2, static_cast<unsigned>(year % 100));
  at[4] = '-';
  two(at + 5, static_cast<unsigned>(date.month()));
  at[7] = '-';
  two(at + 8, static_cast<unsigned>(date.day()));
  at[10] = 'T';
  two(at + 11, static_cast<unsigned>(seconds / 3600));
  at[13] = ':';
  two(at + 14, static_cast<unsigned>(seconds / 60 % 60));
  at[16] = ':';
  two(at + 17, static_cast<unsigned>(seconds % 60));
  std::size_t length = 19;
  if (fraction != 0) {
    std::size_t places = 9;
    while (fraction % 1000 == 0) {
      fraction /= 1000;
      places -= 3;
    }
    at[length] = '.';
    for (std::size_t place = places; place != 0; --place) {
      at[length + place] = static_cast<char>('0' + fraction % 10);
      fraction /= 10;
    }
    length += places + 1;
  }
  at[length++] = 'Z';
  out.append(text.data(), length);
}

std::string to_rfc3339(Time time) {
  std::string out;
  append_rfc3339(out, time);
  return out;
}

Result<Time> parse_rfc3339(std::string_view text) {
  const auto malformed = [&] {
    return fail(ErrorKind::malformed, "not an RFC 3339 time: \"{}\"", text.substr(0, 40));
  };
  const int year = digits(text, 0, 4);
  const int month = digits(text, 5, 2);
  const int day = digits(text, 8, 2);
  if (year < 0 || month < 0 || day < 0 || text[4] != '-' || text[7] != '-') return malformed();
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  // The range of 64-bit nanoseconds is 1677 to 2262.
  if (!date.ok() || year < 1678 || year > 2261) return malformed();
  const Time midnight = std::chrono::sys_days{date};
  if (text.size() == 10) return midnight;
  const int hour = digits(text, 11, 2);
  const int minute = digits(text, 14, 2);
  const int second = digits(text, 17, 2);
  if ((text[10] != 'T' && text[10] != 't' && text[10] != ' ') || hour < 0 || hour > 23 ||
      minute < 0 || minute > 59 || second < 0 || second > 60 || text[13] != ':' ||
      text[16] != ':') {
    return malformed();
  }
  std::size_t at = 19;
  std::int64_t fraction = 0;
  if (at < text.size() && text[at] == '.') {
    std::int64_t unit = 100'000'000;
    const std::size_t start = ++at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10) {
      if (unit == 0) return malformed();
      fraction += (text[at] - '0') * unit;
    }
    if (at == start) return malformed();
  }
  if (at >= text.size()) return malformed();
  const auto offset = parse_offset(text.substr(at));
  if (!offset) return malformed();
  return midnight + std::chrono::hours{hour} + std::chrono::minutes{minute} +
         std::chrono::seconds{second} + Duration{fraction} - *offset;
}

namespace {

// Nanoseconds in the unit that an epoch of this size is counted in.
constexpr std::int64_t unit_of_epoch(std::int64_t value) {
  const auto is_below = [value](std::int64_t limit) { return value < limit && value > -limit; };
  if (is_below(100'000'000'000)) return 1'000'000'000;
  if (is_below(100'000'000'000'000)) return 1'000'000;
  if (is_below(100'000'000'000'000'000)) return 1000;
  return 1;
}

}  // namespace

Time time_from_epoch_of_any_unit(std::int64_t value) {
  std::int64_t ns = 0;
  if (__builtin_mul_overflow(value, unit_of_epoch(value), &ns)) {
    return value < 0 ? Time::min() : Time::max();
  }
  return time_from_ns(ns);
}

Result<Time> parse_time(std::string_view text) {
  std::int64_t epoch = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), epoch);
  if (end == text.data() + text.size() && !text.empty() && error != std::errc::invalid_argument) {
    std::int64_t ns = 0;
    if (error == std::errc{} && !__builtin_mul_overflow(epoch, unit_of_epoch(epoch), &ns)) {
      return time_from_ns(ns);
    }
    return fail(ErrorKind::malformed, "not a time between 1678 and 2261: \"{}\"",
                text.substr(0, 40));
  }
  return parse_rfc3339(text);
}

Result<Duration> parse_duration(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  struct Unit {
    std::string_view name;
    Duration length;
  };
  static constexpr std::array<Unit, 8> units{{{"ns", 1ns},
                                              {"us", 1us},
                                              {"ms", 1ms},
                                              {"s", 1s},
                                              {"m", 1min},
                                              {"h", 1h},
                                              {"d", 24h},
                                              {"w", 168h}}};
  for (const auto& known : units) {
    if (error != std::errc{} || unit != known.name) continue;
    Duration::rep length = 0;
    if (__builtin_mul_overflow(count, known.length.count(), &length)) break;
    return Duration{length};
  }
  return fail(ErrorKind::malformed, "not a duration: \"{}\" (an integer and ms, s, m, h, d or w)",
              text.substr(0, 40));
}

}  // namespace candlewick
