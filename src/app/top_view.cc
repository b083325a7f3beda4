// Lines out of grids, and keys into changes of what is shown.
#include "app/top_view.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "app/table.h"

namespace candlewick::app {
namespace {

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
                         const TopOrder& order, std::size_t width, bool colour) {
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
