// What the session way sends, statement by statement, and what it makes of refusals. What the
// statements do is for fakesnow to say (test/snowflake).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sink/snowflake.h"
#include "sink/snowflake_testing.h"
#include "sink/testing.h"

namespace candlewick::sink {
namespace {

using snowflake::Double;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Statement = Double::Statement;
using Answer = std::optional<Double::Reply>;

class SnowflakeLoad : public ::testing::Test {
 protected:
  std::unique_ptr<Sink> make() {
    return make_snowflake_load({.access = snowflake::access_to(server),
                                .with_candles = false,
                                .patience = snowflake::impatience()},
                               clock);
  }
  static Batch batch() {
    return {"log",
            {{.sequence = 7, .row = tick_row("1.50")}, {.sequence = 9, .row = tick_row("2")}}};
  }
  void on_statement(std::function<Answer(const Statement&)> answer) {
    server.with([&](Double& it) { it.on_statement = std::move(answer); });
  }
  // The first words of what was sent since `from`.
  std::vector<std::string> sent(std::size_t from) {
    std::vector<std::string> words;
    for (const auto& text : server.sql()) {
      if (from > 0) {
        --from;
        continue;
      }
      words.push_back(text.substr(0, text.find_first_of("(\n\"")));
    }
    return words;
  }

  Double server;
  RealClock clock;
};

TEST_F(SnowflakeLoad, MakesWhatIsMissingOnTheFirstConnection) {
  const auto sink = make();
  ASSERT_TRUE(sink->open());
  EXPECT_THAT(
      sent(0),
      ElementsAre("DESCRIBE TABLE TECHNICAL_INDICATORS",
                  "CREATE TABLE IF NOT EXISTS TECHNICAL_INDICATORS ", "DESCRIBE TABLE MARKET_TICKS",
                  "CREATE TABLE IF NOT EXISTS MARKET_TICKS ", "DESCRIBE TABLE CANDLEWICK_CURSOR",
                  "CREATE TABLE IF NOT EXISTS CANDLEWICK_CURSOR ",
                  "CREATE OR REPLACE TEMPORARY TABLE STAGED_TECHNICAL_INDICATORS ",
                  "CREATE OR REPLACE TEMPORARY TABLE STAGED_MARKET_TICKS "));
}

TEST_F(SnowflakeLoad, NamesTheColumnsThatAnAdoptedTableLacks) {
  const std::string described =
      R"({"data":{"rowtype":[{"name":"name"},{"name":"null?"},{"name":"default"}],)"
      R"("rowset":[["SYMBOL","N",null],["EXCHANGE_TS","N",null]]},"success":true})";
  on_statement([&](const Statement& statement) -> Answer {
    if (statement.sql == "DESCRIBE TABLE MARKET_TICKS") return Double::json(described);
    return std::nullopt;
  });
  const auto sink = make();
  const auto opened = sink->open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::misconfigured);
  EXPECT_THAT(opened.error().message, HasSubstr("MARKET_TICKS lacks EXCHANGE, EXCHANGE_SYMBOL"));
  EXPECT_THAT(opened.error().message, HasSubstr("candlewick migrate snowflake --print"));
  std::string advice;
  for (const auto& finding : make()->examine()) {
    if (finding.grade == Finding::Grade::bad) advice += finding.advice;
  }
  EXPECT_THAT(advice, HasSubstr(R"(ALTER TABLE MARKET_TICKS ADD COLUMN IF NOT EXISTS "CANDLE_TIME")"
                                R"( TIMESTAMP_NTZ(9);)"));
}

TEST_F(SnowflakeLoad, WritesRowsAndPositionInOneTransaction) {
  const auto sink = make();
  ASSERT_TRUE(sink->open());
  const auto before = server.sql().size();
  ASSERT_TRUE(sink->write(batch()));
  EXPECT_THAT(
      sent(before),
      ElementsAre("BEGIN", "DELETE FROM STAGED_MARKET_TICKS", "INSERT INTO STAGED_MARKET_TICKS ",
                  StartsWith("MERGE INTO MARKET_TICKS T USING "),
                  StartsWith("MERGE INTO CANDLEWICK_CURSOR T USING "), "COMMIT"));
  const auto statements = server.statements();
  ASSERT_EQ(statements.size(), before + 6);
  EXPECT_THAT(statements[before + 2].bindings,
              HasSubstr(R"("19":{"type":"TEXT","value":["[[\"1\",\"2\"]]","[[\"1\",\"2\"]]"]})"));
  EXPECT_THAT(statements[before + 3].sql,
              HasSubstr(R"(T."EXCHANGE_TS" BETWEEN '2023-03-28 10:41:00'::TIMESTAMP_NTZ AND )"));
  EXPECT_THAT(statements[before + 4].sql, HasSubstr(R"(9 AS "SEQUENCE")"));
  EXPECT_EQ(statements[before + 4].bindings, R"({"1":{"type":"TEXT","value":"log"}})");
}

TEST_F(SnowflakeLoad, LeavesTheWarehouseAsleepWhenThereIsNothingForIt) {
  const auto sink = make();
  ASSERT_TRUE(sink->open());
  const auto before = server.sql().size();
  ASSERT_TRUE(sink->write({"log", {{.sequence = 1, .row = log::candle_row({})}}}));
  EXPECT_EQ(server.sql().size(), before);
}

TEST_F(SnowflakeLoad, BeginsTheTransactionAnewWhenTheSessionEndsInIt) {
  const auto sink = make();
  ASSERT_TRUE(sink->open());
  bool ends = true;
  on_statement([&](const Statement& statement) -> Answer {
    if (statement.sql.starts_with("MERGE") && std::exchange(ends, false)) {
      return Double::refusal("390111", "Session no longer exists");
    }
    return std::nullopt;
  });
  const auto before = server.sql().size();
  ASSERT_TRUE(sink->write(batch()));
  EXPECT_EQ(server.logins().size(), 2U);
  const auto texts = sent(before);
  EXPECT_EQ(std::ranges::count(texts, "BEGIN"), 2);
  EXPECT_EQ(std::ranges::count(texts, "CREATE OR REPLACE TEMPORARY TABLE STAGED_MARKET_TICKS "), 1);
  EXPECT_EQ(texts.back(), "COMMIT");
}

TEST_F(SnowflakeLoad, RollsBackWhatIsRefused) {
  const auto sink = make();
  ASSERT_TRUE(sink->open());
  for (const auto& [code, kind] :
       std::vector<std::pair<std::string, ErrorKind>>{{"100038", ErrorKind::rejected},
                                                      {"000606", ErrorKind::misconfigured},
                                                      {"000630", ErrorKind::transient}}) {
    on_statement([code](const Statement& statement) -> Answer {
      if (statement.sql.starts_with("INSERT")) return Double::refusal(code, "no");
      return std::nullopt;
    });
    const auto written = sink->write(batch());
    ASSERT_FALSE(written) << code;
    EXPECT_EQ(written.error().kind, kind) << written.error().message;
    EXPECT_THAT(written.error().message, HasSubstr("MARKET_TICKS"));
    EXPECT_EQ(server.sql().back(), "ROLLBACK");
  }
}

TEST_F(SnowflakeLoad, KnowsItsPosition) {
  const auto sink = make();
  ASSERT_TRUE(sink->open());
  on_statement([](const Statement&) { return Double::rows("[]"); });
  EXPECT_EQ(sink->position("log").value(), std::nullopt);
  on_statement([](const Statement&) { return Double::rows(R"([["41","999"]])"); });
  EXPECT_EQ(sink->position("log").value(), 41);
  EXPECT_THAT(server.sql().back(), StartsWith("SELECT"));
  on_statement([](const Statement&) { return Double::rows(R"([["42","1000"]])"); });
  EXPECT_EQ(sink->position("log").value(), 42);
  const auto texts = server.sql();
  EXPECT_THAT(texts[texts.size() - 2], HasSubstr(R"("SEQUENCE" < 42)"));
  EXPECT_EQ(texts.back(), "COMMIT");
}

TEST(SnowflakeSettings, AreCheckedAndTheKeyAtFaultIsNamed) {
  const RealClock clock;
  const std::map<std::string, std::string, std::less<>> good{
      {"account", "myorg-account1"}, {"user", "u"}, {"password", "p"}, {"database", "D"}};
  EXPECT_TRUE(make_snowflake_from({.clock = &clock, .values = good}));
  struct Case {
    std::string key, value, words;
  };
  for (const auto& [key, value, words] :
       std::vector<Case>{{"account", "", "SNOWFLAKE_ACCOUNT"},
                         {"user", "", "SNOWFLAKE_USER"},
                         {"password", "", "SNOWFLAKE_PASSWORD"},
                         {"database", "", "SNOWFLAKE_DATABASE"},
                         {"private_key", "x", "snowflake.private_key"},
                         {"candles", "maybe", "snowflake.candles"},
                         {"method", "pigeon", "snowflake.method"},
                         {"method", "streaming", "takes no password"},
                         {"base_url", "http://example.org", "snowflake.base_url"},
                         {"symbol_style", "loud", "symbol_style"}}) {
    auto bad = good;
    bad[key] = value;
    const auto made = make_snowflake_from({.clock = &clock, .values = bad});
    ASSERT_FALSE(made) << key;
    EXPECT_EQ(made.error().kind, ErrorKind::misconfigured);
    EXPECT_THAT(made.error().message, HasSubstr(words));
  }
}

}  // namespace
}  // namespace candlewick::sink
