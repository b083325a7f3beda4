// The feed of Coinbase Exchange: flat objects with a "type".
//
// Sources: docs.cdp.coinbase.com, exchange/websocket-feed (overview, channels, rate limits), read
// 2026-11-21.
#include <algorithm>

#include "exchange/coinbase/frames.h"

namespace candlewick::exchange::coinbase {

// The members of any message, in whatever order they come.
struct ExchangeFeed::Message {
  std::string_view type;
  std::string_view message;
  std::string_view reason;
  bool is_other = false;
  const Instrument* instrument = nullptr;
  std::optional<Time> time;
  std::optional<Time> received_time;
  std::optional<std::uint64_t> trade_id;
  std::optional<Decimal> price;
  std::optional<Decimal> size;
  std::optional<Side> taker_side;
  Ticker ticker;
  std::vector<Level> bids;
  std::vector<Level> asks;
  bool has_levels = false;
};

Result<bool> ExchangeFeed::decode(const Frame& frame, Events& out) {
  Message message;
  message.received_time = frame.received_time;
  auto read = reader_.read(frame.text, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      read_member(key, value, message, frame, out);
    });
  });
  if (!read) return fail(read.error());
  if (message.is_other) return false;
  if (auto done = interpret(message, frame, out); !done) return fail(done.error());
  return true;
}

void ExchangeFeed::read_member(std::string_view key, json::Value value, Message& message,
                               const Frame& frame, Events& out) {
  if (key == "channel") message.is_other = true;
  if (message.is_other || value.is_null()) return;
  if (key == "type") {
    message.type = value.raw();
  } else if (key == "product_id") {
    message.instrument = instrument_of(catalogue_, value);
  } else if (key == "time") {
    message.time = time_or_none(value);
  } else if (key == "price") {
    message.price = amount(value);
  } else if (key == "size") {
    message.size = amount(value);
  } else if (key == "trade_id") {
    message.trade_id = value.unsigned_integer();
  } else if (key == "side") {
    message.taker_side = taker_side_of_maker(value);
  } else if (key == "open_24h") {
    message.ticker.open_24h = amount(value);
  } else if (key == "high_24h") {
    message.ticker.high_24h = amount(value);
  } else if (key == "low_24h") {
    message.ticker.low_24h = amount(value);
  } else if (key == "volume_24h") {
    message.ticker.volume_24h = amount(value);
  } else if (key == "best_bid") {
    message.ticker.bid = amount(value);
  } else if (key == "best_bid_size") {
    message.ticker.bid_size = amount(value);
  } else if (key == "best_ask") {
    message.ticker.ask = amount(value);
  } else if (key == "best_ask_size") {
    message.ticker.ask_size = amount(value);
  } else if (key == "bids" || key == "asks") {
    read_levels(value, key == "bids" ? message.bids : message.asks);
    message.has_levels = true;
  } else if (key == "changes") {
    message.has_levels = true;
    value.elements([&](json::Value change) {
      Level level;
      std::string_view side;
      int fields = 0;
      change.elements([&](json::Value part) {
        if (fields == 0) side = part.raw();
        if (fields == 1) level.price = amount(part);
        if (fields == 2) level.size = amount(part);
        ++fields;
      });
      if (fields < 3 || (side != "buy" && side != "sell"))
        return change.reject("a change is buy or sell, a price and a size");
      (side == "buy" ? message.bids : message.asks).push_back(level);
    });
  } else if (key == "message" && value.type() == json::Type::string) {
    message.message = value.raw();
  } else if (key == "reason" && value.type() == json::Type::string) {
    message.reason = value.raw();
  } else if (key == "products" && value.type() == json::Type::array) {
    value.elements([&](json::Value row) { read_product(catalogue_, row, frame, out); });
  }
}

Result<void> ExchangeFeed::interpret(Message& message, const Frame& frame, Events& out) {
  const auto& type = message.type;
  // What came last before the subscription comes first: a match that a lost connection kept back.
  if (type == "match" || type == "last_match") return trade(message, out);
  if (type == "ticker") return ticker(message, out);
  if (type == "snapshot" || type == "l2update") return book(message, out);
  if (type == "heartbeat") {
    if (!message.time) return fail(ErrorKind::malformed, "heartbeat: time is missing");
    heartbeats_.tell(catalogue_, *message.time, frame, out);
    return {};
  }
  if (type == "error") {
    return fail(ErrorKind::rejected, "{}: {}", message.message.substr(0, 100),
                message.reason.substr(0, 200));
  }
  if (type.empty()) return fail(ErrorKind::malformed, "a message without type");
  return {};
}

// {"type":"match","trade_id":1568268,"maker_order_id":"…","taker_order_id":"…","side":"sell",
//  "size":"450","price":"0.791","product_id":"SKL-USD","sequence":201390075,
//  "time":"2021-04-17T16:43:37.121358Z"}
Result<void> ExchangeFeed::trade(Message& message, Events& out) const {
  if (message.instrument == nullptr || !message.trade_id || !message.price || !message.size ||
      !message.taker_side || !message.time) {
    return fail(ErrorKind::malformed, "{}: a member is missing", message.type);
  }
  Trade trade;
  trade.origin = {message.instrument, message.time, message.received_time};
  trade.id = trade.first_id = trade.last_id = *message.trade_id;
  trade.price = *message.price;
  trade.size = *message.size;
  trade.taker_side = *message.taker_side;
  out.emplace_back(std::move(trade));
  return {};
}

// {"type":"ticker","sequence":333938798,"product_id":"BAND-GBP","price":"14.7775","open_24h":…,
//  "volume_24h":…,"low_24h":…,"high_24h":…,"volume_30d":…,"best_bid":"14.7550",
//  "best_bid_size":"3.1","best_ask":"14.8060","best_ask_size":"12","side":"buy","time":"…",
//  "trade_id":881613,"last_size":"0.04"}; sizes since 2022.
Result<void> ExchangeFeed::ticker(Message& message, Events& out) const {
  if (message.instrument == nullptr || !message.price)
    return fail(ErrorKind::malformed, "ticker: product or price is missing");
  Ticker& ticker = message.ticker;
  ticker.origin = {message.instrument, message.time, message.received_time};
  ticker.last = message.price;
  if (ticker.bid && ticker.bid_size && ticker.ask && ticker.ask_size) {
    out.emplace_back(Quote{ticker.origin, *ticker.bid, *ticker.bid_size, *ticker.ask,
                           *ticker.ask_size, std::nullopt});
  }
  out.emplace_back(std::move(ticker));
  return {};
}

// {"type":"snapshot","product_id":"BTC-USD","asks":[["37212.77","0.05724592"],…],"bids":[…]}
// {"type":"l2update","product_id":"BTC-USD","changes":[["buy","37378.26","0.02460000"]],
//  "time":"2021-06-02T09:02:09.048568Z"}
Result<void> ExchangeFeed::book(Message& message, Events& out) const {
  if (message.instrument == nullptr || !message.has_levels)
    return fail(ErrorKind::malformed, "{}: product or levels are missing", message.type);
  BookUpdate book;
  book.origin = {message.instrument, message.time, message.received_time};
  book.kind = message.type == "snapshot" ? BookKind::snapshot : BookKind::delta;
  book.bids = std::move(message.bids);
  book.asks = std::move(message.asks);
  out.emplace_back(std::move(book));
  return {};
}

}  // namespace candlewick::exchange::coinbase
