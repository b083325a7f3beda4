// What every kind of log needs to know about rows.
#include "log/log.h"

#include <array>

namespace candlewick::log {
namespace {

constexpr std::array<std::string_view, 3> stamps{"ingested_at", "created_at", "recorded_at"};
constexpr std::array<std::string_view, 3> moments{"timestamp", "exchange_ts", "from"};
// Digits, commas and quotes of a cell that is no text; measured on candles.
constexpr std::size_t scalar_bytes = 16;

std::optional<Time> first_of(const schema::Row& row, std::span<const std::string_view> columns) {
  for (const auto column : columns) {
    const auto index = row.table->index_of(column);
    if (index == schema::Table::npos) continue;
    if (const auto* time = std::get_if<Time>(&row.values[index])) return *time;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Time> stamped_time(const schema::Row& row) {
  return first_of(row, stamps);
}

std::optional<Time> happened_at(const schema::Row& row) {
  return first_of(row, moments);
}

std::size_t approximate_bytes(const schema::Row& row) {
  std::size_t bytes = sizeof(schema::Row) + row.values.size() * sizeof(schema::Value);
  for (const auto& column : row.table->columns) bytes += column.name.size() + 4;
  for (const auto& value : row.values) {
    if (const auto* text = std::get_if<std::string>(&value)) {
      bytes += text->size();
    } else if (const auto* document = std::get_if<schema::Json>(&value)) {
      bytes += document->text.size();
    } else {
      bytes += scalar_bytes;
    }
  }
  return bytes;
}

}  // namespace candlewick::log
