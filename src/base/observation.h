// What is worth telling is an observation: a kind out of a layer's closed list, and fields. Log
// lines and metrics both derive from it, so nothing is told twice and nothing is counted unseen.
//
//   inline constexpr ObservationKind gap_found{
//       .name = "gap_found", .level = Severity::warning,
//       .metric = "candlewick_pipeline_gaps_total", .help = "Holes found in a stream",
//       .labels = {"venue", "channel"}};
//   observer.observe(gap_found, {{"venue", venue.name}, {"channel", "book"}, {"sequence", 17}});
//
// The keys of fields are a closed set, checked when compiled.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"
#include "base/result.h"

namespace candlewick {

class Metrics;

enum class Severity : unsigned char { debug, info, warning, error };
std::string_view to_text(Severity level);

// In the order in which a log line has them.
inline constexpr std::array<std::string_view, 14> field_keys{
    "venue", "channel", "instrument", "connection", "sink",    "batch",      "sequence",
    "stage", "rows",    "bytes",      "took_ms",    "attempt", "error_kind", "error"};
// Those whose values are few and known, so that they may label a metric.
inline constexpr std::array<std::string_view, 5> label_keys{"venue", "channel", "sink", "stage",
                                                            "error_kind"};

// Not constexpr on purpose: reaching it while compiling is the error message.
void not_in_the_closed_set_of_keys();

template <const auto& Allowed>
class KeyOf {
 public:
  constexpr KeyOf() = default;
  consteval KeyOf(const char* name)  // NOLINT(google-explicit-constructor): written as a literal
      : name_(name) {
    if (std::ranges::find(Allowed, name_) == Allowed.end()) not_in_the_closed_set_of_keys();
  }
  constexpr std::string_view name() const { return name_; }
  constexpr bool empty() const { return name_.empty(); }

 private:
  std::string_view name_;
};
using FieldKey = KeyOf<field_keys>;
using LabelKey = KeyOf<label_keys>;

struct Field {
  FieldKey key;
  std::variant<std::string_view, std::int64_t, double> value;  // text need live only for the call

  template <class Text>
    requires std::convertible_to<const Text&, std::string_view>
  constexpr Field(FieldKey k, const Text& text) : key(k), value(std::string_view(text)) {}
  template <std::integral Integer>
  constexpr Field(FieldKey k, Integer number) : key(k), value(static_cast<std::int64_t>(number)) {}
  constexpr Field(FieldKey k, double number) : key(k), value(number) {}
};

struct ObservationKind {
  std::string_view name;
  Severity level = Severity::info;
  // The counter that it adds to; empty when it is only told.
  std::string_view metric = {};
  std::string_view help = {};
  // Fields that become the counter's labels; one that a report lacks is the empty string.
  std::array<LabelKey, 3> labels = {};
  // The field whose number is added instead of 1, such as "rows".
  FieldKey amount = {};
};

// May be called from any thread.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void observe(const ObservationKind& kind, std::span<const Field> fields) = 0;
  void observe(const ObservationKind& kind, std::initializer_list<Field> fields = {}) {
    observe(kind, std::span<const Field>(fields.begin(), fields.size()));
  }
};

// JSON lines: time, level, event, then the fields in their order. A warning or an error of the same
// kind and labels repeats at most once in ten seconds; what was held back is told as "repeats".
class LogObserver final : public Observer {
 public:
  struct Options {
    Severity level = Severity::info;  // less is not written
    // Never written, wherever they turn up; each is replaced by stars. Short ones (under four
    // characters) are left out: they would mask ordinary words.
    std::vector<std::string> secrets = {};
  };
  // Whole lines with their line break, one call each, under the observer's lock.
  using Write = void (*)(void* context, std::string_view line);

  // Writes to standard error.
  LogObserver(const Clock& clock, Options options);
  LogObserver(const Clock& clock, Options options, Write write, void* context);
  ~LogObserver() override;

  using Observer::observe;
  void observe(const ObservationKind& kind, std::span<const Field> fields) override;
  // Tells the repeats that are still held back; for the end of a program.
  void flush();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Adds to each kind's counter.
class MetricsObserver final : public Observer {
 public:
  explicit MetricsObserver(Metrics& metrics) : metrics_(metrics) {}
  using Observer::observe;
  void observe(const ObservationKind& kind, std::span<const Field> fields) override;

 private:
  Metrics& metrics_;
};

// Hands every observation to each of them in turn.
class TeeObserver final : public Observer {
 public:
  explicit TeeObserver(std::vector<Observer*> observers) : observers_(std::move(observers)) {}
  using Observer::observe;
  void observe(const ObservationKind& kind, std::span<const Field> fields) override;

 private:
  std::vector<Observer*> observers_;
};

// Tells nobody.
class NullObserver final : public Observer {
 public:
  using Observer::observe;
  void observe(const ObservationKind&, std::span<const Field>) override {}
};

// Keeps what it is told, for tests: "gap_found venue=binance sequence=17".
class RecordingObserver final : public Observer {
 public:
  using Observer::observe;
  void observe(const ObservationKind& kind, std::span<const Field> fields) override;
  std::vector<std::string> lines() const;
  // How many observations of that name came.
  std::size_t count(std::string_view name) const;

 private:
  Guarded<std::vector<std::string>> lines_;
};

}  // namespace candlewick
