// Codes and words of refusals as the venue has them (errors.md of binance-spot-api-docs, 2026-07).
#include "simulator/binance/parameters.h"

#include <algorithm>
#include <charconv>

#include "base/json.h"

namespace candlewick::simulator::binance {

using namespace std::chrono_literals;

Parameters::Parameters(const Context& context, const Request& request)
    : context_(context), request_(request) {
  for (const auto& [name, value] : request.query) {
    if (!sent_.insert(name).second) {
      fail(-1101, fmt::format("Duplicate values for parameter '{}'.", name));
    }
  }
}

std::optional<std::string_view> Parameters::text(std::string_view name) {
  const auto value = request_.parameter(name);
  if (value) read_.insert(std::string(name));
  return value;
}

std::size_t Parameters::listing() {
  const std::string_view name = "symbol";
  const auto value = text(name);
  if (!value || value->empty()) {
    fail(-1102,
         fmt::format("Mandatory parameter '{}' was not sent, was empty/null, or malformed.", name));
    return 0;
  }
  return find(*value, name);
}

std::vector<std::size_t> Parameters::listings() {
  std::vector<std::size_t> found;
  if (has("symbol") && has("symbols")) {
    fail(-1128, "Combination of optional parameters invalid.");
    return found;
  }
  if (has("symbol")) {
    found.push_back(listing());
    return found;
  }
  const auto value = text("symbols");
  if (!value) {
    for (std::size_t i = 0; i < context_.market.listings().size(); ++i) {
      if (!is_gone(i)) found.push_back(i);
    }
    return found;
  }
  json::Reader reader;
  const auto read = reader.read(*value, [&](json::Value root) {
    root.elements([&](json::Value item) { found.push_back(find(item.string(), "symbols")); });
  });
  if (!read || found.empty()) {
    fail(-1100,
         "Illegal characters found in parameter 'symbols'; legal range is "
         "'^\\[(\"[A-Z0-9-_.]{1,20}\"(,\"[A-Z0-9-_.]{1,20}\"){0,}){0,1}\\]$'.");
  }
  if (std::set<std::size_t>(found.begin(), found.end()).size() != found.size() && !error_) {
    fail(-1151, "Symbol is present multiple times in the list.");
  }
  return found;
}

std::optional<std::uint64_t> Parameters::number(std::string_view name) {
  const auto value = text(name);
  if (!value) return std::nullopt;
  std::uint64_t result = 0;
  const char* end = value->data() + value->size();
  const auto [rest, error] = std::from_chars(value->data(), end, result);
  if (error != std::errc{} || rest != end || value->empty()) {
    fail(-1100, fmt::format("Illegal characters found in parameter '{}'; legal range is "
                            "'^[0-9]{{1,20}}$'.",
                            name));
    return std::nullopt;
  }
  return result;
}

std::size_t Parameters::limit(std::size_t otherwise, std::size_t most) {
  const auto value = number("limit");
  if (value && *value == 0) fail(-1130, "Data sent for parameter 'limit' is not valid.");
  return static_cast<std::size_t>(std::min<std::uint64_t>(value.value_or(otherwise), most));
}

std::optional<Time> Parameters::time(std::string_view name) {
  const auto value = number(name);
  if (!value) return std::nullopt;
  constexpr std::uint64_t least_microseconds = 100'000'000'000'000;
  constexpr std::uint64_t most_microseconds = 9'000'000'000'000'000;
  const bool is_fine = *value >= least_microseconds;
  const auto most = is_fine ? most_microseconds : most_microseconds / 1000;
  const auto whole = static_cast<std::int64_t>(std::min(*value, most));
  return is_fine ? time_from_us(whole) : time_from_ms(whole);
}

Timeframe Parameters::interval() {
  const auto value = text("interval");
  if (!value || value->empty()) {
    fail(-1102, "Mandatory parameter 'interval' was not sent, was empty/null, or malformed.");
    return Timeframe::m1;
  }
  const auto timeframe = parse_timeframe(*value);
  if (!timeframe || (*timeframe == Timeframe::s1 && !context_.flavour.has_seconds)) {
    fail(-1120, "Invalid interval.");
    return Timeframe::m1;
  }
  return *timeframe;
}

Duration Parameters::time_zone() {
  const auto value = text("timeZone");
  if (!value) return {};
  const bool is_west = value->starts_with('-');
  const auto digits = value->substr(is_west || value->starts_with('+') ? 1 : 0);
  const auto colon = digits.find(':');
  const auto part = [&](std::string_view words) {
    int result = -1;
    const char* end = words.data() + words.size();
    const auto [rest, error] = std::from_chars(words.data(), end, result);
    return error == std::errc{} && rest == end ? result : -1;
  };
  const int hours = part(digits.substr(0, colon));
  const int minutes = colon == std::string_view::npos ? 0 : part(digits.substr(colon + 1));
  const bool is_sane = hours >= 0 && hours <= 14 && minutes >= 0 && minutes <= 59;
  const Duration shift =
      is_sane ? std::chrono::hours{hours} + std::chrono::minutes{minutes} : std::chrono::minutes{0};
  if (!is_sane || shift > (is_west ? 12h : 14h)) {
    fail(-1130, "Data sent for parameter 'timeZone' is not valid.");
    return {};
  }
  return is_west ? -shift : shift;
}

bool Parameters::is_gone(std::size_t listing) const {
  return context_.faults.has_vanished(
      context_.market.listings()[listing].instrument.exchange_symbol);
}

void Parameters::fail(int code, std::string_view message) {
  if (!error_) error_ = error(400, code, message);
}

std::optional<Reply> Parameters::refusal() {
  if (read_.size() < sent_.size()) {
    fail(-1104, fmt::format("Not all sent parameters were read; read '{}' parameter(s) but was "
                            "sent '{}'.",
                            read_.size(), sent_.size()));
  }
  return error_;
}

std::size_t Parameters::find(std::string_view symbol, std::string_view name) {
  const bool legal =
      symbol.size() <= 20 && std::ranges::all_of(symbol, [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
      });
  if (!legal) {
    fail(-1100, fmt::format("Illegal characters found in parameter '{}'; legal range is "
                            "'^[A-Z0-9-_.]{{1,20}}$'.",
                            name));
    return 0;
  }
  const auto found = context_.market.find(symbol);
  if (!found || is_gone(*found)) {
    fail(-1121, "Invalid symbol.");
    return 0;
  }
  return *found;
}

}  // namespace candlewick::simulator::binance
