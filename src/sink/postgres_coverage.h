// The resolved coverage of a PostgreSQL warehouse, kept up as assertions come: a batch's assertions
// about one series are laid over each other here, so that the server is asked twice a series.
#pragma once

#include <span>
#include <vector>

#include "postgres/connection.h"
#include "schema/table.h"

namespace candlewick::sink {

// Rows of the table `coverage` that are new. Older spans are cut back, newer ones stay on top, so
// the order in which assertions arrive does not matter. Errors stick to the transaction.
void lay_over(postgres::Transaction& transaction, std::span<const schema::Row* const> assertions);

}  // namespace candlewick::sink
