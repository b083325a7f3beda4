// Every key, in the order of the example files. A new one is a row here and a member of Config.
#include "base/config_table.h"

#include <algorithm>
#include <array>

namespace candlewick::config_table {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::string_view, 16> timeframes{"1s", "1m", "3m", "5m", "15m", "30m",
                                                      "1h", "2h", "4h", "6h", "8h",  "12h",
                                                      "1d", "3d", "1w", "1M"};
constexpr std::array<std::string_view, 4> warehouses{"auto", "sqlite", "postgres", "timescale"};
constexpr std::array<std::string_view, 4> log_levels{"debug", "info", "warning", "error"};
constexpr std::array<std::string_view, 2> when_full{"drop_oldest_for_sink", "stop_ingest"};
constexpr std::array<std::string_view, 2> snowflake_methods{"session", "streaming"};
constexpr std::array<std::string_view, 2> symbol_styles{"unified", "exchange"};

// Functions that find a member of the configuration, or of one of its sections.
template <auto Member>
constexpr auto top() {
  return +[](Config& config) -> auto& { return config.*Member; };
}
template <auto Section, auto Member>
constexpr auto in() {
  return +[](Config& config) -> auto& { return config.*Section.*Member; };
}

using C = Config;

constexpr std::array<Row, 86> table{{
    {.key = "exchanges",
     .target = top<&C::exchanges>(),
     .help = "Venues to listen to. `candlewick exchanges` lists those that are built in.",
     .form = Form::venue},
    {.key = "symbols",
     .target = top<&C::symbols>(),
     .help = "What to listen to: BTC/USDT, BTC-USDT, BTCUSDT, or BTC for BTC/USDT; at one venue "
             "kraken:BTC/EUR; by rule: quote = USDT, top 50 by quote volume.",
     .original = "SYMBOLS",
     .form = Form::symbol},
    {.key = "timeframes",
     .target = top<&C::timeframes>(),
     .help = "Candles to take from the venues; longer ones are rolled up from 1m anyway.",
     .form = Form::choice,
     .choices = timeframes},
    {.key = "fetch_interval_seconds",
     .target = top<&C::fetch_interval>(),
     .help = "Seconds between market snapshots; less than 10 is raised to 10.",
     .original = "FETCH_INTERVAL_SECONDS",
     .min = 10,
     .max = 86'400,
     .raise_to_min = true},
    {.key = "data_dir",
     .target = top<&C::data_dir>(),
     .help = "Folder of the log, the embedded warehouse and the checkpoints."},
    {.key = "warehouse",
     .target = top<&C::warehouse>(),
     .help = "sqlite, or postgres (TimescaleDB or plain); auto: postgres if database_url is set.",
     .form = Form::choice,
     .choices = warehouses},
    {.key = "database_url",
     .target = top<&C::database_url>(),
     .help = "PostgreSQL, as postgresql://user:password@host/database.",
     .original = "DATABASE_URL",
     .form = Form::postgres_url},
    {.key = "database_schema",
     .target = top<&C::database_schema>(),
     .help = "Schema of the PostgreSQL warehouse; made if it is not there."},
    {.key = "nats_url",
     .target = top<&C::nats_url>(),
     .help = "NATS JetStream servers for running as several processes; empty: the embedded log.",
     .original = "NATS_URL",
     .form = Form::nats_url},
    {.key = "coingecko_api_key",
     .target = top<&C::coingecko_api_key>(),
     .help =
         "A demo key for a higher limit than the public one; used when coingecko.enabled is true.",
     .original = "COINGECKO_API_KEY"},
    {.key = "ca_file",
     .target = top<&C::ca_file>(),
     .help = "PEM file of further certificate authorities; empty: the system's alone."},
    {.key = "log_level",
     .target = top<&C::log_level>(),
     .help = "What is logged to standard error: debug, info, warning or error and above.",
     .form = Form::choice,
     .choices = log_levels},

    {.key = "http.listen",
     .target = in<&C::http, &C::Http::listen>(),
     .help = "Address and port of the API, the stream and the dashboard."},
    {.key = "http.max_connections",
     .target = in<&C::http, &C::Http::max_connections>(),
     .help = "Connections at a time; further ones are closed at once.",
     .min = 1},
    {.key = "http.max_body_bytes",
     .target = in<&C::http, &C::Http::max_body_bytes>(),
     .help = "Longest request body; longer ones are answered with 413.",
     .min = 1},
    {.key = "http.request_timeout_seconds",
     .target = in<&C::http, &C::Http::request_timeout>(),
     .help = "Longest a request may take, to arrive and to be answered.",
     .min = 1,
     .max = 3600},
    {.key = "http.requests_per_minute",
     .target = in<&C::http, &C::Http::requests_per_minute>(),
     .help =
         "Requests of one key or client address in a minute; further ones are answered with 429.",
     .min = 1},
    {.key = "http.max_rows",
     .target = in<&C::http, &C::Http::max_rows>(),
     .help = "Most rows in one answer; a cursor leads to the rest.",
     .min = 1,
     .max = 1'000'000},
    {.key = "http.stream_subscriptions",
     .target = in<&C::http, &C::Http::stream_subscriptions>(),
     .help = "Subscriptions of one WebSocket client.",
     .min = 1},
    {.key = "http.stream_queue_messages",
     .target = in<&C::http, &C::Http::stream_queue_messages>(),
     .help = "Messages that wait for a slow stream client before it is cut off.",
     .min = 1},

    {.key = "http.keys",
     .target = in<&C::http, &C::Http::keys>(),
     .help = "Callers and what they may do: NAME:SCOPE:SHA-256 as `candlewick key` prints it."},
    {.key = "http.public_read",
     .target = in<&C::http, &C::Http::public_read>(),
     .help = "Whether anybody may read; false: every request but health needs a key."},
    {.key = "http.allowed_origins",
     .target = in<&C::http, &C::Http::allowed_origins>(),
     .help =
         "Origins of web pages elsewhere that may read the API (https://charts.example), or *."},
    {.key = "http.certificate_file",
     .target = in<&C::http, &C::Http::certificate_file>(),
     .help = "Certificate chain (PEM) for https; with http.key_file."},
    {.key = "http.key_file",
     .target = in<&C::http, &C::Http::key_file>(),
     .help = "Private key (PEM) of the certificate."},

    {.key = "feed.silence_limit_seconds",
     .target = in<&C::feed, &C::Feed::silence_limit>(),
     .help =
         "A connection without a frame for so long is taken for dead; 0: each venue's own limit.",
     .max = 3600},
    {.key = "feed.trades",
     .target = in<&C::feed, &C::Feed::trades>(),
     .help = "Follow every trade: candles are built of them as a second opinion."},
    {.key = "feed.audit",
     .target = in<&C::feed, &C::Feed::audit>(),
     .help = "Read closed candles again from REST in the background and repair differences."},
    {.key = "feed.book_check_interval_seconds",
     .target = in<&C::feed, &C::Feed::book_check_interval>(),
     .help = "How often an order book is compared with a REST snapshot; 0: never.",
     .max = 86400},
    {.key = "feed.request_budget_percent",
     .target = in<&C::feed, &C::Feed::request_budget_percent>(),
     .help = "Share of a venue's request weight that is used; the rest is for your other programs.",
     .min = 1,
     .max = 100},
    {.key = "feed.backfill_horizon_hours",
     .target = in<&C::feed, &C::Feed::backfill_horizon>(),
     .help = "How far back a start fetches candles; figures over 24 h and the day before need 49.",
     .min = 1,
     .max = 200'000,
     .unit = 1h},
    {.key = "feed.queue_frames",
     .target = in<&C::feed, &C::Feed::queue_frames>(),
     .help = "Frames that wait to be decoded before reading from the venue pauses.",
     .min = 100},
    {.key = "feed.record_dir",
     .target = in<&C::feed, &C::Feed::record_dir>(),
     .help = "Folder for recordings of raw frames; empty: nothing is recorded."},
    {.key = "feed.record_budget_mib",
     .target = in<&C::feed, &C::Feed::record_budget_mib>(),
     .help = "Space for recordings; the oldest file goes first.",
     .min = 1},
    {.key = "feed.record_rotate_minutes",
     .target = in<&C::feed, &C::Feed::record_rotate>(),
     .help = "A new recording file is begun so often.",
     .min = 1,
     .max = 10'080,
     .unit = 1min},

    {.key = "log.disk_budget_mib",
     .target = in<&C::log, &C::Log::disk_budget_mib>(),
     .help = "Space for rows that a sink has not taken yet.",
     .min = 16},
    {.key = "log.when_full",
     .target = in<&C::log, &C::Log::when_full>(),
     .help =
         "At that limit: drop_oldest_for_sink (counted, per sink that lags), or stop_ingest until "
         "the sinks have caught up.",
     .form = Form::choice,
     .choices = when_full},
    {.key = "log.queue_rows",
     .target = in<&C::log, &C::Log::queue_rows>(),
     .help = "Rows that wait to be made durable before the pipeline pauses.",
     .min = 100},

    {.key = "pipeline.ladder_levels",
     .target = in<&C::pipeline, &C::Pipeline::ladder_levels>(),
     .help = "Levels of bid_depth and ask_depth in a market tick.",
     .min = 1,
     .max = 5000},
    {.key = "pipeline.keep_trades",
     .target = in<&C::pipeline, &C::Pipeline::keep_trades>(),
     .help =
         "Whether every trade is kept as a row of fact_trade (a busy symbol has millions a day)."},
    {.key = "pipeline.correction_horizon_candles",
     .target = in<&C::pipeline, &C::Pipeline::correction_horizon_candles>(),
     .help = "A corrected candle rewrites the indicators of so many candles after it.",
     .max = 100'000},

    {.key = "retention.candles_days",
     .target = in<&C::retention, &C::Retention::candles>(),
     .help = "Days for which candles (roll-ups stay) of a PostgreSQL warehouse are kept; 0: for "
             "ever, else at least 7.",
     .max = 36'500,
     .unit = std::chrono::hours{24}},
    {.key = "retention.trades_days",
     .target = in<&C::retention, &C::Retention::trades>(),
     .help =
         "Days for which trades of a PostgreSQL warehouse are kept; 0: for ever, else at least 7.",
     .max = 36'500,
     .unit = std::chrono::hours{24}},
    {.key = "retention.ticks_days",
     .target = in<&C::retention, &C::Retention::ticks>(),
     .help = "Days for which market ticks of a PostgreSQL warehouse are kept; 0: for ever, else at "
             "least 7.",
     .max = 36'500,
     .unit = std::chrono::hours{24}},
    {.key = "retention.indicators_days",
     .target = in<&C::retention, &C::Retention::indicators>(),
     .help = "Days for which indicators of a PostgreSQL warehouse are kept; 0: for ever, else at "
             "least 7.",
     .max = 36'500,
     .unit = std::chrono::hours{24}},
    {.key = "sink.batch_rows",
     .target = in<&C::sink, &C::Sink::batch_rows>(),
     .help = "Most rows in one batch.",
     .min = 1,
     .max = 100'000},
    {.key = "sink.batch_interval_ms",
     .target = in<&C::sink, &C::Sink::batch_interval>(),
     .help = "How long a batch waits to fill.",
     .max = 3'600'000,
     .unit = 1ms},
    {.key = "sink.retry_limit_seconds",
     .target = in<&C::sink, &C::Sink::retry_limit>(),
     .help = "Longest wait between two tries of a sink that is down.",
     .min = 1,
     .max = 3600},
    {.key = "sink.symbol_style",
     .target = in<&C::sink, &C::Sink::symbol_style>(),
     .help = "What sinks write into `symbol`: unified (BTC/USDT), or exchange (BTCUSDT).",
     .form = Form::choice,
     .choices = symbol_styles},
    {.key = "sink.since",
     .target = in<&C::sink, &C::Sink::since>(),
     .help =
         "A sink that is new begins with rows from this instant on, out of the warehouse as far "
         "as the log no longer has them (RFC 3339); empty: with what the log has."},

    {.key = "coingecko.enabled",
     .target = in<&C::coingecko, &C::CoinGecko::enabled>(),
     .help = "Ask CoinGecko for market capitalisation, supply, names, sectors and launch dates."},
    {.key = "coingecko.base_url",
     .target = in<&C::coingecko, &C::CoinGecko::base_url>(),
     .help = "Another endpoint than the public one; empty: https://api.coingecko.com/api/v3.",
     .original = "COINGECKO_BASE_URL",
     .form = Form::http_url},
    {.key = "coingecko.refresh_seconds",
     .target = in<&C::coingecko, &C::CoinGecko::refresh_interval>(),
     .help = "Seconds between looks at the market; values older than three of them become null.",
     .min = 60,
     .max = 86'400},

    {.key = "supabase.url",
     .target = in<&C::supabase, &C::Supabase::url>(),
     .help = "The project's URL; empty: no such sink.",
     .original = "SUPABASE_URL",
     .form = Form::http_url},
    {.key = "supabase.service_role_key",
     .target = in<&C::supabase, &C::Supabase::service_role_key>(),
     .help = "A secret key (sb_secret_...) or the service_role key.",
     .original = "SUPABASE_SERVICE_ROLE_KEY"},
    {.key = "supabase.schema",
     .target = in<&C::supabase, &C::Supabase::schema>(),
     .help = "Schema of the tables; it must be one that the project's Data API serves."},
    {.key = "supabase.candles",
     .target = in<&C::supabase, &C::Supabase::candles>(),
     .help = "Write closed candles too (fact_ohlcv)."},
    {.key = "supabase.latest",
     .target = in<&C::supabase, &C::Supabase::latest>(),
     .help = "Keep one row a symbol with its newest tick and indicators (market_latest)."},
    {.key = "supabase.broadcast",
     .target = in<&C::supabase, &C::Supabase::broadcast>(),
     .help = "Send each new tick to the Realtime Broadcast topic market_ticks."},
    {.key = "supabase.ladder_days",
     .target = in<&C::supabase, &C::Supabase::ladders>(),
     .help = "Days after which bid_depth and ask_depth of a tick are set to null; 0: never.",
     .max = 36'500,
     .unit = std::chrono::hours{24}},

    {.key = "snowflake.account",
     .target = in<&C::snowflake, &C::Snowflake::account>(),
     .help = "Account identifier, such as myorg-account1; empty: no such sink.",
     .original = "SNOWFLAKE_ACCOUNT"},
    {.key = "snowflake.user",
     .target = in<&C::snowflake, &C::Snowflake::user>(),
     .help = "Login name.",
     .original = "SNOWFLAKE_USER"},
    {.key = "snowflake.password",
     .target = in<&C::snowflake, &C::Snowflake::password>(),
     .help = "Password or programmatic access token.",
     .original = "SNOWFLAKE_PASSWORD"},
    {.key = "snowflake.private_key",
     .target = in<&C::snowflake, &C::Snowflake::private_key>(),
     .help = "Private key (PEM) for key-pair login, instead of a password; best given as a file.",
     .original = "SNOWFLAKE_PRIVATE_KEY"},
    {.key = "snowflake.oauth_token",
     .target = in<&C::snowflake, &C::Snowflake::oauth_token>(),
     .help =
         "OAuth access token, instead of a password; as a file it is read again when it expires.",
     .original = "SNOWFLAKE_OAUTH_TOKEN"},
    {.key = "snowflake.method",
     .target = in<&C::snowflake, &C::Snowflake::method>(),
     .help =
         "How rows go in: session (SQL through a warehouse) or streaming (Snowpipe Streaming; key "
         "pair or token only, append-only).",
     .form = Form::choice,
     .choices = snowflake_methods},
    {.key = "snowflake.candles",
     .target = in<&C::snowflake, &C::Snowflake::candles>(),
     .help = "Write closed candles and dimensions too."},
    {.key = "snowflake.warehouse",
     .target = in<&C::snowflake, &C::Snowflake::warehouse>(),
     .help = "Warehouse that loads; empty: the user's default.",
     .original = "SNOWFLAKE_WAREHOUSE"},
    {.key = "snowflake.database",
     .target = in<&C::snowflake, &C::Snowflake::database>(),
     .help = "Database that holds the schema.",
     .original = "SNOWFLAKE_DATABASE"},
    {.key = "snowflake.schema",
     .target = in<&C::snowflake, &C::Snowflake::schema>(),
     .help = "Schema that holds the tables.",
     .original = "SNOWFLAKE_SCHEMA"},
    {.key = "snowflake.role",
     .target = in<&C::snowflake, &C::Snowflake::role>(),
     .help = "Role to take on; empty: the user's default.",
     .original = "SNOWFLAKE_ROLE"},
    {.key = "snowflake.base_url",
     .target = in<&C::snowflake, &C::Snowflake::base_url>(),
     .help = "Another endpoint than the account's own.",
     .original = "SNOWFLAKE_BASE_URL",
     .form = Form::http_url},
    {.key = "snowflake.flush_seconds",
     .target = in<&C::snowflake, &C::Snowflake::flush_interval>(),
     .help =
         "Seconds between loads. Every load wakes the warehouse and costs at least a minute of it.",
     .min = 1,
     .max = 86'400},

    {.key = "webhook.url",
     .target = in<&C::webhook, &C::Webhook::url>(),
     .help = "Where rows are posted as JSON; empty: no such sink.",
     .form = Form::http_url},
    {.key = "webhook.secret",
     .target = in<&C::webhook, &C::Webhook::secret>(),
     .help = "Signs every request (HMAC-SHA-256 in the header X-Candlewick-Signature)."},
    {.key = "webhook.tables",
     .target = in<&C::webhook, &C::Webhook::tables>(),
     .help = "The tables whose rows are posted."},

    {.key = "alerts.slack_url",
     .target = in<&C::alerts, &C::Alerts::slack_url>(),
     .help = "Slack incoming webhook that alerts go to; empty: none."},
    {.key = "alerts.discord_url",
     .target = in<&C::alerts, &C::Alerts::discord_url>(),
     .help = "Discord webhook that alerts go to; empty: none."},
    {.key = "alerts.telegram_token",
     .target = in<&C::alerts, &C::Alerts::telegram_token>(),
     .help = "Token of the Telegram bot that sends alerts; with alerts.telegram_chat."},
    {.key = "alerts.telegram_chat",
     .target = in<&C::alerts, &C::Alerts::telegram_chat>(),
     .help = "Chat (number or @channel) that the bot writes to."},
    {.key = "alerts.telegram_base_url",
     .target = in<&C::alerts, &C::Alerts::telegram_base_url>(),
     .help = "Another endpoint than https://api.telegram.org.",
     .form = Form::http_url},
    {.key = "alerts.webhook_url",
     .target = in<&C::alerts, &C::Alerts::webhook_url>(),
     .help = "Address that gets one JSON object an alert; empty: none."},
    {.key = "alerts.when",
     .target = in<&C::alerts, &C::Alerts::when>(),
     .help = "Thresholds: \"BTC/USDT price > 70000\", \"okx:ETH/USDT@1h rsi_14 < 30\"."},
    {.key = "alerts.repeat_seconds",
     .target = in<&C::alerts, &C::Alerts::repeat_interval>(),
     .help = "How often an alert that goes on is told again.",
     .min = 60},

    {.key = "ccxt.node",
     .target = in<&C::ccxt, &C::Ccxt::node>(),
     .help = "The Node.js that runs the sidecar for exchanges named ccxt:NAME."},
    {.key = "ccxt.sidecar",
     .target = in<&C::ccxt, &C::Ccxt::sidecar>(),
     .help = "The sidecar's folder; empty: the one beside the program."},
}};

std::string transformed(std::string_view key, char joint, bool upper) {
  std::string out;
  for (const char c : key) {
    if (c == '.' || c == '_' || c == '-') {
      out += joint;
    } else {
      out += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  return out;
}

}  // namespace

std::span<const Row> rows() {
  return table;
}

const Row* find_row(std::string_view key) {
  const auto* const found = std::ranges::find(table, key, &Row::key);
  return found == table.end() ? nullptr : found;
}

bool is_secret(const Row& row) {
  return std::holds_alternative<Secret& (*)(Config&)>(row.target);
}

std::string variable_of(std::string_view key) {
  return "CANDLEWICK_" + transformed(key, '_', true);
}

std::string flag_of(std::string_view key) {
  return "--" + transformed(key, '-', false);
}

}  // namespace candlewick::config_table
