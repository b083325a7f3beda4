// Sums that never round. A rolling sum of doubles depends on everything that ever passed through
// the window; these depend on the window's content only, so a restart computes the same bits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/decimal.h"

namespace candlewick::indicator {

// A signed integer of 384 bits. No sum or product made here comes near its end: the largest,
// n·Σx² of n 127-bit numbers, takes 254 bits and twice those of n.
class Wide {
 public:
  static constexpr std::size_t limbs = 6;

  constexpr Wide() = default;
  constexpr explicit Wide(int128 value) {
    const auto bits = static_cast<uint128>(value);
    limb_.fill(value < 0 ? ~std::uint64_t{0} : 0);
    limb_[0] = static_cast<std::uint64_t>(bits);
    limb_[1] = static_cast<std::uint64_t>(bits >> 64);
  }

  Wide& operator+=(const Wide& other);
  Wide& operator-=(const Wide& other);
  friend Wide operator+(Wide a, const Wide& b) { return a += b; }
  friend Wide operator-(Wide a, const Wide& b) { return a -= b; }
  friend Wide operator*(const Wide& a, const Wide& b);
  friend bool operator==(const Wide&, const Wide&) = default;

  bool is_negative() const { return limb_.back() >> 63 != 0; }
  bool is_zero() const { return *this == Wide{}; }
  // nullopt when it needs more than 128 bits.
  std::optional<int128> narrow() const;
  // Nearest double, ties to even.
  double to_double() const;
  // Nearest double to a / b, for b above zero. Both must fit 300 bits.
  friend double ratio(const Wide& a, const Wide& b);

  // Hexadecimal with a sign, for checkpoints.
  std::string to_text() const;
  static std::optional<Wide> parse(std::string_view text);

 private:
  int bit_width() const;  // of a value that is not negative
  Wide shifted_left(int bits) const;

  std::array<std::uint64_t, limbs> limb_{};  // two's complement, least significant first
};

// The double of a sum of decimals (a count of 10^-18).
double sum_to_double(const Wide& count);

// a - b, subtracted before it is rounded to double.
double difference(Decimal a, Decimal b);

}  // namespace candlewick::indicator
