// The simulator's own requests.
#include "simulator/control.h"

#include "simulator/testing.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

TEST(Control, TellsTheTruthInTheFormOfEvents) {
  auto core = small_core();
  const Bar bar = core->market().bar(0, start - 1min, start);
  const auto reply =
      get(*core, "/_sim/truth?symbol=BTCUSDT&timeframe=1m&start=" + ms(start - 1min));
  ASSERT_EQ(reply.status, 200);
  EXPECT_EQ(
      reply.body,
      fmt::format(
          R"({{"type":"candle","exchange":"binance","symbol":"BTC/USDT","exchange_symbol":"BTCUSDT",)"
          R"("timeframe":"1m","open_time":"2026-01-15T11:59:00Z","open":{},"high":{},"low":{},)"
          R"("close":{},"volume":{},"quote_volume":{},"trade_count":{},"taker_buy_volume":{},)"
          R"("taker_buy_quote_volume":{},"is_closed":true,"source":"trades","revision":0}})",
          bar.open.to_string(), bar.high.to_string(), bar.low.to_string(), bar.close.to_string(),
          bar.volume.to_string(), bar.quote_volume.to_string(), bar.count,
          bar.taker_volume.to_string(), bar.taker_quote_volume.to_string()) +
          "\n");
}

TEST(Control, TakesEitherSpellingAndEitherFormOfTime) {
  auto core = small_core();
  const auto one = get(*core,
                       "/_sim/truth?symbol=BTC%2FUSDT&timeframe=5m&start=2026-01-15T10:00:00Z"
                       "&end=2026-01-15T11:00:00Z");
  const auto other = get(*core, "/_sim/truth?symbol=btcusdt&timeframe=5m&start=" + ms(start - 2h) +
                                    "&end=" + ms(start - 1h));
  EXPECT_EQ(one.body, other.body);
  EXPECT_EQ(lines(one.body).size(), 12U);
}

TEST(Control, LeavesOutCandlesThatHaveNotClosed) {
  auto core = small_core();
  core->advance_to(start + 90s);
  const auto reply = get(*core, "/_sim/truth?symbol=BTCUSDT&timeframe=1m&start=" + ms(start));
  ASSERT_EQ(lines(reply.body).size(), 1U);
  EXPECT_TRUE(
      get(*core, "/_sim/truth?symbol=BTCUSDT&timeframe=1h&start=" + ms(start)).body.empty());
}

TEST(Control, TellsTheBookAndTheDayOfOneInstant) {
  auto core = small_core();
  core->advance_to(start + 1500ms);
  const Time now = start + 1500ms;
  const Flat moment(get(*core, "/_sim/moment?symbol=btc-usdt").body);
  EXPECT_EQ(moment["symbol"], "BTC/USDT");
  EXPECT_EQ(moment["virtual_time"], "2026-01-15T12:00:01.500Z");
  const auto book = core->market().book(0, now, 20);
  for (std::size_t i = 0; i < book.bids.size(); ++i) {
    EXPECT_EQ(moment[fmt::format("bids.{}.0", i)], book.bids[i].price.to_string());
    EXPECT_EQ(moment[fmt::format("asks.{}.1", i)], book.asks[i].size.to_string());
  }
  const Bar day = core->market().bar(0, now - 24h, now + 1ns);
  EXPECT_EQ(moment["last"], day.close.to_string());
  EXPECT_EQ(moment["high"], day.high.to_string());
  EXPECT_EQ(moment["low"], day.low.to_string());
  EXPECT_EQ(moment["volume"], day.volume.to_string());
  EXPECT_EQ(moment["trade_count"], fmt::format("{}", day.count));
  EXPECT_EQ(get(*core, "/_sim/moment").status, 400);
}

TEST(Control, IsNotTouchedByFaults) {
  auto core = small_core("5xx=1,lag=1h,vanish=BTCUSDT,outage=0s+1h");
  EXPECT_EQ(get(*core, "/api/v3/ping").status, 503);
  EXPECT_EQ(get(*core, "/_sim/truth?symbol=BTCUSDT&timeframe=1m&start=" + ms(start - 1min)).status,
            200);
  EXPECT_EQ(get(*core, "/_sim/state").status, 200);
}

TEST(Control, TellsItsStateAndCountsFaults) {
  auto core = small_core("5xx=1");
  open(*core, "/ws/btcusdt@trade");
  get(*core, "/api/v3/ping");
  core->advance_to(start + 1500ms);
  const Flat state(get(*core, "/_sim/state").body);
  EXPECT_EQ(state["exchange"], "binance");
  EXPECT_EQ(state["virtual_time"], "2026-01-15T12:00:01.500Z");
  EXPECT_EQ(state["connections"], "1");
  EXPECT_EQ(state["symbols.0"], "BTCUSDT");
  EXPECT_EQ(state["faults.5xx"], "1");
  EXPECT_EQ(state["injected.5xx"], "1");
}

TEST(Control, ChangesFaultsFromEitherForm) {
  auto core = small_core();
  EXPECT_EQ(post(*core, "/_sim/faults", "drop=0.5").status, 200);
  EXPECT_EQ(post(*core, "/_sim/faults", R"({"429":1})").status, 200);
  EXPECT_EQ(get(*core, "/_sim/faults").body, R"({"drop":0.5,"429":1,"retry":1,"seed":1})");
  EXPECT_EQ(get(*core, "/api/v3/ping").status, 429);
  EXPECT_EQ(post(*core, "/_sim/faults", "none").status, 200);
  EXPECT_EQ(get(*core, "/api/v3/ping").status, 200);
}

TEST(Control, RefusesWhatIsWrong) {
  auto core = small_core();
  for (const char* target : {"/_sim/truth", "/_sim/truth?symbol=X&timeframe=1m",
                             "/_sim/truth?symbol=BTCUSDT&timeframe=7m",
                             "/_sim/truth?symbol=BTCUSDT&timeframe=1m&start=noon"}) {
    EXPECT_EQ(get(*core, target).status, 400) << target;
  }
  EXPECT_EQ(get(*core, "/_sim/else").status, 404);
  EXPECT_EQ(post(*core, "/_sim/faults", "drop=2").status, 400);
  EXPECT_EQ(post(*core, "/_sim/connections", "explode").status, 400);
}

TEST(Control, ActsOnAllConnectionsOnce) {
  auto core = small_core();
  open(*core, "/ws/btcusdt@trade");
  open(*core, "/stream?streams=btcusdt@trade");
  EXPECT_EQ(post(*core, "/_sim/connections", "shutdown").status, 200);
  auto told = core->advance_to(start);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(*told[0].text, R"({"e":"serverShutdown","E":)" + ms(start) + "}");
  EXPECT_EQ(*told[1].text,
            R"({"stream":"!serverShutdown","data":{"e":"serverShutdown","E":)" + ms(start) + "}}");
  core->advance_to(start + 11s);
  EXPECT_EQ(core->connections(), 0U);
  open(*core, "/ws/btcusdt@trade");
  EXPECT_EQ(post(*core, "/_sim/connections", "cut").status, 200);
  told = core->advance_to(start + 11s);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, Delivery::Kind::cut);
}

}  // namespace
}  // namespace candlewick::simulator
