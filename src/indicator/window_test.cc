// The ring of the last values.
#include "indicator/window.h"

#include <gtest/gtest.h>

namespace candlewick::indicator {
namespace {

TEST(Window, HandsOutWhatLeaves) {
  Window<int> window(2);
  EXPECT_EQ(window.push(1), std::nullopt);
  EXPECT_FALSE(window.full());
  EXPECT_EQ(window.push(2), std::nullopt);
  EXPECT_TRUE(window.full());
  EXPECT_EQ(window.push(3), 1);
  EXPECT_EQ(window[0], 2);
  EXPECT_EQ(window[1], 3);
  EXPECT_EQ(window.push(4), 2);
  EXPECT_EQ(window[0], 3);
  EXPECT_EQ(window[1], 4);
}

TEST(Window, FillsAnewAfterClear) {
  Window<int> window(2);
  for (const int value : {1, 2, 3}) window.push(value);
  window.clear();
  EXPECT_EQ(window.size(), 0u);
  EXPECT_EQ(window.push(7), std::nullopt);
  EXPECT_EQ(window[0], 7);
  EXPECT_FALSE(window.full());
}

}  // namespace
}  // namespace candlewick::indicator
