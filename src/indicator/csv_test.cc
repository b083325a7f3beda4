// Candles as CSV to indicators as JSON Lines.
#include "indicator/csv.h"

#include <sstream>

#include <gtest/gtest.h>

#include "indicator/calculator.h"
#include "indicator/random_bars.h"

namespace candlewick::indicator {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(IndicatorCsv, WritesOneObjectACandle) {
  std::istringstream csv(
      "timestamp,open,high,low,close,volume\n"
      "2024-08-08T00:00:00Z,1,4,1,4,10\n"
      "1723078800000,2,3,2,2.5,1\n");
  std::ostringstream json;
  const auto candles = write_indicators(1h, csv, json);
  ASSERT_TRUE(candles) << candles.error().message;
  EXPECT_EQ(*candles, 2u);
  const auto lines = lines_of(json.str());
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(
      lines[0],
      R"({"timestamp":"2024-08-08T00:00:00Z","rolling_return_1h":null,"rolling_return_24h":null,)"
      R"("rolling_volatility_24h":null,"high_low_range_24h":null,"moving_average_7":null,)"
      R"("moving_average_30":null,"rsi_14":null,"macd":null,"macd_signal":null,)"
      R"("extra":{"macd_histogram":null,"ema_12":null,"ema_26":null,"atr_14":null,)"
      R"("bollinger_upper":null,"bollinger_middle":null,"bollinger_lower":null,)"
      R"("vwap":3,"obv":10,"stochastic_k":null,"stochastic_d":null}})");
  EXPECT_TRUE(lines[1].starts_with(
      R"({"timestamp":"2024-08-08T01:00:00Z","rolling_return_1h":-0.375,"rolling_return_24h":null,)"))
      << lines[1];
}

TEST(IndicatorCsv, TakesRowsAsConsecutive) {
  std::ostringstream csv;
  csv << "volume,close,low,high,open,trades,open_time\r\n";
  const auto bars = random_bars::make(2, 80, 1h, 4);
  Calculator calculator(1h);
  for (const Bar& bar : bars) {
    csv << bar.volume.to_string() << ',' << bar.close.to_string() << ',' << bar.low.to_string()
        << ',' << bar.high.to_string() << ", " << bar.open.to_string() << ",17,\""
        << to_rfc3339(bar.open_time) << "\"\r\n";
    calculator.push_consecutive(bar);
  }
  std::istringstream in("\xEF\xBB\xBF" + csv.str() + "\n");
  std::ostringstream json;
  ASSERT_EQ(write_indicators(1h, in, json).value(), 80u);
  const Values last = calculator.values();
  ASSERT_TRUE(last.rolling_volatility_24h && last.macd_signal);
  const std::string line = lines_of(json.str()).back();
  EXPECT_NE(line.find(fmt::format(R"("rolling_volatility_24h":{},)", *last.rolling_volatility_24h)),
            std::string::npos)
      << line;
  EXPECT_NE(line.find(fmt::format(R"("macd_signal":{},)", *last.macd_signal)), std::string::npos)
      << line;
}

TEST(IndicatorCsv, NamesTheLineAndColumnOfWhatItRefuses) {
  constexpr std::string_view header = "timestamp,open,high,low,close,volume\n";
  constexpr std::string_view first = "1723075200,1,4,1,2,10\n";
  struct Case {
    std::string text;
    std::string place;
  };
  const std::string both = std::string(header) + std::string(first);
  const std::vector<Case> cases{
      {"", "line 1"},
      {"timestamp,open,high,low,volume\n", "line 1, column close"},
      {"timestamp,open,open,high,low,close,volume\n", "line 1, column open"},
      {both + "x,1,4,1,2,10\n", "line 3, column timestamp"},
      {both + "1723075260,1,4,1,2\n", "line 3, column volume"},
      {both + "1723075260,1,4,1,two,10\n", "line 3, column close"},
      {both + "\n1723075260,1,,1,2,10\n", "line 4, column high"},
      {both + "1723075260,1,4,-1,2,10\n", "line 3, column low"},
      {both + "1723075260,1,4,5,2,10\n", "line 3, column high"},
      {both + "1723075260,nan,4,1,2,10\n", "line 3, column open"},
      {both + "1723075200,1,4,1,2,10\n", "line 3, column timestamp"},
  };
  for (const auto& [text, place] : cases) {
    std::istringstream csv(text);
    std::ostringstream json;
    const auto result = write_indicators(1min, csv, json);
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().kind, ErrorKind::malformed);
    EXPECT_TRUE(result.error().message.starts_with(place + ":")) << result.error().message;
  }
}

TEST(IndicatorCsv, IsEmptyForAHeaderAlone) {
  std::istringstream csv("timestamp,open,high,low,close,volume\n");
  std::ostringstream json;
  EXPECT_EQ(write_indicators(1min, csv, json).value(), 0u);
  EXPECT_TRUE(json.str().empty());
}

TEST(IndicatorCsv, SaysWhenTheOutputCannotBeWritten) {
  std::istringstream csv("timestamp,open,high,low,close,volume\n1,1,1,1,1,1\n");
  std::ostringstream json;
  json.setstate(std::ios::badbit);
  EXPECT_EQ(write_indicators(1min, csv, json).error().kind, ErrorKind::transient);
}

}  // namespace
}  // namespace candlewick::indicator
