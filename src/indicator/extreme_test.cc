// Rolling extremes against a plain search and the reference libraries.
#include "indicator/extreme.h"

#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "indicator/reference_data.h"
#include "test/support/shared_data.h"

namespace candlewick::indicator {
namespace {

reference::Run extremes(Extreme extreme, const std::vector<Decimal>& values) {
  return reference::run(
      std::move(extreme), values, [](Extreme& each, Decimal value) { each.push(value); },
      [](const Extreme& each) {
        return each.full() ? Output(each.value().to_double()) : std::nullopt;
      });
}

TEST(Extreme, IsWhatASearchFinds) {
  EXPECT_TRUE(rc::check([](const std::vector<std::int8_t>& values) {
    const auto length = *rc::gen::inRange<std::size_t>(1, 8);
    Extreme greatest(Extreme::Kind::greatest, length);
    Extreme least(Extreme::Kind::least, length);
    for (std::size_t i = 0; i < values.size(); ++i) {
      greatest.push(Decimal(values[i]));
      least.push(Decimal(values[i]));
      const auto first =
          values.begin() + static_cast<std::ptrdiff_t>(i + 1 - std::min(length, i + 1));
      const auto last = values.begin() + static_cast<std::ptrdiff_t>(i + 1);
      RC_ASSERT(greatest.value() == Decimal(*std::max_element(first, last)));
      RC_ASSERT(least.value() == Decimal(*std::min_element(first, last)));
      RC_ASSERT(greatest.full() == (i + 1 >= length));
    }
  }));
}

// TA-Lib's tables are of the opens.
TEST(Extreme, AgreesWithTalib) {
  REQUIRE_SHARED_DATA();
  const auto bars = reference::talib_bars();
  std::vector<Decimal> opens;
  for (const Bar& bar : bars) opens.push_back(bar.open);
  int compared = 0;
  for (const auto& row : reference::talib_rows("test_minmax")) {
    const auto& function = row["theFunction"];
    if ((function != "TA_MAX_TEST" && function != "TA_MIN_TEST") || !row.has_values()) continue;
    const auto kind = function == "TA_MAX_TEST" ? Extreme::Kind::greatest : Extreme::Kind::least;
    const auto run =
        extremes(Extreme(kind, static_cast<std::size_t>(row.number("optInTimePeriod"))), opens);
    EXPECT_TRUE(reference::agrees_at(row, run, row["oneOfTheExpectedOutRealIndex0"],
                                     row["oneOfTheExpectedOutReal0"]));
    ++compared;
  }
  EXPECT_EQ(compared, 48);
}

TEST(Extreme, AgreesWithTulip) {
  REQUIRE_SHARED_DATA();
  std::size_t compared = 0;
  for (const char* name : {"max", "min"}) {
    for (const auto& test : reference::tulip_cases(name)) {
      const auto kind = test.name == "max" ? Extreme::Kind::greatest : Extreme::Kind::least;
      const auto length = static_cast<std::size_t>(test.options.at(0));
      const auto run = extremes(Extreme(kind, length), reference::decimals(test.rows.at(0)));
      compared += reference::compare_tulip(test, test.rows.at(1), run);
    }
  }
  EXPECT_EQ(compared, 42u);
}

}  // namespace
}  // namespace candlewick::indicator
