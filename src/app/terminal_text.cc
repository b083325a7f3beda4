// The widths are those that terminals agree on; a character of ambiguous width counts as one
// column.
#include "app/terminal_text.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

namespace candlewick::app {
namespace {

constexpr char32_t replacement = 0xFFFD;

struct Character {
  char32_t code = replacement;
  std::size_t bytes = 1;
};

// The character that begins there. Overlong forms, surrogates and cut ones are no characters.
Character character_at(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return {lead, 1};
  std::size_t bytes = 0;
  char32_t code = 0;
  if ((lead & 0xE0U) == 0xC0U) {
    bytes = 2;
    code = lead & 0x1FU;
  } else if ((lead & 0xF0U) == 0xE0U) {
    bytes = 3;
    code = lead & 0x0FU;
  } else if ((lead & 0xF8U) == 0xF0U) {
    bytes = 4;
    code = lead & 0x07U;
  }
  if (bytes == 0 || bytes > text.size()) return {};
  for (std::size_t i = 1; i < bytes; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xC0U) != 0x80U) return {};
    code = (code << 6U) | (next & 0x3FU);
  }
  constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < least[bytes] || code > 0x10FFFF || is_surrogate) return {};
  return {code, bytes};
}

struct Range {
  char32_t first;
  char32_t last;
};
template <std::size_t Size>
bool is_in(const std::array<Range, Size>& ranges, char32_t code) {
  return std::ranges::any_of(
      ranges, [code](const Range& range) { return code >= range.first && code <= range.last; });
}

// What Unicode calls wide and full-width (EastAsianWidth.txt, W and F), in coarse blocks.
constexpr std::array<Range, 11> wide{{{0x1100, 0x115F},
                                      {0x2E80, 0x303E},
                                      {0x3041, 0xA4CF},
                                      {0xA960, 0xA97C},
                                      {0xAC00, 0xD7A3},
                                      {0xF900, 0xFAFF},
                                      {0xFE30, 0xFE6F},
                                      {0xFF00, 0xFF60},
                                      {0xFFE0, 0xFFE6},
                                      {0x1F300, 0x1FAFF},
                                      {0x20000, 0x3FFFD}}};
// Combining marks, joiners and direction marks.
constexpr std::array<Range, 6> joining{{{0x0300, 0x036F},
                                        {0x200B, 0x200F},
                                        {0x202A, 0x202E},
                                        {0x2060, 0x2064},
                                        {0x20D0, 0x20FF},
                                        {0xFE00, 0xFE0F}}};

std::size_t columns_of(char32_t code) {
  if (code < 0x300) return 1;
  if (is_in(joining, code)) return 0;
  return is_in(wide, code) ? 2 : 1;
}

}  // namespace

bool is_capable_terminal(int descriptor) {
  if (isatty(descriptor) != 1) return false;
  // Nobody changes the environment.
  const char* kind = std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe)
  return kind != nullptr && *kind != '\0' && std::string_view(kind) != "dumb";
}

bool uses_colour(int descriptor) {
  const char* unwanted = std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe)
  return (unwanted == nullptr || *unwanted == '\0') && is_capable_terminal(descriptor);
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto character = character_at(text);
    const bool is_cut = character.code == replacement && character.bytes == 1;
    const bool is_control =
        character.code < 0x20 || (character.code >= 0x7F && character.code < 0xA0);
    // Marks that turn the direction of what follows would put it elsewhere on the line.
    const bool turns = character.code >= 0x202A && character.code <= 0x202E;
    if (is_control || turns) {
      out += '?';
    } else if (is_cut) {
      out += "\xEF\xBF\xBD";
    } else {
      out += text.substr(0, character.bytes);
    }
    text.remove_prefix(character.bytes);
  }
  return out;
}

std::size_t width_of(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const auto character = character_at(text);
    width += columns_of(character.code);
    text.remove_prefix(character.bytes);
  }
  return width;
}

std::string shortened(std::string_view text, std::size_t width) {
  if (width_of(text) <= width) return std::string(text);
  if (width == 0) return {};
  std::size_t taken = 0;
  std::size_t bytes = 0;
  while (bytes < text.size()) {
    const auto character = character_at(text.substr(bytes));
    const auto columns = columns_of(character.code);
    if (taken + columns > width - 1) break;
    taken += columns;
    bytes += character.bytes;
  }
  return std::string(text.substr(0, bytes)) + "…";
}

std::string fitted(std::string_view text, std::size_t width, Side side) {
  const std::string out = shortened(text, width);
  const std::string gap(width - width_of(out), ' ');
  return side == Side::left ? out + gap : gap + out;
}

std::string toned(std::string_view text, Tone tone, bool colour) {
  constexpr std::array<std::string_view, 7> begins{"",        "\033[32m", "\033[33m", "\033[31m",
                                                   "\033[2m", "\033[1m",  "\033[7m"};
  if (!colour || tone == Tone::plain || text.empty()) return std::string(text);
  return std::string(begins.at(static_cast<std::size_t>(tone))) + std::string(text) + "\033[0m";
}

}  // namespace candlewick::app
