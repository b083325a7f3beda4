// Settings are checked here, so that what is wrong is told at the start and not at the first load.
#include "sink/snowflake.h"

#include <algorithm>
#include <utility>

#include "net/url.h"
#include "sink/snowflake_jwt.h"
#include "sink/snowflake_tables.h"

namespace candlewick::sink {
namespace {

using snowflake::Access;
using snowflake::Authentication;

constexpr std::string_view streaming = "streaming";

// "https://myorg-my_account1.…" is no valid name of a host: Snowflake has a hyphen there.
std::string url_of_account(std::string_view account) {
  std::string host(account);
  std::ranges::replace(host, '_', '-');
  return "https://" + host + ".snowflakecomputing.com";
}

Result<bool> read_switch(const Settings& settings, std::string_view key,
                         std::string_view otherwise) {
  const std::string_view text = settings.get(key, otherwise);
  if (text != "true" && text != "false") {
    return fail(ErrorKind::misconfigured, "snowflake.{} is \"{}\", not true or false", key, text);
  }
  return text == "true";
}

Result<Access> read_access(const Settings& settings) {
  const auto text = [&](std::string_view key) { return std::string(settings.get(key)); };
  Access access{.account = text("account"),
                .user = text("user"),
                .password = Secret(text("password")),
                .private_key = Secret(text("private_key")),
                .oauth_token = Secret(text("oauth_token")),
                .role = text("role"),
                .warehouse = text("warehouse"),
                .database = text("database"),
                .schema = text("schema"),
                .base_url = text("base_url")};
  if (access.account.empty() && access.base_url.empty()) {
    return fail(ErrorKind::misconfigured, "snowflake.account is missing (SNOWFLAKE_ACCOUNT)");
  }
  if (access.user.empty()) {
    return fail(ErrorKind::misconfigured, "snowflake.user is missing (SNOWFLAKE_USER)");
  }
  if (access.database.empty()) {
    return fail(ErrorKind::misconfigured, "snowflake.database is missing (SNOWFLAKE_DATABASE)");
  }
  if (access.schema.empty()) access.schema = "PUBLIC";
  if (access.password.empty() && access.private_key.empty() && access.oauth_token.empty()) {
    return fail(ErrorKind::misconfigured,
                "snowflake: no credentials: set SNOWFLAKE_PRIVATE_KEY_FILE, SNOWFLAKE_PASSWORD (a "
                "password or a programmatic access token) or SNOWFLAKE_OAUTH_TOKEN");
  }
  if (!access.private_key.empty()) {
    if (auto key = snowflake::SigningKey::parse(access.private_key); !key) return fail(key.error());
  }
  if (access.base_url.empty()) access.base_url = url_of_account(access.account);
  while (access.base_url.ends_with('/')) access.base_url.pop_back();
  const auto url = net::parse_url(access.base_url + "/");
  if (!url) return within("snowflake.base_url", url.error());
  return access;
}

}  // namespace

Result<std::unique_ptr<Sink>> make_snowflake_from(const Settings& settings) {
  auto access = read_access(settings);
  if (!access) return fail(std::move(access.error()));
  const auto candles = read_switch(settings, "candles", "true");
  if (!candles) return fail(candles.error());
  const std::string_view style = settings.get("symbol_style", "unified");
  if (style != "unified" && style != "exchange") {
    return fail(ErrorKind::misconfigured,
                "sink.symbol_style is \"{}\", not \"unified\" or \"exchange\"", style);
  }
  const std::string_view method = settings.get("method", "session");
  if (method != "session" && method != streaming) {
    return fail(ErrorKind::misconfigured, "snowflake.method is \"{}\", not \"session\" or \"{}\"",
                method, streaming);
  }
  SnowflakeOptions options{.access = std::move(*access),
                           .with_candles = *candles,
                           .exchange_symbol_style = style == "exchange",
                           .ca_file = std::string(settings.get("ca_file"))};
  if (method != streaming) return make_snowflake_load(std::move(options), *settings.clock);
  if (snowflake::authentication_of(options.access) == Authentication::password) {
    return fail(
        ErrorKind::misconfigured,
        "snowflake.method = \"streaming\" needs a key pair (SNOWFLAKE_PRIVATE_KEY_FILE) or a "
        "token: Snowpipe Streaming takes no password");
  }
  return make_snowflake_stream(std::move(options), *settings.clock);
}

std::string snowflake_setup_sql(const Settings& settings) {
  const auto name = [&](std::string_view key, std::string_view otherwise) {
    const std::string_view text = settings.get(key);
    return std::string(text.empty() ? otherwise : text);
  };
  return snowflake::setup_script({.database = name("database", "CANDLEWICK"),
                                  .schema = name("schema", "PUBLIC"),
                                  .role = name("role", "CANDLEWICK"),
                                  .warehouse = name("warehouse", "CANDLEWICK")},
                                 settings.get("candles", "true") == "true",
                                 settings.get("method") == streaming);
}

}  // namespace candlewick::sink
