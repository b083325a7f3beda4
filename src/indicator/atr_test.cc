// True ranges and their average against the reference libraries.
#include "indicator/atr.h"

#include <gtest/gtest.h>

#include "indicator/reference_data.h"
#include "test/support/shared_data.h"

namespace candlewick::indicator {
namespace {

reference::Run averages(Atr atr, const std::vector<Bar>& bars) {
  return reference::run(std::move(atr), bars, [](Atr& each, const Bar& bar) { each.push(bar); });
}

reference::Run percent_of_close(reference::Run run, const std::vector<Bar>& bars) {
  for (std::size_t i = 0; i < run.size(); ++i) {
    if (run[i]) run[i] = 100 * *run[i] / bars[i].close.to_double();
  }
  return run;
}

reference::Run true_ranges(const std::vector<Bar>& bars) {
  reference::Run run;
  std::optional<Decimal> last;
  for (const Bar& bar : bars) {
    run.push_back(true_range(bar, last));
    last = bar.close;
  }
  return run;
}

TEST(Atr, CountsAGapToTheCloseBefore) {
  const Bar bar{.high = Decimal(12), .low = Decimal(11), .close = Decimal(11)};
  EXPECT_EQ(true_range(bar, std::nullopt), 1.0);
  EXPECT_EQ(true_range(bar, Decimal(9)), 3.0);
  EXPECT_EQ(true_range(bar, Decimal(15)), 4.0);
  EXPECT_EQ(true_range(bar, *Decimal::parse("11.5")), 1.0);
}

TEST(Atr, AgreesWithTalib) {
  REQUIRE_SHARED_DATA();
  const auto bars = reference::talib_bars();
  int compared = 0;
  for (const auto& row : reference::talib_rows("test_trange")) {
    ASSERT_TRUE(row.has_values());
    const bool average = row["doAverage"] == "1";
    const auto run =
        average ? averages(Atr(static_cast<std::size_t>(row.number("optInTimePeriod"))), bars)
                : true_ranges(bars);
    EXPECT_TRUE(reference::agrees_at(row, run, row["oneOfTheExpectedOutRealIndex"],
                                     row["oneOfTheExpectedOutReal"]));
    ++compared;
  }
  for (const auto& row : reference::talib_rows("test_per_hlc")) {
    if (row["theFunction"] != "TA_NATR_TEST") continue;
    const auto length = static_cast<std::size_t>(row.number("optInTimePeriod1"));
    const auto run = percent_of_close(averages(Atr(length), bars), bars);
    EXPECT_TRUE(reference::agrees_at(row, run, row["oneOfTheExpectedOutRealIndex0"],
                                     row["oneOfTheExpectedOutReal0"]));
    ++compared;
  }
  EXPECT_EQ(compared, 20);
}

TEST(Atr, AgreesWithTulip) {
  REQUIRE_SHARED_DATA();
  std::size_t compared = 0;
  for (const char* name : {"atr", "natr", "tr"}) {
    for (const auto& test : reference::tulip_cases(name)) {
      const auto bars = reference::bars(
          {.high = &test.rows.at(0), .low = &test.rows.at(1), .close = &test.rows.at(2)});
      auto run = true_ranges(bars);
      if (test.name != "tr") {
        const auto length = static_cast<std::size_t>(test.options.at(0));
        run = averages(Atr(length, Atr::FirstRange::first_bar), bars);
      }
      if (test.name == "natr") run = percent_of_close(std::move(run), bars);
      // One sheet of natr was made from averages that had been rounded to four digits.
      if (test.name == "natr" && test.options.at(0) == 4) {
        const auto& printed = test.rows.at(3);
        for (std::size_t i = 0; i < printed.size(); ++i) {
          const double expected = reference::evaluate(printed[i]).value;
          EXPECT_NEAR(*run.at(run.size() - printed.size() + i), expected, 5e-4);
        }
        compared += printed.size();
        continue;
      }
      compared += reference::compare_tulip(test, test.rows.at(3), run);
    }
  }
  EXPECT_EQ(compared, 91u);
}

TEST(Atr, AgreesWithTalipp) {
  REQUIRE_SHARED_DATA();
  const auto bars = reference::talipp_bars();
  const auto run = averages(Atr(5, Atr::FirstRange::first_bar), bars);
  EXPECT_EQ(reference::compare_talipp("ATR", "null", run), 3u);
  EXPECT_EQ(reference::compare_talipp("NATR", "null", percent_of_close(run, bars)), 3u);
}

}  // namespace
}  // namespace candlewick::indicator
