// Every kind of figure, from a slot of the board.
#include "alert/figures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "indicator/registry.h"
#include "schema/table.h"

namespace candlewick::alert {
namespace {

Decimal decimal(std::string_view digits) {
  return Decimal::parse(digits).value();
}

// A row with nothing but these cells.
schema::Row row_of(const schema::Table& table,
                   const std::vector<std::pair<std::string_view, schema::Value>>& cells) {
  schema::Row row{.table = &table, .values = {}};
  row.values.resize(table.columns.size());
  for (const auto& [column, value] : cells) row.values[table.index_of(column)] = value;
  return row;
}

class Figures : public ::testing::Test {
 protected:
  std::optional<std::string> read(std::string_view figure) const {
    const auto value = read_figure(latest, figure);
    return value ? std::optional(value->to_string()) : std::nullopt;
  }
  const Instrument instrument{.exchange = "okx", .symbol = "BTC/USDT"};
  pipeline::Latest latest;
};

TEST_F(Figures, AreAbsentWithoutData) {
  for (const auto& name : figure_names()) EXPECT_EQ(read(name), std::nullopt) << name;
}

TEST_F(Figures, HaveDifferentNames) {
  const auto names = figure_names();
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
}

TEST_F(Figures, ComeFromWhatIsNewest) {
  latest.tick = row_of(schema::market_ticks, {{"last_price", decimal("100")},
                                              {"price_change_pct_24h", 1.5},
                                              {"volume_24h_quote", decimal("5000.5")},
                                              {"bid_ask_spread", decimal("0.2")}});
  EXPECT_EQ(read("price"), "100");
  EXPECT_EQ(read("change_pct_24h"), "1.5");
  EXPECT_EQ(read("price_change_pct_24h"), "1.5");
  EXPECT_EQ(read("volume_24h_quote"), "5000.5");
  EXPECT_EQ(read("bid_ask_spread"), "0.2");
  latest.ticker = Ticker{.last = decimal("101"), .change_pct_24h = decimal("2.25")};
  EXPECT_EQ(read("change_pct_24h"), "2.25");
  latest.quote = Quote{.bid = decimal("100.5"), .ask = decimal("100.75")};
  EXPECT_EQ(read("bid"), "100.5");
  EXPECT_EQ(read("ask"), "100.75");
  EXPECT_EQ(read("spread"), "0.25");
  latest.derivative = Derivative{.funding_rate = decimal("-0.0001")};
  EXPECT_EQ(read("funding_rate"), "-0.0001");
  EXPECT_EQ(read("mark_price"), std::nullopt);
  latest.is_stale = true;
  EXPECT_EQ(read("price"), std::nullopt) << "from before a restart";
}

TEST_F(Figures, OfTheBookAreOfALiveOne) {
  BookUpdate ladder;
  ladder.bids = {{decimal("9"), decimal("1")}};
  ladder.asks = {{decimal("11"), decimal("1")}};
  latest.ladder = ladder;
  EXPECT_EQ(read("spread"), "2");
  latest.ladder_stale_since = Time{};
  EXPECT_EQ(read("spread"), std::nullopt);
}

TEST_F(Figures, IndicatorsAreColumnsOrFurtherOnes) {
  latest.indicators = row_of(
      schema::technical_indicators,
      {{"rsi_14", 29.5}, {"extra", schema::Json{R"({"ema_12":null,"atr_14":2.5,"obv":-3})"}}});
  EXPECT_EQ(read("rsi_14"), "29.5");
  EXPECT_EQ(read("atr_14"), "2.5");
  EXPECT_EQ(read("obv"), "-3");
  EXPECT_EQ(read("ema_12"), std::nullopt);
  EXPECT_EQ(read("vwap"), std::nullopt);
  EXPECT_EQ(read("macd"), std::nullopt);
  EXPECT_TRUE(is_indicator("rsi_14"));
  EXPECT_TRUE(is_indicator("atr_14"));
  EXPECT_FALSE(is_indicator("price"));
  EXPECT_FALSE(is_indicator("bid_ask_spread"));
}

TEST_F(Figures, AreReadFromComputedValuesAsWell) {
  indicator::Values values;
  values.rsi_14 = 70.25;
  values.extra.resize(indicator::extra_names().size());
  values.extra[0] = 3;
  EXPECT_EQ(read_figure(values, "rsi_14"), decimal("70.25"));
  EXPECT_EQ(read_figure(values, indicator::extra_names()[0]), decimal("3"));
  EXPECT_EQ(read_figure(values, "macd"), std::nullopt);
}

}  // namespace
}  // namespace candlewick::alert
