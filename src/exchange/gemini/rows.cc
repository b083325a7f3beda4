// Rows to the parts of events. Above each stands a real one.
//
// Sources: docs.gemini.com (REST market data, WebSocket market data v2), read 2026-11-21; the
// recording of 2021.
#include "exchange/gemini/rows.h"

#include <algorithm>

#include "exchange/gemini/gemini.h"
#include "exchange/reading.h"

namespace candlewick::exchange::gemini {

// [1559755800000,7781.6,7820.23,7776.56,7819.39,34.7624802159]: open time, open, high, low, close,
// volume.
void read_candle(json::Value& row, Candle& candle) {
  int column = 0;
  row.elements([&](json::Value cell) {
    switch (column++) {
      case 0:
        candle.open_time = epoch(cell);
        break;
      case 1:
        candle.open = amount(cell);
        break;
      case 2:
        candle.high = amount(cell);
        break;
      case 3:
        candle.low = amount(cell);
        break;
      case 4:
        candle.close = amount(cell);
        break;
      case 5:
        candle.volume = amount(cell);
        break;
      default:
        break;
    }
  });
  if (column < 6) row.reject("a candle has 6 columns");
}

// {"type":"trade","symbol":"ANKRUSD","event_id":45465818387,"timestamp":1624493670759,
//  "price":"0.07946","quantity":"1020.482111","side":"buy"}
// {"timestamp":1547146811,"timestampms":1547146811357,"tid":5335307668,"price":"3610.85",
//  "amount":"0.27413495","exchange":"gemini","type":"buy"}
// The side is the taker's. Of REST's trades `type` is it.
std::string read_trade(json::Value& row, Trade& trade, bool& is_match) {
  std::string symbol;
  std::optional<std::uint64_t> event;
  std::optional<std::uint64_t> number;
  std::optional<Time> seconds;
  std::optional<Time> milliseconds;
  std::string side;
  unsigned seen = 0;
  is_match = true;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "symbol") {
      symbol = value.string();
    } else if (key == "event_id") {
      event = value.unsigned_integer();
    } else if (key == "tid") {
      number = value.unsigned_integer();
    } else if (key == "timestamp") {
      seconds = epoch(value);
    } else if (key == "timestampms") {
      milliseconds = epoch(value);
    } else if (key == "price") {
      trade.price = amount(value);
      seen |= 1;
    } else if (key == "quantity" || key == "amount") {
      trade.size = amount(value);
      seen |= 2;
    } else if (key == "side" || (key == "type" && value.raw() != "trade")) {
      side = value.raw();
    } else if (key == "broken" && value.type() == json::Type::boolean) {
      is_match = !value.boolean() && is_match;
    }
  });
  trade.origin.exchange_time = milliseconds ? milliseconds : seconds;
  const auto id = event ? event : number;
  if (seen != 3 || !id || !trade.origin.exchange_time || side.empty()) {
    row.reject("a trade has an id, a time, a price, an amount and a side");
    return symbol;
  }
  trade.id = trade.first_id = trade.last_id = *id;
  if (side == "auction" || side == "block") {
    is_match = false;
  } else if (side != "buy" && side != "sell") {
    row.reject("neither buy nor sell");
  }
  trade.taker_side = side == "buy" ? Side::buy : Side::sell;
  return symbol;
}

// A snapshot's bids fall and its asks rise.
void read_changes(json::Value& changes, BookUpdate& book) {
  book.bids.clear();
  book.asks.clear();
  changes.elements([&](json::Value row) {
    Level level;
    bool is_bid = false;
    int column = 0;
    row.elements([&](json::Value cell) {
      if (column == 0) {
        const auto side = cell.raw();
        if (side != "buy" && side != "sell") cell.reject("neither buy nor sell");
        is_bid = side == "buy";
      }
      if (column == 1) level.price = amount(cell);
      if (column == 2) level.size = amount(cell);
      ++column;
    });
    if (column < 3) return row.reject("a change has a side, a price and a size");
    (is_bid ? book.bids : book.asks).push_back(level);
  });
}

// {"bids":[{"price":"3607.85","amount":"6.643373","timestamp":"1547147541"},…],"asks":[…]}
void read_book(json::Value& row, BookUpdate& book) {
  const auto read_side = [](json::Value& side, std::vector<Level>& levels) {
    side.elements([&](json::Value one) {
      Level level;
      unsigned seen = 0;
      one.members([&](std::string_view key, json::Value value) {
        if (key == "price") {
          level.price = amount(value);
          seen |= 1;
        } else if (key == "amount") {
          level.size = amount(value);
          seen |= 2;
        }
      });
      if (seen != 3) return one.reject("a level has a price and an amount");
      levels.push_back(level);
    });
  };
  unsigned seen = 0;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "bids") {
      read_side(value, book.bids);
      seen |= 1;
    } else if (key == "asks") {
      read_side(value, book.asks);
      seen |= 2;
    }
  });
  if (seen != 3) row.reject("a book has bids and asks");
}

// {"bid":"9117.95","ask":"9117.96","volume":{"BTC":"1615.46861748","USD":"14727307.57545006088",
//  "timestamp":1594982700000},"last":"9115.23"}: the time is that of the volume, minutes ago.
// {"symbol":"BTCUSD","open":"9080.58","high":"9184.53","low":"9063.56","close":"9116.08",
//  "changes":["9117.33",…],"bid":"9115.86","ask":"9115.87"}
void read_ticker(json::Value& row, const Instrument& instrument, Ticker& ticker) {
  bool has_price = false;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "last" || key == "close") {
      ticker.last = optional_amount(value);
      has_price = true;
    }
    if (key == "bid") ticker.bid = optional_amount(value);
    if (key == "ask") ticker.ask = optional_amount(value);
    if (key == "open") ticker.open_24h = optional_amount(value);
    if (key == "high") ticker.high_24h = optional_amount(value);
    if (key == "low") ticker.low_24h = optional_amount(value);
    if (key != "volume" || value.type() != json::Type::object) return;
    value.members([&](std::string_view name, json::Value volume) {
      if (name == instrument.base) ticker.volume_24h = optional_amount(volume);
      if (name == instrument.quote) ticker.quote_volume_24h = optional_amount(volume);
    });
  });
  if (!has_price) row.reject("a ticker has a last price");
}

// {"symbol":"BTCUSD","base_currency":"BTC","quote_currency":"USD","tick_size":1E-8,
//  "quote_increment":0.01,"min_order_size":"0.00001","status":"open","wrap_enabled":false}:
// `tick_size` is the step of amounts.
std::optional<Instrument> read_details(json::Value& row) {
  Instrument listed;
  std::string status;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "symbol") listed.exchange_symbol = upper(value.string());
    if (key == "base_currency") listed.base = value.string();
    if (key == "quote_currency") listed.quote = value.string();
    if (key == "tick_size") listed.step_size = optional_amount(value);
    if (key == "quote_increment") listed.tick_size = optional_amount(value);
    if (key == "status") status = value.string();
  });
  if (listed.exchange_symbol.empty() || listed.base.empty() || listed.quote.empty()) {
    row.reject("a symbol's details name it and two currencies");
    return std::nullopt;
  }
  if (is_perpetual(listed.exchange_symbol)) return std::nullopt;
  listed.symbol = listed.base + "/" + listed.quote;
  listed.status = status == "open" ? ListingStatus::trading : ListingStatus::halted;
  listed.listed = true;
  return listed;
}

}  // namespace candlewick::exchange::gemini
