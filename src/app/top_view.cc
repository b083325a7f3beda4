// A panel is a grid: headings, and rows of cells that know how they are sorted.
#include "app/top_view.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include <fmt/format.h>

#include "app/progress.h"
#include "app/table.h"

namespace candlewick::app {
namespace {

constexpr double unknown = -std::numeric_limits<double>::infinity();
constexpr std::string_view none = "–";

struct Cell {
  std::string text;
  double rank = 0;  // of a column of numbers
  Tone tone = Tone::plain;
};
struct Heading {
  std::string_view title;
  bool is_number = false;
};
struct Grid {
  std::vector<Heading> headings;
  std::vector<std::vector<Cell>> rows;
  std::vector<std::size_t> positions;  // of the rows, in the state
};

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
  return {.text = fmt::format("{} ({:.1f} bp)", difference->to_string(), points), .rank = points};
}

Cell moment(const std::optional<Time>& time) {
  if (!time) return {.text = std::string(none), .rank = unknown};
  std::string text = to_rfc3339(std::chrono::floor<std::chrono::seconds>(*time));
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
  grid.positions.resize(grid.rows.size());
  std::iota(grid.positions.begin(), grid.positions.end(), std::size_t{0});
  return grid;
}

char folded(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool contains_folded(std::string_view text, std::string_view part) {
  return std::ranges::search(text, part, {}, folded, folded).begin() != text.end() || part.empty();
}

// Rows in which some cell of words contains the filter.
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

// Numbers from the largest, words from A.
void sort(Grid& grid, const TopView::Order& order) {
  if (order.column == 0 || order.column > grid.headings.size()) return;
  const std::size_t column = order.column - 1;
  const bool is_number = grid.headings[column].is_number;
  std::vector<std::size_t> places(grid.rows.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
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

// A line of parts, each with its tone, cut at the width.
class LineBuilder {
 public:
  LineBuilder(std::size_t width, bool colour) : left_(width), colour_(colour) {}
  void add(std::string_view text, Tone tone = Tone::plain) {
    const std::string shown = shortened(text, left_);
    left_ -= width_of(shown);
    out_ += toned(shown, tone, colour_);
  }
  std::string take() { return std::move(out_); }

 private:
  std::size_t left_;
  bool colour_;
  std::string out_;
};

std::vector<std::size_t> widths_of(const Grid& grid) {
  std::vector<std::size_t> widths;
  for (std::size_t column = 0; column < grid.headings.size(); ++column) {
    // Room for the mark of the order.
    std::size_t width = width_of(grid.headings[column].title) + 1;
    for (const auto& row : grid.rows) width = std::max(width, width_of(row[column].text));
    widths.push_back(width);
  }
  return widths;
}

std::string heading_line(const Grid& grid, const std::vector<std::size_t>& widths,
                         const TopView::Order& order, std::size_t width, bool colour) {
  std::string text;
  for (std::size_t column = 0; column < grid.headings.size(); ++column) {
    const auto& heading = grid.headings[column];
    std::string title(heading.title);
    if (order.column == column + 1) title += heading.is_number != order.is_reversed ? "↓" : "↑";
    if (column != 0) text += " ";
    text += fitted(title, widths[column], heading.is_number ? Side::right : Side::left);
  }
  return toned(fitted(text, width), Tone::reversed, colour);
}

std::string row_line(const Grid& grid, std::size_t row, const std::vector<std::size_t>& widths,
                     std::size_t width, bool colour) {
  LineBuilder line(width, colour);
  for (std::size_t column = 0; column < grid.headings.size(); ++column) {
    const auto& cell = grid.rows[row][column];
    const Side side = grid.headings[column].is_number ? Side::right : Side::left;
    const bool is_last = column + 1 == grid.headings.size();
    if (column != 0) line.add(" ");
    line.add(is_last && side == Side::left ? cell.text : fitted(cell.text, widths[column], side),
             cell.tone);
  }
  return line.take();
}

std::string bytes_text(std::int64_t bytes) {
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

std::string log_text(const std::optional<TopLog>& log) {
  if (!log) return "log –";
  std::string text = fmt::format("log {} rows, {}", log->last_sequence, bytes_text(log->bytes));
  if (log->budget_bytes > 0) text += " of " + bytes_text(log->budget_bytes);
  if (log->queued_rows > 0) text += fmt::format(", {} queued", log->queued_rows);
  if (log->is_failing) text += ", FAILING";
  return text;
}

Tone tone_of_status(const TopState& state) {
  if (!state.trouble.empty() || state.status == "down") return Tone::bad;
  return tone_of_state(state.status);
}

std::string title_line(const TopState& state, std::size_t width, bool colour) {
  LineBuilder line(width, colour);
  line.add("candlewick", Tone::strong);
  if (!state.version.empty()) line.add(" " + printable(state.version));
  line.add("  " + printable(state.url) + "  ");
  line.add(!state.trouble.empty() ? "not reached"
           : state.status.empty() ? "asking…"
                                  : printable(state.status),
           tone_of_status(state));
  if (state.time)
    line.add("  " + to_rfc3339(std::chrono::floor<std::chrono::seconds>(*state.time)), Tone::dim);
  return line.take();
}

std::string counts_line(const TopState& state, std::size_t width, bool colour) {
  const auto live = std::ranges::count_if(state.feeds, &TopFeed::is_connected);
  std::int64_t missing = 0;
  for (const auto& feed : state.feeds) missing += feed.missing.value_or(0);
  LineBuilder line(width, colour);
  line.add(log_text(state.log), state.log && state.log->is_failing ? Tone::bad : Tone::plain);
  line.add(fmt::format("   feeds {}/{}   instruments {}   sinks {}", live, state.feeds.size(),
                       state.instruments.size(), state.sinks.size()));
  if (!state.warehouse.empty()) line.add("   " + printable(state.warehouse));
  if (missing > 0) line.add(fmt::format("   {} candles missing", missing), Tone::bad);
  return line.take();
}

std::string trouble_line(const TopState& state, std::size_t width, bool colour) {
  LineBuilder line(width, colour);
  if (!state.trouble.empty()) {
    line.add(printable(state.trouble), Tone::bad);
  } else if (!state.problems.empty()) {
    line.add(printable(state.problems.front()), Tone::warning);
    if (state.problems.size() > 1) line.add(fmt::format(" (+{})", state.problems.size() - 1));
  }
  return line.take();
}

constexpr std::array<std::string_view, top_panels> panel_names{"feeds", "instruments", "sinks",
                                                               "coverage"};

std::string tabs_line(const TopView& view, std::size_t width, bool colour) {
  LineBuilder line(width, colour);
  for (std::size_t i = 0; i < panel_names.size(); ++i) {
    const bool is_chosen = static_cast<std::size_t>(view.panel) == i;
    // Chosen is seen without colour, too.
    line.add(is_chosen ? fmt::format("[{} {}]", i + 1, panel_names.at(i))
                       : fmt::format(" {} {} ", i + 1, panel_names.at(i)),
             is_chosen ? Tone::strong : Tone::dim);
    line.add(" ");
  }
  return line.take();
}

std::string keys_line(const TopView& view, const Grid& grid, std::size_t shown, std::size_t width,
                      bool colour) {
  LineBuilder line(width, colour);
  if (view.is_typing) {
    line.add("filter: " + printable(view.filter) + "_", Tone::strong);
    line.add("   enter keeps it, esc takes it away", Tone::dim);
    return line.take();
  }
  if (!grid.rows.empty())
    line.add(
        fmt::format("{}–{} of {}  ", view.first_row + 1, view.first_row + shown, grid.rows.size()));
  if (!view.filter.empty()) line.add("filter: " + printable(view.filter) + "  ", Tone::strong);
  line.add("q quit  tab panel  ↑↓ scroll  / filter  s sort  r reverse", Tone::dim);
  return line.take();
}

// Of the rows that are not there.
std::string_view reason_for_nothing(const TopState& state, const TopView& view) {
  if (!view.filter.empty()) return "nothing matches the filter";
  return state.status.empty() ? "" : "nothing yet";
}

}  // namespace

TopScreen top_screen(const TopState& state, TopView& view, std::size_t width, std::size_t height,
                     bool colour) {
  Grid grid = grid_of(state, view.panel);
  keep_matching(grid, view.filter);
  const auto& order = view.orders.at(static_cast<std::size_t>(view.panel));
  sort(grid, order);

  TopScreen screen;
  screen.lines = {title_line(state, width, colour), counts_line(state, width, colour),
                  trouble_line(state, width, colour), tabs_line(view, width, colour)};
  const auto widths = widths_of(grid);
  screen.lines.push_back(heading_line(grid, widths, order, width, colour));
  // Besides the lines above there is one below.
  const std::size_t taken = screen.lines.size() + 1;
  screen.page_rows = height > taken ? height - taken : 0;
  const std::size_t last_first = grid.rows.size() - std::min(grid.rows.size(), screen.page_rows);
  view.first_row = std::min(view.first_row, last_first);
  const std::size_t shown = std::min(screen.page_rows, grid.rows.size() - view.first_row);
  for (std::size_t i = 0; i < shown; ++i) {
    const std::size_t row = view.first_row + i;
    screen.lines.push_back(row_line(grid, row, widths, width, colour));
    if (view.panel == TopPanel::instruments) screen.instruments.push_back(grid.positions[row]);
  }
  if (grid.rows.empty() && screen.page_rows > 0)
    screen.lines.push_back(
        toned(shortened(reason_for_nothing(state, view), width), Tone::dim, colour));
  if (height >= taken) {
    screen.lines.resize(height - 1);
    screen.lines.push_back(keys_line(view, grid, shown, width, colour));
  } else {
    screen.lines.resize(height);
  }
  return screen;
}

std::string top_snapshot(const TopState& state, bool colour) {
  constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();
  std::string out = title_line(state, unlimited, colour) + "\n";
  out += counts_line(state, unlimited, colour) + "\n";
  if (!state.trouble.empty()) out += printable(state.trouble) + "\n";
  for (const auto& problem : state.problems) out += "! " + printable(problem) + "\n";
  for (std::size_t i = 0; i < top_panels; ++i) {
    const Grid grid = grid_of(state, static_cast<TopPanel>(i));
    out += "\n" + toned(panel_names.at(i), Tone::strong, colour) + "\n";
    const auto widths = widths_of(grid);
    const auto without_padding = [](std::string line) {
      line.erase(line.find_last_not_of(' ') + 1);
      return line + "\n";
    };
    std::string heading;
    for (std::size_t column = 0; column < grid.headings.size(); ++column) {
      const auto& [title, is_number] = grid.headings[column];
      heading += (column == 0 ? "" : " ") +
                 fitted(title, widths[column], is_number ? Side::right : Side::left);
    }
    out += without_padding(std::move(heading));
    for (std::size_t row = 0; row < grid.rows.size(); ++row)
      out += without_padding(row_line(grid, row, widths, unlimited, colour));
  }
  return out;
}

std::vector<KeyPress> take_keys(std::string& typed) {
  constexpr auto sequences = std::to_array<std::pair<std::string_view, Key>>({
      {"\033[A", Key::up},
      {"\033OA", Key::up},
      {"\033[B", Key::down},
      {"\033OB", Key::down},
      {"\033[5~", Key::page_up},
      {"\033[6~", Key::page_down},
      {"\033[H", Key::home},
      {"\033OH", Key::home},
      {"\033[1~", Key::home},
      {"\033[F", Key::end},
      {"\033OF", Key::end},
      {"\033[4~", Key::end},
      {"\033[Z", Key::back_tab},
  });
  std::vector<KeyPress> keys;
  std::string_view rest(typed);
  while (!rest.empty()) {
    const char c = rest.front();
    if (c == '\033' && rest.size() > 1 && (rest[1] == '[' || rest[1] == 'O')) {
      // Parameters, then one letter or "~".
      std::size_t end = 2;
      while (end < rest.size() && (rest[end] < '@' || rest[end] > '~')) ++end;
      constexpr std::size_t longest = 16;
      if (end == rest.size() && end < longest) break;
      const auto sequence = rest.substr(0, std::min(end + 1, rest.size()));
      const auto known =
          std::ranges::find(sequences, sequence, &std::pair<std::string_view, Key>::first);
      if (known != sequences.end()) keys.push_back({known->second, {}});
      rest.remove_prefix(sequence.size());
      continue;
    }
    std::size_t bytes = 1;
    if (c == '\033') {
      keys.push_back({Key::escape, {}});
    } else if (c == '\t') {
      keys.push_back({Key::tab, {}});
    } else if (c == '\r' || c == '\n') {
      keys.push_back({Key::enter, {}});
    } else if (c == '\x7F' || c == '\b') {
      keys.push_back({Key::backspace, {}});
    } else if (static_cast<unsigned char>(c) >= 0x20) {
      // The rest of a character of several bytes.
      while (bytes < rest.size() && (static_cast<unsigned char>(rest[bytes]) & 0xC0U) == 0x80U)
        ++bytes;
      keys.push_back({Key::character, std::string(rest.substr(0, bytes))});
    }
    rest.remove_prefix(bytes);
  }
  typed = std::string(rest);
  return keys;
}

namespace {

void choose(TopView& view, std::size_t panel) {
  view.panel = static_cast<TopPanel>(panel % top_panels);
  view.first_row = 0;
}

void type_filter(TopView& view, const KeyPress& key) {
  constexpr std::size_t longest_filter = 64;
  if (key.key == Key::enter) view.is_typing = false;
  if (key.key == Key::escape) {
    view.is_typing = false;
    view.filter.clear();
  }
  if (key.key == Key::backspace) {
    while (!view.filter.empty() &&
           (static_cast<unsigned char>(view.filter.back()) & 0xC0U) == 0x80U)
      view.filter.pop_back();
    if (!view.filter.empty()) view.filter.pop_back();
  }
  if (key.key == Key::character && view.filter.size() < longest_filter) view.filter += key.text;
  view.first_row = 0;
}

}  // namespace

void press(TopView& view, const KeyPress& key, std::size_t page_rows) {
  if (view.is_typing) return type_filter(view, key);
  const auto panel = static_cast<std::size_t>(view.panel);
  auto& order = view.orders.at(panel);
  const auto up = [&](std::size_t rows) { view.first_row -= std::min(view.first_row, rows); };
  switch (key.key) {
    case Key::up:
      return up(1);
    case Key::down:
      ++view.first_row;
      return;
    case Key::page_up:
      return up(std::max<std::size_t>(1, page_rows));
    case Key::page_down:
      view.first_row += std::max<std::size_t>(1, page_rows);
      return;
    case Key::home:
      view.first_row = 0;
      return;
    case Key::end:
      view.first_row = std::numeric_limits<std::size_t>::max() / 2;
      return;
    case Key::tab:
      return choose(view, panel + 1);
    case Key::back_tab:
      return choose(view, panel + top_panels - 1);
    case Key::escape:
      view.filter.clear();
      return;
    case Key::enter:
    case Key::backspace:
      return;
    case Key::character:
      break;
  }
  const char typed = key.text.size() == 1 ? key.text.front() : '\0';
  if (typed == 'q') view.is_over = true;
  if (typed == '/') view.is_typing = true;
  if (typed >= '1' && typed < '1' + static_cast<char>(top_panels))
    choose(view, static_cast<std::size_t>(typed - '1'));
  if (typed == 's') {
    const auto columns = grid_of({}, view.panel).headings.size();
    order = {.column = (order.column + 1) % (columns + 1)};
  }
  if (typed == 'r') order.is_reversed = !order.is_reversed;
}

}  // namespace candlewick::app
