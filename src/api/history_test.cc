// The forms that rows come in, and how long they may be kept.
#include <ranges>

#include "api/history.h"
#include "api/testing.h"
#include "pipeline/rows.h"

namespace candlewick::api {
namespace {

using std::chrono::minutes;
using testing::Answer;
using ::testing::HasSubstr;

using Rows = testing::HistoryTest;

TEST_F(Rows, GivesCsvAPageAtATimeOrAllOfTheRange) {
  store(25);
  options.max_rows = 10;
  const Answer page = get("/v1/candles?symbol=BTCUSDT&format=csv&limit=2");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.headers.get("Content-Type"), "text/csv; charset=utf-8; header=present");
  EXPECT_THAT(page.body,
              ::testing::StartsWith(
                  "timestamp,open,high,low,close,volume,quote_volume,trade_count,taker_buy_volume,"
                  "taker_buy_quote_volume,is_closed,source,revision,ingested_at,bars,is_complete\n"
                  "2024-05-01T11:35:00Z,100,1000000,"));
  EXPECT_EQ(std::ranges::count(page.body, '\n'), 3);
  const std::string link(page.headers.get("Link"));
  ASSERT_THAT(link, ::testing::StartsWith("</v1/candles?"));
  ASSERT_THAT(link, ::testing::EndsWith(R"(>; rel="next")"));
  const Answer next = get(link.substr(1, link.find('>') - 1));
  EXPECT_THAT(next.body, HasSubstr("\n2024-05-01T11:37:00Z,"));

  // The same rows as JSON has, over three pages' worth of one answer.
  const Answer all = get("/v1/candles?symbol=BTCUSDT&format=csv");
  EXPECT_EQ(all.status, 200);
  std::vector<std::string> lines;
  for (const auto line : std::views::split(std::string_view(all.body), '\n'))
    lines.emplace_back(line.begin(), line.end());
  ASSERT_EQ(lines.size(), 27U);  // the header, and nothing behind the last line
  for (int i = 0; i < 25; ++i) {
    EXPECT_THAT(lines[static_cast<std::size_t>(i) + 1],
                ::testing::StartsWith(to_rfc3339(noon - minutes{25 - i}) + ","));
  }
  EXPECT_EQ(send("HEAD", "/v1/candles?symbol=BTCUSDT&format=csv").status, 200);
  EXPECT_EQ(std::ranges::count(get("/v1/candles?symbol=BTCUSDT&format=csv&end=1971").body, '\n'),
            1);
  EXPECT_EQ(get("/v1/candles?symbol=BTCUSDT&format=xml").member("code"), "invalid_parameter");
}

TEST_F(Rows, MakesCsvOfEveryKindOfValue) {
  const auto lines = csv_lines(R"({"a":"x,y","b":null,"c":[["1","2"]],"d":true},)"
                               R"({"a":"say \"hi\"","b":-0.50,"c":{},"d":false})");
  ASSERT_TRUE(lines) << lines.error().message;
  EXPECT_EQ(*lines,
            "\"x,y\",,\"[[\"\"1\"\",\"\"2\"\"]]\",true\n\"say \"\"hi\"\"\",-0.50,{},false\n");
  EXPECT_EQ(csv_lines("")->size(), 0U);
  EXPECT_FALSE(csv_lines(R"({"a":)"));
}

TEST_F(Rows, KnowsHowLongAnAnswerMayBeKept) {
  store(10);
  const std::string past = "/v1/candles?symbol=BTCUSDT&end=2024-05-01T12:00:00Z";
  const Answer settled = get(past);
  EXPECT_THAT(std::string(settled.headers.get("Cache-Control")), HasSubstr("max-age="));
  const Answer open = get("/v1/candles?symbol=BTCUSDT");
  EXPECT_EQ(open.headers.get("Cache-Control"), "no-cache");
  const std::string tag(open.headers.get("ETag"));
  ASSERT_FALSE(tag.empty());
  EXPECT_EQ(send("GET", "/v1/candles?symbol=BTCUSDT", {{"If-None-Match", tag}}).status, 304);
  warehouse.write({pipeline::candle_row(candle(0, noon, "1", true), noon)});
  EXPECT_EQ(send("GET", "/v1/candles?symbol=BTCUSDT", {{"If-None-Match", tag}}).status, 200);
}

}  // namespace
}  // namespace candlewick::api
