// History over a real SQLite warehouse: paging, the seam between stored and live candles, and the
// other questions that the warehouse answers.
#include "api/testing.h"
#include "pipeline/rows.h"
#include "sink/sqlite_warehouse.h"

namespace candlewick::api {
namespace {

using std::chrono::minutes;
using testing::Answer;
using testing::decimal;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using History = testing::HistoryTest;

TEST_F(History, PagesGiveEveryCandleOnceInBothOrders) {
  constexpr std::size_t count = 10'000;
  store(count);
  std::vector<std::string> ascending;
  std::string target = "/v1/candles?symbol=btc-usdt&timeframe=1m&limit=137";
  while (target != "null") {
    const Answer page = get(target);
    ASSERT_EQ(page.status, 200) << page.body;
    const auto found = times(page);
    ASSERT_LE(found.size(), 137U);
    ascending.insert(ascending.end(), found.begin(), found.end());
    target = page.member("next_url");
  }
  ASSERT_EQ(ascending.size(), count);
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_EQ(ascending[i], to_rfc3339(noon - minutes{static_cast<std::int64_t>(count - i)}));
  }
  std::vector<std::string> descending;
  // With nothing but the cursor this time.
  target = "/v1/candles?symbol=BTCUSDT&timeframe=1m&limit=137&sort=desc";
  while (true) {
    const Answer page = get(target);
    ASSERT_EQ(page.status, 200) << page.body;
    const auto found = times(page);
    descending.insert(descending.end(), found.begin(), found.end());
    if (page.member("next_cursor") == "null") break;
    target = "/v1/candles?cursor=" + page.member("next_cursor");
  }
  std::ranges::reverse(descending);
  EXPECT_EQ(descending, ascending);
}

TEST_F(History, StaysOnTheExchangeAndTheQuestionOfTheFirstPage) {
  store(10);
  const Answer first = get("/v1/candles?symbol=BTCUSDT&limit=3");
  EXPECT_EQ(first.member("exchange"), "binance");
  const std::string cursor = first.member("next_cursor");
  EXPECT_THAT(first.member("next_url"), HasSubstr("exchange=binance"));
  EXPECT_EQ(times(get("/v1/candles?symbol=BTCUSDT&limit=2&cursor=" + cursor)).size(), 2U);
  const Answer other = get("/v1/candles?symbol=ETHUSDT&cursor=" + cursor);
  EXPECT_EQ(other.status, 400);
  EXPECT_EQ(other.member("code"), "cursor_mismatch");
  EXPECT_EQ(other.member("parameter"), "symbol");
  const Answer route = get("/v1/ticks?symbol=BTCUSDT&cursor=" + cursor);
  EXPECT_EQ(route.member("code"), "cursor_mismatch");
  EXPECT_EQ(route.member("parameter"), "cursor");
  std::string damaged = cursor;
  damaged[damaged.size() / 2] = damaged[damaged.size() / 2] == 'A' ? 'B' : 'A';
  EXPECT_EQ(get("/v1/candles?cursor=" + damaged).member("code"), "invalid_cursor");
  EXPECT_EQ(get("/v1/candles?cursor=" + cursor.substr(0, cursor.size() - 4)).member("code"),
            "invalid_cursor");
}

TEST_F(History, TakesTheStartAndLeavesTheEndOut) {
  store(10);
  const auto expected = ElementsAre("2024-05-01T11:55:00Z", "2024-05-01T11:56:00Z");
  EXPECT_THAT(
      times(get("/v1/candles?symbol=BTCUSDT&start=2024-05-01T11:55:00Z&end=2024-05-01T11:57:00Z")),
      expected);
  EXPECT_THAT(times(get("/v1/candles?symbol=BTCUSDT&start=1714564500000&end=1714564620000")),
              expected);
  const Answer nothing = get("/v1/candles?symbol=BTCUSDT&start=2024-05-01&end=2024-05-01");
  EXPECT_EQ(nothing.status, 200);
  EXPECT_THAT(nothing.body, HasSubstr(R"("data":[],"next_cursor":null,"next_url":null})"));
}

TEST_F(History, TellsACandleWithItsExactDigits) {
  store(1);
  EXPECT_THAT(get("/v1/candles?symbol=BTCUSDT").body,
              HasSubstr(R"("data":[{"timestamp":"2024-05-01T11:59:00Z","open":100,"high":1000000,)"
                        R"("low":0.000000000000000001,"close":50000.5,"volume":1.5,)"
                        R"("quote_volume":null,"trade_count":null,"taker_buy_volume":null,)"
                        R"("taker_buy_quote_volume":null,"is_closed":true,"source":"ws",)"
                        R"("revision":0,"ingested_at":"2024-05-01T12:00:00Z","bars":null,)"
                        R"("is_complete":true}])"));
}

// Each page finds the warehouse other than the one before: a minute more at its end, one of what
// was told already corrected, and one that was missing there filled in.
TEST_F(History, AMonthReadPageByPageWhileRowsComeHasEachMinuteOnce) {
  constexpr std::size_t count = 31 * 24 * 60;
  store(count);
  std::vector<std::string> found;
  std::string target = "/v1/candles?symbol=BTC-USDT&timeframe=1m&limit=1000&closed_only=true";
  std::size_t came = 0;
  while (target != "null") {
    const Answer page = get(target);
    ASSERT_EQ(page.status, 200) << page.body;
    for (auto& time : times(page)) found.push_back(time);
    target = page.member("next_url");
    if (came == 40) continue;
    Candle corrected = candle(0, noon - minutes{count - 7 * came}, "1.25", true);
    corrected.revision = 1;
    const Time before_all = noon - minutes{count + 1 + came};
    warehouse.write(
        {pipeline::candle_row(candle(0, noon + minutes{static_cast<int>(came)}, "2", true), noon),
         pipeline::candle_row(corrected, noon + std::chrono::seconds{1}),
         pipeline::candle_row(candle(0, before_all, "3", true), noon)});
    ++came;
  }
  ASSERT_EQ(found.size(), count + came);
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i], to_rfc3339(noon - minutes{count} + minutes{i}));
  }
}

class Seam : public History {
 protected:
  Seam() {
    auto& ether = add("binance", "ETH/USDT", "ETHUSDT");
    warehouse.write({pipeline::instrument_row(instrument(2), noon),
                     pipeline::candle_row(candle(2, noon - minutes{3}, "1", true), noon),
                     pipeline::candle_row(candle(2, noon - minutes{2}, "2", true), noon)});
    ether.with([&](pipeline::Latest& latest) {
      latest.closed.emplace(Timeframe::m1, candle(2, noon - minutes{1}, "3", true));
      latest.forming.emplace(Timeframe::m1, candle(2, noon, "4", false));
    });
    ether_slot = &ether;
  }
  pipeline::LatestBoard::Slot* ether_slot = nullptr;
};

TEST_F(Seam, JoinsStoredAndLiveCandlesOnce) {
  const auto all = ElementsAre("2024-05-01T11:57:00Z", "2024-05-01T11:58:00Z",
                               "2024-05-01T11:59:00Z", "2024-05-01T12:00:00Z");
  const Answer answer = get("/v1/candles?symbol=ETHUSDT");
  EXPECT_THAT(times(answer), all);
  EXPECT_THAT(answer.body, HasSubstr(R"("is_closed":false,"source":"ws","revision":0,)"
                                     R"("ingested_at":null,"bars":null,"is_complete":false}])"));
  // The closed one is stored meanwhile.
  warehouse.write({pipeline::candle_row(candle(2, noon - minutes{1}, "3", true), noon)});
  EXPECT_THAT(times(get("/v1/candles?symbol=ETHUSDT")), all);
  for (const std::string_view sort : {"asc", "desc"}) {
    std::vector<std::string> found;
    std::string target = fmt::format("/v1/candles?symbol=ETHUSDT&limit=1&sort={}", sort);
    while (target != "null" && found.size() < 10) {
      const Answer page = get(target);
      for (auto& time : times(page)) found.push_back(time);
      target = page.member("next_url");
    }
    if (sort == "desc") std::ranges::reverse(found);
    EXPECT_THAT(found, all) << sort;
  }
}

TEST_F(Seam, LeavesOutLiveCandlesThatWereNotAskedFor) {
  EXPECT_EQ(times(get("/v1/candles?symbol=ETHUSDT&closed_only=true")).back(),
            "2024-05-01T11:59:00Z");
  EXPECT_EQ(times(get("/v1/candles?symbol=ETHUSDT&end=2024-05-01T12:00:00Z")).back(),
            "2024-05-01T11:59:00Z");
  EXPECT_EQ(times(get("/v1/candles?symbol=ETHUSDT&as_of=2024-05-01T12:00:00Z")).back(),
            "2024-05-01T11:58:00Z");
  EXPECT_THAT(times(get("/v1/candles?symbol=ETHUSDT&start=2024-05-01T12:01:00Z")), ElementsAre());
  ether_slot->with([](pipeline::Latest& latest) { latest.is_stale = true; });
  EXPECT_EQ(times(get("/v1/candles?symbol=ETHUSDT")).back(), "2024-05-01T11:58:00Z");
}

TEST_F(History, FindsWhatIsStoredButNotConfiguredAnyMore) {
  Instrument old = instrument(0);
  old.symbol = "OLD/USDT";
  old.exchange_symbol = "OLDUSDT";
  old.base = "OLD";
  Candle last = candle(0, noon - minutes{9}, "7", true);
  last.origin.instrument = &old;
  warehouse.write({pipeline::instrument_row(old, noon), pipeline::candle_row(last, noon)});
  EXPECT_THAT(times(get("/v1/candles?symbol=old-usdt")), ElementsAre("2024-05-01T11:51:00Z"));
  const Answer unknown = get("/v1/candles?symbol=BTCUSTD");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.member("code"), "unknown_symbol");
  EXPECT_THAT(unknown.body, HasSubstr(R"("near":["BTC/USDT"])"));
  const Answer exchange = get("/v1/candles?symbol=BTCUSDT&exchange=nowhere");
  EXPECT_EQ(exchange.status, 404);
  EXPECT_EQ(exchange.member("code"), "unknown_exchange");
  EXPECT_EQ(get("/v1/coverage?symbol=BTCUSTD").member("code"), "unknown_symbol");
  EXPECT_EQ(get("/v1/coverage?exchange=nowhere").member("code"), "unknown_exchange");
  EXPECT_EQ(get("/v1/symbols?exchange=nowhere").member("code"), "unknown_exchange");
}

TEST_F(History, PagesTicksAndIndicators) {
  std::vector<schema::Row> rows;
  for (int i = 0; i < 5; ++i) {
    rows.push_back(pipeline::tick_row({.instrument = &instrument(0),
                                       .exchange_time = noon + minutes{i},
                                       .last_price = decimal("1.25")},
                                      20, noon));
    rows.push_back(
        pipeline::indicator_row(instrument(0), Timeframe::m1, noon + minutes{i}, {}, 0, noon));
  }
  warehouse.write(std::move(rows));
  for (const std::string_view route : {"/v1/ticks", "/v1/indicators"}) {
    std::size_t found = 0;
    std::string target = fmt::format("{}?symbol=BTCUSDT&limit=2", route);
    int pages = 0;
    for (; target != "null" && pages < 10; ++pages) {
      const Answer page = get(target);
      ASSERT_EQ(page.status, 200) << page.body;
      for (auto at = page.body.find("exchange_ts"); at != std::string::npos;
           at = page.body.find("exchange_ts", at + 1)) {
        EXPECT_EQ(page.body.substr(at + 14, 20),
                  to_rfc3339(noon + minutes{static_cast<std::int64_t>(found)}));
        ++found;
      }
      target = page.member("next_url");
    }
    EXPECT_EQ(found, 5U) << route;
    EXPECT_EQ(pages, 3) << route;
  }
  EXPECT_THAT(get("/v1/ticks?symbol=BTCUSDT&limit=1").body, HasSubstr(R"("last_price":1.25,)"));
}

TEST_F(History, ListsExchangesSymbolsAndCoverage) {
  const Answer exchanges = get("/v1/exchanges");
  EXPECT_EQ(exchanges.status, 200);
  EXPECT_THAT(exchanges.body, HasSubstr(R"("exchange":"binance","name":)"));
  EXPECT_THAT(exchanges.body, HasSubstr(R"("is_configured":true,"instruments":1})"));
  const Answer symbols = get("/v1/symbols?search=btc&limit=1");
  EXPECT_THAT(symbols.body, HasSubstr(R"({"data":[{"symbol":"BTC/USDT","exchange":"binance",)"));
  const Answer rest = get(symbols.member("next_url"));
  EXPECT_THAT(rest.body, HasSubstr(R"("exchange":"okx")"));
  EXPECT_EQ(rest.member("next_url"), "null");
  const Answer coverage = get("/v1/coverage?symbol=BTCUSDT");
  EXPECT_EQ(coverage.status, 200);
  EXPECT_EQ(coverage.body, "{\"data\":[],\"is_truncated\":false}\n");
}

}  // namespace
}  // namespace candlewick::api
