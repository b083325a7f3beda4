// The command line: what users type, to the command that does it.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <vector>

#include <sys/prctl.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>

#include "app/alerts.h"
#include "app/backfill.h"
#include "app/command.h"
#include "app/completion.h"
#include "app/copy.h"
#include "app/coverage.h"
#include "app/dead_letters.h"
#include "app/decode.h"
#include "app/doctor.h"
#include "app/export.h"
#include "app/import.h"
#include "app/indicators.h"
#include "app/inspect.h"
#include "app/key.h"
#include "app/migrate.h"
#include "app/record.h"
#include "app/replay.h"
#include "app/run.h"
#include "app/settings.h"
#include "app/sink_list.h"
#include "app/top.h"
#include "app/verify.h"

namespace {

using namespace candlewick::app;  // NOLINT(google-build-using-namespace): the program's own
                                  // commands

int run(int argc, char** argv) {
  CLI::App app{"Candlewick: crypto market data that can be trusted, into a warehouse of your own."};
  app.require_subcommand(1);
  app.set_version_flag("--version", "candlewick 0.1.0");
  int status = done;
  std::vector<std::unique_ptr<SettingFlags>> all_flags;
  // A command that reads the configuration: its flags, and what it does with the result.
  const auto with_settings =
      [&](CLI::App* command,
          std::function<int(const candlewick::LoadedConfig&)> act) -> const SettingFlags& {
    auto& flags = *all_flags.emplace_back(std::make_unique<SettingFlags>());
    flags.add_to(*command);
    command->callback([&status, &flags, act = std::move(act)] {
      const auto loaded = flags.load();
      status = loaded ? act(*loaded) : report(loaded.error());
    });
    return flags;
  };
  std::string format;
  const auto add_format = [&](CLI::App* command) {
    command->add_option("--format", format,
                        "table, csv or jsonl (default: a table on a terminal, jsonl else)");
  };

  RunOptions running;
  std::string role = "all";
  double demo_seconds = 0;
  auto* run_command = app.add_subcommand("run", "the service: feeds, warehouse, API");
  run_command->add_flag("--demo", running.demo,
                        "against a simulated venue in this process, with a live table");
  run_command->add_option("--demo-speed", running.demo_speed, "virtual seconds a second")
      ->check(CLI::Range(0.1, 1000.0));
  run_command
      ->add_option("--demo-seconds", demo_seconds, "end after so long (default: at a signal)")
      ->check(CLI::Range(0.0, 1e6));
  run_command->add_option("--role", role, "all")->check(CLI::IsMember({"all"}));
  const auto& run_flags = with_settings(run_command, [&](const candlewick::LoadedConfig& loaded) {
    running.demo_for = candlewick::Duration{static_cast<std::int64_t>(demo_seconds * 1e9)};
    return candlewick::app::run(loaded, running);
  });
  running.read_config = [&run_flags]() -> candlewick::Result<candlewick::Config> {
    auto loaded = run_flags.load();
    if (!loaded) return candlewick::fail(loaded.error());
    return std::move(loaded->config);
  };

  BackfillOptions filling;
  auto* backfill_command =
      app.add_subcommand("backfill", "REST history into the warehouse; resumable");
  backfill_command->add_option("--exchange", filling.exchange, "venue")->required();
  backfill_command->add_option("--symbol", filling.symbol, "BTC/USDT, in any spelling")->required();
  backfill_command->add_option("--timeframe", filling.timeframe, "1m, 1h, …")->required();
  backfill_command->add_option("--start", filling.start, "RFC 3339 or epoch, inclusive")
      ->required();
  backfill_command->add_option("--end", filling.end, "exclusive (default: now)");
  with_settings(backfill_command, [&](const auto& loaded) { return backfill(loaded, filling); });

  CandlesOptions asked;
  auto* candles_command = app.add_subcommand("candles", "stored candles");
  candles_command->add_option("--exchange", asked.exchange, "venue")->required();
  candles_command->add_option("--symbol", asked.symbol, "BTC/USDT, in any spelling")->required();
  candles_command->add_option("--timeframe", asked.timeframe, "1m, 1h, …")->required();
  candles_command->add_option("--start", asked.start, "RFC 3339 or epoch, inclusive");
  candles_command->add_option("--end", asked.end, "exclusive");
  candles_command->add_option("--as-of", asked.as_of, "what was known then");
  candles_command->add_option("--format", asked.format, "table, csv or jsonl");
  with_settings(candles_command, [&](const auto& loaded) { return candles(loaded, asked); });

  CoverageOptions covered;
  auto* coverage_command =
      app.add_subcommand("coverage", "what is known about every minute, and why");
  coverage_command->add_option("--exchange", covered.exchange, "venue (default: all)");
  coverage_command->add_option("--symbol", covered.symbol, "BTC/USDT, in any spelling");
  coverage_command->add_option("--timeframe", covered.timeframe, "1m, 1h, …");
  coverage_command->add_option("--since", covered.since, "RFC 3339 or epoch");
  coverage_command->add_option("--format", covered.format, "table, csv or jsonl");
  coverage_command->add_flag("--history", covered.history,
                             "every assertion that was made, instead of what holds now");
  coverage_command->add_flag("--summary", covered.summary, "minutes by state")
      ->excludes("--history");
  with_settings(coverage_command, [&](const auto& loaded) { return coverage(loaded, covered); });

  VerifyOptions verifying;
  bool no_repair = false;
  auto* verify_command = app.add_subcommand(
      "verify", "stored candles against the venue's REST history; repairs what differs");
  verify_command->add_option("--exchange", verifying.exchange, "venue")->required();
  verify_command->add_option("--symbol", verifying.symbol, "BTC/USDT, in any spelling")->required();
  verify_command->add_option("--timeframe", verifying.timeframe, "1m, 1h, …")
      ->capture_default_str();
  verify_command->add_option("--since", verifying.since, "RFC 3339 or epoch, inclusive")
      ->required();
  verify_command->add_option("--until", verifying.until, "exclusive (default: now)");
  verify_command->add_option("--format", verifying.format, "table, csv or jsonl");
  verify_command->add_flag("--no-repair", no_repair, "records differences and changes nothing");
  with_settings(verify_command, [&](const auto& loaded) {
    verifying.repair = !no_repair;
    return verify(loaded, verifying);
  });

  ExportOptions exporting;
  auto* export_command =
      app.add_subcommand("export", "what is stored, as CSV, JSON Lines or Parquet");
  export_command->add_option("--exchange", exporting.exchange, "venue")->required();
  export_command->add_option("--symbol", exporting.symbol, "BTC/USDT, in any spelling")->required();
  export_command->add_option("--timeframe", exporting.timeframe, "1m, 1h, …")->required();
  export_command->add_option("--start", exporting.start, "RFC 3339 or epoch, inclusive");
  export_command->add_option("--end", exporting.end, "exclusive");
  export_command
      ->add_option("--table", exporting.table,
                   "candles, market_ticks, technical_indicators, trades or coverage")
      ->capture_default_str();
  export_command->add_option("--to", exporting.to, "csv, jsonl or parquet")
      ->required()
      ->check(CLI::IsMember({"csv", "jsonl", "parquet"}));
  export_command->add_option("--output", exporting.output, "file (default: standard output)");
  with_settings(export_command, [&](const auto& loaded) { return export_rows(loaded, exporting); });

  ImportOptions importing;
  auto* import_command = app.add_subcommand(
      "import", "candles from CSV files, as Binance publishes them or as export writes them");
  import_command->add_option("files", importing.files, "plain, .gz, .zst or .zip")->required();
  import_command->add_option("--exchange", importing.exchange, "venue")->required();
  import_command->add_option("--symbol", importing.symbol, "BTC/USDT, in any spelling")->required();
  import_command->add_option("--timeframe", importing.timeframe, "1m, 1h, …")->required();
  import_command->add_option("--market", importing.market, "spot or swap")->capture_default_str();
  import_command->add_option("--checksum", importing.checksum,
                             "SHA-256 of the file (default: FILE.CHECKSUM where there is one)");
  with_settings(import_command,
                [&](const auto& loaded) { return import_files(loaded, importing); });

  MigrateOptions migrating;
  auto* migrate_command =
      app.add_subcommand("migrate", "brings the warehouse to this program's schema");
  migrate_command->add_option("--to", migrating.to, "postgresql://… (default: the configured one)");
  migrate_command->add_option("sink", migrating.sink,
                              "supabase or snowflake: the SQL for its owner instead");
  migrate_command->add_flag("--print", migrating.print, "prints that SQL");
  with_settings(migrate_command, [&](const auto& loaded) { return migrate(loaded, migrating); });

  CopyOptions copying;
  auto* copy_command = app.add_subcommand(
      "copy", "an embedded warehouse into PostgreSQL; resumable, compared row by row at the end");
  copy_command->add_option("--from", copying.from, "warehouse.db (default: of the data folder)");
  copy_command->add_option("--to", copying.to, "postgresql://… (default: DATABASE_URL)");
  copy_command->add_option("--format", copying.format, "table, csv or jsonl");
  with_settings(copy_command,
                [&](const auto& loaded) { return candlewick::app::copy(loaded, copying); });

  RecordOptions recording;
  auto* record_command = app.add_subcommand("record", "raw frames of a venue into a file");
  record_command->add_option("--exchange", recording.exchange, "venue")->required();
  record_command->add_option("--symbol", recording.symbols, "instruments")->required();
  record_command->add_option("--output", recording.output, "file; .zst is compressed")->required();
  record_command->add_option("--for", recording.for_time, "end after so long (10m)");
  with_settings(record_command, [&](const auto& loaded) { return record(loaded, recording); });

  auto* doctor_command = app.add_subcommand("doctor", "checks everything that the service needs");
  add_format(doctor_command);
  with_settings(doctor_command, [&](const auto& loaded) { return doctor(loaded, format); });

  SinksOptions listing;
  auto* sinks_command = app.add_subcommand("sinks", "how far each sink is");
  sinks_command->add_option("--format", listing.format, "table, csv or jsonl");
  sinks_command->add_option("--forget", listing.forget,
                            "removes the place of a sink that is not configured any more");
  with_settings(sinks_command, [&](const auto& loaded) { return sinks(loaded, listing); });

  AlertsOptions telling;
  auto* alerts_command = app.add_subcommand("alerts", "who is told of alerts, and of what");
  alerts_command->add_option("--format", telling.format, "table, csv or jsonl");
  alerts_command->add_flag("--test", telling.is_test, "sends a message to everybody who is told");
  with_settings(alerts_command, [&](const auto& loaded) { return alerts(loaded, telling); });

  DeadLettersOptions letters;
  auto* letters_command = app.add_subcommand("dead-letters", "rows that sinks refused");
  letters_command->add_option("action", letters.action, "list, show, resend or drop")
      ->check(CLI::IsMember({"list", "show", "resend", "drop"}))
      ->capture_default_str();
  letters_command->add_option("--sink", letters.sink, "of this sink (default: all)");
  letters_command->add_option("--sequence", letters.sequence, "this one");
  letters_command->add_flag("--all", letters.all, "show, resend or drop all of them");
  letters_command->add_option("--limit", letters.limit, "list at most so many")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  letters_command->add_option("--row", letters.row,
                              "resend this instead: a file with the row as JSON, - for stdin");
  letters_command->add_option("--format", letters.format, "table, csv or jsonl");
  with_settings(letters_command, [&](const auto& loaded) { return dead_letters(loaded, letters); });

  auto* config_command =
      app.add_subcommand("check-config", "the merged configuration and where each value came from");
  add_format(config_command);
  with_settings(config_command, [&](const auto& loaded) { return check_config(loaded, format); });

  auto* exchanges_command = app.add_subcommand("exchanges", "the venues that are built in");
  exchanges_command
      ->add_option("--format", format,
                   "table, csv, jsonl, or markdown (the page docs/exchanges.md)")
      ->check(CLI::IsMember({"table", "csv", "jsonl", "markdown"}));
  exchanges_command->callback([&] { status = exchanges(format); });

  std::string listing_venue;
  std::string search;
  auto* symbols_command = app.add_subcommand("symbols", "what a venue lists");
  symbols_command->add_option("--exchange", listing_venue, "venue")->required();
  symbols_command->add_option("--search", search, "part of a symbol");
  add_format(symbols_command);
  with_settings(symbols_command,
                [&](const auto& loaded) { return symbols(loaded, listing_venue, search, format); });

  KeyOptions making;
  auto* key_command = app.add_subcommand("key", "a new key for a caller of the API");
  key_command->add_option("--name", making.name, "whose it is, for logs")->required();
  key_command->add_option("--scope", making.scope, "read")
      ->check(CLI::IsMember({"read", "write", "admin"}));
  key_command->callback([&] { status = key(making); });

  DecodeOptions decoding;
  auto* decode_command =
      app.add_subcommand("decode", "recorded frames on stdin → events on stdout");
  decode_command->add_option("--exchange", decoding.exchange, "venue")->required();
  decode_command->add_option("--market", decoding.market, "spot or swap");
  decode_command->callback([&] { status = decode(decoding); });

  ReplayOptions replaying;
  auto* replay_command =
      app.add_subcommand("replay", "recordings through the pipeline, to events, candles or rows");
  replay_command->add_option("--exchange", replaying.exchange, "venue")->required();
  replay_command->add_option("--market", replaying.market, "spot or swap");
  replay_command
      ->add_option("--input", replaying.inputs, "recordings, in order; plain, .gz or .zst")
      ->required();
  replay_command->add_option("--emit", replaying.emit, "events, candles, tops or rows")
      ->check(CLI::IsMember({"events", "candles", "tops", "rows"}));
  replay_command->add_option("--candles-from", replaying.candles_from, "klines or trades")
      ->check(CLI::IsMember({"klines", "trades"}));
  replay_command->add_option("--timeframe", replaying.timeframe, "of candles from trades");
  replay_command->callback([&] { status = replay(replaying); });

  std::string indicator_timeframe;
  auto* indicators_command = app.add_subcommand(
      "indicators", "candles as CSV on stdin → indicators, one JSON object each");
  indicators_command->add_option("--timeframe", indicator_timeframe, "length of the candles")
      ->required();
  indicators_command->callback([&] { status = indicators(indicator_timeframe); });

  TopOptions watching;
  auto* top_command = app.add_subcommand("top", "a running service, live on the whole terminal");
  top_command->add_option("--url", watching.url,
                          "of the service (default: where the settings have it listen)");
  top_command->add_option("--key", watching.key, "of the API, where reading needs one");
  top_command->add_option("--key-file", watching.key_file, "a file with that key")
      ->excludes("--key");
  top_command->add_option("--interval", watching.interval_seconds, "seconds between two looks")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  top_command->add_flag("--once", watching.once, "one snapshot as text, as without a terminal");
  with_settings(top_command, [&](const auto& loaded) { return top(loaded, watching); });

  std::string shell;
  auto* completion_command =
      app.add_subcommand("completion", "a script that completes commands, options and values");
  completion_command->add_option("shell", shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion_command->callback([&] {
    const auto script = completion_script(app, shell);
    if (!script) {
      status = report(script.error());
      return;
    }
    LineOutput output;
    output.text() += *script;
  });
  offer_values(app);

  // CLI11 would only say that a subcommand is required.
  const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
  const auto is_named = [&](const CLI::App* command) {
    return argc > 1 && command->get_name() == argv[1];
  };
  if (argc > 1 && argv[1][0] != '-' && std::ranges::none_of(commands, is_named)) {
    std::fprintf(stderr, "candlewick: there is no command \"%s\" (see candlewick --help)\n",
                 argv[1]);
    return wrong_use;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::CallForAllHelp& help) {
    return app.exit(help);
  } catch (const CLI::CallForVersion& version) {
    return app.exit(version);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "candlewick: %s (see candlewick --help)\n", error.what());
    return wrong_use;
  }
  return status;
}

// A core dump holds every secret that the process knows. CANDLEWICK_CORE_DUMPS=1 lets one be made.
// The leak sanitizer looks at the process as a debugger does, which this forbids too.
void forbid_core_dumps() {
#if !defined(__SANITIZE_ADDRESS__)
  if (std::getenv("CANDLEWICK_CORE_DUMPS") != nullptr) return;
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  setrlimit(RLIMIT_CORE, &none);
  // Also for handlers that core_pattern starts, which the limit does not stop.
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  forbid_core_dumps();
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "candlewick: %s\n", error.what());
  } catch (...) {
    std::fprintf(stderr, "candlewick: an unknown error\n");
  }
  return failed;
}
