// Ids are looked up once and then remembered; a service meets a few thousand names at most.
#include "warehouse/postgres_dimensions.h"

#include <array>
#include <optional>
#include <utility>

namespace candlewick::warehouse {
namespace {

using schema::Row;
using schema::Value;

constexpr std::string_view delisted = "delisted";

std::string_view text_of(const Row& row, std::string_view column) {
  const auto* text = std::get_if<std::string>(&row.at(column));
  return text == nullptr ? std::string_view{} : std::string_view(*text);
}

Value delisted_at(const Row& row) {
  return text_of(row, "status") == delisted ? row.at("recorded_at") : Value{};
}

Value fraction_digits(const Value& number) {
  const auto* decimal = std::get_if<Decimal>(&number);
  if (decimal == nullptr) return {};
  const std::string digits = decimal->to_string();
  const auto point = digits.find('.');
  return point == std::string::npos ? std::int64_t{0}
                                    : static_cast<std::int64_t>(digits.size() - point - 1);
}

}  // namespace

Result<std::int64_t> PostgresDimensions::find_or_add(std::string_view find, std::string_view name,
                                                     std::string_view add,
                                                     std::span<const Value> values) {
  for (int attempt = 0; attempt < 3; ++attempt) {
    const auto found = connection_.query(find, {std::string(name)});
    if (!found) return fail(found.error());
    if (found->size() > 0) return found->integer(0, 0);
    const auto added = connection_.query(add, values);
    if (!added) return fail(added.error());
  }
  return fail(ErrorKind::transient, "{}: is added and removed by somebody else", name);
}

Result<std::int64_t> PostgresDimensions::exchange_id(std::string_view name) {
  if (const auto known = exchanges_.find(name); known != exchanges_.end()) return known->second;
  const std::array<Value, 1> values{std::string(name)};
  const auto id =
      find_or_add("SELECT exchange_id FROM dim_exchange WHERE name = $1", name,
                  "INSERT INTO dim_exchange (name) VALUES ($1) ON CONFLICT DO NOTHING", values);
  if (id) exchanges_.emplace(name, *id);
  return id;
}

Result<std::int64_t> PostgresDimensions::crypto_id(std::string_view symbol, PairParts parts) {
  const auto known = cryptocurrencies_.find(symbol);
  if (known != cryptocurrencies_.end()) return known->second;
  if (parts.base.empty()) parts = parts_of(symbol);
  const Asset* asset = catalogue_.find_asset(parts.base);
  const auto fact = [&](const std::optional<std::string> Asset::* member) {
    return asset != nullptr && asset->*member ? Value{*(asset->*member)} : Value{};
  };
  const std::array<Value, 7> values{
      std::string(symbol),       std::string(parts.base),
      std::string(parts.quote),  asset == nullptr ? Value{} : Value{asset->name},
      fact(&Asset::sector),      fact(&Asset::launch_date),
      fact(&Asset::coingecko_id)};
  const auto id =
      find_or_add("SELECT crypto_id FROM dim_cryptocurrency WHERE symbol = $1", symbol,
                  "INSERT INTO dim_cryptocurrency (symbol, base, quote, name, sector, launch_date, "
                  "coingecko_id) SELECT $1, $2, $3, coalesce(a.name, $4), coalesce(a.sector, $5), "
                  "coalesce((a.launch_date AT TIME ZONE 'UTC')::date, $6::date), "
                  "coalesce(a.coingecko_id, $7) "
                  "FROM (SELECT 1) one LEFT JOIN assets a ON a.asset = $2 ON CONFLICT DO NOTHING",
                  values);
  if (id) cryptocurrencies_.emplace(symbol, *id);
  return id;
}

Result<void> PostgresDimensions::apply_instrument(const Row& row) {
  const auto exchange = exchange_id(text_of(row, "exchange"));
  if (!exchange) return fail(exchange.error());
  const auto crypto =
      crypto_id(text_of(row, "symbol"), {text_of(row, "base"), text_of(row, "quote")});
  if (!crypto) return fail(crypto.error());
  const auto life = connection_.query(
      "SELECT listing_id, crypto_id, status = 'delisted', recorded_at >= $4 FROM dim_listing "
      "WHERE exchange_id = $1 AND exchange_symbol = $2 AND market = $3 "
      "ORDER BY listing_id DESC LIMIT 1",
      {*exchange, row.at("exchange_symbol"), row.at("market"), row.at("recorded_at")});
  if (!life) return fail(life.error());

  Value listed_at = row.at("listed_at");
  if (life->size() > 0) {
    if (life->boolean(0, 3)) return {};  // older news
    const Value id = life->integer(0, 0);
    const bool is_same = life->integer(0, 1) == *crypto;
    const bool comes_back = life->boolean(0, 2) && text_of(row, "status") != delisted;
    if (is_same && !comes_back) {
      const auto updated = connection_.query(
          "UPDATE dim_listing SET status = $2, listed_at = coalesce($3::timestamptz, listed_at), "
          "delisted_at = CASE WHEN $4::timestamptz IS NULL THEN NULL "
          "ELSE coalesce(delisted_at, $4::timestamptz) END, price_precision = $5, "
          "size_precision = $6, tick_size = $7, step_size = $8, recorded_at = $9 "
          "WHERE listing_id = $1",
          {id, row.at("status"), listed_at, delisted_at(row), fraction_digits(row.at("tick_size")),
           fraction_digits(row.at("step_size")), row.at("tick_size"), row.at("step_size"),
           row.at("recorded_at")});
      if (!updated) return fail(updated.error());
      return {};
    }
    const auto ended = connection_.query(
        "UPDATE dim_listing SET status = 'delisted', delisted_at = $2, recorded_at = $2 "
        "WHERE listing_id = $1 AND delisted_at IS NULL",
        {id, row.at("recorded_at")});
    if (!ended) return fail(ended.error());
    // A later life begins when it was first seen.
    if (schema::is_null(listed_at)) listed_at = row.at("recorded_at");
  }
  const auto added = connection_.query(
      "INSERT INTO dim_listing (exchange_id, crypto_id, exchange_symbol, market, status, "
      "listed_at, "
      "delisted_at, price_precision, size_precision, tick_size, step_size, recorded_at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
      {*exchange, *crypto, row.at("exchange_symbol"), row.at("market"), row.at("status"), listed_at,
       delisted_at(row), fraction_digits(row.at("tick_size")), fraction_digits(row.at("step_size")),
       row.at("tick_size"), row.at("step_size"), row.at("recorded_at")});
  if (!added) return fail(added.error());
  return {};
}

void PostgresDimensions::forget() {
  exchanges_.clear();
  cryptocurrencies_.clear();
}

}  // namespace candlewick::warehouse
