// Members and columns to the parts of events. Above each stands a real one.
//
// Source: bybit-exchange/docs at 072c197d0 (2026-07-24), docs/v5, read 2026-11-21.
#include "exchange/bybit/rows.h"

#include <array>

#include "exchange/reading.h"

namespace candlewick::exchange::bybit {
namespace {

Side side_of(json::Value& value) {
  const auto side = value.raw();
  if (side != "Buy" && side != "Sell") value.reject("neither Buy nor Sell");
  return side == "Buy" ? Side::buy : Side::sell;
}

// Spot's ids are numbers; other markets' are not.
void read_id(json::Value& value, Trade& trade) {
  const auto id = value.raw();
  const bool is_number =
      !id.empty() && id.size() < 20 && id.find_first_not_of("0123456789") == std::string_view::npos;
  if (is_number) {
    trade.id = trade.first_id = trade.last_id = value.unsigned_integer();
  } else {
    trade.text_id = value.string();
  }
}

}  // namespace

// {"start":1672324800000,"end":1672325099999,"interval":"5","open":"16649.5","close":"16677",
//  "high":"16677","low":"16608","volume":"2.081","turnover":"34666.4005","confirm":false,
//  "timestamp":1672324988882}
void read_kline(json::Value& row, Candle& candle) {
  unsigned seen = 0;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "start") {
      candle.open_time = epoch(value);
      seen |= 1;
    } else if (key == "open") {
      candle.open = amount(value);
      seen |= 2;
    } else if (key == "high") {
      candle.high = amount(value);
      seen |= 4;
    } else if (key == "low") {
      candle.low = amount(value);
      seen |= 8;
    } else if (key == "close") {
      candle.close = amount(value);
      seen |= 16;
    } else if (key == "volume") {
      candle.volume = amount(value);
      seen |= 32;
    } else if (key == "turnover") {
      candle.quote_volume = amount(value);
    } else if (key == "confirm") {
      candle.is_closed = value.boolean();
      seen |= 64;
    }
  });
  if (seen != 127) row.reject("a kline lacks a member");
}

// ["1670608800000","17071","17073","17027","17055.5","268611","15.74462667"]: open time, open,
// high, low, close, volume, turnover.
void read_kline_columns(json::Value& row, Candle& candle) {
  const std::array<Decimal*, 6> columns{&candle.open,   &candle.high,
                                        &candle.low,    &candle.close,
                                        &candle.volume, &candle.quote_volume.emplace()};
  std::size_t column = 0;
  row.elements([&](json::Value cell) {
    if (column == 0) candle.open_time = epoch(cell);
    if (column >= 1 && column <= columns.size()) *columns[column - 1] = amount(cell);
    ++column;
  });
  if (column < 7) row.reject("a kline has 7 columns");
}

// {"i":"2290000000050703789","T":1680652847524,"p":"28165.38","v":"0.041732","S":"Sell",
//  "s":"BTCUSDT","BT":false}: S is the taker's side.
void read_trade(json::Value& row, Trade& trade) {
  unsigned seen = 0;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "i") {
      read_id(value, trade);
    } else if (key == "T") {
      trade.origin.exchange_time = epoch(value);
      seen |= 1;
    } else if (key == "p") {
      trade.price = amount(value);
      seen |= 2;
    } else if (key == "v") {
      trade.size = amount(value);
      seen |= 4;
    } else if (key == "S") {
      trade.taker_side = side_of(value);
      seen |= 8;
    }
  });
  if (seen != 15) row.reject("a trade has T, p, v and S");
}

// {"execId":"2100000000007764263","symbol":"BTCUSDT","price":"16618.49","size":"0.00012",
//  "side":"Buy","time":"1672052955758","isBlockTrade":false}
std::string read_recent_trade(json::Value& row, Trade& trade) {
  std::string symbol;
  unsigned seen = 0;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "execId") {
      read_id(value, trade);
    } else if (key == "symbol") {
      symbol = value.string();
    } else if (key == "price") {
      trade.price = amount(value);
      seen |= 1;
    } else if (key == "size") {
      trade.size = amount(value);
      seen |= 2;
    } else if (key == "side") {
      trade.taker_side = side_of(value);
      seen |= 4;
    } else if (key == "time") {
      trade.origin.exchange_time = epoch(value);
      seen |= 8;
    }
  });
  if (seen != 15) row.reject("a trade has price, size, side and time");
  return symbol;
}

// {"symbol":"BTCUSDT","lastPrice":"21109.77","highPrice24h":"21426.99","lowPrice24h":"20575",
//  "prevPrice24h":"20704.93","volume24h":"6780.866843","turnover24h":"141946527.22907118",
//  "price24hPcnt":"0.0196","usdIndexPrice":"21120.2400136"}; REST adds bid1Price and so on.
std::string read_ticker(json::Value& row, Ticker& ticker) {
  std::string symbol;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "symbol") symbol = value.string();
    if (key == "lastPrice") ticker.last = optional_amount(value);
    if (key == "prevPrice24h") ticker.open_24h = optional_amount(value);
    if (key == "highPrice24h") ticker.high_24h = optional_amount(value);
    if (key == "lowPrice24h") ticker.low_24h = optional_amount(value);
    if (key == "volume24h") ticker.volume_24h = optional_amount(value);
    if (key == "turnover24h") ticker.quote_volume_24h = optional_amount(value);
    if (key == "bid1Price") ticker.bid = optional_amount(value);
    if (key == "bid1Size") ticker.bid_size = optional_amount(value);
    if (key == "ask1Price") ticker.ask = optional_amount(value);
    if (key == "ask1Size") ticker.ask_size = optional_amount(value);
    // A fraction: 0.0196 is 1.96 %.
    if (key == "price24hPcnt" && !value.raw().empty())
      ticker.change_pct_24h = Decimal::multiply(value.decimal(), Decimal{100});
  });
  return symbol;
}

// {"s":"BTCUSDT","b":[["28162.57","0.07562"],…],"a":[…],"u":59438060,"seq":4281282229}
std::optional<std::uint64_t> read_book(json::Value& row, BookUpdate& book) {
  std::optional<std::uint64_t> seq;
  LevelDigits digits;
  unsigned seen = 0;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "b") {
      read_levels(value, book.bids, &digits);
      seen |= 1;
    } else if (key == "a") {
      read_levels(value, book.asks, &digits);
      seen |= 2;
    } else if (key == "u") {
      book.sequence = value.unsigned_integer();
      seen |= 4;
    } else if (key == "seq") {
      seq = value.unsigned_integer();
    } else if (key == "ts" && !book.origin.exchange_time) {
      book.origin.exchange_time = epoch(value);
    }
  });
  if (seen != 7) row.reject("a book has b, a and u");
  book.price_digits = digits.price;
  book.size_digits = digits.size;
  return seq;
}

// {"symbol":"BTCUSDT","baseCoin":"BTC","quoteCoin":"USDT","status":"Trading",
//  "lotSizeFilter":{"basePrecision":"0.000001",…},"priceFilter":{"tickSize":"0.01"},…}
Instrument read_listing(json::Value& row) {
  Instrument instrument;
  instrument.listed = true;
  std::string_view status;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "symbol") instrument.exchange_symbol = value.string();
    if (key == "baseCoin") instrument.base = value.string();
    if (key == "quoteCoin") instrument.quote = value.string();
    if (key == "status") status = value.raw();
    if (key != "lotSizeFilter" && key != "priceFilter") return;
    value.members([&](std::string_view name, json::Value part) {
      if (name == "basePrecision") instrument.step_size = optional_amount(part);
      if (name == "tickSize") instrument.tick_size = optional_amount(part);
    });
  });
  if (instrument.exchange_symbol.empty() || instrument.base.empty() || instrument.quote.empty())
    row.reject("a listing has symbol, baseCoin and quoteCoin");
  instrument.symbol = instrument.base + "/" + instrument.quote;
  instrument.status = status == "Trading"     ? ListingStatus::trading
                      : status == "PreLaunch" ? ListingStatus::halted
                      : status == "Closed"    ? ListingStatus::delisted
                                              : ListingStatus::unknown;
  return instrument;
}

}  // namespace candlewick::exchange::bybit
