// Columns to the parts of events. Above each stands a real row.
//
// Sources: docs.bitfinex.com/reference (ws-public-ticker, -trades, -books, -candles and their REST
// twins), read 2026-11-21.
#include "exchange/bitfinex/rows.h"

#include <algorithm>

#include "exchange/reading.h"

namespace candlewick::exchange::bitfinex {
namespace {

Decimal magnitude(Decimal value) {
  return value.is_negative() ? -value : value;
}

// Reads columns of one row; the first thing that is wrong sticks.
class Columns {
 public:
  Columns(const Row& row, std::string_view what) : row_(row), what_(what) {}

  Decimal number(std::size_t at) {
    if (!row_.columns[at]) fail_at(at, "no number");
    return row_.columns[at].value_or(Decimal{});
  }
  Decimal amount(std::size_t at) {
    const Decimal value = number(at);
    if (value.is_negative()) fail_at(at, "negative");
    return value;
  }
  // Null is none.
  std::optional<Decimal> optional_number(std::size_t at) {
    return row_.nulls[at] ? std::nullopt : std::optional{number(at)};
  }
  std::optional<Decimal> optional_amount(std::size_t at) {
    return row_.nulls[at] ? std::nullopt : std::optional{amount(at)};
  }
  std::uint64_t whole(std::size_t at) {
    const Decimal value = number(at);
    constexpr std::int64_t most = 1'000'000'000'000'000'000;
    if (value.is_negative() || value > Decimal{most} || value.count() % Decimal::one != 0) {
      fail_at(at, "no whole number");
      return 0;
    }
    return static_cast<std::uint64_t>(value.count() / Decimal::one);
  }
  Time time(std::size_t at) {
    const auto time = time_of_epoch(static_cast<std::int64_t>(whole(at)));
    if (!time) fail_at(at, "no time");
    return time.value_or(Time{});
  }
  Result<void> finish() const { return result_; }

 private:
  void fail_at(std::size_t at, std::string_view why) {
    if (result_) result_ = fail(ErrorKind::malformed, "{}: column {}: {}", what_, at, why);
  }

  const Row& row_;
  std::string_view what_;
  Result<void> result_;
};

void read(Row& row, std::size_t at, json::Value& part) {
  if (at >= row.columns.size()) return;
  if (part.type() == json::Type::number) row.columns[at] = part.decimal();
  row.nulls[at] = part.is_null();
}

}  // namespace

NamedRow read_named_row(json::Value& value) {
  NamedRow named;
  std::size_t place = 0;
  value.elements([&](json::Value part) {
    const auto at = place++;
    if (at == 0) {
      named.name = part.string();
    } else {
      read(named.row, at - 1, part);
    }
  });
  return named;
}

void read_rows(json::Value& value, Rows& into) {
  into.rows.clear();
  into.is_list = true;
  std::size_t column = 0;
  value.elements([&](json::Value part) {
    if (part.type() == json::Type::array) {
      Row& row = into.rows.emplace_back();
      std::size_t inner = 0;
      part.elements([&](json::Value item) { read(row, inner++, item); });
      return;
    }
    if (column == 0) {
      into.is_list = false;
      into.rows.emplace_back();
    }
    read(into.rows.front(), column++, part);
  });
}

// [669899159,1618665870435,166.391496,0.076989]: a taker who sells has a negative amount.
Result<Trade> trade_of(const Row& row, const Origin& origin) {
  Columns columns(row, "trade");
  Trade trade;
  trade.origin = origin;
  trade.id = trade.first_id = trade.last_id = columns.whole(0);
  trade.origin.exchange_time = columns.time(1);
  const Decimal amount = columns.number(2);
  trade.taker_side = amount.is_negative() ? Side::sell : Side::buy;
  trade.size = magnitude(amount);
  trade.price = columns.amount(3);
  if (auto read = columns.finish(); !read) return fail(read.error());
  return trade;
}

// [1654075080000,31619,31619,31619,31619,0.00843875]: the close stands before the high.
Result<Candle> candle_of(const Row& row, const Origin& origin, Timeframe timeframe) {
  Columns columns(row, "candle");
  Candle candle;
  candle.origin = origin;
  candle.timeframe = timeframe;
  candle.open_time = columns.time(0);
  candle.open = columns.amount(1);
  candle.close = columns.amount(2);
  candle.high = columns.amount(3);
  candle.low = columns.amount(4);
  candle.volume = columns.amount(5);
  if (auto read = columns.finish(); !read) return fail(read.error());
  return candle;
}

// [29967,8.32497516,29976,13.30144555,-1674,-0.0529,29966,488.04182112,31887,29335]: bid and ask,
// each with the sum of the 25 best sizes, change, its share, last, volume, high, low. All of them
// are null where nothing was traded yet.
Result<Ticker> ticker_of(const Row& row, const Origin& origin) {
  Columns columns(row, "ticker");
  Ticker ticker;
  ticker.origin = origin;
  ticker.bid = columns.optional_amount(0);
  ticker.ask = columns.optional_amount(2);
  if (const auto share = columns.optional_number(5))
    ticker.change_pct_24h = Decimal::multiply(*share, Decimal{100});
  ticker.last = columns.optional_amount(6);
  ticker.volume_24h = columns.optional_amount(7);
  ticker.high_24h = columns.optional_amount(8);
  ticker.low_24h = columns.optional_amount(9);
  if (auto read = columns.finish(); !read) return fail(read.error());
  return ticker;
}

// [34668,1,-0.00813136]: price, count, amount. A level that goes: [0.00002532,0,-1].
Result<void> add_level(const Row& row, BookUpdate& book) {
  Columns columns(row, "level");
  Level level;
  level.price = columns.amount(0);
  const bool is_gone = columns.whole(1) == 0;
  const Decimal amount = columns.number(2);
  if (!is_gone) level.size = magnitude(amount);
  if (auto read = columns.finish(); !read) return read;
  (amount.is_negative() ? book.asks : book.bids).push_back(level);
  return {};
}

void sort_sides(BookUpdate& book) {
  std::ranges::sort(book.bids, std::ranges::greater{}, &Level::price);
  std::ranges::sort(book.asks, {}, &Level::price);
}

}  // namespace candlewick::exchange::bitfinex
