// The names of faults, as users write them, are in one table.
#include "simulator/faults.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/json.h"
#include "base/json_text.h"
#include "simulator/noise.h"

namespace candlewick::simulator {
namespace {

constexpr std::array<std::string_view, fault_kinds> names{
    "drop",     "double", "reorder", "truncate", "delay", "silent", "refuse",
    "unclosed", "429",    "418",     "5xx",      "book",  "unfinal"};

std::unexpected<Error> wrong(std::string_view key, std::string_view value,
                             std::string_view wanted) {
  return fail(ErrorKind::misconfigured, "faults: {}=\"{}\" is not {}", key, value.substr(0, 40),
              wanted);
}

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || rest != end || text.empty()) return std::nullopt;
  return value;
}

Result<double> chance(std::string_view key, std::string_view text) {
  const auto value = number<double>(text);
  if (!value || !(*value >= 0.0 && *value <= 1.0)) {
    return wrong(key, text, "a probability from 0 to 1");
  }
  return *value;
}

Result<Duration> duration(std::string_view key, std::string_view text) {
  if (text == "0") return Duration{0};
  const bool negative = text.starts_with('-');
  const auto value = parse_duration(negative ? text.substr(1) : text);
  if (!value || (negative && key != "skew")) {
    return wrong(key, text, "a time such as 250ms, 30s or 5m");
  }
  return negative ? -*value : *value;
}

Result<Outage> outage(std::string_view key, std::string_view text) {
  const auto plus = text.find('+');
  if (plus == std::string_view::npos) return wrong(key, text, "START+DURATION");
  const auto start = duration(key, text.substr(0, plus));
  const auto length = duration(key, text.substr(plus + 1));
  if (!start) return fail(start.error());
  if (!length) return fail(length.error());
  return Outage{.start = *start, .length = *length};
}

Result<IdJump> jump(std::string_view text) {
  const auto plus = text.find('+');
  if (plus == std::string_view::npos) return wrong("jump", text, "START+COUNT");
  const auto start = duration("jump", text.substr(0, plus));
  const auto ids = number<std::uint32_t>(text.substr(plus + 1));
  if (!start) return fail(start.error());
  if (!ids) return wrong("jump", text, "START+COUNT");
  return IdJump{.start = *start, .ids = *ids};
}

// LENGTH or LENGTH:CHANCE
Result<void> set_length_and_chance(FaultSettings& settings, Fault fault, std::string_view text) {
  const auto key = names[static_cast<std::size_t>(fault)];
  const auto colon = text.find(':');
  const auto length = duration(key, text.substr(0, colon));
  const auto share =
      colon == std::string_view::npos ? Result<double>{1.0} : chance(key, text.substr(colon + 1));
  if (!length) return fail(length.error());
  if (!share) return fail(share.error());
  (fault == Fault::delay ? settings.delay : settings.unfinal) = *length;
  settings.chance[static_cast<std::size_t>(fault)] = length->count() == 0 ? 0.0 : *share;
  return {};
}

Result<void> set_integer(FaultSettings& settings, std::string_view key, std::string_view text) {
  const auto value = number<std::int64_t>(text);
  if (!value || *value < 0) return wrong(key, text, "a whole number");
  if (key == "seed") settings.seed = static_cast<std::uint64_t>(*value);
  if (key == "retry") settings.retry_after_seconds = *value;
  if (key == "weight")
    settings.weight_per_minute = static_cast<int>(std::min<std::int64_t>(*value, 1 << 30));
  return {};
}

Result<void> set(FaultSettings& settings, std::string_view key, std::string_view value) {
  if (key == "none") {
    settings = FaultSettings{};
    return {};
  }
  if (key == "outage" || key == "blackout") {
    const auto one = outage(key, value);
    if (!one) return fail(one.error());
    (key == "outage" ? settings.outages : settings.blackouts).push_back(*one);
    return {};
  }
  if (key == "jump") {
    const auto one = jump(value);
    if (!one) return fail(one.error());
    settings.jumps.push_back(*one);
    return {};
  }
  if (key == "delay") return set_length_and_chance(settings, Fault::delay, value);
  if (key == "unfinal") return set_length_and_chance(settings, Fault::unfinal, value);
  if (key == "seed" || key == "retry" || key == "weight") return set_integer(settings, key, value);
  if (key == "vanish") {
    settings.vanished.clear();
    while (!value.empty()) {
      const auto plus = value.find('+');
      settings.vanished.emplace_back(value.substr(0, plus));
      value = plus == std::string_view::npos ? std::string_view{} : value.substr(plus + 1);
    }
    return {};
  }
  if (key == "disconnect" || key == "lag" || key == "skew") {
    const auto length = duration(key, value);
    if (!length) return fail(length.error());
    (key == "lag" ? settings.lag : key == "skew" ? settings.skew : settings.disconnect) = *length;
    return {};
  }
  const auto* name = std::ranges::find(names, key);
  if (name == names.end()) {
    return fail(ErrorKind::misconfigured,
                "faults: unknown key \"{}\" (one of {} disconnect lag skew vanish outage blackout "
                "jump retry weight seed none)",
                key.substr(0, 40), fmt::join(names, " "));
  }
  const auto share = chance(key, value);
  if (!share) return fail(share.error());
  settings.chance[static_cast<std::size_t>(name - names.begin())] = *share;
  return {};
}

Result<void> set_from_json(FaultSettings& settings, std::string_view text) {
  json::Reader reader;
  Result<void> outcome;
  const auto read = reader.read(text, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      const std::string name(key);
      const auto one = [&](json::Value item) {
        const bool is_flag = item.type() == json::Type::boolean;
        const std::string words = is_flag ? (item.boolean() ? "1" : "0") : std::string(item.raw());
        if (outcome) outcome = set(settings, name, words);
      };
      if (value.type() == json::Type::array) {
        value.elements(one);
      } else {
        one(value);
      }
    });
  });
  if (!read) return fail(ErrorKind::misconfigured, "faults: {}", read.error().message);
  return outcome;
}

// Puts back what had begun before, and refuses what would have begun before.
template <class Event>
Result<void> keep_history(std::string_view key, const std::vector<Event>& before,
                          std::vector<Event>& changed, Duration since_start) {
  const auto has_begun = [&](const Event& event) { return event.start < since_start; };
  for (const auto& event : changed) {
    if (has_begun(event) && std::ranges::find(before, event) == before.end()) {
      return fail(ErrorKind::misconfigured, "faults: {} would begin in the past", key);
    }
  }
  for (const auto& event : before) {
    if (has_begun(event) && std::ranges::find(changed, event) == changed.end()) {
      changed.push_back(event);
    }
  }
  return {};
}

}  // namespace

Result<void> Faults::change(std::string_view text, Duration since_start) {
  FaultSettings changed = settings_;
  const auto trimmed = text.substr(std::min(text.size(), text.find_first_not_of(" \r\n\t")));
  if (trimmed.starts_with('{')) {
    auto outcome = set_from_json(changed, trimmed);
    if (!outcome) return outcome;
  } else {
    std::string_view rest = trimmed.substr(0, trimmed.find_last_not_of(" \r\n\t") + 1);
    while (!rest.empty()) {
      const auto comma = rest.find(',');
      const auto item = rest.substr(0, comma);
      rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
      const auto equals = item.find('=');
      const auto value = equals == std::string_view::npos ? "" : item.substr(equals + 1);
      auto outcome = set(changed, item.substr(0, equals), value);
      if (!outcome) return outcome;
    }
  }
  auto kept = keep_history("blackout", settings_.blackouts, changed.blackouts, since_start);
  if (kept) kept = keep_history("jump", settings_.jumps, changed.jumps, since_start);
  if (!kept) return kept;
  settings_ = std::move(changed);
  return {};
}

double Faults::draw(std::string_view what, std::uint64_t who, std::uint64_t which) const {
  return fraction(mix(mix(settings_.seed, hash_text(what)), who, which));
}

bool Faults::happens(Fault fault, std::uint64_t who, std::uint64_t which) {
  const auto index = static_cast<std::size_t>(fault);
  const double probability = settings_.chance[index];
  if (probability <= 0.0 || draw(names[index], who, which) >= probability) return false;
  ++counts_[index];
  return true;
}

bool Faults::has_vanished(std::string_view exchange_symbol) const {
  return std::ranges::find(settings_.vanished, exchange_symbol) != settings_.vanished.end();
}

bool Faults::in_outage(Duration since_start) const {
  return std::ranges::any_of(settings_.outages, [&](const Outage& outage) {
    return since_start >= outage.start && since_start < outage.start + outage.length;
  });
}

std::string Faults::settings_json() const {
  const auto ms = [](Duration length) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(length).count();
  };
  std::string out;
  json::Members members(out);
  for (std::size_t i = 0; i < fault_kinds; ++i) {
    if (settings_.chance[i] > 0.0) members(names[i], settings_.chance[i]);
  }
  if (settings_.delay.count() != 0) members("delay_ms", ms(settings_.delay));
  if (settings_.disconnect.count() != 0) members("disconnect_ms", ms(settings_.disconnect));
  if (settings_.lag.count() != 0) members("lag_ms", ms(settings_.lag));
  if (settings_.skew.count() != 0) members("skew_ms", ms(settings_.skew));
  if (settings_.unfinal.count() != 0) members("unfinal_ms", ms(settings_.unfinal));
  if (!settings_.vanished.empty()) {
    members("vanish", fmt::format("{}", fmt::join(settings_.vanished, "+")));
  }
  if (!settings_.outages.empty()) members("outages", settings_.outages.size());
  if (!settings_.blackouts.empty()) members("blackouts", settings_.blackouts.size());
  if (!settings_.jumps.empty()) members("jumps", settings_.jumps.size());
  members.optional("weight", settings_.weight_per_minute);
  members("retry", settings_.retry_after_seconds)("seed", settings_.seed);
  members.close();
  return out;
}

std::string Faults::counts_json() const {
  std::string out;
  json::Members members(out);
  for (std::size_t i = 0; i < fault_kinds; ++i) members(names[i], counts_[i]);
  members("disconnect", disconnects_)("outage", outage_refusals_);
  members.close();
  return out;
}

}  // namespace candlewick::simulator
