// The streaming way against our double, which the official streaming client works with too
// (test/snowflake): crashes, lost answers, tokens, refusals.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sink/snowflake.h"
#include "sink/snowflake_ingest.h"
#include "sink/snowflake_testing.h"
#include "sink/testing.h"

namespace candlewick::sink {
namespace {

using snowflake::Double;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using Answer = std::optional<Double::Reply>;

class SnowflakeStream : public ::testing::Test {
 protected:
  // Made once: it takes longer than a test.
  static const std::string& pem() {
    static const std::string text = [] {
      EVP_PKEY* const key = EVP_RSA_gen(2048);
      std::string made = snowflake::pem_of(key);
      EVP_PKEY_free(key);
      return made;
    }();
    return text;
  }
  void SetUp() override {
    options = {.access = snowflake::access_to(server),
               .with_candles = false,
               .patience = snowflake::impatience()};
    options.access.private_key = Secret(pem());
    server.with([this](Double& it) { it.clock = &clock; });
  }
  std::unique_ptr<Sink> make() { return make_snowflake_stream(options, clock); }
  static schema::Row tick_at(std::int64_t minute) {
    schema::Row row = tick_row("1.50");
    row.values[schema::market_ticks.index_of("exchange_ts")] = log::at_minute(minute);
    return row;
  }
  static Batch ticks(log::Sequence from, log::Sequence to) {
    std::vector<log::Entry> entries;
    for (auto i = from; i <= to; ++i) entries.push_back({.sequence = i, .row = tick_at(i)});
    return {"log", std::move(entries)};
  }
  void before(std::function<Answer(const net::Request&, const std::string&)> answer) {
    server.with([&](Double& it) { it.before = std::move(answer); });
  }
  std::vector<std::string> stored() { return server.stored("MARKET_TICKS"); }

  FakeClock clock{Time{std::chrono::seconds{1'800'000'000}}};
  Double server;
  SnowflakeOptions options;
};

TEST_F(SnowflakeStream, StoresLinesWithExactDigitsAndLaddersAsJson) {
  const auto sink = make();
  ASSERT_TRUE(sink->open());
  EXPECT_EQ(sink->position("log").value(), std::nullopt);
  ASSERT_TRUE(sink->write(ticks(3, 3)));
  ASSERT_THAT(stored(), SizeIs(1));
  EXPECT_EQ(stored().front(),
            R"({"SYMBOL":"BTC/USDT","EXCHANGE":"binance","EXCHANGE_SYMBOL":"BTCUSDT",)"
            R"("WINDOW_INTERVAL":"1m","EXCHANGE_TS":"2023-03-28 10:43:00","LAST_PRICE":"1.5",)"
            R"("BID_DEPTH":[["1","2"]],"INGESTED_AT":"2023-03-28 10:42:00"})");
  EXPECT_EQ(sink->position("log").value(), 3);
  EXPECT_EQ(server.token_scope(), "127.0.0.1");
}

TEST_F(SnowflakeStream, TakesHostAndTokenInJsonToo) {
  server.with([](Double& it) { it.answers_in_json = true; });
  const auto sink = make();
  ASSERT_TRUE(sink->write(ticks(1, 2)));
  EXPECT_THAT(stored(), SizeIs(2));
}

TEST_F(SnowflakeStream, MakesTablesAndTheViewsOfWhatCounts) {
  ASSERT_TRUE(make()->open());
  std::string all;
  for (const auto& text : server.sql()) all += text + "\n";
  EXPECT_THAT(all, HasSubstr("CREATE TABLE IF NOT EXISTS MARKET_TICKS"));
  EXPECT_THAT(all, HasSubstr("CREATE VIEW IF NOT EXISTS TECHNICAL_INDICATORS_CURRENT AS SELECT"));
  EXPECT_THAT(all, ::testing::Not(HasSubstr("CANDLEWICK_CURSOR")));
}

TEST_F(SnowflakeStream, SendsNothingTwiceAfterACrash) {
  ASSERT_TRUE(make()->write(ticks(1, 5)));
  const auto sink = make();
  EXPECT_EQ(sink->position("log").value(), 5);
  ASSERT_TRUE(sink->write(ticks(3, 8)));
  EXPECT_THAT(stored(), SizeIs(8));
}

// It died between the append and the commit, and the rows are on their way still.
TEST_F(SnowflakeStream, WaitsForRowsOfItsFormerLife) {
  options.patience.commit = Duration::zero();
  server.with([](Double& it) { it.commits_when_asked = false; });
  const auto unsure = make()->write(ticks(1, 5));
  ASSERT_FALSE(unsure);
  EXPECT_EQ(unsure.error().kind, ErrorKind::transient);
  EXPECT_THAT(stored(), SizeIs(0));
  server.with([](Double& it) { it.commits_when_asked = true; });
  options.patience.commit = std::chrono::minutes{1};
  ASSERT_TRUE(make()->write(ticks(1, 5)));
  EXPECT_THAT(stored(), SizeIs(5));
}

TEST_F(SnowflakeStream, SendsAgainWhatTheServerLost) {
  options.patience.commit = Duration::zero();
  server.with([](Double& it) { it.commits_when_asked = false; });
  ASSERT_FALSE(make()->write(ticks(1, 5)));
  server.lose_pending();
  server.with([](Double& it) { it.commits_when_asked = true; });
  ASSERT_TRUE(make()->write(ticks(1, 5)));
  EXPECT_THAT(stored(), SizeIs(5));
}

TEST_F(SnowflakeStream, OpensAChannelAgainThatWasTakenFromIt) {
  const auto sink = make();
  ASSERT_TRUE(sink->write(ticks(1, 2)));
  server.seize_channels();
  ASSERT_TRUE(sink->write(ticks(3, 4)));
  EXPECT_THAT(stored(), SizeIs(4));
}

TEST_F(SnowflakeStream, IsNotDoubledByAnAnswerThatGotLost) {
  const auto sink = make();
  ASSERT_TRUE(sink->open());
  std::string first;
  before([&](const net::Request& request, const std::string&) -> Answer {
    if (!request.path.ends_with("/rows")) return std::nullopt;
    const std::string id(request.parameter("requestId").value_or(""));
    if (first.empty()) {
      first = id;
      return Double::Reply{.status = 503, .body = "lost"};
    }
    EXPECT_EQ(id, first);
    EXPECT_EQ(request.parameter("retryCount"), "1");
    return std::nullopt;
  });
  ASSERT_TRUE(sink->write(ticks(1, 3)));
  EXPECT_THAT(stored(), SizeIs(3));
}

TEST_F(SnowflakeStream, RenewsItsTokenBeforeItEndsAndWhenItIsRefused) {
  const auto sink = make();
  ASSERT_TRUE(sink->write(ticks(1, 1)));
  clock.advance(std::chrono::hours{1});
  ASSERT_TRUE(sink->write(ticks(2, 2)));
  bool refused = false;
  before([&](const net::Request& request, const std::string&) -> Answer {
    if (!request.path.ends_with("/rows") || std::exchange(refused, true)) return std::nullopt;
    return Double::json(R"({"code":"390303","message":"expired"})", 401);
  });
  ASSERT_TRUE(sink->write(ticks(3, 3)));
  EXPECT_THAT(stored(), SizeIs(3));
}

TEST_F(SnowflakeStream, StopsWithAReasonWhenItsKeyIsRefused) {
  before([](const net::Request& request, const std::string&) -> Answer {
    if (request.path != "/v2/streaming/hostname") return std::nullopt;
    return Double::json(R"({"code":"390144","message":"JWT token is invalid."})", 401);
  });
  const auto opened = make()->open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::misconfigured);
  EXPECT_THAT(opened.error().message, HasSubstr("RSA_PUBLIC_KEY_FP"));
}

TEST_F(SnowflakeStream, KeepsRequestsBelowTheLimit) {
  std::size_t largest = 0;
  before([&](const net::Request& request, const std::string&) -> Answer {
    if (request.path.ends_with("/rows")) largest = std::max(largest, request.body.size());
    return std::nullopt;
  });
  std::vector<log::Entry> entries;
  std::uint64_t seed = 1;
  for (log::Sequence i = 1; i <= 12; ++i) {
    schema::Row row = tick_at(i);
    std::string noise;  // that compresses badly
    while (noise.size() < 700'000) {
      seed = seed * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
      noise += fmt::format("{:x}", seed >> 16U);
    }
    row.values[schema::market_ticks.index_of("ask_depth")] = schema::Json{'"' + noise + '"'};
    entries.push_back({.sequence = i, .row = std::move(row)});
  }
  ASSERT_TRUE(make()->write({"log", std::move(entries)}));
  EXPECT_THAT(stored(), SizeIs(12));
  EXPECT_GT(server.appends(), 2U);
  EXPECT_LT(largest, 4'000'000U);
}

TEST_F(SnowflakeStream, GoesBackWhenATableTakesNoRowAtAll) {
  server.with([](Double& it) { it.refuses_row = [](const std::string&) { return true; }; });
  const auto sink = make();
  const auto written = sink->write(ticks(1, 3));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::misconfigured);
  EXPECT_THAT(written.error().message, HasSubstr("a value does not fit"));
  server.with([](Double& it) { it.refuses_row = nullptr; });
  ASSERT_TRUE(make()->write(ticks(1, 3)));
  EXPECT_THAT(stored(), SizeIs(3));
}

TEST_F(SnowflakeStream, IsNeverSilentAboutRowsThatWereDropped) {
  server.with([](Double& it) {
    it.refuses_row = [](const std::string& line) { return line.contains("10:42:00\",\"LAST"); };
  });
  const auto sink = make();
  const Batch batch = ticks(1, 3);
  const auto written = sink->write(batch);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::rejected);
  EXPECT_THAT(stored(), SizeIs(2));
  EXPECT_EQ(sink->write(batch.part(1, 1)).error().kind, ErrorKind::rejected);
  EXPECT_TRUE(sink->write(ticks(4, 5)));
}

TEST_F(SnowflakeStream, RefusesAChannelThatSomebodyElseWrites) {
  ASSERT_TRUE(make()->write(ticks(1, 1)));
  before([](const net::Request& request, const std::string&) -> Answer {
    if (request.method != "PUT") return std::nullopt;
    return Double::json(
        R"({"next_continuation_token":"1","channel_status":)"
        R"({"channel_status_code":"SUCCESS","last_committed_offset_token":"abc"}})");
  });
  const auto written = make()->write(ticks(2, 2));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::misconfigured);
  EXPECT_THAT(written.error().message, HasSubstr("abc"));
}

}  // namespace
}  // namespace candlewick::sink
