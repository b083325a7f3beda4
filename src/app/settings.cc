// Flags to configuration.
#include "app/settings.h"

#include <CLI/CLI.hpp>

#include "exchange/registry.h"

namespace candlewick::app {

void SettingFlags::add_to(CLI::App& command) {
  command.add_option("--config", file_,
                     "configuration file (default: ./candlewick.toml if there is one)");
  for (const auto& key : config_keys()) {
    // Secrets on a command line can be read by everybody on the machine.
    if (key.is_secret) continue;
    auto value = std::make_unique<Value>(Value{.key = key.key, .text = {}});
    command.add_option(key.flag, value->text, key.help)->group("Settings");
    values_.push_back(std::move(value));
  }
}

Result<LoadedConfig> SettingFlags::load() const {
  auto sources = gather_sources(file_, process_environment());
  if (!sources) return fail(sources.error());
  for (const auto& value : values_) {
    if (value->text) sources->flags.push_back({value->key, *value->text});
  }
  for (const auto* venue : exchange::all_venues())
    sources->venues.emplace_back(exchange::key_of(*venue));
  return load_config(*sources);
}

}  // namespace candlewick::app
