// Rows of `data` to the parts of events. Above each stands a real one.
//
// Source: OKX API v5 documentation (docs-v5), copy of 2026-06-27, read 2026-11-21.
#include "exchange/okx/rows.h"

#include "exchange/okx/okx.h"
#include "exchange/reading.h"

namespace candlewick::exchange::okx {

// ["1747094040000","102806.1","102820.4","102806.1","102820.4","1040.37","10.4037",
//  "1069603.34883","1"]: open time, open, high, low, close, volume, volume in quote units (of
//  spot),
// the same again, whether it is closed. Until late 2022 the last two were not sent, so nothing said
// that a candle was final.
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
      case 6:
        candle.quote_volume = amount(cell);
        break;
      case 8:
        if (candle.closed_is_known) candle.is_closed = cell.raw() == "1";
        break;
      default:
        break;
    }
  });
  if (column < 7) row.reject("a candle has at least 7 columns");
}

// {"instId":"BTC-USD","tradeId":"130639474","px":"42219.9","sz":"0.12060306","side":"buy",
//  "ts":"1630048897897","count":"3"}: `count` matches of one order at one price, of which tradeId
//  is
// the last.
std::string read_trade(json::Value& row, Trade& trade) {
  std::string symbol;
  std::uint64_t count = 1;
  unsigned seen = 0;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "instId") {
      symbol = value.string();
    } else if (key == "tradeId") {
      trade.id = value.unsigned_integer();
      seen |= 1;
    } else if (key == "px") {
      trade.price = amount(value);
      seen |= 2;
    } else if (key == "sz") {
      trade.size = amount(value);
      seen |= 4;
    } else if (key == "side") {
      const auto side = value.raw();
      if (side != "buy" && side != "sell") value.reject("neither buy nor sell");
      trade.taker_side = side == "buy" ? Side::buy : Side::sell;
      seen |= 8;
    } else if (key == "ts") {
      trade.origin.exchange_time = epoch(value);
      seen |= 16;
    } else if (key == "count") {
      count = value.unsigned_integer();
    }
  });
  if (seen != 31) row.reject("a trade has tradeId, px, sz, side and ts");
  trade.is_aggregate = count > 1;
  trade.last_id = trade.id;
  trade.first_id = count > 1 && count <= trade.id ? trade.id - count + 1 : trade.id;
  return symbol;
}

// {"instType":"SPOT","instId":"BTC-USDT","last":"29934","lastSz":"0.00001468","askPx":"29934.1",
//  "askSz":"0.30918743","bidPx":"29934","bidSz":"0.05181315","open24h":"31588.3",
//  "high24h":"31899.8","low24h":"29318.7","sodUtc0":"29806.5","sodUtc8":"30747",
//  "volCcy24h":"302140058.01215828","vol24h":"9935.14546361","ts":"1654166073135"}
std::string read_ticker(json::Value& row, Ticker& ticker) {
  std::string symbol;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "instId") symbol = value.string();
    if (key == "last") ticker.last = optional_amount(value);
    if (key == "open24h") ticker.open_24h = optional_amount(value);
    if (key == "high24h") ticker.high_24h = optional_amount(value);
    if (key == "low24h") ticker.low_24h = optional_amount(value);
    if (key == "vol24h") ticker.volume_24h = optional_amount(value);
    if (key == "volCcy24h") ticker.quote_volume_24h = optional_amount(value);
    if (key == "bidPx") ticker.bid = optional_amount(value);
    if (key == "bidSz") ticker.bid_size = optional_amount(value);
    if (key == "askPx") ticker.ask = optional_amount(value);
    if (key == "askSz") ticker.ask_size = optional_amount(value);
    if (key == "ts") ticker.origin.exchange_time = epoch(value);
  });
  return symbol;
}

// {"asks":[["8476.98","415","0","13"],…],"bids":[["8476.97","256","0","12"],…],
//  "ts":"1597026383085","checksum":-855196043,"prevSeqId":123456,"seqId":123457}: price, size, an
//  old
// column, orders. The checksum is always 0 since about May 2026, and the numbers came later than
// it. A snapshot's previous number is -1. Numbers of quotes and ladders may start anew, with
// nothing that tells so.
void read_book(json::Value& row, BookUpdate& book, bool has_numbers) {
  LevelDigits digits;
  unsigned seen = 0;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "bids") {
      read_levels(value, book.bids, &digits);
      seen |= 1;
    } else if (key == "asks") {
      read_levels(value, book.asks, &digits);
      seen |= 2;
    } else if (key == "ts") {
      book.origin.exchange_time = epoch(value);
    } else if (!has_numbers) {
      return;
    } else if (key == "seqId") {
      book.sequence = value.unsigned_integer();
    } else if (key == "prevSeqId") {
      const auto previous = value.integer();
      if (previous >= 0) book.previous_sequence = static_cast<std::uint64_t>(previous);
    } else if (key == "checksum") {
      const auto checksum = value.integer();
      if (checksum != 0) book.checksum = static_cast<std::uint32_t>(checksum);
    }
  });
  if (seen != 3) row.reject("a book has bids and asks");
  book.price_digits = digits.price;
  book.size_digits = digits.size;
}

// {"baseCcy":"BTC","instId":"BTC-USD","instType":"SPOT","lotSz":"0.00000001","quoteCcy":"USD",
//  "state":"live","tickSz":"0.1",…}. Those announced for later may lack all but their name.
std::optional<Instrument> read_listing(json::Value& row) {
  Instrument instrument;
  instrument.listed = true;
  std::string type;
  std::string_view state;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "instType") type = value.string();
    if (key == "instId") instrument.exchange_symbol = value.string();
    if (key == "baseCcy") instrument.base = value.string();
    if (key == "quoteCcy") instrument.quote = value.string();
    if (key == "tickSz") instrument.tick_size = optional_amount(value);
    if (key == "lotSz") instrument.step_size = optional_amount(value);
    if (key == "state") state = value.raw();
  });
  if (type != "SPOT" || instrument.base.empty() || instrument.quote.empty()) return std::nullopt;
  if (instrument.exchange_symbol.empty()) {
    row.reject("a listing has an instId");
    return std::nullopt;
  }
  if (auto pair = read_pair(instrument.exchange_symbol)) {
    instrument.base = std::move(pair->base);
    instrument.quote = std::move(pair->quote);
  }
  instrument.symbol = instrument.base + "/" + instrument.quote;
  instrument.status = state == "live"                            ? ListingStatus::trading
                      : state == "suspend" || state == "preopen" ? ListingStatus::halted
                      : state == "expired"                       ? ListingStatus::delisted
                                                                 : ListingStatus::unknown;
  return instrument;
}

}  // namespace candlewick::exchange::okx
