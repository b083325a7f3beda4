// Books and trades cannot be filled in afterwards: a minute of them was whole or it was not, and
// what is noticed late takes back what was said of the minutes before.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "pipeline/testing.h"
#include "pipeline/venue_pipeline.h"

namespace candlewick::pipeline {
namespace {

using namespace std::chrono_literals;
using exchange::Channel;
using exchange::ChannelKind;
using testing::bitcoin;
using testing::decimal;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::ledger_of;
using testing::Line;
using testing::newest_of;
using testing::noon;
using testing::said_of;

Time minute(int count) {
  return noon + count * 1min;
}

Trade trade(std::uint64_t id, Time time, std::string_view price) {
  return {.origin = {.instrument = &bitcoin(), .exchange_time = time, .received_time = time + 5ms},
          .id = id,
          .first_id = id,
          .last_id = id,
          .price = decimal(price),
          .size = decimal("1")};
}

class VenueStreams : public ::testing::Test {
 protected:
  VenueStreams() {
    line.start();
    line->on_live(channels);
  }
  BookUpdate delta(std::uint64_t number, Time time) const {
    return {.origin = {.instrument = &bitcoin(), .exchange_time = time, .received_time = time},
            .kind = BookKind::delta,
            .first_sequence = number,
            .sequence = number,
            .bids = {{Decimal{100}, Decimal{static_cast<std::int64_t>(number)}}},
            .asks = {}};
  }
  // A first update and the snapshot that is asked for then.
  void synchronise(std::uint64_t number, Time time) {
    line.say(delta(number, time));
    BookUpdate snapshot{.origin = {.instrument = &bitcoin()},
                        .kind = BookKind::snapshot,
                        .sequence = number,
                        .bids = {{Decimal{100}, Decimal{1}}},
                        .asks = {{Decimal{101}, Decimal{1}}}};
    const auto depth = std::ranges::find(line.asked, exchange::RestKind::depth,
                                         [](const auto& asked) { return asked.query.kind; });
    ASSERT_NE(depth, line.asked.end());
    const auto id = depth->id;
    line.asked.erase(depth);
    line->on_reply(id, {snapshot});
    ASSERT_TRUE(line.latest().ladder);
  }

  const std::vector<Channel> channels{{.kind = ChannelKind::book, .instrument = &bitcoin()},
                                      {.kind = ChannelKind::trades, .instrument = &bitcoin()}};
  Line line{PipelineOptions{.history = 1h, .book_rule = exchange::BookRule::ranges}};
};

TEST(VenueDerivatives, KeepTheNewestOfEachFigureAndAskForWhatNoStreamTells) {
  Line line{PipelineOptions{.history = 1h, .derivative_interval = 1min}};
  line.start(noon);  // asks, and is answered
  const auto told = [](Time time) {
    return Derivative{.origin = {.instrument = &bitcoin(), .exchange_time = time}};
  };
  const auto count_asked = [&] {
    return std::ranges::count(line.asked, exchange::RestKind::derivative,
                              [](const auto& asked) { return asked.query.kind; });
  };
  Derivative price = told(noon + 1s);
  price.mark_price = decimal("60001.5");
  price.funding_rate = decimal("-0.0001");
  line.say(price);
  ASSERT_EQ(count_asked(), 0);
  line.clock(minute(1) + 1s);
  ASSERT_EQ(count_asked(), 1);
  line.clock(minute(3));
  EXPECT_EQ(count_asked(), 1) << "not again while an answer is on its way";
  const auto asked = std::ranges::find(line.asked, exchange::RestKind::derivative,
                                       [](const auto& one) { return one.query.kind; });
  const auto id = asked->id;
  line.asked.erase(asked);
  Derivative interest = told(minute(3));
  interest.open_interest = decimal("1234.5");
  line->on_reply(id, {interest});
  price.mark_price = decimal("60002");
  price.funding_rate.reset();
  line.say(price);
  const auto known = line.latest().derivative;
  ASSERT_TRUE(known);
  EXPECT_EQ(known->mark_price, decimal("60002"));
  EXPECT_EQ(known->funding_rate, decimal("-0.0001"));
  EXPECT_EQ(known->open_interest, decimal("1234.5"));
  line.clock(minute(4) + 2s);
  EXPECT_EQ(count_asked(), 1);
}

TEST_F(VenueStreams, AMinuteOfTheBookIsLiveOnlyIfTheBookWasInStepThroughout) {
  synchronise(10, noon + 40s);
  std::uint64_t number = 10;
  for (Time time = noon + 45s; time < minute(4); time += 5s) {
    ++number;
    if (time == minute(2) + 30s) ++number;  // one is lost
    line.say(delta(number, time));
    if (time == minute(2) + 40s) synchronise(++number, time + 1s);
  }
  line.say(delta(++number, minute(4)));
  EXPECT_THAT(
      newest_of(line, noon, minute(4), "book"),
      ElementsAre("unrecoverable before_start", "live", "unrecoverable sequence_gap", "live"));
}

TEST_F(VenueStreams, AMinuteOfABookThatIsNotInStepIsNotLive) {
  line.say(delta(1, noon + 40s));
  line.clock(minute(1));
  line.clock(minute(2));
  EXPECT_THAT(newest_of(line, noon, minute(2), "book"),
              ::testing::Each("unrecoverable before_start"));
}

TEST_F(VenueStreams, AGapBehindAMinutesEndTakesThatMinuteWithIt) {
  synchronise(10, noon + 40s);
  line.say(delta(11, minute(1) + 58s));
  // What is lost may be of before or after the full minute.
  line.say(delta(13, minute(2) + 1s));
  EXPECT_THAT(said_of(line.output, minute(1), "book").back(), "unrecoverable sequence_gap");
  line.clock(minute(3));
  EXPECT_THAT(said_of(line.output, minute(2), "book").back(), "unrecoverable sequence_gap");
}

TEST_F(VenueStreams, AMinuteOfTradesIsLiveOnlyIfNoneIsMissing) {
  line.say(trade(1, noon + 40s, "1"));
  line.say(trade(2, minute(1) + 40s, "1"));
  line.say(trade(3, minute(2) + 40s, "1"));
  line.say(trade(5, minute(2) + 50s, "1"));
  line.say(trade(6, minute(3) + 50s, "1"));
  line->on_down(channels, "reset");
  line.clock(minute(5) + 1s);
  line->on_live(channels);
  line.say(trade(7, minute(5) + 10s, "1"));
  line.say(trade(8, minute(6) + 10s, "1"));
  line.say(trade(9, minute(7) + 10s, "1"));
  EXPECT_THAT(newest_of(line, noon, minute(7), "trades"),
              ElementsAre("unrecoverable before_start", "live", "unrecoverable sequence_gap",
                          "unrecoverable disconnect", "unrecoverable disconnect",
                          "unrecoverable disconnect", "live"));
}

TEST_F(VenueStreams, TradesLostAcrossAMinutesEndTakeBothMinutesWithThem) {
  line.say(trade(1, noon + 40s, "1"));
  line.say(trade(2, minute(1) + 50s, "1"));
  line.say(trade(4, minute(2) + 10s, "1"));
  line.clock(minute(3));
  EXPECT_THAT(newest_of(line, noon, minute(3), "trades"),
              ElementsAre("unrecoverable before_start", "unrecoverable sequence_gap",
                          "unrecoverable sequence_gap"));
}

TEST_F(VenueStreams, ASilenceBeginsWithTheNewestTradeNotWithItsDiscovery) {
  line.say(trade(1, noon + 40s, "1"));
  line.say(trade(2, minute(1) + 50s, "1"));
  line.clock(minute(2) + 20s);
  line->on_down(channels, "silence: no frame for longer than the limit");
  line.clock(minute(3));
  EXPECT_THAT(said_of(line.output, minute(1), "trades").back(), "unrecoverable silence");
  EXPECT_THAT(said_of(line.output, minute(2), "trades").back(), "unrecoverable silence");
}

TEST_F(VenueStreams, MinutesThatTheClockLeaptOverAreNotCalledLive) {
  line.say(trade(1, noon + 40s, "1"));
  line.say(trade(2, minute(1) + 10s, "1"));
  line.clock(minute(4) + 10s);
  EXPECT_THAT(newest_of(line, minute(1), minute(4), "trades"),
              ::testing::Each("unrecoverable silence"));
}

TEST(VenueStreamsThatNobodyFollows, HaveNoCoverage) {
  Line line({.history = 1h});
  line.start();
  line.live(noon, minute(3));
  EXPECT_THAT(ledger_of(line.output, "book"), IsEmpty());
  EXPECT_THAT(ledger_of(line.output, "trades"), IsEmpty());
}

}  // namespace
}  // namespace candlewick::pipeline
