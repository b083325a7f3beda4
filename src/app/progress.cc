// The formatter is a plain function; the rest is where and when it is painted.
#include "app/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "app/terminal_text.h"

namespace candlewick::app {
namespace {

using namespace std::chrono_literals;

constexpr Duration between_paints = 100ms;
constexpr std::size_t widest_bar = 30;
constexpr std::size_t narrowest_bar = 8;
// A rate over less is a guess.
constexpr Duration least_time = 500ms;

void write_all(std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written <= 0) return;  // nobody sees it then
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::size_t width_of_terminal() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

std::string bar_of(double share, std::size_t columns) {
  const auto filled =
      std::min(columns, static_cast<std::size_t>(std::floor(share * static_cast<double>(columns))));
  return fmt::format("[{}{}]", std::string(filled, '#'), std::string(columns - filled, '.'));
}

}  // namespace

std::string duration_text(Duration duration) {
  const auto seconds =
      std::max<std::int64_t>(0, std::chrono::round<std::chrono::seconds>(duration).count());
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) {
    return seconds % 60 == 0 ? fmt::format("{} min", seconds / 60)
                             : fmt::format("{} min {} s", seconds / 60, seconds % 60);
  }
  const auto minutes = seconds / 60;
  if (minutes < 48 * 60) {
    return minutes % 60 == 0 ? fmt::format("{} h", minutes / 60)
                             : fmt::format("{} h {} min", minutes / 60, minutes % 60);
  }
  return fmt::format("{} d {} h", minutes / 1440, minutes % 1440 / 60);
}

std::string short_number(double number) {
  constexpr std::array<std::string_view, 5> units{"", "k", "M", "G", "T"};
  if (!std::isfinite(number)) return "–";
  std::size_t unit = 0;
  // What would be rounded up to a thousand is of the next unit.
  while (std::abs(number) >= 999.5 && unit + 1 < units.size()) {
    number /= 1000;
    ++unit;
  }
  const double size = std::abs(number);
  if (unit == 0 && number == std::floor(number)) return fmt::format("{:.0f}", number);
  const int digits = size < 9.995 ? 2 : size < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f}{}", number, digits, units.at(unit));
}

std::string progress_line(const ProgressFacts& facts, std::size_t width) {
  const std::string head = printable(facts.task);
  const double seconds = std::chrono::duration<double>(facts.elapsed).count();
  const double rate = seconds > 0 ? static_cast<double>(facts.done) / seconds : 0;
  const bool has_rate = facts.done > 0 && facts.elapsed >= least_time;
  std::vector<std::string> parts;
  std::string count = facts.all ? fmt::format("{}/{} {}", facts.done, *facts.all, facts.unit)
                                : fmt::format("{} {}", facts.done, facts.unit);
  double share = 0;
  if (facts.all) {
    share = *facts.all == 0
                ? 1.0
                : std::min(1.0, static_cast<double>(facts.done) / static_cast<double>(*facts.all));
    count = fmt::format("{:3.0f}% ", std::floor(share * 100)) + count;
  }
  parts.push_back(std::move(count));
  if (has_rate) parts.push_back(short_number(rate) + "/s");
  if (has_rate && facts.all && facts.done < *facts.all) {
    const double left = static_cast<double>(*facts.all - facts.done) / rate;
    // A guess of weeks is no help, and need not fit into a Duration.
    if (left < 30.0 * 86'400) {
      parts.push_back(duration_text(Duration{static_cast<std::int64_t>(left * 1e9)}) + " left");
    }
  }
  if (!facts.note.empty()) parts.push_back(printable(facts.note));
  std::string tail;
  for (const auto& part : parts) tail += (tail.empty() ? "" : ", ") + part;
  const std::size_t without_bar = width_of(head) + 2 + width_of(tail);
  // Brackets, and the gap behind them.
  constexpr std::size_t around_bar = 4;
  if (facts.all && without_bar + around_bar + narrowest_bar <= width) {
    const auto columns = std::min(widest_bar, width - without_bar - around_bar);
    return fmt::format("{}  {}  {}", head, bar_of(share, columns), tail);
  }
  return shortened(head + "  " + tail, width);
}

bool Progress::on_terminal() {
  return is_capable_terminal(STDERR_FILENO);
}

void Progress::begin(std::string task, std::string unit, std::optional<std::uint64_t> all) {
  state_.with([&](State& state) {
    const bool is_on_screen = state.is_on_screen;
    state = {.task = std::move(task),
             .unit = std::move(unit),
             .all = all,
             .began = clock_.steady(),
             .is_on_screen = is_on_screen};
  });
}

void Progress::update(std::uint64_t count, std::string note) {
  if (!is_shown_) return;
  state_.with([&](State& state) {
    const auto now = clock_.steady();
    if (!state.began) state.began = now;
    state.done = count;
    state.note = std::move(note);
    const bool is_due = !state.painted || now - *state.painted >= between_paints;
    if (!is_due && (!state.all || count < *state.all)) return;
    state.painted = now;
    paint(state);
  });
}

void Progress::finish() {
  state_.with([](State& state) {
    if (state.is_on_screen) write_all("\r\033[K");
    state.is_on_screen = false;
  });
}

void Progress::write_above(std::string_view lines) {
  state_.with([&](State& state) {
    if (!state.is_on_screen) return write_all(lines);
    write_all("\r\033[K" + std::string(lines));
    paint(state);
  });
}

// One column stays free: a cursor behind the last one may wrap.
void Progress::paint(State& state) const {
  const auto width = width_of_terminal();
  const std::string line = progress_line({.task = state.task,
                                          .unit = state.unit,
                                          .done = state.done,
                                          .all = state.all,
                                          .note = state.note,
                                          .elapsed = clock_.steady() - *state.began},
                                         width - 1);
  write_all("\r" + line + "\033[K");
  state.is_on_screen = true;
}

}  // namespace candlewick::app
