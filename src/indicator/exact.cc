// 384-bit arithmetic modulo 2^384, which is right for signed numbers as long as results fit.
#include "indicator/exact.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "base/check.h"

namespace candlewick::indicator {

Wide& Wide::operator+=(const Wide& other) {
  uint128 carry = 0;
  for (std::size_t i = 0; i < limbs; ++i) {
    carry += uint128{limb_[i]} + other.limb_[i];
    limb_[i] = static_cast<std::uint64_t>(carry);
    carry >>= 64;
  }
  return *this;
}

Wide& Wide::operator-=(const Wide& other) {
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < limbs; ++i) {
    const uint128 taken = uint128{other.limb_[i]} + borrow;
    borrow = taken > limb_[i] ? 1 : 0;
    limb_[i] -= static_cast<std::uint64_t>(taken);
  }
  return *this;
}

Wide operator*(const Wide& a, const Wide& b) {
  Wide product;
  for (std::size_t i = 0; i < Wide::limbs; ++i) {
    if (a.limb_[i] == 0) continue;
    std::uint64_t carry = 0;
    for (std::size_t j = 0; i + j < Wide::limbs; ++j) {
      const uint128 sum = uint128{a.limb_[i]} * b.limb_[j] + product.limb_[i + j] + carry;
      product.limb_[i + j] = static_cast<std::uint64_t>(sum);
      carry = static_cast<std::uint64_t>(sum >> 64);
    }
  }
  return product;
}

std::optional<int128> Wide::narrow() const {
  const auto value = static_cast<int128>((uint128{limb_[1]} << 64) | limb_[0]);
  if (Wide{value} != *this) return std::nullopt;
  return value;
}

double Wide::to_double() const {
  const Wide magnitude = is_negative() ? Wide{} - *this : *this;
  std::size_t top = limbs;
  while (top != 0 && magnitude.limb_[top - 1] == 0) --top;
  if (top == 0) return 0.0;
  // The 64 leading bits; the last of them also stands for all that follow, so that one rounding by
  // the processor is the right one.
  --top;
  const int empty = std::countl_zero(magnitude.limb_[top]);
  std::uint64_t leading = magnitude.limb_[top] << empty;
  bool rest = false;
  if (top > 0) {
    if (empty > 0) leading |= magnitude.limb_[top - 1] >> (64 - empty);
    rest = (magnitude.limb_[top - 1] << empty) != 0;
    for (std::size_t i = 0; i + 1 < top; ++i) rest = rest || magnitude.limb_[i] != 0;
  }
  if (rest) leading |= 1;
  const double value = std::ldexp(static_cast<double>(leading), static_cast<int>(top) * 64 - empty);
  return is_negative() ? -value : value;
}

int Wide::bit_width() const {
  std::size_t top = limbs;
  while (top != 0 && limb_[top - 1] == 0) --top;
  return top == 0 ? 0 : static_cast<int>(top) * 64 - std::countl_zero(limb_[top - 1]);
}

Wide Wide::shifted_left(int bits) const {
  Wide result;
  const auto whole = static_cast<std::size_t>(bits / 64);
  const int part = bits % 64;
  for (std::size_t i = limbs; i-- > whole;) {
    result.limb_[i] = limb_[i - whole] << part;
    if (part > 0 && i > whole) result.limb_[i] |= limb_[i - whole - 1] >> (64 - part);
  }
  return result;
}

double ratio(const Wide& a, const Wide& b) {
  check(!b.is_negative() && !b.is_zero(), "a ratio's divisor is not above zero");
  if (a.is_zero()) return 0.0;
  if (a.is_negative()) return -ratio(Wide{} - a, b);
  // Scaled by a power of two so that the quotient has 64 or 65 bits.
  const int scale = 64 + b.bit_width() - a.bit_width();
  Wide rest = a.shifted_left(std::max(scale, 0));
  const Wide divisor = b.shifted_left(std::max(-scale, 0) + 64);
  uint128 quotient = 0;
  for (int bit = 64; bit >= 0; --bit) {
    quotient <<= 1;
    const Wide less = rest - divisor;
    if (!less.is_negative()) {
      rest = less;
      quotient |= 1;
    }
    rest += rest;
  }
  // One more bit stands for all that follow.
  quotient = quotient << 1 | (rest.is_zero() ? 0U : 1U);
  return std::ldexp(static_cast<double>(quotient), -scale - 1);
}

std::string Wide::to_text() const {
  const Wide magnitude = is_negative() ? Wide{} - *this : *this;
  std::size_t top = limbs - 1;
  while (top != 0 && magnitude.limb_[top] == 0) --top;
  std::string text = fmt::format("{}{:x}", is_negative() ? "-" : "", magnitude.limb_[top]);
  while (top-- != 0) text += fmt::format("{:016x}", magnitude.limb_[top]);
  return text;
}

std::optional<Wide> Wide::parse(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.empty() || text.size() > limbs * 16) return std::nullopt;
  Wide value;
  for (std::size_t i = 0; !text.empty(); ++i) {
    const std::string_view digits =
        text.substr(text.size() - std::min<std::size_t>(16, text.size()));
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value.limb_[i], 16);
    if (error != std::errc{} || stop != end) return std::nullopt;
    text.remove_suffix(digits.size());
  }
  if (value.is_negative()) return std::nullopt;
  return negative ? Wide{} - value : value;
}

double sum_to_double(const Wide& count) {
  if (const auto narrow = count.narrow()) return Decimal::from_count(*narrow).to_double();
  return count.to_double() / static_cast<double>(Decimal::one);
}

double difference(Decimal a, Decimal b) {
  if (const auto exact = Decimal::subtract(a, b)) return exact->to_double();
  return a.to_double() - b.to_double();
}

}  // namespace candlewick::indicator
