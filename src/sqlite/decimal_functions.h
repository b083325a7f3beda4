// Exact decimals for SQLite, which keeps them as text: its own SUM would make doubles of them.
#pragma once

#include "sqlite/database.h"

namespace candlewick::sqlite {

// decimal_sum(text): the exact sum as text; null for no rows, or only null ones. An error, never a
// rounded answer, when the sum leaves Decimal's range or a text is no decimal.
Result<void> add_decimal_functions(Database& database);

}  // namespace candlewick::sqlite
