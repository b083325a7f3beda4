// Members to the parts of events. Above each stands a real one.
//
// Sources: www.bitstamp.net/api and /websocket/v2, read 2026-11-21.
#include "exchange/bitstamp/rows.h"

#include "exchange/bitstamp/bitstamp.h"
#include "exchange/reading.h"

namespace candlewick::exchange::bitstamp {
namespace {

// 0 is a taker who buys.
Side side_of(json::Value& type) {
  const auto number = type.raw();
  if (number != "0" && number != "1") type.reject("neither 0 nor 1");
  return number == "0" ? Side::buy : Side::sell;
}

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

}  // namespace

// {"amount":1e-08,"amount_str":"1E-8","buy_order_id":1341285759094784,"id":158457579,
//  "microtimestamp":"1616297318187000","price":57748.8,"price_str":"57748.80",
//  "sell_order_id":1341285698236416,"timestamp":"1616297318","type":0}
// The texts have the digits that count.
void read_trade(json::Value& row, Trade& trade) {
  bool has_id = false;
  bool has_side = false;
  std::optional<Decimal> price;
  std::optional<Decimal> price_text;
  std::optional<Decimal> size;
  std::optional<Decimal> size_text;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "id") {
      trade.id = trade.first_id = trade.last_id = value.unsigned_integer();
      has_id = true;
    } else if (key == "type") {
      trade.taker_side = side_of(value);
      has_side = true;
    } else if (key == "microtimestamp") {
      trade.origin.exchange_time = epoch(value);
    } else if (key == "price") {
      price = amount(value);
    } else if (key == "price_str") {
      price_text = amount(value);
    } else if (key == "amount") {
      size = amount(value);
    } else if (key == "amount_str") {
      size_text = amount(value);
    }
  });
  if (!price_text) price_text = price;
  if (!size_text) size_text = size;
  if (!has_id || !has_side || !trade.origin.exchange_time || !price_text || !size_text)
    return row.reject("a trade has id, type, microtimestamp, price and amount");
  trade.price = *price_text;
  trade.size = *size_text;
}

// {"date":"1560481868","tid":"90574283","price":"8194.79","type":"1","amount":"0.00288599"}
void read_transaction(json::Value& row, Trade& trade) {
  int fields = 0;
  row.members([&](std::string_view key, json::Value value) {
    ++fields;
    if (key == "date") {
      trade.origin.exchange_time = epoch(value);
    } else if (key == "tid") {
      trade.id = trade.first_id = trade.last_id = value.unsigned_integer();
    } else if (key == "price") {
      trade.price = amount(value);
    } else if (key == "type") {
      trade.taker_side = side_of(value);
    } else if (key == "amount") {
      trade.size = amount(value);
    } else {
      --fields;
    }
  });
  if (fields != 5) row.reject("a transaction has date, tid, price, type and amount");
}

// {"timestamp":"1653978373","microtimestamp":"1653978373164007","bids":[["31524.50","0.364"],…],
//  "asks":[…]}: replies of 2020 have no microtimestamp.
void read_book(json::Value& data, BookUpdate& book) {
  int sides = 0;
  std::optional<Time> second;
  data.members([&](std::string_view key, json::Value value) {
    if (key == "timestamp") second = epoch(value);
    if (key == "microtimestamp") {
      book.origin.exchange_time = epoch(value);
      book.sequence = value.unsigned_integer();
    }
    if (key != "bids" && key != "asks") return;
    ++sides;
    read_levels(value, key == "bids" ? book.bids : book.asks);
  });
  if (!book.origin.exchange_time) book.origin.exchange_time = second;
  if (sides != 2) data.reject("a book has bids and asks");
}

// {"high":"8200.00","timestamp":"1560481860","volume":"0.5","low":"8190.00","close":"8195.00",
//  "open":"8194.00"}
void read_candle(json::Value& row, Candle& candle) {
  int fields = 0;
  row.members([&](std::string_view key, json::Value value) {
    ++fields;
    if (key == "timestamp") {
      candle.open_time = epoch(value);
    } else if (key == "open") {
      candle.open = amount(value);
    } else if (key == "high") {
      candle.high = amount(value);
    } else if (key == "low") {
      candle.low = amount(value);
    } else if (key == "close") {
      candle.close = amount(value);
    } else if (key == "volume") {
      candle.volume = amount(value);
    } else {
      --fields;
    }
  });
  if (fields != 6) row.reject("a candle has a timestamp, four prices and a volume");
}

// {"ask":"2211.00","bid":"2188.97","high":"2811.00","last":"2211.00","low":"2188.97",
//  "open":"2211.00","open_24":"2211.00","percent_change_24":"13.57","side":"0",
//  "timestamp":"1643640186","volume":"213.26801100","vwap":"2189.80"}; in the list of all, each has
// its "pair".
std::string read_ticker(json::Value& root, Ticker& ticker) {
  std::string pair;
  root.members([&](std::string_view key, json::Value value) {
    const auto type = value.type();
    const bool is_scalar = type == json::Type::string || type == json::Type::number;
    if (!is_scalar || value.raw().empty()) return;
    if (key == "pair") pair = value.string();
    if (key == "ask") ticker.ask = amount(value);
    if (key == "bid") ticker.bid = amount(value);
    if (key == "high") ticker.high_24h = amount(value);
    if (key == "low") ticker.low_24h = amount(value);
    if (key == "last") ticker.last = amount(value);
    // "open" is the day's.
    if (key == "open_24") ticker.open_24h = amount(value);
    if (key == "percent_change_24") ticker.change_pct_24h = value.decimal();
    if (key == "volume") ticker.volume_24h = amount(value);
    if (key == "timestamp") ticker.origin.exchange_time = epoch(value);
  });
  if (!ticker.last) root.reject("a ticker has a last price");
  return pair;
}

// {"name":"BTC/USD","market_symbol":"btcusd","base_currency":"BTC","base_decimals":8,
//  "counter_currency":"USD","counter_decimals":0,"trading":"Enabled","market_type":"SPOT",…}; the
// list that came before it has "url_symbol", and only the name for the currencies.
Instrument read_listing(json::Value& row) {
  Instrument listed;
  std::string name;
  std::string_view kind = "SPOT";
  std::string_view trading;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "name") name = value.string();
    if (key == "market_symbol" || key == "url_symbol") listed.exchange_symbol = value.string();
    if (key == "base_currency") listed.base = unified_asset(value.string());
    if (key == "counter_currency") listed.quote = unified_asset(value.string());
    if (key == "base_decimals") listed.step_size = grid(value);
    if (key == "counter_decimals") listed.tick_size = grid(value);
    if (key == "trading") trading = value.raw();
    if (key == "market_type") kind = value.raw();
  });
  if (kind != "SPOT") return {};
  const auto slash = name.find('/');
  if (slash != std::string::npos && listed.base.empty())
    listed.base = unified_asset(std::string_view(name).substr(0, slash));
  if (slash != std::string::npos && listed.quote.empty())
    listed.quote = unified_asset(std::string_view(name).substr(slash + 1));
  if (listed.base.empty() || listed.quote.empty() || listed.exchange_symbol.empty())
    row.reject("a market has a symbol and its two currencies");
  listed.symbol = listed.base + "/" + listed.quote;
  listed.listed = true;
  listed.status = trading == "Enabled" ? ListingStatus::trading
                  : trading.empty()    ? ListingStatus::unknown
                                       : ListingStatus::halted;
  return listed;
}

}  // namespace candlewick::exchange::bitstamp
