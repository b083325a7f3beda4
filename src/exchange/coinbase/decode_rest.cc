// Answers of Coinbase Exchange's REST. What one is about is told by the URL that it was asked at.
//
// Sources: docs.cdp.coinbase.com, exchange-api (products), read 2026-11-21.
#include "exchange/coinbase/frames.h"

namespace candlewick::exchange::coinbase {
namespace {

// "/products/BTC-USD/candles" → "BTC-USD" and "candles".
struct Target {
  std::string_view product;
  std::string_view what;
};
Target target_of(std::string_view url) {
  const auto path = path_of(url);
  constexpr std::string_view root = "/products";
  const auto at = path.find(root);
  if (at == std::string_view::npos) return {{}, path};
  auto rest = path.substr(at + root.size());
  if (rest.size() < 2) return {{}, "products"};
  rest.remove_prefix(1);
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos) return {rest, "product"};
  return {rest.substr(0, slash), rest.substr(slash + 1)};
}

std::optional<Timeframe> timeframe_of_seconds(std::string_view seconds) {
  for (const auto timeframe : all_timeframes) {
    const auto length = length_of(timeframe) / Duration{std::chrono::seconds{1}};
    if (seconds == std::to_string(length)) return timeframe;
  }
  return std::nullopt;
}

}  // namespace

Result<void> RestReplies::decode(const Frame& frame, Events& out) {
  const auto target = target_of(frame.url);
  if (frame.http_status >= 400) {
    std::string message;
    const auto read = reader_.read(frame.text, [&](json::Value root) {
      root.members([&](std::string_view key, json::Value value) {
        if (key == "message") message = value.string();
      });
    });
    if (!read || message.empty()) message = "no reason given";
    return fail(ErrorKind::rejected, "HTTP {}: {}", frame.http_status, message.substr(0, 200));
  }
  return reader_.read(frame.text, [&](json::Value root) {
    if (target.what == "products") {
      root.elements([&](json::Value row) { read_product(catalogue_, row, frame, out); });
    } else if (target.what == "product") {
      read_product(catalogue_, root, frame, out);
    } else if (target.what == "candles") {
      read_candles(root, frame, out);
    } else if (target.what == "book") {
      read_book(root, frame, out);
    } else if (target.what == "trades") {
      read_trades(root, frame, out);
    } else if (target.what == "ticker" || target.what == "stats") {
      read_ticker(root, frame, out);
    } else if (target.what.ends_with("/time")) {
      read_time(root, frame, out);
    }
  });
}

const Instrument* RestReplies::asked(json::Value& root, const Frame& frame) {
  const auto product = target_of(frame.url).product;
  const auto* known = catalogue_.find_or_infer(product);
  if (known == nullptr)
    root.reject("unknown product \"" + std::string(product.substr(0, 40)) + "\"");
  return known;
}

// [[1591514160,0.02505,0.02507,0.02505,0.02507,0.02816506],…]: time, low, high, open, close,
// volume; the newest first.
void RestReplies::read_candles(json::Value root, const Frame& frame, Events& out) {
  const auto* instrument = asked(root, frame);
  const auto seconds = parameter(frame.url, "granularity");
  const auto timeframe = timeframe_of_seconds(seconds);
  if (!timeframe) root.reject("asked for no candle length that is known here");
  if (instrument == nullptr || !timeframe) return;
  root.elements([&](json::Value row) {
    Candle candle;
    candle.origin = {instrument, std::nullopt, frame.received_time};
    candle.timeframe = *timeframe;
    candle.source = Source::rest;
    candle.closed_is_known = false;
    int fields = 0;
    row.elements([&](json::Value part) {
      if (fields == 0) candle.open_time = epoch(part);
      if (fields == 1) candle.low = amount(part);
      if (fields == 2) candle.high = amount(part);
      if (fields == 3) candle.open = amount(part);
      if (fields == 4) candle.close = amount(part);
      if (fields == 5) candle.volume = amount(part);
      ++fields;
    });
    if (fields < 6) return row.reject("a row has six figures");
    out.emplace_back(std::move(candle));
  });
}

// {"bids":[["0.1135","35",1],…],"asks":[…],"sequence":406959136,"time":"…"}. With level=1 it is a
// quote; its number is not one of the stream's.
void RestReplies::read_book(json::Value root, const Frame& frame, Events& out) {
  const auto* instrument = asked(root, frame);
  if (instrument == nullptr) return;
  BookUpdate book;
  book.origin = {instrument, std::nullopt, frame.received_time};
  book.kind = BookKind::snapshot;
  book.is_partial = true;
  bool has_bids = false;
  bool has_asks = false;
  root.members([&](std::string_view key, json::Value value) {
    if (key == "sequence") book.sequence = value.unsigned_integer();
    if (key == "time") book.origin.exchange_time = time_or_none(value);
    if (key == "bids") {
      has_bids = true;
      read_levels(value, book.bids);
    }
    if (key == "asks") {
      has_asks = true;
      read_levels(value, book.asks);
    }
  });
  if (!has_bids || !has_asks) return root.reject("a book has bids and asks");
  const bool is_quote = parameter(frame.url, "level") == "1";
  if (!is_quote) {
    out.emplace_back(std::move(book));
  } else if (!book.bids.empty() && !book.asks.empty()) {
    const auto& bid = book.bids.front();
    const auto& ask = book.asks.front();
    out.emplace_back(Quote{book.origin, bid.price, bid.size, ask.price, ask.size, book.sequence});
  }
}

// [{"trade_id":15035219,"side":"sell","size":"0.27426731","price":"25820.42000000",
//   "time":"2023-09-10T13:47:41.447577Z"},…]: the newest first.
void RestReplies::read_trades(json::Value root, const Frame& frame, Events& out) {
  const auto* instrument = asked(root, frame);
  if (instrument == nullptr) return;
  const std::size_t before = out.size();
  root.elements([&](json::Value row) {
    Trade trade;
    trade.origin = {instrument, std::nullopt, frame.received_time};
    int fields = 0;
    row.members([&](std::string_view key, json::Value value) {
      ++fields;
      if (key == "trade_id") {
        trade.id = trade.first_id = trade.last_id = value.unsigned_integer();
      } else if (key == "side") {
        trade.taker_side = taker_side_of_maker(value);
      } else if (key == "size") {
        trade.size = amount(value);
      } else if (key == "price") {
        trade.price = amount(value);
      } else if (key == "time") {
        trade.origin.exchange_time = timestamp(value);
      } else {
        --fields;
      }
    });
    if (fields != 5) return row.reject("a trade has trade_id, side, size, price and time");
    out.emplace_back(std::move(trade));
  });
  std::reverse(out.begin() + static_cast<std::ptrdiff_t>(before), out.end());
}

// {"trade_id":843439,"price":"0.997999","size":"80.29769","time":"…","bid":"0.997094",
//  "ask":"0.998","volume":"1903188.03750000"}, or the statistics {"open":…,"high":…,"low":…,
//  "last":…,"volume":…,"volume_30day":…}
void RestReplies::read_ticker(json::Value root, const Frame& frame, Events& out) {
  const auto* instrument = asked(root, frame);
  if (instrument == nullptr) return;
  Ticker ticker;
  ticker.origin = {instrument, std::nullopt, frame.received_time};
  root.members([&](std::string_view key, json::Value value) {
    if (key == "price" || key == "last") ticker.last = amount(value);
    if (key == "time") ticker.origin.exchange_time = time_or_none(value);
    if (key == "bid") ticker.bid = amount(value);
    if (key == "ask") ticker.ask = amount(value);
    if (key == "volume") ticker.volume_24h = amount(value);
    if (key == "open") ticker.open_24h = amount(value);
    if (key == "high") ticker.high_24h = amount(value);
    if (key == "low") ticker.low_24h = amount(value);
  });
  if (!ticker.last) return root.reject("a ticker has a last price");
  out.emplace_back(std::move(ticker));
}

// {"iso":"2020-05-12T08:00:51.504Z","epoch":1589270451.504}
void RestReplies::read_time(json::Value root, const Frame& frame, Events& out) {
  std::optional<Time> time;
  root.members([&](std::string_view key, json::Value value) {
    if (key == "iso") time = timestamp(value);
  });
  if (!time) return root.reject("iso is missing");
  out.emplace_back(ClockReading{catalogue_.exchange(), *time, frame.received_time});
}

}  // namespace candlewick::exchange::coinbase
