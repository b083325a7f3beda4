// Borders of candles.
#include "market/timeframe.h"

#include <fmt/format.h>

namespace candlewick {
namespace {

using namespace std::chrono_literals;

struct Row {
  std::string_view text;
  Duration length;
};

constexpr std::array<Row, 16> rows{{{"1s", 1s},
                                    {"1m", 1min},
                                    {"3m", 3min},
                                    {"5m", 5min},
                                    {"15m", 15min},
                                    {"30m", 30min},
                                    {"1h", 1h},
                                    {"2h", 2h},
                                    {"4h", 4h},
                                    {"6h", 6h},
                                    {"8h", 8h},
                                    {"12h", 12h},
                                    {"1d", 24h},
                                    {"3d", 72h},
                                    {"1w", 168h},
                                    {"1M", 720h}}};

// 1970-01-01 was a Thursday; weeks open on the Monday before.
constexpr Duration week_shift = 72h;

std::chrono::year_month month_of(Time time) {
  const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(time)};
  return date.year() / date.month();
}

Time open_of_month(std::chrono::year_month month) {
  return std::chrono::sys_days{month / 1};
}

}  // namespace

std::string_view to_text(Timeframe timeframe) {
  return rows[static_cast<std::size_t>(timeframe)].text;
}

Result<Timeframe> parse_timeframe(std::string_view text) {
  for (const auto timeframe : all_timeframes) {
    if (to_text(timeframe) == text) return timeframe;
  }
  return fail(
      ErrorKind::malformed,
      "unknown timeframe \"{}\" (one of 1s 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M)",
      text.substr(0, 20));
}

Duration length_of(Timeframe timeframe) {
  return rows[static_cast<std::size_t>(timeframe)].length;
}

Time open_of(Timeframe timeframe, Time time) {
  if (timeframe == Timeframe::mo1) return open_of_month(month_of(time));
  const Duration shift = timeframe == Timeframe::w1 ? week_shift : Duration{0};
  const Duration length = length_of(timeframe);
  const Duration since = time.time_since_epoch() + shift;
  Duration into = since % length;
  if (into < Duration{0}) into += length;
  return time - into;
}

Time next_open(Timeframe timeframe, Time open) {
  if (timeframe == Timeframe::mo1) return open_of_month(month_of(open) + std::chrono::months{1});
  return open + length_of(timeframe);
}

Time previous_open(Timeframe timeframe, Time open) {
  if (timeframe == Timeframe::mo1) return open_of_month(month_of(open) - std::chrono::months{1});
  return open - length_of(timeframe);
}

}  // namespace candlewick
