// Decimal: parsing is on the path of every price that arrives, so it reads a run of up to 19 digits
// as one 64-bit number and scales it by one multiplication; everything rarer takes the slow road.
#include "base/decimal.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/check.h"

namespace candlewick {
namespace {

constexpr int max_integer_digits = 20;

constexpr std::array<std::uint64_t, 20> powers_of_ten = [] {
  std::array<std::uint64_t, 20> powers{};
  std::uint64_t power = 1;
  for (auto& entry : powers) {
    entry = power;
    power *= 10;
  }
  return powers;
}();

// Has no negative, so no result may be it.
constexpr int128 lowest = static_cast<int128>(uint128{1} << 127);

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The digits of any number, as a list of digits and the place of the point.
struct Digits {
  std::array<char, 64> digit{};  // significant digits kept, leading zeros dropped
  int kept = 0;
  bool more = false;       // a non-zero digit was dropped behind the kept ones
  std::int64_t point = 0;  // value = 0.d1d2d3… × 10^point
  bool negative = false;
};

Result<Digits> read_digits(std::string_view text) {
  const auto malformed = [&] {
    return fail(ErrorKind::malformed, "not a decimal: \"{}\"", text.substr(0, 60));
  };
  Digits result;
  std::size_t at = 0;
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) result.negative = text[at++] == '-';
  bool any = false;
  bool seen_point = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '.') {
      if (seen_point) return malformed();
      seen_point = true;
      continue;
    }
    if (!is_digit(c)) break;
    any = true;
    const bool leading_zero = result.kept == 0 && c == '0';
    if (!leading_zero) {
      if (result.kept < static_cast<int>(result.digit.size())) {
        result.digit[static_cast<std::size_t>(result.kept++)] = static_cast<char>(c - '0');
      } else {
        result.more = result.more || c != '0';
      }
      if (!seen_point) ++result.point;
    } else if (seen_point) {
      --result.point;
    }
  }
  if (!any) return malformed();
  if (at < text.size()) {
    if (text[at] != 'e' && text[at] != 'E') return malformed();
    ++at;
    bool negative = false;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) negative = text[at++] == '-';
    if (at == text.size()) return malformed();
    std::int64_t exponent = 0;
    for (; at < text.size(); ++at) {
      if (!is_digit(text[at])) return malformed();
      if (exponent < 1'000'000) exponent = exponent * 10 + (text[at] - '0');
    }
    result.point += negative ? -exponent : exponent;
  }
  return result;
}

Result<Decimal> parse_slowly(std::string_view text, bool* inexact) {
  auto digits = read_digits(text);
  if (!digits) return fail(std::move(digits.error()));
  if (digits->kept == 0) return Decimal{};
  if (digits->point > max_integer_digits) {
    return fail(ErrorKind::rejected, "more than {} integer digits: \"{}\"", max_integer_digits,
                text.substr(0, 60));
  }
  // Places kept: everything down to 10^-18, which is at most 38 digits and fits 127 bits.
  const std::int64_t wanted = digits->point + Decimal::scale;
  uint128 count = 0;
  int used = 0;
  for (std::int64_t place = 0; place < wanted; ++place) {
    const int digit = used < digits->kept ? digits->digit[static_cast<std::size_t>(used)] : 0;
    count = count * 10 + static_cast<unsigned>(digit);
    ++used;
  }
  bool dropped = digits->more;
  for (int rest = wanted < 0 ? 0 : used; rest < digits->kept; ++rest) {
    dropped = dropped || digits->digit[static_cast<std::size_t>(rest)] != 0;
  }
  if (dropped) {
    if (inexact != nullptr) *inexact = true;
    if (wanted >= 0) {
      const int next = used < digits->kept ? digits->digit[static_cast<std::size_t>(used)] : 0;
      bool beyond = digits->more;
      for (int rest = used + 1; rest < digits->kept; ++rest) {
        beyond = beyond || digits->digit[static_cast<std::size_t>(rest)] != 0;
      }
      if (next > 5 || (next == 5 && (beyond || (count & 1) != 0))) ++count;
    }
  }
  const auto magnitude = static_cast<int128>(count);
  return Decimal::from_count(digits->negative ? -magnitude : magnitude);
}

constexpr uint128 magnitude_of(int128 value) {
  return value < 0 ? uint128{0} - static_cast<uint128>(value) : static_cast<uint128>(value);
}

// 256 bits as four 64-bit limbs, least significant first.
using Limbs = std::array<std::uint64_t, 4>;

Limbs multiply_wide(uint128 a, uint128 b) {
  const std::array<std::uint64_t, 2> x{static_cast<std::uint64_t>(a),
                                       static_cast<std::uint64_t>(a >> 64)};
  const std::array<std::uint64_t, 2> y{static_cast<std::uint64_t>(b),
                                       static_cast<std::uint64_t>(b >> 64)};
  Limbs result{};
  for (std::size_t i = 0; i < 2; ++i) {
    uint128 carry = 0;
    for (std::size_t j = 0; j < 2; ++j) {
      const uint128 sum = uint128{x[i]} * y[j] + result[i + j] + carry;
      result[i + j] = static_cast<std::uint64_t>(sum);
      carry = sum >> 64;
    }
    result[i + 2] = static_cast<std::uint64_t>(carry);
  }
  return result;
}

std::optional<Decimal> from_magnitude(uint128 magnitude, bool negative) {
  constexpr auto limit = static_cast<uint128>(1) << 127;
  if (magnitude >= limit) return std::nullopt;
  const auto value = static_cast<int128>(magnitude);
  return Decimal::from_count(negative ? -value : value);
}

std::size_t write_magnitude(char* out, uint128 magnitude) {
  char* const start = out;
  const uint128 whole = magnitude / static_cast<std::uint64_t>(Decimal::one);
  auto fraction = static_cast<std::uint64_t>(magnitude % static_cast<std::uint64_t>(Decimal::one));
  // 128-bit divisions are slow and nearly never needed: what stands before the point fits 64 bits.
  if (whole <= std::numeric_limits<std::uint64_t>::max()) {
    out = std::to_chars(out, out + 20, static_cast<std::uint64_t>(whole)).ptr;
  } else {
    out = std::to_chars(out, out + 20, static_cast<std::uint64_t>(whole / 10)).ptr;
    *out++ = static_cast<char>('0' + static_cast<int>(whole % 10));
  }
  if (fraction == 0) return static_cast<std::size_t>(out - start);
  *out++ = '.';
  std::size_t places = Decimal::scale;
  while (fraction % 10 == 0) {
    fraction /= 10;
    --places;
  }
  for (std::size_t place = places; place-- != 0;) {
    out[place] = static_cast<char>('0' + static_cast<int>(fraction % 10));
    fraction /= 10;
  }
  return static_cast<std::size_t>(out - start) + places;
}

// quotient rounded half to even, from the quotient's floor, remainder and divisor
bool rounds_up(uint128 quotient, uint128 remainder, uint128 divisor) {
  const uint128 rest = divisor - remainder;
  return remainder > rest || (remainder == rest && (quotient & 1) != 0);
}

}  // namespace

Result<Decimal> Decimal::parse(std::string_view text, bool* inexact) {
  if (Decimal padded; parse_padded(text, padded)) return padded;
  const char* at = text.data();
  const char* const end = at + text.size();
  const bool negative = at != end && *at == '-';
  if (negative) ++at;
  // Trailing zeros of padded numbers ("0.10000000") cost nothing here: they are digits like others.
  if (end - at > 20 || at == end) [[unlikely]]
    return parse_slowly(text, inexact);
  std::uint64_t mantissa = 0;
  const char* const first = at;
  while (at != end && is_digit(*at)) mantissa = mantissa * 10 + static_cast<unsigned>(*at++ - '0');
  const auto whole_digits = at - first;
  std::size_t fraction_digits = 0;
  if (at != end && *at == '.') {
    const char* const fraction = ++at;
    while (at != end && is_digit(*at))
      mantissa = mantissa * 10 + static_cast<unsigned>(*at++ - '0');
    fraction_digits = static_cast<std::size_t>(at - fraction);
  }
  const auto digits = static_cast<std::size_t>(whole_digits) + fraction_digits;
  if (at != end || digits == 0 || digits > 19 || fraction_digits > scale) [[unlikely]] {
    return parse_slowly(text, inexact);
  }
  const auto magnitude =
      static_cast<int128>(uint128{mantissa} * powers_of_ten[scale - fraction_digits]);
  return from_count(negative ? -magnitude : magnitude);
}

std::size_t Decimal::write(char* out) const {
  if (count_ >= 0) return write_magnitude(out, magnitude_of(count_));
  *out = '-';
  return 1 + write_magnitude(out + 1, magnitude_of(count_));
}

std::string Decimal::to_string() const {
  std::array<char, max_chars> buffer{};
  return std::string(buffer.data(), write(buffer.data()));
}

std::string Decimal::to_fixed(int digits) const {
  check(digits >= 0 && digits <= scale, "0 to 18 fractional digits");
  const auto unit = uint128{powers_of_ten[static_cast<std::size_t>(scale - digits)]};
  const uint128 magnitude = magnitude_of(count_);
  uint128 units = magnitude / unit;
  if (rounds_up(units, magnitude % unit, unit)) ++units;
  std::array<char, max_chars> buffer{};
  std::string text(count_ < 0 && units != 0 ? "-" : "");
  text.append(buffer.data(), write_magnitude(buffer.data(), units * unit));
  if (digits > 0) {
    const auto point = text.find('.');
    const std::size_t have = point == std::string::npos ? 0 : text.size() - point - 1;
    if (point == std::string::npos) text += '.';
    text.append(static_cast<std::size_t>(digits) - have, '0');
  }
  return text;
}

double Decimal::to_double() const {
  // One correctly rounded division when the digits fit a double's 53 bits, else by way of text.
  constexpr std::uint64_t exact = std::uint64_t{1} << 53;
  const uint128 magnitude = magnitude_of(count_);
  const uint128 whole = magnitude / static_cast<std::uint64_t>(one);
  if (whole < exact) {
    auto fraction = static_cast<std::uint64_t>(magnitude % static_cast<std::uint64_t>(one));
    std::size_t places = fraction == 0 ? 0 : scale;
    while (places != 0 && fraction % 10 == 0) {
      fraction /= 10;
      --places;
    }
    const uint128 digits = whole * powers_of_ten[places] + fraction;
    if (digits < exact) {
      const double value = static_cast<double>(static_cast<std::uint64_t>(digits)) /
                           static_cast<double>(powers_of_ten[places]);
      return count_ < 0 ? -value : value;
    }
  }
  std::array<char, max_chars> buffer{};
  double value = 0;
  std::from_chars(buffer.data(), buffer.data() + write(buffer.data()), value);
  return value;
}

std::optional<Decimal> Decimal::from_double(double value, int digits) {
  check(digits >= 0 && digits <= scale, "0 to 18 fractional digits");
  if (!std::isfinite(value) || std::fabs(value) >= 1e20) return std::nullopt;
  auto parsed = parse(fmt::format("{:.{}f}", value, digits));
  if (!parsed) return std::nullopt;
  return *parsed;
}

std::optional<Decimal> Decimal::add(Decimal a, Decimal b) {
  int128 sum = 0;
  if (__builtin_add_overflow(a.count_, b.count_, &sum) || sum == lowest) return std::nullopt;
  return from_count(sum);
}

std::optional<Decimal> Decimal::subtract(Decimal a, Decimal b) {
  int128 difference = 0;
  if (__builtin_sub_overflow(a.count_, b.count_, &difference) || difference == lowest) {
    return std::nullopt;
  }
  return from_count(difference);
}

std::optional<Decimal> Decimal::multiply(Decimal a, Decimal b) {
  const bool negative = (a.count_ < 0) != (b.count_ < 0);
  Limbs product = multiply_wide(magnitude_of(a.count_), magnitude_of(b.count_));
  uint128 remainder = 0;
  for (std::size_t limb = product.size(); limb-- != 0;) {
    const uint128 part = (remainder << 64) | product[limb];
    product[limb] = static_cast<std::uint64_t>(part / static_cast<std::uint64_t>(one));
    remainder = part % static_cast<std::uint64_t>(one);
  }
  if (product[2] != 0 || product[3] != 0) return std::nullopt;
  uint128 quotient = (uint128{product[1]} << 64) | product[0];
  if ((quotient >> 127) != 0) return std::nullopt;
  if (rounds_up(quotient, remainder, static_cast<std::uint64_t>(one))) ++quotient;
  return from_magnitude(quotient, negative);
}

std::optional<Decimal> Decimal::divide(Decimal a, Decimal b) {
  if (b.count_ == 0) return std::nullopt;
  const bool negative = (a.count_ < 0) != (b.count_ < 0);
  const Limbs dividend = multiply_wide(magnitude_of(a.count_), static_cast<std::uint64_t>(one));
  const uint128 divisor = magnitude_of(b.count_);
  uint128 quotient = 0;
  uint128 remainder = 0;
  for (int bit = 255; bit >= 0; --bit) {
    const auto limb = dividend[static_cast<std::size_t>(bit / 64)];
    remainder = (remainder << 1) | ((limb >> (bit % 64)) & 1U);
    if ((quotient >> 127) != 0) return std::nullopt;
    quotient <<= 1;
    if (remainder >= divisor) {
      remainder -= divisor;
      quotient |= 1;
    }
  }
  if ((quotient >> 127) != 0) return std::nullopt;
  if (rounds_up(quotient, remainder, divisor)) ++quotient;
  return from_magnitude(quotient, negative);
}

}  // namespace candlewick
