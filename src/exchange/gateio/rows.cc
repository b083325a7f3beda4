// Rows to the parts of events. Above each stands a real one.
//
// Sources: www.gate.io/docs/developers/apiv4 (REST and WebSocket of spot), read 2026-11-21;
// recordings of 2021 and 2022.
#include "exchange/gateio/rows.h"

#include "exchange/gateio/gateio.h"
#include "exchange/reading.h"

namespace candlewick::exchange::gateio {
namespace {

// Milliseconds with a fraction: "1619093543708.2642".
Time fractional_ms(json::Value& value) {
  constexpr int128 counts_of_a_nanosecond = Decimal::one / 1'000'000;
  const auto nanoseconds = value.decimal().count() / counts_of_a_nanosecond;
  constexpr std::int64_t first = 1'000'000'000'000'000'000;  // of 2001
  constexpr std::int64_t last = 9'000'000'000'000'000'000;
  if (nanoseconds < first || nanoseconds > last) {
    value.reject("not a time");
    return {};
  }
  return Time{Duration{static_cast<std::int64_t>(nanoseconds)}};
}

Decimal power_of_ten(std::uint64_t digits) {
  int128 count = Decimal::one;
  for (std::uint64_t i = 0; i < digits && i < 18; ++i) count /= 10;
  return Decimal::from_count(count);
}

// The volumes of pairs that are hardly traded have been "nan".
std::optional<Decimal> volume(json::Value& value) {
  if (!value.is_null() && value.raw() == "nan") return std::nullopt;
  return optional_amount(value);
}

}  // namespace

// {"t":"1662803040","v":"3272.187909","c":"21342.41","h":"21352.26","l":"21342.41","o":"21352.26",
//  "n":"1m_BTC_USDT","a":"0.1533","w":true}: volume in quote units, volume, whether its window is
// closed. There was no volume in base units in 2021, and no flag in 2022.
std::string read_candle(json::Value& row, Candle& candle) {
  std::string name;
  unsigned seen = 0;
  bool has_volume = false;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "n") {
      name = value.string();
    } else if (key == "t") {
      candle.open_time = epoch(value);
      seen |= 1;
    } else if (key == "o") {
      candle.open = amount(value);
      seen |= 2;
    } else if (key == "h") {
      candle.high = amount(value);
      seen |= 4;
    } else if (key == "l") {
      candle.low = amount(value);
      seen |= 8;
    } else if (key == "c") {
      candle.close = amount(value);
      seen |= 16;
    } else if (key == "v") {
      candle.quote_volume = amount(value);
    } else if (key == "a") {
      candle.volume = amount(value);
      has_volume = true;
    } else if (key == "w") {
      candle.is_closed = value.boolean();
    }
  });
  if (seen != 31 || name.empty()) row.reject("a candle has n, t, o, h, l and c");
  if (!has_volume) name.clear();
  return name;
}

// ["1539852480","971519.677","0.0021724","0.0021922","0.0021724","0.0021737","446.8","true"]: open
// time, volume in quote units, close, high, low, open, volume, whether its window is closed.
void read_candle_row(json::Value& row, Candle& candle) {
  int column = 0;
  row.elements([&](json::Value cell) {
    switch (column++) {
      case 0:
        candle.open_time = epoch(cell);
        break;
      case 1:
        candle.quote_volume = amount(cell);
        break;
      case 2:
        candle.close = amount(cell);
        break;
      case 3:
        candle.high = amount(cell);
        break;
      case 4:
        candle.low = amount(cell);
        break;
      case 5:
        candle.open = amount(cell);
        break;
      case 6:
        candle.volume = amount(cell);
        break;
      default:
        break;
    }
  });
  if (column < 7) row.reject("a candle has at least 7 columns");
}

// {"id":309143071,"create_time":1606292218,"create_time_ms":"1606292218213.4578","side":"sell",
//  "currency_pair":"GT_USDT","amount":"16.4700000000","price":"0.4705000000"}
std::string read_trade(json::Value& row, Trade& trade) {
  std::string symbol;
  std::optional<Time> coarse;
  unsigned seen = 0;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "currency_pair") {
      symbol = value.string();
    } else if (key == "id") {
      trade.id = trade.first_id = trade.last_id = value.unsigned_integer();
      seen |= 1;
    } else if (key == "price") {
      trade.price = amount(value);
      seen |= 2;
    } else if (key == "amount") {
      trade.size = amount(value);
      seen |= 4;
    } else if (key == "side") {
      const auto side = value.raw();
      if (side != "buy" && side != "sell") value.reject("neither buy nor sell");
      trade.taker_side = side == "buy" ? Side::buy : Side::sell;
      seen |= 8;
    } else if (key == "create_time_ms") {
      trade.origin.exchange_time = fractional_ms(value);
    } else if (key == "create_time") {
      coarse = epoch(value);
    }
  });
  if (!trade.origin.exchange_time) trade.origin.exchange_time = coarse;
  if (seen != 15 || !trade.origin.exchange_time)
    row.reject("a trade has id, price, amount, side and create_time");
  return symbol;
}

// {"currency_pair":"BTC_USDT","last":"29968.31","lowest_ask":"29968.31","highest_bid":"29968.3",
//  "change_percentage":"-5.3731","base_volume":"10676.32785905","quote_volume":"324419781.600232",
//  "high_24h":"32399.99","low_24h":"29324.36"}; REST has "lowest_size" and "highest_size" as well.
std::string read_ticker(json::Value& row, Ticker& ticker) {
  std::string symbol;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "currency_pair") symbol = value.string();
    if (key == "last") ticker.last = optional_amount(value);
    if (key == "high_24h") ticker.high_24h = optional_amount(value);
    if (key == "low_24h") ticker.low_24h = optional_amount(value);
    if (key == "base_volume") ticker.volume_24h = volume(value);
    if (key == "quote_volume") ticker.quote_volume_24h = volume(value);
    if (key == "change_percentage" && !value.is_null() && !value.raw().empty())
      ticker.change_pct_24h = value.decimal();
    if (key == "highest_bid") ticker.bid = optional_amount(value);
    if (key == "highest_size") ticker.bid_size = optional_amount(value);
    if (key == "lowest_ask") ticker.ask = optional_amount(value);
    if (key == "lowest_size") ticker.ask_size = optional_amount(value);
  });
  if (symbol.empty()) row.reject("a ticker names its currency_pair");
  return symbol;
}

// {"t":1631836142325,"e":"depthUpdate","E":1631836142,"s":"BTC_USDT","U":4622074361,
//  "u":4622074364,"b":[["47737.89","0.002"],["47741.35","0"]],"a":[["47813.04","0.0355"],…]}
// {"t":1662630117190,"lastUpdateId":8093065166,"s":"BTC_USDT","bids":[["19201.39","0.0005"],…],
//  "asks":[["19201.4","1.0963"],…]}
// {"id":2691446,"current":1619093532978,"update":1619093532971,"asks":[["0.00010396","5876.967"],…],
//  "bids":[…]}
std::string read_book(json::Value& row, BookUpdate& book, bool has_changes) {
  std::string symbol;
  unsigned seen = 0;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "s") {
      symbol = value.string();
    } else if (key == (has_changes ? "b" : "bids")) {
      read_levels(value, book.bids);
      seen |= 1;
    } else if (key == (has_changes ? "a" : "asks")) {
      read_levels(value, book.asks);
      seen |= 2;
    } else if (key == "U") {
      book.first_sequence = value.unsigned_integer();
      seen |= 4;
    } else if (key == "u" || key == "lastUpdateId" || key == "id") {
      book.sequence = value.unsigned_integer();
      seen |= 8;
    } else if (key == "t" || key == "current") {
      book.origin.exchange_time = epoch(value);
    }
  });
  if (has_changes && seen != 15) row.reject("changes have U, u, b and a");
  if (!has_changes && (seen & 3U) != 3) row.reject("a book has bids and asks");
  return symbol;
}

// {"t":1654029559473,"u":6765708346,"s":"BTC_USDT","b":"31738.93","B":"2.3039","a":"31738.94",
//  "A":"0.335"}
std::string read_best(json::Value& row, std::optional<Quote>& quote) {
  std::string symbol;
  Quote best;
  unsigned seen = 0;
  const auto read = [&](json::Value& value, Decimal& to, unsigned bit) {
    const auto number = optional_amount(value);
    if (!number || number->is_zero()) return;
    to = *number;
    seen |= bit;
  };
  row.members([&](std::string_view key, json::Value value) {
    if (key == "s") symbol = value.string();
    if (key == "t") best.origin.exchange_time = epoch(value);
    if (key == "u") best.sequence = value.unsigned_integer();
    if (key == "b") read(value, best.bid, 1);
    if (key == "B") read(value, best.bid_size, 2);
    if (key == "a") read(value, best.ask, 4);
    if (key == "A") read(value, best.ask_size, 8);
  });
  if (symbol.empty()) row.reject("the best prices name their s");
  if (seen == 15) quote = best;
  return symbol;
}

// {"id":"ETH_USDT","base":"ETH","quote":"USDT","fee":"0.2","min_base_amount":"0.001",
//  "min_quote_amount":"1.0","amount_precision":3,"precision":6,"trade_status":"tradable",
//  "sell_start":1516378650,"buy_start":1516378650}
std::optional<Instrument> read_listing(json::Value& row) {
  Instrument listed;
  std::string status;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "id") listed.exchange_symbol = value.string();
    if (key == "precision") listed.tick_size = power_of_ten(value.unsigned_integer());
    if (key == "amount_precision") listed.step_size = power_of_ten(value.unsigned_integer());
    if (key == "trade_status") status = value.string();
  });
  auto pair = read_pair(listed.exchange_symbol);
  if (!pair || status.empty()) {
    row.reject("a pair has an id of two assets and a trade_status");
    return std::nullopt;
  }
  listed.base = std::move(pair->base);
  listed.quote = std::move(pair->quote);
  listed.symbol = listed.base + "/" + listed.quote;
  listed.status = status == "tradable" ? ListingStatus::trading : ListingStatus::halted;
  listed.listed = true;
  return listed;
}

}  // namespace candlewick::exchange::gateio
