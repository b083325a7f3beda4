// One function a part of the service; each adds its conditions whether they hold or not.
#include "alert/conditions.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace candlewick::alert {
namespace {

Finding holds_if(bool holds) {
  return holds ? Finding::holds : Finding::clear;
}

// "3 d", "5 h", "12 min", "40 s".
std::string words_of(Duration duration) {
  using namespace std::chrono;
  if (duration >= days{2}) return fmt::format("{} d", floor<days>(duration).count());
  if (duration >= hours{2}) return fmt::format("{} h", floor<hours>(duration).count());
  if (duration >= minutes{2}) return fmt::format("{} min", floor<minutes>(duration).count());
  return fmt::format("{} s", floor<seconds>(duration).count());
}

std::string because(const std::string& error) {
  return error.empty() ? std::string{} : ": " + error;
}

}  // namespace

std::vector<Condition> Conditions::look(const Snapshot& snapshot, Moment now) {
  for (const auto& feed : snapshot.feeds) add_feed(feed, now);
  for (const auto& pipeline : snapshot.pipelines) add_pipeline(pipeline, now);
  add_mismatches(snapshot, now);
  for (const auto& sink : snapshot.sinks) {
    const auto age = snapshot.batch_ages.find(sink.sink);
    add_sink(sink, age == snapshot.batch_ages.end() ? Duration{} : age->second, now);
  }
  add_log(snapshot.log);
  if (snapshot.free_bytes) add_disk(*snapshot.free_bytes);
  for (const auto& credential : snapshot.credentials) add_credential(credential, now);
  return std::exchange(found_, {});
}

// How much a counter grew since it was last calm; zero when that was an hour ago. What it had at
// the first look is old, unless it starts at zero.
std::uint64_t Conditions::news_of(const std::string& counter, std::uint64_t value,
                                  bool starts_at_zero, Moment now) {
  Growth& growth = growth_[counter];
  if (!growth.known && starts_at_zero) growth.known = 0;
  if (growth.known && value > *growth.known) {
    growth.news += value - *growth.known;
    growth.grown_at = now.steady;
  }
  growth.known = value;
  if (!growth.grown_at || now.steady - *growth.grown_at > limits_.news) {
    growth.news = 0;
    growth.grown_at.reset();
  }
  return growth.news;
}

// A pause has a reason of its own, which is told as such.
void Conditions::add_feed(const feed::FeedStatus& feed, Moment now) {
  const bool is_needed = feed.sessions > 0 || !feed.connected;
  const Duration age = feed.last_frame_time ? now.wall - *feed.last_frame_time : Duration::zero();
  const bool is_silent =
      feed.connected && feed.sessions > 0 && feed.last_frame_time && age > limits_.feed_dead;
  Condition condition{
      .name = "feed_dead",
      .urgency = Urgency::critical,
      .labels = {{"exchange", feed.venue}},
      .finding = holds_if(feed.paused.empty() && is_needed && (!feed.connected || is_silent))};
  // Silence has been waited for already.
  condition.patience = is_silent ? Duration::zero() : limits_.feed_dead;
  condition.summary =
      is_silent
          ? fmt::format("{} is connected, yet nothing has come for {}", feed.venue, words_of(age))
          : fmt::format("{} is not connected{}", feed.venue, because(feed.last_error));
  condition.resolved = fmt::format("{} is connected and data flows", feed.venue);
  found_.push_back(std::move(condition));
}

// While holes are being filled there are fewer from time to time: only what stays is worth telling.
void Conditions::add_pipeline(const pipeline::PipelineStatistics& pipeline, Moment now) {
  Stuck& stuck = missing_[pipeline.venue];
  const auto missing = pipeline.missing_candles;
  if (missing == 0) {
    stuck = {};
  } else if (!stuck.since || missing < stuck.lowest) {
    stuck = {missing, now.steady};
  }
  const Duration since = stuck.since ? now.steady - *stuck.since : Duration::zero();
  found_.push_back(
      {.name = "missing_data",
       .urgency = Urgency::warning,
       .labels = {{"exchange", pipeline.venue}},
       .finding = missing == 0 ? Finding::clear
                               : (since >= limits_.missing ? Finding::holds : Finding::near),
       .summary =
           fmt::format("{}: {} candles are missing, and none of them could be fetched for {}",
                       pipeline.venue, missing, words_of(since)),
       .resolved = missing == 0 ? fmt::format("{}: every candle is there", pipeline.venue)
                                : fmt::format("{}: {} candles are still missing, and are being "
                                              "fetched",
                                              pipeline.venue, missing),
       // Getting fewer again is not the end.
       .calm = limits_.news});
}

void Conditions::add_mismatches(const Snapshot& snapshot, Moment now) {
  std::map<std::string, std::uint64_t> news;
  for (const auto& pipeline : snapshot.pipelines) {
    const auto different =
        pipeline.audit.different + pipeline.audit.absent + pipeline.trade_differences;
    news[pipeline.venue] += news_of("pipeline " + pipeline.venue, different, true, now);
  }
  for (const auto& [exchange, count] : snapshot.mismatches) {
    auto& known = news[exchange];
    known = std::max(known, news_of("mismatches " + exchange, count, true, now));
  }
  for (const auto& [exchange, count] : news) {
    found_.push_back(
        {.name = "verification_mismatch",
         .urgency = Urgency::warning,
         .labels = {{"exchange", exchange}},
         .finding = holds_if(count > 0),
         .summary = fmt::format("{}: {} candles differ from what the exchange or its trades say; "
                                "/v1/quality has them",
                                exchange, count),
         .resolved =
             fmt::format("{}: no further difference for {}", exchange, words_of(limits_.news))});
  }
}

void Conditions::add_sink(const sink::SinkStatistics& sink, Duration batch_age, Moment now) {
  const Labels labels{{"sink", sink.sink}};
  const std::string error = sink.last_error ? sink.last_error->message : "";
  const bool is_stopped = sink.state == sink::State::stopped;
  const Duration lag = sink.lag(now.wall);
  const bool is_behind = lag > limits_.sink_lag + batch_age;
  found_.push_back(
      {.name = "sink_stuck",
       .urgency = Urgency::critical,
       .labels = labels,
       .finding = holds_if(is_stopped || is_behind),
       .summary = is_stopped
                      ? fmt::format("sink {} is set up wrongly{}", sink.sink, because(error))
                      : fmt::format("sink {} is {} and {} rows behind{}", sink.sink, words_of(lag),
                                    sink.lag_rows,
                                    sink.state == sink::State::backing_off ? because(error) : ""),
       .resolved = fmt::format("sink {} keeps up", sink.sink),
       .patience = is_stopped ? limits_.sink_stopped : Duration::zero()});
  found_.push_back({.name = "dead_letters",
                    .urgency = Urgency::warning,
                    .labels = labels,
                    .finding = holds_if(sink.dead_letters_now > 0),
                    .summary = fmt::format("sink {} refused {} rows, which wait for somebody "
                                           "(candlewick dead-letters)",
                                           sink.sink, sink.dead_letters_now),
                    .resolved = fmt::format("sink {}: no refused rows are waiting", sink.sink)});
  if (!sink.is_looked_at) return;
  const auto lost =
      news_of("sink " + sink.sink, static_cast<std::uint64_t>(sink.dropped_rows), false, now);
  found_.push_back({.name = "rows_lost",
                    .urgency = Urgency::critical,
                    .labels = labels,
                    .finding = holds_if(lost > 0),
                    .summary = fmt::format("sink {}: the log gave up {} rows that it did not have",
                                           sink.sink, lost),
                    .resolved = fmt::format("sink {}: no more rows were given up for {}", sink.sink,
                                            words_of(limits_.news))});
}

void Conditions::add_log(const log::WriterStatistics& log) {
  found_.push_back({.name = "log_failing",
                    .urgency = Urgency::critical,
                    .labels = {},
                    .finding = holds_if(log.is_failing),
                    .summary = "the log cannot be written" +
                               because(log.last_error ? log.last_error->message : ""),
                    .resolved = "the log is written again",
                    .patience = std::chrono::seconds{10}});
  const auto budget = log.size.budget_bytes;
  if (budget == 0) return;
  const auto percent =
      static_cast<int>(100.0 * static_cast<double>(log.size.bytes) / static_cast<double>(budget));
  const bool holds = percent >= limits_.budget_percent;
  found_.push_back(
      {.name = "disk_budget",
       .urgency = percent >= limits_.budget_critical_percent ? Urgency::critical : Urgency::warning,
       .labels = {{"of", "log"}},
       .finding = holds ? Finding::holds
                        : (percent + 5 > limits_.budget_percent ? Finding::near : Finding::clear),
       .summary = fmt::format("the log uses {} % of its disk budget (log.disk_budget_mib); a sink "
                              "does not take its rows",
                              percent),
       .resolved = fmt::format("the log uses {} % of its disk budget", percent),
       .calm = std::chrono::minutes{5}});
}

void Conditions::add_disk(std::uint64_t free_bytes) {
  const bool holds = free_bytes < limits_.free_bytes;
  found_.push_back(
      {.name = "disk_budget",
       .urgency = free_bytes < limits_.free_critical_bytes ? Urgency::critical : Urgency::warning,
       .labels = {{"of", "data_dir"}},
       .finding =
           holds ? Finding::holds
                 : (free_bytes < limits_.free_bytes / 10 * 11 ? Finding::near : Finding::clear),
       .summary = fmt::format("the disk of data_dir has {} MiB left", free_bytes >> 20U),
       .resolved = fmt::format("the disk of data_dir has {} MiB left", free_bytes >> 20U),
       .calm = std::chrono::minutes{5}});
}

void Conditions::add_credential(const Credential& credential, Moment now) {
  Condition condition{.name = "key_expiring",
                      .labels = {{"of", credential.name}},
                      .resolved = fmt::format("{} has been renewed", credential.name)};
  if (!credential.problem.empty()) {
    condition.finding = Finding::holds;
    condition.summary = fmt::format("{}: {}", credential.name, credential.problem);
  } else if (credential.expires) {
    const Duration left = *credential.expires - now.wall;
    condition.finding = holds_if(left <= limits_.expiry);
    if (left <= limits_.expiry_critical) condition.urgency = Urgency::critical;
    condition.summary =
        left <= Duration::zero()
            ? fmt::format("{} expired at {}", credential.name, to_rfc3339(*credential.expires))
            : fmt::format("{} expires in {}, at {}", credential.name, words_of(left),
                          to_rfc3339(*credential.expires));
    if (credential.is_renewed_on_disk)
      condition.summary += "; it is renewed on disk: restart to use it";
  } else {
    return;
  }
  found_.push_back(std::move(condition));
}

}  // namespace candlewick::alert
