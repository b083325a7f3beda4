// What each panel has in its columns, and what of it is worth a colour.
#include "app/top_grid.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "app/progress.h"
#include "app/table.h"

namespace candlewick::app {
namespace {

constexpr double unknown = -std::numeric_limits<double>::infinity();
constexpr std::string_view none = "–";

Cell words(std::string_view text, Tone tone = Tone::plain) {
  return {.text = printable(text), .tone = tone};
}
Cell count(std::int64_t number, Tone tone = Tone::plain) {
  return {.text = fmt::format("{}", number), .rank = static_cast<double>(number), .tone = tone};
}
// Zero is well, anything else is bad.
Cell loss(std::optional<std::int64_t> number) {
  if (!number) return {.text = std::string(none), .rank = unknown};
  return count(*number, *number == 0 ? Tone::plain : Tone::bad);
}
Cell rate(std::optional<double> number) {
  if (!number) return {.text = std::string(none), .rank = unknown};
  return {.text = short_number(*number), .rank = *number};
}

// "0.4 s", "12 s", "3 min 20 s"
Cell age(std::optional<std::int64_t> ms, std::int64_t tolerated_ms) {
  if (!ms) return {.text = std::string(none), .rank = unknown};
  const Duration duration = std::chrono::milliseconds{*ms};
  return {.text = *ms < 10'000 ? fmt::format("{:.1f} s", static_cast<double>(*ms) / 1000)
                               : duration_text(duration),
          .rank = static_cast<double>(*ms),
          .tone = *ms > tolerated_ms ? Tone::warning : Tone::plain};
}

Cell price(const std::optional<Decimal>& value) {
  if (!value) return {.text = std::string(none), .rank = unknown};
  return {.text = value->to_string(), .rank = value->to_double()};
}

Cell change(std::optional<double> percent) {
  if (!percent) return {.text = std::string(none), .rank = unknown};
  const Tone tone = *percent > 0 ? Tone::good : *percent < 0 ? Tone::bad : Tone::plain;
  return {.text = fmt::format("{:+.2f}%", *percent), .rank = *percent, .tone = tone};
}

Cell spread(const TopInstrument& instrument) {
  if (!instrument.bid || !instrument.ask) return {.text = std::string(none), .rank = unknown};
  const auto difference = Decimal::subtract(*instrument.ask, *instrument.bid);
  if (!difference) return {.text = std::string(none), .rank = unknown};
  const double middle = (instrument.ask->to_double() + instrument.bid->to_double()) / 2;
  // In hundredths of a percent of the price, which compare between instruments.
  const double points = middle > 0 ? difference->to_double() / middle * 1e4 : 0;
  return {.text = fmt::format("{} ({:.2f} bp)", difference->to_string(), points), .rank = points};
}

Cell moment(const std::optional<Time>& time) {
  if (!time) return {.text = std::string(none), .rank = unknown};
  const std::string text = to_rfc3339(std::chrono::floor<std::chrono::seconds>(*time));
  return {.text = text.substr(0, 10) + " " + text.substr(11, 5),
          .rank = static_cast<double>(to_ms(*time))};
}

Cell state_of(const TopFeed& feed) {
  if (feed.is_paused) return words("paused", Tone::warning);
  if (!feed.is_connected) {
    return words(fmt::format("down {}/{}", feed.live_sessions, feed.sessions), Tone::bad);
  }
  return words(fmt::format("live {}/{}", feed.live_sessions, feed.sessions), Tone::good);
}

Grid feeds_of(const TopState& state) {
  constexpr std::int64_t silent_ms = 30'000;
  Grid grid{.headings = {{"venue"},
                         {"state"},
                         {"age", true},
                         {"msgs/s", true},
                         {"messages", true},
                         {"gaps", true},
                         {"missing", true},
                         {"reconnects", true},
                         {"last error"}}};
  for (const auto& feed : state.feeds) {
    grid.rows.push_back({words(feed.venue), state_of(feed), age(feed.age_ms, silent_ms),
                         rate(feed.frames_per_second), count(feed.frames), loss(feed.gaps),
                         loss(feed.missing), count(feed.reconnects),
                         words(feed.last_error, Tone::warning)});
  }
  return grid;
}

Grid instruments_of(const TopState& state) {
  constexpr std::int64_t silent_ms = 60'000;
  Grid grid{.headings = {{"exchange"},
                         {"symbol"},
                         {"last", true},
                         {"24h", true},
                         {"spread", true},
                         {"age", true},
                         {"newest candle", true},
                         {""}}};
  for (const auto& one : state.instruments) {
    grid.rows.push_back({words(one.exchange), words(one.symbol, Tone::strong),
                         price(one.last_price), change(one.change_pct_24h), spread(one),
                         age(one.age_ms, silent_ms), moment(one.newest_candle),
                         words(one.is_stale ? "stale" : "", Tone::warning)});
  }
  return grid;
}

Grid sinks_of(const TopState& state) {
  constexpr double late_seconds = 60;
  Grid grid{.headings = {{"sink"},
                         {"state"},
                         {"lag rows", true},
                         {"lag", true},
                         {"rows/s", true},
                         {"errors", true},
                         {"dead letters", true},
                         {"dropped", true},
                         {"last error"}}};
  for (const auto& sink : state.sinks) {
    const auto lag_ms = static_cast<std::int64_t>(std::min(sink.lag_seconds, 1e12) * 1000);
    grid.rows.push_back(
        {words(sink.name), words(sink.state, tone_of_state(sink.state)), count(sink.lag_rows),
         age(lag_ms, static_cast<std::int64_t>(late_seconds * 1000)), rate(sink.rows_per_second),
         count(sink.errors, sink.errors == 0 ? Tone::plain : Tone::warning),
         loss(sink.dead_letters), loss(sink.dropped_rows), words(sink.last_error, Tone::warning)});
  }
  return grid;
}

Grid coverage_of(const TopState& state) {
  constexpr std::array<std::string_view, 7> states{
      "live", "backfilled", "confirmed_empty", "missing", "halted", "not_listed", "unrecoverable"};
  Grid grid{.headings = {{"exchange"},
                         {"symbol"},
                         {"timeframe"},
                         {"known", true},
                         {"live", true},
                         {"backfilled", true},
                         {"empty", true},
                         {"missing", true},
                         {"halted", true},
                         {"not listed", true},
                         {"unrecoverable", true}}};
  for (const auto& series : state.coverage) {
    std::int64_t all = 0;
    std::int64_t missing = 0;
    for (const auto& [name, minutes] : series.minutes) {
      all += minutes;
      if (name == "missing" || name == "unrecoverable") missing += minutes;
    }
    const double share =
        all == 0 ? 0 : 100.0 * static_cast<double>(all - missing) / static_cast<double>(all);
    std::vector<Cell> row{words(series.exchange), words(series.symbol, Tone::strong),
                          words(series.timeframe)};
    // Rounded down: a hundred percent has no hole.
    row.push_back({.text = all == 0 ? std::string(none)
                                    : fmt::format("{:.2f}%", std::floor(share * 100) / 100),
                   .rank = all == 0 ? unknown : share,
                   .tone = missing == 0 ? Tone::good : Tone::warning});
    for (const auto name : states) {
      const auto found = series.minutes.find(std::string(name));
      const std::int64_t minutes = found == series.minutes.end() ? 0 : found->second;
      const bool is_bad = minutes != 0 && (name == "missing" || name == "unrecoverable");
      row.push_back(count(minutes, is_bad ? Tone::bad : Tone::plain));
    }
    grid.rows.push_back(std::move(row));
  }
  return grid;
}

char folded(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool contains_folded(std::string_view text, std::string_view part) {
  return std::ranges::search(text, part, {}, folded, folded).begin() != text.end() || part.empty();
}

}  // namespace

Grid grid_of(const TopState& state, TopPanel panel) {
  Grid grid;
  switch (panel) {
    case TopPanel::feeds:
      grid = feeds_of(state);
      break;
    case TopPanel::instruments:
      grid = instruments_of(state);
      break;
    case TopPanel::sinks:
      grid = sinks_of(state);
      break;
    case TopPanel::coverage:
      grid = coverage_of(state);
      break;
  }
  for (std::size_t i = 0; i < grid.rows.size(); ++i) grid.positions.push_back(i);
  return grid;
}

void keep_matching(Grid& grid, const std::string& filter) {
  if (filter.empty()) return;
  Grid kept{.headings = grid.headings};
  for (std::size_t i = 0; i < grid.rows.size(); ++i) {
    bool matches = false;
    for (std::size_t column = 0; column < grid.headings.size(); ++column) {
      matches = matches || (!grid.headings[column].is_number &&
                            contains_folded(grid.rows[i][column].text, filter));
    }
    if (!matches) continue;
    kept.rows.push_back(std::move(grid.rows[i]));
    kept.positions.push_back(grid.positions[i]);
  }
  grid = std::move(kept);
}

void sort(Grid& grid, const TopOrder& order) {
  if (order.column == 0 || order.column > grid.headings.size()) return;
  const std::size_t column = order.column - 1;
  const bool is_number = grid.headings[column].is_number;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < grid.rows.size(); ++i) places.push_back(i);
  const auto is_before = [&](std::size_t left, std::size_t right) {
    const auto& a = grid.rows[left][column];
    const auto& b = grid.rows[right][column];
    if (is_number) return order.is_reversed ? a.rank < b.rank : a.rank > b.rank;
    return order.is_reversed ? a.text > b.text : a.text < b.text;
  };
  std::ranges::stable_sort(places, is_before);
  Grid sorted{.headings = grid.headings};
  for (const auto place : places) {
    sorted.rows.push_back(std::move(grid.rows[place]));
    sorted.positions.push_back(grid.positions[place]);
  }
  grid = std::move(sorted);
}

}  // namespace candlewick::app
