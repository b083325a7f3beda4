// Supabase and Snowflake as targets: our double of a project over a real PostgreSQL, and fakesnow.
// Both are programs of their judges' folders, whose packages a machine may lack.
#pragma once

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include <unistd.h>

#include <fmt/ranges.h>

#include "postgres/connection.h"
#include "sink/snowflake.h"
#include "test/end_to_end/sink_targets.h"
#include "test/support/eventually.h"
#include "test/support/program.h"
#include "test/support/temporary_folder.h"

namespace candlewick::test {

// A program that tells its address by its first line on standard output.
class AddressedServer {
 public:
  // Why it does not run; empty: it does.
  std::string start(const std::filesystem::path& program,
                    const std::vector<std::string>& arguments) {
    program_ = std::make_unique<Program>(program, arguments);
    eventually([this] {
      return !program_->is_running() || program_->out().find('\n') != std::string::npos;
    });
    const std::string said = program_->out();
    address_ = said.substr(0, said.find('\n'));
    return address_.starts_with("http://") ? "" : "it tells no address: " + program_->err();
  }
  void kill() { program_.reset(); }
  const std::string& address() const { return address_; }
  std::string port() const { return address_.substr(address_.rfind(':') + 1); }

 private:
  std::unique_ptr<Program> program_;
  std::string address_;
};

// What is there or is installed by running `launcher` with arguments that do nothing. It gets the
// test's whole environment: a package's source may be named there.
inline std::string lack_of(const std::filesystem::path& launcher,
                           const std::vector<std::string>& arguments) {
  Environment environment;
  for (char** entry = ::environ; *entry != nullptr; ++entry) {
    const std::string_view setting(*entry);
    const auto equals = setting.find('=');
    environment.emplace(setting.substr(0, equals), setting.substr(equals + 1));
  }
  const auto finished = run_program(launcher, arguments, "", environment);
  if (finished.status == 0) return {};
  return finished.err.empty()
             ? fmt::format("{}: exit status {}", launcher.string(), finished.status)
             : finished.err;
}

// Ticks, indicators and closed candles, which the double takes as PostgREST would. They are read
// from its database.
class SupabaseTarget final : public SinkTarget {
 public:
  std::string_view sink() const override { return "supabase"; }
  std::string missing() const override { return lack_of(node, {"--eval", ""}); }
  std::string start() override {
    database_ = std::make_unique<PostgresDatabase>(PostgresKind::plain);
    if (const auto& problem = database_->server().problem(); !problem.empty()) return problem;
    auto arguments = at_port("0");
    std::set<std::filesystem::path> steps;
    for (const auto& file : std::filesystem::directory_iterator("sql/supabase")) {
      const auto name = file.path().filename().string();
      if (name.front() >= '0' && name.front() <= '9') steps.insert(file.path());
    }
    for (const auto& step : steps) {
      arguments.emplace_back("--apply");
      arguments.push_back(std::filesystem::absolute(step));
    }
    return double_.start(node, arguments);
  }
  // Nothing is ever deleted there, so rows lie in the order in which they came.
  std::int64_t ticks_out_of_order() override {
    auto connection = postgres::Connection::open({.url = Secret(database_->url())});
    EXPECT_TRUE(connection) << connection.error().message;
    if (!connection) return -1;
    const auto found = (*connection)
                           ->query(
                               "SELECT count(*) FILTER (WHERE is_late) FROM (SELECT exchange_ts < "
                               "lag(exchange_ts) OVER "
                               "(PARTITION BY symbol ORDER BY ctid) AS is_late FROM "
                               "public.market_ticks) AS ticks");
    EXPECT_TRUE(found) << found.error().message;
    return found ? std::get<std::int64_t>(found->value(0, 0, schema::ColumnType::integer).value())
                 : -1;
  }
  void go_away() override { double_.kill(); }
  std::string come_back() override { return double_.start(node, at_port(double_.port())); }
  Environment environment() const override {
    return {{"SUPABASE_URL", double_.address()},
            {"SUPABASE_SERVICE_ROLE_KEY", "sb_secret_of_the_double"},
            {"CANDLEWICK_SUPABASE_CANDLES", "true"}};
  }
  std::optional<std::vector<std::string>> rows(const schema::Table& table) override {
    if (&table != &schema::fact_ohlcv && &table != &schema::market_ticks &&
        &table != &schema::technical_indicators) {
      return std::nullopt;
    }
    std::vector<std::string> columns;
    for (const auto& column : table.columns) columns.push_back(fmt::format("\"{}\"", column.name));
    auto connection = postgres::Connection::open({.url = Secret(database_->url())});
    EXPECT_TRUE(connection) << connection.error().message;
    if (!connection) return std::nullopt;
    const auto found =
        (*connection)
            ->query(fmt::format("SELECT {} FROM public.{}", fmt::join(columns, ", "), table.name));
    EXPECT_TRUE(found) << found.error().message;
    if (!found) return std::nullopt;
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < found->size(); ++i) {
      schema::Row row{.table = &table, .values = {}};
      for (std::size_t c = 0; c < table.columns.size(); ++c)
        row.values.push_back(found->value(i, c, table.columns[c].type).value());
      lines.push_back(app::canonical_line(row).value());
    }
    std::ranges::sort(lines);
    return lines;
  }

 private:
  std::vector<std::string> at_port(const std::string& port) const {
    return {std::filesystem::absolute("test/supabase/double.mjs"), "--database", database_->url(),
            "--port", port};
  }

  const std::filesystem::path node = std::filesystem::absolute("test/supabase/node");

  std::unique_ptr<PostgresDatabase> database_;
  AddressedServer double_;
};

// fakesnow, read with the official connector. It takes about a hundred rows a second, so it is
// spared the two days of candles that a service begins with.
class SnowflakeTarget final : public SinkTarget {
 public:
  std::string_view sink() const override { return "snowflake"; }
  std::string missing() const override { return lack_of(python, {packages, "-c", ""}); }
  std::string start() override { return start_at("0"); }
  void go_away() override { server_.kill(); }
  std::string come_back() override { return start_at(server_.port()); }
  Environment environment() const override {
    return {{"SNOWFLAKE_ACCOUNT", "myorg-account1"},
            {"SNOWFLAKE_USER", "loader"},
            {"SNOWFLAKE_PASSWORD", "password of the loader"},
            {"SNOWFLAKE_DATABASE", std::string(database)},
            {"SNOWFLAKE_SCHEMA", std::string(schema_name)},
            {"SNOWFLAKE_BASE_URL", server_.address()},
            {"CANDLEWICK_SNOWFLAKE_CANDLES", "false"},
            {"CANDLEWICK_SNOWFLAKE_FLUSH_SECONDS", "1"}};
  }
  std::unique_ptr<sink::Sink> make_sink(const Clock& clock) const override {
    return sink::make_snowflake_from({.clock = &clock,
                                      .values = {{"account", "myorg-account1"},
                                                 {"user", "loader"},
                                                 {"password", "password of the loader"},
                                                 {"database", std::string(database)},
                                                 {"schema", std::string(schema_name)},
                                                 {"base_url", server_.address()},
                                                 {"candles", "false"}}})
        .value();
  }
  std::optional<std::vector<std::string>> rows(const schema::Table& table) override {
    if (&table != &schema::market_ticks && &table != &schema::technical_indicators) {
      return std::nullopt;
    }
    const auto dumped = run_program(
        python, {packages, std::filesystem::absolute("test/snowflake/dump.py"), server_.address(),
                 std::string(database), std::string(schema_name), upper(table.name)});
    EXPECT_EQ(dumped.status, 0) << dumped.err;
    std::vector<std::string> lines;
    std::istringstream texts(dumped.out);
    json::Reader reader;
    for (std::string text; std::getline(texts, text);) {
      schema::Row row{.table = &table, .values = std::vector<schema::Value>(table.columns.size())};
      const auto read = reader.read(text, [&](json::Value root) {
        root.members([&](std::string_view name, json::Value value) {
          for (std::size_t c = 0; c < table.columns.size(); ++c) {
            if (upper(table.columns[c].name) == name)
              row.values[c] = cell(value, table.columns[c].type);
          }
        });
      });
      EXPECT_TRUE(read) << read.error().message << ": " << text;
      lines.push_back(app::canonical_line(row).value());
    }
    std::ranges::sort(lines);
    return lines;
  }

 private:
  static constexpr std::string_view database = "MARKET";
  static constexpr std::string_view schema_name = "PUBLIC";

  std::string start_at(const std::string& port) {
    return server_.start(python,
                         {packages, std::filesystem::absolute("test/snowflake/fakesnow_server.py"),
                          folder_.path().string(), port});
  }

  static std::string upper(std::string_view name) {
    std::string text(name);
    std::ranges::transform(text, text.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return text;
  }

  // As dump.py shows it: times without their zone, which is UTC.
  static schema::Value cell(json::Value& value, schema::ColumnType type) {
    if (value.is_null()) return schema::Null{};
    switch (type) {
      case schema::ColumnType::text:
        return std::string(value.string());
      case schema::ColumnType::integer:
        return value.integer();
      case schema::ColumnType::boolean:
        return value.boolean();
      case schema::ColumnType::decimal:
        return value.decimal();
      case schema::ColumnType::real:
        return value.floating();
      case schema::ColumnType::time: {
        const auto time = parse_rfc3339(std::string(value.string()) + "Z");
        if (!time) value.reject(time.error().message);
        return time.value_or(Time{});
      }
      case schema::ColumnType::json:
        return schema::Json{std::string(value.text())};
    }
    return schema::Null{};
  }

  const std::filesystem::path python = std::filesystem::absolute("test/support/python_for");
  const std::string packages = std::filesystem::absolute("test/snowflake");

  TemporaryFolder folder_;
  AddressedServer server_;
};

}  // namespace candlewick::test
