// The log in an embedded SQLite file: WAL, one transaction a batch, synced before it is
// acknowledged. The payload of an entry is the row's JSON text, so the file can be read with any
// SQLite tool.
#pragma once

#include <filesystem>
#include <memory>

#include "log/log.h"

namespace candlewick::log {

// What append() does when the budget is used up and nothing can be trimmed.
enum class AtBudget : unsigned char {
  refuse,       // transient error that names the sink which is furthest behind
  drop_oldest,  // gives up the oldest unread rows, counted in Size::dropped_rows
};

struct SqliteLogOptions {
  std::filesystem::path path;
  std::uint64_t budget_bytes = 0;  // 0: none
  AtBudget at_budget = AtBudget::refuse;
  Duration busy_timeout = std::chrono::seconds{5};
  // For tests of a full disk: SQLite's own limit on the file, in pages. 0: none.
  std::int64_t max_pages = 0;
};

// Creates the file and its folder when they are missing. Errors: misconfigured (no log, made by a
// newer program, no permission), transient.
Result<std::unique_ptr<Log>> open_sqlite_log(const SqliteLogOptions& options);

}  // namespace candlewick::log
