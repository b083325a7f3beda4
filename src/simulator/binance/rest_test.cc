// REST replies against the market's own knowledge.
#include "simulator/testing.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

std::string klines(VenueCore& core, std::string_view more) {
  return get(core, "/api/v3/klines?symbol=BTCUSDT&" + std::string(more)).body;
}

std::vector<std::int64_t> opens(const std::string& body) {
  std::vector<std::int64_t> all;
  for (const auto& row : elements(body)) all.push_back(std::stoll(Flat(row)["0"]));
  return all;
}

TEST(BinanceRest, ServesTheTruthAsKlinesOfEveryTimeframe) {
  auto core = small_core();
  core->advance_to(start + 3min + 30s);
  for (const auto symbol : {"BTCUSDT", "FARMUSDT"}) {
    for (const auto timeframe : all_timeframes) {
      const std::string name(to_text(timeframe));
      const auto body =
          get(*core, fmt::format("/api/v3/klines?symbol={}&interval={}&limit=50", symbol, name))
              .body;
      auto rows = elements(body);
      ASSERT_FALSE(rows.empty());
      // The last one is still open.
      EXPECT_GE(Flat(rows.back()).number("6"), static_cast<std::uint64_t>(to_ms(core->now())));
      rows.pop_back();
      if (rows.empty()) continue;
      const auto truth = lines(get(*core, fmt::format("/_sim/truth?symbol={}&timeframe={}&start={}",
                                                      symbol, name, Flat(rows[0])["0"]))
                                   .body);
      ASSERT_EQ(truth.size(), rows.size()) << symbol << name;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const Flat row(rows[i]);
        const Flat candle(truth[i]);
        EXPECT_EQ(*parse_time(row["0"]), *parse_time(candle["open_time"]));
        const std::array<std::pair<const char*, const char*>, 9> columns{
            {{"1", "open"},
             {"2", "high"},
             {"3", "low"},
             {"4", "close"},
             {"5", "volume"},
             {"7", "quote_volume"},
             {"8", "trade_count"},
             {"9", "taker_buy_volume"},
             {"10", "taker_buy_quote_volume"}}};
        for (const auto& [index, key] : columns) {
          EXPECT_EQ(row.decimal(index), candle.decimal(key)) << symbol << name << key;
        }
      }
    }
  }
}

TEST(BinanceRest, KeepsToTheRangesOfKlines) {
  auto core = small_core();
  core->advance_to(start + 30s);
  const auto minute = [](int i) { return to_ms(start) + i * 60'000LL; };
  const auto at = [&](int i) { return std::to_string(minute(i)); };
  struct Row {
    std::string query;
    std::vector<std::int64_t> expected;
  };
  const std::array<Row, 12> rows{{
      {"interval=1m&limit=2", {minute(-1), minute(0)}},
      {"interval=1m&limit=3&startTime=" + at(-10), {minute(-10), minute(-9), minute(-8)}},
      {"interval=1m&limit=2&endTime=" + at(-5), {minute(-6), minute(-5)}},
      {"interval=1m&limit=9&startTime=" + at(-4) + "&endTime=" + at(-2),
       {minute(-4), minute(-3), minute(-2)}},
      {"interval=1m&limit=2&startTime=" + at(-4) + "&endTime=" + at(-2), {minute(-4), minute(-3)}},
      {"interval=1m&startTime=" + at(-2) + "&endTime=" + at(-2), {minute(-2)}},
      {"interval=1m&startTime=" + at(-1) + "&endTime=" + at(-4), {}},
      {"interval=1m&startTime=" + at(5), {}},
      {"interval=1m&startTime=99999999999999", {}},
      {"interval=1m&startTime=18446744073709551615", {}},
      {"interval=1m&limit=1&endTime=18446744073709551615", {minute(0)}},
      {"interval=1m&startTime=" + std::to_string(minute(-2) + 1), {minute(-1), minute(0)}},
  }};
  for (const auto& row : rows)
    EXPECT_EQ(opens(klines(*core, row.query)), row.expected) << row.query;
  // Microseconds are told by their size.
  EXPECT_EQ(opens(klines(*core, "interval=1m&limit=1&startTime=" + at(-10) + "000")),
            std::vector<std::int64_t>{minute(-10)});
  EXPECT_EQ(opens(klines(*core, "interval=1d&limit=1&timeZone=8"))[0] % 86'400'000, 57'600'000);
}

TEST(BinanceRest, PagesThroughHistoryWithoutAHole) {
  auto core = small_core("weight=100000");
  std::int64_t next = to_ms(start - 24h * 3);
  std::size_t count = 0;
  while (true) {
    const auto page =
        opens(klines(*core, "interval=1m&limit=1000&startTime=" + std::to_string(next)));
    for (const auto open : page) {
      ASSERT_EQ(open, next);
      next += 60'000;
      ++count;
    }
    if (page.size() < 1000) break;
  }
  EXPECT_EQ(count, 3U * 1440 + 1);
}

TEST(BinanceRest, PagesThroughTradesById) {
  auto core = small_core("weight=100000");
  const auto newest = elements(get(*core, "/api/v3/trades?symbol=BTCUSDT&limit=1000").body);
  const auto first = Flat(newest.front()).number("id");
  const auto last = Flat(newest.back()).number("id");
  EXPECT_EQ(last, first + 999);
  std::vector<std::string> paged;
  for (auto id = first; id <= last; id += 300) {
    const auto page = elements(
        get(*core, fmt::format("/api/v3/historicalTrades?symbol=BTCUSDT&limit=300&fromId={}", id))
            .body);
    paged.insert(paged.end(), page.begin(), page.end());
  }
  EXPECT_EQ(paged, newest);
  EXPECT_EQ(
      get(*core, "/api/v3/historicalTrades?symbol=BTCUSDT&fromId=" + std::to_string(last + 1)).body,
      "[]");
}

TEST(BinanceRest, AggregatesTradesByIdTimeAndNewest) {
  auto core = small_core("weight=100000");
  const auto from = "&startTime=" + ms(start - 10min) + "&endTime=" + ms(start - 5min);
  const auto trades = core->market().trades(0, start - 10min, start - 5min, 5000, false);
  const auto ranged =
      elements(get(*core, "/api/v3/aggTrades?symbol=BTCUSDT&limit=1000" + from).body);
  ASSERT_GT(ranged.size(), 20U);
  EXPECT_EQ(Flat(ranged.front()).number("f"), trades.front().id);
  EXPECT_EQ(Flat(ranged.back()).number("l"), trades.back().id);
  for (std::size_t i = 1; i < ranged.size(); ++i) {
    EXPECT_EQ(Flat(ranged[i]).number("a"), Flat(ranged[i - 1]).number("a") + 1);
    EXPECT_EQ(Flat(ranged[i]).number("f"), Flat(ranged[i - 1]).number("l") + 1);
  }
  const auto by_id =
      elements(get(*core, fmt::format("/api/v3/aggTrades?symbol=BTCUSDT&limit={}&fromId={}",
                                      ranged.size(), Flat(ranged[0])["a"]))
                   .body);
  EXPECT_EQ(by_id, ranged);
  const auto newest = elements(get(*core, "/api/v3/aggTrades?symbol=BTCUSDT&limit=3").body);
  ASSERT_EQ(newest.size(), 3U);
  EXPECT_EQ(Flat(newest.back()).number("l"),
            core->market().trades(0, Time{}, start, 1, true).front().id);
}

TEST(BinanceRest, ListsSymbolsAsClientsNeedThem) {
  auto core = small_core();
  const auto all = get(*core, "/api/v3/exchangeInfo");
  const Flat info(all.body);
  EXPECT_EQ(info["timezone"], "UTC");
  EXPECT_EQ(info["rateLimits.0.limit"], "6000");
  EXPECT_EQ(info["symbols.0.symbol"], "BTCUSDT");
  EXPECT_EQ(info["symbols.0.status"], "TRADING");
  EXPECT_EQ(info["symbols.0.baseAsset"], "BTC");
  EXPECT_EQ(info["symbols.0.isSpotTradingAllowed"], "true");
  EXPECT_EQ(info["symbols.0.permissionSets.0.0"], "SPOT");
  EXPECT_EQ(info["symbols.0.filters.0.filterType"], "PRICE_FILTER");
  EXPECT_EQ(info["symbols.0.filters.0.tickSize"], "0.01000000");
  EXPECT_EQ(info["symbols.0.filters.1.stepSize"], "0.00001000");
  EXPECT_TRUE(info.has("symbols.2.symbol"));
  EXPECT_FALSE(info.has("symbols.3.symbol"));
  const Flat one(get(*core, "/api/v3/exchangeInfo?symbol=ETHBTC&showPermissionSets=false").body);
  EXPECT_EQ(one["symbols.0.symbol"], "ETHBTC");
  EXPECT_FALSE(one.has("symbols.0.permissionSets.0.0"));
  EXPECT_FALSE(one.has("symbols.1.symbol"));
  const Flat two(get(*core, "/api/v3/exchangeInfo?symbols=%5B%22ETHBTC%22,%22BTCUSDT%22%5D").body);
  EXPECT_EQ(two["symbols.1.symbol"], "BTCUSDT");
}

TEST(BinanceRest, SummarisesTheLastDay) {
  auto core = small_core();
  const Flat full(get(*core, "/api/v3/ticker/24hr?symbol=BTCUSDT").body);
  const Bar bar = core->market().bar(0, start - 24h, start + 1ns);
  EXPECT_EQ(full.decimal("lastPrice"), bar.close);
  EXPECT_EQ(full.decimal("highPrice"), bar.high);
  EXPECT_EQ(full.decimal("quoteVolume"), bar.quote_volume);
  EXPECT_EQ(full.number("count"), bar.count);
  EXPECT_EQ(full.number("lastId") - full.number("firstId") + 1, bar.count);
  EXPECT_EQ(full["openTime"], ms(start - 24h));
  const Flat mini(get(*core, "/api/v3/ticker/24hr?symbol=BTCUSDT&type=MINI").body);
  EXPECT_FALSE(mini.has("priceChange"));
  EXPECT_EQ(mini["volume"], full["volume"]);
  EXPECT_EQ(elements(get(*core, "/api/v3/ticker/24hr").body).size(), 3U);
  EXPECT_EQ(elements(get(*core, "/api/v3/ticker/price?symbols=%5B%22ETHBTC%22%5D").body).size(),
            1U);
  const Flat price(get(*core, "/api/v3/ticker/price?symbol=BTCUSDT").body);
  EXPECT_EQ(price.decimal("price"), bar.close);
  const Flat quote(get(*core, "/api/v3/ticker/bookTicker?symbol=BTCUSDT").body);
  const Flat depth(get(*core, "/api/v3/depth?symbol=BTCUSDT&limit=1").body);
  EXPECT_EQ(quote["bidPrice"], depth["bids.0.0"]);
  EXPECT_EQ(quote["askQty"], depth["asks.0.1"]);
  EXPECT_EQ(Flat(get(*core, "/api/v3/avgPrice?symbol=BTCUSDT").body)["mins"], "5");
}

TEST(BinanceRest, ChargesTheDocumentedWeights) {
  struct Row {
    std::string_view target;
    std::string_view weight;
  };
  constexpr std::array<Row, 14> rows{{{"/api/v3/ping", "1"},
                                      {"/api/v3/time", "1"},
                                      {"/api/v3/exchangeInfo", "20"},
                                      {"/api/v3/depth?symbol=BTCUSDT", "5"},
                                      {"/api/v3/depth?symbol=BTCUSDT&limit=500", "25"},
                                      {"/api/v3/depth?symbol=BTCUSDT&limit=1000", "50"},
                                      {"/api/v3/depth?symbol=BTCUSDT&limit=5000", "250"},
                                      {"/api/v3/trades?symbol=BTCUSDT", "25"},
                                      {"/api/v3/aggTrades?symbol=BTCUSDT", "4"},
                                      {"/api/v3/klines?symbol=BTCUSDT&interval=1m", "2"},
                                      {"/api/v3/ticker/24hr?symbol=BTCUSDT", "2"},
                                      {"/api/v3/ticker/24hr", "80"},
                                      {"/api/v3/ticker/price", "4"},
                                      {"/api/v3/ticker/bookTicker?symbol=BTCUSDT", "2"}}};
  for (const auto& row : rows) {
    auto core = small_core();
    EXPECT_EQ(get(*core, row.target).headers.get("x-mbx-used-weight-1m"), row.weight) << row.target;
  }
}

TEST(BinanceRest, KnowsNoOtherPathsAndMethods) {
  auto core = small_core();
  EXPECT_EQ(get(*core, "/api/v1/klines?symbol=BTCUSDT&interval=1m").status, 404);
  EXPECT_EQ(get(*core, "/").status, 404);
  EXPECT_EQ(post(*core, "/api/v3/ping", "").status, 405);
}

}  // namespace
}  // namespace candlewick::simulator
