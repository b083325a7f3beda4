// Answers of /0/public/: {"error":[],"result":{…}}, refusals too with status 200. What an answer is
// about is told by the URL that it was asked at; its keys may spell the pair in another way.
//
// Sources: docs.kraken.com, rest-api pages and guides/spot-errors, read 2026-11-21.
#include <algorithm>
#include <array>

#include "exchange/kraken/frames.h"
#include "exchange/kraken/symbols.h"

namespace candlewick::exchange::kraken {
namespace {

template <class F>
void positions(json::Value& array, F&& element) {
  int index = 0;
  array.elements([&](json::Value value) { element(index++, value); });
}

// What will pass by itself: to be asked again.
bool is_passing(std::string_view error) {
  constexpr std::array<std::string_view, 8> passing{
      "EAPI:Rate limit exceeded", "EGeneral:Too many requests", "EGeneral:Internal error",
      "EGeneral:Temporary lockout", "EService:Unavailable", "EService:Busy",
      // With a space in ccxt's and Kraken's own examples.
      "EService:Throttled", "EService: Throttled"};
  return std::ranges::any_of(passing, [&](auto words) { return error.starts_with(words); });
}

}  // namespace

ListingStatus status_of(std::string_view status) {
  constexpr std::array<std::string_view, 4> trading{"online", "post_only", "limit_only",
                                                    "reduce_only"};
  if (std::ranges::find(trading, status) != trading.end()) return ListingStatus::trading;
  if (status == "cancel_only" || status == "maintenance" || status == "work_in_progress")
    return ListingStatus::halted;
  return status == "delisted" ? ListingStatus::delisted : ListingStatus::unknown;
}

Result<void> RestReplies::decode(const Frame& frame, Events& out) {
  if (frame.http_status >= 400 && !frame.text.starts_with('{'))
    return fail(ErrorKind::rejected, "HTTP {}", frame.http_status);
  std::string error;
  std::string result;
  auto read = reader_.read(frame.text, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key == "error" && value.type() == json::Type::array) {
        value.elements([&](json::Value text) {
          const auto words = text.string();
          if (error.empty() && words.starts_with('E')) error = words;
        });
      }
      if (key == "result") result = value.text();
    });
  });
  if (!read) return read;
  if (!error.empty())
    return fail(is_passing(error) ? ErrorKind::transient : ErrorKind::rejected, "{}", error);
  if (result.empty()) return fail(ErrorKind::malformed, "an answer without error and result");
  return read_result(result, frame, out);
}

Result<void> RestReplies::read_result(std::string_view result, const Frame& frame, Events& out) {
  using Read = void (RestReplies::*)(json::Value, const Frame&, Events&);
  struct Method {
    std::string_view name;
    Read read;
  };
  constexpr std::array<Method, 6> methods{{{"/OHLC", &RestReplies::read_candles},
                                           {"/Depth", &RestReplies::read_depth},
                                           {"/Trades", &RestReplies::read_trades},
                                           {"/Ticker", &RestReplies::read_tickers},
                                           {"/AssetPairs", &RestReplies::read_pairs},
                                           {"/Time", &RestReplies::read_time}}};
  const auto path = path_of(frame.url);
  for (const auto& method : methods) {
    if (!path.ends_with(method.name)) continue;
    return reader_.read(result,
                        [&](json::Value value) { (this->*method.read)(value, frame, out); });
  }
  return {};
}

// One instrument is asked about, whatever the key of its answer.
const Instrument* RestReplies::asked(json::Value& result, const Frame& frame) {
  const auto pair = parameter(frame.url, "pair");
  const auto* instrument = instrument_of_pair(catalogue_, pair);
  if (instrument == nullptr) result.reject("unknown pair \"" + pair.substr(0, 40) + "\"");
  return instrument;
}

// {"XXBTZUSD":[[1762777020,"106038.2","106038.2","106038.2","106038.2","0.0","0.00000000",0],…],
//  "last":1762820160}: time, open, high, low, close, vwap, volume, count. The candle after `last`
// is the running one.
void RestReplies::read_candles(json::Value result, const Frame& frame, Events& out) {
  const auto* instrument = asked(result, frame);
  const auto minutes = parameter(frame.url, "interval");
  const auto timeframe =
      timeframe_of_minutes(minutes.empty()      ? 1
                           : minutes.size() > 6 ? 0
                                                : std::strtoll(minutes.c_str(), nullptr, 10));
  if (!timeframe) result.reject("asked for no candle length that is known here");
  if (instrument == nullptr || !timeframe) return;
  const std::size_t before = out.size();
  std::optional<Time> last;
  result.members([&](std::string_view key, json::Value value) {
    if (key == "last") {
      last = epoch(value);
      return;
    }
    value.elements([&](json::Value row) {
      Candle candle;
      candle.origin = {instrument, std::nullopt, frame.received_time};
      candle.timeframe = *timeframe;
      candle.source = Source::rest;
      candle.closed_is_known = false;
      int fields = 0;
      positions(row, [&](int index, json::Value part) {
        if (index == 0) candle.open_time = epoch(part);
        if (index == 1) candle.open = amount(part);
        if (index == 2) candle.high = amount(part);
        if (index == 3) candle.low = amount(part);
        if (index == 4) candle.close = amount(part);
        if (index == 6) candle.volume = amount(part);
        if (index == 7) candle.trade_count = part.unsigned_integer();
        fields = index + 1;
      });
      if (fields < 8) return row.reject("a row has eight figures");
      out.emplace_back(std::move(candle));
    });
  });
  // What the venue calls committed; whether it is final, the clock decides.
  for (std::size_t i = before; last && i < out.size(); ++i) {
    auto& candle = std::get<Candle>(out[i]);
    candle.is_closed = candle.open_time <= *last;
  }
}

// {"XXBTZUSD":{"asks":[["29727.1","0.420",1654302625],…],"bids":[…]}}: no number joins it to the
// stream's book, so it is a ladder.
void RestReplies::read_depth(json::Value result, const Frame& frame, Events& out) {
  const auto* instrument = asked(result, frame);
  if (instrument == nullptr) return;
  result.members([&](std::string_view, json::Value sides) {
    BookUpdate book;
    book.origin = {instrument, std::nullopt, frame.received_time};
    book.kind = BookKind::snapshot;
    book.is_partial = true;
    sides.members([&](std::string_view side, json::Value levels) {
      if (side == "bids") read_levels(levels, book.bids);
      if (side == "asks") read_levels(levels, book.asks);
    });
    out.emplace_back(std::move(book));
  });
}

// {"XXBTZUSD":[["30243.4","0.34507674",1688669597.8277369,"b","m","",61044952],…],
//  "last":"1688671969993150842"}; trades before 2021 had no id.
void RestReplies::read_trades(json::Value result, const Frame& frame, Events& out) {
  const auto* instrument = asked(result, frame);
  if (instrument == nullptr) return;
  result.members([&](std::string_view key, json::Value rows) {
    if (key == "last") return;
    rows.elements([&](json::Value row) {
      Trade trade;
      trade.origin = {instrument, std::nullopt, frame.received_time};
      int fields = 0;
      positions(row, [&](int index, json::Value part) {
        if (index == 0) trade.price = amount(part);
        if (index == 1) trade.size = amount(part);
        if (index == 2) trade.origin.exchange_time = epoch_seconds(part);
        if (index == 3) trade.taker_side = part.raw() == "b" ? Side::buy : Side::sell;
        if (index == 6) trade.id = trade.first_id = trade.last_id = part.unsigned_integer();
        fields = index + 1;
      });
      if (fields < 4) return row.reject("a trade has a price, a volume, a time and a side");
      out.emplace_back(std::move(trade));
    });
  });
}

// {"XXBTZUSD":{"a":["30300.1","1","1.000"],"b":[…],"c":["30303.2","0.00067643"],"v":[today, 24 h],
//  "p":[…],"t":[…],"l":[…],"h":[…],"o":"30502.8"}}: the open is that of the day (UTC), and so is
// left out.
void RestReplies::read_tickers(json::Value result, const Frame& frame, Events& out) {
  const bool is_one =
      !parameter(frame.url, "pair").empty() && !parameter(frame.url, "pair").contains(',');
  const auto* only = is_one ? asked(result, frame) : nullptr;
  if (is_one && only == nullptr) return;
  result.members([&](std::string_view pair, json::Value row) {
    Ticker ticker;
    ticker.origin = {is_one ? only : instrument_of_pair(catalogue_, pair), std::nullopt,
                     frame.received_time};
    if (ticker.origin.instrument == nullptr) return;
    row.members([&](std::string_view key, json::Value value) {
      if (key.size() != 1 || value.type() != json::Type::array) return;
      positions(value, [&](int index, json::Value part) {
        if (key == "a" && index == 0) ticker.ask = amount(part);
        if (key == "a" && index == 2) ticker.ask_size = amount(part);
        if (key == "b" && index == 0) ticker.bid = amount(part);
        if (key == "b" && index == 2) ticker.bid_size = amount(part);
        if (key == "c" && index == 0) ticker.last = amount(part);
        if (key == "v" && index == 1) ticker.volume_24h = amount(part);
        if (key == "l" && index == 1) ticker.low_24h = amount(part);
        if (key == "h" && index == 1) ticker.high_24h = amount(part);
      });
    });
    if (!ticker.last) return row.reject("a ticker has a last price");
    if (ticker.bid && ticker.bid_size && ticker.ask && ticker.ask_size) {
      out.emplace_back(Quote{ticker.origin, *ticker.bid, *ticker.bid_size, *ticker.ask,
                             *ticker.ask_size, std::nullopt});
    }
    out.emplace_back(std::move(ticker));
  });
}

// {"XXBTZUSD":{"altname":"XBTUSD","wsname":"XBT/USD","base":"XXBT","quote":"ZUSD",
//  "pair_decimals":1,"lot_decimals":8,"tick_size":"0.1","status":"online",…},…}. Pairs without a
// wsname were those of the dark pool, which had no streams.
void RestReplies::read_pairs(json::Value result, const Frame& frame, Events& out) {
  const auto unit = [](std::int64_t digits) {
    int128 count = Decimal::one;
    for (; digits > 0; --digits) count /= 10;
    return Decimal::from_count(count);
  };
  result.members([&](std::string_view, json::Value row) {
    Instrument pair;
    pair.listed = true;
    pair.market = catalogue_.market();
    std::string status = "online";  // as it was before pairs had one
    std::optional<Decimal> grid;
    row.members([&](std::string_view key, json::Value value) {
      if (key == "wsname") pair.exchange_symbol = v2_symbol(value.string());
      if (key == "status") status = value.string();
      if (key == "tick_size" && !value.is_null()) pair.tick_size = value.decimal();
      if (key == "pair_decimals" || key == "lot_decimals") {
        const auto digits = value.integer();
        if (digits < 0 || digits > Decimal::scale) return value.reject("so many digits");
        (key == "pair_decimals" ? grid : pair.step_size) = unit(digits);
      }
    });
    const auto slash = pair.exchange_symbol.find('/');
    if (slash == std::string::npos) return;
    if (!pair.tick_size) pair.tick_size = grid;
    pair.base = unified_asset(std::string_view(pair.exchange_symbol).substr(0, slash));
    pair.quote = unified_asset(std::string_view(pair.exchange_symbol).substr(slash + 1));
    pair.symbol = pair.base + "/" + pair.quote;
    pair.status = status_of(status);
    const Instrument& stored = catalogue_.put(std::move(pair));
    out.emplace_back(Listing{.origin = {&stored, std::nullopt, frame.received_time}});
  });
}

// {"unixtime":1762820224,"rfc1123":"Tue, 11 Nov 25 00:17:04 +0000"}: whole seconds.
void RestReplies::read_time(json::Value result, const Frame& frame, Events& out) {
  std::optional<Time> time;
  result.members([&](std::string_view key, json::Value value) {
    if (key == "unixtime") time = epoch(value);
  });
  if (!time) return result.reject("unixtime is missing");
  out.emplace_back(ClockReading{catalogue_.exchange(), *time, frame.received_time});
}

}  // namespace candlewick::exchange::kraken
