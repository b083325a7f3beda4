// Answers of the API, as they are and as they should not be.
#include "app/top_state.h"

#include <gtest/gtest.h>

namespace candlewick::app {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view health =
    R"({"status":"degraded","version":"0.1.0","time":"2026-01-15T12:00:00.5Z","warehouse":"SQLite",)"
    R"("problems":["kraken: not connected"],"warnings":["sink sqlite: 70 s behind"],"feeds":[)"
    R"({"venue":"binance","connected":true,"sessions":2,"live_sessions":2,"last_event_age_ms":106,)"
    R"("venue_time":"2026-01-15T12:00:00Z","reconnects":1,"frames":2033,"paused":false,)"
    R"("last_error":null},)"
    R"({"venue":"kraken","connected":false,"sessions":1,"live_sessions":0,)"
    R"("last_event_age_ms":null,"reconnects":4,"frames":0,"paused":false,)"
    R"("last_error":"refused"}],"sinks":[{"sink":"sqlite","state":"backing_off","cursor":7,)"
    R"("lag_rows":12,"lag_seconds":70.5,"rows_per_second":197.5,"transient_errors":2,)"
    R"("rejected_errors":1,"misconfigured_errors":0,"dead_letters":9,"dead_letters_now":3,)"
    R"("dropped_rows":5,"last_error":{"kind":"transient","message":"disk"}}],)"
    R"("log":{"queued_rows":1,"committed_rows":11849,"last_sequence":11850,"bytes":4947968,)"
    R"("budget_bytes":4294967296,"is_failing":false},"something_newer":[1,{"a":2}]})";

TEST(TopState, TakesTheHealthOfAService) {
  TopState state;
  ASSERT_TRUE(take_health(state, health));
  EXPECT_EQ(state.status, "degraded");
  EXPECT_EQ(state.version, "0.1.0");
  EXPECT_EQ(state.time, parse_rfc3339("2026-01-15T12:00:00.5Z").value());
  EXPECT_EQ(state.problems,
            (std::vector<std::string>{"kraken: not connected", "sink sqlite: 70 s behind"}));
  ASSERT_EQ(state.feeds.size(), 2U);
  EXPECT_TRUE(state.feeds[0].is_connected);
  EXPECT_EQ(state.feeds[0].age_ms, 106);
  EXPECT_EQ(state.feeds[0].frames, 2033);
  EXPECT_EQ(state.feeds[0].reconnects, 1);
  EXPECT_EQ(state.feeds[1].age_ms, std::nullopt);
  EXPECT_EQ(state.feeds[1].last_error, "refused");
  ASSERT_EQ(state.sinks.size(), 1U);
  EXPECT_EQ(state.sinks[0].state, "backing_off");
  EXPECT_EQ(state.sinks[0].lag_rows, 12);
  EXPECT_EQ(state.sinks[0].errors, 3) << "of all kinds";
  EXPECT_EQ(state.sinks[0].dead_letters, 3) << "those that wait";
  EXPECT_EQ(state.sinks[0].last_error, "disk");
  ASSERT_TRUE(state.log);
  EXPECT_EQ(state.log->last_sequence, 11850);
  EXPECT_EQ(state.log->bytes, 4947968);
}

TEST(TopState, StaysAsItWasWhenAnAnswerIsNone) {
  TopState state;
  ASSERT_TRUE(take_health(state, health));
  for (const std::string_view bad :
       {"", "<html>", "{}", R"({"status":"ok","feeds":[{"venue":)", R"({"status":5})",
        R"({"status":"ok","feeds":{}})", R"({"status":"ok","feeds":[{"frames":"x"}]})"}) {
    EXPECT_FALSE(take_health(state, bad)) << bad;
    EXPECT_FALSE(take_tickers(state, bad)) << bad;
    EXPECT_FALSE(take_latest(state, bad)) << bad;
    EXPECT_FALSE(take_quality(state, bad)) << bad;
  }
  EXPECT_EQ(state.status, "degraded");
  EXPECT_EQ(state.feeds.size(), 2U);
}

TEST(TopState, JoinsTickersWithWhatIsKnownOfCandles) {
  constexpr std::string_view tickers =
      R"({"data":[{"exchange":"binance","symbol":"BTC/USDT","stale":false,"last_price":64413.06,)"
      R"("age_ms":7,"ticker":{"last":64414.4,"change_pct_24h":1.396,"bid":64414.38,)"
      R"("ask":64414.4}},{"exchange":"binance","symbol":"ETH/USDT","stale":true,)"
      R"("last_price":null,"age_ms":null,"ticker":null}]})";
  TopState state;
  ASSERT_TRUE(take_tickers(state, tickers));
  ASSERT_EQ(state.instruments.size(), 2U);
  EXPECT_EQ(state.instruments[0].last_price->to_string(), "64413.06") << "the digits as sent";
  EXPECT_EQ(state.instruments[0].change_pct_24h, 1.396);
  EXPECT_TRUE(state.instruments[1].is_stale);
  EXPECT_EQ(state.instruments[1].last_price, std::nullopt);

  ASSERT_TRUE(take_latest(
      state,
      R"({"data":[{"exchange":"binance","symbol":"BTC/USDT","stale":false,"last_price":64413.1,)"
      R"("age_ms":3,"ticker":{"bid":1,"ask":2,"change_pct_24h":1.4},)"
      R"("quote":{"bid":64413.06,"ask":64413.09},"closed_candle":{)"
      R"("1m":{"timestamp":"2026-01-15T11:59:00Z"},"1h":{"timestamp":"2026-01-15T11:00:00Z"}}},)"
      R"({"exchange":"okx","symbol":"BTC/USDT"}],"errors":[]})"));
  ASSERT_EQ(state.instruments.size(), 2U) << "nobody is added that the tickers did not name";
  EXPECT_EQ(state.instruments[0].ask->to_string(), "64413.09") << "the quote is newer";
  const auto newest = parse_rfc3339("2026-01-15T11:59:00Z").value();
  EXPECT_EQ(state.instruments[0].newest_candle, newest);
  ASSERT_TRUE(take_tickers(state, tickers));
  EXPECT_EQ(state.instruments[0].newest_candle, newest) << "tickers do not take it away";
}

TEST(TopState, KeepsWhatThePageOfMetricsToldOfFeeds) {
  TopState state;
  ASSERT_TRUE(take_health(state, health));
  take_metrics(state,
               "# HELP candlewick_stream_gaps Holes\n"
               "candlewick_stream_gaps{venue=\"binance\"} 3\n"
               "candlewick_stream_gaps{venue=\"elsewhere\"} 9\n"
               "candlewick_missing_candles{venue=\"binance\"} 1.2e+02\n"
               "candlewick_stream_gaps{venue=\"kraken\"} nonsense\n"
               "candlewick_stream_gaps{");
  EXPECT_EQ(state.feeds[0].gaps, 3);
  EXPECT_EQ(state.feeds[0].missing, 120);
  EXPECT_EQ(state.feeds[1].gaps, std::nullopt);
  ASSERT_TRUE(take_health(state, health));
  EXPECT_EQ(state.feeds[0].gaps, 3) << "health is asked more often than metrics";
}

TEST(TopState, TakesMinutesByCoverage) {
  TopState state;
  ASSERT_TRUE(take_quality(
      state, R"({"since":null,"data":[{"exchange":"binance","symbol":"BTC/USDT","timeframe":"1m",)"
             R"("checks":{},"coverage_minutes":{"backfilled":2940,"live":2}}],"mismatches":[]})"));
  ASSERT_EQ(state.coverage.size(), 1U);
  EXPECT_EQ(state.coverage[0].minutes.at("backfilled"), 2940);
}

TEST(TopState, TellsRatesOfTwoAnswersAndNoneAcrossARestart) {
  TopState before;
  before.feeds = {{.venue = "binance", .frames = 100}, {.venue = "kraken", .frames = 100}};
  TopState now;
  now.feeds = {{.venue = "binance", .frames = 150},
               {.venue = "kraken", .frames = 3},
               {.venue = "okx", .frames = 5}};
  tell_rates(now, before, 2s);
  EXPECT_EQ(now.feeds[0].frames_per_second, 25.0);
  EXPECT_EQ(now.feeds[1].frames_per_second, std::nullopt) << "fewer than before";
  EXPECT_EQ(now.feeds[2].frames_per_second, std::nullopt) << "it is new";
}

}  // namespace
}  // namespace candlewick::app
