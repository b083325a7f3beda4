// Three bytes are four letters; one or two at the end are padded.
#include "base/base64.h"

#include <array>
#include <cstdint>

namespace candlewick {
namespace {

constexpr std::string_view letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> values = [] {
  std::array<std::int8_t, 256> table{};
  table.fill(-1);
  for (std::size_t i = 0; i < letters.size(); ++i)
    table[static_cast<unsigned char>(letters[i])] = static_cast<std::int8_t>(i);
  return table;
}();

}  // namespace

std::string to_base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const auto part = bytes.substr(at, 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i)
      bits = bits << 8U | (i < part.size() ? static_cast<unsigned char>(part[i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i)
      text += i <= part.size() ? letters[bits >> (18U - 6U * i) & 63U] : '=';
  }
  return text;
}

Result<std::string> from_base64(std::string_view text) {
  const auto refused = fail(ErrorKind::malformed, "not base64");
  if (text.size() % 4 != 0) return refused;
  std::size_t padding = 0;
  while (padding < 2 && text.ends_with('=')) {
    text.remove_suffix(1);
    ++padding;
  }
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  unsigned known = 0;
  for (const char letter : text) {
    const auto value = values[static_cast<unsigned char>(letter)];
    if (value < 0) return refused;
    bits = bits << 6U | static_cast<std::uint32_t>(value);
    known += 6;
    if (known < 8) continue;
    known -= 8;
    bytes += static_cast<char>(bits >> known & 0xFFU);
    bits &= (1U << known) - 1U;
  }
  // What is left over is none of the bytes, and zero.
  if (bits != 0 || known != 2 * padding) return refused;
  return bytes;
}

}  // namespace candlewick
