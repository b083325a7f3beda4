// One function a kind of sink: configuration to settings. The names of settings are those of the
// configuration's keys, so a sink's documentation and its code speak of the same thing.
#include "app/sinks.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/warehouse_choice.h"
#include "base/time.h"

namespace candlewick::app {
namespace {

// A load costs money by the minute that a warehouse is awake, so few and large ones.
constexpr std::size_t snowflake_rows = 100'000;
constexpr std::size_t snowflake_bytes = std::size_t{64} << 20;

std::string seconds_text(Duration duration) {
  return fmt::format("{}", std::chrono::duration_cast<std::chrono::seconds>(duration).count());
}
std::string days_text(Duration duration) {
  return fmt::format("{}", std::chrono::duration_cast<std::chrono::days>(duration).count());
}
std::string switch_text(bool on) {
  return on ? "true" : "false";
}

using Values = std::map<std::string, std::string, std::less<>>;

Values supabase_values(const Config::Supabase& supabase) {
  return {{"url", supabase.url},
          {"service_role_key", supabase.service_role_key.reveal()},
          {"schema", supabase.schema},
          {"candles", switch_text(supabase.candles)},
          {"latest", switch_text(supabase.latest)},
          {"broadcast", switch_text(supabase.broadcast)},
          {"ladder_days", days_text(supabase.ladders)}};
}

Values snowflake_values(const Config::Snowflake& snowflake) {
  return {{"account", snowflake.account},
          {"user", snowflake.user},
          {"password", snowflake.password.reveal()},
          {"private_key", snowflake.private_key.reveal()},
          {"oauth_token", snowflake.oauth_token.reveal()},
          {"method", snowflake.method},
          {"candles", switch_text(snowflake.candles)},
          {"warehouse", snowflake.warehouse},
          {"database", snowflake.database},
          {"schema", snowflake.schema},
          {"role", snowflake.role},
          {"base_url", snowflake.base_url},
          {"flush_seconds", seconds_text(snowflake.flush_interval)}};
}

Values webhook_values(const Config::Webhook& webhook) {
  return {{"url", webhook.url},
          {"secret", webhook.secret.reveal()},
          {"tables", fmt::format("{}", fmt::join(webhook.tables, ","))}};
}

sink::Settings settings_from(Values values, const Config& config, const Clock& clock) {
  values.insert_or_assign("symbol_style", config.sink.symbol_style);
  values.insert_or_assign("ca_file", config.ca_file);
  return {.clock = &clock, .values = std::move(values)};
}

}  // namespace

Result<sink::Settings> sink_settings(std::string_view name, const Config& config,
                                     const Clock& clock) {
  if (name == warehouse_kind(config)) return warehouse_settings(config, clock);
  if (name == "supabase") return settings_from(supabase_values(config.supabase), config, clock);
  if (name == "snowflake") return settings_from(snowflake_values(config.snowflake), config, clock);
  if (name == "webhook") return settings_from(webhook_values(config.webhook), config, clock);
  return fail(ErrorKind::misconfigured, "there is no sink \"{}\" (there are {})", name,
              sink::sink_names());
}

Result<std::vector<ConfiguredSink>> configured_sinks(const Config& config, const Clock& clock) {
  sink::DeliveryOptions options;
  options.max_rows = static_cast<std::size_t>(config.sink.batch_rows);
  options.max_age = config.sink.batch_interval;
  options.retry.cap = config.sink.retry_limit;
  std::vector<ConfiguredSink> sinks;
  const auto add = [&](std::string_view name) -> ConfiguredSink& {
    ++options.seed;  // so that sinks which lost the same network do not come back in step
    return sinks.emplace_back(ConfiguredSink{
        .name = name, .settings = sink_settings(name, config, clock).value(), .options = options});
  };

  add(warehouse_kind(config)).is_warehouse = true;
  if (!config.sink.since.empty()) {
    const auto since = parse_rfc3339(config.sink.since);
    if (!since) {
      return fail(ErrorKind::misconfigured, "sink.since: \"{}\" is no time in RFC 3339",
                  config.sink.since);
    }
    options.since = *since;
  }
  if (!config.supabase.url.empty()) add("supabase");
  if (!config.snowflake.account.empty() || !config.snowflake.base_url.empty()) {
    auto& snowflake = add("snowflake");
    snowflake.options.max_age = config.snowflake.flush_interval;
    snowflake.options.max_rows = std::max(options.max_rows, snowflake_rows);
    snowflake.options.max_bytes = snowflake_bytes;
  }
  if (!config.webhook.url.empty()) add("webhook");
  return sinks;
}

std::string without(std::string text, std::span<const std::string> secrets) {
  for (const auto& secret : secrets) {
    // Shorter ones would mask ordinary words.
    if (secret.size() < 4) continue;
    for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at))
      text.replace(at, secret.size(), "***");
  }
  return text;
}

Result<std::unique_ptr<sink::Sink>> make_sink(const ConfiguredSink& configured) {
  const sink::Kind* const kind = sink::find_sink(configured.name);
  if (kind == nullptr) {
    return fail(ErrorKind::misconfigured, "this program has no sink \"{}\" (it has {})",
                configured.name, sink::sink_names());
  }
  return kind->make(configured.settings);
}

sink::DeliveryOptions::Remake remake_sink(std::string_view name, ReadConfig read,
                                          const Clock& clock) {
  if (!read) return {};
  return [name = std::string(name), read = std::move(read),
          &clock]() -> Result<std::unique_ptr<sink::Sink>> {
    const auto config = read();
    if (!config) return fail(config.error());
    const auto sinks = configured_sinks(*config, clock);
    if (!sinks) return fail(sinks.error());
    const auto found = std::ranges::find(*sinks, name, &ConfiguredSink::name);
    if (found == sinks->end()) {
      return fail(ErrorKind::misconfigured, "sink {}: is not in the configuration any more", name);
    }
    return make_sink(*found);
  };
}

}  // namespace candlewick::app
