// One check a function; each adds lines of ok, warning or failed.
#include "app/doctor.h"
#include "base/selection.h"

#include <unistd.h>

#include <filesystem>

#include <fmt/format.h>

#include "alert/watch.h"
#include "api/settings.h"
#include "app/bridge.h"
#include "app/command.h"
#include "app/folder_lock.h"
#include "app/sinks.h"
#include "app/table.h"
#include "app/warehouse_choice.h"
#include "base/json_text.h"
#include "exchange/registry.h"
#include "log/sqlite_log.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "net/websocket_client.h"
#include "query/catalogue.h"
#include "warehouse/database.h"

namespace candlewick::app {
namespace {

using namespace std::chrono_literals;

constexpr Duration tolerated_skew = 1s;
constexpr std::uintmax_t little_room = std::uintmax_t{1} << 30;

class Findings {
 public:
  Findings() { marked_.colour("verdict", tone_of_verdict); }
  void ok(std::string what, std::string says) { add("ok", std::move(what), std::move(says)); }
  void warning(std::string what, std::string says) {
    add("warning", std::move(what), std::move(says));
  }
  void failed(std::string what, std::string says) {
    add("failed", std::move(what), std::move(says));
    any_failed_ = true;
  }
  // What to do about what was added last: words, or SQL of several lines.
  void advise(const std::string& advice) {
    if (advice.empty()) return;
    advice_ += advice;
    if (!advice.ends_with('\n')) advice_ += '\n';
    std::string& line = lines_.back();
    line.pop_back();
    line += R"(,"advice":)";
    json::append_string(line, advice);
    line += '}';
    rows_.back().back() += advice;
  }
  bool any_failed() const { return any_failed_; }
  const std::string& advice() const { return advice_; }
  std::string text(bool colour) { return marked_.text(colour); }
  std::string csv() const {
    Table table({"verdict", "check", "detail", "advice"});
    for (const auto& row : rows_) table.add(row);
    return table.csv();
  }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  void add(const char* verdict, std::string what, std::string says) {
    std::string line;
    json::Members members(line);
    members("check", what)("verdict", verdict)("detail", says).close();
    lines_.push_back(std::move(line));
    marked_.add({fmt::format("{} {}", mark_of(verdict), verdict), what, says});
    rows_.push_back({verdict, std::move(what), std::move(says), {}});
  }
  static std::string_view mark_of(std::string_view verdict) {
    if (verdict == "ok") return "✓";
    return verdict == "warning" ? "!" : "✗";
  }
  static Tone tone_of_verdict(std::string_view cell) {
    if (cell.ends_with("ok")) return Tone::good;
    return cell.ends_with("warning") ? Tone::warning : Tone::bad;
  }

  Table marked_{{"verdict", "check", "detail"}};
  std::vector<std::vector<std::string>> rows_;
  std::vector<std::string> lines_;
  std::string advice_;
  bool any_failed_ = false;
};

void check_folder(const Config& config, Findings& findings) {
  std::error_code error;
  const std::filesystem::path folder(config.data_dir);
  if (!std::filesystem::exists(folder, error)) {
    return findings.ok("data folder", fmt::format("{} does not exist yet; the first run makes it",
                                                  config.data_dir));
  }
  const auto space = std::filesystem::space(folder, error);
  if (error)
    return findings.failed("data folder", fmt::format("{}: {}", config.data_dir, error.message()));
  const auto free = fmt::format("{} has {} MiB free", config.data_dir, space.available >> 20);
  if (space.available < little_room) {
    findings.warning("data folder", free + "; the log alone may grow to log.disk_budget_mib");
  } else {
    findings.ok("data folder", free);
  }
  findings.ok("service",
              FolderLock::is_taken(folder) ? "runs in this folder" : "does not run in this folder");
}

void check_log(const Config& config, Findings& findings) {
  if (!std::filesystem::exists(log_path(config))) return findings.ok("log", "none yet");
  auto log = log::open_sqlite_log({.path = log_path(config)});
  if (!log) return findings.failed("log", log.error().message);
  const auto size = (*log)->size();
  const auto last = (*log)->last_sequence();
  const auto cursors = (*log)->cursors();
  if (!size || !last || !cursors)
    return findings.failed("log", "cannot be read: " + log_path(config).string());
  std::string says = fmt::format("{} KiB, newest row {}", size->bytes >> 10, *last);
  for (const auto& cursor : *cursors)
    says += fmt::format(", {} is {} rows behind", cursor.sink, *last - cursor.sequence);
  findings.ok("log", says);
  if (size->dropped_rows > 0)
    findings.warning("log", fmt::format("{} rows were given up to stay within the disk budget",
                                        size->dropped_rows));
  const auto dead = (*log)->count_dead_letters("");
  if (dead && *dead > 0)
    findings.warning("dead letters", fmt::format("{} rows were refused by a sink", *dead));
}

void check_warehouse(const Config& config, Findings& findings) {
  std::string kind = "SQLite";
  if (is_on_postgres(config)) {
    const auto server = warehouse::inspect_postgres(postgres_location(config));
    if (!server) return findings.failed("warehouse", server.error().message);
    kind = warehouse::describe(*server);
    if (server->is_replica)
      return findings.failed("warehouse", kind + " is a read-only replica: name the primary");
  } else if (!std::filesystem::exists(warehouse_path(config))) {
    return findings.ok("warehouse", "SQLite, none yet");
  }
  auto database = open_for_reading(config);
  if (!database) return findings.failed("warehouse", database.error().message);
  const auto exchanges = query::exchanges(**database);
  if (!exchanges) return findings.failed("warehouse", exchanges.error().message);
  std::int64_t listings = 0;
  for (const auto& exchange : *exchanges) listings += exchange.listings;
  findings.ok("warehouse",
              fmt::format("{}, {} exchanges, {} listings", kind, exchanges->size(), listings));
}

void check_http(const Config& config, Findings& findings) {
  const auto options = api::options_of(config.http);
  const auto keys = api::keys_of(config.http);
  if (!options) return findings.failed("http", options.error().message);
  if (!keys) return findings.failed("http", keys.error().message);
  const auto warnings = api::exposure_warnings(config.http);
  for (const auto& warning : warnings) findings.warning("http", warning);
  if (!warnings.empty()) return;
  findings.ok("http", fmt::format("{} on {}, {} keys",
                                  config.http.certificate_file.empty() ? "plain" : "TLS",
                                  to_text(config.http.listen), keys->size()));
}

// Nobody is told anything: `candlewick alerts --test` does that.
void check_alerts(const Config& config, Findings& findings) {
  const auto plan = alert::read_plan(config.alerts);
  if (!plan) return findings.failed("alerts", plan.error().message);
  std::string receivers;
  for (const auto& receiver : plan->receivers)
    receivers +=
        fmt::format("{}{} ({})", receivers.empty() ? "" : ", ", receiver.name, receiver.host);
  if (receivers.empty() && !plan->thresholds.empty()) {
    findings.warning("alerts", "alerts.when is set, but nobody is told: they are in the log only");
  } else {
    findings.ok("alerts",
                fmt::format("told to {}, {} thresholds", receivers.empty() ? "nobody" : receivers,
                            plan->thresholds.size()));
  }
}

// The targets besides the warehouse, which has a check of its own.
void check_sinks(const Config& config, const Clock& clock, Findings& findings) {
  const auto configured = configured_sinks(config, clock);
  if (!configured) return findings.failed("sinks", configured.error().message);
  for (const auto& wanted : *configured) {
    if (wanted.is_warehouse) continue;
    const std::string name = fmt::format("sink {}", wanted.name);
    const auto target = make_sink(wanted);
    if (!target) {
      findings.failed(name, target.error().message);
      continue;
    }
    const auto secrets = config.secrets();
    for (auto finding : (*target)->examine()) {
      finding.what = without(std::move(finding.what), secrets);
      using enum sink::Finding::Grade;
      if (finding.grade == good) findings.ok(name, finding.what);
      if (finding.grade == warning) findings.warning(name, finding.what);
      if (finding.grade == bad) findings.failed(name, finding.what);
      findings.advise(finding.advice);
    }
  }
}

void check_rest(const exchange::Venue& venue, const std::string& base, net::HttpClient& http,
                const Clock& clock, Findings& findings) {
  const auto request = venue.request({.kind = exchange::RestKind::server_time});
  if (!request) return;
  const std::string what = fmt::format("{} REST", exchange::key_of(venue));
  const Time asked = clock.now();
  const auto reply = http.fetch({.url = base + request->target, .timeout = 10s});
  if (!reply) return findings.failed(what, fmt::format("{}: {}", base, reply.error().message));
  if (const auto words = venue.explain_status(reply->status); !words.empty())
    return findings.failed(what, words);
  const auto catalogue = exchange::make_catalogue(venue);
  Events events;
  const auto decoded = venue.make_decoder(*catalogue)
                           ->decode({.text = reply->body,
                                     .url = base + request->target,
                                     .received_time = {},
                                     .is_reply = true,
                                     .http_status = reply->status},
                                    events);
  const auto* reading = events.empty() ? nullptr : std::get_if<ClockReading>(&events.front());
  if (!decoded || reading == nullptr) {
    return findings.failed(
        what, fmt::format("{} answers HTTP {}, which is not its time: {}", base, reply->status,
                          decoded ? "no time" : decoded.error().message));
  }
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(reply->took).count();
  findings.ok(what, fmt::format("{} answers in {} ms", base, ms));
  // Half the way there is the best guess of when the venue looked at its clock.
  const Duration skew = reading->exchange_time - (asked + reply->took / 2);
  const auto skew_ms = std::chrono::duration_cast<std::chrono::milliseconds>(skew).count();
  if (skew > tolerated_skew || skew < -tolerated_skew) {
    findings.warning(
        fmt::format("{} clock", exchange::key_of(venue)),
        fmt::format(
            "differs from this machine's by {} ms; candles go by the venue's clock, but check NTP",
            skew_ms));
  } else {
    findings.ok(fmt::format("{} clock", exchange::key_of(venue)),
                fmt::format("differs from this machine's by {} ms", skew_ms));
  }
}

// An instrument by name that the configuration wants of the venue, or a usual one.
std::string example_of(const Config& config, const exchange::Venue& venue) {
  for (const auto& text : config.symbols) {
    const auto selection = parse_selection(text);
    if (!selection || selection->is_rule()) continue;
    if (selection->venue.empty() || selection->venue == exchange::key_of(venue))
      return selection->symbol;
  }
  return "BTC/USDT";
}

void check_stream(const exchange::Venue& venue, const std::string& base, const Config& config,
                  Findings& findings) {
  net::Loop loop("doctor");
  const std::string what = fmt::format("{} WebSocket", exchange::key_of(venue));
  std::string problem = "no answer within 10 s";
  bool open = false;
  net::WebSocketEvents events;
  events.on_open = [&] {
    open = true;
    loop.stop();
  };
  events.on_frame = [](std::string_view, bool) {};
  events.on_close = [&](const net::WebSocketClosed& closed) {
    const auto words = venue.explain_status(closed.http_status);
    problem = words.empty() ? closed.error.message : words;
    loop.stop();
  };
  const auto catalogue = exchange::make_catalogue(venue);
  const auto instrument = instrument_named(venue, *catalogue, example_of(config, venue));
  if (!instrument) return findings.failed(what, instrument.error().message);
  const exchange::Channel channel{
      .kind = exchange::ChannelKind::ticker, .timeframe = Timeframe::m1, .instrument = *instrument};
  net::WebSocketClient client(
      loop, {.url = venue.stream_url(base, {&channel, 1}), .ca_file = config.ca_file},
      std::move(events));
  const auto limit = loop.after(10s, [&] { loop.stop(); });
  loop.run();
  if (open) return findings.ok(what, fmt::format("{} accepts connections", base));
  findings.failed(what, fmt::format("{}: {}", base, problem));
}

// Whether Node and the package are there and know the venue; the sidecar's own log lines tell of
// the network when it runs.
void check_bridge(const Config& config, const std::string& name, Findings& findings) {
  const auto bridged = bridged_venue(config, name);
  if (!bridged) return findings.failed(name, bridged.error().message);
  const auto& venue = (*bridged)->venue();
  const auto way = [&](exchange::ChannelKind kind) {
    return exchange::has_channel(venue, kind) ? "yes" : "no";
  };
  findings.ok(name,
              fmt::format("through CCXT: candle stream {}, ticker {}, ladder {}, trades {}",
                          way(exchange::ChannelKind::candles), way(exchange::ChannelKind::ticker),
                          way(exchange::ChannelKind::ladder), way(exchange::ChannelKind::trades)));
}

}  // namespace

int doctor(const LoadedConfig& loaded, const std::string& format_text) {
  const auto format = parse_format(format_text);
  if (!format) return report(format.error());
  const Config& config = loaded.config;
  const RealClock clock;
  Findings findings;
  for (const auto& warning : loaded.warnings) findings.warning("configuration", warning);
  findings.ok("configuration", fmt::format("{} keys", loaded.settings.size()));
  check_folder(config, findings);
  check_log(config, findings);
  check_warehouse(config, findings);
  check_http(config, findings);
  check_alerts(config, findings);
  check_sinks(config, clock, findings);
  net::HttpClient http({.ca_file = config.ca_file});
  for (const auto& name : config.exchanges) {
    if (exchange::ccxt::is_bridged(name)) {
      check_bridge(config, name, findings);
      continue;
    }
    const auto* venue = exchange::find_venue(name);
    if (venue == nullptr) {
      findings.failed("exchanges", fmt::format("there is no venue \"{}\" (there are {})", name,
                                               exchange::venue_names()));
      continue;
    }
    const auto urls = config.venues.find(name);
    const bool known = urls != config.venues.end();
    check_rest(*venue,
               known && !urls->second.base_url.empty() ? urls->second.base_url
                                                       : std::string(venue->rest_url),
               http, clock, findings);
    check_stream(
        *venue,
        known && !urls->second.ws_url.empty() ? urls->second.ws_url : std::string(venue->ws_url),
        config, findings);
  }
  LineOutput output;
  if (*format == Format::jsonl) {
    for (const auto& line : findings.lines()) {
      output.text() += line;
      output.end_line();
    }
  } else {
    output.text() +=
        *format == Format::csv ? findings.csv() : findings.text(uses_colour(STDOUT_FILENO));
    if (*format == Format::table && !findings.advice().empty())
      output.text() += "\nWhat to do:\n" + findings.advice();
  }
  return findings.any_failed() ? failed : done;
}

}  // namespace candlewick::app
