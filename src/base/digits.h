// Digits to numbers, eight at a time: a 64-bit word is read as eight characters and folded by
// multiplications. On the path of every price, size, id and time that arrives.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace candlewick::digits {

// Eight characters as digits, the first in the lowest byte; no digit leaves a byte above 9.
[[gnu::always_inline]] inline std::uint64_t load(const char* text) {
  std::uint64_t word = 0;
  std::memcpy(&word, text, sizeof word);
  return word ^ 0x3030'3030'3030'3030U;
}

[[gnu::always_inline]] inline bool are_digits(std::uint64_t high, std::uint64_t low) {
  constexpr std::uint64_t carry = 0x7676'7676'7676'7676U;  // lifts 10 and more over the top bit
  return (((high + carry) | high | (low + carry) | low) & 0x8080'8080'8080'8080U) == 0;
}

#if defined(__SSE2__)
// The number that twice eight digits are, all sixteen at a time.
[[gnu::always_inline]] inline std::uint64_t fold(std::uint64_t high, std::uint64_t low) {
  const __m128i zero = _mm_setzero_si128();
  const __m128i tens = _mm_set1_epi32(0x0001'000A);
  const __m128i digits = _mm_unpacklo_epi64(_mm_cvtsi64_si128(static_cast<long long>(high)),
                                            _mm_cvtsi64_si128(static_cast<long long>(low)));
  const __m128i pairs = _mm_packs_epi32(_mm_madd_epi16(_mm_unpacklo_epi8(digits, zero), tens),
                                        _mm_madd_epi16(_mm_unpackhi_epi8(digits, zero), tens));
  const __m128i fours = _mm_madd_epi16(pairs, _mm_set1_epi32(0x0001'0064));
  const __m128i eights = _mm_madd_epi16(_mm_packs_epi32(fours, fours), _mm_set1_epi32(0x0001'2710));
  const auto both = static_cast<std::uint64_t>(_mm_cvtsi128_si64(eights));
  return (both & 0xFFFF'FFFFU) * 100'000'000U + (both >> 32U);
}
#else
// The number that eight digits are.
[[gnu::always_inline]] inline std::uint64_t fold(std::uint64_t word) {
  word = word * 10 + (word >> 8U);
  return (((word & 0x0000'00FF'0000'00FFU) * 0x000F'4240'0000'0064U) +
          (((word >> 16U) & 0x0000'00FF'0000'00FFU) * 0x0000'2710'0000'0001U)) >>
         32U;
}

[[gnu::always_inline]] inline std::uint64_t fold(std::uint64_t high, std::uint64_t low) {
  return fold(high) * 100'000'000U + fold(low);
}
#endif

inline constexpr bool works = std::endian::native == std::endian::little;

// A number of 9 to 16 digits and nothing else; false for all other texts.
inline bool read_long(std::string_view text, std::uint64_t& number) {
  if (!works || text.size() - 9 > 7) return false;
  const std::uint64_t high = load(text.data()) << (8 * (16 - text.size()));
  const std::uint64_t low = load(text.data() + text.size() - 8);
  if (!are_digits(high, low)) return false;
  number = fold(high, low);
  return true;
}

// The number without its point of a text with 1 to 8 digits, a point and 8 more, which is how many
// venues write every price and size; false for all other texts.
[[gnu::always_inline]] inline bool read_padded(std::string_view text, std::uint64_t& number) {
  const std::size_t whole = text.size() - 9;
  if (!works || whole - 1 > 7 || text[whole] != '.') return false;
  const std::uint64_t high = load(text.data()) << (8 * (8 - whole));
  const std::uint64_t low = load(text.data() + whole + 1);
  if (!are_digits(high, low)) return false;
  number = fold(high, low);
  return true;
}

}  // namespace candlewick::digits
