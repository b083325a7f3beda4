// Streams that Apache Arrow's own library wrote, whole and damaged.
#include "sink/snowflake_arrow.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "sink/snowflake_access.h"

namespace candlewick::sink::snowflake {
namespace {

// pyarrow: {"a": ["x", None, "zé"], "b": ["1", "2", ""]}
constexpr std::string_view texts =
    "/////5gAAAAQAAAAAAAKAAwABgAFAAgACgAAAAABBAAMAAAACAAIAAAABAAIAAAABAAAAAIAAAA8AAAABAAAANz/"
    "//8AAAEFEAAAABQAAAAEAAAAAAAAAAEAAABiAAAAzP///xAAFAAIAAYABwAMAAAAEAAQAAAAAAABBRAAAAAYAAAA"
    "BAAAAAAAAAABAAAAYQAAAAQABAAEAAAAAAAAAP/////YAAAAFAAAAAAAAAAMABYABgAFAAgADAAMAAAAAAMEABgA"
    "AAA4AAAAAAAAAAAACgAYAAwABAAIAAoAAAB8AAAAEAAAAAMAAAAAAAAAAAAAAAYAAAAAAAAAAAAAAAEAAAAAAAAA"
    "CAAAAAAAAAAQAAAAAAAAABgAAAAAAAAABAAAAAAAAAAgAAAAAAAAAAAAAAAAAAAAIAAAAAAAAAAQAAAAAAAAADAA"
    "AAAAAAAAAgAAAAAAAAAAAAAAAgAAAAMAAAAAAAAAAQAAAAAAAAADAAAAAAAAAAAAAAAAAAAABQAAAAAAAAAAAAAA"
    "AQAAAAEAAAAEAAAAeHrDqQAAAAAAAAAAAQAAAAIAAAACAAAAMTIAAAAAAAD/////AAAAAA==";
// pyarrow: {"a": [1]}
constexpr std::string_view numbers =
    "/////3gAAAAQAAAAAAAKAAwABgAFAAgACgAAAAABBAAMAAAACAAIAAAABAAIAAAABAAAAAEAAAAUAAAAEAAUAAgA"
    "BgAHAAwAAAAQABAAAAAAAAECEAAAABwAAAAEAAAAAAAAAAEAAABhAAAACAAMAAgABwAIAAAAAAAAAUAAAAD/////"
    "iAAAABQAAAAAAAAADAAWAAYABQAIAAwADAAAAAADBAAYAAAACAAAAAAAAAAAAAoAGAAMAAQACAAKAAAAPAAAABAA"
    "AAABAAAAAAAAAAAAAAACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACAAAAAAAAAAAAAAAAQAAAAEAAAAAAAAA"
    "AAAAAAAAAAABAAAAAAAAAP////8AAAAA";

TEST(SnowflakeArrow, ReadsTextsAndNulls) {
  const auto rows = read_arrow_text(from_base64(texts).value());
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(*rows, (std::vector<TextRow>{{"x", "1"}, {std::nullopt, "2"}, {"zé", ""}}));
}

TEST(SnowflakeArrow, RefusesColumnsThatAreNoText) {
  const auto rows = read_arrow_text(from_base64(numbers).value());
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().kind, ErrorKind::malformed);
}

// Cut anywhere it is refused, or what was complete is read.
TEST(SnowflakeArrow, SurvivesBeingCutAnywhere) {
  const std::string whole = from_base64(texts).value();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto rows = read_arrow_text(std::string_view(whole).substr(0, size));
    if (rows) {
      EXPECT_LE(rows->size(), 3U) << size;
    }
  }
}

TEST(SnowflakeArrow, SurvivesEveryByteBeingWrong) {
  const std::string whole = from_base64(texts).value();
  for (std::size_t place = 0; place < whole.size(); ++place) {
    for (const char wrong : {'\0', '\x01', '\x7F', '\xFF'}) {
      std::string damaged = whole;
      damaged[place] = wrong;
      const auto rows = read_arrow_text(damaged);
      if (rows) {
        EXPECT_LE(rows->size(), damaged.size()) << place;
      }
    }
  }
}

}  // namespace
}  // namespace candlewick::sink::snowflake
