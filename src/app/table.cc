// Laying out columns.
#include "app/table.h"

#include <algorithm>

#include "app/command.h"

namespace candlewick::app {
namespace {

bool looks_numeric(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.-+%") == std::string_view::npos;
}

// Characters shown: continuation bytes of UTF-8 take no room.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

void append_csv(std::string& out, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace

Result<Format> parse_format(std::string_view text) {
  if (text.empty()) return is_terminal() ? Format::table : Format::jsonl;
  if (text == "table") return Format::table;
  if (text == "csv") return Format::csv;
  if (text == "jsonl") return Format::jsonl;
  return fail(ErrorKind::misconfigured, "--format: \"{}\" is none of table, csv and jsonl", text);
}

std::string Table::text(bool bold_header) const {
  std::vector<std::size_t> widths;
  std::vector<bool> right(header_.size(), !rows_.empty());
  for (std::size_t column = 0; column < header_.size(); ++column) {
    widths.push_back(width_of(header_[column]));
    for (const auto& row : rows_) {
      widths[column] = std::max(widths[column], width_of(row[column]));
      if (!row[column].empty() && !looks_numeric(row[column])) right[column] = false;
    }
  }
  std::string out;
  const auto line = [&](const std::vector<std::string>& cells) {
    for (std::size_t column = 0; column < cells.size(); ++column) {
      const std::string gap(widths[column] - width_of(cells[column]), ' ');
      if (column != 0) out += "  ";
      if (right[column]) out += gap;
      out += cells[column];
      if (!right[column] && column + 1 != cells.size()) out += gap;
    }
    out += '\n';
  };
  if (bold_header) out += "\033[1m";
  line(header_);
  if (bold_header) out.insert(out.size() - 1, "\033[0m");
  for (const auto& row : rows_) line(row);
  return out;
}

std::string Table::csv() const {
  std::string out;
  const auto line = [&](const std::vector<std::string>& cells) {
    for (std::size_t column = 0; column < cells.size(); ++column) {
      if (column != 0) out += ',';
      append_csv(out, cells[column]);
    }
    out += '\n';
  };
  line(header_);
  for (const auto& row : rows_) line(row);
  return out;
}

void print(const Table& table, Format format, const std::vector<std::string>& lines) {
  LineOutput output;
  if (format == Format::table) {
    output.text() += table.text(is_terminal());
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
