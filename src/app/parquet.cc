// The format: https://github.com/apache/parquet-format (README and src/main/thrift/parquet.thrift,
// read 2026-11-21). Its metadata is Thrift's compact protocol, of which a writer needs four types.
#include "app/parquet.h"

#include <zstd.h>

#include <bit>
#include <cstring>
#include <utility>

namespace candlewick::app {
namespace {

using schema::Column;
using schema::ColumnType;
using schema::Value;

constexpr std::string_view magic = "PAR1";
// What one group holds at most, in memory too.
constexpr std::int64_t group_rows = 65'536;
constexpr std::size_t group_bytes = std::size_t{64} << 20;
constexpr int decimal_digits = 38;
constexpr int decimal_bytes = 16;
constexpr int zstd_level = 3;

// parquet.thrift's numbers.
enum class Physical : std::int32_t { boolean = 0, int64 = 2, real = 5, bytes = 6, fixed = 7 };
constexpr std::int32_t converted_utf8 = 0;
constexpr std::int32_t converted_decimal = 5;
constexpr std::int32_t converted_time_us = 10;
constexpr std::int32_t converted_json = 19;
constexpr std::int32_t encoding_plain = 0;
constexpr std::int32_t encoding_rle = 3;
constexpr std::int32_t codec_zstd = 6;

Physical physical(ColumnType type) {
  switch (type) {
    case ColumnType::boolean:
      return Physical::boolean;
    case ColumnType::integer:
    case ColumnType::time:
      return Physical::int64;
    case ColumnType::real:
      return Physical::real;
    case ColumnType::decimal:
      return Physical::fixed;
    case ColumnType::text:
    case ColumnType::json:
      break;
  }
  return Physical::bytes;
}

void append_varint(std::string& out, std::uint64_t number) {
  while (number >= 0x80) {
    out += static_cast<char>(number | 0x80);
    number >>= 7;
  }
  out += static_cast<char>(number);
}

template <class Integer>
void append_little_endian(std::string& out, Integer number) {
  for (std::size_t i = 0; i < sizeof number; ++i) {
    out += static_cast<char>(number & 0xFF);
    number = static_cast<Integer>(number >> 8);
  }
}

// A struct of Thrift's compact protocol. Fields come in the order of their numbers.
class Struct {
 public:
  enum Kind : unsigned char { i32 = 5, i64 = 6, binary = 8, list = 9, structure = 12 };

  explicit Struct(std::string& out) : out_(out) {}
  Struct& integer(int field, std::int32_t value) {
    head(field, i32);
    append_zigzag(value);
    return *this;
  }
  Struct& long_integer(int field, std::int64_t value) {
    head(field, i64);
    append_zigzag(value);
    return *this;
  }
  Struct& text(int field, std::string_view value) {
    head(field, binary);
    append_text(value);
    return *this;
  }
  // Its elements follow.
  Struct& list_of(int field, Kind kind, std::size_t size) {
    head(field, list);
    if (size < 15) {
      out_ += static_cast<char>(size << 4 | kind);
    } else {
      out_ += static_cast<char>(0xF0 | kind);
      append_varint(out_, size);
    }
    return *this;
  }
  // Its fields follow, and its end().
  Struct& begin_struct(int field) {
    head(field, structure);
    return *this;
  }
  void append_zigzag(std::int64_t value) {
    append_varint(out_,
                  static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
  }
  void append_text(std::string_view value) {
    append_varint(out_, value.size());
    out_ += value;
  }
  void end() { out_ += '\0'; }

 private:
  // The numbers here are small: the short form of a head always fits.
  void head(int field, Kind kind) {
    out_ += static_cast<char>((field - last_) << 4 | kind);
    last_ = field;
  }

  std::string& out_;
  int last_ = 0;
};

void append_schema_element(std::string& out, const Column& column) {
  Struct element(out);
  element.integer(1, static_cast<std::int32_t>(physical(column.type)));
  if (column.type == ColumnType::decimal) element.integer(2, decimal_bytes);
  element.integer(3, column.nullable ? 1 : 0).text(4, column.name);
  if (column.type == ColumnType::text) element.integer(6, converted_utf8);
  if (column.type == ColumnType::json) element.integer(6, converted_json);
  if (column.type == ColumnType::time) element.integer(6, converted_time_us);
  if (column.type == ColumnType::decimal) {
    element.integer(6, converted_decimal).integer(7, Decimal::scale).integer(8, decimal_digits);
  }
  element.end();
}

bool append_decimal(std::string& out, Decimal value) {
  constexpr int128 limit = int128{Decimal::one} * Decimal::one * 100;  // 10^38
  if (value.count() >= limit || value.count() <= -limit) return false;
  const auto count = static_cast<uint128>(value.count());
  for (int shift = 120; shift >= 0; shift -= 8) out += static_cast<char>(count >> shift & 0xFF);
  return true;
}

}  // namespace

ParquetWriter::ParquetWriter(std::span<const Column> columns, Write write)
    : columns_(columns), write_(std::move(write)), chunks_(columns.size()) {}

Result<void> ParquetWriter::put(std::string_view bytes) {
  offset_ += static_cast<std::int64_t>(bytes.size());
  return write_(bytes);
}

Result<void> ParquetWriter::begin() {
  return offset_ == 0 ? put(magic) : Result<void>{};
}

void ParquetWriter::end_run(Chunk& chunk) {
  if (chunk.run == 0) return;
  append_varint(chunk.levels, static_cast<std::uint64_t>(chunk.run) << 1);
  chunk.levels += chunk.run_is_present ? '\1' : '\0';
  chunk.run = 0;
}

Result<void> ParquetWriter::append(Chunk& chunk, const Column& column, const Value& value) {
  const bool is_present = !schema::is_null(value);
  if (column.nullable) {
    if (chunk.run_is_present != is_present) end_run(chunk);
    chunk.run_is_present = is_present;
    ++chunk.run;
  }
  const auto wrong = [&] {
    return fail(ErrorKind::rejected, "{}: the value does not fit its column", column.name);
  };
  if (!is_present) return column.nullable ? Result<void>{} : wrong();
  std::string& out = chunk.values;
  const auto append_bytes = [&out](const std::string& text) {
    append_little_endian(out, static_cast<std::uint32_t>(text.size()));
    out += text;
  };
  switch (column.type) {
    case ColumnType::boolean:
      if (const auto* flag = std::get_if<bool>(&value)) {
        if (chunk.bits == 0) out += '\0';
        if (*flag) out.back() = static_cast<char>(out.back() | 1 << chunk.bits);
        chunk.bits = (chunk.bits + 1) % 8;
        return {};
      }
      break;
    case ColumnType::integer:
      if (const auto* number = std::get_if<std::int64_t>(&value)) {
        append_little_endian(out, static_cast<std::uint64_t>(*number));
        return {};
      }
      break;
    case ColumnType::time:
      if (const auto* moment = std::get_if<Time>(&value)) {
        append_little_endian(out, static_cast<std::uint64_t>(to_us(*moment)));
        return {};
      }
      break;
    case ColumnType::real:
      if (const auto* number = std::get_if<double>(&value)) {
        append_little_endian(out, std::bit_cast<std::uint64_t>(*number));
        return {};
      }
      break;
    case ColumnType::decimal:
      if (const auto* number = std::get_if<Decimal>(&value)) {
        if (append_decimal(out, *number)) return {};
      }
      break;
    case ColumnType::text:
      if (const auto* text = std::get_if<std::string>(&value)) {
        append_bytes(*text);
        return {};
      }
      break;
    case ColumnType::json:
      if (const auto* document = std::get_if<schema::Json>(&value)) {
        append_bytes(document->text);
        return {};
      }
      break;
  }
  return wrong();
}

Result<void> ParquetWriter::add(std::span<const Value> values) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (auto done = append(chunks_[i], columns_[i], values[i]); !done) return done;
    bytes += chunks_[i].values.size();
  }
  ++rows_;
  return rows_ >= group_rows || bytes >= group_bytes ? write_group() : Result<void>{};
}

Result<ParquetWriter::Placed> ParquetWriter::write_chunk(Chunk& chunk, bool nullable) {
  std::string page;
  if (nullable) {
    end_run(chunk);
    append_little_endian(page, static_cast<std::uint32_t>(chunk.levels.size()));
    page += chunk.levels;
  }
  page += chunk.values;
  std::string packed(ZSTD_compressBound(page.size()), '\0');
  const std::size_t size =
      ZSTD_compress(packed.data(), packed.size(), page.data(), page.size(), zstd_level);
  if (ZSTD_isError(size) != 0)
    return fail(ErrorKind::transient, "zstd: {}", ZSTD_getErrorName(size));
  packed.resize(size);
  std::string header;
  Struct fields(header);
  fields
      .integer(1, 0)  // a data page
      .integer(2, static_cast<std::int32_t>(page.size()))
      .integer(3, static_cast<std::int32_t>(packed.size()))
      .begin_struct(5);
  Struct(header)
      .integer(1, static_cast<std::int32_t>(rows_))
      .integer(2, encoding_plain)
      .integer(3, encoding_rle)
      .integer(4, encoding_rle)
      .end();
  fields.end();
  const auto header_bytes = static_cast<std::int64_t>(header.size());
  const Placed placed{.offset = offset_,
                      .plain_bytes = header_bytes + static_cast<std::int64_t>(page.size()),
                      .stored_bytes = header_bytes + static_cast<std::int64_t>(packed.size())};
  if (auto done = put(header); !done) return fail(std::move(done.error()));
  if (auto done = put(packed); !done) return fail(std::move(done.error()));
  chunk = {};
  return placed;
}

Result<void> ParquetWriter::write_group() {
  if (rows_ == 0) return {};
  if (auto begun = begin(); !begun) return begun;
  Group group{.rows = rows_, .columns = {}};
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    auto placed = write_chunk(chunks_[i], columns_[i].nullable);
    if (!placed) return fail(std::move(placed.error()));
    group.columns.push_back(*placed);
  }
  groups_.push_back(std::move(group));
  rows_ = 0;
  return {};
}

std::string ParquetWriter::footer() const {
  std::string out;
  std::int64_t all_rows = 0;
  for (const auto& group : groups_) all_rows += group.rows;
  Struct file(out);
  file.integer(1, 1).list_of(2, Struct::structure, columns_.size() + 1);
  Struct(out).text(4, "rows").integer(5, static_cast<std::int32_t>(columns_.size())).end();
  for (const auto& column : columns_) append_schema_element(out, column);
  file.long_integer(3, all_rows).list_of(4, Struct::structure, groups_.size());
  for (const auto& group : groups_) {
    std::int64_t bytes = 0;
    Struct fields(out);
    fields.list_of(1, Struct::structure, columns_.size());
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const Placed& placed = group.columns[i];
      bytes += placed.plain_bytes;
      Struct chunk(out);
      chunk.long_integer(2, placed.offset).begin_struct(3);
      Struct meta(out);
      meta.integer(1, static_cast<std::int32_t>(physical(columns_[i].type)));
      meta.list_of(2, Struct::i32, 2);
      meta.append_zigzag(encoding_plain);
      meta.append_zigzag(encoding_rle);
      meta.list_of(3, Struct::binary, 1);
      meta.append_text(columns_[i].name);
      meta.integer(4, codec_zstd)
          .long_integer(5, group.rows)
          .long_integer(6, placed.plain_bytes)
          .long_integer(7, placed.stored_bytes)
          .long_integer(9, placed.offset);
      meta.end();
      chunk.end();
    }
    fields.long_integer(2, bytes).long_integer(3, group.rows).end();
  }
  file.text(6, "candlewick").end();
  return out;
}

Result<void> ParquetWriter::finish() {
  if (auto written = write_group(); !written) return written;
  if (auto begun = begin(); !begun) return begun;  // of a file without rows
  std::string end = footer();
  append_little_endian(end, static_cast<std::uint32_t>(end.size()));
  end += magic;
  return put(end);
}

}  // namespace candlewick::app
