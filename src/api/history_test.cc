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
  const auto may_be_kept = [&](std::string_view rest) {
    const Answer answer = get(fmt::format("/v1/candles?symbol=BTCUSDT{}", rest));
    EXPECT_EQ(answer.status, 200) << rest;
    return answer.headers.get("Cache-Control") != "no-cache";
  };
  const std::string all = "&start=2024-05-01T11:50:00Z&end=2024-05-01T12:00:00Z";
  for (const std::string_view rest : {"", "&sort=desc", "&limit=3", "&sort=desc&limit=3"}) {
    EXPECT_TRUE(may_be_kept(all + std::string(rest))) << rest;
    // More may come where the question is open, or where a candle is not there yet.
    EXPECT_FALSE(may_be_kept(rest)) << rest;
    EXPECT_FALSE(
        may_be_kept("&start=2024-05-01T11:49:00Z&end=2024-05-01T12:01:00Z" + std::string(rest)))
        << rest;
  }
  EXPECT_TRUE(may_be_kept("&start=2024-05-01T11:50:00Z&limit=3"));
  EXPECT_TRUE(may_be_kept("&end=2024-05-01T12:00:00Z&limit=3&sort=desc"));
  const Answer open = get("/v1/candles?symbol=BTCUSDT");
  EXPECT_EQ(open.headers.get("Cache-Control"), "no-cache");
  const std::string tag(open.headers.get("ETag"));
  ASSERT_FALSE(tag.empty());
  EXPECT_EQ(send("GET", "/v1/candles?symbol=BTCUSDT", {{"If-None-Match", tag}}).status, 304);
  warehouse.write({pipeline::candle_row(candle(0, noon, "1", true), noon)});
  EXPECT_EQ(send("GET", "/v1/candles?symbol=BTCUSDT", {{"If-None-Match", tag}}).status, 200);
}

class Asked : public Rows {
 protected:
  Asked() {
    store(3);
    start();
  }
  // Twice, since the second answer may be the first one, kept.
  Answer ask(std::string_view target) {
    const Answer first = get(target);
    const Answer second = get(target);
    EXPECT_EQ(first.body, second.body);
    EXPECT_EQ(first.headers.get("ETag"), second.headers.get("ETag"));
    EXPECT_EQ(first.headers.get("Cache-Control"), second.headers.get("Cache-Control"));
    EXPECT_EQ(second.headers.get("Content-Type"), "application/json");
    return second;
  }
};

TEST_F(Asked, AgainTellsWhatWasStoredSince) {
  const std::string target = "/v1/candles?symbol=BTCUSDT&limit=10";
  EXPECT_EQ(times(ask(target)).size(), 3U);
  warehouse.write({pipeline::candle_row(candle(0, noon, "1", true), noon)});
  EXPECT_EQ(times(ask(target)).size(), 4U);
  Candle corrected = candle(0, noon, "2", true);
  corrected.revision = 1;
  warehouse.write({pipeline::candle_row(corrected, noon)});
  EXPECT_THAT(ask(target).body, HasSubstr(R"("close":2,)"));
}

TEST_F(Asked, AgainTellsWhatMemoryHasLearntSince) {
  auto& slot = add("binance", "ETH/USDT", "ETHUSDT");
  warehouse.write({pipeline::instrument_row(instrument(2), noon)});
  const std::string target = "/v1/candles?symbol=ETHUSDT";
  EXPECT_THAT(times(ask(target)), ::testing::IsEmpty());
  const auto form = [&](std::string_view close) {
    slot.with([&](pipeline::Latest& latest) {
      latest.forming.insert_or_assign(Timeframe::m1, candle(2, noon, close, false));
    });
  };
  form("5");
  EXPECT_THAT(ask(target).body, HasSubstr(R"("close":5,)"));
  form("6");
  EXPECT_THAT(ask(target).body, HasSubstr(R"("close":6,)"));
  slot.with([](pipeline::Latest& latest) { latest.is_stale = true; });
  EXPECT_THAT(times(ask(target)), ::testing::IsEmpty());
}

TEST_F(Asked, AgainLinksAndCompressesAsTheFirstTime) {
  store(50);
  const std::string target = "/v1/candles?symbol=BTC-USDT&limit=40";
  EXPECT_EQ(ask(target).member("next_url"), ask(target).member("next_url"));
  EXPECT_THAT(ask("/v1/candles?symbol=BTCUSDT&limit=40").member("next_url"),
              HasSubstr("symbol=BTCUSDT"));
  // The client takes what is compressed and gives what was.
  const Answer plain = send("GET", target, {{"Accept-Encoding", "identity"}});
  EXPECT_EQ(plain.headers.get("Content-Encoding"), "");
  const Answer compressed = ask(target);
  EXPECT_EQ(compressed.headers.get("Content-Encoding"), "gzip");
  EXPECT_EQ(compressed.body, plain.body);
  EXPECT_EQ(compressed.headers.get("ETag"), plain.headers.get("ETag"));
  EXPECT_EQ(send("HEAD", target).status, 200);
}

TEST_F(Asked, AgainFillsPlacesUpToThePresent) {
  const std::string target = "/v1/candles?symbol=BTCUSDT&fill=null";
  EXPECT_EQ(times(get(target)).size(), 3U);
  clock.advance(minutes{3});  // one of which may still be on its way
  EXPECT_EQ(times(get(target)).size(), 5U);
}

}  // namespace
}  // namespace candlewick::api
