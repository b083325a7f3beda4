// Decimal against tables, and against long arithmetic on strings of digits written the school way.
#include "base/decimal.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace candlewick {
namespace {

// The naive model: magnitudes as decimal digits, most significant first, no leading zeros

std::string stripped(std::string digits) {
  const auto first = digits.find_first_not_of('0');
  return first == std::string::npos ? "0" : digits.substr(first);
}

int compare(const std::string& a, const std::string& b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.compare(b);
}

std::string sum(std::string a, std::string b) {
  if (a.size() < b.size()) std::swap(a, b);
  b.insert(0, a.size() - b.size(), '0');
  std::string out;
  int carry = 0;
  for (std::size_t i = a.size(); i-- != 0;) {
    const int digit = (a[i] - '0') + (b[i] - '0') + carry;
    out += static_cast<char>('0' + digit % 10);
    carry = digit / 10;
  }
  if (carry != 0) out += static_cast<char>('0' + carry);
  std::ranges::reverse(out);
  return stripped(out);
}

std::string difference(const std::string& larger, std::string smaller) {
  smaller.insert(0, larger.size() - smaller.size(), '0');
  std::string out;
  int borrow = 0;
  for (std::size_t i = larger.size(); i-- != 0;) {
    int digit = (larger[i] - '0') - (smaller[i] - '0') - borrow;
    borrow = digit < 0 ? 1 : 0;
    digit += borrow * 10;
    out += static_cast<char>('0' + digit);
  }
  std::ranges::reverse(out);
  return stripped(out);
}

std::string product(const std::string& a, const std::string& b) {
  std::string out = "0";
  for (const char digit : a) {
    out = stripped(out + "0");
    for (int i = 0; i < digit - '0'; ++i) out = sum(out, b);
  }
  return out;
}

// Quotient rounded half to even.
std::string quotient(const std::string& dividend, const std::string& divisor) {
  std::string out;
  std::string rest = "0";
  for (const char digit : dividend) {
    rest = stripped(rest + digit);
    char count = '0';
    while (compare(rest, divisor) >= 0) {
      rest = difference(rest, divisor);
      ++count;
    }
    out += count;
  }
  out = stripped(out);
  const int half = compare(sum(rest, rest), divisor);
  const bool odd = (out.back() - '0') % 2 != 0;
  return half > 0 || (half == 0 && odd) ? sum(out, "1") : out;
}

std::string magnitude(Decimal value) {
  const int128 count = value.count();
  auto rest = count < 0 ? uint128{0} - static_cast<uint128>(count) : static_cast<uint128>(count);
  std::string out;
  do {
    out += static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  } while (rest != 0);
  std::ranges::reverse(out);
  return out;
}

constexpr std::string_view limit = "170141183460469231731687303715884105728";  // 2^127

// "-123" as a count of 10^-18, or nothing when it does not fit.
std::string expected(const std::string& digits, bool negative) {
  if (compare(digits, std::string(limit)) >= 0) return "out of range";
  return (negative && digits != "0" ? "-" : "") + digits;
}

std::string counted(const std::optional<Decimal>& value) {
  if (!value) return "out of range";
  return (value->is_negative() ? "-" : "") + magnitude(*value);
}

const std::string one_digits = "1" + std::string(18, '0');

}  // namespace
}  // namespace candlewick

namespace rc {
// Small, large and round counts alike.
template <>
struct Arbitrary<candlewick::Decimal> {
  static Gen<candlewick::Decimal> arbitrary() {
    using candlewick::int128;
    return gen::map(
        gen::tuple(gen::arbitrary<std::int64_t>(), gen::arbitrary<std::uint64_t>(),
                   gen::inRange(0, 127), gen::inRange(0, 20)),
        [](const auto& parts) {
          const auto [high, low, shift, zeros] = parts;
          int128 count = static_cast<int128>(
              (static_cast<candlewick::uint128>(static_cast<std::uint64_t>(high)) << 64) |
              (low * 0x9E3779B97F4A7C15ULL));
          count >>= shift;
          for (int i = 0; i < zeros && count < int128{1} << 120 && count > -(int128{1} << 120);
               ++i) {
            count *= 10;
          }
          const auto lowest = std::numeric_limits<std::int64_t>::min();
          if (count == int128{lowest} << 64) count = 0;
          return candlewick::Decimal::from_count(count);
        });
  }
};
}  // namespace rc

namespace candlewick {

inline void PrintTo(Decimal value, std::ostream* out) {
  *out << value.to_string();
}

namespace {

TEST(Decimal, ReadsWhatVenuesSend) {
  struct Row {
    std::string_view text;
    std::string_view canonical;
  };
  for (const auto& [text, canonical] : std::initializer_list<Row>{
           {"0", "0"},
           {"-0", "0"},
           {"-0.000", "0"},
           {"60000.1", "60000.1"},
           {"0.00001000", "0.00001"},
           {"1e3", "1000"},
           {"1E-3", "0.001"},
           {"1.5e+2", "150"},
           {"00.5", "0.5"},
           {"+1", "1"},
           {".5", "0.5"},
           {"5.", "5"},
           {"-12.340", "-12.34"},
           {"0.000000000000000001", "0.000000000000000001"},
           {"99999999999999999999", "99999999999999999999"},
           {"-99999999999999999999.999999999999999999", "-99999999999999999999.999999999999999999"},
           {"00000000000000000000000000001", "1"},
           {"1234567890123456789", "1234567890123456789"},
           {"12345678901234567890", "12345678901234567890"},
           {"9.999999999999999999", "9.999999999999999999"},
           {"0e999999999999", "0"},
           {"1e19", "10000000000000000000"},
           {"100000000000000000000e-20", "1"},
       }) {
    bool inexact = false;
    const auto value = Decimal::parse(text, &inexact);
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(value->to_string(), canonical) << text;
    EXPECT_FALSE(inexact) << text;
  }
}

TEST(Decimal, RefusesWhatIsNoDecimal) {
  for (const std::string_view text :
       {"",      "-",   "+",   ".",   "-.",   "e5",       "1e",  "1e+", "1e1.5",
        "abc",   "1 ",  " 1",  "1,5", "0x10", "0.-10000", "--1", "+-1", "1.2.3",
        "1_000", "inf", "nan", "NaN", "1e5x", "١",        "null"}) {
    const auto value = Decimal::parse(text);
    ASSERT_FALSE(value) << text;
    EXPECT_EQ(value.error().kind, ErrorKind::malformed) << text;
    EXPECT_NE(value.error().message.find(text), std::string::npos) << value.error().message;
  }
}

TEST(Decimal, RefusesMoreThanTwentyIntegerDigits) {
  for (const std::string_view text : {"100000000000000000000", "-100000000000000000000", "1e20",
                                      "1e40", "1e999999999", "123456789012345678901.5", "0.1e22"}) {
    const auto value = Decimal::parse(text);
    ASSERT_FALSE(value) << text;
    EXPECT_EQ(value.error().kind, ErrorKind::rejected) << text;
  }
}

TEST(Decimal, RoundsDigitsPastTheEighteenthHalfToEvenAndSaysSo) {
  struct Row {
    std::string_view text;
    std::string_view rounded;
  };
  for (const auto& [text, rounded] : std::initializer_list<Row>{
           {"1e-30", "0"},
           {"-1e-30", "0"},
           {"0.0000000000000000005", "0"},
           {"0.00000000000000000050000000001", "0.000000000000000001"},
           {"0.0000000000000000015", "0.000000000000000002"},
           {"0.0000000000000000025", "0.000000000000000002"},
           {"-0.0000000000000000035", "-0.000000000000000004"},
           {"1.1234567890123456789", "1.123456789012345679"},
           {"0.9999999999999999999", "1"},
           {"99999999999999999999.9999999999999999995", "100000000000000000000"},
       }) {
    bool inexact = false;
    const auto value = Decimal::parse(text, &inexact);
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(value->to_string(), rounded) << text;
    EXPECT_TRUE(inexact) << text;
  }
}

TEST(Decimal, LooksBehindTheSixtyFourthDigitToRound) {
  const std::string half = "0." + std::string(18, '0') + "5" + std::string(80, '0');
  EXPECT_EQ(Decimal::parse(half)->to_string(), "0");
  EXPECT_EQ(Decimal::parse(half + "1")->to_string(), "0.000000000000000001");
}

TEST(Decimal, TrailingZerosPastTheEighteenthLoseNothing) {
  bool inexact = false;
  EXPECT_EQ(Decimal::parse("1.10000000000000000000000000", &inexact)->to_string(), "1.1");
  EXPECT_FALSE(inexact);
}

TEST(Decimal, PadsAndRoundsToFixedDigits) {
  const auto fixed = [](std::string_view text, int digits) {
    return Decimal::parse(text)->to_fixed(digits);
  };
  EXPECT_EQ(fixed("60000.1", 8), "60000.10000000");
  EXPECT_EQ(fixed("-0.004", 2), "0.00");
  EXPECT_EQ(fixed("-0.006", 2), "-0.01");
  EXPECT_EQ(fixed("2.5", 0), "2");
  EXPECT_EQ(fixed("3.5", 0), "4");
  EXPECT_EQ(fixed("0.999", 2), "1.00");
  EXPECT_EQ(fixed("1.5", 18), "1.500000000000000000");
  const auto largest = Decimal::from_count(std::numeric_limits<int128>::max());
  EXPECT_EQ(largest.to_fixed(0), "170141183460469231732");
  EXPECT_EQ((-largest).to_fixed(0), "-170141183460469231732");
}

TEST(Decimal, TurnsIntoTheNearestDouble) {
  for (const auto* text :
       {"0", "0.1", "-0.1", "60000.1", "0.00001", "123456789.123456789", "99999999999999999999",
        "0.000000000000000001", "9007199254740993", "0.30000000000000004", "-1.7976931348623157"}) {
    EXPECT_EQ(Decimal::parse(text)->to_double(), std::strtod(text, nullptr)) << text;
  }
}

TEST(Decimal, ComesFromDoublesInRangeOnly) {
  EXPECT_EQ(Decimal::from_double(0.1, 8)->to_string(), "0.1");
  EXPECT_EQ(Decimal::from_double(-2.5, 0)->to_string(), "-2");
  EXPECT_FALSE(Decimal::from_double(1e20));
  EXPECT_FALSE(Decimal::from_double(std::nan("")));
  EXPECT_FALSE(Decimal::from_double(HUGE_VAL));
}

TEST(Decimal, AnswersNothingWhenTheRangeIsLeft) {
  const auto largest = Decimal::from_count(std::numeric_limits<int128>::max());
  const auto tiny = Decimal::from_count(1);
  EXPECT_FALSE(Decimal::add(largest, tiny));
  EXPECT_FALSE(Decimal::subtract(-largest, tiny));  // the lowest count has no negative
  EXPECT_FALSE(Decimal::subtract(-largest, largest));
  EXPECT_FALSE(Decimal::multiply(largest, Decimal{2}));
  EXPECT_FALSE(Decimal::multiply(largest, largest));
  EXPECT_FALSE(Decimal::divide(largest, tiny));
  EXPECT_FALSE(Decimal::divide(Decimal{1}, Decimal{}));
  EXPECT_EQ(Decimal::multiply(largest, Decimal{1}), largest);
  EXPECT_EQ(Decimal::divide(largest, Decimal{1}), largest);
}

TEST(Decimal, OrdersByValue) {
  EXPECT_LT(*Decimal::parse("-1"), *Decimal::parse("-0.5"));
  EXPECT_LT(*Decimal::parse("99999999999.9"), *Decimal::parse("100000000000"));
  EXPECT_EQ(*Decimal::parse("1.0"), *Decimal::parse("1"));
}

RC_GTEST_PROP(DecimalProperties, WhatIsWrittenReadsBackTheSame, (Decimal value)) {
  const auto text = value.to_string();
  const auto wide = text.find('.') == std::string::npos ? text.size() : text.find('.');
  RC_PRE(wide <= 20 + (value.is_negative() ? 1U : 0U));
  bool inexact = false;
  const auto back = Decimal::parse(text, &inexact);
  RC_ASSERT(back);
  RC_ASSERT(*back == value);
  RC_ASSERT(!inexact);
}

RC_GTEST_PROP(DecimalProperties, WritesTheCountWithAPointInIt, (Decimal value)) {
  auto digits = magnitude(value);
  if (digits.size() < 19) digits.insert(0, 19 - digits.size(), '0');
  auto text = digits.substr(0, digits.size() - 18) + "." + digits.substr(digits.size() - 18);
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  RC_ASSERT(value.to_string() == (value.is_negative() ? "-" : "") + text);
  RC_ASSERT(value.to_string().size() <= Decimal::max_chars);
}

RC_GTEST_PROP(DecimalProperties, AddsAsOnPaper, (Decimal a, Decimal b)) {
  const auto x = magnitude(a);
  const auto y = magnitude(b);
  std::string digits;
  bool negative = a.is_negative();
  if (a.is_negative() == b.is_negative()) {
    digits = sum(x, y);
  } else if (compare(x, y) >= 0) {
    digits = difference(x, y);
  } else {
    digits = difference(y, x);
    negative = b.is_negative();
  }
  RC_ASSERT(counted(Decimal::add(a, b)) == expected(digits, negative));
  RC_ASSERT(Decimal::subtract(a, -b) == Decimal::add(a, b));
}

RC_GTEST_PROP(DecimalProperties, MultipliesAsOnPaper, (Decimal a, Decimal b)) {
  const auto digits = quotient(product(magnitude(a), magnitude(b)), one_digits);
  RC_ASSERT(counted(Decimal::multiply(a, b)) ==
            expected(digits, a.is_negative() != b.is_negative()));
}

RC_GTEST_PROP(DecimalProperties, DividesAsOnPaper, (Decimal a, Decimal b)) {
  RC_PRE(!b.is_zero());
  const auto digits = quotient(magnitude(a) + std::string(18, '0'), magnitude(b));
  RC_ASSERT(counted(Decimal::divide(a, b)) == expected(digits, a.is_negative() != b.is_negative()));
}

RC_GTEST_PROP(DecimalProperties, RoundsLongFractionsAsOnPaper, ()) {
  const auto digits =
      *rc::gen::container<std::string>(30, rc::gen::elementOf(std::string("0012345556789")));
  const auto value = Decimal::parse("7." + digits);
  RC_ASSERT(value);
  const auto scaled = quotient("7" + digits, "1" + std::string(12, '0'));
  RC_ASSERT(magnitude(*value) == scaled);
}

RC_GTEST_PROP(DecimalProperties, DoublesAreThoseOfTheText, (Decimal value)) {
  RC_ASSERT(value.to_double() == std::strtod(value.to_string().c_str(), nullptr));
}

}  // namespace
}  // namespace candlewick
