// Widths, cuts and colour.
#include "app/terminal_text.h"

#include <gtest/gtest.h>

namespace candlewick::app {
namespace {

TEST(TerminalText, CountsColumnsAndNotBytes) {
  EXPECT_EQ(width_of(""), 0U);
  EXPECT_EQ(width_of("BTC/USDT"), 8U);
  EXPECT_EQ(width_of("–…µ"), 3U);
  EXPECT_EQ(width_of("币安人生/USDT"), 13U) << "wide characters take two columns";
  EXPECT_EQ(width_of("e\xCC\x81"), 1U) << "an accent joins its letter";
  EXPECT_EQ(width_of("\xE5\xB8"), 2U) << "each byte of a cut character is shown as one";
}

TEST(TerminalText, CutsAndFillsToAWidth) {
  EXPECT_EQ(fitted("abc", 5), "abc  ");
  EXPECT_EQ(fitted("abc", 5, Side::right), "  abc");
  EXPECT_EQ(fitted("abcdef", 4), "abc…");
  EXPECT_EQ(fitted("abcdef", 1), "…");
  EXPECT_EQ(fitted("abcdef", 0), "");
  EXPECT_EQ(fitted("币安人生", 4), "币… ") << "half of a wide character is no character";
  EXPECT_EQ(shortened("abc", 3), "abc");
}

TEST(TerminalText, LetsNoControlSequencePass) {
  EXPECT_EQ(printable("a\033[2Jb\nc\td\x7F"), "a?[2Jb?c?d?");
  EXPECT_EQ(printable("\xC2\x9B"
                      "31m"),
            "?31m")
      << "the eight-bit form of the same";
  EXPECT_EQ(printable("x\xE2\x80\xAEy"), "x?y") << "text that runs backwards";
  EXPECT_EQ(printable("a\xFFz"), "a\xEF\xBF\xBDz");
  EXPECT_EQ(printable("\xC0\x9B"), "\xEF\xBF\xBD\xEF\xBF\xBD") << "an overlong ESC";
  EXPECT_EQ(printable("币安 – ok"), "币安 – ok");
}

TEST(TerminalText, ColoursOnlyWhenAsked) {
  EXPECT_EQ(toned("live", Tone::good, false), "live");
  EXPECT_EQ(toned("live", Tone::good, true), "\033[32mlive\033[0m");
  EXPECT_EQ(toned("live", Tone::plain, true), "live");
  EXPECT_EQ(toned("", Tone::bad, true), "");
  EXPECT_FALSE(uses_colour(-1)) << "no terminal";
}

}  // namespace
}  // namespace candlewick::app
