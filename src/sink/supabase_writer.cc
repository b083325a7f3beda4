// A request is one INSERT, all or nothing. Too large a one is sent in halves, and so is one that
// hits a row which an answer that was lost had stored already.
#include "sink/supabase_writer.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/json.h"
#include "net/url.h"

namespace candlewick::sink {
namespace {

// A server may answer with fewer rows a page; the pages end with an empty one.
constexpr std::size_t page_rows = 1000;
constexpr std::size_t smallest_request = std::size_t{4} << 10;

std::string column_names(const SupabaseTable& table) {
  std::string names;
  for (const auto& column : table.columns) {
    if (!names.empty()) names += ',';
    names += column.name;
  }
  return names;
}

std::string upsert_path(const SupabaseTable& table) {
  return fmt::format("{}?columns={}&on_conflict={}", table.name, column_names(table),
                     fmt::join(table.key, ","));
}

std::string upsert_preference(const SupabaseTable& table) {
  return fmt::format("return=minimal,resolution={}-duplicates",
                     table.is_immutable() ? "ignore" : "merge");
}

}  // namespace

Result<void> SupabaseWriter::store(const SupabaseTable& table, std::span<const log::Entry> entries,
                                   bool is_guarded) {
  std::vector<SupabaseRow> rows = supabase_rows(table, entries, options_.exchange_symbols);
  if (rows.empty()) return {};
  if (!is_guarded && !table.is_immutable()) {
    if (auto dropped = drop_outdated(table, rows); !dropped) return dropped;
  }
  std::span<const SupabaseRow> rest(rows);
  while (!rest.empty()) {
    std::size_t count = 0;
    std::size_t bytes = 2;
    while (count < rest.size() && count < options_.max_rows) {
      bytes += rest[count].json.size() + 1;
      if (count > 0 && bytes > options_.max_bytes) break;
      ++count;
    }
    if (auto sent = send(table, rest.first(count)); !sent) return sent;
    rest = rest.subspan(count);
  }
  return {};
}

Result<void> SupabaseWriter::send(const SupabaseTable& table, std::span<const SupabaseRow> rows) {
  std::string body = json_array(rows);
  const std::size_t bytes = body.size();
  const auto reply = client_.post(upsert_path(table), upsert_preference(table), std::move(body));
  if (!reply) return fail(reply.error());
  if (reply->is_ok()) return {};
  if (reply->is_too_large() && rows.size() > 1) {
    options_.max_bytes = std::max(smallest_request, bytes / 2);
    return send_halves(table, rows);
  }
  if (reply->is_unique_violation()) {
    if (rows.size() > 1) return send_halves(table, rows);
    if (reply->is_already_written(table)) return {};
  }
  return fail(client_.refusal(*reply, &table));
}

Result<void> SupabaseWriter::send_halves(const SupabaseTable& table,
                                         std::span<const SupabaseRow> rows) {
  const std::size_t half = rows.size() / 2;
  if (auto sent = send(table, rows.first(half)); !sent) return sent;
  return send(table, rows.subspan(half));
}

// Corrections are rare, so what comes back is short; what matters is a row that is resent long
// after.
Result<void> SupabaseWriter::drop_outdated(const SupabaseTable& table,
                                           std::vector<SupabaseRow>& rows) {
  auto [first, last] = std::ranges::minmax(rows, {}, &SupabaseRow::time);
  const auto lowest = std::ranges::min(rows, {}, &SupabaseRow::rank).rank;
  std::string select;
  for (const auto column : table.key) select += fmt::format("{},", column);
  std::string path =
      fmt::format("{0}?select={1}{2}&{3}=gte.{4}&{3}=lte.{5}&{2}=gt.{6}&order={7}", table.name,
                  select, table.newer_by, table.time, filter_time(first.time),
                  filter_time(last.time + std::chrono::seconds{1}), std::get<std::int64_t>(lowest),
                  fmt::join(table.key, ","));
  std::set<std::pair<std::string, std::int64_t>> stored;
  json::Reader reader;
  for (std::size_t offset = 0;;) {
    const auto page = client_.get(fmt::format("{}&limit={}&offset={}", path, page_rows, offset));
    if (!page) return fail(page.error());
    if (!page->is_ok()) return fail(client_.refusal(*page, &table));
    std::size_t found = 0;
    const auto read = reader.read(page->body, [&](json::Value root) {
      root.elements([&](json::Value row) {
        ++found;
        std::vector<std::string> key(table.key.size());
        std::int64_t revision = 0;
        row.members([&](std::string_view name, json::Value value) {
          const auto part = std::ranges::find(table.key, name);
          if (part != table.key.end()) {
            const auto index = static_cast<std::size_t>(part - table.key.begin());
            key[index] =
                name == table.time ? to_rfc3339(value.time_text()) : std::string(value.string());
          } else if (name == table.newer_by) {
            revision = value.integer();
          }
        });
        stored.emplace(supabase_key(key), revision);
      });
    });
    // What cannot be read is no answer of PostgREST's: cut short, or somebody else's.
    if (!read) return fail(ErrorKind::transient, "{}: {}", table.name, read.error().message);
    if (found == 0) break;
    offset += found;
  }
  std::erase_if(rows, [&](const SupabaseRow& row) {
    const auto newest =
        stored.upper_bound(std::pair(row.key, std::numeric_limits<std::int64_t>::max()));
    if (newest == stored.begin()) return false;
    const auto& candidate = *std::prev(newest);
    return candidate.first == row.key && candidate.second > std::get<std::int64_t>(row.rank);
  });
  return {};
}

}  // namespace candlewick::sink
