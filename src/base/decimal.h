// Exact decimals: a 128-bit count of 10^-18. Prices, sizes and rates stay in this type from the
// digits on the wire to the edge; double begins in indicator/ by a visible to_double().
//
// More than 18 fractional digits are rounded half to even and reported as inexact; more than 20
// integer digits are refused. Every value of up to 20 integer and 18 fractional digits fits.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/digits.h"
#include "base/result.h"

namespace candlewick {

__extension__ using int128 = __int128;
__extension__ using uint128 = unsigned __int128;

class Decimal {
 public:
  static constexpr int scale = 18;
  static constexpr std::int64_t one = 1'000'000'000'000'000'000;
  // "-" + 21 integer digits (the type's own limit) + "." + 18 digits
  static constexpr std::size_t max_chars = 41;

  constexpr Decimal() = default;
  constexpr explicit Decimal(std::int64_t whole) : count_(int128{whole} * one) {}
  static constexpr Decimal from_count(int128 count) {
    Decimal result;
    result.count_ = count;
    return result;
  }

  // JSON number syntax and a little more ("00.5", "+1", ".5", "5." are what venues' CSV files
  // hold): digits with an optional sign, point and exponent. Sets *inexact when digits past the
  // 18th were rounded away and leaves it alone else. Error: malformed (names the text), or rejected
  // when the value needs more than 20 integer digits.
  static Result<Decimal> parse(std::string_view text, bool* inexact = nullptr);
  // The same for the commonest form alone, "61837.63000000"; false for all others.
  [[gnu::always_inline]] static bool parse_padded(std::string_view text, Decimal& out) {
    std::uint64_t number = 0;
    if (!digits::read_padded(text, number)) return false;
    out.count_ = static_cast<int128>(uint128{number} * 10'000'000'000U);
    return true;
  }

  // The shortest exact digits: no exponent, no trailing zeros, no "-0".
  std::string to_string() const;
  // The same into a buffer of at least max_chars; returns the number of characters.
  std::size_t write(char* out) const;
  // Exactly `digits` (0 to 18) fractional digits, rounded half to even: for wire formats that pad.
  std::string to_fixed(int digits) const;

  constexpr int128 count() const { return count_; }
  constexpr bool is_zero() const { return count_ == 0; }
  constexpr bool is_negative() const { return count_ < 0; }
  // Nearest double. Indicators start here.
  double to_double() const;
  // Nearest decimal with at most `digits` fractional digits; nullopt when not finite or out of
  // range.
  static std::optional<Decimal> from_double(double value, int digits = scale);

  // Sums and products of data can leave the range; nullopt then. multiply and divide round half to
  // even at the 18th digit; divide also answers nullopt for a zero divisor.
  static std::optional<Decimal> add(Decimal a, Decimal b);
  static std::optional<Decimal> subtract(Decimal a, Decimal b);
  static std::optional<Decimal> multiply(Decimal a, Decimal b);
  static std::optional<Decimal> divide(Decimal a, Decimal b);

  friend constexpr bool operator==(Decimal, Decimal) = default;
  friend constexpr std::strong_ordering operator<=>(Decimal a, Decimal b) {
    return a.count_ < b.count_   ? std::strong_ordering::less
           : a.count_ > b.count_ ? std::strong_ordering::greater
                                 : std::strong_ordering::equal;
  }
  constexpr Decimal operator-() const { return from_count(-count_); }

 private:
  int128 count_ = 0;
};

}  // namespace candlewick

template <>
struct std::hash<candlewick::Decimal> {
  std::size_t operator()(candlewick::Decimal value) const noexcept {
    const auto low = static_cast<std::uint64_t>(value.count());
    const auto high = static_cast<std::uint64_t>(value.count() >> 64);
    return std::hash<std::uint64_t>{}(low ^ (high * 0x9E3779B97F4A7C15ULL));
  }
};
