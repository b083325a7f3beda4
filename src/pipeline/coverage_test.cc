// The ledger's words, numbers and rows.
#include "pipeline/coverage.h"

#include <gtest/gtest.h>

#include "pipeline/testing.h"

namespace candlewick::pipeline {
namespace {

using testing::bitcoin;
using testing::noon;
using namespace std::chrono_literals;

TEST(CoverageState, ReadsBackEveryStateThatIsWritten) {
  for (const auto state :
       {CoverageState::live, CoverageState::backfilled, CoverageState::confirmed_empty,
        CoverageState::missing, CoverageState::unrecoverable, CoverageState::halted,
        CoverageState::not_listed}) {
    EXPECT_EQ(parse_coverage_state(to_text(state)), state) << to_text(state);
  }
  EXPECT_EQ(to_text(CoverageState::confirmed_empty), "confirmed_empty");
  EXPECT_EQ(parse_coverage_state("unknown"), std::nullopt) << "it is never written";
  EXPECT_EQ(parse_coverage_state("fine"), std::nullopt);
}

TEST(CoverageSequence, GrowsEvenWhenTheClockDoesNot) {
  CoverageSequence sequence;
  EXPECT_EQ(sequence.next(noon), to_ns(noon));
  EXPECT_EQ(sequence.next(noon), to_ns(noon) + 1);
  EXPECT_EQ(sequence.next(noon - 1h), to_ns(noon) + 2);
  EXPECT_EQ(sequence.next(noon + 1s), to_ns(noon + 1s));
}

TEST(CoverageSequence, GoesOnBehindWhatTheLedgerHas) {
  CoverageSequence sequence;
  sequence.seen(to_ns(noon + 1h));
  sequence.seen(to_ns(noon));
  EXPECT_EQ(sequence.next(noon), to_ns(noon + 1h) + 1);
}

TEST(CoverageRow, IsTrueToItsTable) {
  CoverageSequence sequence;
  const auto row = coverage_row({.instrument = &bitcoin(),
                                 .timeframe = Timeframe::m5,
                                 .stream = Stream::trades,
                                 .span = {noon, noon + 1h},
                                 .state = CoverageState::unrecoverable,
                                 .cause = cause::out_of_reach,
                                 .evidence = "asked, and \"nothing\" was answered"},
                                noon + 2h, sequence);
  ASSERT_EQ(row.table, &schema::coverage);
  schema::RowReader reader;
  const auto again = reader.read(schema::to_json(row));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, row);
  EXPECT_EQ(std::get<std::string>(row.at("exchange")), "binance");
  EXPECT_EQ(std::get<std::string>(row.at("timeframe")), "5m");
  EXPECT_EQ(std::get<std::string>(row.at("stream")), "trades");
  EXPECT_EQ(testing::time_at(row, "from"), noon);
  EXPECT_EQ(testing::time_at(row, "to"), noon + 1h);
  EXPECT_EQ(std::get<std::string>(row.at("state")), "unrecoverable");
  EXPECT_EQ(std::get<std::string>(row.at("cause")), "out_of_reach");
  EXPECT_EQ(testing::time_at(row, "recorded_at"), noon + 2h);
  EXPECT_EQ(testing::integer_at(row, "seq"), to_ns(noon + 2h));
}

TEST(CoverageRow, HasNoCauseAndNoEvidenceWhereThereIsNone) {
  CoverageSequence sequence;
  const auto row = coverage_row(
      {.instrument = &bitcoin(), .span = {noon, noon + 1min}, .state = CoverageState::live}, noon,
      sequence);
  EXPECT_TRUE(schema::is_null(row.at("cause")));
  EXPECT_TRUE(schema::is_null(row.at("evidence")));
}

}  // namespace
}  // namespace candlewick::pipeline
