// Members to the parts of events. Above each stands a real one.
//
// Sources: huobiapi.github.io/docs/spot/v1/en, read 2026-11-21.
#include "exchange/htx/rows.h"

#include <algorithm>

#include "exchange/htx/htx.h"
#include "exchange/reading.h"

namespace candlewick::exchange::htx {
namespace {

Decimal grid(json::Value& digits) {
  const auto count = digits.integer();
  Decimal step{1};
  if (count < 0 || count > Decimal::scale) {
    digits.reject("no number of digits");
    return step;
  }
  for (std::int64_t i = 0; i < count; ++i) step = Decimal::from_count(step.count() / 10);
  return step;
}

// [29805.62,0.309487], or one level alone.
void read_price_and_size(json::Value& pair, std::optional<Decimal>& price,
                         std::optional<Decimal>& size) {
  int place = 0;
  pair.elements([&](json::Value part) {
    if (place == 0) price = amount(part);
    if (place == 1) size = amount(part);
    ++place;
  });
}

}  // namespace

// {"id":1654081320,"open":31545.71,"close":31545.72,"low":31545.71,"high":31545.72,
//  "amount":0.015443758717188892,"vol":487.1844552,"count":4}
void read_candle(json::Value& row, Candle& candle) {
  int fields = 0;
  row.members([&](std::string_view key, json::Value value) {
    ++fields;
    if (key == "id") {
      candle.open_time = epoch(value);
    } else if (key == "open") {
      candle.open = amount(value);
    } else if (key == "close") {
      candle.close = amount(value);
    } else if (key == "low") {
      candle.low = amount(value);
    } else if (key == "high") {
      candle.high = amount(value);
    } else if (key == "amount") {
      candle.volume = amount(value);
    } else {
      --fields;
      if (key == "vol") candle.quote_volume = amount(value);
      if (key == "count") candle.trade_count = value.unsigned_integer();
    }
  });
  if (fields != 6) row.reject("a candle has an id, four prices and an amount");
}

// {"id":123140716701236887569077664,"ts":1616243199156,"tradeId":102357140867,"amount":1.98E-4,
//  "price":58911.07,"direction":"sell"}; REST writes trade-id.
void read_trade(json::Value& row, Trade& trade) {
  int fields = 0;
  row.members([&](std::string_view key, json::Value value) {
    ++fields;
    if (key == "ts") {
      trade.origin.exchange_time = epoch(value);
    } else if (key == "tradeId" || key == "trade-id") {
      trade.id = trade.first_id = trade.last_id = value.unsigned_integer();
    } else if (key == "amount") {
      trade.size = amount(value);
    } else if (key == "price") {
      trade.price = amount(value);
    } else if (key == "direction") {
      const auto side = value.raw();
      if (side != "buy" && side != "sell") value.reject("neither buy nor sell");
      trade.taker_side = side == "buy" ? Side::buy : Side::sell;
    } else {
      --fields;
    }
  });
  if (fields != 5) row.reject("a trade has ts, tradeId, amount, price and direction");
}

// {"seqId":155441231856,"ask":31764.09,"askSize":0.794873,"bid":31764.08,"bidSize":4.378544,
//  "quoteTime":1654031600064,"symbol":"btcusdt"}
void read_quote(json::Value& tick, Quote& quote) {
  int fields = 0;
  tick.members([&](std::string_view key, json::Value value) {
    ++fields;
    if (key == "ask") {
      quote.ask = amount(value);
    } else if (key == "askSize") {
      quote.ask_size = amount(value);
    } else if (key == "bid") {
      quote.bid = amount(value);
    } else if (key == "bidSize") {
      quote.bid_size = amount(value);
    } else {
      --fields;
      if (key == "seqId") quote.sequence = value.unsigned_integer();
      if (key == "quoteTime") quote.origin.exchange_time = epoch(value);
    }
  });
  if (fields != 4) tick.reject("a quote has ask, askSize, bid and bidSize");
}

// {"id":311070770838,"low":29326.15,"high":31899.51,"open":31666.3,"close":29952.31,
//  "vol":8.181588598785326E8,"amount":26897.159881877742,"version":311070770838,"count":699452};
// market.$symbol.ticker adds "bid":…,"bidSize":…,"ask":…,"askSize":…,"lastPrice":…, REST
// "bid":[…,…],"ask":[…,…]; where there are those of all symbols, each names its own.
std::string read_ticker(json::Value& tick, Ticker& ticker) {
  std::string symbol;
  std::optional<Decimal> last;
  tick.members([&](std::string_view key, json::Value value) {
    const bool is_pair = value.type() == json::Type::array;
    if (key == "bid" && is_pair) return read_price_and_size(value, ticker.bid, ticker.bid_size);
    if (key == "ask" && is_pair) return read_price_and_size(value, ticker.ask, ticker.ask_size);
    if (value.is_null() || is_pair || value.type() == json::Type::object) return;
    if (key == "symbol") symbol = value.string();
    if (key == "low") ticker.low_24h = amount(value);
    if (key == "high") ticker.high_24h = amount(value);
    if (key == "open") ticker.open_24h = amount(value);
    if (key == "close") ticker.last = amount(value);
    if (key == "lastPrice") last = amount(value);
    if (key == "amount") ticker.volume_24h = amount(value);
    if (key == "vol") ticker.quote_volume_24h = amount(value);
    if (key == "bid") ticker.bid = amount(value);
    if (key == "bidSize") ticker.bid_size = amount(value);
    if (key == "ask") ticker.ask = amount(value);
    if (key == "askSize") ticker.ask_size = amount(value);
  });
  if (last) ticker.last = last;
  if (!ticker.last) tick.reject("a ticker has a close");
  return symbol;
}

// {"seqNum":129803485567,"prevSeqNum":129803485424,"bids":[[38765.39,0.0]],"asks":[]}; a side that
// did not change may be left out or null. Books of one piece have a "version".
void read_book(json::Value& tick, BookUpdate& book) {
  bool has_side = false;
  tick.members([&](std::string_view key, json::Value value) {
    if (value.is_null()) return;
    if (key == "seqNum" || key == "version") book.sequence = value.unsigned_integer();
    if (key == "prevSeqNum") book.previous_sequence = value.unsigned_integer();
    if (key == "ts") book.origin.exchange_time = epoch(value);
    if (key != "bids" && key != "asks") return;
    has_side = true;
    read_levels(value, key == "bids" ? book.bids : book.asks);
  });
  if (!has_side && !book.sequence) tick.reject("a book has bids and asks");
}

// {"base-currency":"btt","quote-currency":"eth","price-precision":10,"amount-precision":2,
//  "symbol":"btteth","state":"online",…}
Instrument read_listing(json::Value& row) {
  Instrument listed;
  std::string_view state;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "base-currency") listed.base = unified_asset(value.string());
    if (key == "quote-currency") listed.quote = unified_asset(value.string());
    if (key == "symbol") listed.exchange_symbol = value.string();
    if (key == "state") state = value.raw();
    if (key == "price-precision") listed.tick_size = grid(value);
    if (key == "amount-precision") listed.step_size = grid(value);
  });
  if (listed.base.empty() || listed.quote.empty() || listed.exchange_symbol.empty())
    row.reject("a listing has a symbol and its two currencies");
  listed.symbol = listed.base + "/" + listed.quote;
  listed.listed = true;
  // The others: offline, suspend, pre-online, transfer-board, fuse.
  listed.status = state == "online"    ? ListingStatus::trading
                  : state == "offline" ? ListingStatus::delisted
                  : state.empty()      ? ListingStatus::unknown
                                       : ListingStatus::halted;
  return listed;
}

}  // namespace candlewick::exchange::htx
