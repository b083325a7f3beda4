// The text that Prometheus scrapes.
#include "base/metrics.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/zero_counters.h"

namespace candlewick {
namespace {

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST(Metrics, WritesTheTextFormat) {
  Metrics metrics;
  metrics.counter("candlewick_feed_frames_total", "Frames received", {{"venue", "binance"}}).add(3);
  metrics.gauge("candlewick_log_backlog_rows", "Rows not taken yet").set(7.5);
  auto histogram =
      metrics.histogram("candlewick_sink_write_seconds", "Time to write a batch", {0.1, 1});
  histogram.observe(0.05);
  histogram.observe(0.5);
  histogram.observe(5);
  const auto text = metrics.text();
  for (const auto* line :
       {"# HELP candlewick_feed_frames_total Frames received",
        "# TYPE candlewick_feed_frames_total counter",
        "candlewick_feed_frames_total{venue=\"binance\"} 3", "candlewick_log_backlog_rows 7.5",
        "candlewick_sink_write_seconds_count 3",
        "candlewick_sink_write_seconds_bucket{le=\"0.1\"} 1",
        "candlewick_sink_write_seconds_bucket{le=\"1\"} 2",
        "candlewick_sink_write_seconds_bucket{le=\"+Inf\"} 3"}) {
    EXPECT_TRUE(has_line(text, line)) << line << " is not in:\n" << text;
  }
}

TEST(Metrics, TheSameNameAndLabelsAreTheSameMetric) {
  Metrics metrics;
  auto first = metrics.counter("candlewick_feed_frames_total", "h", {{"venue", "a"}});
  auto again = metrics.counter("candlewick_feed_frames_total", "h", {{"venue", "a"}});
  auto other = metrics.counter("candlewick_feed_frames_total", "h", {{"venue", "b"}});
  first.add();
  again.add(2);
  EXPECT_EQ(first.value(), 3);
  EXPECT_EQ(other.value(), 0);
}

TEST(Metrics, AsksForFreshValuesAtEachScrape) {
  Metrics metrics;
  auto gauge = metrics.gauge("candlewick_log_backlog_rows", "h");
  int scrapes = 0;
  metrics.on_scrape([&] { gauge.set(++scrapes); });
  EXPECT_TRUE(has_line(metrics.text(), "candlewick_log_backlog_rows 1"));
  EXPECT_TRUE(has_line(metrics.text(), "candlewick_log_backlog_rows 2"));
}

TEST(Metrics, ARefresherMayMakeMetrics) {
  Metrics metrics;
  metrics.on_scrape([&] { metrics.gauge("candlewick_api_clients_count", "h").set(2); });
  EXPECT_TRUE(has_line(metrics.text(), "candlewick_api_clients_count 2"));
}

TEST(Metrics, WhatIsNotToldAnyMoreIsGone) {
  Metrics metrics;
  const auto told = [](const char* venue, double value) {
    return Metrics::Told{"candlewick_feed_connected", "h", {{"venue", venue}}, value};
  };
  metrics.tell("feeds", {told("binance", 1), told("okx", 1)});
  metrics.tell("log", {{"candlewick_log_bytes", "h", {}, 5}});
  EXPECT_TRUE(has_line(metrics.text(), R"(candlewick_feed_connected{venue="okx"} 1)"));
  metrics.tell("feeds", {told("binance", 0)});
  EXPECT_TRUE(has_line(metrics.text(), R"(candlewick_feed_connected{venue="binance"} 0)"));
  EXPECT_EQ(metrics.text().find("okx"), std::string::npos) << metrics.text();
  EXPECT_TRUE(has_line(metrics.text(), "candlewick_log_bytes 5")) << "of another page";
  metrics.tell("feeds", {told("okx", 1)});
  EXPECT_TRUE(has_line(metrics.text(), R"(candlewick_feed_connected{venue="okx"} 1)"));
}

TEST(Metrics, MakesHistogramsOfDelays) {
  Metrics metrics;
  Delays delays;
  const auto tell = [&] {
    metrics.tell("feeds", {}, {{"candlewick_feed_delay_seconds", "h", {{"venue", "okx"}}, delays}});
    return metrics.text();
  };
  const auto bucket = [](const char* end, int count) {
    return R"(candlewick_feed_delay_seconds_bucket{venue="okx",le=")" + std::string(end) + "\"} " +
           std::to_string(count);
  };
  EXPECT_TRUE(has_line(tell(), bucket("+Inf", 0))) << "born at zero";
  delays.add(std::chrono::milliseconds{1});
  delays.add(std::chrono::seconds{-3});  // a clock that is ahead
  delays.add(std::chrono::milliseconds{400});
  EXPECT_TRUE(has_line(tell(), bucket("0.001", 2)));
  delays.add(std::chrono::hours{1});
  const auto text = tell();
  EXPECT_TRUE(has_line(text, bucket("0.25", 2)));
  EXPECT_TRUE(has_line(text, bucket("0.5", 3)));
  EXPECT_TRUE(has_line(text, bucket("900", 3)));
  EXPECT_TRUE(has_line(text, bucket("+Inf", 4))) << text;
  // Another one of the same name, from nothing: what was counted stays counted.
  delays = {};
  delays.add(std::chrono::milliseconds{1});
  EXPECT_TRUE(has_line(tell(), bucket("+Inf", 5)));
  metrics.tell("feeds", {});
  EXPECT_EQ(metrics.text().find("okx"), std::string::npos);
}

TEST(Metrics, CountersCanBeThereBeforeTheirFirstCount) {
  static constexpr ObservationKind lost{.name = "lost",
                                        .metric = "candlewick_feed_lost_total",
                                        .help = "h",
                                        .labels = {"venue", "error_kind"}};
  static constexpr ObservationKind told{.name = "told"};
  Metrics metrics;
  begin_at_zero(metrics, lost, {{"venue", "okx"}});
  begin_at_zero(metrics, told);
  MetricsObserver(metrics).observe(lost, {{"venue", "okx"}, {"error_kind", "transient"}});
  const auto line = [](const char* kind, int count) {
    return std::string(R"(candlewick_feed_lost_total{error_kind=")") + kind + "\",venue=\"okx\"} " +
           std::to_string(count);
  };
  const auto text = metrics.text();
  EXPECT_TRUE(has_line(text, line("transient", 1))) << "the same series: " << text;
  EXPECT_TRUE(has_line(text, line("malformed", 0)));
  EXPECT_TRUE(has_line(text, line("rejected", 0)));
  EXPECT_TRUE(has_line(text, line("misconfigured", 0)));
}

TEST(Metrics, EscapesLabelValues) {
  Metrics metrics;
  metrics.counter("candlewick_feed_frames_total", "h", {{"venue", "a\"b\\c\nd"}}).add();
  EXPECT_TRUE(has_line(metrics.text(), R"(candlewick_feed_frames_total{venue="a\"b\\c\nd"} 1)"));
}

TEST(Metrics, CountsFromSeveralThreads) {
  Metrics metrics;
  constexpr int each = 10'000;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        auto counter = metrics.counter("candlewick_feed_frames_total", "h");
        for (int j = 0; j < each; ++j) counter.add();
      });
    }
  }
  EXPECT_EQ(metrics.counter("candlewick_feed_frames_total", "h").value(), 4 * each);
}

TEST(MetricsDeathTest, NamesOutsideTheSchemeStopTheProgram) {
  Metrics metrics;
  EXPECT_DEATH((void)metrics.counter("candlewick_feed_frames", "h"), "broken invariant");
  EXPECT_DEATH((void)metrics.counter("other_frames_total", "h"), "broken invariant");
  EXPECT_DEATH((void)metrics.gauge("candlewick_Feed_rows", "h"), "broken invariant");
  (void)metrics.gauge("candlewick_feed_lag_seconds", "h");
  EXPECT_DEATH((void)metrics.histogram("candlewick_feed_lag_seconds", "h", {1}),
               "broken invariant");
}

}  // namespace
}  // namespace candlewick
