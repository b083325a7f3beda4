// The set against a plain list of minutes.
#include "pipeline/span_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <tuple>

namespace candlewick::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Time at(int minute) {
  return Time{std::chrono::minutes{minute}};
}

TEST(SpanSet, JoinsWhatMeets) {
  SpanSet set;
  set.add({at(0), at(5)});
  set.add({at(10), at(15)});
  EXPECT_THAT(set.spans(), ElementsAre(Span{at(0), at(5)}, Span{at(10), at(15)}));
  set.add({at(5), at(10)});
  EXPECT_THAT(set.spans(), ElementsAre(Span{at(0), at(15)}));
  EXPECT_TRUE(set.contains(at(14)));
  EXPECT_FALSE(set.contains(at(15))) << "the end is exclusive";
}

TEST(SpanSet, CutsAHoleAndClipsToAPart) {
  SpanSet set;
  set.add({at(0), at(20)});
  set.remove({at(5), at(10)});
  EXPECT_THAT(set.spans(), ElementsAre(Span{at(0), at(5)}, Span{at(10), at(20)}));
  EXPECT_THAT(set.within({at(4), at(12)}), ElementsAre(Span{at(4), at(5)}, Span{at(10), at(12)}));
  EXPECT_THAT(set.within({at(5), at(10)}), IsEmpty());
  EXPECT_FALSE(set.overlaps({at(5), at(10)}));
  EXPECT_TRUE(set.overlaps({at(5), at(11)}));
}

TEST(SpanSet, TakesNoNoticeOfSpansWithoutLength) {
  SpanSet set;
  set.add({at(3), at(3)});
  set.add({at(5), at(2)});
  EXPECT_TRUE(set.is_empty());
  set.add({at(0), at(9)});
  set.remove({at(5), at(2)});
  EXPECT_THAT(set.spans(), ElementsAre(Span{at(0), at(9)}));
}

RC_GTEST_PROP(SpanSetProperties, IsWhatAListOfMinutesSays, ()) {
  constexpr int minutes = 40;
  const auto steps = *rc::gen::container<std::vector<std::tuple<bool, int, int>>>(
      rc::gen::tuple(rc::gen::arbitrary<bool>(), rc::gen::inRange(0, 30), rc::gen::inRange(0, 11)));
  std::array<bool, minutes + 1> expected{};
  SpanSet set;
  for (const auto& [adds, from, length] : steps) {
    const Span span{at(from), at(from + length)};
    if (adds) {
      set.add(span);
    } else {
      set.remove(span);
    }
    std::fill_n(expected.begin() + from, length, adds);
  }
  int spans = 0;
  for (int minute = 0; minute < minutes; ++minute) {
    const auto i = static_cast<std::size_t>(minute);
    RC_ASSERT(set.contains(at(minute)) == expected[i]);
    spans += expected[i] && (i == 0 || !expected[i - 1]) ? 1 : 0;
    const auto part = set.within({at(minute), at(minute + 1)});
    RC_ASSERT(part.size() == (expected[i] ? 1U : 0U));
  }
  RC_ASSERT(set.spans().size() == static_cast<std::size_t>(spans));
  RC_ASSERT(set.within({at(0), at(minutes)}) == set.spans());
  SpanSet nothing = set;
  nothing.remove(set);
  RC_ASSERT(nothing.is_empty());
}

}  // namespace
}  // namespace candlewick::pipeline
