// Eight digits at a time against one at a time.
#include "base/digits.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/decimal.h"

namespace candlewick::digits {
namespace {

std::optional<std::uint64_t> as_long(std::string_view text) {
  std::uint64_t number = 0;
  if (!read_long(text, number)) return std::nullopt;
  return number;
}

std::optional<std::uint64_t> as_padded(std::string_view text) {
  std::uint64_t number = 0;
  if (!read_padded(text, number)) return std::nullopt;
  return number;
}

TEST(Digits, ReadNumbersOfNineToSixteenDigits) {
  EXPECT_EQ(as_long("123456789"), 123'456'789U);
  EXPECT_EQ(as_long("1723161255343"), 1'723'161'255'343U);
  EXPECT_EQ(as_long("0000000000000000"), 0U);
  EXPECT_EQ(as_long("9999999999999999"), 9'999'999'999'999'999U);
  for (const std::string_view other :
       {"", "1", "12345678", "12345678901234567", "-123456789", "+123456789", "12345678 ",
        "1234567.9", "123456789x", "x123456789", "1234567890123456\x80", "12345678\xB9"}) {
    EXPECT_EQ(as_long(other), std::nullopt) << other;
  }
}

TEST(Digits, ReadPaddedDecimals) {
  EXPECT_EQ(as_padded("61837.63000000"), 6'183'763'000'000U);
  EXPECT_EQ(as_padded("0.00000001"), 1U);
  EXPECT_EQ(as_padded("99999999.99999999"), 9'999'999'999'999'999U);
  for (const std::string_view other :
       {"", "1", ".00000001", "1.0000000", "1.000000000", "123456789.00000000", "-1.00000000",
        "1,00000000", "1.0000e000", "1.00000 00", "1.00000000 ", " 1.00000000", "1..0000000"}) {
    EXPECT_EQ(as_padded(other), std::nullopt) << other;
  }
}

// A character that is no digit is found wherever it stands.
TEST(Digits, RefuseEveryOtherCharacterAtEveryPlace) {
  const auto expect_refused = [](const std::string& text, auto read) {
    for (std::size_t place = 0; place < text.size(); ++place) {
      if (text[place] == '.') continue;
      for (int c = 0; c < 256; ++c) {
        if (c >= '0' && c <= '9') continue;
        std::string wrong = text;
        wrong[place] = static_cast<char>(c);
        EXPECT_EQ(read(wrong), std::nullopt) << wrong;
      }
    }
  };
  expect_refused("61837.63000000", as_padded);
  expect_refused("99999999.00000000", as_padded);
  expect_refused("172316125534", as_long);
  expect_refused("9999999999999999", as_long);
}

RC_GTEST_PROP(Digits, AreTheNumbersThatWereWritten, (std::uint64_t seed)) {
  const std::uint64_t number = seed % 10'000'000'000'000'000U;
  std::string digits = std::to_string(number);
  if (digits.size() >= 9) RC_ASSERT(as_long(digits) == number);
  while (digits.size() < 9) digits.insert(0, 1, '0');
  digits.insert(digits.size() - 8, 1, '.');
  RC_ASSERT(as_padded(digits) == number);
  Decimal padded;
  RC_ASSERT(Decimal::parse_padded(digits, padded));
  // With one digit more it takes another way.
  RC_ASSERT(padded == *Decimal::parse(digits + "0"));
}

}  // namespace
}  // namespace candlewick::digits
