// The page that Prometheus reads. What others keep as statistics becomes gauges here, at each
// reading: nothing holds on to the API that way, whoever outlives whom.
#include <unistd.h>

#include <cstdio>

#include "api/health.h"
#include "api/resources.h"

namespace candlewick::api {
namespace {

double seconds_of(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

// Pages in memory are the second number of statm. 0 where there is no such file.
double resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  unsigned long long total = 0;
  unsigned long long resident = 0;
  const int read = std::fscanf(file, "%llu %llu", &total, &resident);
  std::fclose(file);
  if (read != 2) return 0;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

void refresh_feed(Metrics& metrics, const feed::FeedStatus& feed, Time now) {
  const Labels venue{{"venue", feed.venue}};
  const auto set = [&](const std::string& name, const std::string& help, double value) {
    metrics.gauge(name, help, venue).set(value);
  };
  set("candlewick_feed_connected", "1 while data flows on every session", feed.connected ? 1 : 0);
  if (feed.last_frame_time) {
    set("candlewick_feed_last_frame_age_seconds", "Since the newest frame",
        seconds_of(now - *feed.last_frame_time));
  }
  set("candlewick_feed_weight_used", "Request weight used of the venue's budget", feed.weight_used);
  set("candlewick_feed_weight_allowed", "Request weight that the budget allows",
      feed.weight_allowed);
  set("candlewick_feed_frames", "Frames received since the start",
      static_cast<double>(feed.frames));
}

void refresh_pipeline(Metrics& metrics, const pipeline::PipelineStatistics& pipeline) {
  const Labels venue{{"venue", pipeline.venue}};
  const auto set = [&](const std::string& name, const std::string& help, auto value) {
    metrics.gauge(name, help, venue).set(static_cast<double>(value));
  };
  set("candlewick_missing_candles", "Candles that are over, wanted and not there",
      pipeline.missing_candles);
  set("candlewick_stream_gaps", "Holes in the numbers of a stream since the start", pipeline.gaps);
  set("candlewick_candle_corrections", "Closed candles that got other values since the start",
      pipeline.corrections);
  set("candlewick_book_resyncs", "Order books that fell out of step since the start",
      pipeline.book_resyncs);
  set("candlewick_trade_differences", "Candles that their own trades contradict",
      pipeline.trade_differences);
  set("candlewick_audit_checked", "Candles that were read again from the venue since the start",
      pipeline.audit.checked);
  set("candlewick_audit_different", "Of those, the ones that the venue tells differently now",
      pipeline.audit.different);
  set("candlewick_audit_absent", "Of those, the ones that the venue does not have any more",
      pipeline.audit.absent);
}

void refresh_sink(Metrics& metrics, const sink::SinkStatistics& sink, Time now) {
  const Labels name{{"sink", sink.sink}};
  const auto set = [&](const std::string& metric, const std::string& help, auto value) {
    metrics.gauge(metric, help, name).set(static_cast<double>(value));
  };
  set("candlewick_sink_lag_rows", "Rows of the log that the sink lacks", sink.lag_rows);
  set("candlewick_sink_lag_seconds", "Age of the oldest row that the sink lacks",
      seconds_of(sink.lag(now)));
  set("candlewick_sink_rows_per_second", "Rows written over the last minute", sink.rows_per_second);
  set("candlewick_sink_written_rows", "Rows written since the start", sink.written_rows);
  set("candlewick_sink_write_seconds", "How long the newest batch took",
      seconds_of(sink.last_write_took));
  set("candlewick_sink_dead_letters", "Rows refused by the sink since the start",
      sink.dead_letters);
  set("candlewick_sink_dead_letters_waiting", "Refused rows that nobody sent again or dropped",
      sink.dead_letters_now);
  set("candlewick_sink_dropped_rows", "Rows that the log gave up before the sink had them, ever",
      sink.dropped_rows);
  const bool is_failing =
      sink.state == sink::State::stopped || sink.state == sink::State::backing_off;
  set("candlewick_sink_failing", "1 while the sink cannot be written", is_failing ? 1 : 0);
  const auto errors = [&](ErrorKind kind, std::uint64_t count) {
    metrics
        .gauge("candlewick_sink_errors", "Errors since the start, by kind",
               {{"sink", sink.sink}, {"error_kind", std::string(to_text(kind))}})
        .set(static_cast<double>(count));
  };
  errors(ErrorKind::transient, sink.transient_errors);
  errors(ErrorKind::rejected, sink.rejected_errors);
  errors(ErrorKind::misconfigured, sink.misconfigured_errors);
}

void refresh_log(Metrics& metrics, const log::WriterStatistics& log) {
  const auto set = [&](const std::string& metric, const std::string& help, auto value) {
    metrics.gauge(metric, help).set(static_cast<double>(value));
  };
  set("candlewick_log_queued_rows", "Rows that are not durable yet", log.queued_rows);
  set("candlewick_log_commit_seconds", "How long the newest commit took",
      seconds_of(log.last_commit_took));
  set("candlewick_log_failing", "1 while the log cannot be written", log.is_failing ? 1 : 0);
  set("candlewick_log_bytes", "Disk in use by rows that a sink still lacks", log.size.bytes);
  set("candlewick_log_budget_bytes", "The most that it may be; 0: no limit", log.size.budget_bytes);
  set("candlewick_log_given_up_rows", "Rows given up to stay within the budget, ever",
      log.size.dropped_rows);
}

}  // namespace

void answer_metrics(const Site& site, Call call) {
  Metrics& metrics = site.backend.metrics;
  const Health health = examine(site.backend);
  const Time now = site.backend.clock.now();
  for (const auto& feed : health.feeds) refresh_feed(metrics, feed, now);
  if (site.backend.pipelines) {
    for (const auto& pipeline : site.backend.pipelines()) refresh_pipeline(metrics, pipeline);
  }
  for (const auto& sink : health.sinks) refresh_sink(metrics, sink, now);
  if (health.log) refresh_log(metrics, *health.log);
  metrics.gauge("candlewick_api_waiting_queries", "Questions waiting for a query thread")
      .set(static_cast<double>(site.questions.waiting()));
  metrics.gauge("candlewick_process_resident_memory_bytes", "Memory of this process")
      .set(resident_bytes());
  call.send({.status = 200,
             .headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"},
                         {"Cache-Control", "no-store"}},
             .body = metrics.text()});
}

}  // namespace candlewick::api
