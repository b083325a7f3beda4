// The text that Prometheus scrapes.
#include "base/metrics.h"

#include <gtest/gtest.h>

#include <thread>

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
