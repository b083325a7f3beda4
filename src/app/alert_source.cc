// What costs more than a copy is looked at seldom, and only on the alerts' own thread. A warehouse
// that does not answer must not keep the other alerts waiting: it gets little time, and a pause.
#include "app/alert_source.h"

#include <filesystem>
#include <map>
#include <optional>
#include <ranges>
#include <string>

#include "alert/expiry.h"
#include "alert/outage.h"
#include "app/sinks.h"
#include "app/warehouse_choice.h"
#include "postgres/connection.h"
#include "query/candles.h"
#include "query/quality.h"
#include "warehouse/migration.h"
#include "warehouse/postgres_migration.h"

namespace candlewick::app {
namespace {

constexpr Duration disk_interval = std::chrono::seconds{10};
constexpr Duration mismatch_interval = std::chrono::minutes{1};
constexpr Duration credential_interval = std::chrono::hours{1};
constexpr Duration connect_timeout = std::chrono::seconds{2};
constexpr Duration statement_timeout = std::chrono::seconds{10};
// After a warehouse did not answer: another machine, or a file.
constexpr Duration server_pause = std::chrono::minutes{1};
constexpr Duration file_pause = std::chrono::seconds{5};

// True at the first look and whenever the interval has passed since it was true.
class Due {
 public:
  explicit Due(Duration interval) : interval_(interval) {}
  bool at(SteadyTime now) {
    if (next_ && now < *next_) return false;
    next_ = now + interval_;
    return true;
  }

 private:
  Duration interval_;
  std::optional<SteadyTime> next_;
};

class Source {
 public:
  explicit Source(AlertParts parts)
      : parts_(std::move(parts)),
        since_(parts_.clock.now()),
        outage_(parts_.clock, is_on_postgres(parts_.config) ? server_pause : file_pause) {
    if (const auto& file = parts_.config.http.certificate_file; !file.empty())
      certificate_.emplace("http.certificate_file", file);
    if (const auto configured = configured_sinks(parts_.config, parts_.clock)) {
      for (const auto& sink : *configured) batch_ages_.emplace(sink.name, sink.options.max_age);
    }
  }

  alert::Snapshot take() {
    const SteadyTime now = parts_.clock.steady();
    if (disk_due_.at(now)) look_at_disk();
    if (mismatches_due_.at(now)) count_mismatches();
    if (credentials_due_.at(now)) look_at_credentials();
    return {.feeds = parts_.feeds(),
            .pipelines = parts_.pipelines(),
            .sinks = parts_.sinks(),
            .batch_ages = batch_ages_,
            .log = parts_.log(),
            .free_bytes = free_bytes_,
            .mismatches = mismatches_,
            .credentials = credentials_};
  }

  std::optional<Result<std::vector<indicator::Bar>>> read_bars(const alert::BarQuery& wanted) {
    return outage_.unless_away([&] { return read(wanted); });
  }

 private:
  // The time it may take to connect is the alerts' own, unless the URL has one.
  Result<std::unique_ptr<warehouse::Database>> open_database() const {
    if (!is_on_postgres(parts_.config)) return parts_.open_database();
    const auto location = postgres_location(parts_.config);
    auto connection = postgres::Connection::open({.url = location.url,
                                                  .schema = location.schema,
                                                  .connect_timeout = connect_timeout,
                                                  .statement_timeout = statement_timeout,
                                                  .read_only = true});
    if (!connection) return within("warehouse", std::move(connection.error()));
    const auto known = warehouse::migrations_in("warehouse/postgres");
    if (auto checked = warehouse::check_migrated(**connection, known); !checked)
      return within("warehouse", std::move(checked.error()));
    return warehouse::make_postgres_database(std::move(*connection));
  }

  Result<std::vector<indicator::Bar>> read(const alert::BarQuery& wanted) const {
    auto database = open_database();
    if (!database) return fail(std::move(database.error()));
    auto candles = query::candles(**database, {.exchange = wanted.exchange,
                                               .symbol = wanted.symbol,
                                               .timeframe = wanted.timeframe,
                                               .end = wanted.end,
                                               .limit = wanted.count,
                                               .order = query::Order::descending,
                                               .closed_only = true});
    if (!candles) return fail(std::move(candles.error()));
    std::vector<indicator::Bar> bars;
    for (const auto& candle : *candles | std::views::reverse) {
      if (!candle.is_complete) continue;
      bars.push_back({.open_time = candle.timestamp,
                      .open = candle.open,
                      .high = candle.high,
                      .low = candle.low,
                      .close = candle.close,
                      .volume = candle.volume,
                      .quote_volume = candle.quote_volume});
    }
    return bars;
  }

  void look_at_disk() {
    std::error_code error;
    const auto space = std::filesystem::space(parts_.config.data_dir, error);
    free_bytes_ = error ? std::nullopt : std::optional<std::uint64_t>(space.available);
  }

  // A warehouse that does not answer is the sink's alert.
  void count_mismatches() {
    using Counts = std::map<std::string, std::uint64_t>;
    auto counts = outage_.unless_away([this]() -> Result<Counts> {
      const auto database = open_database();
      if (!database) return fail(database.error());
      return query::mismatch_counts(**database, since_);
    });
    if (counts && *counts) mismatches_ = std::move(**counts);
  }

  void look_at_credentials() {
    credentials_.clear();
    const Config& config = parts_.config;
    if (certificate_) credentials_.push_back(certificate_->look());
    const auto add_token = [&](const char* name, const Secret& token) {
      if (const auto expires = alert::token_expiry(token.reveal()))
        credentials_.push_back({.name = name, .expires = expires, .problem = {}});
    };
    add_token("supabase.service_role_key", config.supabase.service_role_key);
    add_token("snowflake.password", config.snowflake.password);
    add_token("snowflake.oauth_token", config.snowflake.oauth_token);
  }

  const AlertParts parts_;
  const Time since_;
  alert::Outage outage_;
  std::optional<alert::LoadedCertificate> certificate_;
  std::map<std::string, Duration> batch_ages_;
  Due disk_due_{disk_interval};
  Due mismatches_due_{mismatch_interval};
  Due credentials_due_{credential_interval};
  std::optional<std::uint64_t> free_bytes_;
  std::map<std::string, std::uint64_t> mismatches_;
  std::vector<alert::Credential> credentials_;
};

}  // namespace

std::unique_ptr<alert::Watch> start_alerts(alert::Plan plan, AlertParts parts) {
  alert::Watch::Parts watched{.clock = parts.clock,
                              .observer = parts.observer,
                              .metrics = parts.metrics,
                              .board = parts.board,
                              .take_snapshot = {},
                              .read_bars = {},
                              .repeat_interval = parts.config.alerts.repeat_interval,
                              .ca_file = parts.config.ca_file,
                              .limits = {}};
  const auto source = std::make_shared<Source>(std::move(parts));
  watched.take_snapshot = [source] { return source->take(); };
  watched.read_bars = [source](const alert::BarQuery& wanted) { return source->read_bars(wanted); };
  return std::make_unique<alert::Watch>(std::move(plan), std::move(watched));
}

}  // namespace candlewick::app
