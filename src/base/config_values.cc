// Text into values of the configuration and back, one function a type.
#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/config_table.h"
#include "base/nearest.h"
#include "base/selection.h"

namespace candlewick {
namespace {

// Assets that symbols are quoted in, for taking "BTCUSDT" apart. A base shorter than `min_base`
// makes the whole a base of its own: "WBTC" and "FDUSD" are assets, "ETHBTC" is a pair.
struct QuoteAsset {
  std::string_view name;
  std::size_t min_base;
};
constexpr std::array<QuoteAsset, 14> quote_assets{{{"FDUSD", 2},
                                                   {"USDT", 1},
                                                   {"USDC", 1},
                                                   {"BUSD", 2},
                                                   {"TUSD", 2},
                                                   {"DAI", 3},
                                                   {"USD", 3},
                                                   {"EUR", 3},
                                                   {"GBP", 3},
                                                   {"TRY", 3},
                                                   {"JPY", 3},
                                                   {"BTC", 3},
                                                   {"ETH", 3},
                                                   {"BNB", 3}}};
constexpr std::string_view default_quote = "USDT";

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const auto first = text.find_first_not_of(space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

}  // namespace

Result<std::string> unified_symbol(std::string_view typed) {
  const auto malformed = [&] {
    return fail(ErrorKind::malformed, "\"{}\" is not a symbol such as BTC/USDT", typed);
  };
  const auto text = upper(trimmed(typed));
  const auto is_wrong = [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '\\' || c == '\x7f' || c == ',';
  };
  if (text.empty() || text.size() > 60 || std::ranges::any_of(text, is_wrong)) return malformed();
  const auto separator = text.find_first_of("/-_");
  if (separator != std::string::npos) {
    const auto quote = text.substr(separator + 1);
    if (separator == 0 || quote.empty() || quote.find_first_of("/-_") != std::string::npos) {
      return malformed();
    }
    return text.substr(0, separator) + "/" + quote;
  }
  for (const auto& quote : quote_assets) {
    if (!text.ends_with(quote.name) || text.size() < quote.name.size() + quote.min_base) continue;
    return text.substr(0, text.size() - quote.name.size()) + "/" + std::string(quote.name);
  }
  if (text == default_quote) return malformed();
  return text + "/" + std::string(default_quote);
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  const auto malformed = [&] {
    return fail(ErrorKind::malformed, "not an address and port such as 127.0.0.1:8000");
  };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return malformed();
  auto host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return malformed();
  }
  const auto digits = text.substr(colon + 1);
  Endpoint endpoint;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), endpoint.port);
  const auto is_wrong = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '/'; };
  if (error != std::errc{} || end != digits.data() + digits.size() || host.empty() ||
      std::ranges::any_of(host, is_wrong)) {
    return malformed();
  }
  endpoint.host = host;
  return endpoint;
}

std::string to_text(const Endpoint& endpoint) {
  const bool is_v6 = endpoint.host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", is_v6 ? "[" : "", endpoint.host, is_v6 ? "]" : "", endpoint.port);
}

namespace config_table {
namespace {

std::unexpected<Error> refused(std::string why) {
  return fail(Error{ErrorKind::misconfigured, std::move(why)});
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

struct Url {
  std::string_view scheme;
  std::string_view host;
};

Result<Url> split_url(std::string_view text) {
  const auto mark = text.find("://");
  const auto is_wrong = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '"'; };
  if (mark == std::string_view::npos || std::ranges::any_of(text, is_wrong)) {
    return refused("not a URL");
  }
  auto authority = text.substr(mark + 3);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    authority.remove_prefix(at + 1);
  }
  const auto host_end = authority.starts_with('[') ? authority.find(']') + 1 : authority.find(':');
  const auto host = authority.substr(0, host_end);
  if (host.empty()) return refused("a URL without a host");
  return Url{.scheme = text.substr(0, mark), .host = host};
}

Result<std::string> checked_text(std::string_view text, const Row& row,
                                 std::span<const std::string> venues) {
  switch (row.form) {
    case Form::any:
      return std::string(text);
    case Form::choice:
      if (std::ranges::find(row.choices, text) != row.choices.end()) return std::string(text);
      return refused(fmt::format("not one of {}", fmt::join(row.choices, ", ")));
    case Form::symbol: {
      auto selection = parse_selection(text);
      if (!selection) return refused(selection.error().message);
      return to_text(*selection);
    }
    case Form::venue:
      // Which of those CCXT knows, CCXT says.
      if (venues.empty() || text.starts_with(bridged_prefix) ||
          std::ranges::find(venues, text) != venues.end())
        return std::string(text);
      return refused(fmt::format("no such exchange \"{}\"{}", text, did_you_mean(text, venues)));
    case Form::http_url:
    case Form::ws_url:
      return checked_url(text, row.form);
    case Form::nats_url:
      if (text.starts_with("nats://") || text.starts_with("tls://")) return std::string(text);
      return refused("not a nats:// or tls:// URL");
    case Form::postgres_url:
      if (text.starts_with("postgres://") || text.starts_with("postgresql://") ||
          text.find('=') != std::string_view::npos) {
        return std::string(text);
      }
      return refused("not a postgresql:// URL");
  }
  std::unreachable();
}

Result<std::int64_t> checked_integer(const Row& row, const Given& given,
                                     std::vector<std::string>& warnings) {
  const auto text = trimmed(given.text);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return refused("not an integer");
  if (number < row.min && row.raise_to_min) {
    warnings.push_back(fmt::format("{} = {} ({}) is less than {}: {} is used", row.key, number,
                                   given.origin, row.min, row.min));
    return row.min;
  }
  if (number < row.min || number > row.max) {
    return refused(fmt::format("not within {} to {}", row.min, row.max));
  }
  return number;
}

Result<std::vector<std::string>> checked_list(const Row& row, std::string_view text,
                                              std::span<const std::string> venues) {
  std::vector<std::string> list;
  while (!text.empty()) {
    const auto comma = text.find(',');
    const auto entry = trimmed(text.substr(0, comma));
    text = comma == std::string_view::npos ? "" : text.substr(comma + 1);
    if (entry.empty()) continue;
    auto checked = checked_text(entry, row, venues);
    if (!checked) return fail(checked.error());
    if (std::ranges::find(list, *checked) == list.end()) list.push_back(std::move(*checked));
  }
  if (list.empty()) return refused("an empty list");
  return list;
}

struct Assigner {
  const Row& row;
  const Given& given;
  std::span<const std::string> venues;
  Config& config;
  std::vector<std::string>& warnings;

  bool takes(Shape shape) const { return given.shape == Shape::untyped || given.shape == shape; }

  Result<void> operator()(std::string& (*target)(Config&)) const {
    if (!takes(Shape::text)) return refused("not a text in quotes");
    auto checked = checked_text(trimmed(given.text), row, venues);
    if (!checked) return fail(checked.error());
    target(config) = std::move(*checked);
    return {};
  }
  Result<void> operator()(Secret& (*target)(Config&)) const {
    if (!takes(Shape::text)) return refused("not a text in quotes");
    auto checked = checked_text(trimmed(given.text), row, venues);
    if (!checked) return fail(checked.error());
    target(config) = Secret(std::move(*checked));
    return {};
  }
  Result<void> operator()(std::int64_t& (*target)(Config&)) const {
    if (!takes(Shape::integer)) return refused("not an integer");
    const auto checked = checked_integer(row, given, warnings);
    if (!checked) return fail(checked.error());
    target(config) = *checked;
    return {};
  }
  Result<void> operator()(bool& (*target)(Config&)) const {
    const auto text = trimmed(given.text);
    if (!takes(Shape::boolean) || (text != "true" && text != "false"))
      return refused("not true or false");
    target(config) = text == "true";
    return {};
  }
  Result<void> operator()(Duration& (*target)(Config&)) const {
    if (!takes(Shape::integer)) return refused("not an integer");
    const auto checked = checked_integer(row, given, warnings);
    if (!checked) return fail(checked.error());
    target(config) = *checked * row.unit;
    return {};
  }
  Result<void> operator()(std::vector<std::string>& (*target)(Config&)) const {
    if (!takes(Shape::list) && !takes(Shape::text)) return refused("not a list of texts");
    auto checked = checked_list(row, given.text, venues);
    if (!checked) return fail(checked.error());
    target(config) = std::move(*checked);
    return {};
  }
  Result<void> operator()(Endpoint& (*target)(Config&)) const {
    if (!takes(Shape::text)) return refused("not a text in quotes");
    auto parsed = parse_endpoint(trimmed(given.text));
    if (!parsed) return refused(parsed.error().message);
    target(config) = std::move(*parsed);
    return {};
  }
};

struct Shower {
  const Row& row;
  Config& config;

  std::string operator()(std::string& (*target)(Config&)) const { return target(config); }
  std::string operator()(Secret& (*target)(Config&)) const {
    return std::string(target(config).masked());
  }
  std::string operator()(std::int64_t& (*target)(Config&)) const {
    return fmt::format("{}", target(config));
  }
  std::string operator()(bool& (*target)(Config&)) const {
    return target(config) ? "true" : "false";
  }
  std::string operator()(Duration& (*target)(Config&)) const {
    return fmt::format("{}", target(config) / row.unit);
  }
  std::string operator()(std::vector<std::string>& (*target)(Config&)) const {
    return fmt::format("{}", fmt::join(target(config), ","));
  }
  std::string operator()(Endpoint& (*target)(Config&)) const { return to_text(target(config)); }
};

}  // namespace

Result<std::string> checked_url(std::string_view text, Form form) {
  const auto url = split_url(text);
  if (!url) return fail(url.error());
  const std::string plain = form == Form::http_url ? "http" : "ws";
  if (url->scheme != plain && url->scheme != plain + "s") {
    return refused(fmt::format("not a {}s:// URL", plain));
  }
  if (url->scheme == plain && !is_loopback(url->host)) {
    return refused(fmt::format("plain {}:// is for loopback addresses only", plain));
  }
  while (text.ends_with('/')) text.remove_suffix(1);
  return std::string(text);
}

Result<void> assign(const Row& row, const Given& given, std::span<const std::string> venues,
                    Config& config, std::vector<std::string>& warnings) {
  return std::visit(Assigner{row, given, venues, config, warnings}, row.target);
}

std::string shown(const Row& row, const Config& config) {
  Config copy = config;
  return std::visit(Shower{row, copy}, row.target);
}

}  // namespace config_table

std::vector<std::string> Config::secrets() const {
  std::vector<std::string> values;
  Config copy = *this;
  for (const auto& row : config_table::rows()) {
    const auto* const target = std::get_if<Secret& (*)(Config&)>(&row.target);
    if (target == nullptr || (*target)(copy).empty()) continue;
    const std::string& value = (*target)(copy).reveal();
    values.push_back(value);
    // A library may tell the password of a URL without the rest.
    const auto mark = value.find("://");
    if (mark == std::string::npos) continue;
    const auto authority = value.substr(mark + 3, value.find_first_of("/?#", mark + 3) - mark - 3);
    const auto at = authority.rfind('@');
    const auto colon = authority.find(':');
    if (at != std::string::npos && colon < at) {
      values.push_back(authority.substr(colon + 1, at - colon - 1));
    }
  }
  return values;
}

}  // namespace candlewick
