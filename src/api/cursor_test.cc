// Cursors come back as they went out, or not at all.
#include "api/cursor.h"

#include <gtest/gtest.h>

namespace candlewick::api {
namespace {

TEST(Cursor, ComesBackAsItWentOut) {
  const Cursor cursor{.route = "/v1/candles",
                      .position = 1'714'564'500'000'000'000,
                      .parameters = {{"symbol", "BTC/USDT"}, {"start", "2024-01-01 x&y=%"}}};
  const std::string text = to_text(cursor);
  EXPECT_EQ(
      text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
      std::string::npos);
  const auto read = parse_cursor(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->route, cursor.route);
  EXPECT_EQ(read->position, cursor.position);
  EXPECT_EQ(read->parameters, cursor.parameters);
}

TEST(Cursor, CarriesWhatIsBesideThePosition) {
  const Cursor cursor{.route = "/v1/trades",
                      .position = 7,
                      .parameters = {{"symbol", "BTC/USDT"}},
                      .beside = "@1-2.5-sell&=%"};
  const auto back = parse_cursor(to_text(cursor));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->beside, cursor.beside);
  EXPECT_EQ(back->position, 7);
  EXPECT_EQ(back->parameters, cursor.parameters);
  for (const auto* bad : {"a b", "\n", "\x7f", "\xc3\xa9"}) {
    EXPECT_FALSE(parse_cursor(
        to_text(Cursor{.route = "/v1/trades", .position = 7, .parameters = {}, .beside = bad})));
  }
}

TEST(Cursor, IsRefusedWhenAnythingOfItIsChanged) {
  const std::string text = to_text({.route = "/v1/ticks", .position = 5, .parameters = {}});
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == 'Q' ? 'R' : 'Q';
    EXPECT_FALSE(parse_cursor(changed)) << i;
    EXPECT_FALSE(parse_cursor(text.substr(0, i))) << i;
  }
}

TEST(Base64Url, AgreesWithTheStandard) {
  const std::pair<std::string_view, std::string_view> examples[] = {
      {"", ""},        {"f", "Zg"},        {"fo", "Zm8"},
      {"foo", "Zm9v"}, {"foob", "Zm9vYg"}, {"\xfb\xff", "-_8"}};
  for (const auto& [bytes, text] : examples) {
    EXPECT_EQ(to_base64url(bytes), text);
    EXPECT_EQ(from_base64url(text), bytes);
  }
  for (const std::string_view bad : {"Z", "Zg==", "Zh", "Zm9v!", "+/8", "Z g"}) {
    EXPECT_FALSE(from_base64url(bad)) << bad;
  }
}

}  // namespace
}  // namespace candlewick::api
