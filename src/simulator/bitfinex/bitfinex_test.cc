// What is particular to Bitfinex's protocol as it is simulated.
#include "simulator/bitfinex/bitfinex.h"

#include <map>

#include "exchange/bitfinex/bitfinex.h"
#include "simulator/testing.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

std::unique_ptr<VenueCore> bitfinex_core(std::string_view faults = "", double activity = 1.0) {
  auto core =
      std::make_unique<VenueCore>(VenueSetup{.venue = "bitfinex",
                                             .market = small_market(1, "bitfinex", activity),
                                             .start = start,
                                             .speed = "1"});
  check(core->change_faults(faults).has_value(), "the faults of the tests are good");
  return core;
}

std::vector<std::string> say(VenueCore& core, SessionId session, std::string_view text) {
  return frames(core.receive(session, text, steady));
}

std::string book_of(std::string_view symbol) {
  return fmt::format(
      R"({{"event":"subscribe","channel":"book","symbol":"{}","prec":"P0","freq":"F0","len":"100"}})",
      symbol);
}

constexpr std::string_view all_flags = R"({"event":"conf","flags":229376})";

TEST(SimulatedBitfinex, NumbersEveryFrameOfAConnectionAndTellsItsTime) {
  auto core = bitfinex_core();
  const auto session = open(*core, "/ws/2");
  EXPECT_EQ(Flat(frames(core->advance_to(start)).at(0))["event"], "info");
  EXPECT_EQ(say(*core, session, all_flags).at(0),
            R"({"event":"conf","status":"OK","flags":229376})");
  std::vector<std::string> told;
  for (const auto* text :
       {R"({"event":"subscribe","channel":"trades","symbol":"tBTCUST"})",
        R"({"event":"subscribe","channel":"candles","key":"trade:1m:tETHBTC"})"}) {
    const auto answers = say(*core, session, text);
    ASSERT_EQ(answers.size(), 2U) << text;
    EXPECT_EQ(Flat(answers[0])["event"], "subscribed");
    EXPECT_EQ(Flat(answers[0])["chanId"], Flat(answers[1])["0"]);
    told.push_back(answers[1]);
  }
  for (auto& text : frames(core->advance_to(start + 1min))) told.push_back(std::move(text));
  std::uint64_t number = 0;
  std::uint64_t before = 0;
  for (const auto& text : told) {
    const auto parts = elements(text);
    EXPECT_EQ(std::stoull(parts[parts.size() - 2]), ++number) << text;
    const auto sent = std::stoull(parts.back());
    EXPECT_GE(sent, before);
    before = sent;
  }
  EXPECT_GT(number, 20U);
}

TEST(SimulatedBitfinex, TellsEachTradeTwiceAndBeatsWhereNothingIsTraded) {
  auto core = bitfinex_core("", 0.05);
  const auto session = open(*core, "/ws/2");
  core->advance_to(start);
  say(*core, session, R"({"event":"subscribe","channel":"trades","symbol":"tBTCUST"})");
  say(*core, session, R"({"event":"subscribe","channel":"trades","symbol":"tFARM:UST"})");
  std::map<std::string, std::size_t> kinds;
  for (const auto& text : frames(core->advance_to(start + 2min))) ++kinds[Flat(text)["1"]];
  EXPECT_EQ(kinds["te"], kinds["tu"]);
  EXPECT_EQ(kinds["te"],
            core->market().bar(0, start + 1ns, start + 2min + 1ns).count +
                core->market()
                    .bar(*core->market().find("tFARM:UST"), start + 1ns, start + 2min + 1ns)
                    .count);
  EXPECT_GE(kinds["hb"], 4U);
}

TEST(SimulatedBitfinex, SendsLevelsThatGoOnFromTheSnapshotAndChecksumsThatAgree) {
  auto core = bitfinex_core();
  const auto session = open(*core, "/ws/2");
  core->advance_to(start + 1234ms);
  say(*core, session, all_flags);
  const auto answers = say(*core, session, book_of("tBTCUST"));
  ASSERT_EQ(answers.size(), 2U);
  std::map<Decimal, Decimal, std::greater<>> bids;
  std::map<Decimal, Decimal> asks;
  const auto apply = [&](const std::string& text) {
    const Flat row(text);
    const bool is_bid = !row.decimal("2").is_negative();
    const auto put = [&](auto& side, Decimal size) {
      if (row["1"] == "0") {
        side.erase(row.decimal("0"));
      } else {
        side[row.decimal("0")] = size;
      }
    };
    if (is_bid) {
      put(bids, row.decimal("2"));
    } else {
      put(asks, -row.decimal("2"));
    }
  };
  for (const auto& row : elements(elements(answers[1])[1])) apply(row);
  EXPECT_EQ(bids.size(), 100U);
  EXPECT_EQ(asks.size(), 100U);
  std::size_t checked = 0;
  for (const auto& text : frames(core->advance_to(start + 20s))) {
    const auto parts = elements(text);
    if (parts[1] == "\"cs\"") {
      const auto levels = [](const auto& side) {
        std::vector<Level> best;
        for (const auto& [price, size] : side) best.push_back({price, size});
        return best;
      };
      EXPECT_EQ(
          static_cast<std::int32_t>(exchange::bitfinex::checksum(levels(bids), levels(asks), 0, 0)),
          std::stoi(parts[2]));
      ++checked;
    } else if (parts[1].starts_with('[')) {
      apply(parts[1]);
      if (!bids.empty() && !asks.empty()) {
        EXPECT_LT(bids.begin()->first, asks.begin()->first);
      }
    }
  }
  EXPECT_GE(checked, 10U);
  const Book truth = core->market().book(0, start + 20s, 100);
  ASSERT_EQ(bids.size(), truth.bids.size());
  for (const auto& level : truth.bids) EXPECT_EQ(bids[level.price], level.size);
  for (const auto& level : truth.asks) EXPECT_EQ(asks[level.price], level.size);
}

TEST(SimulatedBitfinex, RefusesRepetitionsAndEndsChannelsByNumber) {
  auto core = bitfinex_core();
  const auto session = open(*core, "/ws/2");
  const auto answers = say(*core, session, book_of("tBTCUST"));
  const auto number = Flat(answers.at(0))["chanId"];
  const auto refused = say(*core, session, book_of("tBTCUST"));
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(Flat(refused[0])["code"], "10301");
  EXPECT_EQ(Flat(refused[0])["symbol"], "tBTCUST");
  EXPECT_EQ(say(*core, session, fmt::format(R"({{"event":"unsubscribe","chanId":{}}})", number)),
            std::vector<std::string>{
                fmt::format(R"({{"event":"unsubscribed","status":"OK","chanId":{}}})", number)});
  EXPECT_EQ(say(*core, session, book_of("tBTCUST")).size(), 2U);
  EXPECT_EQ(Flat(say(*core, session, book_of("tNOPE")).at(0))["code"], "10300");
  const auto unknown =
      say(*core, session, R"({"event":"subscribe","channel":"candles","key":"trade:2m:tBTCUST"})");
  EXPECT_EQ(Flat(unknown.at(0))["msg"], "key: invalid");
}

TEST(SimulatedBitfinex, ListsTheTickersOfAllOrOfThoseNamed) {
  auto core = bitfinex_core();
  const auto symbols = [&](std::string_view target) {
    std::vector<std::string> told;
    for (const auto& row : elements(get(*core, target).body)) told.push_back(elements(row)[0]);
    return told;
  };
  using Symbols = std::vector<std::string>;
  EXPECT_EQ(symbols("/v2/tickers?symbols=ALL"),
            (Symbols{R"("tBTCUST")", R"("tETHBTC")", R"("tFARM:UST")"}));
  EXPECT_EQ(symbols("/v2/tickers?symbols=tETHBTC,tFARM:UST,tNOPE"),
            (Symbols{R"("tETHBTC")", R"("tFARM:UST")"}));
  EXPECT_EQ("[" + get(*core, "/v2/tickers?symbols=tETHBTC").body.substr(12),
            get(*core, "/v2/ticker/tETHBTC").body + "]");
  EXPECT_EQ(get(*core, "/v2/tickers").status, 500);
}

TEST(SimulatedBitfinex, HasCandlesInBothOrdersWithTheCloseBeforeTheHigh) {
  auto core = bitfinex_core("", 0.2);
  core->advance_to(start + 30s);
  auto& market = core->market();
  const auto listing = *market.find("tFARM:UST");
  const auto from = fmt::format("&start={}", to_ms(start - 1440min));
  const auto oldest =
      elements(get(*core, "/v2/candles/trade:1m:tFARM:UST/hist?limit=40&sort=1" + from).body);
  ASSERT_EQ(oldest.size(), 40U);
  for (const auto& text : oldest) {
    const Flat row(text);
    const Time open_time = time_from_ms(static_cast<std::int64_t>(row.number("0")));
    const auto bar = market.bar(listing, open_time, open_time + 1min);
    EXPECT_TRUE(bar.any) << "quiet minutes have no row";
    EXPECT_EQ(row.decimal("1"), bar.open);
    EXPECT_EQ(row.decimal("2"), bar.close);
    EXPECT_EQ(row.decimal("3"), bar.high);
    EXPECT_EQ(row.decimal("4"), bar.low);
    EXPECT_EQ(row.decimal("5"), bar.volume);
  }
  const auto newest = elements(get(*core, "/v2/candles/trade:1m:tFARM:UST/hist?limit=20").body);
  ASSERT_EQ(newest.size(), 20U);
  EXPECT_GT(Flat(newest.front()).number("0"), Flat(newest.back()).number("0"));
  EXPECT_EQ(get(*core, "/v2/candles/trade:1m:tFARM:UST/hist?limit=10001").status, 500);
  EXPECT_EQ(get(*core, "/v2/ticker/tNOPE").body, R"(["error",10020,"symbol: invalid"])");
}

}  // namespace
}  // namespace candlewick::simulator
