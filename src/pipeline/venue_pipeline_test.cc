// One venue's pipeline fed by hand: candles, the clock, snapshots and the board. What it makes of
// the past is in venue_history_test.cc.
#include "pipeline/venue_pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>

#include "pipeline/testing.h"

namespace candlewick::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::bitcoin;
using testing::closed_candle;
using testing::decimal;
using testing::decimal_at;
using ::testing::ElementsAre;
using testing::forming_candle;
using testing::integer_at;
using ::testing::IsEmpty;
using testing::Line;
using testing::noon;
using ::testing::SizeIs;
using testing::time_at;
using testing::times;
using testing::true_candle;

Ticker ticker(Time said, std::string_view last) {
  return {.origin = {&bitcoin(), said, said + 5ms}, .last = decimal(last)};
}

BookUpdate ladder(std::uint64_t sequence, std::string_view bid, std::string_view ask) {
  return {.origin = {&bitcoin(), std::nullopt, std::nullopt},
          .kind = BookKind::snapshot,
          .is_partial = true,
          .sequence = sequence,
          .bids = {{decimal(bid), Decimal{1}}},
          .asks = {{decimal(ask), Decimal{2}}}};
}

TEST(VenuePipeline, ACandleFormsClosesAndBecomesOneRow) {
  Line line({}, false);
  line.clock(noon);
  line.say(forming_candle(noon, noon + 1s));
  line.say(forming_candle(noon, noon + 3s));
  EXPECT_THAT(line.facts(), IsEmpty());
  line.close(noon);
  const auto rows = line.facts();
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_EQ(time_at(rows[0], "timestamp"), noon);
  EXPECT_EQ(decimal_at(rows[0], "close"), true_candle(noon).close);
  EXPECT_EQ(integer_at(rows[0], "revision"), 0);
  EXPECT_EQ(std::get<std::string>(rows[0].at("source")), "ws");
  EXPECT_EQ(time_at(rows[0], "ingested_at"), noon + 1min + 55ms);
}

TEST(VenuePipeline, RepeatedFramesWriteNothing) {
  Line line({}, false);
  line.clock(noon);
  for (int repeat = 0; repeat < 3; ++repeat) {
    line.say(forming_candle(noon, noon + 30s));
    line.say(closed_candle(noon));
  }
  EXPECT_THAT(line.facts(), SizeIs(1));
  // The forming one, then the closed one.
  EXPECT_THAT(line.output.events, SizeIs(3));
}

TEST(VenuePipeline, InstrumentsAndTimeframesThatWereNotNamedAreLeftAlone) {
  Line line({}, false);
  line.clock(noon);
  Candle other = closed_candle(noon);
  const Instrument ether{.exchange = "binance", .symbol = "ETH/USDT", .exchange_symbol = "ETHUSDT"};
  other.origin.instrument = &ether;
  line.say(other);
  line.say(closed_candle(noon, noon + 5min, Timeframe::m5));
  EXPECT_THAT(line.facts(), IsEmpty());
}

TEST(VenuePipeline, OtherTimeframesAreStoredBesideMinutes) {
  Line line({.timeframes = {Timeframe::m5}});
  line.start(noon + 1min);
  const auto before = line.facts().size();
  line.say(closed_candle(noon, noon + 5min + 10ms, Timeframe::m5));
  ASSERT_THAT(line.facts(), SizeIs(before + 1));
  EXPECT_EQ(std::get<std::string>(line.facts().back().at("timeframe")), "5m");
  // Both histories were asked for.
  std::set<Timeframe> asked;
  for (const auto& request : line.all_asked) asked.insert(request.query.timeframe);
  EXPECT_THAT(asked, ElementsAre(Timeframe::m1, Timeframe::m5));
}

TEST(VenuePipeline, AnAbsurdCandleDoesNotPushOutTheRealOnes) {
  Line line({}, false);
  line.clock(noon);
  line.say(closed_candle(noon - 1min, noon));
  line.say(closed_candle(noon + 24h * 400, noon + 1s));
  line.close(noon);
  EXPECT_THAT(times(line.facts(), "timestamp"), ElementsAre(noon - 1min, noon));
}

TEST(VenuePipeline, OneAbsurdTimeDoesNotMoveTheClock) {
  Line line({}, false);
  line.clock(noon);
  line.say(ticker(noon + 24h * 400, "1"));
  line.say(ticker(noon + 24h * 400, "1"));
  EXPECT_EQ(line->venue_time(), noon);
  EXPECT_THAT(line.ticks(), IsEmpty());
  line.say(ticker(noon + 1s, "2"));
  EXPECT_EQ(line->venue_time(), noon + 1s);
}

TEST(VenuePipelineSnapshots, ShowTheInstantAndAreWrittenWhenTheCandleCloses) {
  Line line({}, false);
  line.clock(noon);
  line.say(ticker(noon + 59s, "111"));
  line.say(ladder(1, "110", "112.5"));
  line.say(ticker(noon + 1min + 20ms, "222"));
  line.say(ladder(2, "220", "223"));
  EXPECT_THAT(line.ticks(), IsEmpty());
  line.close(noon);
  const auto ticks = line.ticks();
  ASSERT_THAT(ticks, SizeIs(1));
  EXPECT_EQ(time_at(ticks[0], "exchange_ts"), noon + 1min);
  EXPECT_EQ(time_at(ticks[0], "candle_time"), noon);
  EXPECT_EQ(decimal_at(ticks[0], "close"), true_candle(noon).close);
  // The last trade before the instant is the close of the minute that ends there.
  EXPECT_EQ(decimal_at(ticks[0], "last_price"), true_candle(noon).close);
  EXPECT_EQ(decimal_at(ticks[0], "bid_ask_spread"), decimal("2.5"));
  EXPECT_EQ(std::get<schema::Json>(ticks[0].at("bid_depth")).text, R"([["110","1"]])");
  EXPECT_EQ(std::get<schema::Json>(ticks[0].at("ask_depth")).text, R"([["112.5","2"]])");
  // Its indicators bear the same instant, and the state after them follows.
  const auto indicators = line.indicators();
  ASSERT_THAT(indicators, SizeIs(1));
  EXPECT_EQ(time_at(indicators[0], "exchange_ts"), noon + 1min);
  EXPECT_EQ(time_at(indicators[0], "candle_time"), noon);
  EXPECT_THAT(line.output.of(schema::indicator_checkpoint), SizeIs(1));
}

TEST(VenuePipelineSnapshots, TheBestPricesStandInForALadder) {
  Line line({}, false);
  line.clock(noon);
  line.say(Quote{.origin = {&bitcoin(), noon + 1s, noon + 1s},
                 .bid = decimal("10"),
                 .bid_size = decimal("1"),
                 .ask = decimal("10.5"),
                 .ask_size = decimal("2")});
  line.close(noon);
  ASSERT_THAT(line.ticks(), SizeIs(1));
  EXPECT_EQ(decimal_at(line.ticks()[0], "bid_ask_spread"), decimal("0.5"));
  EXPECT_EQ(std::get<schema::Json>(line.ticks()[0].at("bid_depth")).text, R"([["10","1"]])");
}

TEST(VenuePipelineSnapshots, DoNotWaitForACandleForEver) {
  Line line({}, false);
  line.clock(noon);
  line.close(noon);
  line.clock(noon + 2min + 1s);
  line.clock(noon + 2min + 10s);
  EXPECT_THAT(line.ticks(), SizeIs(1));
  line.clock(noon + 2min + 11s);
  const auto ticks = line.ticks();
  ASSERT_THAT(ticks, SizeIs(2));
  EXPECT_EQ(time_at(ticks[1], "exchange_ts"), noon + 2min);
  EXPECT_EQ(time_at(ticks[1], "candle_time"), noon);
  // The candle comes later: what was written stays.
  line.close(noon + 1min);
  EXPECT_THAT(line.ticks(), SizeIs(2));
}

TEST(VenuePipelineSnapshots, NeverUseACandleThatEndsAfterTheirInstant) {
  Line line({.snapshots = {.interval = 10s, .grace = 90s}}, false);
  line.clock(noon - 1s);
  line.clock(noon + 55s);
  line.close(noon);
  line.clock(noon + 5min);
  for (const auto& tick : line.ticks()) {
    if (schema::is_null(tick.at("candle_time"))) continue;
    EXPECT_LE(time_at(tick, "candle_time") + 1min, time_at(tick, "exchange_ts"));
  }
  EXPECT_GE(line.ticks().size(), 2U);
}

TEST(VenuePipelineSnapshots, AfterASilenceEveryInstantThatPassedHasItsRow) {
  Line line({}, false);
  line.clock(noon);
  line.clock(noon + 30s);
  line.clock(noon + 3min + 30s);
  EXPECT_THAT(line.ticks(), IsEmpty());
  line.clock(noon + 3min + 40s);
  EXPECT_THAT(times(line.ticks(), "exchange_ts"),
              ElementsAre(noon + 1min, noon + 2min, noon + 3min));
}

TEST(VenuePipelineSnapshots, AConnectionThatIsDownHasNoLadder) {
  Line line({}, false);
  line.clock(noon);
  line.say(ladder(500, "110", "112"));
  EXPECT_FALSE(line.latest().is_stale);
  const std::vector<exchange::Channel> channels{
      {.kind = exchange::ChannelKind::ladder, .instrument = &bitcoin()}};
  line->on_down(channels, "gone");
  EXPECT_TRUE(line.latest().is_stale);
  line.close(noon);
  ASSERT_THAT(line.ticks(), SizeIs(1));
  EXPECT_TRUE(schema::is_null(line.ticks()[0].at("bid_depth")));
  EXPECT_TRUE(schema::is_null(line.ticks()[0].at("bid_ask_spread")));
  // The venue may number its updates anew after that.
  line->on_live(channels);
  line.say(ladder(3, "120", "121"));
  EXPECT_FALSE(line.latest().is_stale);
  line.close(noon + 1min);
  EXPECT_EQ(decimal_at(line.ticks().back(), "bid_ask_spread"), decimal("1"));
}

TEST(VenuePipeline, TradesArePassedOnOnceWithTheirGaps) {
  Line line({}, false);
  line.clock(noon);
  const auto trade = [](std::uint64_t id) {
    return Trade{.origin = {&bitcoin(), noon + 1s, noon + 1s},
                 .id = id,
                 .price = Decimal{7},
                 .size = Decimal{1}};
  };
  line.output.events.clear();
  for (const std::uint64_t id : {1U, 2U, 2U, 5U}) line.say(trade(id));
  ASSERT_THAT(line.output.events, SizeIs(4));
  const auto* gap = std::get_if<Gap>(&line.output.events[2]);
  ASSERT_NE(gap, nullptr);
  EXPECT_EQ(gap->expected, "3");
  EXPECT_EQ(gap->got, "5");
  EXPECT_EQ(line.latest().trade->id, 5U);
}

TEST(VenuePipeline, AListingIsARowWhenItsStatusChanges) {
  Line line({}, false);
  Instrument instrument = bitcoin();
  const auto listed = [&] { line.say(Listing{.origin = {&instrument, std::nullopt, noon}}); };
  listed();
  listed();
  EXPECT_THAT(line.output.of(schema::instruments), SizeIs(1));
  instrument.status = ListingStatus::halted;
  listed();
  const auto rows = line.output.of(schema::instruments);
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(std::get<std::string>(rows[1].at("status")), "halted");
}

TEST(VenuePipeline, TheBoardShowsTheNewestValues) {
  Line line({}, false);
  line.clock(noon);
  line.say(ticker(noon + 1s, "111"));
  line.say(forming_candle(noon, noon + 30s));
  EXPECT_EQ(line.latest().ticker->last, decimal("111"));
  EXPECT_EQ(line.latest().forming.at(Timeframe::m1).open_time, noon);
  EXPECT_EQ(line.latest().exchange_time, noon + 30s);
  line.close(noon);
  EXPECT_FALSE(line.latest().forming.contains(Timeframe::m1));
  EXPECT_EQ(line.latest().closed.at(Timeframe::m1).open_time, noon);
  EXPECT_EQ(line.latest().tick, line.ticks().back());
  // A filled hole is not the newest.
  line.say(closed_candle(noon - 5min, noon + 1min + 1s));
  EXPECT_EQ(line.latest().closed.at(Timeframe::m1).open_time, noon);
}

TEST(VenuePipeline, TheLastPriceIsTheNewestByTheVenuesClock) {
  Line line({.snapshots = {.interval = 50s}}, false);
  line.clock(noon);
  line.say(ticker(noon + 40s, "111"));
  line.say(ticker(noon + 20s, "90"));
  line.clock(noon + 50s);
  line.clock(noon + 60s);
  ASSERT_THAT(line.ticks(), SizeIs(1));
  EXPECT_EQ(decimal_at(line.ticks()[0], "last_price"), decimal("111"));
}

TEST(VenuePipeline, TicksTellTheFundamentalsThatWereKnownAtTheirInstant) {
  Line line({.snapshots = {.interval = 50s}}, false);
  line.clock(noon);
  line.clock(noon + 50s);
  line->set_fundamentals(bitcoin(), {.market_cap = decimal("1300000000000.5"),
                                     .circulating_supply = decimal("20068353")});
  line.clock(noon + 100s);
  line->set_fundamentals(bitcoin(), {});
  line.clock(noon + 150s);
  line.clock(noon + 170s);
  const auto rows = line.ticks();
  ASSERT_THAT(rows, SizeIs(3));
  EXPECT_TRUE(schema::is_null(rows[0].at("market_cap")));
  EXPECT_EQ(decimal_at(rows[1], "market_cap"), decimal("1300000000000.5"));
  EXPECT_EQ(decimal_at(rows[1], "circulating_supply"), decimal("20068353"));
  EXPECT_TRUE(schema::is_null(rows[2].at("market_cap")));
  EXPECT_TRUE(schema::is_null(rows[2].at("circulating_supply")));
}

TEST(VenuePipeline, AtTheEndOfAReplayWhatIsOverIsClosed) {
  LatestBoard board;
  testing::KeptOutput output;
  VenuePipeline pipeline({.track_all = true}, {}, board, output);
  pipeline.on_events({closed_candle(noon - 1min, noon + 1s), ticker(noon + 2s, "5"),
                      forming_candle(noon, noon + 58s),
                      forming_candle(noon, noon + 5min, Timeframe::m5),
                      ticker(noon + 1min + 1s, "5")});
  EXPECT_THAT(output.of(schema::fact_ohlcv), SizeIs(1));
  pipeline.finish();
  const auto rows = output.of(schema::fact_ohlcv);
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(time_at(rows[1], "timestamp"), noon);
  EXPECT_EQ(rows[1].at("is_closed"), schema::Value{true});
  EXPECT_THAT(times(output.of(schema::market_ticks), "exchange_ts"),
              ElementsAre(noon + 1min, noon + 2min, noon + 3min, noon + 4min, noon + 5min));
  EXPECT_EQ(board.instruments(), std::vector<const Instrument*>{&bitcoin()});
}

}  // namespace
}  // namespace candlewick::pipeline
