// Every row of a warehouse's table, in the order of its key and page by page: for what must see a
// table whole. The order is the same in every kind of warehouse.
#pragma once

#include <memory>
#include <span>

#include "base/result.h"
#include "schema/table.h"
#include "warehouse/database.h"

namespace candlewick::app {

class RowStream {
 public:
  virtual ~RowStream() = default;
  // Null at the end. Valid until the next call.
  virtual Result<const schema::Row*> next() = 0;
};

// The dimensions and the resolved coverage, which the log knows no rows of, as tables too. A
// listing is named by its ticker and the number of its life.
extern const schema::Table dim_exchange;
extern const schema::Table dim_cryptocurrency;
extern const schema::Table dim_listing;
extern const schema::Table coverage_current;

// Of the tables above, or the schema's facts. `after`: a row to go on behind; null: all. Errors
// come with next().
std::unique_ptr<RowStream> whole_table(warehouse::Database& database, const schema::Table& table,
                                       const schema::Row* after = nullptr);

}  // namespace candlewick::app
