// The table of indicators. The order of the rows is the order of `extra`.
#include "indicator/registry.h"

#include "base/json_text.h"
#include "indicator/atr.h"
#include "indicator/bollinger.h"
#include "indicator/ema.h"
#include "indicator/macd.h"
#include "indicator/obv.h"
#include "indicator/range.h"
#include "indicator/returns.h"
#include "indicator/rsi.h"
#include "indicator/sma.h"
#include "indicator/stochastic.h"
#include "indicator/volatility.h"
#include "indicator/vwap.h"

namespace candlewick::indicator {
namespace {

using namespace std::chrono_literals;
using Made = std::unique_ptr<Indicator>;

constexpr Duration day = 24h;

// An indicator over a window of time, made for that many bars.
template <class T>
Made over(Duration window, Duration bar_length) {
  const auto bars = bars_in(window, bar_length);
  return bars ? std::make_unique<T>(*bars) : nullptr;
}

constexpr std::array rows{
    Row{{"rolling_return_1h"}, [](Duration bar) { return over<Returns>(1h, bar); }},
    Row{{"rolling_return_24h"}, [](Duration bar) { return over<Returns>(day, bar); }},
    Row{{"rolling_volatility_24h"}, [](Duration bar) { return over<Volatility>(day, bar); }},
    Row{{"high_low_range_24h"}, [](Duration bar) { return over<Range>(day, bar); }},
    Row{{"moving_average_7"}, [](Duration) -> Made { return std::make_unique<Sma>(7); }},
    Row{{"moving_average_30"}, [](Duration) -> Made { return std::make_unique<Sma>(30); }},
    Row{{"rsi_14"}, [](Duration) -> Made { return std::make_unique<Rsi>(14); }},
    Row{{"macd", "macd_signal", "macd_histogram"},
        [](Duration) -> Made { return std::make_unique<Macd>(); }},
    Row{{"ema_12"}, [](Duration) -> Made { return std::make_unique<Ema>(12); }},
    Row{{"ema_26"}, [](Duration) -> Made { return std::make_unique<Ema>(26); }},
    Row{{"atr_14"}, [](Duration) -> Made { return std::make_unique<Atr>(14); }},
    Row{{"bollinger_upper", "bollinger_middle", "bollinger_lower"},
        [](Duration) -> Made { return std::make_unique<Bollinger>(20, 2); }},
    Row{{"vwap"}, [](Duration) -> Made { return std::make_unique<Vwap>(); }},
    Row{{"obv"}, [](Duration) -> Made { return std::make_unique<Obv>(); }},
    Row{{"stochastic_k", "stochastic_d"},
        [](Duration) -> Made { return std::make_unique<Stochastic>(); }},
};

constexpr std::array table{
    Column{"rolling_return_1h", &Values::rolling_return_1h},
    Column{"rolling_return_24h", &Values::rolling_return_24h},
    Column{"rolling_volatility_24h", &Values::rolling_volatility_24h},
    Column{"high_low_range_24h", &Values::high_low_range_24h},
    Column{"moving_average_7", &Values::moving_average_7},
    Column{"moving_average_30", &Values::moving_average_30},
    Column{"rsi_14", &Values::rsi_14},
    Column{"macd", &Values::macd},
    Column{"macd_signal", &Values::macd_signal},
};

constexpr bool is_column(std::string_view name) {
  for (const auto& column : table) {
    if (column.name == name) return true;
  }
  return false;
}

constexpr bool is_extra(std::string_view name) {
  return !name.empty() && !is_column(name);
}

constexpr std::size_t extra_count = [] {
  std::size_t count = 0;
  for (const auto& row : rows) {
    for (const auto name : row.names) count += is_extra(name) ? 1 : 0;
  }
  return count;
}();

constexpr auto extras = [] {
  std::array<std::string_view, extra_count> names{};
  std::size_t used = 0;
  for (const auto& row : rows) {
    for (const auto name : row.names) {
      if (is_extra(name)) names[used++] = name;
    }
  }
  return names;
}();

}  // namespace

std::span<const Column> columns() {
  return table;
}
std::span<const std::string_view> extra_names() {
  return extras;
}
std::span<const Row> registry() {
  return rows;
}

void append_extra(std::string& out, const Values& values) {
  json::Members members(out);
  for (std::size_t i = 0; i < extras.size() && i < values.extra.size(); ++i) {
    members.nullable(extras[i], values.extra[i]);
  }
  members.close();
}

std::optional<std::size_t> bars_in(Duration window, Duration bar_length) {
  if (bar_length <= Duration{0} || window < bar_length || window % bar_length != Duration{0}) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(window / bar_length);
}

}  // namespace candlewick::indicator
