// 384-bit sums against 128-bit ones, and their rounding against the decimal type's.
#include "indicator/exact.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace candlewick::indicator {
namespace {

int128 join(std::int64_t high, std::uint64_t low) {
  return static_cast<int128>((uint128{static_cast<std::uint64_t>(high)} << 64) | low);
}

TEST(Wide, AddsAndMultipliesLike128Bits) {
  EXPECT_TRUE(rc::check([](std::int64_t a, std::int64_t b, std::int64_t c) {
    const int128 expected = int128{a} * b - int128{c} + b;
    const Wide result = Wide{a} * Wide{b} - Wide{c} + Wide{b};
    RC_ASSERT(result.narrow().has_value());
    RC_ASSERT(*result.narrow() == expected);
    RC_ASSERT(result.is_negative() == (expected < 0));
  }));
}

TEST(Wide, KeepsWhatNeedsMoreThan128Bits) {
  EXPECT_TRUE(rc::check([](std::int64_t high, std::uint64_t low) {
    const Wide x{join(high, low)};
    const Wide square = x * x;
    RC_ASSERT(!square.is_negative());
    RC_ASSERT((square + x * Wide{-1} * x).is_zero());
    RC_ASSERT((x + Wide{1}) * (x - Wide{1}) == square - Wide{1});
  }));
  EXPECT_EQ((Wide{join(1, 0)} * Wide{join(1, 0)}).narrow(), std::nullopt);
}

TEST(Wide, RoundsToTheNearestDouble) {
  const Wide exact{int128{1} << 53};
  EXPECT_EQ(exact.to_double(), std::ldexp(1.0, 53));
  EXPECT_EQ((exact + Wide{1}).to_double(), std::ldexp(1.0, 53));      // tie to even
  EXPECT_EQ((exact + Wide{3}).to_double(), std::ldexp(1.0, 53) + 4);  // tie to even
  EXPECT_EQ(((exact + Wide{1}) * Wide{int128{1} << 100} + Wide{1}).to_double(),
            std::ldexp(std::ldexp(1.0, 53) + 2, 100));  // just above a tie
  EXPECT_EQ((Wide{} - exact).to_double(), -std::ldexp(1.0, 53));
  EXPECT_EQ(Wide{}.to_double(), 0.0);
}

TEST(Wide, RoundsLikeTheCompilersConversion) {
  EXPECT_TRUE(rc::check([](std::int64_t high, std::uint64_t low, std::uint8_t shift) {
    const int128 value = join(high, low) >> (shift % 127);
    RC_ASSERT(Wide{value}.to_double() == static_cast<double>(value));
  }));
}

TEST(Wide, SumsOfDecimalsBecomeTheDecimalsDouble) {
  EXPECT_TRUE(rc::check([](std::int64_t high, std::uint64_t low) {
    const int128 count = join(high, low);
    RC_ASSERT(sum_to_double(Wide{count}) == Decimal::from_count(count).to_double());
  }));
  const Wide large = Wide{Decimal(1'000'000'000'000).count()} * Wide{1'000'000'000'000};
  EXPECT_DOUBLE_EQ(sum_to_double(large), 1e24);
}

TEST(Wide, RatiosAreTheNearestDouble) {
  EXPECT_TRUE(rc::check([](std::uint32_t a, std::uint32_t b, std::uint64_t scale) {
    RC_PRE(b > 0 && scale > 0);
    // Numbers that a double holds are divided rightly by the processor; a common factor changes
    // nothing.
    const Wide factor = Wide{int128{scale}} * Wide{int128{scale}};
    RC_ASSERT(ratio(Wide{int128{a}} * factor, Wide{int128{b}} * factor) ==
              static_cast<double>(a) / static_cast<double>(b));
  }));
  const Wide half_way{(int128{1} << 53) + 1};
  EXPECT_EQ(ratio(half_way, Wide{1}), std::ldexp(1.0, 53));
  EXPECT_EQ(ratio(half_way * Wide{1000} + Wide{1}, Wide{1000}), std::ldexp(1.0, 53) + 2);
  EXPECT_EQ(ratio(Wide{}, Wide{7}), 0.0);
  EXPECT_EQ(ratio(Wide{-7}, Wide{2}), -3.5);
}

TEST(Wide, ReadsItsText) {
  EXPECT_TRUE(rc::check([](std::int64_t a, std::int64_t b, std::int64_t c, std::uint64_t d) {
    const Wide value = Wide{join(a, d)} * Wide{join(b, d)} * Wide{c};
    const auto read = Wide::parse(value.to_text());
    RC_ASSERT(read.has_value());
    RC_ASSERT(*read == value);
  }));
  EXPECT_EQ(Wide{-255}.to_text(), "-ff");
  for (const char* bad : {"", "-", "x", "1 ", "+1", "0x1", "-+1"})
    EXPECT_FALSE(Wide::parse(bad)) << bad;
  EXPECT_FALSE(Wide::parse(std::string(97, '1')));
  EXPECT_FALSE(Wide::parse(std::string(96, 'f')));
}

TEST(Difference, IsTakenBeforeRounding) {
  const Decimal a = *Decimal::parse("99999999999.000000000000000002");
  const Decimal b = *Decimal::parse("99999999999.000000000000000001");
  EXPECT_EQ(difference(a, b), 1e-18);
  const Decimal end = Decimal::from_count(std::numeric_limits<std::int64_t>::max() *
                                          int128{1'000'000'000'000'000'000});
  EXPECT_DOUBLE_EQ(difference(end, Decimal::from_count(-(int128{1} << 126) - end.count())),
                   end.to_double() * 2 + std::ldexp(1e-18, 126));
}

}  // namespace
}  // namespace candlewick::indicator
