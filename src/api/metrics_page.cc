// The page that Prometheus reads. What others keep as statistics becomes gauges and histograms
// here, at each reading: nothing holds on to the API that way, whoever outlives whom.
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

struct Page {
  std::vector<Metrics::Told> gauges;
  std::vector<Metrics::ToldDelays> delays;
};

void add_feed(Page& page, const feed::FeedStatus& feed, Time now) {
  const Labels venue{{"venue", feed.venue}};
  const auto set = [&](const char* name, const char* help, auto value) {
    page.gauges.push_back({name, help, venue, static_cast<double>(value)});
  };
  set("candlewick_feed_connected", "1 while data flows on every session", feed.connected ? 1 : 0);
  if (feed.last_frame_time) {
    set("candlewick_feed_last_frame_age_seconds", "Since the newest frame",
        seconds_of(now - *feed.last_frame_time));
  }
  set("candlewick_feed_weight_used", "Request weight used of the venue's budget", feed.weight_used);
  set("candlewick_feed_weight_allowed", "Request weight that the budget allows",
      feed.weight_allowed);
  set("candlewick_feed_requests_waiting", "REST requests that wait or are under way",
      feed.requests_waiting);
  set("candlewick_feed_paused", "1 while it was told to pause", feed.paused.empty() ? 0 : 1);
  set("candlewick_feed_sessions", "Connections that it needs", feed.sessions);
  set("candlewick_feed_live_sessions", "Of those, the ones on which data flows",
      feed.live_sessions);
  set("candlewick_feed_reconnects", "Connections made anew since the start", feed.reconnects);
  set("candlewick_feed_frames", "Frames received since the start", feed.frames);
  set("candlewick_feed_bytes", "Bytes of the frames received since the start", feed.bytes);
  set("candlewick_feed_events", "Events decoded since the start", feed.events);
  set("candlewick_feed_refused_frames", "Frames that could not be decoded since the start",
      feed.refused_frames);
  set("candlewick_feed_inexact_decimals",
      "Numbers with more than 18 fractional digits since the start", feed.inexact_decimals);
  if (feed.venue_time) {
    set("candlewick_feed_venue_time_age_seconds",
        "How far the newest exchange time is behind this machine's clock",
        seconds_of(now - *feed.venue_time));
  }
  page.delays.push_back({"candlewick_feed_delay_seconds",
                         "From the exchange time of a stream's frame until it was received", venue,
                         feed.delays});
}

void add_pipeline(Page& page, const pipeline::PipelineStatistics& pipeline) {
  const Labels venue{{"venue", pipeline.venue}};
  const auto set = [&](const char* name, const char* help, auto value) {
    page.gauges.push_back({name, help, venue, static_cast<double>(value)});
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

void add_sink(Page& page, const sink::SinkStatistics& sink, Time now) {
  const Labels name{{"sink", sink.sink}};
  const auto set = [&](const char* metric, const char* help, auto value) {
    page.gauges.push_back({metric, help, name, static_cast<double>(value)});
  };
  set("candlewick_sink_lag_rows", "Rows of the log that the sink lacks", sink.lag_rows);
  set("candlewick_sink_lag_seconds", "Age of the oldest row that the sink lacks",
      seconds_of(sink.lag(now)));
  set("candlewick_sink_rows_per_second", "Rows written over the last minute", sink.rows_per_second);
  set("candlewick_sink_written_rows", "Rows written since the start", sink.written_rows);
  set("candlewick_sink_written_batches", "Batches written since the start", sink.written_batches);
  set("candlewick_sink_failed_attempts", "Failed attempts in a row", sink.attempt);
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
    page.gauges.push_back({"candlewick_sink_errors",
                           "Errors since the start, by kind",
                           {{"sink", sink.sink}, {"error_kind", std::string(to_text(kind))}},
                           static_cast<double>(count)});
  };
  errors(ErrorKind::transient, sink.transient_errors);
  errors(ErrorKind::rejected, sink.rejected_errors);
  errors(ErrorKind::misconfigured, sink.misconfigured_errors);
  page.delays.push_back({"candlewick_sink_delay_seconds",
                         "From receiving what a row tells until the sink had it", name,
                         sink.delays});
}

void add_log(Page& page, const log::WriterStatistics& log) {
  const auto set = [&](const char* metric, const char* help, auto value) {
    page.gauges.push_back({metric, help, {}, static_cast<double>(value)});
  };
  set("candlewick_log_queued_rows", "Rows that are not durable yet", log.queued_rows);
  set("candlewick_log_queued_bytes", "Their size", log.queued_bytes);
  set("candlewick_log_committed_rows", "Rows made durable since the start", log.committed_rows);
  set("candlewick_log_commits", "Commits since the start", log.commits);
  set("candlewick_log_failed_commits", "Commits that failed since the start", log.failed_commits);
  set("candlewick_log_refused_rows", "Rows that had to wait outside since the start",
      log.refused_rows);
  set("candlewick_log_unstorable_rows", "Rows that the log will never take, since the start",
      log.dropped_rows);
  set("candlewick_log_trimmed_rows", "Rows that every sink has, deleted since the start",
      log.trimmed_rows);
  set("candlewick_log_last_sequence", "Number of the newest row", log.last_sequence);
  set("candlewick_log_commit_seconds", "How long the newest commit took",
      seconds_of(log.last_commit_took));
  set("candlewick_log_failing", "1 while the log cannot be written", log.is_failing ? 1 : 0);
  set("candlewick_log_bytes", "Disk in use by rows that a sink still lacks", log.size.bytes);
  set("candlewick_log_budget_bytes", "The most that it may be; 0: no limit", log.size.budget_bytes);
  set("candlewick_log_given_up_rows", "Rows given up to stay within the budget, ever",
      log.size.dropped_rows);
  for (const auto& [exchange, delays] : log.delays) {
    page.delays.push_back({"candlewick_log_delay_seconds",
                           "From receiving what a row tells until it was durable",
                           {{"venue", exchange}},
                           delays});
  }
}

}  // namespace

void answer_metrics(const Site& site, Call call) {
  Metrics& metrics = site.backend.metrics;
  const Health health = examine(site.backend);
  const Time now = site.backend.clock.now();
  // Told whole each time, so that what is followed no more is gone.
  Page page;
  for (const auto& feed : health.feeds) add_feed(page, feed, now);
  if (site.backend.pipelines) {
    for (const auto& pipeline : site.backend.pipelines()) add_pipeline(page, pipeline);
  }
  for (const auto& sink : health.sinks) add_sink(page, sink, now);
  if (health.log) add_log(page, *health.log);
  page.gauges.push_back({"candlewick_api_waiting_queries",
                         "Questions waiting for a query thread",
                         {},
                         static_cast<double>(site.questions.waiting())});
  page.gauges.push_back(
      {"candlewick_process_resident_memory_bytes", "Memory of this process", {}, resident_bytes()});
  metrics.tell("service", page.gauges, page.delays);
  call.send({.status = 200,
             .headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"},
                         {"Cache-Control", "no-store"}},
             .body = metrics.text()});
}

}  // namespace candlewick::api
