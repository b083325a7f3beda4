// Rows of `data` to the parts of events. Above each stands one in the venue's form.
//
// Source: Bitget API v2 documentation, read 2026-11-21.
#include "exchange/bitget/rows.h"

#include <algorithm>
#include <charconv>

#include "exchange/bitget/symbols.h"

namespace candlewick::exchange::bitget {
namespace {

std::optional<std::int64_t> whole(json::Value& value) {
  const auto text = value.raw();
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// "2" of "pricePrecision" is 0.01; nothing for what makes no sense.
std::optional<Decimal> step_of(json::Value& value) {
  const auto digits = whole(value);
  if (!digits || *digits < 0 || *digits > 18) return std::nullopt;
  int128 count = 1'000'000'000'000'000'000;
  for (int i = 0; i < *digits; ++i) count /= 10;
  return Decimal::from_count(count);
}

}  // namespace

// ["1695835800000","26210.5","26210.5","26194.5","26194.5","26.26","687897.63","687897.63"]: open
// time, open, high, low, close, volume, volume in quote units, the same in USDT.
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
      default:
        break;
    }
  });
  if (column < 7) row.reject("a candle has at least 7 columns");
}

// {"ts":"1695709835822","price":"26293.4","size":"0.0013","side":"buy",
//  "tradeId":"1091494717742604290"}
void read_trade(json::Value& row, Trade& trade) {
  unsigned seen = 0;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "tradeId") {
      trade.id = trade.first_id = trade.last_id = value.unsigned_integer();
      seen |= 1;
    } else if (key == "price") {
      trade.price = amount(value);
      seen |= 2;
    } else if (key == "size") {
      trade.size = amount(value);
      seen |= 4;
    } else if (key == "side") {
      // REST has written it with a capital letter.
      const auto side = lower(value.raw());
      if (side != "buy" && side != "sell") value.reject("neither buy nor sell");
      trade.taker_side = side == "buy" ? Side::buy : Side::sell;
      seen |= 8;
    } else if (key == "ts") {
      trade.origin.exchange_time = epoch(value);
      seen |= 16;
    }
  });
  if (seen != 31) row.reject("a trade has tradeId, price, size, side and ts");
}

// {"instId":"BTCUSDT","lastPr":"43528.19","open24h":"42267.78","high24h":"44490.00",
//  "low24h":"41401.53","change24h":"0.03879","bidPr":"43528","askPr":"43528.01","bidSz":"0.0334",
//  "askSz":"0.1917","baseVolume":"15002.4216","quoteVolume":"648006446.7164","ts":"1701842994338"}
// REST says "symbol" and "open". The change is a fraction.
std::string read_ticker(json::Value& row, Ticker& ticker) {
  std::string symbol;
  std::optional<Decimal> change;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "instId" || key == "symbol") symbol = value.string();
    if (key == "lastPr") ticker.last = optional_amount(value);
    if (key == "open24h" || key == "open") ticker.open_24h = optional_amount(value);
    if (key == "high24h") ticker.high_24h = optional_amount(value);
    if (key == "low24h") ticker.low_24h = optional_amount(value);
    if (key == "baseVolume") ticker.volume_24h = optional_amount(value);
    if (key == "quoteVolume") ticker.quote_volume_24h = optional_amount(value);
    if (key == "bidPr") ticker.bid = optional_amount(value);
    if (key == "bidSz") ticker.bid_size = optional_amount(value);
    if (key == "askPr") ticker.ask = optional_amount(value);
    if (key == "askSz") ticker.ask_size = optional_amount(value);
    if (key == "ts") ticker.origin.exchange_time = epoch(value);
    if (key == "change24h" && !value.raw().empty()) change = value.decimal();
  });
  if (change) {
    const auto percent = Decimal::multiply(*change, Decimal{100});
    if (percent) ticker.change_pct_24h = *percent;
  }
  return symbol;
}

// {"asks":[["26274.9","0.0009"]],"bids":[["26274.8","0.0009"]],"checksum":-1367582038,"seq":123,
//  "pseq":122,"ts":"1695710946294"}. A checksum of 0 is none, and so is a predecessor of 0.
void read_book(json::Value& row, BookUpdate& book, LevelDigits& digits) {
  unsigned seen = 0;
  LevelDigits here;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "bids") {
      read_levels(value, book.bids, &here);
      seen |= 1;
    } else if (key == "asks") {
      read_levels(value, book.asks, &here);
      seen |= 2;
    } else if (key == "ts") {
      book.origin.exchange_time = epoch(value);
    } else if (key == "seq") {
      book.sequence = value.unsigned_integer();
    } else if (key == "pseq") {
      const auto before = value.unsigned_integer();
      if (before != 0) book.previous_sequence = before;
    } else if (key == "checksum") {
      const auto checksum = value.integer();
      if (checksum != 0) book.checksum = static_cast<std::uint32_t>(checksum);
    }
  });
  if (seen != 3) row.reject("a book has bids and asks");
  // Levels that go are written without a fraction.
  digits.price = std::max(digits.price, here.price);
  digits.size = std::max(digits.size, here.size);
  book.price_digits = digits.price;
  book.size_digits = digits.size;
}

// {"symbol":"BTCUSDT","baseCoin":"BTC","quoteCoin":"USDT","minTradeAmount":"0",
//  "pricePrecision":"2","quantityPrecision":"6","quotePrecision":"8","status":"online",
//  "openTime":"1532454360000",…}
Instrument read_listing(json::Value& row) {
  Instrument instrument;
  instrument.listed = true;
  std::string_view status;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "symbol") instrument.exchange_symbol = value.string();
    if (key == "baseCoin") instrument.base = unified_asset(asset_names, value.string());
    if (key == "quoteCoin") instrument.quote = unified_asset(asset_names, value.string());
    if (key == "pricePrecision") instrument.tick_size = step_of(value);
    if (key == "quantityPrecision") instrument.step_size = step_of(value);
    if (key == "status") status = value.raw();
    if (key == "openTime") {
      // Empty where the venue does not know it.
      if (const auto opened = whole(value)) instrument.listed_at = time_of_epoch(*opened);
    }
  });
  if (instrument.exchange_symbol.empty() || instrument.base.empty() || instrument.quote.empty())
    row.reject("a listing has symbol, baseCoin and quoteCoin");
  instrument.symbol = instrument.base + "/" + instrument.quote;
  instrument.status = status == "online" || status == "gray" ? ListingStatus::trading
                      : status == "halt"                     ? ListingStatus::halted
                      : status == "offline"                  ? ListingStatus::delisted
                                                             : ListingStatus::unknown;
  return instrument;
}

}  // namespace candlewick::exchange::bitget
