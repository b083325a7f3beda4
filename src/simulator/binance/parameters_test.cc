// Refusals of requests: one table.
#include "simulator/binance/parameters.h"

#include "simulator/testing.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

TEST(BinanceParameters, RefusesBadRequestsWithTheVenuesCodesAndWords) {
  struct Row {
    std::string_view target;
    int code;
    std::string_view words;
  };
  constexpr std::array<Row, 25> rows{{
      {"/api/v3/klines", -1102,
       "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."},
      {"/api/v3/klines?symbol=&interval=1m", -1102,
       "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."},
      {"/api/v3/klines?symbol=BTCUSDT", -1102,
       "Mandatory parameter 'interval' was not sent, was empty/null, or malformed."},
      {"/api/v3/klines?symbol=BTCUSDT&interval=7m", -1120, "Invalid interval."},
      {"/api/v3/klines?symbol=BTCUSDT&interval=1H", -1120, "Invalid interval."},
      {"/api/v3/klines?symbol=NOPEUSDT&interval=1m", -1121, "Invalid symbol."},
      {"/api/v3/klines?symbol=btcusdt&interval=1m", -1100,
       "Illegal characters found in parameter 'symbol'; legal range is '^[A-Z0-9-_.]{1,20}$'."},
      {"/api/v3/klines?symbol=BTC%2FUSDT&interval=1m", -1100,
       "Illegal characters found in parameter 'symbol'; legal range is '^[A-Z0-9-_.]{1,20}$'."},
      {"/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=x", -1100,
       "Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'."},
      {"/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=-1", -1100,
       "Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'."},
      {"/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=0", -1130,
       "Data sent for parameter 'limit' is not valid."},
      {"/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=noon", -1100,
       "Illegal characters found in parameter 'startTime'; legal range is '^[0-9]{1,20}$'."},
      {"/api/v3/klines?symbol=BTCUSDT&interval=1m&timeZone=15", -1130,
       "Data sent for parameter 'timeZone' is not valid."},
      {"/api/v3/klines?symbol=BTCUSDT&interval=1m&timeZone=2000000000", -1130,
       "Data sent for parameter 'timeZone' is not valid."},
      {"/api/v3/klines?symbol=BTCUSDT&interval=1m&timeZone=-13", -1130,
       "Data sent for parameter 'timeZone' is not valid."},
      {"/api/v3/klines?symbol=BTCUSDT&interval=1m&foo=1", -1104,
       "Not all sent parameters were read; read '2' parameter(s) but was sent '3'."},
      {"/api/v3/ping?foo=1", -1104,
       "Not all sent parameters were read; read '0' parameter(s) but was sent '1'."},
      {"/api/v3/depth?symbol=BTCUSDT&symbol=BTCUSDT", -1101,
       "Duplicate values for parameter 'symbol'."},
      {"/api/v3/ticker/price?symbol=BTCUSDT&symbols=%5B%22BTCUSDT%22%5D", -1128,
       "Combination of optional parameters invalid."},
      {"/api/v3/ticker/price?symbols=%5B%22BTCUSDT%22,%22BTCUSDT%22%5D", -1151,
       "Symbol is present multiple times in the list."},
      {"/api/v3/ticker/price?symbols=%5B%22NOPEUSDT%22%5D", -1121, "Invalid symbol."},
      {"/api/v3/ticker/price?symbols=BTCUSDT", -1100,
       "Illegal characters found in parameter 'symbols'; legal range is "
       "'^\\\\[(\\\"[A-Z0-9-_.]{1,20}\\\"(,\\\"[A-Z0-9-_.]{1,20}\\\"){0,}){0,1}\\\\]$'."},
      {"/api/v3/ticker/24hr?symbol=BTCUSDT&type=HUGE", -1130,
       "Data sent for parameter 'type' is not valid."},
      {"/api/v3/aggTrades?symbol=BTCUSDT&fromId=1&startTime=1", -1128,
       "Combination of optional parameters invalid."},
      {"/api/v3/exchangeInfo?symbolStatus=LOST", -1122, "Invalid symbolStatus."},
  }};
  auto core = small_core();
  for (const auto& row : rows) {
    const auto reply = get(*core, row.target);
    EXPECT_EQ(reply.status, 400) << row.target;
    EXPECT_EQ(reply.body, fmt::format(R"({{"code":{},"msg":"{}"}})", row.code, row.words))
        << row.target;
  }
}

TEST(BinanceParameters, CutsLimitsDownToTheMost) {
  auto core = small_core();
  EXPECT_EQ(elements(get(*core, "/api/v3/klines?symbol=BTCUSDT&interval=1m").body).size(), 500U);
  EXPECT_EQ(
      elements(get(*core, "/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=5000").body).size(),
      1000U);
  EXPECT_EQ(elements(get(*core, "/api/v3/trades?symbol=BTCUSDT&limit=99999").body).size(), 1000U);
}

}  // namespace
}  // namespace candlewick::simulator
