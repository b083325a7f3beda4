// WebSocket v2: {"channel":"book","type":"snapshot","data":[{…}]}, answers with a "method". Numbers
// are bare and as precise as the pair is; their digits matter for the book's checksum.
//
// Sources: docs.kraken.com, websocket-v2 pages, read 2026-11-21.
#include <algorithm>

#include "exchange/kraken/frames.h"
#include "exchange/kraken/symbols.h"

namespace candlewick::exchange::kraken {

// All of a frame but its data. Views into the reader's text.
struct StreamV2::Head {
  std::string_view channel;
  std::string_view type;
  std::string_view method;
  std::string_view error;
  std::string_view symbol;
  std::optional<bool> success;
  std::optional<Time> time;      // of the envelope
  std::optional<Time> time_out;  // of an answer
  bool is_event = false;
};

const Instrument* StreamV2::instrument(json::Value& symbol) {
  const auto text = symbol.string();
  const auto* known = instrument_of(catalogue_, text);
  if (known == nullptr) symbol.reject("unknown symbol");
  return known;
}

Result<bool> StreamV2::decode(const Frame& frame, Events& out) {
  const std::size_t before = out.size();
  Head head;
  std::string_view late;
  auto read = reader_.read(frame.text, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key == "channel") {
        head.channel = value.raw();
      } else if (key == "type") {
        head.type = value.raw();
      } else if (key == "data") {
        if (!head.channel.empty() && !head.type.empty()) return read_data(head, value, frame, out);
        late = value.text();
      } else if (key == "timestamp") {
        head.time = timestamp(value);
      } else if (key == "method") {
        head.method = value.raw();
      } else if (key == "success") {
        head.success = value.boolean();
      } else if (key == "error" && value.type() == json::Type::string) {
        head.error = value.raw();
      } else if (key == "symbol" && value.type() == json::Type::string) {
        head.symbol = value.raw();
      } else if (key == "time_out") {
        head.time_out = timestamp(value);
      } else if (key == "event") {
        head.is_event = true;
      }
    });
  });
  if (!read) return fail(read.error());
  if (head.is_event) return false;
  if (!late.empty()) {
    read = late_reader_.read(late, [&](json::Value data) { read_data(head, data, frame, out); });
    if (!read) return fail(read.error());
  }
  if (auto answered = interpret_answer(head, frame, out); !answered) return fail(answered.error());
  for (std::size_t i = before; head.time && i < out.size(); ++i) {
    if (auto* candle = std::get_if<Candle>(&out[i])) candle->origin.exchange_time = head.time;
  }
  return true;
}

// {"error":"Currency pair not supported BTC/XYZ","method":"subscribe","req_id":3,"success":false,
//  "symbol":"BTC/XYZ","time_in":"…","time_out":"…"}
Result<void> StreamV2::interpret_answer(const Head& head, const Frame& frame, Events& out) const {
  if (head.method.empty()) return {};
  if (head.success == false || !head.error.empty()) {
    return fail(ErrorKind::rejected, "{} {}: {}", head.method.substr(0, 40),
                head.symbol.substr(0, 40), head.error.substr(0, 200));
  }
  if (head.method == "pong" && head.time_out)
    out.emplace_back(ClockReading{catalogue_.exchange(), *head.time_out, frame.received_time});
  return {};
}

void StreamV2::read_data(const Head& head, json::Value data, const Frame& frame, Events& out) {
  const bool is_snapshot = head.type == "snapshot";
  const auto each = [&](auto read) { data.elements([&](json::Value row) { read(row); }); };
  if (head.channel == "book") {
    each([&](json::Value row) { read_book(is_snapshot, row, frame, out); });
  } else if (head.channel == "trade") {
    each([&](json::Value row) { read_trade(row, frame, out); });
  } else if (head.channel == "ticker") {
    each([&](json::Value row) { read_ticker(row, frame, out); });
  } else if (head.channel == "ohlc") {
    read_candles(is_snapshot, data, frame, out);
  } else if (head.channel == "instrument") {
    data.members([&](std::string_view key, json::Value value) {
      if (key != "pairs") return;
      value.elements([&](json::Value row) { read_pair(row, frame, out); });
    });
  }
}

// {"symbol":"BTC/USD","open":106038.2,"high":106044.3,"low":106038.1,"close":106040.1,"trades":12,
//  "volume":0.68066226,"vwap":106039.6,"interval_begin":"2023-10-04T16:25:00.000000000Z",
//  "interval":1,"timestamp":"2023-10-04T16:26:00.000000Z"}
// A snapshot repeats candles that are over; REST tells which of them are final, so only its newest
// one counts.
void StreamV2::read_candles(bool is_snapshot, json::Value data, const Frame& frame, Events& out) {
  const std::size_t before = out.size();
  data.elements([&](json::Value row) {
    Candle candle;
    candle.source = Source::ws;
    candle.origin.received_time = frame.received_time;
    std::optional<Time> open_time;
    std::optional<Timeframe> timeframe;
    int prices = 0;
    row.members([&](std::string_view key, json::Value value) {
      const auto price = [&](Decimal& into) {
        into = amount(value);
        ++prices;
      };
      if (key == "symbol") candle.origin.instrument = instrument(value);
      if (key == "open") price(candle.open);
      if (key == "high") price(candle.high);
      if (key == "low") price(candle.low);
      if (key == "close") price(candle.close);
      if (key == "volume") price(candle.volume);
      if (key == "trades") candle.trade_count = value.unsigned_integer();
      if (key == "interval_begin") open_time = timestamp(value);
      if (key == "interval") {
        timeframe = timeframe_of_minutes(value.integer());
        if (!timeframe) value.reject("no candle length that is known here");
      }
    });
    if (candle.origin.instrument == nullptr || !open_time || !timeframe || prices != 5)
      return row.reject("a candle has a symbol, an interval, its beginning, prices and a volume");
    candle.open_time = *open_time;
    candle.timeframe = *timeframe;
    if (open_of(*timeframe, *open_time) != *open_time)
      return row.reject("interval_begin is no beginning of such an interval");
    if (is_snapshot) {
      const auto same = std::find_if(
          out.begin() + static_cast<std::ptrdiff_t>(before), out.end(), [&](const Event& event) {
            return std::get<Candle>(event).origin.instrument == candle.origin.instrument;
          });
      if (same != out.end()) {
        auto& newest = std::get<Candle>(*same);
        if (newest.open_time < candle.open_time) newest = std::move(candle);
        return;
      }
    }
    out.emplace_back(std::move(candle));
  });
}

// {"symbol":"BTC/USD","bid":105944.2,"bid_qty":2.5,"ask":105944.3,"ask_qty":3.2,"last":105899.4,
//  "volume":163.28908096,"vwap":105904.39279,"low":104711.0,"high":106613.1,"change":250.0,
//  "change_pct":0.24,"timestamp":"2022-12-25T09:30:59.123456Z"}
void StreamV2::read_ticker(json::Value row, const Frame& frame, Events& out) {
  Ticker ticker;
  ticker.origin.received_time = frame.received_time;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "symbol") {
      ticker.origin.instrument = instrument(value);
      return;
    }
    if (value.is_null()) return;
    if (key == "bid") ticker.bid = amount(value);
    if (key == "bid_qty") ticker.bid_size = amount(value);
    if (key == "ask") ticker.ask = amount(value);
    if (key == "ask_qty") ticker.ask_size = amount(value);
    if (key == "last") ticker.last = amount(value);
    if (key == "volume") ticker.volume_24h = amount(value);
    if (key == "low") ticker.low_24h = amount(value);
    if (key == "high") ticker.high_24h = amount(value);
    if (key == "change_pct") ticker.change_pct_24h = value.decimal();
    if (key == "timestamp") ticker.origin.exchange_time = timestamp(value);
  });
  if (ticker.origin.instrument == nullptr || !ticker.last)
    return row.reject("a ticker has a symbol and a last price");
  if (ticker.bid && ticker.bid_size && ticker.ask && ticker.ask_size) {
    out.emplace_back(Quote{ticker.origin, *ticker.bid, *ticker.bid_size, *ticker.ask,
                           *ticker.ask_size, std::nullopt});
  }
  out.emplace_back(std::move(ticker));
}

// {"symbol":"BTC/USD","side":"buy","price":105944.2,"qty":0.00027625,"ord_type":"limit",
//  "trade_id":10218208,"timestamp":"2023-10-06T17:35:55.440295Z"}; the side is the taker's.
void StreamV2::read_trade(json::Value row, const Frame& frame, Events& out) {
  Trade trade;
  trade.origin.received_time = frame.received_time;
  int fields = 0;
  row.members([&](std::string_view key, json::Value value) {
    ++fields;
    if (key == "symbol") {
      trade.origin.instrument = instrument(value);
    } else if (key == "price") {
      trade.price = amount(value);
    } else if (key == "qty") {
      trade.size = amount(value);
    } else if (key == "trade_id") {
      trade.id = trade.first_id = trade.last_id = value.unsigned_integer();
    } else if (key == "timestamp") {
      trade.origin.exchange_time = timestamp(value);
    } else if (key == "side") {
      const auto side = value.raw();
      if (side != "buy" && side != "sell") value.reject("neither buy nor sell");
      trade.taker_side = side == "buy" ? Side::buy : Side::sell;
    } else {
      --fields;
    }
  });
  if (fields != 6) return row.reject("a trade has symbol, side, price, qty, trade_id, timestamp");
  out.emplace_back(std::move(trade));
}

// {"symbol":"BTC/USD","bids":[{"price":105944.20,"qty":0.250}],"asks":[],"checksum":2114181697,
//  "timestamp":"2023-10-06T17:35:55.440295Z"}
void StreamV2::read_book(bool is_snapshot, json::Value row, const Frame& frame, Events& out) {
  BookUpdate book;
  book.kind = is_snapshot ? BookKind::snapshot : BookKind::delta;
  book.origin.received_time = frame.received_time;
  LevelDigits digits;
  bool has_bids = false;
  bool has_asks = false;
  const auto read_side = [&](json::Value& side, std::vector<Level>& levels) {
    side.elements([&](json::Value level) {
      Level& read = levels.emplace_back();
      int fields = 0;
      level.members([&](std::string_view key, json::Value value) {
        if (key == "price") {
          digits.price = std::max(digits.price, fraction_digits(value.raw()));
          read.price = amount(value);
          ++fields;
        } else if (key == "qty") {
          digits.size = std::max(digits.size, fraction_digits(value.raw()));
          read.size = amount(value);
          ++fields;
        }
      });
      if (fields != 2) level.reject("a level is a price and a qty");
    });
  };
  row.members([&](std::string_view key, json::Value value) {
    if (key == "symbol") book.origin.instrument = instrument(value);
    if (key == "timestamp") book.origin.exchange_time = timestamp(value);
    if (key == "checksum") {
      const auto checksum = value.unsigned_integer();
      if (checksum > 0xFFFFFFFFU) value.reject("no 32-bit number");
      book.checksum = static_cast<std::uint32_t>(checksum);
    }
    if (key == "bids") {
      has_bids = true;
      read_side(value, book.bids);
    }
    if (key == "asks") {
      has_asks = true;
      read_side(value, book.asks);
    }
  });
  if (book.origin.instrument == nullptr || !has_bids || !has_asks)
    return row.reject("a book has a symbol, bids and asks");
  digits_.note(book, digits);
  out.emplace_back(std::move(book));
}

// {"symbol":"BTC/USD","base":"BTC","quote":"USD","status":"online","price_increment":0.1,
//  "qty_increment":0.00000001,…}
void StreamV2::read_pair(json::Value row, const Frame& frame, Events& out) {
  Instrument pair;
  pair.listed = true;
  pair.market = catalogue_.market();
  std::string_view status;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "symbol") pair.exchange_symbol = value.string();
    if (key == "base") pair.base = unified_asset(value.string());
    if (key == "quote") pair.quote = unified_asset(value.string());
    if (key == "status") status = value.raw();
    if (key == "price_increment") pair.tick_size = value.decimal();
    if (key == "qty_increment") pair.step_size = value.decimal();
  });
  if (pair.exchange_symbol.empty() || pair.base.empty() || pair.quote.empty())
    return row.reject("a pair has symbol, base and quote");
  pair.symbol = pair.base + "/" + pair.quote;
  pair.status = status_of(status);
  const Instrument& stored = catalogue_.put(std::move(pair));
  out.emplace_back(Listing{.origin = {&stored, std::nullopt, frame.received_time}});
}

}  // namespace candlewick::exchange::kraken
