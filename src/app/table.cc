// Laying out columns. Cells may hold what others sent: nothing in them reaches the terminal unseen.
#include "app/table.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "app/command.h"
#include "base/csv_text.h"

namespace candlewick::app {
namespace {

bool looks_numeric(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.-+%") == std::string_view::npos;
}

// Columns before the decimal point; of what has none, all.
std::size_t before_point(std::string_view number) {
  return std::min(number.find('.'), number.size());
}

template <std::size_t Size>
bool is_one_of(const std::array<std::string_view, Size>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

}  // namespace

Result<Format> parse_format(std::string_view text) {
  if (text.empty()) return is_terminal() ? Format::table : Format::jsonl;
  if (text == "table") return Format::table;
  if (text == "csv") return Format::csv;
  if (text == "jsonl") return Format::jsonl;
  return fail(ErrorKind::misconfigured, "--format: \"{}\" is none of table, csv and jsonl", text);
}

void Table::colour(std::string_view column, ToneOf tone_of) {
  for (std::size_t i = 0; i < header_.size(); ++i) {
    if (header_[i] == column) tones_[i] = tone_of;
  }
}

Table::Width Table::width_of_column(std::size_t column) const {
  Width width = least_[column];
  width.is_numeric = !rows_.empty();
  for (const auto& row : rows_) {
    if (!row[column].empty() && !looks_numeric(row[column])) width.is_numeric = false;
  }
  for (const auto& row : rows_) {
    const auto& cell = row[column];
    width.whole = std::max(width.whole, width_of(printable(cell)));
    if (!width.is_numeric) continue;
    width.before = std::max(width.before, before_point(cell));
    width.behind = std::max(width.behind, cell.size() - before_point(cell));
  }
  if (width.is_numeric) width.whole = std::max(width.whole, width.before + width.behind);
  width.whole = std::max(width.whole, width_of(header_[column]));
  return width;
}

std::string Table::text(bool colour, bool with_header) {
  widths_.clear();
  for (std::size_t column = 0; column < header_.size(); ++column)
    widths_.push_back(width_of_column(column));
  std::string out;
  const auto line = [&](const std::vector<std::string>& cells, bool is_header) {
    std::size_t owed = 0;  // spaces that are written only if something follows
    for (std::size_t column = 0; column < cells.size(); ++column) {
      const auto& width = widths_[column];
      const std::string cell = printable(cells[column]);
      std::size_t gap = width.whole - width_of(cell);
      std::size_t behind = gap;
      if (width.is_numeric) {
        behind = is_header || cell.empty() ? 0 : width.behind - (cell.size() - before_point(cell));
        behind = std::min(behind, gap);
      }
      gap -= behind;
      if (!cell.empty()) {
        const ToneOf tone_of = tones_[column];
        Tone tone = tone_of == nullptr ? Tone::plain : tone_of(cell);
        if (is_header) tone = Tone::strong;
        out.append(owed + gap, ' ');
        out += toned(cell, tone, colour);
        owed = 0;
        gap = 0;
      }
      owed += gap + behind + 2;
    }
    out += '\n';
  };
  if (with_header) line(header_, true);
  for (const auto& row : rows_) line(row, false);
  return out;
}

std::string Table::csv(bool with_header) const {
  std::string out;
  const auto line = [&](const std::vector<std::string>& cells) {
    for (std::size_t column = 0; column < cells.size(); ++column) {
      if (column != 0) out += ',';
      csv::append_cell(out, cells[column]);
    }
    out += '\n';
  };
  if (with_header) line(header_);
  for (const auto& row : rows_) line(row);
  return out;
}

Tone tone_of_state(std::string_view state) {
  constexpr std::array<std::string_view, 4> good{"live", "backfilled", "ok", "ready"};
  constexpr std::array<std::string_view, 3> quiet{"confirmed_empty", "halted", "not_listed"};
  constexpr std::array<std::string_view, 4> bad{"missing", "stopped", "down", "failed"};
  constexpr std::array<std::string_view, 6> worth_a_look{
      "backing_off", "unrecoverable", "not running", "not configured", "degraded", "paused"};
  if (is_one_of(good, state)) return Tone::good;
  if (is_one_of(quiet, state)) return Tone::dim;
  if (is_one_of(bad, state)) return Tone::bad;
  return is_one_of(worth_a_look, state) ? Tone::warning : Tone::plain;
}

Tone tone_of_loss(std::string_view count) {
  return count.empty() || count == "0" || count == "–" ? Tone::plain : Tone::bad;
}

Tone tone_of_trouble(std::string_view message) {
  return message.empty() ? Tone::plain : Tone::warning;
}

void print(Table& table, Format format, const std::vector<std::string>& lines) {
  LineOutput output;
  if (format == Format::table) {
    output.text() += table.text(uses_colour(STDOUT_FILENO));
  } else if (format == Format::csv) {
    output.text() += table.csv();
  } else {
    for (const auto& line : lines) {
      output.text() += line;
      output.end_line();
    }
  }
}

}  // namespace candlewick::app
