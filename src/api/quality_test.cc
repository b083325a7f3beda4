// Coverage and quality over a real SQLite warehouse, written as the pipeline writes them.
#include "api/testing.h"
#include "pipeline/coverage.h"
#include "pipeline/rows.h"
#include "pipeline/verification.h"

namespace candlewick::api {
namespace {

using pipeline::CoverageState;
using std::chrono::hours;
using std::chrono::minutes;
using testing::Answer;
using testing::decimal;
using ::testing::HasSubstr;
using ::testing::Not;

class Trust : public testing::ApiTest {
 protected:
  Trust() {
    add("binance", "BTC/USDT", "BTCUSDT");
    add("okx", "BTC/USDT", "BTC-USDT");
    backend.open_database = [this] { return warehouse::open_sqlite_for_reading(warehouse.path()); };
    warehouse.write({pipeline::instrument_row(instrument(0), noon),
                     pipeline::instrument_row(instrument(1), noon)});
  }
  schema::Row assertion(std::size_t slot, int from, int to, CoverageState state,
                        std::string_view cause = {}) {
    return pipeline::coverage_row({.instrument = &instrument(slot),
                                   .span = {noon + minutes{from}, noon + minutes{to}},
                                   .state = state,
                                   .cause = cause,
                                   .evidence = "heard \"so\""},
                                  noon + hours{2}, sequence);
  }

  pipeline::CoverageSequence sequence;
  testing::Warehouse warehouse{clock};
};

TEST_F(Trust, TellsWhatHoldsNowOrEveryAssertion) {
  warehouse.write({assertion(0, 0, 60, CoverageState::live),
                   assertion(0, 10, 20, CoverageState::missing, pipeline::cause::silence),
                   assertion(0, 10, 20, CoverageState::backfilled, pipeline::cause::silence),
                   assertion(1, 0, 5, CoverageState::missing, pipeline::cause::disconnect)});
  const Answer now = get("/v1/coverage?symbol=btc-usdt&exchange=binance&timeframe=1m");
  ASSERT_EQ(now.status, 200) << now.body;
  EXPECT_THAT(now.body,
              HasSubstr(R"("from":"2024-05-01T12:10:00Z","to":"2024-05-01T12:20:00Z",)"
                        R"("state":"backfilled","cause":"silence","evidence":"heard \"so\"",)"));
  EXPECT_THAT(now.body, Not(HasSubstr("missing")));
  EXPECT_THAT(now.body, HasSubstr(R"("is_truncated":false)"));

  const Answer history = get("/v1/coverage?exchange=binance&history=true");
  EXPECT_THAT(history.body, HasSubstr(R"("state":"missing")"));
  EXPECT_LT(history.body.find("missing"), history.body.find("backfilled")) << "as it was said";

  const Answer missing = get("/v1/coverage?state=missing,unrecoverable");
  EXPECT_THAT(missing.body, HasSubstr(R"("cause":"disconnect")"));
  EXPECT_THAT(missing.body, Not(HasSubstr("binance")));
  EXPECT_THAT(get("/v1/coverage?exchange=binance&limit=1").body,
              HasSubstr(R"("is_truncated":true)"));
  EXPECT_THAT(get("/v1/coverage?stream=trades").body, HasSubstr(R"("data":[])"));
}

TEST_F(Trust, ScoresWhatWasComparedAndShowsWhatDiffered) {
  Candle stored = candle(0, noon, "50000.5", true);
  Candle found = stored;
  found.close = decimal("50000.500000000000000001");
  warehouse.write(
      {assertion(0, 0, 60, CoverageState::live),
       pipeline::verification_row({.instrument = &instrument(0),
                                   .span = {noon, noon + hours{1}},
                                   .checked = 60,
                                   .equal = 57,
                                   .different = 2,
                                   .absent = 1},
                                  noon + hours{3}, 1),
       pipeline::mismatch_row(
           {.stored = stored, .found = found, .action = pipeline::MismatchAction::revised},
           noon + hours{3}),
       pipeline::mismatch_row({.stored = candle(0, noon + minutes{1}, "1", true)},
                              noon + hours{4})});
  const Answer answer = get("/v1/quality?symbol=BTCUSDT&exchange=binance");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(answer.body,
              HasSubstr(R"({"since":null,"data":[{"exchange":"binance","symbol":"BTC/USDT",)"
                        R"("timeframe":"1m","checks":{"rest":{"checked":60,"equal":57,)"
                        R"("different":2,"absent":1,"share_equal":0.95,)"
                        R"("last_checked_at":"2024-05-01T15:00:00Z"}},)"
                        R"("coverage_minutes":{"live":60}}])"));
  EXPECT_THAT(answer.body, HasSubstr(R"("columns":"close","stored":{"open":)"));
  EXPECT_THAT(answer.body, HasSubstr(R"("close":50000.500000000000000001,)"));
  EXPECT_THAT(answer.body, HasSubstr(R"("found":null,"action":"recorded")"));
  const Answer newest = get("/v1/quality?limit=1");
  EXPECT_THAT(newest.body, HasSubstr(R"("action":"recorded")"));
  EXPECT_THAT(newest.body, Not(HasSubstr(R"("action":"revised")")));
  const Answer later = get("/v1/quality?since=2024-05-01T12:30:00Z");
  EXPECT_THAT(later.body, HasSubstr(R"("coverage_minutes":{"live":30})"));
  EXPECT_THAT(later.body, HasSubstr(R"("mismatches":[])"));
}

TEST_F(Trust, KnowsNoSeriesThatNobodyHas) {
  EXPECT_EQ(get("/v1/quality?symbol=BTCUSTD").member("code"), "unknown_symbol");
  EXPECT_EQ(get("/v1/quality?exchange=nowhere").member("code"), "unknown_exchange");
  EXPECT_EQ(get("/v1/quality?symbol=BTCUSDT").body,
            "{\"since\":null,\"data\":[],\"mismatches\":[]}\n");
}

}  // namespace
}  // namespace candlewick::api
