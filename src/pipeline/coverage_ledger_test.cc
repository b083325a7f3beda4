// Assertions of a turn become few rows, and never say more than was asserted.
#include "pipeline/coverage_ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/testing.h"

namespace candlewick::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::bitcoin;
using ::testing::ElementsAre;
using testing::integer_at;
using ::testing::IsEmpty;
using testing::KeptOutput;
using testing::ledger_of;
using testing::noon;
using testing::Said;
using ::testing::SizeIs;
using testing::time_at;

Assertion minutes(int from, int to, CoverageState state, std::string_view why = {},
                  std::string evidence = {}) {
  return {.instrument = &bitcoin(),
          .span = {noon + from * 1min, noon + to * 1min},
          .state = state,
          .cause = why,
          .evidence = std::move(evidence)};
}

class CoverageLedgerTest : public ::testing::Test {
 protected:
  std::vector<Said> flush() {
    output.rows.clear();
    ledger.flush(noon + 1h, output);
    return ledger_of(output);
  }

  CoverageLedger ledger;
  KeptOutput output;
};

TEST_F(CoverageLedgerTest, JoinsWhatMeetsAndSaysTheSame) {
  for (int minute = 0; minute < 1000; ++minute) {
    ledger.add(minutes(minute, minute + 1, CoverageState::backfilled, cause::before_start,
                       fmt::format("answer {}", minute)));
  }
  EXPECT_THAT(flush(), ElementsAre(Said{noon, noon + 1000min, "backfilled", "before_start"}));
  EXPECT_EQ(output.rows[0].at("evidence"), schema::Value{"answer 999"});
  EXPECT_EQ(time_at(output.rows[0], "recorded_at"), noon + 1h);
}

TEST_F(CoverageLedgerTest, KeepsApartWhatDiffersInStateOrCauseOrDoesNotMeet) {
  ledger.add(minutes(0, 1, CoverageState::missing, cause::silence));
  ledger.add(minutes(1, 2, CoverageState::missing, cause::disconnect));
  ledger.add(minutes(2, 3, CoverageState::backfilled, cause::disconnect));
  ledger.add(minutes(4, 5, CoverageState::backfilled, cause::disconnect));
  ledger.add(minutes(3, 4, CoverageState::backfilled, cause::disconnect));
  EXPECT_THAT(flush(), ElementsAre(Said{noon, noon + 1min, "missing", "silence"},
                                   Said{noon + 1min, noon + 2min, "missing", "disconnect"},
                                   Said{noon + 2min, noon + 3min, "backfilled", "disconnect"},
                                   Said{noon + 4min, noon + 5min, "backfilled", "disconnect"},
                                   Said{noon + 3min, noon + 4min, "backfilled", "disconnect"}));
}

// The later one wins, so an earlier one must not be stretched past it.
TEST_F(CoverageLedgerTest, JoinsOnlyToTheNewestOfAStream) {
  ledger.add(minutes(0, 1, CoverageState::missing, cause::silence));
  ledger.add(minutes(0, 2, CoverageState::live));
  ledger.add(minutes(1, 2, CoverageState::missing, cause::silence));
  EXPECT_THAT(flush(), ElementsAre(Said{noon, noon + 1min, "missing", "silence"},
                                   Said{noon, noon + 2min, "live", ""},
                                   Said{noon + 1min, noon + 2min, "missing", "silence"}));
}

TEST_F(CoverageLedgerTest, JoinsEachStreamByItself) {
  const Instrument ether{.exchange = "binance", .symbol = "ETH/USDT", .exchange_symbol = "ETHUSDT"};
  for (int minute = 0; minute < 3; ++minute) {
    Assertion assertion = minutes(minute, minute + 1, CoverageState::live);
    ledger.add(assertion);
    assertion.stream = Stream::book;
    ledger.add(assertion);
    assertion.stream = Stream::candles;
    assertion.instrument = &ether;
    ledger.add(assertion);
    assertion.instrument = &bitcoin();
    assertion.timeframe = Timeframe::m5;
    ledger.add(assertion);
  }
  ledger.flush(noon, output);
  ASSERT_THAT(output.rows, SizeIs(4));
  for (const auto& row : output.rows) {
    EXPECT_EQ(time_at(row, "from"), noon);
    EXPECT_EQ(time_at(row, "to"), noon + 3min);
  }
}

TEST_F(CoverageLedgerTest, WritesEachAssertionOnceAndNumbersThemOnwards) {
  ledger.seen(to_ns(noon + 2h));
  ledger.add(minutes(0, 1, CoverageState::live));
  ledger.add(minutes(5, 6, CoverageState::live));
  ledger.flush(noon, output);
  ASSERT_THAT(output.rows, SizeIs(2));
  EXPECT_EQ(integer_at(output.rows[0], "seq"), to_ns(noon + 2h) + 1);
  EXPECT_EQ(integer_at(output.rows[1], "seq"), to_ns(noon + 2h) + 2);
  EXPECT_THAT(flush(), IsEmpty());
  // What is written is not stretched any more.
  ledger.add(minutes(6, 7, CoverageState::live));
  EXPECT_THAT(flush(), ElementsAre(Said{noon + 6min, noon + 7min, "live", ""}));
}

}  // namespace
}  // namespace candlewick::pipeline
