// A walk through TradingView's protocol as its charting client asks, over a real warehouse.
#include "api/testing.h"
#include "pipeline/rows.h"

namespace candlewick::api {
namespace {

using std::chrono::minutes;
using testing::Answer;
using testing::decimal;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Udf : public testing::HistoryTest {
 protected:
  Udf() {
    Instrument listed = instrument(0);
    listed.tick_size = decimal("0.05");
    listed.listed = true;
    warehouse.write({pipeline::instrument_row(listed, noon + minutes{1})});
  }
};

TEST_F(Udf, SaysWhatItCan) {
  const Answer config = get("/udf/config");
  EXPECT_EQ(config.status, 200);
  EXPECT_THAT(config.body, HasSubstr(R"("supports_search":true,"supports_group_request":false)"));
  EXPECT_THAT(config.body, HasSubstr(R"("supported_resolutions":["1","3","5","15","30","60",)"));
  EXPECT_THAT(config.body, HasSubstr(R"({"value":"okx","name":"OKX","desc":"okx"})"));
  clock.advance(std::chrono::milliseconds{999});
  EXPECT_EQ(get("/udf/time").body, std::to_string(to_ms(noon) / 1000));
}

TEST_F(Udf, OffersSecondsOnlyWhereTheyAreStored) {
  backend.timeframes = {"1m", "1s"};
  EXPECT_THAT(get("/udf/config").body, HasSubstr(R"("supported_resolutions":["1S","1",)"));
  EXPECT_EQ(get("/udf/history?symbol=BTCUSDT&resolution=S&from=0&to=1").body,
            "{\"s\":\"no_data\"}\n");
}

TEST_F(Udf, ResolvesSymbolsInEverySpelling) {
  for (const std::string_view spelling :
       {"BINANCE:BTC/USDT", "binance:BTCUSDT", "BTC-USDT", "btcusdt", "BTC%2FUSDT"}) {
    const Answer symbol = get(fmt::format("/udf/symbols?symbol={}", spelling));
    EXPECT_EQ(symbol.status, 200) << symbol.body;
    EXPECT_EQ(symbol.member("ticker"), "BINANCE:BTC/USDT") << spelling;
  }
  const Answer symbol = get("/udf/symbols?symbol=BINANCE:BTC/USDT");
  EXPECT_EQ(symbol.member("minmov"), "5");
  EXPECT_EQ(symbol.member("pricescale"), "100");
  EXPECT_THAT(symbol.body, HasSubstr(R"("session":"24x7","timezone":"Etc/UTC")"));
  // Its tick is not known.
  EXPECT_EQ(get("/udf/symbols?symbol=OKX:BTC/USDT").member("pricescale"), "100000000");
}

TEST_F(Udf, TakesBackTheNamesThatItGivesOfExchangesWithAColon) {
  add("ccxt:mexc", "BTC/USDT", "BTC/USDT");
  warehouse.write({pipeline::instrument_row(instrument(2), noon)});
  const std::string ticker = get("/udf/search?query=btc&exchange=ccxt:mexc").member("ticker");
  EXPECT_EQ(ticker, "CCXT:MEXC:BTC/USDT");
  EXPECT_EQ(get("/udf/symbols?symbol=" + ticker).member("ticker"), ticker);
}

TEST_F(Udf, SaysErrorInItsOwnWordsAndOurs) {
  for (const std::string_view target :
       {"/udf/symbols?symbol=NOSUCH", "/udf/symbols?symbol=NOWHERE:BTC/USDT",
        "/udf/history?symbol=NOSUCH&resolution=1&from=0&to=1", "/udf/symbols", "/udf/nothing",
        "/udf/history?symbol=BTCUSDT&resolution=7&from=0&to=1",
        "/udf/history?symbol=BTCUSDT&resolution=1&from=x&to=1",
        "/udf/history?symbol=BTCUSDT&resolution=1&from=2&to=1",
        "/udf/history?symbol=BTCUSDT&resolution=1&to=1",
        "/udf/history?symbol=BTCUSDT&resolution=1&to=1&countback=0",
        "/udf/history?symbol=BTCUSDT&resolution=1&from=1&to=2&from=1"}) {
    const Answer answer = get(target);
    EXPECT_GE(answer.status, 400) << target;
    EXPECT_LT(answer.status, 500) << target;
    EXPECT_THAT(answer.body, StartsWith(R"({"s":"error","errmsg":")")) << target;
    EXPECT_FALSE(answer.member("code").empty()) << target;
  }
}

TEST_F(Udf, SearchesWithEmptyWordsToo) {
  EXPECT_THAT(get("/udf/search?query=&type=&exchange=&limit=30").body,
              HasSubstr(R"("full_name":"BINANCE:BTC/USDT","ticker":"BINANCE:BTC/USDT")"));
  EXPECT_THAT(get("/udf/search?query=btc&exchange=OKX&limit=1").body,
              StartsWith(R"([{"symbol":"BTC/USDT","full_name":"OKX:BTC/USDT",)"));
  EXPECT_EQ(get("/udf/search?query=btc&type=stock").body, "[]\n");
  EXPECT_EQ(get("/udf/search?query=zzz").body, "[]\n");
}

TEST_F(Udf, GivesBarsInColumnsAndWhereToLookWhenThereAreNone) {
  store(10);
  const std::int64_t end = to_ms(noon) / 1000;
  const auto history = [&](std::string_view rest) {
    return get(fmt::format("/udf/history?symbol=BINANCE:BTC/USDT&{}", rest)).body;
  };
  const std::string newest = fmt::format(R"("t":[{},{}])", end - 120, end - 60);
  const std::string bars = history(fmt::format("resolution=1&from={}&to={}", end - 120, end));
  EXPECT_THAT(bars, StartsWith(R"({"s":"ok",)" + newest));
  EXPECT_THAT(bars, HasSubstr(R"("c":[50000.5,50000.5],"v":[)"));
  // The count wins over the beginning, and the range's end is not in it.
  EXPECT_THAT(history(fmt::format("resolution=1&from=-5&to={}&countback=2", end)),
              StartsWith(R"({"s":"ok",)" + newest));
  // As TradingView's own adapter asks, and for more than one answer holds.
  options.max_rows = 10'000;
  EXPECT_THAT(history(fmt::format("resolution=1&from=0&to={}&countback=200000&currencyCode=USDT&"
                                  "unitId=&firstDataRequest=true",
                                  end - 480)),
              StartsWith(fmt::format(R"({{"s":"ok","t":[{},{}],)", end - 600, end - 540)));
  EXPECT_THAT(history(fmt::format("resolution=1&from={}&to={}", end - 60, end - 60)),
              StartsWith(R"({"s":"no_data")"));
  EXPECT_THAT(history(fmt::format("resolution=5&from={}&to={}", end - 600, end)),
              HasSubstr(fmt::format(R"("t":[{},{}])", end - 600, end - 300)));
  EXPECT_EQ(history(fmt::format("resolution=1&from={}&to={}", end + 600, end + 1200)),
            fmt::format("{{\"s\":\"no_data\",\"nextTime\":{}}}\n", end - 60));
  EXPECT_EQ(history("resolution=1D&from=0&to=86400"), "{\"s\":\"no_data\"}\n");
}

}  // namespace
}  // namespace candlewick::api
