// Values are checked against their columns before anything is sent: a stream drops what does not
// fit.
#include "sink/snowflake_rows.h"

#include <openssl/evp.h>

#include <array>
#include <utility>

#include "base/check.h"
#include "base/json_text.h"
#include "schema/table.h"

namespace candlewick::sink::snowflake {
namespace {

using Cell = std::optional<std::string>;

// Snowflake's own limit of a text is 16 MiB, 128 MiB where it was raised.
constexpr std::size_t max_text_bytes = std::size_t{16} << 20;

Cell cell_of(const schema::Value& value, CellType type) {
  struct Writer {
    CellType type;
    Cell operator()(schema::Null) const { return std::nullopt; }
    Cell operator()(bool flag) const { return flag ? "true" : "false"; }
    Cell operator()(std::int64_t number) const { return std::to_string(number); }
    Cell operator()(double number) const {
      std::string text;
      json::append(text, number);
      return text == "null" ? Cell{} : Cell{std::move(text)};
    }
    Cell operator()(Decimal number) const { return number.to_string(); }
    Cell operator()(Time moment) const {
      std::string text = time_text(moment);
      return type == CellType::date ? text.substr(0, text.find(' ')) : text;
    }
    Cell operator()(const std::string& words) const { return words; }
    Cell operator()(const schema::Json& document) const { return document.text; }
  };
  return std::visit(Writer{type}, value);
}

bool fits(const schema::Value& value, CellType type) {
  switch (type) {
    case CellType::text:
      return std::holds_alternative<std::string>(value);
    case CellType::integer:
      return std::holds_alternative<std::int64_t>(value);
    case CellType::boolean:
      return std::holds_alternative<bool>(value);
    case CellType::decimal:
      return std::holds_alternative<Decimal>(value);
    case CellType::real:
      return std::holds_alternative<double>(value);
    case CellType::date:
    case CellType::time:
      return std::holds_alternative<Time>(value);
    case CellType::json:
      return std::holds_alternative<schema::Json>(value);
  }
  std::unreachable();
}

std::string_view text_of(const schema::Row& row, std::string_view column) {
  const auto* text = std::get_if<std::string>(&row.at(column));
  return text == nullptr ? std::string_view{} : std::string_view(*text);
}

Time time_of(const schema::Row& row, std::string_view column) {
  const auto* moment = std::get_if<Time>(&row.at(column));
  return moment == nullptr ? Time{} : *moment;
}

// How many fractional digits a step has.
Cell digits_of(const schema::Value& step) {
  const auto* decimal = std::get_if<Decimal>(&step);
  if (decimal == nullptr) return std::nullopt;
  const std::string text = decimal->to_string();
  const auto point = text.find('.');
  return std::to_string(point == std::string::npos ? 0 : text.size() - point - 1);
}

Cell cell_of(const std::optional<std::string>& text) {
  return text;
}

}  // namespace

std::int64_t id_of(std::string_view name) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  check(EVP_Digest(name.data(), name.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1,
        "OpenSSL has SHA-256");
  std::uint64_t id = 0;
  for (std::size_t i = 0; i < 8; ++i) id = id << 8U | digest[i];
  return static_cast<std::int64_t>(id >> 12U);
}

RowMapper::RowMapper(std::vector<Target> targets, const warehouse::Catalogue& catalogue,
                     bool exchange_symbol_style)
    : targets_(std::move(targets)),
      catalogue_(catalogue),
      exchange_symbol_style_(exchange_symbol_style),
      exchange_(find("DIM_EXCHANGE")),
      cryptocurrency_(find("DIM_CRYPTOCURRENCY")),
      listing_(find("DIM_LISTING")),
      asset_(find("DIM_ASSET")),
      candle_(find("FACT_OHLCV")) {}

std::optional<std::size_t> RowMapper::find(std::string_view name) const {
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    if (targets_[i].name == name) return i;
  }
  return std::nullopt;
}

// A row whose cells are the log's own, in the log's order.
Result<void> RowMapper::append_plain(std::size_t target, const log::Entry& entry,
                                     std::vector<TargetRow>& rows) const {
  const Target& to = targets_[target];
  const schema::Row& row = entry.row;
  const bool has_ids = candle_ == target;
  const std::size_t spelled =
      exchange_symbol_style_ ? row.table->index_of("exchange_symbol") : schema::Table::npos;
  TargetRow out{.target = target, .sequence = entry.sequence, .cells = {}, .time = {}};
  out.cells.reserve(row.values.size());
  for (std::size_t i = 0; i < row.values.size(); ++i) {
    const std::string_view name = row.table->columns[i].name;
    if (has_ids && i < 2) {
      out.cells.emplace_back(std::to_string(id_of(text_of(row, name))));
      continue;
    }
    const TableColumn& column = to.columns[i];
    const bool respelled = spelled != schema::Table::npos && name == "symbol";
    const schema::Value& value = row.values[respelled ? spelled : i];
    if (schema::is_null(value) ? !column.nullable : !fits(value, column.type)) {
      return fail(ErrorKind::malformed, "{}.{}: a value of the wrong type", to.name, column.name);
    }
    out.cells.push_back(cell_of(value, column.type));
    if (out.cells.back() && out.cells.back()->size() > max_text_bytes) {
      return fail(ErrorKind::rejected, "{}.{}: a text of more than {} bytes", to.name, column.name,
                  max_text_bytes);
    }
    if (column.name == to.time_column) out.time = std::get<Time>(value);
  }
  rows.push_back(std::move(out));
  return {};
}

void RowMapper::append_exchange(std::string_view name, Time recorded_at, log::Sequence sequence,
                                std::vector<TargetRow>& rows) {
  Cell display;
  Cell region;
  Cell fees;
  for (const auto& facts : catalogue_.exchanges()) {
    if (facts.name != name) continue;
    display = cell_of(facts.display_name);
    region = cell_of(facts.region);
    if (facts.trading_fees) fees = facts.trading_fees->to_string();
  }
  rows.push_back({.target = *exchange_,
                  .sequence = sequence,
                  .cells = {std::to_string(id_of(name)), std::string(name), display, region, fees,
                            time_text(recorded_at)},
                  .time = {}});
}

void RowMapper::append_cryptocurrency(std::string_view symbol, warehouse::PairParts parts,
                                      Time recorded_at, log::Sequence sequence,
                                      std::vector<TargetRow>& rows) {
  if (parts.base.empty()) parts = warehouse::parts_of(symbol);
  const warehouse::Asset* const asset = catalogue_.find_asset(parts.base);
  Cell name;
  Cell sector;
  Cell launched;
  Cell coingecko;
  if (asset != nullptr) {
    name = asset->name;
    sector = cell_of(asset->sector);
    launched = cell_of(asset->launch_date);
    coingecko = cell_of(asset->coingecko_id);
  }
  rows.push_back({.target = *cryptocurrency_,
                  .sequence = sequence,
                  .cells = {std::to_string(id_of(symbol)), std::string(symbol), name, sector,
                            launched, std::string(parts.base), std::string(parts.quote), coingecko,
                            time_text(recorded_at)},
                  .time = {}});
}

void RowMapper::append_instrument(const log::Entry& entry, std::vector<TargetRow>& rows) {
  const schema::Row& row = entry.row;
  const std::string_view exchange = text_of(row, "exchange");
  const std::string_view symbol = text_of(row, "symbol");
  const Time recorded_at = time_of(row, "recorded_at");
  append_exchange(exchange, recorded_at, entry.sequence, rows);
  append_cryptocurrency(symbol, {text_of(row, "base"), text_of(row, "quote")}, recorded_at,
                        entry.sequence, rows);
  const bool is_delisted = text_of(row, "status") == "delisted";
  rows.push_back(
      {.target = *listing_,
       .sequence = entry.sequence,
       .cells = {std::to_string(id_of(exchange)), std::to_string(id_of(symbol)),
                 std::string(text_of(row, "exchange_symbol")), std::string(text_of(row, "market")),
                 std::string(text_of(row, "status")), cell_of(row.at("listed_at"), CellType::time),
                 is_delisted ? Cell{time_text(recorded_at)} : Cell{},
                 digits_of(row.at("tick_size")), digits_of(row.at("step_size")),
                 cell_of(row.at("tick_size"), CellType::decimal),
                 cell_of(row.at("step_size"), CellType::decimal), time_text(recorded_at)},
       .time = {}});
}

Result<void> RowMapper::append(const log::Entry& entry, std::vector<TargetRow>& rows) {
  const schema::Table* const table = entry.row.table;
  if (table == &schema::instruments) {
    if (listing_) append_instrument(entry, rows);
    return {};
  }
  if (table == &schema::assets) {
    return asset_ ? append_plain(*asset_, entry, rows) : Result<void>{};
  }
  if (table == &schema::fact_ohlcv) {
    if (!candle_) return {};
    // A candle may come before the news of its instrument, which then replaces this.
    const std::string_view exchange = text_of(entry.row, "exchange");
    const std::string_view symbol = text_of(entry.row, "symbol");
    if (named_.emplace("exchange " + std::string(exchange)).second) {
      append_exchange(exchange, Time{}, entry.sequence, rows);
    }
    if (named_.emplace("symbol " + std::string(symbol)).second) {
      append_cryptocurrency(symbol, {}, Time{}, entry.sequence, rows);
    }
    return append_plain(*candle_, entry, rows);
  }
  if (table == &schema::market_ticks) return append_plain(*find("MARKET_TICKS"), entry, rows);
  if (table == &schema::technical_indicators) {
    return append_plain(*find("TECHNICAL_INDICATORS"), entry, rows);
  }
  return {};  // the warehouse's own business
}

void append_json_line(std::string& out, const Target& target, const TargetRow& row) {
  json::Members members(out);
  for (std::size_t i = 0; i < target.columns.size(); ++i) {
    const TableColumn& column = target.columns[i];
    const auto& cell = row.cells[i];
    if (!cell) continue;  // absent is null
    switch (column.type) {
      case CellType::integer:
      case CellType::boolean:
      case CellType::real:
      case CellType::json:
        members.raw(column.name, *cell);
        break;
      case CellType::text:
      case CellType::decimal:
      case CellType::date:
      case CellType::time:
        members(column.name, *cell);
        break;
    }
  }
  members.close();
  out += '\n';
}

}  // namespace candlewick::sink::snowflake
