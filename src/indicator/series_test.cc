// Corrections and restarts leave no trace: the values are those of a computation from scratch, bit
// for bit.
#include "indicator/series.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "indicator/random_bars.h"
#include "indicator/registry.h"

namespace candlewick::indicator {
namespace {

using namespace std::chrono_literals;
using enum Applied::Outcome;

constexpr Duration length = 1h;

std::vector<Values> from_scratch(const std::vector<Bar>& bars) {
  Calculator calculator(length);
  std::vector<Values> result;
  for (const Bar& bar : bars) {
    calculator.push(bar);
    result.push_back(calculator.values());
  }
  return result;
}

std::vector<Values> all_values(const Series& series, Time first, Time last) {
  std::vector<Values> result;
  series.each(first, last, [&](const Values& values) { result.push_back(values); });
  return result;
}

// Every value that the series can still tell equals the one from scratch.
void expect_equal(const Series& series, const std::vector<Bar>& bars, std::size_t from) {
  const auto expected = from_scratch(bars);
  const auto actual = all_values(series, bars[from].open_time, bars.back().open_time);
  RC_ASSERT(actual.size() == bars.size() - from);
  for (std::size_t i = 0; i < actual.size(); ++i) RC_ASSERT(actual[i] == expected[from + i]);
  RC_ASSERT(series.latest() == expected.back());
}

Bar changed(Bar bar, std::mt19937_64& random) {
  bar.close =
      Decimal::from_count(bar.low.count() + static_cast<std::int64_t>(random() % 1'000'000'007));
  bar.volume = Decimal(static_cast<std::int64_t>(random() % 1000));
  return bar;
}

TEST(Series, TellsTheValuesOfEveryBar) {
  EXPECT_TRUE(rc::check([](std::uint64_t seed) {
    const auto bars = random_bars::make(seed, 100, length, 30);
    Series series(length);
    for (const Bar& bar : bars) {
      const Applied applied = series.apply(bar);
      RC_ASSERT(applied.outcome == appended);
      RC_ASSERT(applied.bars == 1u);
      RC_ASSERT(applied.first == bar.open_time);
    }
    expect_equal(series, bars, 0);
    const auto some = *rc::gen::inRange<std::size_t>(0, bars.size());
    RC_ASSERT(series.values_at(bars[some].open_time) == from_scratch(bars)[some]);
    RC_ASSERT(series.values_at(bars[some].open_time + 1s) == std::nullopt);
  }));
}

TEST(Series, AmendedAndInsertedBarsEqualAHistoryThatWasRightFromTheStart) {
  EXPECT_TRUE(rc::check([](std::uint64_t seed) {
    std::mt19937_64 random(seed);
    constexpr std::size_t horizon = 90;
    auto truth = random_bars::make(seed, 260, length, 50);
    // What arrives: some bars late, some with wrong numbers first.
    Series series(length, {.horizon = horizon});
    std::vector<Bar> late;
    std::vector<Bar> known;
    const auto set = [&](const Bar& bar) {
      const auto at = std::ranges::lower_bound(known, bar.open_time, {}, &Bar::open_time);
      const bool exists = at != known.end() && at->open_time == bar.open_time;
      const bool newest = at == known.end();
      const auto since = static_cast<std::size_t>(known.end() - at) + (exists ? 0 : 1);
      const Applied applied = series.apply(bar);
      RC_ASSERT(applied.outcome == (newest ? appended : exists ? amended : inserted));
      RC_ASSERT(applied.bars == since);
      RC_ASSERT(applied.first == bar.open_time);
      if (exists) {
        *at = bar;
      } else {
        known.insert(at, bar);
      }
      RC_ASSERT(applied.last == known.back().open_time);
    };
    for (const Bar& bar : truth) {
      const auto fate = random() % 20;
      if (fate == 0) {
        late.push_back(bar);
        continue;
      }
      if (fate == 1) {
        late.push_back(bar);
        set(changed(bar, random));
      } else {
        set(bar);
      }
      const bool due = !late.empty() && bar.open_time - late.front().open_time > length * 40;
      if (due || (!late.empty() && random() % 10 == 0)) {
        const auto pick = due ? 0 : random() % late.size();
        set(late[pick]);
        late.erase(late.begin() + static_cast<std::ptrdiff_t>(pick));
        const std::size_t from = known.size() - std::min<std::size_t>(known.size(), 60);
        expect_equal(series, known, from);
      }
    }
    for (const Bar& bar : late) set(bar);
    RC_ASSERT(known.size() == truth.size());
    expect_equal(series, truth, truth.size() - 60);
  }));
}

TEST(Series, ReportsWhatItIgnores) {
  auto bars = random_bars::make(7, 400, length);
  Series series(length, {.horizon = 10});
  for (const Bar& bar : bars) series.apply(bar);
  const auto before = series.checkpoint();

  EXPECT_EQ(series.apply(bars.back()).outcome, unchanged);
  EXPECT_EQ(series.apply(bars[395]).outcome, unchanged);
  std::mt19937_64 random(1);
  const Applied old = series.apply(changed(bars[389], random));
  EXPECT_EQ(old.outcome, out_of_horizon);
  EXPECT_EQ(old.bars, 0u);
  EXPECT_EQ(series.apply(changed(bars[3], random)).outcome, out_of_horizon);
  Bar ancient = bars[0];
  ancient.open_time -= length;
  EXPECT_EQ(series.apply(ancient).outcome, out_of_horizon);
  EXPECT_EQ(series.checkpoint(), before);

  const Applied newest_allowed = series.apply(changed(bars[390], random));
  EXPECT_EQ(newest_allowed.outcome, amended);
  EXPECT_EQ(newest_allowed.bars, 10u);
}

TEST(Series, TakesABarBeforeTheFirstOne) {
  auto bars = random_bars::make(8, 60, length);
  Series series(length);
  for (std::size_t i = 1; i < bars.size(); ++i) series.apply(bars[i]);
  const Applied applied = series.apply(bars[0]);
  EXPECT_EQ(applied.outcome, inserted);
  EXPECT_EQ(applied.bars, 60u);
  EXPECT_EQ(series.latest(), from_scratch(bars).back());
}

TEST(Series, IsEmptyAtFirst) {
  const Series series(length);
  EXPECT_EQ(series.latest(), std::nullopt);
  EXPECT_EQ(series.values_at(Time{}), std::nullopt);
  EXPECT_TRUE(all_values(series, Time{}, Time{} + 1h).empty());
  Series restored(length);
  EXPECT_TRUE(restored.restore(series.checkpoint(), {}));
  EXPECT_EQ(restored.latest(), std::nullopt);
}

TEST(Series, ContinuesFromACheckpointBitForBit) {
  EXPECT_TRUE(rc::check([](std::uint64_t seed) {
    std::mt19937_64 random(seed);
    const auto bars = random_bars::make(seed, 300, length, 60);
    const auto cut = *rc::gen::inRange<std::size_t>(1, bars.size());
    Series unbroken(length, {.horizon = 50});
    for (std::size_t i = 0; i < cut; ++i) unbroken.apply(bars[i]);
    const std::string checkpoint = unbroken.checkpoint();

    // With as little history as allowed, with as much as corrections need, and with all.
    for (const std::size_t kept : {unbroken.windows_need(), unbroken.corrections_need(), cut}) {
      Series restored(length, {.horizon = 50});
      const auto history = std::span(bars).first(cut).last(std::min(kept, cut));
      RC_ASSERT(restored.restore(checkpoint, history).has_value());
      RC_ASSERT(restored.latest() == unbroken.latest());
      for (std::size_t i = cut; i < bars.size(); ++i) restored.apply(bars[i]);
      RC_ASSERT(restored.latest() == from_scratch(bars).back());
    }

    // Corrections after the restart, of bars before it.
    Series restored(length, {.horizon = 50});
    RC_ASSERT(restored
                  .restore(checkpoint, std::span(bars).first(cut).last(
                                           std::min(cut, unbroken.corrections_need())))
                  .has_value());
    RC_ASSERT(restored.checkpoint() == checkpoint);
    const auto back = *rc::gen::inRange<std::size_t>(0, std::min<std::size_t>(cut, 30));
    auto corrected = bars;
    corrected[cut - 1 - back] = changed(bars[cut - 1 - back], random);
    const bool reachable = bars[cut - 1].open_time - bars[cut - 1 - back].open_time < length * 50;
    RC_ASSERT(restored.apply(corrected[cut - 1 - back]).outcome ==
              (reachable ? amended : out_of_horizon));
    if (!reachable) return;
    for (std::size_t i = cut; i < bars.size(); ++i) restored.apply(bars[i]);
    RC_ASSERT(restored.latest() == from_scratch(corrected).back());
  }));
}

TEST(Series, BelievesTheCheckpointWhenTheHistoryDiffers) {
  auto bars = random_bars::make(9, 300, length);
  Series unbroken(length, {.horizon = 50});
  for (const Bar& bar : bars) unbroken.apply(bar);
  auto other = bars;
  std::mt19937_64 random(2);
  other[280] = changed(other[280], random);
  Series restored(length, {.horizon = 50});
  ASSERT_TRUE(restored.restore(unbroken.checkpoint(), other));
  EXPECT_EQ(restored.latest()->rsi_14, unbroken.latest()->rsi_14);
  EXPECT_EQ(restored.latest()->macd, unbroken.latest()->macd);
  EXPECT_EQ(restored.apply(bars[280]).outcome, out_of_horizon);
}

TEST(Series, RefusesDamagedCheckpoints) {
  const auto bars = random_bars::make(10, 200, length);
  Series series(length);
  for (const Bar& bar : bars) series.apply(bar);
  const std::string good = series.checkpoint();
  EXPECT_LT(good.size(), 1500u);
  EXPECT_EQ(good.find_first_of("\n\"\\"), std::string::npos);
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    const auto result = Series(length).restore(good.substr(0, cut), bars);
    ASSERT_FALSE(result) << cut;
    EXPECT_EQ(result.error().kind, ErrorKind::malformed);
  }
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string damaged = good;
    damaged[at] = damaged[at] == '7' ? '3' : '7';
    Series restored(length);
    const auto result = restored.restore(damaged, bars);
    ASSERT_FALSE(result) << at;
    EXPECT_EQ(result.error().kind, ErrorKind::malformed);
    EXPECT_EQ(restored.latest(), std::nullopt);
  }
  EXPECT_EQ(Series(30min).restore(good, bars).error().kind, ErrorKind::malformed);
}

TEST(Series, RefusesHistoriesThatDoNotFit) {
  const auto bars = random_bars::make(11, 200, length);
  Series series(length);
  for (const Bar& bar : bars) series.apply(bar);
  const std::string checkpoint = series.checkpoint();
  const auto kind = [&](std::vector<Bar> history) {
    return Series(length).restore(checkpoint, history).error().kind;
  };
  EXPECT_EQ(kind({}), ErrorKind::rejected);
  EXPECT_EQ(kind({bars.end() - 5, bars.end()}), ErrorKind::rejected);
  EXPECT_EQ(kind({bars.begin(), bars.end() - 1}), ErrorKind::rejected);
  auto unsorted = bars;
  std::swap(unsorted[7], unsorted[8]);
  EXPECT_EQ(kind(unsorted), ErrorKind::rejected);
  auto doubled = bars;
  doubled.insert(doubled.begin() + 9, doubled[9]);
  EXPECT_EQ(kind(doubled), ErrorKind::rejected);
  EXPECT_EQ(Series(length).restore(Series(length).checkpoint(), bars).error().kind,
            ErrorKind::rejected);
}

TEST(Series, KeepsCorrectingOverMinutesForADay) {
  constexpr Duration minute = 1min;
  auto bars = random_bars::make(12, 3200, minute);
  Series series(minute);
  for (const Bar& bar : bars) series.apply(bar);
  std::mt19937_64 random(3);
  const std::size_t oldest = bars.size() - 1440;
  bars[oldest] = changed(bars[oldest], random);
  const Applied applied = series.apply(bars[oldest]);
  EXPECT_EQ(applied.outcome, amended);
  EXPECT_EQ(applied.bars, 1440u);
  EXPECT_EQ(series.apply(changed(bars[oldest - 1], random)).outcome, out_of_horizon);
  Calculator calculator(minute);
  std::vector<Values> expected;
  for (const Bar& bar : bars) {
    calculator.push(bar);
    expected.push_back(calculator.values());
  }
  std::size_t next = oldest;
  series.each(applied.first, applied.last, [&](const Values& values) {
    ASSERT_EQ(values, expected[next]) << next;
    ++next;
  });
  EXPECT_EQ(next, bars.size());
}

}  // namespace
}  // namespace candlewick::indicator
