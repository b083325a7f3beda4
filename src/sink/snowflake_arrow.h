// Results as Arrow streams, which some servers send however one asks for JSON. Every question of
// ours casts its columns to text, so columns of text are all that is read here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace candlewick::sink::snowflake {

using TextRow = std::vector<std::optional<std::string>>;

// An Arrow IPC stream without compression. Errors: malformed (cut, or columns that are no text).
Result<std::vector<TextRow>> read_arrow_text(std::string_view stream);

}  // namespace candlewick::sink::snowflake
