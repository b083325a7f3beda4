// Two ways to the same candle: what agrees is counted, what does not is told.
#include "pipeline/second_opinion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/testing.h"

namespace candlewick::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::bitcoin;
using testing::closed_candle;
using testing::decimal;
using testing::integer_at;
using ::testing::IsEmpty;
using testing::KeptOutput;
using testing::noon;
using ::testing::SizeIs;
using testing::time_at;

Time minute(int count) {
  return noon + count * 1min;
}

Candle built(int count) {
  Candle candle = closed_candle(minute(count));
  candle.source = Source::trades;
  return candle;
}

class SecondOpinionTest : public ::testing::Test {
 protected:
  void tell(int count) {
    const Candle candle = closed_candle(minute(count));
    told.apply(candle);
    opinion.closed(candle, noon, output);
  }
  void build(const Candle& candle) { opinion.compare(candle, told, noon, output); }
  // The one row that counts.
  schema::Row counted() {
    opinion.flush(noon + 2h, output);
    const auto rows = output.of(schema::verification);
    EXPECT_THAT(rows, SizeIs(1));
    return rows.at(0);
  }
  std::vector<schema::Row> mismatches() const { return output.of(schema::verification_mismatch); }

  CandleSeries told{bitcoin(), Timeframe::m1, 1000};
  SecondOpinion opinion{bitcoin()};
  KeptOutput output;
};

TEST_F(SecondOpinionTest, WhatAgreesIsCounted) {
  for (int count = 3; count < 7; ++count) {
    tell(count);
    build(built(count));
  }
  EXPECT_THAT(output.rows, IsEmpty());
  const auto row = counted();
  EXPECT_EQ(row.at("against"), schema::Value{"trades"});
  EXPECT_EQ(row.at("timeframe"), schema::Value{"1m"});
  EXPECT_EQ(time_at(row, "from"), minute(3));
  EXPECT_EQ(time_at(row, "to"), minute(7));
  EXPECT_EQ(integer_at(row, "checked"), 4);
  EXPECT_EQ(integer_at(row, "equal"), 4);
  EXPECT_EQ(integer_at(row, "different"), 0);
  EXPECT_EQ(time_at(row, "recorded_at"), noon + 2h);
  EXPECT_EQ(opinion.differences(), 0U);
  // Counted once.
  output.rows.clear();
  opinion.flush(noon + 3h, output);
  EXPECT_THAT(output.rows, IsEmpty());
}

TEST_F(SecondOpinionTest, WhatDiffersIsRecordedAndNothingIsChanged) {
  tell(0);
  Candle other = built(0);
  other.high = decimal("500");
  other.volume = decimal("0.1");
  build(other);
  ASSERT_THAT(mismatches(), SizeIs(1));
  const auto row = mismatches()[0];
  EXPECT_EQ(row.at("against"), schema::Value{"trades"});
  EXPECT_EQ(row.at("action"), schema::Value{"recorded"});
  EXPECT_EQ(row.at("columns"), schema::Value{"high,volume"});
  EXPECT_EQ(time_at(row, "timestamp"), noon);
  EXPECT_NE(std::get<schema::Json>(row.at("found")).text.find(R"("high":500)"), std::string::npos);
  EXPECT_EQ(std::get<schema::Json>(row.at("stored")).text.find(R"("high":500)"), std::string::npos);
  EXPECT_TRUE(told.closed_at(noon)->same_values(closed_candle(noon)));
  EXPECT_EQ(told.closed_at(noon)->revision, 0);
  EXPECT_EQ(opinion.differences(), 1U);
  EXPECT_EQ(integer_at(counted(), "different"), 1);
}

TEST_F(SecondOpinionTest, WhatTheStreamDoesNotSayIsNotHeldAgainstIt) {
  Candle brief = closed_candle(noon);
  brief.trade_count.reset();
  brief.taker_buy_volume.reset();
  told.apply(brief);
  Candle other = built(0);
  other.trade_count = 77'777;
  build(other);
  EXPECT_THAT(mismatches(), IsEmpty());
  EXPECT_EQ(integer_at(counted(), "equal"), 1);
}

TEST_F(SecondOpinionTest, EitherMayComeFirst) {
  Candle other = built(1);
  other.close = decimal("1");
  build(built(0));
  build(other);
  EXPECT_THAT(output.rows, IsEmpty());
  tell(1);
  ASSERT_THAT(mismatches(), SizeIs(1));
  EXPECT_EQ(time_at(mismatches()[0], "timestamp"), minute(1));
  tell(0);
  // One that was judged does not wait any more.
  tell(1);
  EXPECT_THAT(mismatches(), SizeIs(1));
  const auto row = counted();
  EXPECT_EQ(integer_at(row, "checked"), 2);
  EXPECT_EQ(integer_at(row, "equal"), 1);
  EXPECT_EQ(time_at(row, "from"), noon);
  EXPECT_EQ(time_at(row, "to"), minute(2));
}

TEST_F(SecondOpinionTest, OfTwoThatWaitForTheSameCandleTheNewerIsCompared) {
  Candle early = built(0);
  early.close = decimal("1");
  build(early);
  build(built(0));
  tell(0);
  EXPECT_THAT(mismatches(), IsEmpty());
  EXPECT_EQ(integer_at(counted(), "checked"), 1);
}

TEST_F(SecondOpinionTest, OfManyThatWaitTheOldestGo) {
  for (int count = 0; count < 70; ++count) build(built(count));
  for (int count = 0; count < 6; ++count) tell(count);
  opinion.flush(noon, output);
  EXPECT_THAT(output.rows, IsEmpty());
  for (int count = 6; count < 10; ++count) tell(count);
  EXPECT_EQ(integer_at(counted(), "checked"), 4);
}

TEST_F(SecondOpinionTest, OneRowCountsAnHour) {
  for (int count = 0; count < 130; ++count) {
    tell(count);
    build(built(count));
  }
  const auto rows = output.of(schema::verification);
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(time_at(rows[0], "from"), noon);
  EXPECT_EQ(time_at(rows[0], "to"), minute(60));
  EXPECT_EQ(time_at(rows[1], "from"), minute(60));
  EXPECT_EQ(integer_at(rows[1], "checked"), 60);
}

}  // namespace
}  // namespace candlewick::pipeline
