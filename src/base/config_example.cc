// What people read about the keys, derived from the table: help and the two example files.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/config_table.h"

namespace candlewick {
namespace {

using config_table::Row;

// As TOML: numbers and booleans bare, lists in brackets, the rest in quotes. Defaults hold nothing
// to escape.
std::string toml_value(const Row& row, const std::string& text) {
  if (std::holds_alternative<std::int64_t& (*)(Config&)>(row.target) ||
      std::holds_alternative<bool& (*)(Config&)>(row.target) ||
      std::holds_alternative<Duration& (*)(Config&)>(row.target)) {
    return text;
  }
  if (!std::holds_alternative<std::vector<std::string>& (*)(Config&)>(row.target)) {
    return fmt::format("\"{}\"", text);
  }
  if (text.empty()) return "[]";
  std::string list = "[\"";
  for (const char c : text) list += c == ',' ? std::string("\", \"") : std::string(1, c);
  return list + "\"]";
}

std::string_view section_of(std::string_view key) {
  const auto dot = key.find('.');
  return dot == std::string_view::npos ? std::string_view{} : key.substr(0, dot);
}

}  // namespace

std::vector<KeyHelp> config_keys() {
  std::vector<KeyHelp> keys;
  const Config defaults;
  for (const auto& row : config_table::rows()) {
    KeyHelp help{.key = std::string(row.key),
                 .flag = config_table::flag_of(row.key),
                 .variables = {config_table::variable_of(row.key)},
                 .default_value = config_table::shown(row, defaults),
                 .help = std::string(row.help),
                 .is_secret = is_secret(row)};
    if (!row.original.empty()) help.variables.emplace_back(row.original);
    keys.push_back(std::move(help));
  }
  return keys;
}

std::string example_toml() {
  std::string out =
      "# Candlewick's settings: every key with its default. Copy this file to candlewick.toml and "
      "keep what\n"
      "# you change. .env, the environment and flags win over it, in that order; `candlewick "
      "check-config`\n"
      "# prints what came out and where each value is from.\n";
  const Config defaults;
  std::string_view section;
  for (const auto& row : config_table::rows()) {
    if (section_of(row.key) != section) {
      section = section_of(row.key);
      out += fmt::format("\n[{}]\n", section);
    } else if (section.empty()) {
      out += '\n';
    }
    const auto name = section.empty() ? row.key : row.key.substr(section.size() + 1);
    const auto value = config_table::shown(row, defaults);
    out += fmt::format("# {}\n", row.help);
    if (is_secret(row)) {
      out += fmt::format("#{} = \"\"\n#{}_file = \"\"\n", name, name);
    } else {
      out += fmt::format("{}{} = {}\n", value.empty() ? "#" : "", name, toml_value(row, value));
    }
  }
  out +=
      "\n# Another endpoint than the venue's own, for each venue: a proxy, a test network, the "
      "simulator.\n"
      "#[exchange.binance]\n"
      "#base_url = \"http://127.0.0.1:9000\"\n"
      "#ws_url = \"ws://127.0.0.1:9000\"\n";
  return out;
}

std::string example_env() {
  std::string out =
      "# Copy this file to .env in the folder where candlewick is started. Every key of the TOML "
      "file can be\n"
      "# set here or in the environment as CANDLEWICK_<SECTION>_<KEY>; every secret also by its "
      "name with\n"
      "# _FILE behind it, naming a file that holds it.\n";
  const Config defaults;
  for (const auto& row : config_table::rows()) {
    const auto name =
        row.original.empty() ? config_table::variable_of(row.key) : std::string(row.original);
    out += fmt::format("\n# {}\n", row.help);
    out += fmt::format("#{}={}\n", name, config_table::shown(row, defaults));
    if (is_secret(row)) out += fmt::format("#{}_FILE=\n", name);
  }
  out +=
      "\n# Other endpoints than the venues' own: CANDLEWICK_<VENUE>_BASE_URL and "
      "CANDLEWICK_<VENUE>_WS_URL.\n"
      "#BINANCE_BASE_URL=https://api.binance.com\n"
      "#BINANCE_WS_URL=wss://stream.binance.com:9443\n";
  return out;
}

}  // namespace candlewick
