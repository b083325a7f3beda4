// "degraded" with 503 when something is broken, "degraded" with 200 when a sink merely lags; "down"
// when no feed is alive. Balancers read the status, people the list of problems.
#include "api/health.h"

#include "api/json_form.h"
#include "api/resources.h"

namespace candlewick::api {
namespace {

constexpr std::size_t max_waiting_shown = 20;

std::optional<std::int64_t> age_ms(const std::optional<Time>& then, Time now) {
  if (!then) return std::nullopt;
  return std::chrono::floor<std::chrono::milliseconds>(now - *then).count();
}

double seconds_of(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

void append_error(json::Members& members, const std::optional<Error>& error) {
  std::string& out = members.name("last_error");
  if (!error) {
    out += "null";
    return;
  }
  json::Members parts(out);
  parts("kind", to_text(error->kind))("message", error->message).close();
}

void append_list(std::string& out, const std::vector<std::string>& words) {
  out += '[';
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i != 0) out += ',';
    json::append_string(out, words[i]);
  }
  out += ']';
}

// Empty: the feed is alive.
std::string problem_of(const feed::FeedStatus& feed, const Backend& backend, Time now) {
  if (!feed.paused.empty()) return fmt::format("{}: {}", feed.venue, feed.paused);
  if (!feed.connected) return fmt::format("{}: not connected", feed.venue);
  if (feed.sessions == 0) return {};  // nothing of it is followed
  if (!feed.last_frame_time) return fmt::format("{}: no frame has come yet", feed.venue);
  const Duration age = now - *feed.last_frame_time;
  if (age <= backend.limits.feed_silence) return {};
  return fmt::format("{}: no frame for {} s", feed.venue,
                     std::chrono::floor<std::chrono::seconds>(age).count());
}

}  // namespace

Health examine(const Backend& backend) {
  const Time now = backend.clock.now();
  Health health;
  if (backend.feeds) health.feeds = backend.feeds();
  if (backend.sinks) health.sinks = backend.sinks();
  if (backend.log) health.log = backend.log();
  for (const auto& feed : health.feeds) {
    if (auto problem = problem_of(feed, backend, now); !problem.empty()) {
      health.problems.push_back(std::move(problem));
    }
  }
  health.is_down = !health.feeds.empty() && health.problems.size() == health.feeds.size();
  for (const auto& sink : health.sinks) {
    if (sink.state == sink::State::stopped || sink.state == sink::State::backing_off) {
      health.problems.push_back(fmt::format("sink {}: {}{}{}", sink.sink, to_text(sink.state),
                                            sink.last_error ? ": " : "",
                                            sink.last_error ? sink.last_error->message : ""));
    } else if (sink.lag(now) > backend.limits.sink_lag) {
      health.warnings.push_back(
          fmt::format("sink {}: {} s behind", sink.sink,
                      std::chrono::floor<std::chrono::seconds>(sink.lag(now)).count()));
    }
  }
  if (health.log && health.log->is_failing)
    health.problems.emplace_back("the log cannot be written");
  return health;
}

void append_feed(std::string& out, const feed::FeedStatus& feed, Time now) {
  json::Members members(out);
  members("venue", feed.venue)("connected", feed.connected)("sessions", feed.sessions)(
      "live_sessions", feed.live_sessions);
  members.nullable("last_event_age_ms", age_ms(feed.last_frame_time, now))
      .nullable("venue_time", feed.venue_time);
  members("reconnects", feed.reconnects)("frames", feed.frames)(
      "refused_frames", feed.refused_frames)("events", feed.events)(
      "inexact_decimals", feed.inexact_decimals)("weight_used", feed.weight_used)(
      "weight_allowed", feed.weight_allowed)("requests_waiting", feed.requests_waiting);
  members("paused", !feed.paused.empty());
  if (feed.last_error.empty()) {
    members.raw("last_error", "null");
  } else {
    members("last_error", feed.last_error);
  }
  members.close();
}

void append_sink(std::string& out, const sink::SinkStatistics& sink, Time now) {
  json::Members members(out);
  members("sink", sink.sink)("state", to_text(sink.state))("cursor", sink.cursor)(
      "last_sequence", sink.last_sequence)("lag_rows", sink.lag_rows)(
      "lag_seconds", seconds_of(sink.lag(now)))("written_rows", sink.written_rows)(
      "written_batches", sink.written_batches)("rows_per_second", sink.rows_per_second)(
      "dead_letters", sink.dead_letters)("transient_errors", sink.transient_errors)(
      "rejected_errors", sink.rejected_errors)("misconfigured_errors", sink.misconfigured_errors)(
      "dead_letters_now", sink.dead_letters_now)("dropped_rows", sink.dropped_rows)(
      "past_rows", sink.past_rows)("attempt", sink.attempt);
  members.nullable("next_attempt_at", sink.next_attempt_at)
      .nullable("last_write_at", sink.last_write_at);
  members("last_write_seconds", seconds_of(sink.last_write_took));
  append_error(members, sink.last_error);
  members.nullable("last_error_at", sink.last_error_at).close();
}

void append_log(std::string& out, const log::WriterStatistics& log) {
  json::Members members(out);
  members("queued_rows", log.queued_rows)("queued_bytes", log.queued_bytes)(
      "committed_rows", log.committed_rows)("last_sequence", log.last_sequence)(
      "refused_rows", log.refused_rows)("dropped_rows", log.dropped_rows)("failed_commits",
                                                                          log.failed_commits)(
      "last_commit_seconds", seconds_of(log.last_commit_took))("bytes", log.size.bytes)(
      "budget_bytes", log.size.budget_bytes)("given_up_rows", log.size.dropped_rows)(
      "is_failing", log.is_failing);
  append_error(members, log.last_error);
  members.nullable("last_error_at", log.last_error_at).close();
}

void answer_health(const Site& site, Call call) {
  const Health health = examine(site.backend);
  const Time now = site.backend.clock.now();
  std::string out;
  json::Members members(out);
  members("status", health.is_down                                       ? "down"
                    : health.problems.empty() && health.warnings.empty() ? "ok"
                                                                         : "degraded");
  members("version", site.backend.version)("time", now);
  if (!site.backend.warehouse.empty()) members("warehouse", site.backend.warehouse);
  append_list(members.name("problems"), health.problems);
  append_list(members.name("warnings"), health.warnings);
  const auto append_each = [&members, &out](std::string_view name, const auto& items,
                                            const auto& append) {
    members.name(name) += '[';
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i != 0) out += ',';
      append(items[i]);
    }
    out += ']';
  };
  append_each("feeds", health.feeds, [&](const auto& feed) { append_feed(out, feed, now); });
  append_each("sinks", health.sinks, [&](const auto& sink) { append_sink(out, sink, now); });
  std::string& log = members.name("log");
  if (health.log) {
    append_log(log, *health.log);
  } else {
    log += "null";
  }
  members.close();
  call.json(std::move(out), health.problems.empty() ? 200 : 503);
}

void answer_livez(const Site& site, Call call) {
  std::string out;
  json::Members members(out);
  members("status", "alive")("version", site.backend.version).close();
  call.json(std::move(out));
}

void answer_readyz(const Site& site, Call call) {
  std::string reason = site.backend.not_ready ? site.backend.not_ready() : std::string();
  std::vector<std::string> waiting;
  std::size_t stale = 0;
  const auto& board = site.backend.board;
  const auto entries = board.entries();
  for (const auto& entry : entries) {
    const pipeline::Latest latest = board.read(entry.slot);
    if (latest.is_stale) ++stale;
    if (has_data(latest)) continue;
    waiting.push_back(latest.instrument->exchange + ":" + latest.instrument->symbol);
  }
  if (reason.empty() && !waiting.empty()) {
    reason = fmt::format("{} instruments have no data yet", waiting.size());
  }
  if (waiting.size() > max_waiting_shown) waiting.resize(max_waiting_shown);
  const bool is_ready = reason.empty();
  std::string out;
  json::Members members(out);
  members("status", is_ready ? "ready" : "not_ready");
  if (is_ready) {
    members.raw("reason", "null");
  } else {
    members("reason", reason);
  }
  members("instruments", entries.size())("stale", stale);
  append_list(members.name("waiting_for"), waiting);
  members.close();
  call.json(std::move(out), is_ready ? 200 : 503);
}

}  // namespace candlewick::api
