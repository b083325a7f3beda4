// The log knows every sink's place; only a running service knows what it is doing.
#include "app/sink_list.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "app/command.h"
#include "app/folder_lock.h"
#include "app/sinks.h"
#include "app/table.h"
#include "app/warehouse_choice.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/json_text.h"
#include "log/sqlite_log.h"
#include "net/http_client.h"

namespace candlewick::app {
namespace {

struct Line {
  std::string name;
  std::string state = "not running";
  std::optional<std::int64_t> cursor;
  std::int64_t lag_rows = 0;
  double lag_seconds = 0;
  double rows_per_second = 0;
  std::int64_t dead_letters = 0;
  std::int64_t dropped_rows = 0;
  std::string last_error;
};

Result<void> read_log(log::Log& log, const Clock& clock, std::vector<Line>& lines) {
  const auto cursors = log.cursors();
  if (!cursors) return fail(cursors.error());
  for (const auto& cursor : *cursors) {
    auto line = std::ranges::find(lines, cursor.sink, &Line::name);
    if (line == lines.end()) {
      line = lines.insert(lines.end(), Line{.name = cursor.sink, .state = "not configured"});
    }
    line->cursor = cursor.sequence;
    line->dropped_rows = cursor.dropped_rows;
    const auto behind = log.rows_after(cursor.sequence);
    const auto oldest = log.read_for(cursor.sink, cursor.sequence, 1, 1);
    if (!behind || !oldest) return fail(behind ? oldest.error() : behind.error());
    line->lag_rows = *behind;
    if (oldest->entries.empty()) continue;
    if (const auto stamped = log::stamped_time(oldest->entries.front().row))
      line->lag_seconds = std::chrono::duration<double>(clock.now() - *stamped).count();
  }
  for (auto& line : lines) {
    const auto letters = log.count_dead_letters(line.name);
    if (!letters) return fail(letters.error());
    line.dead_letters = *letters;
  }
  return {};
}

// One of the service's, into the line of its name.
void take(json::Value sink, std::vector<Line>& lines) {
  Line told;
  sink.members([&](std::string_view key, json::Value value) {
    if (key == "sink") told.name = value.string();
    if (key == "state") told.state = value.string();
    if (key == "cursor") told.cursor = value.integer();
    if (key == "lag_rows") told.lag_rows = value.integer();
    if (key == "lag_seconds") told.lag_seconds = value.floating();
    if (key == "rows_per_second") told.rows_per_second = value.floating();
    if (key == "dead_letters_now") told.dead_letters = value.integer();
    if (key == "dropped_rows") told.dropped_rows = value.integer();
    if (key == "last_error" && !value.is_null()) {
      value.members([&](std::string_view part, json::Value text) {
        if (part == "message") told.last_error = text.string();
      });
    }
  });
  const auto line = std::ranges::find(lines, told.name, &Line::name);
  if (line != lines.end()) *line = std::move(told);
}

// What the running service says; silence says nothing.
void ask_service(const Config& config, std::vector<Line>& lines) {
  if (!FolderLock::is_taken(config.data_dir) || config.http.listen.port == 0) return;
  Endpoint endpoint = config.http.listen;
  if (endpoint.host == "0.0.0.0") endpoint.host = "127.0.0.1";
  if (endpoint.host == "::") endpoint.host = "::1";
  net::HttpClient http({.ca_file = config.ca_file});
  const auto reply = http.fetch({.url = fmt::format("http://{}/v1/sinks", to_text(endpoint)),
                                 .timeout = std::chrono::seconds{5}});
  if (!reply || reply->status != 200) return;
  json::Reader reader;
  const auto read = reader.read(reply->body, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value list) {
      if (key == "data") list.elements([&](json::Value sink) { take(sink, lines); });
    });
  });
  if (!read) fmt::print(stderr, "candlewick: /v1/sinks: {}\n", read.error().message);
}

void show(const std::vector<Line>& known, Format format) {
  Table table({"sink", "state", "cursor", "lag_rows", "lag_seconds", "rows_per_second",
               "dead_letters", "dropped_rows", "last_error"});
  table.colour("state", tone_of_state);
  table.colour("dead_letters", tone_of_loss);
  table.colour("dropped_rows", tone_of_loss);
  table.colour("last_error", tone_of_trouble);
  std::vector<std::string> lines;
  for (const auto& line : known) {
    table.add({line.name, line.state, line.cursor ? fmt::format("{}", *line.cursor) : "",
               fmt::format("{}", line.lag_rows), fmt::format("{:.1f}", line.lag_seconds),
               fmt::format("{:.1f}", line.rows_per_second), fmt::format("{}", line.dead_letters),
               fmt::format("{}", line.dropped_rows), line.last_error});
    std::string text;
    json::Members members(text);
    members("sink", line.name)("state", line.state);
    members.nullable("cursor", line.cursor);
    members("lag_rows", line.lag_rows)("lag_seconds", line.lag_seconds)(
        "rows_per_second", line.rows_per_second)("dead_letters", line.dead_letters)(
        "dropped_rows", line.dropped_rows)("last_error", line.last_error);
    members.close();
    lines.push_back(std::move(text));
  }
  print(table, format, lines);
}

int forget(log::Log& log, const std::vector<ConfiguredSink>& configured, const std::string& name) {
  if (std::ranges::find(configured, name, &ConfiguredSink::name) != configured.end()) {
    return report({ErrorKind::misconfigured,
                   fmt::format("sink {} is configured: only others can be forgotten", name)});
  }
  const auto place = log.cursor(name);
  if (!place) return report(place.error());
  if (!*place) {
    return report({ErrorKind::misconfigured, fmt::format("the log knows no sink \"{}\"", name)});
  }
  if (auto removed = log.remove_cursor(name); !removed) return report(removed.error());
  fmt::print("sink {}: its place in the log is removed\n", name);
  return done;
}

}  // namespace

int sinks(const LoadedConfig& loaded, const SinksOptions& options) {
  const auto format = parse_format(options.format);
  if (!format) return report(format.error());
  const RealClock clock;
  const auto configured = configured_sinks(loaded.config, clock);
  if (!configured) return report(configured.error());
  std::vector<Line> lines;
  for (const auto& sink : *configured) lines.push_back({.name = std::string(sink.name)});
  if (const auto path = log_path(loaded.config); std::filesystem::exists(path)) {
    const auto log = log::open_sqlite_log({.path = path});
    if (!log) return report(log.error());
    if (!options.forget.empty()) return forget(**log, *configured, options.forget);
    if (auto read = read_log(**log, clock, lines); !read) return report(read.error());
  } else if (!options.forget.empty()) {
    return report({ErrorKind::misconfigured, path.string() + ": there is no log yet (data_dir)"});
  }
  ask_service(loaded.config, lines);
  show(lines, *format);
  return done;
}

}  // namespace candlewick::app
