// WebSocket v1: [channelID, payload, "book-1000", "XBT/USD"]; a book's frame may hold two payloads,
// one a side. Names come last, so payloads are read once the whole frame is known. Prices are
// strings, times are seconds with a fraction. Trades have no ids.
//
// Source: docs.kraken.com/websockets (v1), read 2026-11-21. The venue still speaks it and adds
// nothing to it.
#include <algorithm>
#include <array>
#include <charconv>

#include "exchange/kraken/frames.h"
#include "exchange/kraken/symbols.h"

namespace candlewick::exchange::kraken {
namespace {

// The elements of an array, by their place.
template <class F>
void positions(json::Value& array, F&& element) {
  int index = 0;
  array.elements([&](json::Value value) { element(index++, value); });
}

// The number behind "ohlc-" or "book-".
std::optional<std::int64_t> number_of(std::string_view channel) {
  const auto dash = channel.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  std::int64_t number = 0;
  const auto* const last = channel.data() + channel.size();
  const auto [end, error] = std::from_chars(channel.data() + dash + 1, last, number);
  if (error != std::errc{} || end != last) return std::nullopt;
  return number;
}

}  // namespace

Result<void> StreamV1::decode(const Frame& frame, Events& out) {
  acknowledged_.reset();
  std::optional<Result<void>> event;
  std::optional<std::uint64_t> id;
  std::array<std::string_view, 2> payloads;
  std::size_t payload_count = 0;
  std::array<std::string, 2> names;
  std::size_t name_count = 0;
  auto read = reader_.read(frame.text, [&](json::Value root) {
    if (root.type() != json::Type::array) {
      event = read_event(root);
      return;
    }
    root.elements([&](json::Value element) {
      switch (element.type()) {
        case json::Type::object:
        case json::Type::array:
          if (payload_count == payloads.size()) return element.reject("more than two payloads");
          payloads[payload_count++] = element.text();
          break;
        case json::Type::string:
          if (name_count == names.size()) return element.reject("more than two names");
          names[name_count++] = element.string();
          break;
        default:
          id = element.unsigned_integer();
      }
    });
  });
  if (!read) return read;
  if (event) {
    // Only a whole frame counts as having come.
    if (acknowledged_) subscriptions_.insert_or_assign(acknowledged_->first, acknowledged_->second);
    return *std::move(event);
  }
  if (!id || payload_count == 0) {
    return fail(ErrorKind::malformed, "a frame of v1 has a channel id and a payload");
  }
  // Where the frame does not name them, the acknowledgement did.
  Subscription subscription{names[0], names[1]};
  if (name_count < names.size()) {
    const auto known = subscriptions_.find(*id);
    if (known == subscriptions_.end())
      return fail(ErrorKind::malformed, "channel {} was never acknowledged", *id);
    subscription = known->second;
  }
  if (subscription.channel.starts_with("book"))
    return interpret_book(std::span(payloads).first(payload_count), subscription, frame, out);
  return interpret(payloads[0], subscription, frame, out);
}

// {"channelID":2496,"channelName":"book-1000","event":"subscriptionStatus","pair":"ALGO/XBT",
//  "status":"subscribed","subscription":{"depth":1000,"name":"book"}}, or with "status":"error" and
// an "errorMessage"; {"event":"heartbeat"}, {"event":"systemStatus",…}
Result<void> StreamV1::read_event(json::Value root) {
  std::string_view event;
  std::string_view status;
  std::string_view message;
  Subscription subscription;
  std::optional<std::uint64_t> id;
  root.members([&](std::string_view key, json::Value value) {
    if (key == "event") event = value.raw();
    if (key == "status") status = value.raw();
    if (key == "errorMessage") message = value.raw();
    if (key == "channelName") subscription.channel = value.string();
    if (key == "pair") subscription.pair = value.string();
    if (key == "channelID") id = value.unsigned_integer();
    if (key == "subscription" && value.type() == json::Type::object) {
      value.members([&](std::string_view name, json::Value part) {
        if (name == "name" && subscription.channel.empty()) subscription.channel = part.string();
      });
    }
  });
  if (status == "error" || event == "error") {
    return fail(ErrorKind::rejected, "{} {}: {}", subscription.channel.substr(0, 40),
                subscription.pair.substr(0, 40), message.substr(0, 200));
  }
  if (event == "subscriptionStatus" && status == "subscribed" && id)
    acknowledged_.emplace(*id, std::move(subscription));
  return {};
}

Result<void> StreamV1::interpret_book(std::span<const std::string_view> payloads,
                                      const Subscription& subscription, const Frame& frame,
                                      Events& out) {
  const auto* instrument = instrument_of(catalogue_, subscription.pair);
  if (instrument == nullptr)
    return fail(ErrorKind::malformed, "unknown pair \"{}\"", subscription.pair.substr(0, 40));
  BookUpdate book;
  book.origin = {instrument, std::nullopt, frame.received_time};
  LevelDigits digits;
  for (const auto text : payloads) {
    auto read =
        payload_reader_.read(text, [&](json::Value payload) { read_book(payload, book, digits); });
    if (!read) return read;
  }
  digits_.note(book, digits);
  out.emplace_back(std::move(book));
  return {};
}

Result<void> StreamV1::interpret(std::string_view text, const Subscription& subscription,
                                 const Frame& frame, Events& out) {
  const auto& channel = subscription.channel;
  const bool is_candle = channel.starts_with("ohlc");
  if (channel != "ticker" && channel != "trade" && channel != "spread" && !is_candle) return {};
  const auto* instrument = instrument_of(catalogue_, subscription.pair);
  if (instrument == nullptr)
    return fail(ErrorKind::malformed, "unknown pair \"{}\"", subscription.pair.substr(0, 40));
  const Origin origin{instrument, std::nullopt, frame.received_time};
  std::optional<Timeframe> timeframe;
  if (is_candle) {
    timeframe = timeframe_of_minutes(number_of(channel).value_or(0));
    if (!timeframe)
      return fail(ErrorKind::malformed, "no candle length: \"{}\"", channel.substr(0, 40));
  }
  return payload_reader_.read(text, [&](json::Value payload) {
    if (is_candle) {
      read_candle(payload, *timeframe, origin, out);
    } else if (channel == "ticker") {
      read_ticker(payload, origin, out);
    } else if (channel == "trade") {
      read_trades(payload, origin, out);
    } else {
      read_spread(payload, origin, out);
    }
  });
}

// {"a":["29938.6",12,"12.41"],"b":["29938.5",0,"0.08"],"c":["29938.6","0.10"],"v":["735","5243"],
//  "p":[…],"t":[6120,30832],"l":[…],"h":[…],"o":[…]}: of two figures the second is of 24 hours.
void StreamV1::read_ticker(json::Value payload, Origin origin, Events& out) {
  Ticker ticker;
  ticker.origin = origin;
  payload.members([&](std::string_view key, json::Value value) {
    if (key.size() != 1) return;
    positions(value, [&](int index, json::Value part) {
      if (key == "a" && index == 0) ticker.ask = amount(part);
      if (key == "a" && index == 2) ticker.ask_size = amount(part);
      if (key == "b" && index == 0) ticker.bid = amount(part);
      if (key == "b" && index == 2) ticker.bid_size = amount(part);
      if (key == "c" && index == 0) ticker.last = amount(part);
      if (index != 1) return;
      if (key == "v") ticker.volume_24h = amount(part);
      if (key == "l") ticker.low_24h = amount(part);
      if (key == "h") ticker.high_24h = amount(part);
      if (key == "o") ticker.open_24h = amount(part);
    });
  });
  if (!ticker.last || !ticker.bid || !ticker.bid_size || !ticker.ask || !ticker.ask_size)
    return payload.reject("a ticker has a, b and c");
  out.emplace_back(
      Quote{origin, *ticker.bid, *ticker.bid_size, *ticker.ask, *ticker.ask_size, std::nullopt});
  out.emplace_back(std::move(ticker));
}

// [["57126.70000","0.02063928","1616333924.737428","b","m",""],…]: the side is the taker's.
void StreamV1::read_trades(json::Value payload, const Origin& origin, Events& out) {
  payload.elements([&](json::Value row) {
    Trade trade;
    trade.origin = origin;
    int fields = 0;
    positions(row, [&](int index, json::Value part) {
      if (index == 0) trade.price = amount(part);
      if (index == 1) trade.size = amount(part);
      if (index == 2) trade.origin.exchange_time = epoch_seconds(part);
      if (index == 3) {
        const auto side = part.raw();
        if (side != "b" && side != "s") part.reject("neither b nor s");
        trade.taker_side = side == "b" ? Side::buy : Side::sell;
      }
      fields = index + 1;
    });
    if (fields < 4) return row.reject("a trade has a price, a volume, a time and a side");
    out.emplace_back(std::move(trade));
  });
}

// ["31760.00000","31760.10000","1654031976.197239","0.02167307","6.46761464"]
void StreamV1::read_spread(json::Value payload, Origin origin, Events& out) {
  Quote quote;
  quote.origin = origin;
  int fields = 0;
  positions(payload, [&](int index, json::Value part) {
    if (index == 0) quote.bid = amount(part);
    if (index == 1) quote.ask = amount(part);
    if (index == 2) quote.origin.exchange_time = epoch_seconds(part);
    if (index == 3) quote.bid_size = amount(part);
    if (index == 4) quote.ask_size = amount(part);
    fields = index + 1;
  });
  if (fields < 5) return payload.reject("a spread has two prices, a time and two volumes");
  out.emplace_back(std::move(quote));
}

// ["1675209613.118218","1675209660.000000",open,high,low,close,vwap,volume,count]: when it last
// changed, and when it ends.
void StreamV1::read_candle(json::Value payload, Timeframe timeframe, Origin origin, Events& out) {
  Candle candle;
  candle.origin = origin;
  candle.timeframe = timeframe;
  int fields = 0;
  positions(payload, [&](int index, json::Value part) {
    if (index == 0) candle.origin.exchange_time = epoch_seconds(part);
    if (index == 1) candle.open_time = epoch_seconds(part) - length_of(timeframe);
    if (index == 2) candle.open = amount(part);
    if (index == 3) candle.high = amount(part);
    if (index == 4) candle.low = amount(part);
    if (index == 5) candle.close = amount(part);
    if (index == 7) candle.volume = amount(part);
    if (index == 8) candle.trade_count = part.unsigned_integer();
    fields = index + 1;
  });
  if (fields < 9) return payload.reject("a candle has nine figures");
  if (open_of(timeframe, candle.open_time) != candle.open_time)
    return payload.reject("the end is no end of such an interval");
  out.emplace_back(std::move(candle));
}

// {"as":[["58729.40000","0.45000000","1617666423.606671"],…],"bs":[…]} is a snapshot,
// {"a":[…],"c":"2040672112"} an update; a level may have a fourth element, "r", that says that it
// came back into view.
void StreamV1::read_book(json::Value payload, BookUpdate& book, LevelDigits& digits) {
  payload.members([&](std::string_view key, json::Value value) {
    if (key == "c") {
      const auto checksum = value.unsigned_integer();
      if (checksum > 0xFFFFFFFFU) value.reject("no 32-bit number");
      book.checksum = static_cast<std::uint32_t>(checksum);
      return;
    }
    if (key != "as" && key != "bs" && key != "a" && key != "b") return;
    if (key.size() == 2) book.kind = BookKind::snapshot;
    auto& side = key[0] == 'a' ? book.asks : book.bids;
    value.elements([&](json::Value row) {
      Level& level = side.emplace_back();
      int fields = 0;
      positions(row, [&](int index, json::Value part) {
        if (index == 0) {
          digits.price = std::max(digits.price, fraction_digits(part.raw()));
          level.price = amount(part);
        }
        if (index == 1) {
          digits.size = std::max(digits.size, fraction_digits(part.raw()));
          level.size = amount(part);
        }
        if (index == 2) {
          const auto time = epoch_seconds(part);
          book.origin.exchange_time = std::max(book.origin.exchange_time.value_or(time), time);
        }
        fields = index + 1;
      });
      if (fields < 3) row.reject("a level has a price, a volume and a time");
    });
  });
}

}  // namespace candlewick::exchange::kraken
