// Observers: log lines, metrics, and those that pass on or keep.
#include "base/observation.h"

#include <cerrno>
#include <map>

#include <fmt/format.h>
#include <unistd.h>

#include "base/check.h"
#include "base/json_text.h"
#include "base/metrics.h"

namespace candlewick {
namespace {

constexpr Duration quiet_time = std::chrono::seconds{10};
constexpr std::size_t max_remembered = 1000;
constexpr std::size_t min_secret_length = 4;

const Field* find(std::span<const Field> fields, std::string_view key) {
  const auto found =
      std::ranges::find(fields, key, [](const Field& field) { return field.key.name(); });
  return found == fields.end() ? nullptr : std::to_address(found);
}

std::string value_text(const Field* field) {
  if (field == nullptr) return "";
  return std::visit([](const auto& value) { return fmt::format("{}", value); }, field->value);
}

void write_to_stderr(void*, std::string_view line) {
  while (!line.empty()) {
    const auto written = ::write(STDERR_FILENO, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // nobody reads the log: there is nobody to tell
    line.remove_prefix(static_cast<std::size_t>(written));
  }
}

// The same kind with the same labels is the same trouble, whatever the message says.
std::string identity(const ObservationKind& kind, std::span<const Field> fields) {
  std::string text(kind.name);
  for (const auto key : label_keys) {
    text += '\0';
    text += value_text(find(fields, key));
  }
  return text;
}

}  // namespace

void not_in_the_closed_set_of_keys() {
  check(false, "a field's key is one of field_keys");
}

std::string_view to_text(Severity level) {
  switch (level) {
    case Severity::debug:
      return "debug";
    case Severity::info:
      return "info";
    case Severity::warning:
      return "warning";
    case Severity::error:
      return "error";
  }
  std::unreachable();
}

struct LogObserver::State {
  // An error that was told lately; `fields` is the text of the last one held back.
  struct Told {
    SteadyTime at{};
    std::uint64_t repeats = 0;
    const ObservationKind* kind = nullptr;
    std::string fields;
  };
  struct Shared {
    std::map<std::string, Told, std::less<>> told;
    SteadyTime next_sweep{};
  };

  const Clock& clock;
  Options options;
  Write write;
  void* context;
  Guarded<Shared> shared{};

  std::string redacted(std::string_view text) const {
    std::string out(text);
    for (const auto& secret : options.secrets) {
      for (auto at = out.find(secret); at != std::string::npos; at = out.find(secret, at + 3)) {
        out.replace(at, secret.size(), "***");
      }
    }
    return out;
  }

  std::string fields_text(std::span<const Field> fields) const {
    std::string out;
    for (const auto key : field_keys) {
      const Field* field = find(fields, key);
      if (field == nullptr) continue;
      out += fmt::format(",\"{}\":", key);
      if (const auto* text = std::get_if<std::string_view>(&field->value)) {
        json::append_string(out, redacted(*text));
      } else if (const auto* integer = std::get_if<std::int64_t>(&field->value)) {
        json::append(out, *integer);
      } else {
        json::append(out, std::get<double>(field->value));
      }
    }
    return out;
  }

  void write_line(const ObservationKind& kind, std::string_view fields, std::uint64_t repeats) {
    std::string line = "{\"time\":";
    json::append(line, clock.now());
    line += fmt::format(",\"level\":\"{}\",\"event\":\"{}\"", to_text(kind.level), kind.name);
    line += fields;
    if (repeats != 0) line += fmt::format(",\"repeats\":{}", repeats);
    line += "}\n";
    write(context, line);
  }

  // Tells what was held back for long enough, and forgets what did not come again.
  void sweep(Shared& state, SteadyTime now, bool all) {
    for (auto entry = state.told.begin(); entry != state.told.end();) {
      Told& told = entry->second;
      if (!all && now - told.at < quiet_time) {
        ++entry;
      } else if (told.repeats != 0) {
        write_line(*told.kind, told.fields, told.repeats);
        told.repeats = 0;
        told.at = now;
        ++entry;
      } else {
        entry = state.told.erase(entry);
      }
    }
    if (all) state.told.clear();
    state.next_sweep = now + quiet_time;
  }

  void tell(Shared& state, const ObservationKind& kind, std::span<const Field> fields) {
    const auto now = clock.steady();
    if (now >= state.next_sweep || state.told.size() >= max_remembered) {
      sweep(state, now, state.told.size() >= max_remembered);
    }
    if (kind.level < Severity::warning) return write_line(kind, fields_text(fields), 0);
    const auto [entry, is_new] = state.told.try_emplace(identity(kind, fields));
    Told& told = entry->second;
    if (!is_new && now - told.at < quiet_time) {
      ++told.repeats;
      told.kind = &kind;
      told.fields = fields_text(fields);
      return;
    }
    write_line(kind, fields_text(fields), told.repeats);
    told.at = now;
    told.repeats = 0;
  }
};

LogObserver::LogObserver(const Clock& clock, Options options)
    : LogObserver(clock, std::move(options), write_to_stderr, nullptr) {}

LogObserver::LogObserver(const Clock& clock, Options options, Write write, void* context)
    : state_(new State{clock, std::move(options), write, context}) {
  auto& secrets = state_->options.secrets;
  std::erase_if(secrets, [](const auto& secret) { return secret.size() < min_secret_length; });
  // A secret within another must not break the longer one up.
  std::ranges::sort(secrets, std::greater{}, [](const auto& secret) { return secret.size(); });
}

LogObserver::~LogObserver() = default;

void LogObserver::observe(const ObservationKind& kind, std::span<const Field> fields) {
  if (kind.level < state_->options.level) return;
  state_->shared.with([&](auto& shared) { state_->tell(shared, kind, fields); });
}

void LogObserver::flush() {
  state_->shared.with([&](auto& shared) { state_->sweep(shared, state_->clock.steady(), true); });
}

void MetricsObserver::observe(const ObservationKind& kind, std::span<const Field> fields) {
  if (kind.metric.empty()) return;
  Labels labels;
  for (const auto label : kind.labels) {
    if (label.empty()) continue;
    labels.emplace(label.name(), value_text(find(fields, label.name())));
  }
  double amount = 1;
  if (!kind.amount.empty()) {
    const Field* field = find(fields, kind.amount.name());
    amount = 0;
    if (field != nullptr && std::holds_alternative<std::int64_t>(field->value)) {
      amount = static_cast<double>(std::get<std::int64_t>(field->value));
    } else if (field != nullptr && std::holds_alternative<double>(field->value)) {
      amount = std::get<double>(field->value);
    }
  }
  metrics_.counter(std::string(kind.metric), std::string(kind.help), labels).add(amount);
}

void TeeObserver::observe(const ObservationKind& kind, std::span<const Field> fields) {
  for (auto* observer : observers_) observer->observe(kind, fields);
}

void RecordingObserver::observe(const ObservationKind& kind, std::span<const Field> fields) {
  std::string line(kind.name);
  for (const auto& field : fields) {
    line += fmt::format(" {}={}", field.key.name(), value_text(&field));
  }
  lines_.with([&](auto& lines) { lines.push_back(std::move(line)); });
}

std::vector<std::string> RecordingObserver::lines() const {
  return lines_.with([](const auto& lines) { return lines; });
}

std::size_t RecordingObserver::count(std::string_view name) const {
  return lines_.with([&](const auto& lines) {
    return static_cast<std::size_t>(std::ranges::count_if(
        lines, [&](const std::string& line) { return line.substr(0, line.find(' ')) == name; }));
  });
}

}  // namespace candlewick
