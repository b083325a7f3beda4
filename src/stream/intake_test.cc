// The door between two threads.
#include "stream/intake.h"

#include <thread>

#include "stream/testing.h"

namespace candlewick::stream {
namespace {

using namespace std::chrono_literals;
using testing::noon;
using ::testing::SizeIs;
using testing::World;

const StreamKey trades{.slot = 0, .channel = Channel::trade};
const StreamKey minutes{.slot = 0, .channel = Channel::candle};

TEST(Intake, QueuesOnlyWhatSomebodyListensTo) {
  World world;
  Intake intake(world.board);
  const Event trade = Trade{.origin = {.instrument = &world.bitcoin_of_binance}, .id = 1};
  intake.on_event(trade);
  EXPECT_THAT(intake.take(), SizeIs(0));
  const auto newest = intake.watch(trades);
  EXPECT_EQ(newest.number, 1U);
  ASSERT_TRUE(newest.trade);
  EXPECT_EQ(newest.trade->id, 1U);
  intake.on_event(trade);
  const auto items = intake.take();
  ASSERT_THAT(items, SizeIs(1));
  EXPECT_EQ(items[0].number, 2U);
  intake.unwatch(trades);
  intake.on_event(trade);
  EXPECT_THAT(intake.take(), SizeIs(0));
  EXPECT_EQ(intake.number(trades), 3U);
}

TEST(Intake, IgnoresWhatItDoesNotKnow) {
  World world;
  Intake intake(world.board);
  const Instrument stranger{.exchange = "x", .symbol = "Y"};
  intake.on_event(Trade{.origin = {.instrument = &stranger}});
  intake.on_event(Gap{});
  intake.on_row(pipeline::instrument_row(stranger, noon));
  intake.on_row(pipeline::tick_row({.instrument = &stranger, .exchange_time = noon}, 5, noon));
  EXPECT_EQ(intake.number(trades), 0U);
}

TEST(Intake, BeginsWithWhatTheBoardRemembers) {
  World world;
  world.candle(world.candle_at(noon, 7, true));
  world.bitcoin.with([&](pipeline::Latest& latest) {
    latest.tick = pipeline::tick_row(
        {.instrument = &world.bitcoin_of_binance, .exchange_time = noon}, 5, noon);
  });
  Intake intake(world.board);
  const auto newest = intake.watch(minutes);
  EXPECT_EQ(newest.number, 0U);
  ASSERT_TRUE(newest.candle);
  EXPECT_EQ(newest.candle->close, Decimal{7});
  EXPECT_NE(intake.watch({.slot = 0, .channel = Channel::tick}).row, nullptr);
}

TEST(Intake, FollowsABoardThatGrows) {
  World world;
  Intake intake(world.board);
  const StreamKey third{.slot = 2, .channel = Channel::trade};
  // Listened to before its first event.
  EXPECT_EQ(intake.watch(third).number, 0U);
  const Instrument late{.exchange = "binance", .symbol = "SOL/USDT"};
  const Event trade = Trade{.origin = {.instrument = &late}, .id = 1};
  intake.on_event(trade);
  EXPECT_THAT(intake.take(), SizeIs(0));
  world.board.add(late);
  intake.on_event(trade);
  EXPECT_THAT(intake.take(), SizeIs(1));
  world.board.retire(late);
  intake.on_event(trade);
  EXPECT_EQ(intake.number(third), 1U);
}

TEST(Intake, KeepsTheNewestClosedCandlesForTheSeam) {
  World world;
  Intake intake(world.board, {.recent_candles = 3});
  for (int i = 0; i < 3; ++i) intake.on_event(world.candle_at(noon + i * 1min, i, true));
  EXPECT_TRUE(intake.recent_candles(0, Timeframe::m1).is_all);
  intake.on_event(world.candle_at(noon + 3min, 3, false));
  EXPECT_THAT(intake.recent_candles(0, Timeframe::m1).events, SizeIs(3));
  intake.on_event(world.candle_at(noon + 3min, 4, true));
  const auto recent = intake.recent_candles(0, Timeframe::m1);
  EXPECT_FALSE(recent.is_all);
  EXPECT_EQ(recent.number, 4U);
  ASSERT_THAT(recent.events, SizeIs(3));
  EXPECT_EQ(recent.events.front().open_time, noon + 1min);
}

TEST(Intake, WakesOnceUntilItIsEmptied) {
  World world;
  Intake intake(world.board);
  int woken = 0;
  intake.on_waiting([&] { ++woken; });
  intake.watch(trades);
  const Event trade = Trade{.origin = {.instrument = &world.bitcoin_of_binance}, .id = 1};
  intake.on_event(trade);
  intake.on_event(trade);
  EXPECT_EQ(woken, 1);
  intake.take();
  intake.on_event(trade);
  EXPECT_EQ(woken, 2);
  intake.take();
  intake.on_waiting({});
  intake.on_event(trade);
  EXPECT_EQ(woken, 2);
}

TEST(Intake, LosesNothingUnnumberedBetweenThreads) {
  World world;
  Intake intake(world.board, {.waiting = 64});
  constexpr std::uint64_t count = 20'000;
  std::jthread ingest([&] {
    Trade trade{.origin = {.instrument = &world.bitcoin_of_binance}};
    for (trade.id = 1; trade.id <= count; ++trade.id) intake.on_event(trade);
  });
  std::uint64_t seen = intake.watch(trades).number;
  std::uint64_t missed = 0;
  std::uint64_t taken = 0;
  const std::uint64_t begun = seen;
  const auto take = [&] {
    for (const auto& item : intake.take()) {
      if (item.number <= seen) continue;
      EXPECT_EQ(std::get<Trade>(item.value).id, item.number);
      missed += item.number - seen - 1;
      seen = item.number;
      ++taken;
    }
  };
  while (intake.number(trades) < count) take();
  ingest.join();
  take();
  missed += count - seen;
  EXPECT_EQ(begun + taken + missed, count);
  EXPECT_EQ(missed, intake.lost());
}

}  // namespace
}  // namespace candlewick::stream
