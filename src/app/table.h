// Tables for people on a terminal, JSON Lines or CSV for programs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace candlewick::app {

enum class Format : unsigned char { table, csv, jsonl };

// "table", "csv" or "jsonl"; empty: a table on a terminal, JSON Lines else. Error: misconfigured.
Result<Format> parse_format(std::string_view text);

// Rows of text under a header; numbers are those that look like it and go to the right.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : header_(std::move(header)) {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  std::size_t size() const { return rows_.size(); }
  std::string text(bool bold_header) const;
  std::string csv() const;

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

// To standard output: the table as text or CSV, or the lines, which say the same as JSON.
void print(const Table& table, Format format, const std::vector<std::string>& lines);

}  // namespace candlewick::app
