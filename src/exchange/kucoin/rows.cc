// Rows of `data` to the parts of events. Above each stands a real one.
//
// Sources: www.kucoin.com/docs-new (spot market data), read 2026-11-21; recordings of 2021 to 2023.
#include "exchange/kucoin/rows.h"

#include "exchange/kucoin/kucoin.h"
#include "exchange/reading.h"

namespace candlewick::exchange::kucoin {
namespace {

bool is_number(std::string_view id) {
  return !id.empty() && id.size() < 20 &&
         id.find_first_not_of("0123456789") == std::string_view::npos;
}

// A level at price 0 changes nothing: it only moves the book's number on.
void drop_fillers(std::vector<Level>& levels) {
  std::erase_if(levels, [](const Level& level) { return level.price.is_zero(); });
}

}  // namespace

// ["1589968800","9786.9","9740.8","9806.1","9732","27.45649579","268280.09830877"]: open time,
// open, close, high, low, volume, volume in quote units.
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
        candle.close = amount(cell);
        break;
      case 3:
        candle.high = amount(cell);
        break;
      case 4:
        candle.low = amount(cell);
        break;
      case 5:
        candle.volume = amount(cell);
        break;
      case 6:
        candle.quote_volume = amount(cell);
        break;
      default:
        break;
    }
  });
  if (column < 7) row.reject("a candle has 7 columns");
}

// {"makerOrderId":"671b5007389355000701b1d3","price":"67523","sequence":"11067996711960577",
//  "side":"buy","size":"0.003","symbol":"BTC-USDT","takerOrderId":"671b50161777ff00074c168d",
//  "time":"1729843222921000000","tradeId":"11067996711960577","type":"match"}
//
// A trade's id is its number in the sequence of trades. In 2021 it was another, hexadecimal one;
// replies of REST have the number alone.
std::string read_trade(json::Value& row, Trade& trade) {
  std::string symbol;
  std::string id;
  std::string sequence;
  unsigned seen = 0;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "symbol") {
      symbol = value.string();
    } else if (key == "tradeId") {
      id = value.raw();
    } else if (key == "sequence") {
      sequence = value.raw();
    } else if (key == "price") {
      trade.price = amount(value);
      seen |= 1;
    } else if (key == "size") {
      trade.size = amount(value);
      seen |= 2;
    } else if (key == "side") {
      const auto side = value.raw();
      if (side != "buy" && side != "sell") value.reject("neither buy nor sell");
      trade.taker_side = side == "buy" ? Side::buy : Side::sell;
      seen |= 4;
    } else if (key == "time") {
      trade.origin.exchange_time = epoch(value);
      seen |= 8;
    }
  });
  if (id.empty()) id = sequence;
  if (seen != 15 || id.empty()) row.reject("a trade has an id, price, size, side and time");
  if (is_number(id)) {
    trade.id = trade.first_id = trade.last_id = std::stoull(id);
  } else {
    trade.text_id = id;
  }
  return symbol;
}

// Of the stream's figures of a day, of REST's, and of the best prices:
// {"averagePrice":21736.7322544,"baseCurrency":"BTC","board":1,"buy":21423,"changePrice":-556.8,
//  "changeRate":-0.0253,"close":21423.1,"datetime":1676310802092,"high":22030.7,
//  "lastTradedPrice":21423.1,"low":21407,…,"open":21979.9,"quoteCurrency":"USDT","sell":21423.1,
//  "sort":100,"symbol":"BTC-USDT",…,"vol":6179.80570155,"volValue":133988049.45570351}
// {"time":1729173207043,"symbol":"BTC-USDT","buy":"67192.5","sell":"67192.6","changeRate":"-0.0014",
//  "changePrice":"-95.9","high":"68321.4","low":"66683.3","vol":"1836.03034612","volValue":"…",
//  "last":"67193.9","averagePrice":"67281.21","takerFeeRate":"0.001",…}
// {"bestAsk":"31785.3","bestAskSize":"1.0455757","bestBid":"31785.2","bestBidSize":"0.4645037",
//  "price":"31785.2","sequence":"1630218274617","size":"0.03133705","time":1654032320677}
std::string read_ticker(json::Value& row, Ticker& ticker) {
  std::string symbol;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "symbol") symbol = value.string();
    if (key == "lastTradedPrice" || key == "last" || key == "price")
      ticker.last = optional_amount(value);
    if (key == "open") ticker.open_24h = optional_amount(value);
    if (key == "high") ticker.high_24h = optional_amount(value);
    if (key == "low") ticker.low_24h = optional_amount(value);
    if (key == "vol") ticker.volume_24h = optional_amount(value);
    if (key == "volValue") ticker.quote_volume_24h = optional_amount(value);
    if (key == "changeRate" && !value.is_null())
      ticker.change_pct_24h = Decimal::multiply(value.decimal(), Decimal{100});
    if (key == "buy" || key == "bestBid") ticker.bid = optional_amount(value);
    if (key == "bestBidSize") ticker.bid_size = optional_amount(value);
    if (key == "sell" || key == "bestAsk") ticker.ask = optional_amount(value);
    if (key == "bestAskSize") ticker.ask_size = optional_amount(value);
    if ((key == "datetime" || key == "time") && !value.is_null())
      ticker.origin.exchange_time = epoch(value);
  });
  return symbol;
}

// {"changes":{"asks":[["18906","0.00331","14103845"],["18907.3","0.58751503","14103844"]],
//  "bids":[["18891.9","0.15688","14103847"]]},"sequenceEnd":14103847,"sequenceStart":14103844,
//  "symbol":"BTC-USDT","time":1663747970273}: price, size, number of the change. There was no time
// in 2021.
std::string read_changes(json::Value& row, BookUpdate& book) {
  std::string symbol;
  unsigned seen = 0;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "symbol") {
      symbol = value.string();
    } else if (key == "sequenceStart") {
      book.first_sequence = value.unsigned_integer();
      seen |= 1;
    } else if (key == "sequenceEnd") {
      book.sequence = value.unsigned_integer();
      seen |= 2;
    } else if (key == "time") {
      book.origin.exchange_time = epoch(value);
    } else if (key == "changes") {
      value.members([&](std::string_view side, json::Value levels) {
        if (side == "bids") {
          read_levels(levels, book.bids);
          seen |= 4;
        } else if (side == "asks") {
          read_levels(levels, book.asks);
          seen |= 8;
        }
      });
    }
  });
  drop_fillers(book.bids);
  drop_fillers(book.asks);
  if (seen != 15) row.reject("changes have sequenceStart, sequenceEnd, bids and asks");
  return symbol;
}

// {"time":1654325095225,"sequence":"1630423725254","bids":[["29701.4","1.1244206"],…],
//  "asks":[["29701.5","0.00023088"],…]}; ladders of the stream have "timestamp" and no number.
void read_levels_of(json::Value& row, BookUpdate& book) {
  unsigned seen = 0;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "bids") {
      read_levels(value, book.bids);
      seen |= 1;
    } else if (key == "asks") {
      read_levels(value, book.asks);
      seen |= 2;
    } else if (key == "time" || key == "timestamp") {
      book.origin.exchange_time = epoch(value);
    } else if (key == "sequence") {
      book.sequence = value.unsigned_integer();
    }
  });
  if (seen != 3) row.reject("a book has bids and asks");
}

// {"asks":["51911.8","0.05"],"bids":["51911.7","2.36"],"timestamp":1707204474018}
std::optional<Quote> read_best(json::Value& row) {
  Quote quote;
  int cells = 0;
  const auto read = [&](json::Value& side, Decimal& price, Decimal& size) {
    int column = 0;
    side.elements([&](json::Value cell) {
      if (column == 0) price = amount(cell);
      if (column == 1) size = amount(cell);
      ++column;
      ++cells;
    });
  };
  unsigned seen = 0;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "bids") {
      read(value, quote.bid, quote.bid_size);
      seen |= 1;
    } else if (key == "asks") {
      read(value, quote.ask, quote.ask_size);
      seen |= 2;
    } else if (key == "timestamp") {
      quote.origin.exchange_time = epoch(value);
    }
  });
  if (seen != 3) row.reject("the best prices are bids and asks");
  if (cells != 4) return std::nullopt;
  return quote;
}

// {"symbol":"REQ-ETH","name":"REQ-ETH","baseCurrency":"REQ","quoteCurrency":"ETH","feeCurrency":
//  "ETH","market":"ALTS","baseMinSize":"1",…,"baseIncrement":"0.0001","quoteIncrement":"0.0000001",
//  "priceIncrement":"0.0000001","priceLimitRate":"0.1","isMarginEnabled":false,
//  "enableTrading":true}
std::optional<Instrument> read_symbol(json::Value& row) {
  Instrument listed;
  bool has_status = false;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "symbol") listed.exchange_symbol = value.string();
    if (key == "priceIncrement") listed.tick_size = optional_amount(value);
    if (key == "baseIncrement") listed.step_size = optional_amount(value);
    if (key == "enableTrading") {
      listed.status = value.boolean() ? ListingStatus::trading : ListingStatus::halted;
      has_status = true;
    }
  });
  // The currencies by the symbol, as streams have nothing else: `name` changes when an asset is
  // renamed, the symbol stays.
  if (listed.exchange_symbol.empty() || !has_status) {
    row.reject("a symbol has a name and a word on whether it is traded");
    return std::nullopt;
  }
  auto pair = read_pair(listed.exchange_symbol);
  if (!pair) return std::nullopt;
  listed.base = std::move(pair->base);
  listed.quote = std::move(pair->quote);
  listed.symbol = listed.base + "/" + listed.quote;
  listed.listed = true;
  return listed;
}

}  // namespace candlewick::exchange::kucoin
