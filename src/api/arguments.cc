// Every refusal names its parameter and says what would have been right.
#include "api/arguments.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/nearest.h"

namespace candlewick::api {
namespace {

// Calculations with candle borders stay within the range of Time.
constexpr Time end_of_time = std::chrono::sys_days{std::chrono::year{2200} / 1 / 1};

// As much of a value as a message needs.
std::string_view shown(std::string_view text) {
  return text.substr(0, 40);
}

std::string list_of(std::span<const std::string_view> names) {
  std::string out;
  for (const auto name : names) {
    if (!out.empty()) out += ", ";
    out += name;
  }
  return out.empty() ? "none" : out;
}

}  // namespace

Arguments::Arguments(net::Query query, std::span<const std::string_view> allowed)
    : query_(std::move(query)) {
  check_names(allowed);
}

void Arguments::check_names(std::span<const std::string_view> allowed) {
  for (std::size_t i = 0; i < query_.size(); ++i) {
    const auto& [name, text] = query_[i];
    if (std::ranges::find(allowed, name) == allowed.end()) {
      const std::vector<std::string> names(allowed.begin(), allowed.end());
      refuse(problems::unknown_parameter, name.substr(0, 64),
             fmt::format("there is no parameter \"{}\" here{}; known: {}", shown(name),
                         did_you_mean(name, names), list_of(allowed)));
      return;
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (query_[j].first != name) continue;
      refuse(problems::repeated_parameter, name, "given more than once");
      return;
    }
    if (text.empty()) {
      refuse(problems::invalid_parameter, name, "is empty");
      return;
    }
    const bool is_cursor = name == "cursor";
    const std::size_t most = is_cursor           ? max_cursor_bytes
                             : name == "symbols" ? max_list_bytes
                                                 : max_bytes;
    if (text.size() > most) {
      refuse(is_cursor ? problems::invalid_cursor : problems::invalid_parameter, name,
             fmt::format("is {} bytes long", text.size()));
      return;
    }
  }
}

const std::string* Arguments::value(std::string_view name) const {
  for (const auto& [known, text] : query_) {
    if (known == name) return &text;
  }
  return nullptr;
}

std::string Arguments::text(std::string_view name) const {
  const auto* found = value(name);
  return found == nullptr ? std::string() : *found;
}

std::string Arguments::required(std::string_view name) {
  const auto* found = value(name);
  if (found != nullptr) return *found;
  refuse(problems::missing_parameter, name, fmt::format("\"{}\" must be given", name));
  return {};
}

std::size_t Arguments::count(std::string_view name, std::size_t otherwise, std::size_t most) {
  const auto* found = value(name);
  if (found == nullptr) return std::min(otherwise, most);
  std::size_t number = 0;
  const char* last = found->data() + found->size();
  const auto [end, error] = std::from_chars(found->data(), last, number);
  if (end != last || error != std::errc{} || number < 1 || number > most) {
    refuse(problems::invalid_parameter, name,
           fmt::format("\"{}\" is not an integer from 1 to {}", shown(*found), most));
    return most;
  }
  return number;
}

std::optional<Time> Arguments::time(std::string_view name) {
  const auto* found = value(name);
  if (found == nullptr) return std::nullopt;
  const auto parsed = parse_time(*found);
  if (!parsed) {
    refuse(problems::invalid_parameter, name,
           fmt::format("\"{}\" is neither RFC 3339 (a \"+\" is written %2B) nor epoch milliseconds",
                       shown(*found)));
    return std::nullopt;
  }
  if (*parsed < Time{} || *parsed >= end_of_time) {
    refuse(problems::invalid_parameter, name, "is not between 1970 and 2200");
    return std::nullopt;
  }
  return *parsed;
}

bool Arguments::flag(std::string_view name) {
  const auto* found = value(name);
  if (found == nullptr || *found == "false") return false;
  if (*found != "true") {
    refuse(problems::invalid_parameter, name,
           fmt::format("\"{}\" is neither true nor false", shown(*found)));
  }
  return true;
}

Timeframe Arguments::timeframe(std::string_view name, Timeframe otherwise) {
  const auto* found = value(name);
  if (found == nullptr) return otherwise;
  const auto parsed = parse_timeframe(*found);
  if (parsed) return *parsed;
  refuse(problems::invalid_parameter, name, parsed.error().message);
  return otherwise;
}

query::Order Arguments::order(std::string_view name) {
  const auto* found = value(name);
  if (found == nullptr || *found == "asc") return query::Order::ascending;
  if (*found != "desc") {
    refuse(problems::invalid_parameter, name,
           fmt::format("\"{}\" is neither asc nor desc", shown(*found)));
  }
  return query::Order::descending;
}

std::size_t Arguments::choice(std::string_view name, std::span<const std::string_view> words) {
  const auto* found = value(name);
  if (found == nullptr) return 0;
  const auto at = std::ranges::find(words, std::string_view(*found));
  if (at != words.end()) return static_cast<std::size_t>(at - words.begin());
  refuse(problems::invalid_parameter, name,
         fmt::format("\"{}\" is none of {}", shown(*found), list_of(words)));
  return 0;
}

void Arguments::check_range(const std::optional<Time>& start, const std::optional<Time>& end) {
  if (!start || !end || *start <= *end) return;
  refuse(problems::invalid_range, "start",
         fmt::format("{} is after the end, {}", to_rfc3339(*start), to_rfc3339(*end)));
}

void Arguments::refuse(const ProblemKind& kind, std::string_view name, std::string detail) {
  if (problem_) return;
  problem_ = Problem{.kind = &kind, .detail = std::move(detail), .parameter = std::string(name)};
}

void Arguments::adopt(const net::Query& others, std::string_view free) {
  for (const auto& [name, text] : others) {
    const auto* own = value(name);
    if (own == nullptr) {
      query_.emplace_back(name, text);
    } else if (*own != text && name != free) {
      refuse(problems::cursor_mismatch, name,
             "is not what the cursor was made for: repeat it unchanged or leave it out");
    }
  }
}

net::Query Arguments::without(std::string_view left_out) const {
  net::Query rest = query_;
  std::erase_if(rest, [&](const auto& entry) { return entry.first == left_out; });
  return rest;
}

void Arguments::set(std::string_view name, std::string text) {
  for (auto& [known, old] : query_) {
    if (known == name) {
      old = std::move(text);
      return;
    }
  }
  query_.emplace_back(name, std::move(text));
}

}  // namespace candlewick::api
