// Values in PostgreSQL's binary format: what COPY BINARY, parameters and answers carry. Exact in
// both directions; times have microseconds there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/decimal.h"
#include "base/result.h"
#include "schema/table.h"

namespace candlewick::postgres {

// The server's fixed numbers for its own types.
namespace type {
inline constexpr std::uint32_t boolean = 16;
inline constexpr std::uint32_t name = 19;
inline constexpr std::uint32_t int8 = 20;
inline constexpr std::uint32_t int2 = 21;
inline constexpr std::uint32_t int4 = 23;
inline constexpr std::uint32_t text = 25;
inline constexpr std::uint32_t oid = 26;
inline constexpr std::uint32_t json = 114;
inline constexpr std::uint32_t float4 = 700;
inline constexpr std::uint32_t float8 = 701;
inline constexpr std::uint32_t unknown = 705;
inline constexpr std::uint32_t character = 1042;
inline constexpr std::uint32_t varchar = 1043;
inline constexpr std::uint32_t date = 1082;
inline constexpr std::uint32_t timestamp = 1114;
inline constexpr std::uint32_t timestamptz = 1184;
inline constexpr std::uint32_t numeric = 1700;
inline constexpr std::uint32_t jsonb = 3802;
}  // namespace type

// "bigint": how a column of the schema is declared.
std::string_view type_name(schema::ColumnType column);

void append_int16(std::string& out, std::int16_t value);
void append_int32(std::string& out, std::int32_t value);
void append_int64(std::string& out, std::int64_t value);
void append_numeric(std::string& out, Decimal value);
// The value's bytes, without their length: numeric for a decimal, jsonb for a document, and so on.
// Not of Null.
void append_value(std::string& out, const schema::Value& value);

// One field of a COPY BINARY row: its length and bytes. Error: rejected when the value is not of
// the column's type, or null where none may be.
Result<void> append_field(std::string& out, const schema::Value& value,
                          const schema::Column& column);

// More than 18 fractional digits are rounded half to even. Errors: rejected when the value is out
// of Decimal's range or no number; malformed when the bytes are no NUMERIC.
Result<Decimal> read_numeric(std::string_view bytes);

// A cell of that type as what is wanted of it; the usual widenings are made (a date as text, a sum
// of bigints, which is a numeric, as integer). Error: malformed.
Result<schema::Value> read_value(std::string_view bytes, std::uint32_t type,
                                 schema::ColumnType wanted);

// JSON without the spaces between its parts, which jsonb adds.
std::string compact_json(std::string_view text);

}  // namespace candlewick::postgres
