// What a warehouse knows of traded assets.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "warehouse/database.h"

namespace candlewick::query {

// When each asset's row took its present form.
Result<std::map<std::string, Time>> assets_recorded_at(warehouse::Database& database);

}  // namespace candlewick::query
