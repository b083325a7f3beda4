// The checksum is taken of the digits as sent: 0.10000000 counts as 10000000. So it matters how
// many fractional digits the venue writes, which the levels themselves do not tell.
#include <algorithm>
#include <array>
#include <string>

#include "exchange/kraken/kraken.h"
#include "exchange/reading.h"

namespace candlewick::exchange::kraken {
namespace {

void append_digits(std::string& out, Decimal value, int fraction_digits) {
  int128 number = value.count();
  for (int digit = std::clamp(fraction_digits, 0, Decimal::scale); digit < Decimal::scale; ++digit)
    number /= 10;
  std::array<char, Decimal::max_chars> digits{};
  std::size_t at = digits.size();
  for (; number > 0; number /= 10)
    digits[--at] = static_cast<char>('0' + static_cast<int>(number % 10));
  out.append(digits.data() + at, digits.size() - at);
}

}  // namespace

std::uint32_t checksum(std::span<const Level> bids, std::span<const Level> asks, int price_digits,
                       int size_digits) {
  constexpr std::size_t levels = 10;
  std::string text;
  for (const auto side : {asks, bids}) {
    for (const auto& level : side.first(std::min(levels, side.size()))) {
      append_digits(text, level.price, price_digits);
      append_digits(text, level.size, size_digits);
    }
  }
  return crc32(text);
}

}  // namespace candlewick::exchange::kraken
