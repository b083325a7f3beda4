// Places that rows go to, behind one interface, for tests that compare them all. Another kind of
// sink is another class, here or in remote_targets.h, and a line in make_targets() of
// sink_crash_test.cc.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <fmt/format.h>

#include "app/canonical.h"
#include "app/whole_table.h"
#include "base/json.h"
#include "net/loop.h"
#include "net/server.h"
#include "schema/table.h"
#include "sink/postgres_warehouse.h"
#include "sink/webhook.h"
#include "test/support/postgres_server.h"
#include "warehouse/database.h"

namespace candlewick::test {

using Environment = std::map<std::string, std::string>;

class SinkTarget {
 public:
  virtual ~SinkTarget() = default;
  // The name of the sink that fills it: fault points are called NAME.STEP and STEP@NAME.
  virtual std::string_view sink() const = 0;
  // What this machine lacks for it; empty: nothing. In CI nothing may be missing.
  virtual std::string missing() const { return {}; }
  // Why it cannot be started; empty: it runs.
  virtual std::string start() = 0;
  // What makes the service write to it.
  virtual Environment environment() const = 0;
  // All that it holds of a table, each row as app::canonical_line() has it, sorted. Nullopt when it
  // keeps no such table.
  virtual std::optional<std::vector<std::string>> rows(const schema::Table& table) = 0;
  // It is the service's own warehouse when its environment is given: of these one at a time.
  virtual bool is_warehouse() const { return false; }
  // The sink that fills it, for what a service has left; null: it leaves nothing.
  virtual std::unique_ptr<sink::Sink> make_sink(const Clock&) const { return nullptr; }
  // Steps that happen only with some sinks.
  virtual bool has_stable_batches() const { return false; }
  // It has refused rows up to now, if it can, and takes everything from now on.
  virtual bool refuses_rows() const { return false; }
  virtual void accept_everything() {}
  // For a time nobody answers at its address; what it holds stays.
  virtual void go_away() {}
  // Why it cannot be started again; empty: it runs.
  virtual std::string come_back() { return {}; }
  // How many ticks came after a later one of their symbol, where the target can tell.
  virtual std::int64_t ticks_out_of_order() { return 0; }
  // What is wrong with what came, besides the rows that are there: a batch that was kept twice.
  virtual std::string complaint() { return {}; }
};

inline std::optional<std::vector<std::string>> rows_of(warehouse::Database& database,
                                                       const schema::Table& table) {
  std::vector<std::string> lines;
  const auto stream = app::whole_table(database, table);
  while (true) {
    const auto row = stream->next();
    if (!row) {
      ADD_FAILURE() << table.name << ": " << row.error().message;
      return std::nullopt;
    }
    if (*row == nullptr) break;
    lines.push_back(app::canonical_line(**row).value());
  }
  std::ranges::sort(lines);
  return lines;
}

class SqliteTarget final : public SinkTarget {
 public:
  explicit SqliteTarget(std::filesystem::path data_dir) : path_(data_dir / "warehouse.db") {}
  std::string_view sink() const override { return "sqlite"; }
  std::string start() override { return {}; }
  Environment environment() const override { return {{"CANDLEWICK_WAREHOUSE", "sqlite"}}; }
  bool is_warehouse() const override { return true; }
  std::optional<std::vector<std::string>> rows(const schema::Table& table) override {
    auto database = warehouse::open_sqlite_for_reading(path_);
    EXPECT_TRUE(database) << database.error().message;
    return database ? rows_of(**database, table) : std::nullopt;
  }

 private:
  std::filesystem::path path_;
};

class PostgresTarget final : public SinkTarget {
 public:
  std::string_view sink() const override { return "postgres"; }
  std::string start() override {
    database_ = std::make_unique<PostgresDatabase>(PostgresKind::plain);
    return database_->server().problem();
  }
  Environment environment() const override {
    return {{"CANDLEWICK_WAREHOUSE", "postgres"}, {"DATABASE_URL", database_->url()}};
  }
  bool is_warehouse() const override { return true; }
  std::unique_ptr<sink::Sink> make_sink(const Clock& clock) const override {
    return sink::make_postgres_warehouse({.location = {.url = Secret(database_->url())}}, clock);
  }
  std::optional<std::vector<std::string>> rows(const schema::Table& table) override {
    auto database =
        warehouse::open_postgres_for_reading({.url = Secret(database_->url()), .schema = "public"});
    EXPECT_TRUE(database) << database.error().message;
    return database ? rows_of(**database, table) : std::nullopt;
  }

 private:
  std::unique_ptr<PostgresDatabase> database_;
};

// A receiver that checks signatures, knows batches by their names and keeps rows as a table's rule
// says. It refuses some rows until it is told to take everything.
class WebhookTarget final : public SinkTarget, private net::Handler {
 public:
  ~WebhookTarget() override {
    server_.reset();
    loop_.stop();
    loop_.join();
  }
  std::string_view sink() const override { return "webhook"; }
  std::string start() override {
    auto listening = net::Server::listen(loop_, {.max_body_bytes = 64U << 20U}, *this);
    if (!listening) return listening.error().message;
    server_ = std::move(*listening);
    loop_.start();
    return {};
  }
  Environment environment() const override {
    return {{"CANDLEWICK_WEBHOOK_URL", fmt::format("http://{}/rows", server_->address())},
            {"CANDLEWICK_WEBHOOK_SECRET", std::string(secret)},
            {"CANDLEWICK_WEBHOOK_TABLES", "fact_ohlcv,market_ticks,technical_indicators"}};
  }
  bool has_stable_batches() const override { return true; }
  bool refuses_rows() const override { return true; }
  void accept_everything() override {
    const std::scoped_lock lock(mutex_);
    refuses_ = false;
  }
  // Answers 503 while it is away.
  void set_away(bool away) {
    const std::scoped_lock lock(mutex_);
    is_away_ = away;
  }
  std::size_t count() {
    const std::scoped_lock lock(mutex_);
    return rows_.size();
  }
  std::string complaint() override {
    const std::scoped_lock lock(mutex_);
    return complaint_;
  }
  std::optional<std::vector<std::string>> rows(const schema::Table& table) override {
    if (&table != &schema::fact_ohlcv && &table != &schema::market_ticks &&
        &table != &schema::technical_indicators) {
      return std::nullopt;
    }
    const std::scoped_lock lock(mutex_);
    std::vector<std::string> lines;
    for (const auto& [key, row] : rows_) {
      if (row.table == &table) lines.push_back(app::canonical_line(row).value());
    }
    std::ranges::sort(lines);
    return lines;
  }

 private:
  static constexpr std::string_view secret = "receiver's secret";

  void http(net::Request request, std::shared_ptr<net::Responder> responder) override {
    const std::scoped_lock lock(mutex_);
    responder->send({.status = take(request)});
  }

  int take(const net::Request& request) {
    if (is_away_) return 503;
    const auto signature = sink::webhook_signature(
        Secret(std::string(secret)), request.headers.get("X-Candlewick-Timestamp"), request.body);
    if (request.headers.get("X-Candlewick-Signature") != signature) return 401;
    const std::string name(request.headers.get("X-Candlewick-Batch"));
    std::vector<schema::Row> rows;
    json::Reader reader;
    const auto read = reader.read(request.body, [&](json::Value list) {
      list.elements([&](json::Value value) {
        auto row = row_reader_.read(value.text());
        if (row) rows.push_back(std::move(*row));
        if (!row) value.reject(row.error().message);
      });
    });
    if (!read) {
      complaint_ += name + ": " + read.error().message + "\n";
      return 400;
    }
    if (refuses_ && std::ranges::any_of(rows, is_refused)) return 422;
    if (!names_.insert(name).second) return 200;
    note_numbers(name);
    for (auto& row : rows) keep(std::move(row));
    return 200;
  }

  // Ticks of one instrument in every other minute.
  static bool is_refused(const schema::Row& row) {
    if (row.table != &schema::market_ticks) return false;
    const auto minute = std::chrono::floor<std::chrono::minutes>(
                            std::get<Time>(row.at("exchange_ts")).time_since_epoch())
                            .count();
    return minute % 2 == 0 && std::get<std::string>(row.at("symbol")) == "ETH/USDT";
  }

  // Two batches of different names never hold the same row of the log, and they come in order.
  void note_numbers(const std::string& name) {
    if (name.find("-past-") != std::string::npos) return;
    const auto colon = name.find(':');
    const auto dash = name.find('-', colon);
    const std::int64_t first = std::stoll(name.substr(colon + 1, dash - colon - 1));
    const std::int64_t last = std::stoll(name.substr(dash + 1));
    if (first <= newest_ || last < first)
      complaint_ += fmt::format("{} came after {}\n", name, newest_);
    newest_ = std::max(newest_, last);
  }

  void keep(schema::Row row) {
    // Warehouses keep microseconds.
    for (auto& value : row.values) {
      if (auto* time = std::get_if<Time>(&value))
        *time = std::chrono::floor<std::chrono::microseconds>(*time);
    }
    std::string key = std::string(row.table->name) + "|" + schema::key_text(row);
    const auto [kept, is_new] = rows_.try_emplace(std::move(key), row);
    if (is_new || row.table->conflict == schema::Conflict::keep) return;
    if (std::get<std::int64_t>(row.at("revision")) >
        std::get<std::int64_t>(kept->second.at("revision"))) {
      kept->second = std::move(row);
    }
  }

  net::Loop loop_{"receiver"};
  std::unique_ptr<net::Server> server_;
  std::mutex mutex_;
  bool refuses_ = true;
  bool is_away_ = false;
  std::set<std::string> names_;
  std::int64_t newest_ = 0;
  std::string complaint_;
  std::map<std::string, schema::Row> rows_;
  schema::RowReader row_reader_;
};

}  // namespace candlewick::test
