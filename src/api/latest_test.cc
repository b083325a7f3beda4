// What is answered from memory: /latest, tickers and order books.
#include "api/testing.h"
#include "pipeline/rows.h"

namespace candlewick::api {
namespace {

using testing::Answer;
using testing::decimal;
using ::testing::HasSubstr;
using ::testing::Not;

class Latest : public testing::ApiTest {
 protected:
  Latest() {
    bitcoin_ = &add("binance", "BTC/USDT", "BTCUSDT");
    add("binance", "ETH/USDT", "ETHUSDT");
    auto& other = add("okx", "BTC/USDT", "BTC-USDT");
    add("okx", "SOL/USDT", "SOL-USDT");
    bitcoin_->with([&](pipeline::Latest& latest) { fill(latest, 0); });
    other.with([&](pipeline::Latest& latest) {
      latest.ticker = Ticker{.origin = {.instrument = &instrument(2)}, .last = decimal("60001")};
      latest.is_stale = true;
    });
  }

  void fill(pipeline::Latest& latest, std::size_t slot) {
    const Origin origin{.instrument = &instrument(slot),
                        .exchange_time = noon - std::chrono::milliseconds{30},
                        .received_time = noon - std::chrono::milliseconds{20}};
    latest.ticker =
        Ticker{.origin = origin, .last = decimal("60000.10"), .open_24h = decimal("59000")};
    latest.quote = Quote{.origin = origin,
                         .bid = decimal("59999.99"),
                         .bid_size = decimal("0.123456789012345678"),
                         .ask = decimal("60000.01"),
                         .ask_size = decimal("2")};
    latest.ladder = BookUpdate{
        .origin = origin,
        .kind = BookKind::snapshot,
        .sequence = 77,
        .bids = {{decimal("59999.99"), decimal("1")}, {decimal("59999.98"), decimal("2.50")}},
        .asks = {{decimal("60000.01"), decimal("3")}}};
    latest.trade = Trade{.origin = origin,
                         .id = 9'007'199'254'740'993,
                         .taker_side = Side::sell,
                         .price = decimal("60000.2"),
                         .size = decimal("0.5")};
    latest.trade->origin.exchange_time = noon - std::chrono::milliseconds{10};
    latest.forming.emplace(Timeframe::m1, candle(slot, noon, "60000.15", false));
    latest.forming.at(Timeframe::m1).origin.exchange_time = noon - std::chrono::seconds{1};
    latest.closed.emplace(Timeframe::m1,
                          candle(slot, noon - std::chrono::minutes{1}, "59990", true));
    latest.tick = pipeline::tick_row({.instrument = &instrument(slot),
                                      .exchange_time = noon,
                                      .last_price = decimal("60000"),
                                      .price_change_pct_1h = 0.5},
                                     20, noon);
    latest.received_time = origin.received_time;
    latest.exchange_time = origin.exchange_time;
  }

  pipeline::LatestBoard::Slot* bitcoin_ = nullptr;
};

TEST_F(Latest, AnswersEverySpellingOfASymbol) {
  for (const std::string_view spelling : {"BTC-USDT", "BTCUSDT", "btc_usdt", "btcusdt",
                                          "BTC%2FUSDT", "BTC/USDT", "btc-usdt", "Btc%2fUsdt"}) {
    const Answer answer = get(fmt::format("/latest/{}", spelling));
    EXPECT_EQ(answer.status, 200) << spelling;
    EXPECT_EQ(answer.member("symbol"), "BTC/USDT") << spelling;
    EXPECT_EQ(answer.member("exchange"), "binance") << spelling;
  }
}

TEST_F(Latest, AnswersManyAtOnceAndSaysWhichItCannot) {
  const Answer many = get("/latest?symbols=btc-usdt,SOL/USDT,NO-SUCH,eth_usdt");
  EXPECT_EQ(many.status, 200);
  const std::string one = get("/latest/BTCUSDT").body;
  EXPECT_THAT(many.body, ::testing::StartsWith(R"({"data":[)" + one.substr(0, one.size() - 1)));
  EXPECT_THAT(many.body,
              ::testing::EndsWith(
                  R"(],"errors":[{"symbol":"SOL/USDT","code":"no_data_yet","title":"No data yet"},)"
                  R"({"symbol":"NO-SUCH","code":"unknown_symbol","title":"Unknown symbol"},)"
                  R"({"symbol":"eth_usdt","code":"no_data_yet","title":"No data yet"}]})"
                  "\n"));
  EXPECT_EQ(get("/latest?symbols=BTCUSDT&exchange=okx").member("exchange"), "okx");
  EXPECT_EQ(get("/latest?symbols=BTCUSDT&exchange=nowhere").member("code"), "unknown_exchange");
  EXPECT_EQ(get("/latest").member("code"), "missing_parameter");
  EXPECT_EQ(get("/latest?symbols=BTCUSDT,,ETHUSDT").member("code"), "invalid_parameter");
  std::string hundred = "/latest?symbols=A0";
  for (int i = 1; i < 100; ++i) hundred += fmt::format(",A{}", i);
  EXPECT_EQ(get(hundred).status, 200);
  EXPECT_EQ(get(hundred + ",A0").status, 200) << "the same again is no further one";
  EXPECT_EQ(get(hundred + ",A100").member("code"), "invalid_parameter");
}

TEST_F(Latest, TellsEverythingWithItsExactDigits) {
  const Answer answer = get("/latest/BTC-USDT");
  EXPECT_THAT(
      answer.body,
      ::testing::StartsWith(
          R"({"exchange":"binance","symbol":"BTC/USDT","exchange_symbol":"BTCUSDT","market":"spot",)"
          R"("stale":false,"last_price":60000.2,"received_time":"2024-05-01T11:59:59.980Z",)"
          R"("exchange_time":"2024-05-01T11:59:59.970Z","age_ms":20,"ticker":{"last":60000.1,)"
          R"("open_24h":59000,"high_24h":null,)"));
  EXPECT_THAT(answer.body, HasSubstr(R"("bid_size":0.123456789012345678,)"));
  EXPECT_THAT(answer.body, HasSubstr(R"("id":"9007199254740993","price":60000.2,"size":0.5,)"
                                     R"("taker_side":"sell")"));
  EXPECT_THAT(answer.body, HasSubstr(R"("book":{"sequence":77,"bids":[["59999.99","1"],)"
                                     R"(["59999.98","2.5"]],"asks":[["60000.01","3"]])"));
  EXPECT_EQ(answer.member("book_stale_since"), "null");
  EXPECT_THAT(answer.body, HasSubstr(R"("candle":{"1m":{"timestamp":"2024-05-01T12:00:00Z",)"));
  EXPECT_THAT(answer.body, HasSubstr(R"("low":0.000000000000000001,"close":60000.15,)"));
  EXPECT_THAT(answer.body,
              HasSubstr(R"("closed_candle":{"1m":{"timestamp":"2024-05-01T11:59:00Z")"));
  EXPECT_THAT(answer.body, HasSubstr(R"("tick":{"symbol":"BTC/USDT",)"));
  EXPECT_THAT(answer.body, HasSubstr(R"("price_change_pct_1h":0.5,)"));
  EXPECT_THAT(answer.body, HasSubstr(R"("indicators":null})"));
  EXPECT_EQ(answer.headers.get("Cache-Control"), "no-store");
  EXPECT_EQ(answer.headers.get("Content-Type"), "application/json");
  json::Reader reader;
  EXPECT_TRUE(reader.read(answer.body, [](json::Value) {}));
}

TEST_F(Latest, TellsEachChangeAtOnceAndTheAgeOfThisMoment) {
  const Answer first = get("/latest/BTC-USDT");
  clock.advance(std::chrono::milliseconds{1234});
  const Answer later = get("/latest/BTCUSDT");
  std::string aged = first.body;
  aged.replace(aged.find(R"("age_ms":20,)"), 12, R"("age_ms":1254,)");
  EXPECT_EQ(later.body, aged);
  // Another one's page is not this one's.
  EXPECT_EQ(get("/latest/BTCUSDT?exchange=okx").member("age_ms"), "null");
  clock.advance(std::chrono::milliseconds{1});
  EXPECT_EQ(get("/latest/BTCUSDT?exchange=okx").member("age_ms"), "null");
  bitcoin_->with([](pipeline::Latest& latest) { latest.trade->price = decimal("60000.3"); });
  EXPECT_EQ(get("/latest/BTC-USDT").member("last_price"), "60000.3");
  bitcoin_->with([](pipeline::Latest& latest) { latest.is_stale = true; });
  EXPECT_EQ(get("/latest/BTC-USDT").member("stale"), "true");
}

TEST_F(Latest, TellsTheFiguresOfADerivative) {
  EXPECT_EQ(get("/latest/BTC-USDT").member("derivative"), "null");
  bitcoin_->with([&](pipeline::Latest& latest) {
    latest.derivative = Derivative{.origin = latest.ticker->origin,
                                   .mark_price = decimal("60001.25"),
                                   .funding_rate = decimal("-0.0001"),
                                   .next_funding_time = noon + std::chrono::hours{4},
                                   .open_interest = decimal("81234.5")};
  });
  EXPECT_THAT(get("/latest/BTC-USDT").body,
              HasSubstr(R"("derivative":{"mark_price":60001.25,"index_price":null,)"
                        R"("funding_rate":-0.0001,"next_funding_time":"2024-05-01T16:00:00Z",)"
                        R"("open_interest":81234.5,)"));
}

TEST_F(Latest, TakesTheExchangeThatIsNamedAndSaysWhatIsStale) {
  const Answer answer = get("/latest/BTCUSDT?exchange=okx");
  EXPECT_EQ(answer.member("exchange"), "okx");
  EXPECT_EQ(answer.member("exchange_symbol"), "BTC-USDT");
  EXPECT_EQ(answer.member("stale"), "true");
  EXPECT_EQ(answer.member("last_price"), "60001");
  EXPECT_EQ(answer.member("age_ms"), "null");
}

TEST_F(Latest, FindsTheFirstExchangeThatListsASymbol) {
  const Answer answer = get("/latest/SOLUSDT");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.member("code"), "no_data_yet");
  EXPECT_THAT(answer.body, HasSubstr("SOL/USDT on okx"));
  EXPECT_EQ(answer.headers.get("Retry-After"), "1");
}

TEST_F(Latest, NamesNearMatchesOfAnUnknownSymbol) {
  const Answer typo = get("/latest/BTCUSTD");
  EXPECT_EQ(typo.status, 404);
  EXPECT_EQ(typo.member("code"), "unknown_symbol");
  EXPECT_EQ(typo.member("parameter"), "symbol");
  EXPECT_THAT(typo.body, HasSubstr(R"("near":["BTC/USDT")"));
  EXPECT_THAT(get("/latest/eth").body, HasSubstr(R"("near":["ETH/USDT")"));
  EXPECT_THAT(get("/latest/ETHUSDT?exchange=okx").body, HasSubstr(R"(is not listed on okx)"));
  EXPECT_EQ(get("/latest/BTCUSDT?exchange=okex").member("code"), "unknown_exchange");
  EXPECT_THAT(get("/latest/BTCUSDT?exchange=okex").body, HasSubstr(R"("near":["okx"])"));
  EXPECT_THAT(get("/latest/NOTHINGLIKEIT").body, Not(HasSubstr("near")));
}

TEST_F(Latest, ListsTickersOfWhatHasData) {
  const Answer all = get("/v1/tickers");
  EXPECT_EQ(all.status, 200);
  EXPECT_THAT(all.body, HasSubstr(R"("exchange_symbol":"BTCUSDT")"));
  EXPECT_THAT(all.body, HasSubstr(R"("exchange_symbol":"BTC-USDT")"));
  EXPECT_THAT(all.body, Not(HasSubstr("ETH")));
  EXPECT_THAT(get("/v1/tickers?exchange=okx").body, Not(HasSubstr("binance")));
  EXPECT_EQ(get("/v1/tickers?symbol=eth-usdt").body, "{\"data\":[]}\n");
  EXPECT_EQ(get("/v1/tickers?symbol=nope").member("code"), "unknown_symbol");
  json::Reader reader;
  EXPECT_TRUE(reader.read(all.body, [](json::Value) {}));
}

TEST_F(Latest, ShowsABookOnlyWhileItIsInStep) {
  const Answer book = get("/v1/orderbook?symbol=BTC-USDT&depth=1");
  EXPECT_EQ(book.status, 200);
  EXPECT_THAT(book.body,
              HasSubstr(R"("bids":[["59999.99","1"]],"asks":[["60000.01","3"]],"levels_kept":2})"));
  for (const std::string_view absent : {"symbol=ETHUSDT", "symbol=BTCUSDT&exchange=okx"}) {
    const Answer answer = get(fmt::format("/v1/orderbook?{}", absent));
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.member("code"), "book_resyncing");
    EXPECT_EQ(answer.member("stale_since"), "null");
    EXPECT_EQ(answer.headers.get("Retry-After"), "1");
  }
}

TEST_F(Latest, NeverShowsALadderThatIsNotInStep) {
  const auto set = [&](const std::optional<Time>& since) {
    bitcoin_->with([&](pipeline::Latest& latest) { latest.ladder_stale_since = since; });
  };
  set(noon - std::chrono::milliseconds{1500});
  const Answer book = get("/v1/orderbook?symbol=BTCUSDT");
  EXPECT_EQ(book.status, 503);
  EXPECT_EQ(book.member("code"), "book_resyncing");
  EXPECT_EQ(book.member("stale_since"), "2024-05-01T11:59:58.500Z");
  EXPECT_EQ(book.headers.get("Retry-After"), "1");
  EXPECT_EQ(book.headers.get("Content-Type"), "application/problem+json");
  EXPECT_THAT(book.body, Not(HasSubstr("bids")));

  const Answer latest = get("/latest/BTCUSDT");
  EXPECT_EQ(latest.status, 200);
  EXPECT_THAT(latest.body,
              HasSubstr(R"("book":null,"book_stale_since":"2024-05-01T11:59:58.500Z")"));
  EXPECT_THAT(latest.body, Not(HasSubstr("bids")));
  EXPECT_EQ(latest.member("last_price"), "60000.2");
  json::Reader reader;
  EXPECT_TRUE(reader.read(latest.body, [](json::Value) {}));

  set(std::nullopt);
  EXPECT_EQ(get("/v1/orderbook?symbol=BTCUSDT").status, 200);
  EXPECT_THAT(get("/latest/BTCUSDT").body, HasSubstr(R"("book":{"sequence":77,)"));
}

TEST_F(Latest, ShowsNoLadderFromBeforeARestart) {
  bitcoin_->with([](pipeline::Latest& latest) { latest.is_stale = true; });
  EXPECT_THAT(get("/latest/BTCUSDT").body, HasSubstr(R"("book":null,"book_stale_since":null)"));
  EXPECT_EQ(get("/v1/orderbook?symbol=BTCUSDT").member("code"), "book_resyncing");
}

}  // namespace
}  // namespace candlewick::api
