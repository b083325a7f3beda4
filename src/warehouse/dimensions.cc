// Ids are looked up once and then remembered; a service meets a few thousand names at most.
#include "warehouse/dimensions.h"

#include <optional>
#include <utility>

namespace candlewick::warehouse {
namespace {

using schema::Row;

const std::string& text_of(const Row& row, std::string_view column) {
  static const std::string nothing;
  const auto* text = std::get_if<std::string>(&row.at(column));
  return text == nullptr ? nothing : *text;
}

std::optional<std::int64_t> us_of(const Row& row, std::string_view column) {
  const auto* time = std::get_if<Time>(&row.at(column));
  if (time == nullptr) return std::nullopt;
  return to_us(*time);
}

std::optional<std::string> digits_of(const Row& row, std::string_view column) {
  const auto* number = std::get_if<Decimal>(&row.at(column));
  if (number == nullptr) return std::nullopt;
  return number->to_string();
}

std::optional<std::int64_t> fraction_digits(const std::optional<std::string>& digits) {
  if (!digits) return std::nullopt;
  const auto point = digits->find('.');
  return point == std::string::npos ? 0 : static_cast<std::int64_t>(digits->size() - point - 1);
}

constexpr std::string_view delisted = "delisted";

// The moment of recording, of a row that says so.
std::optional<std::int64_t> delisted_at(const Row& row) {
  if (text_of(row, "status") != delisted) return std::nullopt;
  return us_of(row, "recorded_at");
}

}  // namespace

Result<void> Dimensions::prepare() {
  if (is_prepared_) return {};
  auto prepared = sqlite::prepare_all(
      database_,
      {{find_exchange_, "SELECT exchange_id FROM dim_exchange WHERE name = ?"},
       {add_exchange_, "INSERT INTO dim_exchange (name) VALUES (?)"},
       {find_crypto_, "SELECT crypto_id FROM dim_cryptocurrency WHERE symbol = ?"},
       {add_crypto_,
        "INSERT INTO dim_cryptocurrency (symbol, base, quote, name, sector, launch_date, "
        "coingecko_id) SELECT ?1, ?2, ?3, coalesce(a.name, ?4), coalesce(a.sector, ?5), "
        "coalesce(date(a.launch_date / 1000000, 'unixepoch'), ?6), coalesce(a.coingecko_id, ?7) "
        "FROM (SELECT 1) LEFT JOIN assets a ON a.asset = ?2"},
       {name_cryptos_,
        "UPDATE dim_cryptocurrency AS c SET name = a.name, sector = coalesce(a.sector, c.sector), "
        "launch_date = coalesce(date(a.launch_date / 1000000, 'unixepoch'), c.launch_date), "
        "coingecko_id = coalesce(a.coingecko_id, c.coingecko_id) "
        "FROM assets a WHERE a.asset = ?1 AND c.base = ?1"},
       {find_listing_,
        "SELECT listing_id, crypto_id, status, recorded_at FROM dim_listing WHERE exchange_id = ? "
        "AND exchange_symbol = ? AND market = ? ORDER BY listing_id DESC LIMIT 1"},
       {add_listing_,
        "INSERT INTO dim_listing (exchange_id, crypto_id, exchange_symbol, market, status, "
        "listed_at, "
        "delisted_at, price_precision, size_precision, tick_size, step_size, recorded_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
       {update_listing_,
        "UPDATE dim_listing SET status = ?2, listed_at = coalesce(?3, listed_at), "
        "delisted_at = CASE WHEN ?4 IS NULL THEN NULL ELSE coalesce(delisted_at, ?4) END, "
        "price_precision = ?5, size_precision = ?6, tick_size = ?7, step_size = ?8, recorded_at = "
        "?9 "
        "WHERE listing_id = ?1"},
       {end_listing_,
        "UPDATE dim_listing SET status = 'delisted', delisted_at = ?2, recorded_at = ?2 "
        "WHERE listing_id = ?1 AND delisted_at IS NULL"}});
  if (!prepared) return prepared;
  is_prepared_ = true;
  return {};
}

// 0 when it is not there.
Result<std::int64_t> Dimensions::find(sqlite::Statement& statement, std::string_view name) {
  statement.bind(1, name);
  const auto row = statement.step();
  const std::int64_t id = row && *row ? statement.integer(0) : 0;
  statement.reset();
  if (!row) return fail(row.error());
  return id;
}

Result<std::int64_t> Dimensions::exchange_id(std::string_view name) {
  if (const auto known = exchanges_.find(name); known != exchanges_.end()) return known->second;
  if (auto ready = prepare(); !ready) return fail(std::move(ready.error()));
  auto id = find(find_exchange_, name);
  if (id && *id == 0) {
    add_exchange_.bind(1, name);
    if (auto added = add_exchange_.run(); !added) return fail(std::move(added.error()));
    id = find(find_exchange_, name);
  }
  if (id) exchanges_.emplace(name, *id);
  return id;
}

Result<std::int64_t> Dimensions::crypto_id(std::string_view symbol, PairParts parts) {
  const auto known = cryptocurrencies_.find(symbol);
  if (known != cryptocurrencies_.end()) return known->second;
  if (auto ready = prepare(); !ready) return fail(std::move(ready.error()));
  auto id = find(find_crypto_, symbol);
  if (id && *id == 0) {
    if (parts.base.empty()) parts = parts_of(symbol);
    const Asset* asset = catalogue_.find_asset(parts.base);
    const auto fact = [&](const std::optional<std::string> Asset::* member) {
      return asset == nullptr ? std::nullopt : asset->*member;
    };
    const auto sector = fact(&Asset::sector);
    const auto launch_date = fact(&Asset::launch_date);
    const auto coingecko_id = fact(&Asset::coingecko_id);
    add_crypto_.bind(1, symbol);
    add_crypto_.bind(2, parts.base);
    add_crypto_.bind(3, parts.quote);
    asset == nullptr ? add_crypto_.bind_null(4) : add_crypto_.bind(4, asset->name);
    add_crypto_.bind(5, sector);
    add_crypto_.bind(6, launch_date);
    add_crypto_.bind(7, coingecko_id);
    if (auto added = add_crypto_.run(); !added) return fail(std::move(added.error()));
    id = find(find_crypto_, symbol);
  }
  if (id) cryptocurrencies_.emplace(symbol, *id);
  return id;
}

Result<std::optional<Dimensions::Life>> Dimensions::newest_life(std::int64_t exchange,
                                                                const std::string& ticker,
                                                                const std::string& market) {
  find_listing_.bind(1, exchange);
  find_listing_.bind(2, ticker);
  find_listing_.bind(3, market);
  const auto found = find_listing_.step();
  std::optional<Life> life;
  if (found && *found) {
    life = Life{.id = find_listing_.integer(0),
                .crypto_id = find_listing_.integer(1),
                .is_delisted = find_listing_.text(2) == delisted,
                .recorded_at = find_listing_.integer(3)};
  }
  find_listing_.reset();
  if (!found) return fail(found.error());
  return life;
}

Result<void> Dimensions::update_life(std::int64_t id, const Row& row) {
  const auto tick_size = digits_of(row, "tick_size");
  const auto step_size = digits_of(row, "step_size");
  update_listing_.bind(1, id);
  update_listing_.bind(2, text_of(row, "status"));
  update_listing_.bind(3, us_of(row, "listed_at"));
  update_listing_.bind(4, delisted_at(row));
  update_listing_.bind(5, fraction_digits(tick_size));
  update_listing_.bind(6, fraction_digits(step_size));
  update_listing_.bind(7, tick_size);
  update_listing_.bind(8, step_size);
  update_listing_.bind(9, us_of(row, "recorded_at"));
  return update_listing_.run();
}

Result<void> Dimensions::begin_life(std::int64_t exchange, std::int64_t crypto, const Row& row,
                                    std::optional<std::int64_t> listed_at) {
  const auto tick_size = digits_of(row, "tick_size");
  const auto step_size = digits_of(row, "step_size");
  add_listing_.bind(1, exchange);
  add_listing_.bind(2, crypto);
  add_listing_.bind(3, text_of(row, "exchange_symbol"));
  add_listing_.bind(4, text_of(row, "market"));
  add_listing_.bind(5, text_of(row, "status"));
  add_listing_.bind(6, listed_at);
  add_listing_.bind(7, delisted_at(row));
  add_listing_.bind(8, fraction_digits(tick_size));
  add_listing_.bind(9, fraction_digits(step_size));
  add_listing_.bind(10, tick_size);
  add_listing_.bind(11, step_size);
  add_listing_.bind(12, us_of(row, "recorded_at"));
  return add_listing_.run();
}

Result<void> Dimensions::apply_instrument(const Row& row) {
  if (auto ready = prepare(); !ready) return ready;
  const auto exchange = exchange_id(text_of(row, "exchange"));
  if (!exchange) return fail(exchange.error());
  const auto crypto =
      crypto_id(text_of(row, "symbol"), {text_of(row, "base"), text_of(row, "quote")});
  if (!crypto) return fail(crypto.error());
  const auto life = newest_life(*exchange, text_of(row, "exchange_symbol"), text_of(row, "market"));
  if (!life) return fail(life.error());
  auto listed_at = us_of(row, "listed_at");
  if (!*life) return begin_life(*exchange, *crypto, row, listed_at);

  const Life& last = **life;
  const auto recorded_at = us_of(row, "recorded_at").value_or(0);
  if (last.recorded_at >= recorded_at) return {};
  const bool is_same = last.crypto_id == *crypto;
  const bool comes_back = last.is_delisted && !delisted_at(row);
  if (is_same && !comes_back) return update_life(last.id, row);
  end_listing_.bind(1, last.id);
  end_listing_.bind(2, recorded_at);
  if (auto ended = end_listing_.run(); !ended) return ended;
  if (!listed_at) listed_at = recorded_at;  // a later life begins when it was first seen
  return begin_life(*exchange, *crypto, row, listed_at);
}

Result<void> Dimensions::apply_asset(const Row& row) {
  if (auto ready = prepare(); !ready) return ready;
  name_cryptos_.bind(1, text_of(row, "asset"));
  return name_cryptos_.run();
}

void Dimensions::forget() {
  exchanges_.clear();
  cryptocurrencies_.clear();
}

}  // namespace candlewick::warehouse
