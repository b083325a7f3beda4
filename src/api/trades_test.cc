// /v1/trades over a real SQLite warehouse, written as the pipeline writes it.
#include "api/testing.h"
#include "pipeline/rows.h"

namespace candlewick::api {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Answer;
using testing::decimal;
using ::testing::HasSubstr;

class KeptTrades : public testing::ApiTest {
 protected:
  KeptTrades() {
    add("binance", "BTC/USDT", "BTCUSDT");
    add("okx", "BTC/USDT", "BTC-USDT");
    backend.open_database = [this] { return warehouse::open_sqlite_for_reading(warehouse.path()); };
    backend.keeps_trades = true;
    warehouse.write({pipeline::instrument_row(instrument(0), noon),
                     pipeline::instrument_row(instrument(1), noon)});
  }
  void keep(const std::string& id, Duration after, std::size_t slot = 0) {
    Trade trade{.origin = {.instrument = &instrument(slot), .exchange_time = noon + after},
                .taker_side = Side::sell,
                .price = decimal("60000.10"),
                .size = decimal("0.00000001")};
    if (id == "8") trade.quote_size = decimal("0.5");
    warehouse.write({pipeline::trade_row(trade, id, noon + after, noon + seconds{9})});
  }
  static std::vector<std::string> ids(const Answer& answer) {
    std::vector<std::string> found;
    for (auto at = answer.body.find(R"("id":")"); at != std::string::npos;
         at = answer.body.find(R"("id":")", at + 1)) {
      const auto from = at + 6;
      found.push_back(answer.body.substr(from, answer.body.find('"', from) - from));
    }
    return found;
  }

  testing::Warehouse warehouse{clock};
};

TEST_F(KeptTrades, AreToldWithTheirExactDigits) {
  keep("7", seconds{1});
  keep("8", seconds{2});
  const Answer answer = get("/v1/trades?symbol=btcusdt");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.body,
            R"({"exchange":"binance","symbol":"BTC/USDT","exchange_symbol":"BTCUSDT","data":[)"
            R"({"id":"7","exchange_time":"2024-05-01T12:00:01Z","price":60000.1,"size":0.00000001,)"
            R"("quote_size":null,"taker_side":"sell","ingested_at":"2024-05-01T12:00:09Z"},)"
            R"({"id":"8","exchange_time":"2024-05-01T12:00:02Z","price":60000.1,"size":0.00000001,)"
            R"("quote_size":0.5,"taker_side":"sell","ingested_at":"2024-05-01T12:00:09Z"}],)"
            "\"next_cursor\":null,\"next_url\":null}\n");
}

TEST_F(KeptTrades, ComeAsCsvInOneAnswerThoughManyShareAMoment) {
  for (int i = 10; i < 35; ++i) keep(std::to_string(i), seconds{i / 20});
  options.max_rows = 4;
  const std::string file = get("/v1/trades?symbol=btcusdt&format=csv").body;
  std::string expected = "id,exchange_time,price,size,quote_size,taker_side,ingested_at";
  std::size_t at = file.find(expected);
  ASSERT_EQ(at, 0U);
  for (int i = 10; i < 35; ++i) {
    const auto next = file.find(fmt::format("\n{},2024-05-01T12:00:0{}Z,60000.1,", i, i / 20), at);
    ASSERT_NE(next, std::string::npos) << i;
    at = next;
  }
  EXPECT_EQ(std::ranges::count(file, '\n'), 26);
}

TEST_F(KeptTrades, AreAskedForByTimeAndExchange) {
  for (int i = 0; i < 5; ++i) keep(std::to_string(i), seconds{i});
  keep("100", seconds{1}, 1);
  EXPECT_EQ(ids(get("/v1/trades?symbol=BTC-USDT&start=2024-05-01T12:00:01Z"
                    "&end=2024-05-01T12:00:04Z&sort=desc")),
            (std::vector<std::string>{"3", "2", "1"}));
  EXPECT_EQ(ids(get("/v1/trades?symbol=BTC-USDT&exchange=okx")), std::vector<std::string>{"100"});
}

// Also where a page ends amid trades of one moment, and while others arrive.
TEST_F(KeptTrades, ComeOnPagesThatNextUrlLeadsThrough) {
  std::vector<std::string> wanted;
  for (int i = 5; i < 25; ++i) {
    wanted.push_back(std::to_string(i));
    keep(wanted.back(), milliseconds{i / 7});
  }
  for (const std::string sort : {"asc", "desc"}) {
    std::string url = "/v1/trades?symbol=BTC-USDT&limit=3&sort=" + sort;
    std::vector<std::string> told;
    int pages = 0;
    while (!url.empty() && ++pages < 20) {
      const Answer answer = get(url);
      ASSERT_EQ(answer.status, 200) << answer.body;
      const auto page = ids(answer);
      EXPECT_LE(page.size(), 3U);
      told.insert(told.end(), page.begin(), page.end());
      if (pages == 2) keep(sort == "asc" ? "1" : "99", sort == "asc" ? -seconds{1} : seconds{1});
      url = answer.member("next_url") == "null" ? "" : answer.member("next_url");
    }
    if (sort == "desc") std::ranges::reverse(told);
    std::erase(told, "1");  // kept during the first walk, behind it
    EXPECT_EQ(told, wanted) << sort;
  }
}

TEST_F(KeptTrades, RefuseWhatTheyDoNotUnderstand) {
  keep("7", seconds{1});
  keep("8", seconds{1});
  const std::string cursor = get("/v1/trades?symbol=BTC-USDT&limit=1").member("next_cursor");
  for (const auto& [query, code, status] :
       std::initializer_list<std::tuple<std::string, std::string, int>>{
           {"", "missing_parameter", 400},
           {"?symbol=BTC-USDT&timeframe=1m", "unknown_parameter", 400},
           {"?symbol=BTC-USDT&symbol=ETH-USDT", "repeated_parameter", 400},
           {"?symbol=BTC-USDT&limit=0", "invalid_parameter", 400},
           {"?symbol=BTC-USDT&sort=up", "invalid_parameter", 400},
           {"?symbol=BTC-USDT&start=2024-05-02&end=2024-05-01", "invalid_range", 400},
           {"?symbol=BTC-USDT&cursor=nonsense", "invalid_cursor", 400},
           {"?symbol=ETH-USDT&cursor=" + cursor, "cursor_mismatch", 400},
           {"?symbol=NO-SUCH", "unknown_symbol", 404},
           {"?symbol=BTC-USDT&exchange=nowhere", "unknown_exchange", 404},
       }) {
    const Answer answer = get("/v1/trades" + query);
    EXPECT_EQ(answer.status, status) << query << ": " << answer.body;
    EXPECT_EQ(answer.member("code"), code) << query << ": " << answer.body;
  }
  EXPECT_EQ(ids(get("/v1/trades?cursor=" + cursor)), std::vector<std::string>{"8"})
      << "a cursor alone is enough";
}

TEST_F(KeptTrades, AreNotOfferedWhereTheyAreNotKept) {
  backend.keeps_trades = false;
  const Answer answer = get("/v1/trades?symbol=BTC-USDT");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.member("code"), "trades_not_kept");
  EXPECT_THAT(answer.body, HasSubstr("pipeline.keep_trades"));
  keep("7", seconds{1});
  EXPECT_EQ(ids(get("/v1/trades?symbol=BTC-USDT")), std::vector<std::string>{"7"})
      << "what was kept before";
  EXPECT_EQ(get("/v1/trades?symbol=BTC-USDT&start=2024-05-03").status, 200);
}

TEST_F(KeptTrades, AreAnEmptyPageWhereNoneCameYet) {
  const Answer answer = get("/v1/trades?symbol=BTC-USDT");
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr(R"("data":[],"next_cursor":null)"));
}

}  // namespace
}  // namespace candlewick::api
