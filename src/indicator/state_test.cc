// The text of saved states.
#include "indicator/state.h"

#include <bit>
#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace candlewick::indicator {
namespace {

TEST(State, ReadsTheSameBitsBack) {
  EXPECT_TRUE(rc::check([](std::uint64_t bits, std::int64_t whole, std::int64_t count) {
    const double real = std::bit_cast<double>(bits);
    RC_PRE(std::isfinite(real));
    StateWriter out;
    out.real(real);
    out.integer(whole);
    out.decimal(Decimal::from_count(count));
    out.wide(Wide{count} * Wide{count} * Wide{whole});
    StateReader in(out.text());
    RC_ASSERT(std::bit_cast<std::uint64_t>(in.real()) == bits);
    RC_ASSERT(in.integer() == whole);
    RC_ASSERT(in.decimal() == Decimal::from_count(count));
    RC_ASSERT(in.wide() == Wide{count} * Wide{count} * Wide{whole});
    RC_ASSERT(in.finished());
  }));
}

TEST(State, RefusesOtherText) {
  const auto refuses = [](std::string_view text, auto read) {
    StateReader in(text);
    read(in);
    return !in.finished();
  };
  const auto real = [](StateReader& in) { in.real(); };
  const auto integer = [](StateReader& in) { in.integer(); };
  for (const char* bad : {"", " 1", "x", "nan", "inf", "1e999", "1 2", "1 "}) {
    EXPECT_TRUE(refuses(bad, real)) << bad;
  }
  EXPECT_TRUE(refuses("1.5", integer));
  EXPECT_TRUE(refuses("99999999999999999999", integer));
  EXPECT_TRUE(refuses("5", [](StateReader& in) { in.count(4); }));
  EXPECT_TRUE(refuses("-1", [](StateReader& in) { in.count(4); }));
  EXPECT_TRUE(refuses("1x", [](StateReader& in) { in.decimal(); }));
  EXPECT_TRUE(refuses("1g", [](StateReader& in) { in.wide(); }));
}

TEST(State, KeepsItsFirstError) {
  StateReader in("x 1");
  in.integer();
  EXPECT_EQ(in.integer(), 0);
  EXPECT_TRUE(in.failed());
  EXPECT_FALSE(in.finished());
}

}  // namespace
}  // namespace candlewick::indicator
