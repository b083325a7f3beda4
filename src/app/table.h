// Tables for people on a terminal, JSON Lines or CSV for programs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/terminal_text.h"
#include "base/result.h"

namespace candlewick::app {

enum class Format : unsigned char { table, csv, jsonl };

// "table", "csv" or "jsonl"; empty: a table on a terminal, JSON Lines else. Error: misconfigured.
Result<Format> parse_format(std::string_view text);

// Rows of text under a header. Numbers are those that look like it: they go to the right, with
// their decimal points below each other.
class Table {
 public:
  using ToneOf = Tone (*)(std::string_view cell);

  explicit Table(std::vector<std::string> header)
      : header_(std::move(header)), tones_(header_.size()), least_(header_.size()) {}
  // The cells of a column of that name are coloured by what they say.
  void colour(std::string_view column, ToneOf tone_of);
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  std::size_t size() const { return rows_.size(); }
  // Goes on below another table of the same columns, which were made as wide as they had to be.
  void continue_below(const Table& above) { least_ = above.widths_; }

  std::string text(bool colour, bool with_header = true);
  std::string csv(bool with_header = true) const;

 private:
  // Of a column: what stands before the decimal point, what from there on, and the whole.
  struct Width {
    std::size_t before = 0;
    std::size_t behind = 0;
    std::size_t whole = 0;
    bool is_numeric = false;
  };
  Width width_of_column(std::size_t column) const;

  std::vector<std::string> header_;
  std::vector<ToneOf> tones_;
  std::vector<Width> least_;
  std::vector<Width> widths_;
  std::vector<std::vector<std::string>> rows_;
};

// What words such as "live", "missing" and "backing_off" stand for.
Tone tone_of_state(std::string_view state);
// Anything but nothing, or zero, is bad.
Tone tone_of_loss(std::string_view count);
Tone tone_of_trouble(std::string_view message);

// To standard output: the table as text or CSV, or the lines, which say the same as JSON.
void print(Table& table, Format format, const std::vector<std::string>& lines);

}  // namespace candlewick::app
