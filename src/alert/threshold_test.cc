// What users write, well and badly, and where values stand to their lines.
#include "alert/threshold.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alert/figures.h"

namespace candlewick::alert {
namespace {

using ::testing::HasSubstr;

Decimal decimal(std::string_view digits) {
  return Decimal::parse(digits).value();
}

TEST(Threshold, ReadsWhatUsersWrite) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"BTC/USDT price > 70000", "BTC/USDT price > 70000"},
      {"  btc-usdt \t price>=70000.50 ", "BTC/USDT price >= 70000.5"},
      {"okx:ETH/USDT price < 3e3", "okx:ETH/USDT price < 3000"},
      {"BTC/USDT@1h rsi_14 <= 30", "BTC/USDT@1h rsi_14 <= 30"},
      {"BTC/USDT@1m rsi_14 < 30", "BTC/USDT rsi_14 < 30"},
      {"BTC bollinger_upper > 1", "BTC/USDT bollinger_upper > 1"},
      {"binance-usdm:BTC/USDT:USDT funding_rate < -0.0005",
       "binance-usdm:BTC/USDT:USDT funding_rate < -0.0005"},
      {"BTC/USDT price_change_pct_24h < -5", "BTC/USDT price_change_pct_24h < -5"},
      {"BTC/USDT spread > 0", "BTC/USDT spread > 0"},
  };
  for (const auto& [written, read] : cases) {
    const auto threshold = parse_threshold(written);
    ASSERT_TRUE(threshold) << written << ": " << threshold.error().message;
    EXPECT_EQ(threshold->text, read);
    EXPECT_EQ(parse_threshold(threshold->text)->text, threshold->text);
  }
  const auto threshold = parse_threshold("okx:BTC/USDT@4h rsi_14 < 30");
  EXPECT_EQ(threshold->venue, "okx");
  EXPECT_EQ(threshold->symbol, "BTC/USDT");
  EXPECT_EQ(threshold->timeframe, Timeframe::h4);
  EXPECT_EQ(threshold->figure, "rsi_14");
  EXPECT_EQ(threshold->comparison, Comparison::below);
  EXPECT_EQ(threshold->line, decimal("30"));
}

TEST(Threshold, SaysWhatIsWrong) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "there is no > or < in it"},
      {"BTC/USDT price 70000", "there is no > or < in it"},
      {"BTC/USDT price = 70000", "a value is above (>, >=) or below (<, <=) a line"},
      {"BTC/USDT price => 70000", "a value is above"},
      {"BTC/USDT > 70000", "in front of > stand an instrument and a figure"},
      {"> 70000", "in front of > stand an instrument and a figure"},
      {"the BTC/USDT price < 70000", "in front of < stand an instrument and a figure"},
      {"BTC/USDT pricee > 70000", "there is no figure \"pricee\" (did you mean \"price\"?)"},
      {"BTC/USDT@1h rsi14 < 30", "did you mean \"rsi_14\"?"},
      {"BTC/USDT exchange > 1", "there is no figure \"exchange\""},
      {"BTC/USDT@1x rsi_14 < 30", "1x"},
      {"BTC/USDT@1s rsi_14 < 30", "a minute (1m) and longer"},
      {"BTC/USDT@1h price > 70000", "price has no timeframe: leave out @1h"},
      {"BTC/USDT price >", "behind > stands one number"},
      {"BTC/USDT price > 70000 USDT", "behind > stands one number"},
      {"BTC/USDT price > many", "behind > stands one number"},
      {"BTC/USDT price > nan", "behind > stands one number"},
      {"BTC/USDT price >> 5", "behind > stands one number"},
      {"okx: price > 5", "okx:"},
  };
  for (const auto& [written, why] : cases) {
    const auto threshold = parse_threshold(written);
    ASSERT_FALSE(threshold) << written;
    EXPECT_EQ(threshold.error().kind, ErrorKind::malformed);
    EXPECT_THAT(threshold.error().message, HasSubstr(why));
    EXPECT_THAT(threshold.error().message, HasSubstr(written)) << "it names what is wrong";
  }
}

TEST(Threshold, EveryFigureCanBeAskedFor) {
  for (const auto& name : figure_names())
    EXPECT_TRUE(parse_threshold("BTC/USDT " + name + " > 1")) << name;
}

class Judging : public ::testing::Test {
 protected:
  Finding at(std::string_view text, std::string_view value) {
    return condition_of(parse_threshold(text).value(), instrument, decimal(value)).finding;
  }
  const Instrument instrument{.exchange = "okx", .symbol = "BTC/USDT"};
};

TEST_F(Judging, TellsHoldingFromNearAndClear) {
  using enum Finding;
  EXPECT_EQ(at("BTC price > 70000", "70000.000000000000000001"), holds);
  EXPECT_EQ(at("BTC price > 70000", "70000"), near);
  EXPECT_EQ(at("BTC price >= 70000", "70000"), holds);
  EXPECT_EQ(at("BTC price > 70000", "69650.000000000000000001"), near);
  EXPECT_EQ(at("BTC price > 70000", "69650"), clear) << "half a percent is 350";
  EXPECT_EQ(at("BTC price < 3000", "2999.99"), holds);
  EXPECT_EQ(at("BTC price < 3000", "3000"), near);
  EXPECT_EQ(at("BTC price <= 3000", "3000"), holds);
  EXPECT_EQ(at("BTC price < 3000", "3014.99"), near);
  EXPECT_EQ(at("BTC price < 3000", "3015"), clear);
  EXPECT_EQ(at("BTC funding_rate < -0.01", "-0.02"), holds);
  EXPECT_EQ(at("BTC funding_rate < -0.01", "-0.00999"), near);
  EXPECT_EQ(at("BTC funding_rate < -0.01", "0.01"), clear);
  EXPECT_EQ(at("BTC macd > 0", "1"), holds);
  EXPECT_EQ(at("BTC macd > 0", "-100000"), near) << "half a percent of nothing";
  EXPECT_EQ(at("BTC price > -99999999999999999999", "99999999999999999999"), holds);
  EXPECT_EQ(at("BTC price < -99999999999999999999", "99999999999999999999"), clear);
}

TEST_F(Judging, SaysWhatTheValueIs) {
  const auto threshold = parse_threshold("BTC@1h rsi_14 < 30").value();
  const auto condition = condition_of(threshold, instrument, decimal("29.5"));
  EXPECT_EQ(condition.summary, "BTC/USDT (1h) at okx: rsi_14 is 29.5, < 30");
  EXPECT_EQ(condition.resolved, "BTC/USDT (1h) at okx: rsi_14 is 29.5, not < 30 any more");
  EXPECT_EQ(
      condition.labels,
      (Labels{{"exchange", "okx"}, {"symbol", "BTC/USDT"}, {"when", "BTC/USDT@1h rsi_14 < 30"}}));
  EXPECT_EQ(condition_of(threshold, instrument, std::nullopt).finding, Finding::unknown);
  EXPECT_EQ(without_subject(threshold).finding, Finding::unknown);
}

TEST(Subject, IsTheFirstThatIsMeant) {
  const Instrument okx{.exchange = "okx", .symbol = "BTC/USDT"};
  const Instrument binance{.exchange = "binance", .symbol = "BTC/USDT"};
  const Instrument swap{.exchange = "binance", .symbol = "BTC/USDT:USDT", .market = Market::swap};
  const Instrument other{.exchange = "binance", .symbol = "ETH/USDT:USDT", .market = Market::swap};
  const Instrument bridged{.exchange = "ccxt:mexc", .symbol = "BTC/USDT"};
  const std::vector<pipeline::LatestBoard::Entry> entries{
      {&other, 0}, {&swap, 1}, {&okx, 2}, {&binance, 3}, {&bridged, 4}};
  const auto found = [&](std::string_view text) -> const Instrument* {
    const auto* entry = find_subject(parse_threshold(text).value(), entries);
    return entry == nullptr ? nullptr : entry->instrument;
  };
  EXPECT_EQ(found("BTC/USDT price > 1"), &okx);
  EXPECT_EQ(found("binance:BTC/USDT price > 1"), &binance);
  EXPECT_EQ(found("BTC/USDT:USDT price > 1"), &swap);
  EXPECT_EQ(found("binance-usdm:BTC/USDT price > 1"), &swap) << "its perpetual";
  EXPECT_EQ(found("ETH/USDT price > 1"), &other);
  EXPECT_EQ(found("ccxt:mexc:BTC/USDT price > 1"), &bridged);
  EXPECT_EQ(found("kraken:BTC/USDT price > 1"), nullptr);
  EXPECT_EQ(found("SOL/USDT price > 1"), nullptr);
}

}  // namespace
}  // namespace candlewick::alert
