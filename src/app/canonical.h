// Rows of two warehouses in one form, so that equal rows have equal bytes whatever keeps them:
// columns in the schema's order, decimals with their shortest digits, JSON with sorted keys and no
// spaces (jsonb sorts its keys in its own way).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "schema/table.h"

namespace candlewick::app {

// Error: malformed.
Result<std::string> canonical_json(std::string_view text);
Result<std::string> canonical_line(const schema::Row& row);

// By the key's columns: below, equal to or above 0 as a is before, at or after b. Of one table.
int compare_keys(const schema::Row& a, const schema::Row& b);

}  // namespace candlewick::app
