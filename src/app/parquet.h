// Rows into a Parquet file, streamed: one row group is held at a time, pages are plain values under
// zstd. Decimals are DECIMAL(38,18), exact; times are UTC microseconds.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "schema/table.h"

namespace candlewick::app {

class ParquetWriter {
 public:
  using Write = std::function<Result<void>(std::string_view bytes)>;

  // The columns must outlive the writer.
  ParquetWriter(std::span<const schema::Column> columns, Write write);

  // Errors: of `write`; rejected for a decimal of more than 38 digits, a value that is not of its
  // column's type, or null where none may be.
  Result<void> add(std::span<const schema::Value> values);
  // The rest and the footer. A file without it cannot be read.
  Result<void> finish();

 private:
  struct Chunk {
    std::string values;
    std::string levels;  // of a nullable column: runs of present and absent
    std::int64_t run = 0;
    bool run_is_present = false;
    int bits = 0;  // of the last byte of booleans
  };
  // Where a chunk came to lie, for the footer.
  struct Placed {
    std::int64_t offset = 0;
    std::int64_t plain_bytes = 0;
    std::int64_t stored_bytes = 0;
  };
  struct Group {
    std::int64_t rows = 0;
    std::vector<Placed> columns;
  };

  Result<void> put(std::string_view bytes);
  Result<void> begin();
  Result<void> append(Chunk& chunk, const schema::Column& column, const schema::Value& value);
  static void end_run(Chunk& chunk);
  Result<void> write_group();
  Result<Placed> write_chunk(Chunk& chunk, bool nullable);
  std::string footer() const;

  const std::span<const schema::Column> columns_;
  const Write write_;
  std::vector<Chunk> chunks_;
  std::vector<Group> groups_;
  std::int64_t rows_ = 0;  // of the group at hand
  std::int64_t offset_ = 0;
};

}  // namespace candlewick::app
