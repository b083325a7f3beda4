// The configuration from all its sources; nothing here reads the real environment.
#include "base/config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/config_table.h"

namespace candlewick {
namespace {

using namespace std::chrono_literals;

Sources sources_with(std::string toml = "",
                     std::map<std::string, std::string, std::less<>> environment = {}) {
  Sources sources;
  if (!toml.empty()) sources.toml = SourceFile{"candlewick.toml", std::move(toml)};
  sources.environment = std::move(environment);
  sources.venues = {"binance", "binance-us", "kraken"};
  sources.read_file = [](const std::string& path) -> Result<std::string> {
    if (path == "/run/secrets/key") return std::string("from-a-file\n");
    return fail(ErrorKind::misconfigured, "{}: No such file or directory", path);
  };
  return sources;
}

std::string error_of(const Sources& sources) {
  const auto loaded = load_config(sources);
  if (loaded) return "";
  EXPECT_EQ(loaded.error().kind, ErrorKind::misconfigured);
  EXPECT_EQ(loaded.error().message.find('\n'), std::string::npos) << loaded.error().message;
  return loaded.error().message;
}

const Setting& setting(const LoadedConfig& loaded, std::string_view key) {
  const auto found = std::ranges::find(loaded.settings, key, &Setting::key);
  EXPECT_NE(found, loaded.settings.end()) << key;
  return *found;
}

TEST(Config, HasTheDocumentedDefaults) {
  const auto loaded = load_config(sources_with());
  ASSERT_TRUE(loaded);
  const Config& config = loaded->config;
  EXPECT_EQ(config.exchanges, (std::vector<std::string>{"binance"}));
  EXPECT_EQ(config.symbols,
            (std::vector<std::string>{"BTC/USDT", "ETH/USDT", "SOL/USDT", "BNB/USDT"}));
  EXPECT_EQ(config.fetch_interval, 60s);
  EXPECT_EQ(to_text(config.http.listen), "127.0.0.1:8000");
  EXPECT_EQ(config.data_dir, "./data");
  EXPECT_EQ(config.warehouse, "sqlite");
  EXPECT_TRUE(loaded->warnings.empty());
  EXPECT_TRUE(config.secrets().empty());
  for (const auto& each : loaded->settings) EXPECT_EQ(each.origin, "default") << each.key;
}

TEST(Config, LaterSourcesWin) {
  auto sources = sources_with(
      "data_dir = \"toml\"\nlog_level = \"debug\"\nca_file = \"toml\"\n[feed]\nrecord_dir = "
      "\"toml\"\n",
      {{"CANDLEWICK_CA_FILE", "environment"}, {"CANDLEWICK_FEED_RECORD_DIR", "environment"}});
  sources.dotenv = SourceFile{".env",
                              "# "
                              "comment\nCANDLEWICK_LOG_LEVEL=error\nCANDLEWICK_CA_FILE="
                              "dotenv\nCANDLEWICK_FEED_RECORD_DIR=dotenv\n"};
  sources.flags = {{"feed.record_dir", "flag"}};
  const auto loaded = load_config(sources);
  ASSERT_TRUE(loaded) << loaded.error().message;
  const auto told = [&](std::string_view key) {
    return setting(*loaded, key).value + " from " + setting(*loaded, key).origin;
  };
  EXPECT_EQ(told("data_dir"), "toml from candlewick.toml:1");
  EXPECT_EQ(told("log_level"), "error from .env:2");
  EXPECT_EQ(told("ca_file"), "environment from environment CANDLEWICK_CA_FILE");
  EXPECT_EQ(told("feed.record_dir"), "flag from flag --feed-record-dir");
  EXPECT_EQ(loaded->config.feed.record_dir, "flag");
}

TEST(Config, TakesTheNamesOfTheOriginalServices) {
  const auto loaded = load_config(sources_with("", {{"SUPABASE_URL", "https://x.supabase.co/"},
                                                    {"SUPABASE_SERVICE_ROLE_KEY", "role-key"},
                                                    {"SNOWFLAKE_ACCOUNT", "org-account"},
                                                    {"SNOWFLAKE_USER", "user"},
                                                    {"SNOWFLAKE_PASSWORD", "pass"},
                                                    {"SNOWFLAKE_WAREHOUSE", "wh"},
                                                    {"SNOWFLAKE_DATABASE", "db"},
                                                    {"SNOWFLAKE_SCHEMA", "S"},
                                                    {"SNOWFLAKE_ROLE", "loader"},
                                                    {"SNOWFLAKE_BASE_URL", "http://127.0.0.1:9"},
                                                    {"CANDLEWICK_SNOWFLAKE_FLUSH_SECONDS", "60"},
                                                    {"FETCH_INTERVAL_SECONDS", "30"},
                                                    {"SYMBOLS", "BTCUSDT, eth-usdt,SOL,BTC/USDT"},
                                                    {"BINANCE_BASE_URL", "http://127.0.0.1:9000/"},
                                                    {"BINANCE_WS_URL", "ws://localhost:9000"},
                                                    {"DATABASE_URL", "postgresql://u:p%40ss@h/d"},
                                                    {"NATS_URL", "nats://n:4222"},
                                                    {"COINGECKO_API_KEY", "gecko"},
                                                    {"CANDLEWICK_EXCHANGES", "binance,kraken"},
                                                    {"CANDLEWICK_HTTP_LISTEN", "0.0.0.0:80"},
                                                    {"CANDLEWICK_DATA_DIR", "/d"},
                                                    {"PATH", "/bin"},
                                                    {"POSTGRES_PASSWORD", "somebody else's"}}));
  ASSERT_TRUE(loaded) << loaded.error().message;
  const Config& config = loaded->config;
  EXPECT_EQ(config.supabase.url, "https://x.supabase.co");
  EXPECT_EQ(config.supabase.service_role_key.reveal(), "role-key");
  EXPECT_EQ(config.snowflake.account, "org-account");
  EXPECT_EQ(config.snowflake.user, "user");
  EXPECT_EQ(config.snowflake.password.reveal(), "pass");
  EXPECT_EQ(config.snowflake.warehouse, "wh");
  EXPECT_EQ(config.snowflake.database, "db");
  EXPECT_EQ(config.snowflake.schema, "S");
  EXPECT_EQ(config.snowflake.role, "loader");
  EXPECT_EQ(config.snowflake.base_url, "http://127.0.0.1:9");
  EXPECT_EQ(config.snowflake.flush_interval, 60s);
  EXPECT_EQ(config.fetch_interval, 30s);
  EXPECT_EQ(config.symbols, (std::vector<std::string>{"BTC/USDT", "ETH/USDT", "SOL/USDT"}));
  EXPECT_EQ(config.venues.at("binance").base_url, "http://127.0.0.1:9000");
  EXPECT_EQ(config.venues.at("binance").ws_url, "ws://localhost:9000");
  EXPECT_EQ(config.warehouse, "postgres");
  EXPECT_EQ(config.nats_url.reveal(), "nats://n:4222");
  EXPECT_EQ(config.coingecko_api_key.reveal(), "gecko");
  EXPECT_EQ(config.exchanges, (std::vector<std::string>{"binance", "kraken"}));
  EXPECT_EQ(config.http.listen, (Endpoint{"0.0.0.0", 80}));
  const auto secrets = config.secrets();
  EXPECT_EQ(std::set<std::string>(secrets.begin(), secrets.end()),
            (std::set<std::string>{"role-key", "pass", "postgresql://u:p%40ss@h/d", "p%40ss",
                                   "nats://n:4222", "gecko"}));
}

TEST(Config, MasksSecretsWhereverItSpeaks) {
  auto sources = sources_with("", {{"DATABASE_URL", "hunter2"}});
  EXPECT_EQ(error_of(sources),
            "environment DATABASE_URL: database_url = ***: not a postgresql:// URL");
  sources.environment = {{"COINGECKO_API_KEY", "hunter2"}};
  const auto loaded = load_config(sources);
  EXPECT_EQ(setting(*loaded, "coingecko_api_key").value, "***");
  EXPECT_TRUE(setting(*loaded, "coingecko_api_key").is_secret);
  sources.environment = {};
  sources.dotenv = SourceFile{".env", "\nCOINGECKO_API_KEY hunter2\n"};
  EXPECT_EQ(error_of(sources), ".env:2: not of the form NAME=value");
}

TEST(Config, ReadsSecretsFromFiles) {
  auto sources = sources_with("[snowflake]\nprivate_key_file = \"/run/secrets/key\"\n",
                              {{"SUPABASE_URL", "https://x.supabase.co"},
                               {"SUPABASE_SERVICE_ROLE_KEY_FILE", "/run/secrets/key"},
                               {"CANDLEWICK_COINGECKO_API_KEY_FILE", "/run/secrets/key"}});
  const auto loaded = load_config(sources);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->config.supabase.service_role_key.reveal(), "from-a-file");
  EXPECT_EQ(loaded->config.coingecko_api_key.reveal(), "from-a-file");
  EXPECT_EQ(loaded->config.snowflake.private_key.reveal(), "from-a-file");
  EXPECT_EQ(setting(*loaded, "supabase.service_role_key").origin,
            "environment SUPABASE_SERVICE_ROLE_KEY_FILE, file /run/secrets/key");
  sources.environment = {{"COINGECKO_API_KEY", "x"},
                         {"COINGECKO_API_KEY_FILE", "/run/secrets/key"}};
  EXPECT_EQ(error_of(sources),
            "environment COINGECKO_API_KEY_FILE: both COINGECKO_API_KEY and COINGECKO_API_KEY_FILE "
            "are set: one of "
            "them is enough");
  sources.environment = {{"COINGECKO_API_KEY_FILE", "/missing"}};
  EXPECT_EQ(error_of(sources),
            "environment COINGECKO_API_KEY_FILE: coingecko_api_key_file: /missing: No such file or "
            "directory");
}

TEST(Config, RaisesAShortFetchIntervalWithAWarning) {
  for (const std::string_view seconds : {"9", "1", "0", "-5"}) {
    const auto loaded =
        load_config(sources_with("", {{"FETCH_INTERVAL_SECONDS", std::string(seconds)}}));
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->config.fetch_interval, 10s);
    ASSERT_EQ(loaded->warnings.size(), 1U);
    EXPECT_EQ(loaded->warnings[0],
              "fetch_interval_seconds = " + std::string(seconds) +
                  " (environment FETCH_INTERVAL_SECONDS) is less than 10: 10 is used");
    EXPECT_EQ(setting(*loaded, "fetch_interval_seconds").value, "10");
  }
  EXPECT_TRUE(load_config(sources_with("fetch_interval_seconds = 10"))->warnings.empty());
}

TEST(Config, NamesKeyValueAndPlaceOfAMistakeInTheFile) {
  struct Row {
    std::string_view toml;
    std::string_view message;
  };
  for (const auto& [toml, message] : std::initializer_list<Row>{
           {"\n[http]\nlisten = \"8000\"",
            "candlewick.toml:3: http.listen = \"8000\": not an address and port such as "
            "127.0.0.1:8000"},
           {"[http]\nlistn = \"x\"",
            "candlewick.toml:2: unknown key \"http.listn\" (did you mean \"http.listen\"?)"},
           {"[htpp]\nlisten = \"x\"",
            "candlewick.toml:2: unknown key \"htpp.listen\" (did you mean \"http.listen\"?)"},
           {"whatever_else = 1", "candlewick.toml:1: unknown key \"whatever_else\""},
           {"log_level = \"loud\"",
            "candlewick.toml:1: log_level = \"loud\": not one of debug, info, warning, error"},
           {"log_level = 3", "candlewick.toml:1: log_level = \"3\": not a text in quotes"},
           {"fetch_interval_seconds = \"60\"",
            "candlewick.toml:1: fetch_interval_seconds = \"60\": not an integer"},
           {"fetch_interval_seconds = 60.5",
            "candlewick.toml:1: fetch_interval_seconds = \"60.5\": not an integer"},
           {"fetch_interval_seconds = 100000",
            "candlewick.toml:1: fetch_interval_seconds = \"100000\": not within 10 to 86400"},
           {"feed.request_budget_percent = 101",
            "candlewick.toml:1: feed.request_budget_percent = \"101\": not within 1 to 100"},
           {"exchanges = [\"binanse\"]",
            "candlewick.toml:1: exchanges = \"binanse\": no such exchange \"binanse\" (did you "
            "mean \"binance\"?)"},
           {"symbols = []", "candlewick.toml:1: symbols = \"\": an empty list"},
           {"symbols = [\"BTC USDT\"]",
            "candlewick.toml:1: symbols = \"BTC USDT\": \"BTC USDT\" is not a symbol such as "
            "BTC/USDT"},
           {"timeframes = [\"7m\"]",
            "candlewick.toml:1: timeframes = \"7m\": not one of 1s, 1m, 3m, 5m, 15m, 30m, 1h, 2h, "
            "4h, 6h, 8h, 12h, 1d, "
            "3d, 1w, 1M"},
           {"[supabase]\nurl = \"ftp://x\"",
            "candlewick.toml:2: supabase.url = \"ftp://x\": not a https:// URL"},
           {"[supabase]\nurl = \"https://x.supabase.co\"",
            "candlewick.toml:2: supabase.url needs supabase.service_role_key "
            "(SUPABASE_SERVICE_ROLE_KEY)"},
           {"[snowflake]\naccount = \"a\"",
            "candlewick.toml:2: snowflake.account needs snowflake.user (SNOWFLAKE_USER)"},
           {"warehouse = \"postgres\"",
            "candlewick.toml:1: warehouse = \"postgres\" needs database_url (DATABASE_URL)"},
           {"[exchange.binanse]\nbase_url = \"https://x\"",
            "candlewick.toml:2: exchange.binanse.base_url: no such exchange (did you mean "
            "\"binance\"?)"},
           {"[exchange.binance]\nurl = \"https://x\"",
            "candlewick.toml:2: unknown key \"exchange.binance.url\" (an exchange has base_url and "
            "ws_url)"},
           {"[exchange.binance]\nws_url = \"ws://example.com\"",
            "candlewick.toml:2: exchange.binance.ws_url = \"ws://example.com\": plain ws:// is for "
            "loopback addresses only"},
           {"[exchange.binance]\nbase_url = \"http://10.0.0.1\"",
            "candlewick.toml:2: exchange.binance.base_url = \"http://10.0.0.1\": plain http:// is "
            "for loopback addresses "
            "only"},
       }) {
    EXPECT_EQ(error_of(sources_with(std::string(toml))), message) << toml;
  }
}

TEST(Config, NamesTheLineOfBrokenToml) {
  for (const std::string_view toml : {"a = 1\nb = ", "x = 1\nx = 2", "a = 1\n[[[", "a\n"}) {
    const auto message = error_of(sources_with(std::string(toml)));
    EXPECT_TRUE(message.starts_with("candlewick.toml:")) << message;
  }
}

TEST(Config, RefusesUnknownVariablesOfItsOwnOnly) {
  EXPECT_EQ(error_of(sources_with("", {{"CANDLEWICK_EXCHANGE", "kraken"}})),
            "environment CANDLEWICK_EXCHANGE: unknown variable CANDLEWICK_EXCHANGE (did you mean "
            "\"CANDLEWICK_EXCHANGES\"?)");
  EXPECT_EQ(error_of(sources_with("", {{"CANDLEWICK_KRAKN_BASE_URL", "https://x"}})),
            "environment CANDLEWICK_KRAKN_BASE_URL: unknown variable CANDLEWICK_KRAKN_BASE_URL "
            "(did you mean "
            "\"CANDLEWICK_KRAKEN_BASE_URL\"?)");
  EXPECT_EQ(error_of(sources_with("", {{"SOMETHING_ELSE", "x"},
                                       {"CANDLEWICK_CONFIG", "x.toml"},
                                       {"CANDLEWICK_SHARED_DATA", "x"},
                                       {"CANDLEWICK_TEST_UPDATE", "1"}})),
            "");
  auto sources = sources_with();
  sources.dotenv = SourceFile{".env", "A=1\nCANDLEWICK_NONSENSE=1\n"};
  EXPECT_EQ(error_of(sources), ".env:2: unknown variable CANDLEWICK_NONSENSE");
}

TEST(Config, TakesEmptyVariablesForUnset) {
  const auto loaded = load_config(
      sources_with("", {{"SUPABASE_URL", ""}, {"SYMBOLS", ""}, {"CANDLEWICK_HTTP_LISTEN", ""}}));
  ASSERT_TRUE(loaded);
  EXPECT_EQ(setting(*loaded, "symbols").origin, "default");
}

TEST(Config, GivesEveryVenueItsUrls) {
  const auto loaded = load_config(sources_with(
      "exchange.kraken.base_url = \"https://a\"\nexchange.binance-us.ws_url = \"wss://b\"\n",
      {{"CANDLEWICK_KRAKEN_BASE_URL", "https://c"},
       {"CANDLEWICK_BINANCE_US_BASE_URL", "https://d"},
       {"BINANCE_BASE_URL", "https://e"},
       {"CANDLEWICK_BINANCE_BASE_URL", "https://f"}}));
  ASSERT_TRUE(loaded) << loaded.error().message;
  const auto& venues = loaded->config.venues;
  EXPECT_EQ(venues.at("kraken").base_url, "https://c");
  EXPECT_EQ(venues.at("binance-us").base_url, "https://d");
  EXPECT_EQ(venues.at("binance-us").ws_url, "wss://b");
  EXPECT_EQ(venues.at("binance").base_url, "https://f") << "the general name wins over the old one";
  EXPECT_EQ(setting(*loaded, "exchange.kraken.base_url").origin,
            "environment CANDLEWICK_KRAKEN_BASE_URL");
}

TEST(Config, TakesAnyVenueWhenItIsToldOfNone) {
  auto sources = sources_with(
      "", {{"CANDLEWICK_SOME_VENUE_WS_URL", "wss://x"}, {"CANDLEWICK_EXCHANGES", "some-venue"}});
  sources.venues.clear();
  const auto loaded = load_config(sources);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->config.venues.at("some-venue").ws_url, "wss://x");
}

TEST(Config, RefusesUnknownFlagKeys) {
  auto sources = sources_with();
  sources.flags = {{"http.lisen", "x"}};
  EXPECT_EQ(error_of(sources),
            "flag --http-lisen: unknown key \"http.lisen\" (did you mean \"http.listen\"?)");
}

TEST(Config, ReadsListsFromTextAndArrays) {
  for (const std::string_view toml :
       {"exchanges = [\"binance\", \"kraken\"]", "exchanges = \"binance, kraken\""}) {
    EXPECT_EQ(load_config(sources_with(std::string(toml)))->config.exchanges,
              (std::vector<std::string>{"binance", "kraken"}));
  }
  EXPECT_NE(error_of(sources_with("exchanges = [1]")), "");
  EXPECT_NE(error_of(sources_with("exchanges = [\"a,b\"]")), "");
}

TEST(Config, WarnsOfAKeyWithoutItsUrl) {
  const auto loaded = load_config(sources_with("", {{"SUPABASE_SERVICE_ROLE_KEY", "k"}}));
  ASSERT_TRUE(loaded);
  ASSERT_EQ(loaded->warnings.size(), 1U);
  EXPECT_NE(loaded->warnings[0].find("SUPABASE_URL"), std::string::npos);
}

TEST(Config, TakesTimescaleForPostgres) {
  const auto loaded = load_config(
      sources_with("warehouse = \"timescale\"", {{"DATABASE_URL", "host=localhost dbname=x"}}));
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->config.warehouse, "postgres");
  EXPECT_EQ(load_config(sources_with("warehouse = \"sqlite\"", {{"DATABASE_URL", "postgres://x"}}))
                ->config.warehouse,
            "sqlite");
}

TEST(Dotenv, ReadsQuotesCommentsAndExports) {
  const auto variables = config_table::parse_dotenv({".env",
                                                     "\xEF\xBB\xBF# a comment\r\n"
                                                     "A=1\r\n"
                                                     "export B = two words # comment\n"
                                                     "C='single \\n # not' # comment\n"
                                                     "D=\"double \\n \\\"x\\\" # not\"\n"
                                                     "E=\n"
                                                     "F=a#b=c\n"
                                                     "G= # only a comment\n"
                                                     "\n   \n"
                                                     "H=last"});
  ASSERT_TRUE(variables) << variables.error().message;
  std::vector<std::string> told;
  for (const auto& [name, value, line] : *variables)
    told.push_back(std::to_string(line) + " " + name + "=" + value);
  EXPECT_EQ(told, (std::vector<std::string>{"2 A=1", "3 B=two words", "4 C=single \\n # not",
                                            "5 D=double \n \"x\" # not", "6 E=", "7 F=a#b=c",
                                            "8 G=", "11 H=last"}));
}

TEST(Dotenv, NamesTheLineOfAMistake) {
  for (const auto* text :
       {"A=1\nnonsense", "A=1\n=x", "A=1\n1A=x", "A=1\nB='open", "A=1\nB=\"a\" b", "A=1\nB C=1"}) {
    const auto variables = config_table::parse_dotenv({".env", text});
    ASSERT_FALSE(variables) << text;
    EXPECT_TRUE(variables.error().message.starts_with(".env:2: ")) << variables.error().message;
  }
}

TEST(Symbols, AreUnifiedFromAnySpelling) {
  struct Row {
    std::string_view typed;
    std::string_view unified;
  };
  for (const auto& [typed, unified] : std::initializer_list<Row>{
           {"BTC/USDT", "BTC/USDT"},
           {"btc-usdt", "BTC/USDT"},
           {"BTC_USDT", "BTC/USDT"},
           {"BTCUSDT", "BTC/USDT"},
           {"BTC", "BTC/USDT"},
           {"ETHBTC", "ETH/BTC"},
           {"WBTC", "WBTC/USDT"},
           {"STETH", "STETH/USDT"},
           {"1000SATS", "1000SATS/USDT"},
           {"WUSDT", "W/USDT"},
           {"BTCFDUSD", "BTC/FDUSD"},
           {"FDUSD", "FDUSD/USDT"},
           {"ETHUSD", "ETH/USD"},
           {"TUSD", "TUSD/USDT"},
           {"BNB", "BNB/USDT"},
           {" sol ", "SOL/USDT"},
           {"BTC/USDT:USDT", "BTC/USDT:USDT"},
           {"BTCEUR", "BTC/EUR"},
           {"USDC", "USDC/USDT"},
       }) {
    const auto symbol = unified_symbol(typed);
    ASSERT_TRUE(symbol) << typed;
    EXPECT_EQ(*symbol, unified) << typed;
  }
  for (const std::string_view typed :
       {"", " ", "/", "BTC/", "/USDT", "BTC/USDT/X", "BTC USDT", "USDT", "a\nb", "\"BTC\""}) {
    EXPECT_FALSE(unified_symbol(typed)) << typed;
  }
}

TEST(Endpoint, ReadsHostsAndPorts) {
  EXPECT_EQ(*parse_endpoint("127.0.0.1:8000"), (Endpoint{"127.0.0.1", 8000}));
  EXPECT_EQ(*parse_endpoint("[::1]:0"), (Endpoint{"::1", 0}));
  EXPECT_EQ(to_text(*parse_endpoint("[::1]:80")), "[::1]:80");
  EXPECT_EQ(*parse_endpoint("localhost:65535"), (Endpoint{"localhost", 65535}));
  for (const std::string_view text : {"", ":", "8000", ":8000", "host:", "host:65536", "host:-1",
                                      "host:8x", "::1:80", "[]:80", "http://host:80", "a b:80"}) {
    EXPECT_FALSE(parse_endpoint(text)) << text;
  }
}

TEST(ConfigTable, NamesEveryKeyOnce) {
  std::set<std::string> names;
  for (const auto& key : config_keys()) {
    EXPECT_TRUE(names.insert(key.key).second) << key.key;
    EXPECT_TRUE(names.insert(key.flag).second) << key.flag;
    for (const auto& variable : key.variables)
      EXPECT_TRUE(names.insert(variable).second) << variable;
    EXPECT_TRUE(key.help.ends_with('.')) << key.key;
  }
}

TEST(ConfigTable, EveryKeyCanBeSetByItsVariableAndItsFlag) {
  // Its own default is always a good value.
  for (const auto& key : config_keys()) {
    if (key.default_value.empty()) continue;
    for (const auto& variable : key.variables) {
      const auto loaded = load_config(sources_with("", {{variable, key.default_value}}));
      ASSERT_TRUE(loaded) << loaded.error().message;
      EXPECT_EQ(setting(*loaded, key.key).origin, "environment " + variable);
    }
    auto sources = sources_with();
    sources.flags = {{key.key, key.default_value}};
    ASSERT_TRUE(load_config(sources)) << key.key;
  }
}

std::filesystem::path config_folder() {
  return std::filesystem::path(__FILE__).parent_path() / ".." / ".." / "config";
}

// CANDLEWICK_TEST_UPDATE=1 writes the files anew.
void expect_committed(const std::string& name, const std::string& text) {
  const auto path = config_folder() / name;
  if (std::getenv("CANDLEWICK_TEST_UPDATE") != nullptr) std::ofstream(path) << text;
  const auto committed = read_text_file(path.string());
  ASSERT_TRUE(committed) << committed.error().message;
  EXPECT_EQ(*committed, text) << path
                              << " is not what the table says: run with CANDLEWICK_TEST_UPDATE=1";
}

TEST(ConfigExamples, AreThoseOfTheTable) {
  expect_committed("candlewick.example.toml", example_toml());
  expect_committed(".env.example", example_env());
}

TEST(ConfigExamples, LoadToTheDefaults) {
  auto sources = sources_with(example_toml());
  sources.dotenv = SourceFile{".env", example_env()};
  const auto loaded = load_config(sources);
  ASSERT_TRUE(loaded) << loaded.error().message;
  const auto defaults = load_config(sources_with());
  for (std::size_t i = 0; i < defaults->settings.size(); ++i) {
    EXPECT_EQ(loaded->settings[i].value, defaults->settings[i].value) << loaded->settings[i].key;
  }
  // With the comments taken away, too: every line is well formed.
  std::string variables;
  for (const char c : example_env()) variables += c;
  for (auto at = variables.find("\n#"); at != std::string::npos;
       at = variables.find("\n#", at + 1)) {
    if (variables[at + 2] != ' ') variables.erase(at + 1, 1);
  }
  sources.dotenv = SourceFile{".env", variables};
  const auto set = load_config(sources);
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_EQ(set->config.venues.at("binance").base_url, "https://api.binance.com");
}

class GatheredSources : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "candlewick-config-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    before_ = std::filesystem::current_path();
    std::filesystem::current_path(folder_);
  }
  void TearDown() override {
    std::filesystem::current_path(before_);
    std::filesystem::remove_all(folder_);
  }

 private:
  std::filesystem::path folder_;
  std::filesystem::path before_;
};

TEST_F(GatheredSources, AreTheFilesThatAreThere) {
  auto none = gather_sources(std::nullopt, {{"A", "1"}});
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->toml);
  EXPECT_FALSE(none->dotenv);
  EXPECT_EQ(none->environment.at("A"), "1");
  std::ofstream("candlewick.toml") << "data_dir = \"x\"\n";
  std::ofstream(".env") << "SYMBOLS=BTC\n";
  std::ofstream("other.toml") << "data_dir = \"y\"\n";
  const auto found = gather_sources(std::nullopt, {});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->toml->name, "candlewick.toml");
  EXPECT_EQ(found->dotenv->text, "SYMBOLS=BTC\n");
  EXPECT_EQ(gather_sources("other.toml", {})->toml->text, "data_dir = \"y\"\n");
  EXPECT_EQ(gather_sources(std::nullopt, {{"CANDLEWICK_CONFIG", "other.toml"}})->toml->name,
            "other.toml");
}

TEST_F(GatheredSources, NameAFileThatIsMissing) {
  const auto missing = gather_sources("missing.toml", {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::misconfigured);
  EXPECT_EQ(missing.error().message, "missing.toml: No such file or directory");
  EXPECT_FALSE(gather_sources(".", {}));
}

// CCXT alone knows which there are.
TEST(Config, TakesAnyExchangeOfCcxtsAndItsAddresses) {
  Sources sources;
  sources.venues = {"binance"};
  sources.environment = {{"CANDLEWICK_EXCHANGES", "ccxt:mexc,binance,ccxt:bitmart"},
                         {"CANDLEWICK_CCXT_MEXC_BASE_URL", "http://127.0.0.1:9000"},
                         {"CANDLEWICK_CCXT_NODE", "/opt/node"}};
  sources.toml = SourceFile{"candlewick.toml",
                            "[exchange.\"ccxt:bitmart\"]\nws_url = \"wss://stream.example\"\n"};
  const auto loaded = load_config(sources);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->config.exchanges,
            (std::vector<std::string>{"ccxt:mexc", "binance", "ccxt:bitmart"}));
  EXPECT_EQ(loaded->config.venues.at("ccxt:mexc").base_url, "http://127.0.0.1:9000");
  EXPECT_EQ(loaded->config.venues.at("ccxt:bitmart").ws_url, "wss://stream.example");
  EXPECT_EQ(loaded->config.ccxt.node, "/opt/node");
  EXPECT_TRUE(loaded->warnings.empty());
}

}  // namespace
}  // namespace candlewick
