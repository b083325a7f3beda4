// The table of indicators: its names are an interface.
#include "indicator/registry.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

namespace candlewick::indicator {
namespace {

using namespace std::chrono_literals;

TEST(Registry, HasTheColumnsOfTheTable) {
  const std::vector<std::string_view> expected{"rolling_return_1h",
                                               "rolling_return_24h",
                                               "rolling_volatility_24h",
                                               "high_low_range_24h",
                                               "moving_average_7",
                                               "moving_average_30",
                                               "rsi_14",
                                               "macd",
                                               "macd_signal"};
  std::vector<std::string_view> names;
  for (const auto& column : columns()) names.push_back(column.name);
  EXPECT_EQ(names, expected);
}

TEST(Registry, HasTheFurtherIndicatorsInTheirOrder) {
  const std::vector<std::string_view> expected{
      "macd_histogram",  "ema_12", "ema_26", "atr_14",       "bollinger_upper", "bollinger_middle",
      "bollinger_lower", "vwap",   "obv",    "stochastic_k", "stochastic_d"};
  EXPECT_EQ(std::vector(extra_names().begin(), extra_names().end()), expected);
}

TEST(Registry, ComputesEveryColumnOnce) {
  std::multiset<std::string_view> made;
  for (const auto& row : registry()) {
    for (const auto name : row.names) {
      if (!name.empty()) made.insert(name);
    }
  }
  for (const auto& column : columns()) EXPECT_EQ(made.count(column.name), 1u) << column.name;
  EXPECT_EQ(made.size(), columns().size() + extra_names().size());
}

TEST(Registry, KnowsHowManyBarsFillAWindow) {
  EXPECT_EQ(bars_in(24h, 1min), 1440u);
  EXPECT_EQ(bars_in(1h, 1h), 1u);
  EXPECT_EQ(bars_in(1h, 4h), std::nullopt);
  EXPECT_EQ(bars_in(1h, 7min), std::nullopt);
  EXPECT_EQ(bars_in(1h, 0s), std::nullopt);
  EXPECT_EQ(bars_in(1h, -1min), std::nullopt);
}

TEST(Registry, WritesTheFurtherIndicatorsAsJson) {
  Values values;
  values.extra.assign(extra_names().size(), std::nullopt);
  values.extra[0] = 0.1;
  std::string json;
  append_extra(json, values);
  EXPECT_TRUE(json.starts_with(R"({"macd_histogram":0.1,"ema_12":null,)")) << json;
  EXPECT_TRUE(json.ends_with(R"("stochastic_d":null})")) << json;
}

}  // namespace
}  // namespace candlewick::indicator
