// What is particular to HTX's protocol as it is simulated.
#include "simulator/htx/htx.h"

#include <map>
#include <set>

#include "exchange/htx/unpack.h"
#include "simulator/testing.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

std::unique_ptr<VenueCore> htx_core(std::string_view faults = "", double activity = 1.0) {
  auto core = std::make_unique<VenueCore>(VenueSetup{
      .venue = "htx", .market = small_market(1, "htx", activity), .start = start, .speed = "1"});
  check(core->change_faults(faults).has_value(), "the faults of the tests are good");
  return core;
}

// All of them leave compressed.
std::vector<std::string> unpacked(const std::vector<Delivery>& deliveries) {
  std::vector<std::string> texts;
  exchange::htx::Unpacker unpacker;
  for (const auto& delivery : deliveries) {
    EXPECT_TRUE(delivery.is_binary);
    const auto text = unpacker.unpack(*delivery.text);
    EXPECT_TRUE(text);
    texts.emplace_back(*text);
  }
  return texts;
}

std::vector<std::string> say(VenueCore& core, SessionId session, std::string_view verb,
                             std::string_view topic) {
  return unpacked(
      core.receive(session, fmt::format(R"({{"{}":"{}","id":"7"}})", verb, topic), steady));
}

std::vector<std::string> about(const std::vector<std::string>& texts, std::string_view topic) {
  std::vector<std::string> found;
  for (const auto& text : texts) {
    if (Flat(text)["ch"] == topic) found.push_back(text);
  }
  return found;
}

TEST(SimulatedHtx, PingsEveryFiveSecondsAndTellsAnOrdersTradesNewestFirst) {
  auto core = htx_core();
  const auto session = open(*core, "/ws");
  const auto answers = say(*core, session, "sub", "market.btcusdt.trade.detail");
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(Flat(answers[0])["subbed"], "market.btcusdt.trade.detail");
  EXPECT_EQ(Flat(answers[0])["id"], "7");
  const auto later = unpacked(core->advance_to(start + 1min));
  std::size_t pings = 0;
  for (const auto& text : later) pings += text.starts_with("{\"ping\":") ? 1 : 0;
  EXPECT_EQ(pings, 12U);
  EXPECT_TRUE(core->receive(session, R"({"pong":1768478400000})", steady).empty());
  std::set<std::uint64_t> ids;
  for (const auto& text : about(later, "market.btcusdt.trade.detail")) {
    const Flat frame(text);
    for (int i = 0; frame.has(fmt::format("tick.data.{}.tradeId", i)); ++i) {
      const auto id = frame.number(fmt::format("tick.data.{}.tradeId", i));
      if (i > 0) {
        EXPECT_EQ(id + 1, frame.number(fmt::format("tick.data.{}.tradeId", i - 1)));
      }
      EXPECT_TRUE(ids.insert(id).second);
    }
  }
  const auto bar = core->market().bar(0, start + 1ns, start + 1min + 1ns);
  EXPECT_EQ(ids.size(), bar.count);
  EXPECT_EQ(*ids.rbegin(), bar.last_id);
}

TEST(SimulatedHtx, RefusesTopicsThatAreNotOfThePath) {
  auto core = htx_core();
  const auto market = open(*core, "/ws");
  const auto books = open(*core, "/feed");
  const auto reason = [&](SessionId session, std::string_view topic) {
    return Flat(say(*core, session, "sub", topic).at(0))["err-msg"];
  };
  EXPECT_EQ(reason(market, "market.btcusdt.mbp.150"), "invalid topic market.btcusdt.mbp.150");
  EXPECT_EQ(reason(books, "market.btcusdt.mbp.150"), "(missing)");
  EXPECT_EQ(reason(books, "market.btcusdt.bbo"), "invalid topic market.btcusdt.bbo");
  EXPECT_EQ(reason(market, "market.nope.bbo"), "invalid topic market.nope.bbo");
  EXPECT_EQ(reason(market, "market.btcusdt.kline.2min"), "invalid topic market.btcusdt.kline.2min");
  EXPECT_EQ(Flat(say(*core, market, "unsub", "market.btcusdt.bbo").at(0))["status"], "error");
}

TEST(SimulatedHtx, SendsChangesThatGoOnFromTheSnapshotThatIsAskedFor) {
  auto core = htx_core();
  const auto session = open(*core, "/feed");
  core->advance_to(start + 1234ms);
  EXPECT_EQ(say(*core, session, "sub", "market.btcusdt.mbp.150").size(), 1U);
  unpacked(core->advance_to(start + 2s));
  const auto answers = say(*core, session, "req", "market.btcusdt.mbp.150");
  ASSERT_EQ(answers.size(), 1U);
  const Flat snapshot(answers[0]);
  EXPECT_EQ(snapshot["rep"], "market.btcusdt.mbp.150");
  std::map<std::string, std::map<Decimal, Decimal>> sides;
  const auto apply = [&](const Flat& frame, const std::string& where) {
    for (const std::string side : {"bids", "asks"}) {
      for (int i = 0; frame.has(fmt::format("{}.{}.{}.0", where, side, i)); ++i) {
        const auto price = frame.decimal(fmt::format("{}.{}.{}.0", where, side, i));
        const auto size = frame.decimal(fmt::format("{}.{}.{}.1", where, side, i));
        if (size.is_zero()) {
          sides[side].erase(price);
        } else {
          sides[side][price] = size;
        }
      }
    }
  };
  apply(snapshot, "data");
  auto number = snapshot.number("data.seqNum");
  for (const auto& text :
       about(unpacked(core->advance_to(start + 20s)), "market.btcusdt.mbp.150")) {
    const Flat frame(text);
    EXPECT_EQ(frame.number("tick.prevSeqNum"), number);
    number = frame.number("tick.seqNum");
    apply(frame, "tick");
  }
  const Book truth = core->market().book(0, start + 20s, 150);
  EXPECT_EQ(truth.sequence, number);
  ASSERT_EQ(sides["bids"].size(), truth.bids.size());
  ASSERT_EQ(sides["asks"].size(), truth.asks.size());
  for (const auto& level : truth.bids) EXPECT_EQ(sides["bids"][level.price], level.size);
  for (const auto& level : truth.asks) EXPECT_EQ(sides["asks"][level.price], level.size);
}

TEST(SimulatedHtx, CompressesFramesThatAreDelayedToo) {
  auto core = htx_core("delay=500ms:1");
  const auto session = open(*core, "/ws");
  say(*core, session, "sub", "market.btcusdt.trade.detail");
  EXPECT_GT(unpacked(core->advance_to(start + 1min)).size(), 12U);
}

TEST(SimulatedHtx, HasTickersOfAllThatAreListed) {
  auto core = htx_core();
  const Flat all(get(*core, "/market/tickers").body);
  EXPECT_EQ(all["ts"], ms(start));
  EXPECT_EQ(all["data.0.symbol"], "btcusdt");
  EXPECT_LT(all.decimal("data.0.bid"), all.decimal("data.0.ask"));
  EXPECT_TRUE(all.has("data.2.symbol"));
  ASSERT_TRUE(core->change_faults("vanish=btcusdt"));
  EXPECT_EQ(Flat(get(*core, "/market/tickers").body)["data.0.symbol"], "ethbtc");
}

TEST(SimulatedHtx, HasCandlesNewestFirstBetweenTwoTimesAndRowsOfQuietMinutes) {
  auto core = htx_core("", 0.2);
  core->advance_to(start + 30s);
  auto& market = core->market();
  const auto listing = *market.find("farmusdt");
  const auto borders =
      fmt::format("&from={}&to={}", to_ms(start - 300min) / 1000, to_ms(start - 1min) / 1000);
  const Flat reply(
      get(*core, "/market/history/candles?symbol=farmusdt&period=1min&size=1000" + borders).body);
  EXPECT_EQ(reply["ch"], "market.farmusdt.kline.1min");
  Time before = start;
  int rows = 0;
  int quiet = 0;
  for (; reply.has(fmt::format("data.{}.id", rows)); ++rows) {
    const auto column = [&](std::string_view name) {
      return reply.decimal(fmt::format("data.{}.{}", rows, name));
    };
    const Time open_time{std::chrono::seconds{reply.number(fmt::format("data.{}.id", rows))}};
    EXPECT_LT(open_time, before);
    before = open_time;
    const auto bar = market.bar(listing, open_time, open_time + 1min);
    if (!bar.any) {
      ++quiet;
      EXPECT_TRUE(column("amount").is_zero());
      EXPECT_TRUE(column("vol").is_zero());
      EXPECT_TRUE(column("count").is_zero());
      EXPECT_EQ(column("open"), market.price_before(listing, open_time));
      EXPECT_EQ(column("open"), column("close"));
      continue;
    }
    EXPECT_EQ(column("open"), bar.open);
    EXPECT_EQ(column("high"), bar.high);
    EXPECT_EQ(column("low"), bar.low);
    EXPECT_EQ(column("close"), bar.close);
    EXPECT_EQ(column("amount"), bar.volume);
    EXPECT_EQ(column("vol"), bar.quote_volume);
  }
  EXPECT_EQ(rows, 300);
  EXPECT_GT(quiet, 2);
  EXPECT_LT(quiet, 298);
  EXPECT_EQ(before, start - 300min);
  const Flat newest(get(*core, "/market/history/kline?symbol=btcusdt&period=1min&size=5").body);
  EXPECT_EQ(newest.number("data.0.id"), static_cast<std::uint64_t>(to_ms(start) / 1000));
  EXPECT_FALSE(newest.has("data.5.id"));
  EXPECT_EQ(Flat(get(*core, "/market/depth?symbol=nope&type=step0").body)["err-code"],
            "invalid-parameter");
}

}  // namespace
}  // namespace candlewick::simulator
