// What is particular to Bitstamp's protocol as it is simulated.
#include "simulator/bitstamp/bitstamp.h"

#include <map>

#include "simulator/testing.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

std::unique_ptr<VenueCore> bitstamp_core(std::string_view faults = "", double activity = 1.0) {
  auto core =
      std::make_unique<VenueCore>(VenueSetup{.venue = "bitstamp",
                                             .market = small_market(1, "bitstamp", activity),
                                             .start = start,
                                             .speed = "1"});
  check(core->change_faults(faults).has_value(), "the faults of the tests are good");
  return core;
}

std::vector<std::string> say(VenueCore& core, SessionId session, std::string_view event,
                             std::string_view channel) {
  return frames(core.receive(
      session, fmt::format(R"({{"event":"bts:{}","data":{{"channel":"{}"}}}})", event, channel),
      steady));
}

TEST(SimulatedBitstamp, TellsEveryTradeByItselfWithItsDigits) {
  auto core = bitstamp_core();
  const auto session = open(*core, "/");
  EXPECT_EQ(
      say(*core, session, "subscribe", "live_trades_btcusdt"),
      std::vector<std::string>{
          R"({"event":"bts:subscription_succeeded","channel":"live_trades_btcusdt","data":{}})"});
  std::size_t trades = 0;
  std::uint64_t last = 0;
  for (const auto& text : frames(core->advance_to(start + 1min))) {
    const Flat frame(text);
    EXPECT_EQ(frame["event"], "trade");
    EXPECT_EQ(frame["channel"], "live_trades_btcusdt");
    EXPECT_EQ(frame.decimal("data.price"), frame.decimal("data.price_str"));
    EXPECT_GT(frame.number("data.id"), last);
    last = frame.number("data.id");
    ++trades;
  }
  const auto bar = core->market().bar(0, start + 1ns, start + 1min + 1ns);
  EXPECT_EQ(trades, bar.count);
  EXPECT_EQ(last, bar.last_id);
}

TEST(SimulatedBitstamp, RefusesWhatItDoesNotKnowAndAnswersHeartbeats) {
  auto core = bitstamp_core();
  const auto session = open(*core, "/");
  const auto reason = [&](std::string_view event, std::string_view channel) {
    return Flat(say(*core, session, event, channel).at(0))["data.message"];
  };
  EXPECT_EQ(reason("subscribe", "order_book_nope"), "Bad subscription string.");
  EXPECT_EQ(reason("subscribe", "candles_btcusdt"), "Bad subscription string.");
  EXPECT_EQ(reason("unsubscribe", "order_book_btcusdt"), "Bad subscription string.");
  EXPECT_EQ(Flat(say(*core, session, "heartbeat", "").at(0))["data.status"], "success");
  EXPECT_TRUE(frames(core->advance_to(start + 1min)).empty());
}

TEST(SimulatedBitstamp, ShowsTheBestLevelsWholeAndTheirChangesBesideThem) {
  auto core = bitstamp_core();
  const auto session = open(*core, "/");
  core->advance_to(start + 1234ms);
  say(*core, session, "subscribe", "order_book_btcusdt");
  say(*core, session, "subscribe", "diff_order_book_btcusdt");
  const Flat base(get(*core, "/api/v2/order_book/btcusdt/").body);
  std::map<std::string, std::map<Decimal, Decimal>> sides;
  const auto apply = [&](const Flat& frame, const std::string& where) {
    for (const std::string side : {"bids", "asks"}) {
      for (int i = 0; frame.has(fmt::format("{}{}.{}.0", where, side, i)); ++i) {
        const auto price = frame.decimal(fmt::format("{}{}.{}.0", where, side, i));
        const auto size = frame.decimal(fmt::format("{}{}.{}.1", where, side, i));
        if (size.is_zero()) {
          sides[side].erase(price);
        } else {
          sides[side][price] = size;
        }
      }
    }
  };
  apply(base, "");
  std::string ladder;
  for (const auto& text : frames(core->advance_to(start + 20s))) {
    const Flat frame(text);
    if (frame["channel"] == "diff_order_book_btcusdt") {
      if (frame.number("data.microtimestamp") > base.number("microtimestamp"))
        apply(frame, "data.");
    } else {
      ladder = text;
    }
  }
  const Book truth = core->market().book(0, start + 20s, 5000);
  ASSERT_EQ(sides["bids"].size(), truth.bids.size());
  ASSERT_EQ(sides["asks"].size(), truth.asks.size());
  for (const auto& level : truth.bids) EXPECT_EQ(sides["bids"][level.price], level.size);
  for (const auto& level : truth.asks) EXPECT_EQ(sides["asks"][level.price], level.size);
  const Flat shown(ladder);
  EXPECT_EQ(shown.decimal("data.bids.0.0"), truth.bids[0].price);
  EXPECT_EQ(shown.decimal("data.asks.99.1"), truth.asks[99].size);
  EXPECT_FALSE(shown.has("data.asks.100.0"));
}

TEST(SimulatedBitstamp, HasTickersOfAllThatAreListed) {
  auto core = bitstamp_core();
  const Flat all(get(*core, "/api/v2/ticker/").body);
  EXPECT_EQ(all["0.pair"], "BTC/USDT");
  EXPECT_EQ(all["0.timestamp"], std::to_string(to_ms(start) / 1000));
  EXPECT_LT(all.decimal("0.bid"), all.decimal("0.ask"));
  EXPECT_TRUE(all.has("2.pair"));
  EXPECT_EQ(Flat(get(*core, "/api/v2/ticker/btcusdt/").body)["last"], all["0.last"]);
  ASSERT_TRUE(core->change_faults("vanish=btcusdt"));
  EXPECT_EQ(Flat(get(*core, "/api/v2/ticker/").body)["0.pair"], "ETH/BTC");
}

TEST(SimulatedBitstamp, HasCandlesBetweenTwoTimesAndRowsOfQuietMinutes) {
  auto core = bitstamp_core("", 0.2);
  core->advance_to(start + 30s);
  auto& market = core->market();
  const auto listing = *market.find("farmusdt");
  const Flat reply(
      get(*core, fmt::format("/api/v2/ohlc/farmusdt/?step=60&limit=1000&start={}&end={}",
                             to_ms(start - 900min) / 1000, to_ms(start) / 1000))
          .body);
  EXPECT_EQ(reply["data.pair"], "FARM/USDT");
  Time before{};
  int rows = 0;
  int quiet = 0;
  for (; reply.has(fmt::format("data.ohlc.{}.timestamp", rows)); ++rows) {
    const auto column = [&](std::string_view name) {
      return reply.decimal(fmt::format("data.ohlc.{}.{}", rows, name));
    };
    const Time open_time{
        std::chrono::seconds{reply.number(fmt::format("data.ohlc.{}.timestamp", rows))}};
    EXPECT_GT(open_time, before);
    before = open_time;
    const auto bar = market.bar(listing, open_time, std::min(open_time + 1min, start + 30s + 1ns));
    if (!bar.any) {
      ++quiet;
      EXPECT_TRUE(column("volume").is_zero());
      EXPECT_EQ(column("open"), market.price_before(listing, open_time));
      EXPECT_EQ(column("open"), column("close"));
      continue;
    }
    EXPECT_EQ(column("open"), bar.open);
    EXPECT_EQ(column("high"), bar.high);
    EXPECT_EQ(column("low"), bar.low);
    EXPECT_EQ(column("close"), bar.close);
    EXPECT_EQ(column("volume"), bar.volume);
  }
  EXPECT_EQ(rows, 901);
  EXPECT_GT(quiet, 2);
  EXPECT_LT(quiet, 899);
  EXPECT_EQ(get(*core, "/api/v2/ohlc/btcusdt/?step=60").status, 400);
  EXPECT_EQ(get(*core, "/api/v2/ohlc/btcusdt/?step=61&limit=5").status, 400);
  EXPECT_EQ(get(*core, "/api/v2/ticker/nope/").status, 404);
  EXPECT_EQ(Flat(get(*core, "/api/v2/ticker_hour/btcusd/").body).number("timestamp"),
            static_cast<std::uint64_t>(to_ms(start + 30s) / 1000));
}

}  // namespace
}  // namespace candlewick::simulator
