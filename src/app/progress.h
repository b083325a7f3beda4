// One line on standard error that tells how far long work is, painted over itself. Only on a
// terminal: scripts and log files never see it. What else is written there meanwhile goes through
// write_above(), so that neither cuts the other.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/guarded.h"

namespace candlewick::app {

struct ProgressFacts {
  std::string_view task;  // "backfill"
  std::string_view unit;  // of what is counted: "requests"
  std::uint64_t done = 0;
  std::optional<std::uint64_t> all;
  std::string_view note;  // empty: none
  Duration elapsed{};     // since nothing was done
};
// At most `width` columns: "backfill  [####....]  40% 4/10 requests, 2.1/s, 3 s left, 4000
// candles". What is not known is left out, and parts give way, the bar first, where the line is
// short.
std::string progress_line(const ProgressFacts& facts, std::size_t width);

// "12 s", "3 min 20 s", "2 h 5 min".
std::string duration_text(Duration duration);
// "950", "12.3k", "4.56M": three digits are enough for a rate.
std::string short_number(double number);

// Any thread. Nothing is shown before the first update, and nothing is left when it ends.
class Progress {
 public:
  // `is_shown`: on_terminal(), or less.
  Progress(const Clock& clock, bool is_shown) : clock_(clock), is_shown_(is_shown) {}
  ~Progress() { finish(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Standard error is a terminal that can paint over a line.
  static bool on_terminal();

  // Work begins, or work of another kind: counts and times start anew.
  void begin(std::string task, std::string unit, std::optional<std::uint64_t> all = std::nullopt);
  // Painted at most ten times a second, and when all is done.
  void update(std::uint64_t count, std::string note = {});
  // Clears the line.
  void finish();
  // Whole lines with their line break; the progress is painted again below them.
  void write_above(std::string_view lines);

 private:
  struct State {
    std::string task;
    std::string unit;
    std::string note;
    std::uint64_t done = 0;
    std::optional<std::uint64_t> all;
    std::optional<SteadyTime> began;
    std::optional<SteadyTime> painted;
    bool is_on_screen = false;
  };
  void paint(State& state) const;

  const Clock& clock_;
  const bool is_shown_;
  Guarded<State> state_;
};

}  // namespace candlewick::app
