// candlewick dead-letters: the rows that sinks refused, to be looked at, mended and sent again.
// Works on the log, beside a service that runs or without one: a row that is sent again is put at
// the log's end for its sink alone, in the same step that removes the letter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/config.h"

namespace candlewick::app {

struct DeadLettersOptions {
  std::string action = "list";  // list, show, resend or drop
  std::string sink;             // empty: of all
  std::optional<std::int64_t> sequence;
  bool all = false;
  std::int64_t limit = 100;
  std::string row;  // resend: a file with the mended row as JSON, - for standard input
  std::string format;
};
int dead_letters(const LoadedConfig& loaded, const DeadLettersOptions& options);

}  // namespace candlewick::app
