// Numbers, pace, snapshots, and what happens when something is lost.
#include "stream/hub.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>

#include "stream/testing.h"

namespace candlewick::stream {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Listening;
using testing::noon;
using ::testing::SizeIs;
using testing::Told;
using testing::World;

// What follows the reply to a subscription.
std::vector<Told> subscribe(Listening& listening, std::string_view stream) {
  listening.subscribe(stream);
  auto told = listening.take();
  EXPECT_FALSE(told.empty());
  EXPECT_EQ(told.front().result, "null") << stream;
  told.erase(told.begin());
  return told;
}

TEST(Hub, NumbersEveryTradeWhoeverListens) {
  World world;
  world.trade(1);
  world.trade(2);
  Listening listening(world);
  const auto first = subscribe(listening, "binance:BTC/USDT@trade");
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_EQ(first[0].type, "snapshot");
  EXPECT_EQ(first[0].seq, 2U);
  EXPECT_THAT(first[0].data, HasSubstr(R"("id":"2")"));
  world.trade(3);
  world.pump();
  const auto update = listening.take();
  ASSERT_THAT(update, SizeIs(1));
  EXPECT_EQ(update[0].type, "update");
  EXPECT_EQ(update[0].seq, 3U);
  EXPECT_THAT(update[0].data, AllOf(HasSubstr(R"("id":"3")"), HasSubstr(R"("price":64000.1)")));
  Listening second(world);
  EXPECT_EQ(subscribe(second, "binance:BTC/USDT@trade").at(0).seq, 3U);
}

TEST(Hub, CountsTradesThatNobodyHeard) {
  World world;
  {
    Listening listening(world);
    subscribe(listening, "binance:BTC/USDT@trade");
    world.trade(1);
    world.pump();
  }
  world.pass(2min);
  EXPECT_EQ(world.hub->active_streams(), 0U);
  for (std::uint64_t id = 2; id <= 10; ++id) world.trade(id);
  Listening again(world);
  again.say(R"({"method":"SUBSCRIBE","params":["binance:BTC/USDT@trade"],"after":"5f2c9a:1"})");
  const auto told = again.take();
  ASSERT_THAT(told, SizeIs(2));
  EXPECT_EQ(told[1].type, "snapshot");
  EXPECT_EQ(told[1].seq, 10U);
}

TEST(Hub, LetsNobodyGoOnBehindQuotesThatWereNotCounted) {
  World world;
  world.quote(100);
  {
    Listening listening(world);
    subscribe(listening, "binance:BTC/USDT@quote");
    world.quote(101);
    world.pass(50ms);
    EXPECT_EQ(listening.take().at(0).seq, 1U);
  }
  world.pass(2min);
  world.quote(102);
  Listening again(world);
  again.say(R"({"method":"SUBSCRIBE","params":["binance:BTC/USDT@quote"],"after":"5f2c9a:1"})");
  const auto told = again.take();
  ASSERT_THAT(told, SizeIs(2));
  EXPECT_EQ(told[1].type, "snapshot");
  EXPECT_GT(told[1].seq, 1U);
  EXPECT_THAT(told[1].data, HasSubstr(R"("bid":102)"));
}

TEST(Hub, PacesQuotesTickersBooksAndFormingCandles) {
  struct Case {
    std::string stream;
    std::size_t most;  // a second
    std::function<void(World&, std::int64_t)> happens;
  };
  const std::vector<Case> cases{
      {"binance:BTC/USDT@quote", 20, [](World& world, std::int64_t i) { world.quote(i); }},
      {"binance:BTC/USDT@ticker", 10, [](World& world, std::int64_t i) { world.quote(i); }},
      {"binance:BTC/USDT@book", 10, [](World& world, std::int64_t i) { world.book(i); }},
      {"binance:BTC/USDT@candle_1m", 4,
       [](World& world, std::int64_t i) { world.candle(world.candle_at(noon, i, false)); }}};
  for (const auto& [stream, most, happens] : cases) {
    World world;
    happens(world, 1);
    Listening listening(world);
    subscribe(listening, stream);
    std::uint64_t expected = 1;
    for (int second = 0; second < 5; ++second) {
      std::size_t heard = 0;
      for (int i = 0; i < 100; ++i) {
        happens(world, 2 + second * 100 + i);
        world.pass(10ms);
        for (const auto& told : listening.take()) {
          EXPECT_EQ(told.type, "update") << stream;
          EXPECT_EQ(told.seq, expected++) << stream;
          ++heard;
        }
      }
      EXPECT_LE(heard, most) << stream;
      EXPECT_GE(heard, most - 1) << stream;
    }
    // The newest comes in the end.
    world.pass(250ms);
    const auto rest = listening.take();
    ASSERT_LE(rest.size(), 1U) << stream;
    for (const auto& told : rest) EXPECT_EQ(told.seq, expected) << stream;
    world.pass(1s);
    EXPECT_THAT(listening.take(), IsEmpty()) << stream;
  }
}

TEST(Hub, ShowsTheClosedAndTheFormingCandleAndThenEachChange) {
  World world;
  world.candle(world.candle_at(noon - 1min, 10, true));
  world.candle(world.candle_at(noon, 11, false));
  Listening listening(world);
  const auto first = subscribe(listening, "binance:BTC/USDT@candle_1m");
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_THAT(first[0].data, AllOf(HasSubstr(R"([{"timestamp":"2026-01-15T11:59:00Z")"),
                                   HasSubstr(R"(},{"timestamp":"2026-01-15T12:00:00Z")")));
  // The next one opens before the hub has looked: the closed one is told first all the same.
  world.candle(world.candle_at(noon, 12, true));
  world.candle(world.candle_at(noon + 1min, 13, false));
  world.pass(1s);
  auto told = listening.take();
  ASSERT_THAT(told, SizeIs(2));
  EXPECT_THAT(told[0].data, AllOf(HasSubstr("12:00:00Z"), HasSubstr(R"("is_closed":true)")));
  EXPECT_THAT(told[1].data, AllOf(HasSubstr("12:01:00Z"), HasSubstr(R"("is_closed":false)")));
  // A correction, and an old one that was missing: told, and no change to what is newest.
  world.candle(world.candle_at(noon, 14, true, 1));
  world.candle(world.candle_at(noon - 10min, 15, true));
  world.pump();
  told = listening.take();
  ASSERT_THAT(told, SizeIs(2));
  EXPECT_THAT(told[0].data, HasSubstr(R"("revision":1)"));
  EXPECT_THAT(told[1].data, HasSubstr("11:50:00Z"));
  Listening second(world);
  const auto now = subscribe(second, "binance:BTC/USDT@candle_1m");
  EXPECT_EQ(now.at(0).seq, told[1].seq);
  EXPECT_THAT(now.at(0).data, AllOf(HasSubstr(R"("close":14)"), HasSubstr("12:01:00Z")));
}

TEST(Hub, ShowsNothingYetAsNothing) {
  World world;
  Listening listening(world);
  EXPECT_EQ(subscribe(listening, "binance:ETH/USDT@candle_1m").at(0).data, "[]");
  for (const auto* channel : {"ticker", "quote", "trade", "book", "tick", "indicators"}) {
    const auto told = subscribe(listening, fmt::format("binance:ETH/USDT@{}", channel));
    ASSERT_THAT(told, SizeIs(1)) << channel;
    EXPECT_EQ(told[0].data, "null") << channel;
    EXPECT_EQ(told[0].seq, 0U) << channel;
  }
}

TEST(Hub, SaysSinceWhenABookIsOutOfStep) {
  World world;
  world.book(100);
  Listening listening(world);
  subscribe(listening, "binance:BTC/USDT@book");
  world.bitcoin.with([](pipeline::Latest& latest) {
    latest.ladder.reset();
    latest.ladder_stale_since = noon;
  });
  world.pass(1s);
  auto told = listening.take();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].type, "stale");
  EXPECT_EQ(told[0].seq, 1U);
  EXPECT_EQ(told[0].reason, "out_of_step");
  world.pass(1s);
  EXPECT_THAT(listening.take(), IsEmpty());
  // Who comes meanwhile hears it too.
  Listening second(world);
  const auto met = subscribe(second, "binance:BTC/USDT@book");
  ASSERT_THAT(met, SizeIs(2));
  EXPECT_EQ(met[0].data, "null");
  EXPECT_EQ(met[1].type, "stale");
  EXPECT_EQ(met[1].seq, met[0].seq);
  world.book(100);
  world.pass(1s);
  told = listening.take();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].type, "update");
  EXPECT_EQ(told[0].seq, 2U);
}

TEST(Hub, SaysThatTheFeedIsLost) {
  World world;
  for (const auto* channel : {"quote", "ticker", "book"}) {
    world.quote(100);
    world.book(100);
    Listening listening(world);
    subscribe(listening, fmt::format("binance:BTC/USDT@{}", channel));
    world.bitcoin.with([](pipeline::Latest& latest) { latest.is_stale = true; });
    world.pass(1s);
    auto told = listening.take();
    ASSERT_FALSE(told.empty()) << channel;
    EXPECT_EQ(told.back().type, "stale") << channel;
    EXPECT_EQ(told.back().reason, "feed_lost") << channel;
    world.quote(200);
    world.book(200);
    world.pass(1s);
    told = listening.take();
    ASSERT_THAT(told, SizeIs(1)) << channel;
    EXPECT_EQ(told[0].type, "update") << channel;
  }
}

TEST(Hub, AnnouncesWhatDidNotFitIntoTheQueue) {
  World world(World::default_options(), {.waiting = 10});
  Listening listening(world);
  subscribe(listening, "binance:BTC/USDT@trade");
  for (std::uint64_t id = 1; id <= 25; ++id) world.trade(id);
  world.pump();
  auto told = listening.take();
  ASSERT_THAT(told, SizeIs(11));
  EXPECT_EQ(told[9].seq, 10U);
  EXPECT_EQ(told[10].type, "dropped");
  EXPECT_EQ(told[10].from_seq, 11U);
  EXPECT_EQ(told[10].to_seq, 25U);
  world.trade(26);
  world.pump();
  told = listening.take();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].seq, 26U);
  // One that comes back over the hole is told of it as well.
  Listening again(world);
  again.say(R"({"method":"SUBSCRIBE","params":["binance:BTC/USDT@trade"],"after":"5f2c9a:9"})");
  told = again.take();
  ASSERT_THAT(told, SizeIs(4));
  EXPECT_EQ(told[1].seq, 10U);
  EXPECT_EQ(told[2].type, "dropped");
  EXPECT_EQ(told[3].seq, 26U);
}

TEST(Hub, TellsABurstInPartsSoThatNobodyLosesAnyOfIt) {
  World world;
  Listening listening(world);
  subscribe(listening, "binance:BTC/USDT@trade");
  for (std::uint64_t id = 1; id <= 5000; ++id) world.trade(id);
  std::uint64_t expected = 0;
  do {
    for (const auto& told : listening.take()) {
      EXPECT_EQ(told.type, "update");
      EXPECT_EQ(told.seq, ++expected);
    }
  } while (world.hub->pump() == Duration{0});
  for (const auto& told : listening.take()) EXPECT_EQ(told.seq, ++expected);
  EXPECT_EQ(expected, 5000U);
  EXPECT_EQ(world.hub->heard(), world.intake->queued());
}

TEST(Hub, KeepsNoMoreThanItMay) {
  HubOptions options = World::default_options();
  options.kept_bytes = 64U << 10U;
  World world(options);
  Listening listening(world);
  for (const auto* channel : {"trade", "quote", "book", "ticker"})
    subscribe(listening, fmt::format("binance:BTC/USDT@{}", channel));
  for (int i = 0; i < 500; ++i) {
    world.trade(static_cast<std::uint64_t>(i));
    world.quote(i);
    world.book(i);
    world.pass(100ms);
    listening.take();
    ASSERT_LE(world.hub->kept_bytes(), options.kept_bytes);
  }
}

query::CoverageSpan span(Time from, Time to, std::string state, std::int64_t sequence) {
  return {.exchange = "binance",
          .symbol = "BTC/USDT",
          .timeframe = "1m",
          .stream = "candles",
          .from = from,
          .to = to,
          .state = std::move(state),
          .recorded_at = noon,
          .seq = sequence};
}

TEST(Hub, JoinsTheWarehousesCoverageWithWhatItLacks) {
  World world;
  world.assertion(noon - 10min, noon - 5min, "live");
  const std::int64_t stored = to_ns(noon);
  world.clock.advance(1s);
  world.assertion(noon - 6min, noon - 4min, "missing");
  Listening listening(world);
  EXPECT_THAT(subscribe(listening, "binance:BTC/USDT@coverage"), IsEmpty());
  world.pump();
  ASSERT_THAT(world.asked, SizeIs(1));
  // Said while the warehouse is asked: part of the snapshot.
  world.assertion(noon - 3min, noon - 2min, "live");
  world.pump();
  world.asked[0](std::vector{span(noon - 10min, noon - 5min, "live", stored)});
  auto told = listening.take();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].type, "snapshot");
  EXPECT_EQ(told[0].seq, 3U);
  EXPECT_THAT(told[0].data,
              AllOf(HasSubstr(R"("from":"2026-01-15T11:50:00Z","to":"2026-01-15T11:54:00Z")"),
                    HasSubstr(R"("from":"2026-01-15T11:54:00Z","to":"2026-01-15T11:56:00Z")"),
                    HasSubstr(R"("from":"2026-01-15T11:57:00Z","to":"2026-01-15T11:58:00Z")"),
                    HasSubstr(fmt::format(R"("seq":"{}")", stored))));
  world.assertion(noon - 5min, noon - 4min, "backfilled");
  world.pump();
  told = listening.take();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].type, "update");
  EXPECT_EQ(told[0].seq, 4U);
  // The next one needs no question.
  Listening second(world);
  EXPECT_THAT(subscribe(second, "binance:BTC/USDT@coverage").at(0).data,
              AllOf(HasSubstr("backfilled"), HasSubstr("missing")));
  EXPECT_THAT(world.asked, SizeIs(1));
}

TEST(Hub, AsksAgainWhenTheWarehouseCannotAnswerOrIsFarBehind) {
  World world(World::default_options(), {.recent_assertions = 2});
  for (int i = 0; i < 5; ++i) {
    world.clock.advance(1s);
    world.assertion(noon + i * 1min, noon + (i + 1) * 1min, "live");
  }
  Listening listening(world);
  subscribe(listening, "binance:BTC/USDT@coverage");
  world.pump();
  ASSERT_THAT(world.asked, SizeIs(1));
  world.asked[0](std::nullopt);
  world.pass(1s);
  EXPECT_THAT(world.asked, SizeIs(1));
  world.pass(1s);
  ASSERT_THAT(world.asked, SizeIs(2));
  // It lacks the third, which memory does not have any more.
  world.asked[1](std::vector{span(noon, noon + 2min, "live", to_ns(noon + 2s))});
  EXPECT_THAT(listening.take(), IsEmpty());
  world.pass(2s);
  ASSERT_THAT(world.asked, SizeIs(3));
  world.asked[2](std::vector{span(noon, noon + 4min, "live", to_ns(noon + 4s))});
  const auto told = listening.take();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].seq, 5U);
}

TEST(Hub, ReadsNamesOfExchangesThatHoldAColon) {
  World world;
  StreamKey key;
  EXPECT_FALSE(world.hub->find("ccxt:gate:btc-usdt@trade", key));
  EXPECT_EQ(key.slot, 0U);
  const auto refusal = world.hub->find("ccxt:other:BTC/USDT@trade", key);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->code, "unknown_exchange");
}

TEST(Hub, AlwaysHasAnInstrumentToTryAClientWith) {
  World world;
  Listening listening(world);
  std::map<std::string, int> heard;
  for (const auto* channel :
       {"candle_1m", "candle_1h", "ticker", "quote", "trade", "book", "tick", "indicators"}) {
    const auto told = subscribe(listening, fmt::format("test:test-usdt@{}", channel));
    ASSERT_THAT(told, SizeIs(1)) << channel;
    EXPECT_NE(told[0].data, "null") << channel;
    EXPECT_NE(told[0].data, "[]") << channel;
  }
  for (int i = 0; i < 400; ++i) {
    world.pass(25ms);
    for (const auto& told : listening.take()) {
      EXPECT_EQ(told.type, "update");
      ++heard[told.stream];
    }
  }
  EXPECT_THAT(heard, SizeIs(8));
  for (const auto& [stream, count] : heard) EXPECT_EQ(count, 10) << stream;
}

TEST(Hub, ClosesTheTestInstrumentsMinutes) {
  World world;
  Listening listening(world);
  subscribe(listening, "test:TEST/USDT@candle_1m");
  int closed = 0;
  for (int i = 0; i < 130; ++i) {
    world.pass(1s);
    for (const auto& told : listening.take()) {
      if (told.data.find(R"("is_closed":true)") == std::string::npos) continue;
      ++closed;
      EXPECT_THAT(told.data, HasSubstr(R"("volume":60,)"));
    }
  }
  EXPECT_EQ(closed, 2);
}

// A client's model of what it was told: numbers without a hole, or the hole announced.
struct Held {
  std::map<std::string, std::uint64_t> newest;
  std::map<std::string, std::set<std::string>> ids;  // of trades
  std::map<std::string, std::uint64_t> lost;

  void hear(const Told& told, bool may_jump) {
    if (told.stream.empty()) return;
    auto& number = newest[told.stream];
    if (told.type == "snapshot") {
      if (!may_jump) RC_ASSERT(told.seq >= number);
      // What lies between is seen by the number.
      lost[told.stream] += told.seq > number ? told.seq - number : 0;
      number = told.seq;
    } else if (told.type == "dropped") {
      RC_ASSERT(told.from_seq == number + 1);
      RC_ASSERT(told.count == told.to_seq - told.from_seq + 1);
      lost[told.stream] += told.count;
      number = told.to_seq;
    } else {
      RC_ASSERT(told.seq == number + 1);
      number = told.seq;
      if (told.type == "update") ids[told.stream].insert(told.data);
    }
  }
};

RC_GTEST_PROP(Hub, TellsEveryEventOrThatItIsLost, ()) {
  World world(World::default_options(), {.waiting = 40});
  const auto limits = ClientLimits{.messages_a_second = 1'000'000, .outbox = {.events = 20}};
  struct Someone {
    std::unique_ptr<Listening> listening;
    Held held;
  };
  const std::vector<std::string> streams{"binance:BTC/USDT@trade", "binance:BTC/USDT@quote",
                                         "binance:BTC/USDT@candle_1m"};
  std::vector<Someone> people(3);
  std::map<std::string, std::vector<std::string>> told_to_all;
  std::uint64_t next_trade = 1;
  std::int64_t next_value = 1;
  Time open = noon;
  const auto take = [&](Someone& person, std::size_t most) {
    for (std::size_t i = 0; i < most; ++i) {
      const Text text = person.listening->client->next();
      if (text == nullptr) return;
      person.held.hear(testing::read_told(*text), false);
    }
  };
  const auto connect = [&](Someone& person) {
    person.listening = std::make_unique<Listening>(world, limits);
    for (const auto& stream : streams) {
      const auto found = person.held.newest.find(stream);
      const std::string after =
          found == person.held.newest.end()
              ? std::string()
              : fmt::format(R"(,"after":"{}:{}")", world.hub->session(), found->second);
      person.listening->say(
          fmt::format(R"({{"method":"SUBSCRIBE","params":["{}"]{}}})", stream, after));
    }
  };
  const auto steps =
      *rc::gen::container<std::vector<int>>(*rc::gen::inRange(20, 200), rc::gen::inRange(0, 12));
  for (const int step : steps) {
    Someone& person = people[static_cast<std::size_t>(step) % people.size()];
    switch (step) {
      case 0:
      case 1:
      case 2: {
        // Goes away with all that it had not read, and comes back.
        person.listening.reset();
        if (*rc::gen::inRange(0, 4) == 0) world.pass(2min);
        connect(person);
        break;
      }
      case 3:
      case 4:
        for (int i = *rc::gen::inRange(1, 60); i > 0; --i) world.trade(next_trade++);
        break;
      case 5:
        world.quote(next_value++);
        break;
      case 6:
        world.candle(world.candle_at(open, next_value++, false));
        break;
      case 7:
        world.candle(world.candle_at(open, next_value++, true));
        open += 1min;
        break;
      case 8:
        world.pass(std::chrono::milliseconds{*rc::gen::inRange(1, 300)});
        break;
      default:
        if (person.listening) take(person, static_cast<std::size_t>(*rc::gen::inRange(1, 30)));
    }
  }
  for (auto& person : people) {
    if (!person.listening) connect(person);
  }
  world.pass(1s);
  world.pass(1s);
  for (auto& person : people) take(person, 100'000);
  // In the end all of them are at the same place, and nobody lacks a trade unannounced.
  for (const auto& stream : streams) {
    for (const auto& person : people) {
      RC_ASSERT(person.held.newest.at(stream) == people[0].held.newest.at(stream));
    }
  }
  const std::string& trades = streams[0];
  RC_ASSERT(people[0].held.newest.at(trades) == next_trade - 1);
  for (const auto& person : people) {
    const auto held = person.held.ids.find(trades);
    const std::uint64_t known = held == person.held.ids.end() ? 0 : held->second.size();
    const auto lost = person.held.lost.find(trades);
    RC_ASSERT(known + (lost == person.held.lost.end() ? 0 : lost->second) == next_trade - 1);
  }
}

}  // namespace
}  // namespace candlewick::stream
