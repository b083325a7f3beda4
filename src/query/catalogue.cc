// Searching is a scan over a few thousand listings.
#include "query/catalogue.h"

#include <array>
#include <utility>

#include "market/instrument.h"
#include "query/select.h"

namespace candlewick::query {
namespace {

using enum schema::ColumnType;
using warehouse::Database;

// What LIKE gives a meaning to, taken literally.
std::string literal(std::string_view typed) {
  std::string result;
  for (const char c : typed) {
    if (c == '%' || c == '_' || c == '!') result += '!';
    result += c;
  }
  return result;
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

}  // namespace

Result<std::vector<Exchange>> exchanges(Database& database) {
  constexpr std::array types{text, text, text, decimal, integer};
  auto rows = database.select(
      "SELECT e.name, e.display_name, e.region, e.trading_fees, "
      "(SELECT count(*) FROM dim_listing l WHERE l.exchange_id = e.exchange_id) "
      "FROM dim_exchange e ORDER BY e.name",
      {}, types);
  if (!rows) return fail(std::move(rows.error()));
  std::vector<Exchange> result;
  for (auto& row : *rows) {
    result.push_back({.name = cell_or(row[0], std::string{}),
                      .display_name = cell<std::string>(row[1]),
                      .region = cell<std::string>(row[2]),
                      .trading_fees = cell<Decimal>(row[3]),
                      .listings = cell_or(row[4], std::int64_t{0})});
  }
  return result;
}

Result<std::vector<Symbol>> symbols(Database& database, const SymbolQuery& query) {
  constexpr std::array types{text, text, text, text, text, text,    text,   text,
                             text, text, text, time, time, decimal, decimal};
  Conditions conditions;
  conditions.add_if("e.name = {}", query.exchange);
  if (query.listed_only) conditions.add_plain("l.status <> 'delisted'");
  std::string rank;
  if (!query.search.empty()) {
    // Separators aside, for "btcusdt" and "btc-usdt".
    const std::string folded = lower(folded_symbol(query.search));
    const std::string part = conditions.parameter("%" + literal(lower(query.search)) + "%");
    const std::string folded_part = conditions.parameter("%" + literal(folded) + "%");
    const std::string exact = conditions.parameter(folded);
    constexpr std::string_view bare = "replace(lower(c.symbol), '/', '')";
    conditions.add_plain(
        fmt::format("(lower(c.symbol) LIKE {0} ESCAPE '!' OR lower(c.name) LIKE {0} ESCAPE '!' OR "
                    "lower(l.exchange_symbol) LIKE {0} ESCAPE '!' OR {2} LIKE {1} ESCAPE '!')",
                    part, folded.empty() ? part : folded_part, bare));
    rank = fmt::format(
        "CASE WHEN {0} = {1} OR lower(l.exchange_symbol) = {1} OR lower(c.base) = {1} THEN 0 "
        "ELSE 1 END, ",
        bare, exact);
  }
  const std::string limit = conditions.parameter(static_cast<std::int64_t>(query.limit));
  const std::string offset = conditions.parameter(static_cast<std::int64_t>(query.offset));
  auto rows = database.select(
      fmt::format("SELECT c.symbol, c.name, c.sector, c.launch_date, c.base, c.quote, "
                  "c.coingecko_id, e.name, l.exchange_symbol, l.market, l.status, l.listed_at, "
                  "l.delisted_at, l.tick_size, l.step_size FROM dim_cryptocurrency c "
                  "LEFT JOIN dim_listing l ON l.crypto_id = c.crypto_id "
                  "LEFT JOIN dim_exchange e ON e.exchange_id = l.exchange_id{} "
                  "ORDER BY {}c.symbol, e.name, l.listing_id LIMIT {} OFFSET {}",
                  conditions.text(), rank, limit, offset),
      conditions.parameters(), types);
  if (!rows) return fail(std::move(rows.error()));
  std::vector<Symbol> result;
  for (auto& row : *rows) {
    result.push_back({.symbol = cell_or(row[0], std::string{}),
                      .name = cell<std::string>(row[1]),
                      .sector = cell<std::string>(row[2]),
                      .launch_date = cell<std::string>(row[3]),
                      .base = cell_or(row[4], std::string{}),
                      .quote = cell_or(row[5], std::string{}),
                      .coingecko_id = cell<std::string>(row[6]),
                      .exchange = cell<std::string>(row[7]),
                      .exchange_symbol = cell<std::string>(row[8]),
                      .market = cell<std::string>(row[9]),
                      .status = cell<std::string>(row[10]),
                      .listed_at = cell<Time>(row[11]),
                      .delisted_at = cell<Time>(row[12]),
                      .tick_size = cell<Decimal>(row[13]),
                      .step_size = cell<Decimal>(row[14])});
  }
  return result;
}

}  // namespace candlewick::query
