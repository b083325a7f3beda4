// What is particular to Coinbase's protocol as it is simulated.
#include "simulator/coinbase/coinbase.h"

#include <map>

#include "simulator/testing.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

std::unique_ptr<VenueCore> coinbase_core(std::string_view faults = "", double activity = 1.0) {
  auto core =
      std::make_unique<VenueCore>(VenueSetup{.venue = "coinbase",
                                             .market = small_market(1, "coinbase", activity),
                                             .start = start,
                                             .speed = "1"});
  check(core->change_faults(faults).has_value(), "the faults of the tests are good");
  return core;
}

std::vector<std::string> of_type(const std::vector<std::string>& texts, std::string_view type) {
  std::vector<std::string> found;
  for (const auto& text : texts) {
    if (text.starts_with(fmt::format(R"({{"type":"{}")", type))) found.push_back(text);
  }
  return found;
}

std::vector<std::string> subscribe(VenueCore& core, SessionId session, std::string_view channels,
                                   std::string_view products = R"("BTC-USDT")") {
  return frames(
      core.receive(session,
                   fmt::format(R"({{"type":"subscribe","product_ids":[{}],"channels":[{}]}})",
                               products, channels),
                   steady));
}

TEST(SimulatedCoinbase, TellsTheLastMatchFirstAndThenEveryOne) {
  auto core = coinbase_core();
  const auto session = open(*core, "/");
  const auto answers = subscribe(*core, session, R"("matches","heartbeat")");
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(
      answers[0],
      R"({"type":"subscriptions","channels":[{"name":"matches","product_ids":["BTC-USDT"],"account_ids":null},{"name":"heartbeat","product_ids":["BTC-USDT"],"account_ids":null}]})");
  const Flat last(answers[1]);
  EXPECT_EQ(last["type"], "last_match");
  auto id = last.number("trade_id");
  const auto later = frames(core->advance_to(start + 1min));
  EXPECT_EQ(of_type(later, "heartbeat").size(), 60U);
  for (const auto& text : of_type(later, "match")) EXPECT_EQ(Flat(text).number("trade_id"), ++id);
  const auto bar = core->market().bar(0, start + 1ns, start + 1min + 1ns);
  EXPECT_EQ(of_type(later, "match").size(), bar.count);
  EXPECT_EQ(Flat(of_type(later, "heartbeat").back()).number("last_trade_id"), bar.last_id);
}

TEST(SimulatedCoinbase, RefusesAWholeMessageForOneWrongNameInIt) {
  auto core = coinbase_core();
  const auto session = open(*core, "/");
  const auto reason = [&](std::string_view channels, std::string_view products) {
    const auto answers = subscribe(*core, session, channels, products);
    EXPECT_EQ(answers.size(), 1U);
    return Flat(answers.at(0))["reason"];
  };
  EXPECT_EQ(reason(R"("matches")", R"("BTC-USDT","NO-SUCH")"), "NO-SUCH is not a valid product");
  EXPECT_EQ(reason(R"("candles")", R"("BTC-USDT")"), "candles is not a valid channel");
  EXPECT_TRUE(reason(R"("level2")", R"("BTC-USDT")").ends_with("require authentication"));
  EXPECT_TRUE(frames(core->advance_to(start + 1min)).empty());
  const auto named = subscribe(*core, session, R"({"name":"ticker","product_ids":["ETH-BTC"]})");
  EXPECT_EQ(Flat(named.at(1))["product_id"], "ETH-BTC");
}

TEST(SimulatedCoinbase, SendsChangesThatGoOnFromTheSnapshot) {
  auto core = coinbase_core();
  const auto session = open(*core, "/");
  core->advance_to(start + 1234ms);
  const auto answers = subscribe(*core, session, R"("level2_batch")");
  ASSERT_EQ(answers.size(), 2U);
  std::map<std::string, std::map<Decimal, Decimal>> sides;
  const Flat snapshot(answers[1]);
  EXPECT_EQ(snapshot["type"], "snapshot");
  for (const auto* side : {"bids", "asks"}) {
    for (int i = 0; snapshot.has(fmt::format("{}.{}.0", side, i)); ++i) {
      sides[side == std::string_view("bids") ? "buy" : "sell"]
           [snapshot.decimal(fmt::format("{}.{}.0", side, i))] =
               snapshot.decimal(fmt::format("{}.{}.1", side, i));
    }
  }
  EXPECT_GT(sides["buy"].size(), 100U);
  for (const auto& text : of_type(frames(core->advance_to(start + 20s)), "l2update")) {
    const Flat update(text);
    for (int i = 0; update.has(fmt::format("changes.{}.0", i)); ++i) {
      auto& side = sides[update[fmt::format("changes.{}.0", i)]];
      const auto price = update.decimal(fmt::format("changes.{}.1", i));
      const auto size = update.decimal(fmt::format("changes.{}.2", i));
      if (size.is_zero()) {
        side.erase(price);
      } else {
        side[price] = size;
      }
    }
  }
  const Book truth = core->market().book(0, start + 20s, 5000);
  ASSERT_EQ(sides["buy"].size(), truth.bids.size());
  ASSERT_EQ(sides["sell"].size(), truth.asks.size());
  for (const auto& level : truth.bids) EXPECT_EQ(sides["buy"][level.price], level.size);
  for (const auto& level : truth.asks) EXPECT_EQ(sides["sell"][level.price], level.size);
}

TEST(SimulatedCoinbase, HasCandlesNewestFirstWithLowBeforeHighAndNoneOfQuietMinutes) {
  auto core = coinbase_core("", 0.2);
  core->advance_to(start + 30s);
  auto& market = core->market();
  const auto listing = *market.find("FARM-USDT");
  const auto reply =
      get(*core, "/products/FARM-USDT/candles?granularity=60&start=" + to_rfc3339(start - 299min) +
                     "&end=" + to_rfc3339(start));
  const auto rows = elements(reply.body);
  EXPECT_GT(rows.size(), 5U);
  EXPECT_LT(rows.size(), 295U);
  Time before = Time::max();
  for (const auto& text : rows) {
    const Flat row(text);
    const Time open_time{std::chrono::seconds{row.number("0")}};
    EXPECT_LT(open_time, before);
    before = open_time;
    const auto bar = market.bar(listing, open_time, std::min(open_time + 1min, start + 30s + 1ns));
    EXPECT_TRUE(bar.any);
    EXPECT_EQ(row.decimal("1"), bar.low);
    EXPECT_EQ(row.decimal("2"), bar.high);
    EXPECT_EQ(row.decimal("3"), bar.open);
    EXPECT_EQ(row.decimal("4"), bar.close);
    EXPECT_EQ(row.decimal("5"), bar.volume);
  }
}

TEST(SimulatedCoinbase, RefusesMoreThan300Candles) {
  auto core = coinbase_core();
  const auto refused =
      get(*core, "/products/BTC-USDT/candles?granularity=60&start=" + to_rfc3339(start - 300min) +
                     "&end=" + to_rfc3339(start));
  EXPECT_EQ(refused.status, 400);
  EXPECT_TRUE(Flat(refused.body)["message"].ends_with("exceeds 300"));
  EXPECT_EQ(get(*core, "/products/BTC-USDT/candles?granularity=120").status, 400);
  const auto unknown = get(*core, "/products/NO-SUCH/ticker");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.body, R"({"message":"NotFound"})");
}

TEST(SimulatedCoinbase, PagesThroughTradesBackInTime) {
  auto core = coinbase_core();
  core->advance_to(start + 5min);
  const auto first = get(*core, "/products/BTC-USDT/trades?limit=40");
  const auto newest = elements(first.body);
  ASSERT_EQ(newest.size(), 40U);
  const std::string after(first.headers.get("cb-after"));
  EXPECT_EQ(Flat(newest.back())["trade_id"], after);
  const auto older = elements(get(*core, "/products/BTC-USDT/trades?limit=40&after=" + after).body);
  ASSERT_EQ(older.size(), 40U);
  EXPECT_EQ(Flat(older.front()).number("trade_id") + 1, std::stoull(after));
  const auto newer =
      elements(get(*core, "/products/BTC-USDT/trades?before=" + Flat(newest[3])["trade_id"]).body);
  EXPECT_EQ(newer.size(), 3U);
}

}  // namespace
}  // namespace candlewick::simulator
