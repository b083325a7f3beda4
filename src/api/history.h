// Rows of one series over time, in the forms that people ask for: JSON pages with links to the next
// one, one page as CSV, and, where no limit was named, all of the range as CSV in one answer.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "api/paging.h"

namespace candlewick::api {

struct RowPage {
  std::string rows;           // JSON objects with the columns in their order, joined by commas
  std::optional<Place> next;  // more rows follow behind that one
  // No row of it can change any more but by a correction.
  bool is_settled = false;
  std::optional<Problem> problem{};  // answered instead
};

// The next page of at most so many rows; the first call has the first one. On query threads.
using ReadPage = std::move_only_function<Result<RowPage>(warehouse::Database&, const Series&,
                                                         std::size_t limit)>;

// What memory adds to a page at this moment, in any words that are others when it changes.
using MemoryOf = std::function<std::string(const Series&)>;

struct History {
  std::string_view route;
  std::span<const std::string_view> columns;
  std::string typed;     // the symbol
  std::string exchange;  // empty: whoever lists it first
  std::size_t limit = 0;
  std::optional<Timeframe> timeframe;  // told beside the rows
  ReadPage read;
  // Where the answer hangs on nothing but the question, the warehouse and this: pages are kept.
  MemoryOf memory{};
};

// Reads `format` and answers. Problems that stuck to the call's arguments are answered first.
void answer_history(const Site& site, Call call, History history);

// Lines of CSV, without a header, of rows as RowPage has them. Error: malformed, when they are not.
Result<std::string> csv_lines(std::string_view rows);

}  // namespace candlewick::api
