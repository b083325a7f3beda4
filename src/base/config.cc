// Merging the sources: each is turned into keys with texts and origins, laid over the one before.
#include "base/config.h"

#include <algorithm>
#include <array>
#include <sstream>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "base/config_table.h"
#include "base/nearest.h"

namespace candlewick {
namespace {

using config_table::Given;
using config_table::Row;
using config_table::Shape;

constexpr std::string_view prefix = "CANDLEWICK_";
constexpr std::string_view file_suffix = "_FILE";
constexpr std::string_view venue_section = "exchange.";
// Not settings: where the file is, whether the program may leave a core dump, and what the tests
// are told.
constexpr std::array<std::string_view, 4> other_variables{
    "CANDLEWICK_CONFIG", "CANDLEWICK_CORE_DUMPS", "CANDLEWICK_FAULT_POINT",
    "CANDLEWICK_SHARED_DATA"};
constexpr std::string_view test_prefix = "CANDLEWICK_TEST_";

struct Entry {
  std::string key;
  Given given;
};

std::unexpected<Error> misconfigured(std::string message) {
  return fail(Error{ErrorKind::misconfigured, std::move(message)});
}

std::string upper_venue(std::string_view venue) {
  std::string name;
  for (const char c : venue) {
    name += c == '-' || c == ':'   ? '_'
            : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A')
                                   : c;
  }
  return name;
}

std::vector<std::string> known_keys() {
  std::vector<std::string> keys;
  for (const auto& row : config_table::rows()) {
    keys.emplace_back(row.key);
    if (is_secret(row)) keys.push_back(std::string(row.key) + "_file");
  }
  return keys;
}

class Loader {
 public:
  explicit Loader(const Sources& sources) : sources_(sources) {
    for (const auto& row : config_table::rows()) origins_.emplace(row.key, "default");
  }

  Result<LoadedConfig> load() {
    for (const auto step : {&Loader::toml, &Loader::dotenv, &Loader::environment, &Loader::flags,
                            &Loader::conclude}) {
      auto done = (this->*step)();
      if (!done) return fail(std::move(done.error()));
    }
    return std::move(loaded_);
  }

 private:
  // The layers, lowest first.

  Result<void> toml() {
    if (!sources_.toml) return {};
    const auto& [name, text] = *sources_.toml;
    std::vector<Entry> entries;
    try {
      const auto table = toml::parse(text, name);
      flatten(table, "", entries);
    } catch (const toml::parse_error& error) {
      return misconfigured(fmt::format("{}:{}: {}", name, error.source().begin.line,
                                       std::string_view(error.description())));
    }
    for (const auto& entry : entries) {
      auto applied = apply(entry);
      if (!applied) return applied;
    }
    return {};
  }

  Result<void> dotenv() {
    if (!sources_.dotenv) return {};
    const auto variables = config_table::parse_dotenv(*sources_.dotenv);
    if (!variables) return fail(variables.error());
    std::map<std::string, Given, std::less<>> layer;
    for (const auto& variable : *variables) {
      if (variable.value.empty()) {
        layer.erase(variable.name);
        continue;
      }
      layer.insert_or_assign(
          variable.name,
          Given{.text = variable.value,
                .origin = fmt::format("{}:{}", sources_.dotenv->name, variable.line)});
    }
    return apply_variables(layer);
  }

  // An empty variable is one that is not set: compose files hand them on like that.
  Result<void> environment() {
    std::map<std::string, Given, std::less<>> layer;
    for (const auto& [name, value] : sources_.environment) {
      if (value.empty()) continue;
      layer.emplace(name, Given{.text = value, .origin = "environment " + name});
    }
    return apply_variables(layer);
  }

  Result<void> flags() {
    for (const auto& flag : sources_.flags) {
      auto applied = apply(Entry{
          flag.key, {.text = flag.value, .origin = "flag " + config_table::flag_of(flag.key)}});
      if (!applied) return applied;
    }
    return {};
  }

  // From the shape of a source to entries.

  void flatten(const toml::table& table, const std::string& above, std::vector<Entry>& out) {
    for (const auto& [key, node] : table) {
      const std::string path =
          above.empty() ? std::string(key.str()) : above + "." + std::string(key.str());
      if (const auto* inner = node.as_table()) {
        flatten(*inner, path, out);
        continue;
      }
      Given given{.text = {},
                  .origin = fmt::format("{}:{}", sources_.toml->name, node.source().begin.line),
                  .shape = Shape::other};
      if (const auto* text = node.as_string()) {
        given.text = text->get();
        given.shape = Shape::text;
      } else if (const auto* boolean = node.as_boolean()) {
        given.text = boolean->get() ? "true" : "false";
        given.shape = Shape::boolean;
      } else if (const auto* integer = node.as_integer()) {
        given.text = fmt::format("{}", integer->get());
        given.shape = Shape::integer;
      } else if (const auto* array = node.as_array(); array != nullptr && is_plain_list(*array)) {
        for (const auto& element : *array) {
          if (!given.text.empty()) given.text += ',';
          given.text += element.as_string()->get();
        }
        given.shape = Shape::list;
      } else {
        std::ostringstream written;
        written << toml::node_view<const toml::node>(node);
        given.text = written.str();
      }
      out.push_back({path, std::move(given)});
    }
  }

  static bool is_plain_list(const toml::array& array) {
    return std::ranges::all_of(array, [](const toml::node& element) {
      const auto* text = element.as_string();
      return text != nullptr && text->get().find(',') == std::string::npos;
    });
  }

  Result<void> apply_variables(const std::map<std::string, Given, std::less<>>& layer) {
    std::vector<std::string> known;
    for (const auto& row : config_table::rows()) {
      for (const auto& name : {std::string(row.original), config_table::variable_of(row.key)}) {
        if (name.empty()) continue;
        auto applied = apply_variable(layer, name, row);
        if (!applied) return applied;
        known.push_back(name);
        if (is_secret(row)) known.push_back(name + std::string(file_suffix));
      }
    }
    auto applied = apply_venue_variables(layer, known);
    if (!applied) return applied;
    for (const auto& [name, given] : layer) {
      if (!name.starts_with(prefix) || name.starts_with(test_prefix)) continue;
      if (std::ranges::find(known, name) != known.end()) continue;
      if (std::ranges::find(other_variables, name) != other_variables.end()) continue;
      return misconfigured(fmt::format("{}: unknown variable {}{}", given.origin, name,
                                       meant_variable(name, known)));
    }
    return {};
  }

  // The prefix that all share says nothing about likeness.
  static std::string meant_variable(std::string_view name, const std::vector<std::string>& known) {
    std::vector<std::string> endings;
    for (const auto& variable : known) {
      if (variable.starts_with(prefix)) endings.push_back(variable.substr(prefix.size()));
    }
    const auto ending = nearest(name.substr(prefix.size()), endings);
    return ending.empty() ? "" : fmt::format(" (did you mean \"{}{}\"?)", prefix, ending);
  }

  // NAME, and for a secret NAME_FILE, which names a file that holds the value.
  Result<void> apply_variable(const std::map<std::string, Given, std::less<>>& layer,
                              const std::string& name, const Row& row) {
    const auto plain = layer.find(name);
    const auto file = is_secret(row) ? layer.find(name + std::string(file_suffix)) : layer.end();
    if (plain != layer.end() && file != layer.end()) {
      return misconfigured(fmt::format("{}: both {} and {}{} are set: one of them is enough",
                                       file->second.origin, name, name, file_suffix));
    }
    if (plain != layer.end()) return apply(Entry{std::string(row.key), plain->second});
    if (file != layer.end()) return apply(Entry{std::string(row.key) + "_file", file->second});
    return {};
  }

  Result<void> apply_venue_variables(const std::map<std::string, Given, std::less<>>& layer,
                                     std::vector<std::string>& known) {
    // The original services' names first, so that the general ones win.
    for (const std::string original : {"BINANCE_BASE_URL", "BINANCE_WS_URL"}) {
      const auto found = layer.find(original);
      if (found == layer.end()) continue;
      auto applied = apply(Entry{
          original == "BINANCE_BASE_URL" ? "exchange.binance.base_url" : "exchange.binance.ws_url",
          found->second});
      if (!applied) return applied;
    }
    for (const auto& venue : venues_in(layer)) {
      for (const std::string kind : {"base_url", "ws_url"}) {
        const auto name = fmt::format("{}{}_{}", prefix, upper_venue(venue),
                                      kind == "base_url" ? "BASE_URL" : "WS_URL");
        if (std::ranges::find(known, name) != known.end()) continue;
        known.push_back(name);
        const auto found = layer.find(name);
        if (found == layer.end()) continue;
        auto applied =
            apply(Entry{fmt::format("{}{}.{}", venue_section, venue, kind), found->second});
        if (!applied) return applied;
      }
    }
    return {};
  }

  // The venues that exist, and those of CCXT's that the variables name; where it is not known which
  // exist, all that they name.
  std::vector<std::string> venues_in(const std::map<std::string, Given, std::less<>>& layer) const {
    std::vector<std::string> venues = sources_.venues;
    for (const auto& [name, given] : layer) {
      for (const std::string_view ending : {"_BASE_URL", "_WS_URL"}) {
        if (!name.starts_with(prefix) || !name.ends_with(ending)) continue;
        if (name.size() <= prefix.size() + ending.size()) continue;
        std::string venue = name.substr(prefix.size(), name.size() - prefix.size() - ending.size());
        for (char& c : venue) {
          c = c == '_' ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        }
        if (venue.starts_with("ccxt-")) {
          venues.push_back(fmt::format("{}{}", config_table::bridged_prefix, venue.substr(5)));
        } else if (sources_.venues.empty()) {
          venues.push_back(std::move(venue));
        }
      }
    }
    return venues;
  }

  // One entry.

  Result<void> apply(const Entry& entry) {
    if (entry.key.starts_with(venue_section)) return apply_venue(entry);
    if (const Row* row = config_table::find_row(entry.key)) return apply_row(*row, entry.given);
    if (entry.key.ends_with("_file")) {
      const Row* row = config_table::find_row(entry.key.substr(0, entry.key.size() - 5));
      if (row != nullptr && is_secret(*row)) return apply_secret_file(*row, entry.given);
    }
    return misconfigured(fmt::format("{}: unknown key \"{}\"{}", entry.given.origin, entry.key,
                                     did_you_mean(entry.key, known_keys())));
  }

  Result<void> apply_row(const Row& row, const Given& given) {
    auto assigned =
        config_table::assign(row, given, sources_.venues, loaded_.config, loaded_.warnings);
    if (!assigned) {
      return misconfigured(fmt::format("{}: {} = {}: {}", given.origin, row.key,
                                       is_secret(row) ? "***" : fmt::format("\"{}\"", given.text),
                                       assigned.error().message));
    }
    origins_.insert_or_assign(std::string(row.key), given.origin);
    return {};
  }

  Result<void> apply_secret_file(const Row& row, const Given& given) {
    auto text = sources_.read_file(given.text);
    if (!text) {
      return misconfigured(
          fmt::format("{}: {}_file: {}", given.origin, row.key, text.error().message));
    }
    return apply_row(row, Given{.text = std::move(*text),
                                .origin = fmt::format("{}, file {}", given.origin, given.text)});
  }

  Result<void> apply_venue(const Entry& entry) {
    const auto& given = entry.given;
    const auto dot = entry.key.rfind('.');
    const auto kind = std::string_view(entry.key).substr(dot + 1);
    if (dot < venue_section.size() || (kind != "base_url" && kind != "ws_url")) {
      return misconfigured(fmt::format(
          "{}: unknown key \"{}\" (an exchange has base_url and ws_url)", given.origin, entry.key));
    }
    const auto venue = entry.key.substr(venue_section.size(), dot - venue_section.size());
    if (!sources_.venues.empty() && !venue.starts_with(config_table::bridged_prefix) &&
        std::ranges::find(sources_.venues, venue) == sources_.venues.end()) {
      return misconfigured(fmt::format("{}: {}: no such exchange{}", given.origin, entry.key,
                                       did_you_mean(venue, sources_.venues)));
    }
    const auto form =
        kind == "base_url" ? config_table::Form::http_url : config_table::Form::ws_url;
    auto url = config_table::checked_url(given.text, form);
    if (!url) {
      return misconfigured(fmt::format("{}: {} = \"{}\": {}", given.origin, entry.key, given.text,
                                       url.error().message));
    }
    auto& urls = loaded_.config.venues[venue];
    (kind == "base_url" ? urls.base_url : urls.ws_url) = std::move(*url);
    venue_origins_.insert_or_assign(entry.key, given.origin);
    return {};
  }

  // What follows from all of them together.

  const std::string& origin(std::string_view key) const { return origins_.find(key)->second; }

  Result<void> conclude() {
    Config& config = loaded_.config;
    if (config.warehouse == "timescale") config.warehouse = "postgres";
    if (config.warehouse == "auto") {
      const bool has_database = !config.database_url.empty();
      config.warehouse = has_database ? "postgres" : "sqlite";
      if (has_database) origins_.insert_or_assign("warehouse", "default, as database_url is set");
    }
    if (config.warehouse == "postgres" && config.database_url.empty()) {
      return misconfigured(fmt::format(
          "{}: warehouse = \"postgres\" needs database_url (DATABASE_URL)", origin("warehouse")));
    }
    auto sinks = check_sinks();
    if (!sinks) return sinks;
    list_settings();
    return {};
  }

  Result<void> check_sinks() {
    const auto& supabase = loaded_.config.supabase;
    if (!supabase.url.empty() && supabase.service_role_key.empty()) {
      return misconfigured(fmt::format(
          "{}: supabase.url needs supabase.service_role_key (SUPABASE_SERVICE_ROLE_KEY)",
          origin("supabase.url")));
    }
    if (supabase.url.empty() && !supabase.service_role_key.empty()) {
      loaded_.warnings.push_back(fmt::format(
          "supabase.service_role_key ({}) is not used: supabase.url (SUPABASE_URL) is not set",
          origin("supabase.service_role_key")));
    }
    const auto& snowflake = loaded_.config.snowflake;
    if (snowflake.account.empty()) return {};
    const auto needs = [&](std::string_view what) {
      return misconfigured(
          fmt::format("{}: snowflake.account needs {}", origin("snowflake.account"), what));
    };
    if (snowflake.user.empty()) return needs("snowflake.user (SNOWFLAKE_USER)");
    if (snowflake.password.empty() && snowflake.private_key.empty()) {
      return needs(
          "snowflake.password (SNOWFLAKE_PASSWORD) or snowflake.private_key_file "
          "(SNOWFLAKE_PRIVATE_KEY_FILE)");
    }
    if (snowflake.database.empty()) return needs("snowflake.database (SNOWFLAKE_DATABASE)");
    return {};
  }

  void list_settings() {
    for (const auto& row : config_table::rows()) {
      loaded_.settings.push_back({.key = std::string(row.key),
                                  .value = config_table::shown(row, loaded_.config),
                                  .origin = origin(row.key),
                                  .is_secret = is_secret(row)});
    }
    for (const auto& [key, from] : venue_origins_) {
      const auto dot = key.rfind('.');
      const auto& urls =
          loaded_.config.venues.at(key.substr(venue_section.size(), dot - venue_section.size()));
      loaded_.settings.push_back({.key = key,
                                  .value = key.ends_with("base_url") ? urls.base_url : urls.ws_url,
                                  .origin = from});
    }
  }

  const Sources& sources_;
  LoadedConfig loaded_;
  std::map<std::string, std::string, std::less<>> origins_;
  std::map<std::string, std::string> venue_origins_;
};

}  // namespace

Result<LoadedConfig> load_config(const Sources& sources) {
  return Loader(sources).load();
}

}  // namespace candlewick
