// Rows for places without candles, as clients page through them.
#include "api/testing.h"
#include "pipeline/rows.h"

namespace candlewick::api {
namespace {

using std::chrono::minutes;
using testing::Answer;
using ::testing::HasSubstr;

using Filled = testing::HistoryTest;

TEST_F(Filled, FillsPlacesWithoutCandlesOnlyWhenAsked) {
  const auto at = [&](int minute, std::string_view close) {
    return pipeline::candle_row(candle(0, noon - minutes{minute}, close, true), noon);
  };
  warehouse.write({at(10, "10"), at(9, "9"), at(6, "6"), at(3, "3")});
  const std::string base = "/v1/candles?symbol=BTCUSDT&exchange=binance";
  // The last minute ended just now: its candle may be on its way.
  EXPECT_EQ(times(get(base + "&fill=previous")).size(), 9U);
  clock.advance(minutes{1});
  const auto row = [&](const std::string& target, int minute) {
    const std::string body = get(target).body;
    const auto begin =
        body.find(fmt::format(R"({{"timestamp":"{}")", to_rfc3339(noon - minutes{minute})));
    return begin == std::string::npos ? std::string()
                                      : body.substr(begin, body.find('}', begin) + 1 - begin);
  };
  EXPECT_EQ(times(get(base)).size(), 4U);
  EXPECT_EQ(times(get(base + "&fill=none")).size(), 4U);
  EXPECT_EQ(times(get(base + "&fill=previous")).size(), 10U);
  EXPECT_EQ(row(base + "&fill=previous", 8),
            R"({"timestamp":"2024-05-01T11:52:00Z","open":9,"high":9,"low":9,"close":9,"volume":0,)"
            R"("quote_volume":0,"trade_count":0,"taker_buy_volume":0,"taker_buy_quote_volume":0,)"
            R"("is_closed":true,"source":"fill","revision":0,"ingested_at":null,"bars":null,)"
            R"("is_complete":false})");
  EXPECT_THAT(row(base + "&fill=previous", 1), HasSubstr(R"("close":3,"volume":0,)"));
  EXPECT_THAT(row(base + "&fill=null", 8), HasSubstr(R"("close":null,"volume":null,)"));
  // From the middle of a hole the close before it is found; before the first candle is nothing.
  EXPECT_THAT(row(base + "&fill=previous&start=2024-05-01T11:53:30Z", 6 - 1),
              HasSubstr(R"("close":6,)"));
  EXPECT_THAT(row(base + "&fill=previous&start=2024-05-01T11:52:00Z&end=2024-05-01T11:54:00Z", 7),
              HasSubstr(R"("close":9,)"));
  EXPECT_EQ(times(get(base + "&fill=null&start=2024-05-01T11:00:00Z")).front(),
            "2024-05-01T11:50:00Z");
  EXPECT_EQ(times(get(base + "&fill=null&start=2024-05-01T12:30:00Z")).size(), 0U);
  EXPECT_EQ(times(get(base + "&fill=null&end=2024-05-01T11:53:00Z")).back(),
            "2024-05-01T11:52:00Z");
}

TEST_F(Filled, PagesOfFilledRowsHaveEveryPlaceOnceInBothOrders) {
  std::vector<schema::Row> rows;
  std::vector<std::string> places;
  for (int minute = 200; minute > 0; --minute) {
    places.push_back(to_rfc3339(noon - minutes{minute}));
    if (minute == 200 || minute % 7 == 3 || minute % 11 == 0)
      rows.push_back(pipeline::candle_row(candle(0, noon - minutes{minute}, "5", true), noon));
  }
  warehouse.write(std::move(rows));
  clock.advance(minutes{1});
  for (const std::string_view sort : {"asc", "desc"}) {
    for (const int limit : {1, 3, 7, 50, 1000}) {
      std::vector<std::string> found;
      std::string target =
          fmt::format("/v1/candles?symbol=BTCUSDT&fill=previous&sort={}&limit={}", sort, limit);
      while (target != "null" && found.size() <= places.size()) {
        const Answer page = get(target);
        ASSERT_EQ(page.status, 200) << page.body;
        EXPECT_THAT(page.body, ::testing::Not(HasSubstr(R"("close":null)")));
        for (auto& time : times(page)) found.push_back(time);
        target = page.member("next_url");
      }
      if (sort == "desc") std::ranges::reverse(found);
      EXPECT_EQ(found, places) << sort << " " << limit;
    }
  }
}

}  // namespace
}  // namespace candlewick::api
