// Sessions, time, budgets and faults, without a socket.
#include "simulator/venue_core.h"

#include "simulator/testing.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

constexpr std::string_view many_streams =
    "/stream?streams=btcusdt@trade/btcusdt@aggTrade/btcusdt@bookTicker/btcusdt@depth@100ms/"
    "btcusdt@kline_1m/btcusdt@kline_1s/btcusdt@ticker/farmusdt@kline_1m/ethbtc@depth5/"
    "!miniTicker@arr/ethbtc@avgPrice";

std::string run(std::string_view faults, std::uint64_t seed, Duration stride) {
  auto core = small_core(faults, seed, 3.0);
  open(*core, many_streams);
  std::string all;
  for (Time at = start; at <= start + 3min; at += stride) all += joined(core->advance_to(at));
  return all;
}

TEST(VenueCore, SendsTheSameBytesForTheSameSeed) {
  const auto once = run("", 1, 1s);
  EXPECT_GT(once.size(), 100'000U);
  EXPECT_TRUE(once == run("", 1, 1s));
  EXPECT_FALSE(once == run("", 2, 1s));
}

TEST(VenueCore, SendsTheSameHoweverTimeIsCut) {
  EXPECT_TRUE(run("", 1, 3min) == run("", 1, 250ms));
  const std::string_view faults =
      "drop=0.05,double=0.05,reorder=0.05,delay=300ms:0.05,truncate=0.01";
  EXPECT_TRUE(run(faults, 1, 3min) == run(faults, 1, 5s));
}

TEST(VenueCore, KeepsFramesInOrderOfTime) {
  auto core = small_core("delay=5s:0.1", 1, 3.0);
  open(*core, many_streams);
  Time last = start;
  for (const auto& delivery : core->advance_to(start + 2min)) {
    EXPECT_GE(delivery.at, last);
    last = delivery.at;
  }
  EXPECT_GT(core->faults().count(Fault::delay), 10U);
}

// Streams without faults, one client each way: what differs is what the counters say.
TEST(VenueCore, CountsTheFaultsThatItInjects) {
  const auto frames_with = [](std::string_view faults, Fault fault, std::uint64_t& count) {
    auto core = small_core(faults, 1, 3.0);
    open(*core, "/ws/btcusdt@trade");
    const auto sent = frames(core->advance_to(start + 10min));
    count = core->faults().count(fault);
    return sent;
  };
  std::uint64_t count = 0;
  const auto clean = frames_with("", Fault::drop, count);
  ASSERT_GT(clean.size(), 500U);
  EXPECT_EQ(count, 0U);
  const auto thinned = frames_with("drop=0.1", Fault::drop, count);
  EXPECT_EQ(thinned.size(), clean.size() - count);
  EXPECT_GT(count, 20U);
  const auto doubled = frames_with("double=0.1", Fault::twice, count);
  EXPECT_EQ(doubled.size(), clean.size() + count);
  EXPECT_GT(count, 20U);

  const auto cut = frames_with("truncate=0.1", Fault::truncate, count);
  ASSERT_EQ(cut.size(), clean.size());
  std::uint64_t shorter = 0;
  for (std::size_t i = 0; i < cut.size(); ++i) {
    EXPECT_TRUE(clean[i].starts_with(cut[i]));
    shorter += cut[i].size() < clean[i].size() ? 1 : 0;
  }
  EXPECT_EQ(shorter, count);

  auto swapped = frames_with("reorder=0.1", Fault::reorder, count);
  std::uint64_t out_of_order = 0;
  for (std::size_t i = 1; i < swapped.size(); ++i) {
    if (Flat(swapped[i - 1]).number("t") > Flat(swapped[i]).number("t")) ++out_of_order;
  }
  EXPECT_EQ(out_of_order, count - (swapped.size() < clean.size() ? 1 : 0));
  EXPECT_GT(count, 20U);
}

TEST(VenueCore, FallsSilentButStaysOpen) {
  auto core = small_core("silent=1");
  const auto session = open(*core, "/ws/btcusdt@trade");
  EXPECT_TRUE(core->advance_to(start + 1min).empty());
  EXPECT_EQ(core->connections(), 1U);
  EXPECT_EQ(core->faults().count(Fault::silent), 1U);
  EXPECT_TRUE(core->receive(session, R"({"method":"LIST_SUBSCRIPTIONS","id":1})", steady).empty());
}

TEST(VenueCore, CutsConnectionsAboutAsOftenAsAsked) {
  auto core = small_core("disconnect=30s");
  int cuts = 0;
  for (int i = 0; i < 20; ++i) {
    open(*core, "/ws/btcusdt@trade");
    for (const auto& delivery : core->advance_to(core->now() + 46s)) {
      if (delivery.kind != Delivery::Kind::cut) continue;
      ++cuts;
    }
    EXPECT_EQ(core->connections(), 0U);
  }
  EXPECT_EQ(cuts, 20);
  EXPECT_EQ(core->faults().disconnects(), 20U);
}

TEST(VenueCore, RefusesEverythingDuringAnOutage) {
  auto core = small_core("outage=60s+30s");
  open(*core, "/ws/btcusdt@trade");
  const auto told = core->advance_to(start + 70s);
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.back().kind, Delivery::Kind::cut);
  EXPECT_EQ(told.back().at, start + 60s);
  EXPECT_EQ(get(*core, "/api/v3/ping").status, 503);
  EXPECT_TRUE(std::holds_alternative<Reply>(core->open(*make_request("GET", "/ws"), steady)));
  core->advance_to(start + 90s);
  EXPECT_EQ(get(*core, "/api/v3/ping").status, 200);
  open(*core, "/ws");
}

TEST(VenueCore, ClosesConnectionsThatAreADayOld) {
  auto core = small_core();
  const auto session = open(*core, "/ws");
  core->advance_to(start + 24h - 1ms);
  EXPECT_EQ(core->connections(), 1U);
  const auto told = core->advance_to(start + 24h);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told.front().kind, Delivery::Kind::close);
  EXPECT_EQ(told.front().session, session);
  EXPECT_EQ(core->connections(), 0U);
  EXPECT_EQ(core->faults().disconnects(), 0U) << "this is no fault";
}

TEST(VenueCore, AllowsThreeHundredConnectionsInFiveMinutesOfRealTime) {
  auto core = small_core();
  for (int i = 0; i < 300; ++i) core->close(open(*core, "/ws"));
  const auto refused = core->open(*make_request("GET", "/ws"), steady + 100s);
  ASSERT_TRUE(std::holds_alternative<Reply>(refused));
  EXPECT_EQ(std::get<Reply>(refused).status, 429);
  EXPECT_EQ(std::get<Reply>(refused).headers.get("Retry-After"), "200");
  const auto later = core->open(*make_request("GET", "/ws"), steady + 5min);
  EXPECT_TRUE(std::holds_alternative<SessionId>(later));
}

TEST(VenueCore, HasNoCandlesAtAllInABlackout) {
  auto core = small_core("blackout=90s+3m");
  const auto session = open(*core, "/ws/btcusdt@kline_1m/btcusdt@trade");
  ASSERT_NE(session, 0U);
  std::size_t trades_inside = 0;
  std::vector<std::string> closed;
  for (const auto& delivery : core->advance_to(start + 7min)) {
    const Flat frame(*delivery.text);
    if (frame["e"] == "trade" && delivery.at >= start + 90s && delivery.at < start + 270s)
      ++trades_inside;
    if (frame["k.x"] == "true") closed.push_back(frame["k.t"]);
  }
  EXPECT_EQ(trades_inside, 0U);
  // The minutes at its edges are cut short, those within do not exist.
  const std::vector<std::string> expected{ms(start), ms(start + 1min), ms(start + 4min),
                                          ms(start + 5min), ms(start + 6min)};
  EXPECT_EQ(closed, (std::vector<std::string>(expected.begin(), expected.end() - 1)));
  std::vector<std::string> rows;
  for (const auto& row :
       elements(get(*core, "/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=" + ms(start) +
                               "&endTime=" + ms(start + 6min))
                    .body)) {
    rows.push_back(row.substr(1, 13));
  }
  EXPECT_EQ(rows, expected) << "without the forming one at seven minutes";
  EXPECT_EQ(
      lines(get(*core, "/_sim/truth?symbol=BTCUSDT&timeframe=1m&start=" + ms(start)).body).size(),
      5U);
  // An hour that holds it is there.
  core->advance_to(start + 1h);
  EXPECT_EQ(
      lines(get(*core, "/_sim/truth?symbol=BTCUSDT&timeframe=1h&start=" + ms(start)).body).size(),
      1U);
}

TEST(VenueCore, NumbersTradesOnThroughABlackoutAndJumpsWhenAsked) {
  auto core = small_core("blackout=90s+3m,jump=6m+1000");
  open(*core, "/ws/btcusdt@trade");
  std::uint64_t last = 0;
  std::vector<Time> jumps;
  for (const auto& delivery : core->advance_to(start + 8min)) {
    const auto id = Flat(*delivery.text).number("t");
    if (last != 0 && id != last + 1) {
      EXPECT_EQ(id, last + 1001);
      jumps.push_back(delivery.at);
    }
    last = id;
  }
  ASSERT_EQ(jumps.size(), 1U);
  EXPECT_GE(jumps.front(), start + 6min);
  // By id they are found again: the last one, and one that was jumped over leads to the next.
  const auto by_id = [&](std::uint64_t id) {
    const auto found = elements(
        get(*core, fmt::format("/api/v3/historicalTrades?symbol=BTCUSDT&limit=1&fromId={}", id))
            .body);
    EXPECT_EQ(found.size(), 1U) << id;
    return found.empty() ? 0 : Flat(found.front()).number("id");
  };
  EXPECT_EQ(by_id(last), last);
  const auto aggregates = elements(
      get(*core, "/api/v3/aggTrades?symbol=BTCUSDT&limit=1000&startTime=" + ms(start)).body);
  ASSERT_GT(aggregates.size(), 10U);
  std::uint64_t before = 0;
  std::uint64_t skipped = 0;
  for (const auto& text : aggregates) {
    const Flat one(text);
    if (before != 0 && one.number("f") != before + 1) {
      skipped = before + 500;
      EXPECT_EQ(by_id(skipped), one.number("f"));
      EXPECT_EQ(by_id(before), before);
    }
    before = one.number("l");
  }
  EXPECT_NE(skipped, 0U);
}

TEST(VenueCore, LeavesHistoryAloneWhenFaultsEnd) {
  auto core = small_core("blackout=60s+1m,blackout=10m+1m");
  core->advance_to(start + 5min);
  const auto target = "/_sim/truth?symbol=BTCUSDT&timeframe=1m&start=" + ms(start);
  const auto before = get(*core, target).body;
  EXPECT_EQ(lines(before).size(), 4U);
  ASSERT_TRUE(core->change_faults("none"));
  EXPECT_EQ(get(*core, target).body, before);
  EXPECT_FALSE(core->change_faults("blackout=2m+1m"));
  core->advance_to(start + 12min);
  EXPECT_EQ(lines(get(*core, target).body).size(), 11U) << "the second one was called off";
}

TEST(VenueCore, ShowsACandleThatJustClosedWithoutItsEnd) {
  auto core = small_core("unfinal=8s");
  const auto row_of = [&](Time open) {
    const auto rows = elements(
        get(*core, "/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=" + ms(open)).body);
    EXPECT_FALSE(rows.empty());
    return rows.empty() ? "" : rows.front();
  };
  core->advance_to(start + 63s);
  const auto early = row_of(start);
  EXPECT_EQ(
      elements(get(*core, "/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=" + ms(start)).body)
          .size(),
      2U)
      << "the candle after it is there";
  core->advance_to(start + 68s);
  const auto settled = row_of(start);
  EXPECT_NE(early, settled);
  const auto count = [](const std::string& row) { return Flat(row).number("8"); };
  EXPECT_EQ(count(early), core->market().bar(0, start, start + 55s + 1ns).count);
  EXPECT_EQ(count(settled), core->market().bar(0, start, start + 60s).count);
}

TEST(VenueCore, SpendsABudgetOfWeightsEachMinuteOfRealTime) {
  auto core = small_core("weight=100");
  auto reply = get(*core, "/api/v3/exchangeInfo");
  EXPECT_EQ(reply.headers.get("X-MBX-USED-WEIGHT-1M"), "20");
  reply = get(*core, "/api/v3/depth?symbol=BTCUSDT&limit=1000");
  EXPECT_EQ(reply.headers.get("X-MBX-USED-WEIGHT-1M"), "70");
  EXPECT_EQ(reply.status, 200);
  reply = get(*core, "/api/v3/depth?symbol=BTCUSDT&limit=1000", steady + 45s);
  EXPECT_EQ(reply.status, 429);
  EXPECT_EQ(reply.headers.get("Retry-After"), "15");
  EXPECT_EQ(Flat(reply.body)["code"], "-1003");
  reply = get(*core, "/api/v3/depth?symbol=BTCUSDT&limit=1000", steady + 60s);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers.get("X-MBX-USED-WEIGHT-1M"), "50");
}

TEST(VenueCore, BansWhoCarriesOnAfterRefusals) {
  auto core = small_core("weight=1");
  get(*core, "/api/v3/ping");
  int refused = 0;
  Reply reply;
  do {
    reply = get(*core, "/api/v3/ping");
    ++refused;
  } while (reply.status == 429 && refused < 100);
  EXPECT_EQ(reply.status, 418);
  EXPECT_EQ(reply.headers.get("Retry-After"), "120");
  EXPECT_EQ(get(*core, "/api/v3/ping", steady + 119s).status, 418);
  EXPECT_EQ(get(*core, "/api/v3/ping", steady + 120s).status, 200);
}

TEST(VenueCore, ShowsRestBehindTheStreams) {
  auto core = small_core("lag=90s");
  core->advance_to(start + 10min);
  const auto rows = elements(get(*core, "/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=1").body);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(Flat(rows[0])["0"], ms(start + 8min));
  EXPECT_EQ(Flat(get(*core, "/api/v3/time").body)["serverTime"], ms(start + 10min));
}

TEST(VenueCore, ReadsAClockThatIsOff) {
  auto core = small_core("skew=2s");
  EXPECT_EQ(Flat(get(*core, "/api/v3/time").body)["serverTime"], ms(start + 2s));
  open(*core, "/ws/btcusdt@trade");
  for (const auto& frame : frames(core->advance_to(start + 30s))) {
    EXPECT_EQ(Flat(frame).number("E"), Flat(frame).number("T") + 2000);
  }
}

TEST(VenueCore, GivesOldLevelsUnderANewId) {
  auto core = small_core();
  core->advance_to(start + 5min);
  const Flat good(get(*core, "/api/v3/depth?symbol=BTCUSDT&limit=5").body);
  ASSERT_TRUE(core->change_faults("book=1"));
  const Flat wrong(get(*core, "/api/v3/depth?symbol=BTCUSDT&limit=5").body);
  EXPECT_EQ(good["lastUpdateId"], wrong["lastUpdateId"]);
  EXPECT_NE(good["bids.0.0"] + good["bids.0.1"], wrong["bids.0.0"] + wrong["bids.0.1"]);
  EXPECT_EQ(core->faults().count(Fault::book), 1U);
}

TEST(VenueCore, LetsListingsVanish) {
  auto core = small_core("vanish=BTCUSDT");
  EXPECT_EQ(Flat(get(*core, "/api/v3/depth?symbol=BTCUSDT").body)["code"], "-1121");
  EXPECT_EQ(get(*core, "/api/v3/exchangeInfo").body.find("\"BTCUSDT\""), std::string::npos);
  open(*core, "/stream?streams=btcusdt@trade/btcusdt@kline_1m/btcusdt@depth/btcusdt@bookTicker");
  EXPECT_TRUE(core->advance_to(start + 2min).empty());
}

TEST(VenueCore, ForgetsStreamsThatNobodyHears) {
  auto core = small_core();
  const auto one = open(*core, "/ws/btcusdt@trade");
  const auto other = open(*core, "/stream?streams=btcusdt@trade/ethbtc@trade");
  EXPECT_EQ(core->streams(), 2U);
  core->close(one);
  EXPECT_EQ(core->streams(), 2U);
  core->close(other);
  EXPECT_EQ(core->streams(), 0U);
  EXPECT_FALSE(core->next_event());
  EXPECT_TRUE(core->advance_to(start + 1h).empty());
}

}  // namespace
}  // namespace candlewick::simulator
