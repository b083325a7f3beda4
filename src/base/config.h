// The configuration: one plain struct, filled from defaults, a TOML file, .env, the environment and
// flags, in that order; later wins. Every key is one row of a table (config_keys.cc), from which
// also check-config, the example files and the error messages derive.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"

namespace candlewick {

struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};
// "127.0.0.1:8000", "[::1]:8000", "localhost:0". Error: malformed.
Result<Endpoint> parse_endpoint(std::string_view text);
std::string to_text(const Endpoint& endpoint);

struct Config {
  std::vector<std::string> exchanges{"binance"};
  std::vector<std::string> symbols{"BTC/USDT", "ETH/USDT", "SOL/USDT", "BNB/USDT"};  // unified
  std::vector<std::string> timeframes{"1m"};
  Duration fetch_interval = std::chrono::seconds{60};  // between market snapshots; at least 10 s
  std::string data_dir = "./data";
  std::string warehouse = "auto";  // once loaded: "sqlite" or "postgres"
  Secret database_url;             // PostgreSQL
  std::string database_schema = "public";
  Secret nats_url;  // empty: the embedded log
  Secret coingecko_api_key;
  std::string ca_file;             // further certificate authorities (PEM); empty: the system's
  std::string log_level = "info";  // debug, info, warning, error

  // Other endpoints than the venue's own, by venue name; empty strings mean the venue's own.
  struct Venue {
    std::string base_url;
    std::string ws_url;
  };
  std::map<std::string, Venue, std::less<>> venues;

  struct Http {
    Endpoint listen{"127.0.0.1", 8000};
    std::int64_t max_connections = 1000;
    std::int64_t max_body_bytes = 65'536;
    Duration request_timeout = std::chrono::seconds{30};
    std::int64_t requests_per_minute = 6000;    // of one client address
    std::int64_t max_rows = 10'000;             // in one answer
    std::int64_t stream_subscriptions = 1024;   // of one WebSocket client
    std::int64_t stream_queue_messages = 1000;  // for a slow client, before it is cut
    std::vector<std::string> keys;              // NAME:SCOPE:SHA-256 of callers
    bool public_read = true;                    // false: reading needs a key too
    std::vector<std::string> allowed_origins;   // of pages elsewhere that may read; "*": all
    std::string certificate_file;               // PEM, chain included; with key_file: TLS
    std::string key_file;                       // PEM
  } http;

  struct Feed {
    Duration silence_limit{};                  // zero: the venue's own
    std::int64_t request_budget_percent = 50;  // of the venue's request weight
    Duration backfill_horizon = std::chrono::hours{49};
    bool trades = true;  // follow trades: a second opinion on every candle
    bool audit = true;   // re-read closed candles from REST in the background
    Duration book_check_interval = std::chrono::minutes{15};  // zero: never
    std::int64_t queue_frames = 100'000;
    std::string record_dir;  // empty: nothing is recorded
    std::int64_t record_budget_mib = 1024;
    Duration record_rotate = std::chrono::hours{1};
  } feed;

  struct Log {
    std::int64_t disk_budget_mib = 4096;
    std::string when_full = "drop_oldest_for_sink";  // or "stop_ingest"
    std::int64_t queue_rows = 100'000;
  } log;

  struct Pipeline {
    std::int64_t ladder_levels = 20;
    std::int64_t correction_horizon_candles = 1000;  // how far back indicators follow a correction
    bool keep_trades = false;                        // every trade as a row of fact_trade
  } pipeline;

  // How long rows of a PostgreSQL warehouse are kept; zero: for ever. Roll-ups always stay.
  struct Retention {
    Duration candles{};
    Duration trades{};
    Duration ticks{};
    Duration indicators{};
  } retention;

  struct Sink {
    std::int64_t batch_rows = 5000;
    Duration batch_interval = std::chrono::milliseconds{250};
    Duration retry_limit = std::chrono::seconds{60};  // the longest wait between two tries
    std::string symbol_style = "unified";  // or "exchange": the venue's spelling goes into `symbol`
    std::string since;                     // where a new sink begins; empty: with what the log has
  } sink;

  // Market capitalisation, supply, names and launch dates of assets.
  struct CoinGecko {
    bool enabled = false;
    std::string base_url;  // empty: the public one
    Duration refresh_interval = std::chrono::minutes{5};
  } coingecko;

  struct Supabase {
    std::string url;          // empty: no such sink
    Secret service_role_key;  // or a secret key
    std::string schema = "public";
    bool candles = false;
    bool latest = true;
    bool broadcast = false;
    Duration ladders{};  // how long depth ladders are kept; zero: for ever
  } supabase;

  struct Snowflake {
    std::string account;  // empty: no such sink
    std::string user;
    Secret password;     // or a programmatic access token
    Secret private_key;  // PEM text (SNOWFLAKE_PRIVATE_KEY_FILE names its file)
    Secret oauth_token;
    std::string method = "session";  // or "streaming"
    bool candles = true;
    std::string warehouse;
    std::string database;
    std::string schema = "PUBLIC";
    std::string role;
    std::string base_url;  // another endpoint than the account's
    Duration flush_interval = std::chrono::minutes{15};
  } snowflake;

  // Every row as signed JSON to an address of the user's.
  struct Webhook {
    std::string url;  // empty: no such sink
    Secret secret;    // of the signature
    std::vector<std::string> tables{"market_ticks", "technical_indicators"};
  } webhook;

  // Where people are told that something needs them. Empty: not there.
  struct Alerts {
    Secret slack_url;       // an incoming webhook
    Secret discord_url;     // a channel's webhook
    Secret telegram_token;  // of a bot
    std::string telegram_chat;
    std::string telegram_base_url;  // empty: https://api.telegram.org
    Secret webhook_url;             // one JSON object an alert
    // Thresholds: "BTC/USDT price > 70000", "okx:ETH/USDT@1h rsi_14 < 30".
    std::vector<std::string> when;
    Duration repeat_interval = std::chrono::hours{4};  // of an alert that goes on
  } alerts;

  // Venues that are not built in, through CCXT in a process of its own.
  struct Ccxt {
    std::string node = "node";
    std::string sidecar;  // empty: beside the program
  } ccxt;

  // Every secret that is set, and the passwords within URLs: for the log to redact.
  std::vector<std::string> secrets() const;
};

// A whole file of at most 16 MiB. Error: misconfigured.
Result<std::string> read_text_file(const std::string& path);

// A text file as it was read; `name` is what messages call it.
struct SourceFile {
  std::string name;
  std::string text;
};

// Where a configuration comes from. Tests fill it by hand; programs call gather_sources().
struct Sources {
  struct Flag {
    std::string key;    // as in the file: "http.listen"
    std::string value;  // lists: separated by commas
  };
  std::optional<SourceFile> toml;
  std::optional<SourceFile> dotenv;
  std::map<std::string, std::string, std::less<>> environment;
  std::vector<Flag> flags;
  // Reads what *_FILE variables name.
  std::function<Result<std::string>(const std::string& path)> read_file = read_text_file;
  // The venues that exist, for CANDLEWICK_<VENUE>_BASE_URL and near matches. Empty: any name is
  // taken.
  std::vector<std::string> venues;
};

// One key of the merged result, for check-config and the dashboard.
struct Setting {
  std::string key;
  std::string value;  // secrets masked
  std::string
      origin;  // "default", "candlewick.toml:12", ".env:3", "environment SYMBOLS", "flag --symbols"
  bool is_secret = false;
};

struct LoadedConfig {
  Config config;
  std::vector<Setting> settings;      // every key, in the table's order
  std::vector<std::string> warnings;  // one clear line each
};

// Error: misconfigured, one line that names the key, the value and where it came from.
Result<LoadedConfig> load_config(const Sources& sources);

// The file of --config (else of CANDLEWICK_CONFIG, else ./candlewick.toml if there is one), ./.env
// if there is one, and the given environment.
Result<Sources> gather_sources(const std::optional<std::string>& config_path,
                               std::map<std::string, std::string, std::less<>> environment);
// The process's own environment.
std::map<std::string, std::string, std::less<>> process_environment();

// A key as users may set it, for --help and flags.
struct KeyHelp {
  std::string key;                     // "http.listen"
  std::string flag;                    // "--http-listen"
  std::vector<std::string> variables;  // "CANDLEWICK_HTTP_LISTEN", the original service's name last
  std::string default_value;
  std::string help;
  bool is_secret = false;
};
std::vector<KeyHelp> config_keys();

// The committed config/candlewick.example.toml and config/.env.example.
std::string example_toml();
std::string example_env();

// "BTC/USDT" from "BTC/USDT", "btc-usdt", "BTCUSDT" or "BTC" (which means against USDT). Error:
// malformed.
Result<std::string> unified_symbol(std::string_view typed);

}  // namespace candlewick
