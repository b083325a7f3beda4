// Rows of comparisons: true to their tables, exact, and honest about a side that is not there.
#include "pipeline/verification.h"

#include <gtest/gtest.h>

#include "pipeline/testing.h"

namespace candlewick::pipeline {
namespace {

using testing::bitcoin;
using testing::closed_candle;
using testing::decimal;
using testing::noon;
using namespace std::chrono_literals;

void expect_reads_back(const schema::Row& row) {
  ASSERT_EQ(row.values.size(), row.table->columns.size());
  schema::RowReader reader;
  const auto again = reader.read(schema::to_json(row));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, row) << schema::to_json(row);
}

TEST(Verification, CountsAComparisonInOneRow) {
  const auto row = verification_row({.instrument = &bitcoin(),
                                     .timeframe = Timeframe::m5,
                                     .against = Against::trades,
                                     .span = {noon, noon + 1h},
                                     .checked = 12,
                                     .equal = 9,
                                     .different = 2,
                                     .absent = 1},
                                    noon + 2h, 77);
  expect_reads_back(row);
  EXPECT_EQ(schema::key_text(row), "binance|BTC/USDT|5m|trades|77");
  EXPECT_EQ(testing::time_at(row, "from"), noon);
  EXPECT_EQ(testing::time_at(row, "to"), noon + 1h);
  EXPECT_EQ(testing::integer_at(row, "checked"), 12);
  EXPECT_EQ(testing::integer_at(row, "equal"), 9);
  EXPECT_EQ(testing::integer_at(row, "different"), 2);
  EXPECT_EQ(testing::integer_at(row, "absent"), 1);
  EXPECT_EQ(testing::time_at(row, "recorded_at"), noon + 2h);
}

TEST(Verification, KeepsBothSidesOfAMismatchWithEveryDigit) {
  Candle stored = closed_candle(noon);
  stored.open = decimal("1.000000000000000001");
  stored.taker_buy_volume.reset();
  stored.revision = 2;
  Candle found = stored;
  found.source = Source::rest;
  found.open = decimal("1.000000000000000002");
  found.volume = decimal("99999999999999999999.999999999999999999");
  found.taker_buy_volume = decimal("3");
  const auto row = mismatch_row(
      {.stored = stored, .found = found, .action = MismatchAction::revised}, noon + 1h);
  expect_reads_back(row);
  EXPECT_EQ(schema::key_text(row),
            "binance|BTC/USDT|1m|2024-05-01T12:00:00Z|rest|2024-05-01T13:00:00Z");
  EXPECT_EQ(std::get<std::string>(row.at("columns")), "open,volume")
      << "a column that one side lacks is no difference";
  EXPECT_EQ(std::get<std::string>(row.at("action")), "revised");
  const auto& before = std::get<schema::Json>(row.at("stored")).text;
  EXPECT_EQ(before.find(R"({"open":1.000000000000000001,)"), 0U) << before;
  EXPECT_NE(before.find(R"("taker_buy_volume":null)"), std::string::npos) << before;
  EXPECT_NE(before.find(R"("source":"ws","revision":2})"), std::string::npos) << before;
  const auto& after = std::get<schema::Json>(row.at("found")).text;
  EXPECT_NE(after.find(R"("volume":99999999999999999999.999999999999999999)"), std::string::npos)
      << after;
}

TEST(Verification, LeavesTheSideThatIsNotThereNull) {
  const auto gone =
      mismatch_row({.stored = closed_candle(noon), .against = Against::trades}, noon + 1h);
  expect_reads_back(gone);
  EXPECT_TRUE(schema::is_null(gone.at("found")));
  EXPECT_TRUE(schema::is_null(gone.at("columns")));
  EXPECT_EQ(std::get<std::string>(gone.at("action")), "recorded");
  const auto added =
      mismatch_row({.found = closed_candle(noon), .action = MismatchAction::backfilled}, noon + 1h);
  expect_reads_back(added);
  EXPECT_TRUE(schema::is_null(added.at("stored")));
  EXPECT_EQ(std::get<std::string>(added.at("action")), "backfilled");
  EXPECT_EQ(testing::time_at(added, "timestamp"), noon);
}

TEST(VerificationDeathTest, AMismatchOfNothingIsOurOwnFault) {
  EXPECT_DEATH((void)mismatch_row({}, noon), "broken invariant");
}

TEST(Against, ReadsItsOwnWordsAndNoOthers) {
  for (const auto against : {Against::rest, Against::trades, Against::book}) {
    EXPECT_EQ(parse_against(to_text(against)), against);
  }
  EXPECT_EQ(parse_against("hearsay"), std::nullopt);
}

}  // namespace
}  // namespace candlewick::pipeline
