// The feed of Advanced Trade: {"channel":…,"timestamp":…,"sequence_num":…,"events":[…]}. Numbers
// grow by one from message to message of a connection, whatever channel they are of; one that is
// left out means that something was lost.
//
// Sources: docs.cdp.coinbase.com, Advanced Trade WebSocket overview and channels, read 2026-11-21.
#include <algorithm>

#include "exchange/coinbase/frames.h"

namespace candlewick::exchange::coinbase {

using namespace std::chrono_literals;

struct AdvancedFeed::Envelope {
  std::string channel;
  std::optional<Time> time;
  std::optional<std::uint64_t> number;
  std::optional<Time> received_time;
};

Result<void> AdvancedFeed::decode(const Frame& frame, Events& out) {
  Envelope envelope;
  envelope.received_time = frame.received_time;
  std::string_view events;
  auto read = reader_.read(frame.text, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key == "channel") envelope.channel = value.string();
      if (key == "timestamp") envelope.time = time_or_none(value);
      if (key == "sequence_num") envelope.number = value.unsigned_integer();
      if (key == "events") events = value.text();
    });
  });
  if (!read) return read;
  if (events.empty()) return {};
  Events found;
  read = event_reader_.read(events, [&](json::Value root) {
    root.elements([&](json::Value event) { read_event(envelope, event, frame, found); });
  });
  if (!read) return read;
  // Only a whole message counts as having come.
  if (!is_news(envelope, frame, out)) return {};
  if (envelope.channel == "heartbeats" && envelope.time)
    heartbeats_.tell(catalogue_, *envelope.time, frame, out);
  out.insert(out.end(), std::make_move_iterator(found.begin()),
             std::make_move_iterator(found.end()));
  return {};
}

// False for one that came before, or too late.
bool AdvancedFeed::is_news(const Envelope& envelope, const Frame& frame, Events& out) {
  if (!envelope.number) return true;
  if (last_number_ && *envelope.number <= *last_number_) return false;
  if (last_number_ && *envelope.number != *last_number_ + 1) {
    out.emplace_back(ConnectionGap{.exchange = catalogue_.exchange(),
                                   .expected = std::to_string(*last_number_ + 1),
                                   .got = std::to_string(*envelope.number),
                                   .received_time = frame.received_time});
  }
  last_number_ = envelope.number;
  return true;
}

void AdvancedFeed::read_event(const Envelope& envelope, json::Value event, const Frame& frame,
                              Events& out) {
  const std::size_t before = out.size();
  const auto& channel = envelope.channel;
  bool is_snapshot = false;
  BookUpdate book;
  event.members([&](std::string_view key, json::Value value) {
    const auto each = [&](auto read) { value.elements([&](json::Value row) { read(row); }); };
    if (key == "type") is_snapshot = value.raw() == "snapshot";
    if (channel == "candles" && key == "candles")
      each([&](json::Value row) { read_candle(envelope, row, out); });
    if (channel == "market_trades" && key == "trades")
      each([&](json::Value row) { read_trade(row, frame, out); });
    if (channel.starts_with("ticker") && key == "tickers")
      each([&](json::Value row) { read_ticker(envelope, row, out); });
    if (channel == "status" && key == "products")
      each([&](json::Value row) { read_product(catalogue_, row, frame, out); });
    if (channel != "l2_data") return;
    if (key == "product_id") book.origin.instrument = instrument_of(catalogue_, value);
    if (key == "updates") each([&](json::Value row) { read_update(row, book); });
  });
  if (channel == "l2_data") {
    if (book.origin.instrument == nullptr) return event.reject("product_id is missing");
    book.kind = is_snapshot ? BookKind::snapshot : BookKind::delta;
    book.origin.exchange_time = envelope.time;
    book.origin.received_time = envelope.received_time;
    book.sequence = envelope.number;
    out.emplace_back(std::move(book));
    return;
  }
  const auto first = out.begin() + static_cast<std::ptrdiff_t>(before);
  if (channel == "market_trades") {
    // The newest come first.
    std::stable_sort(first, out.end(), [](const Event& a, const Event& b) {
      return std::get<Trade>(a).id < std::get<Trade>(b).id;
    });
  } else if (channel == "candles" && is_snapshot) {
    // It repeats candles that are over: only the newest one of each product counts.
    std::stable_sort(first, out.end(), [](const Event& a, const Event& b) {
      return std::get<Candle>(a).open_time > std::get<Candle>(b).open_time;
    });
    Events newest;
    for (auto at = first; at != out.end(); ++at) {
      const auto& candle = std::get<Candle>(*at);
      const bool is_known = std::ranges::any_of(newest, [&](const Event& other) {
        return std::get<Candle>(other).origin.instrument == candle.origin.instrument;
      });
      if (!is_known) newest.push_back(*at);
    }
    out.resize(before);
    out.insert(out.end(), newest.begin(), newest.end());
  }
}

// {"start":"1775521800","high":"68950.00","low":"68850.00","open":"68900.00","close":"68920.50",
//  "volume":"42.15000000","product_id":"BTC-USD"}: of five minutes, always.
void AdvancedFeed::read_candle(const Envelope& envelope, json::Value row, Events& out) {
  Candle candle;
  candle.timeframe = Timeframe::m5;
  candle.origin.exchange_time = envelope.time;
  candle.origin.received_time = envelope.received_time;
  int fields = 0;
  row.members([&](std::string_view key, json::Value value) {
    ++fields;
    if (key == "start") {
      candle.open_time = epoch(value);
    } else if (key == "high") {
      candle.high = amount(value);
    } else if (key == "low") {
      candle.low = amount(value);
    } else if (key == "open") {
      candle.open = amount(value);
    } else if (key == "close") {
      candle.close = amount(value);
    } else if (key == "volume") {
      candle.volume = amount(value);
    } else if (key == "product_id") {
      candle.origin.instrument = instrument_of(catalogue_, value);
    } else {
      --fields;
    }
  });
  if (fields != 7 || open_of(Timeframe::m5, candle.open_time) != candle.open_time)
    return row.reject("a candle of five minutes has seven members");
  out.emplace_back(std::move(candle));
}

// {"trade_id":"995098700","product_id":"BTC-USD","price":"68900.50","size":"0.00150000",
//  "side":"BUY","time":"2026-04-07T14:30:02.789012Z"}
void AdvancedFeed::read_trade(json::Value row, const Frame& frame, Events& out) {
  Trade trade;
  trade.origin.received_time = frame.received_time;
  int fields = 0;
  row.members([&](std::string_view key, json::Value value) {
    ++fields;
    if (key == "trade_id") {
      trade.id = trade.first_id = trade.last_id = value.unsigned_integer();
    } else if (key == "product_id") {
      trade.origin.instrument = instrument_of(catalogue_, value);
    } else if (key == "price") {
      trade.price = amount(value);
    } else if (key == "size") {
      trade.size = amount(value);
    } else if (key == "side") {
      trade.taker_side = taker_side_of_maker(value);
    } else if (key == "time") {
      trade.origin.exchange_time = timestamp(value);
    } else {
      --fields;
    }
  });
  if (fields != 6) return row.reject("a trade has six members");
  out.emplace_back(std::move(trade));
}

// {"type":"ticker","product_id":"BTC-USD","price":"68900.50","volume_24_h":"15328.12345678",
//  "low_24_h":…,"high_24_h":…,"price_percent_chg_24_h":"1.85","best_bid":"68900.00",
//  "best_bid_quantity":"1.5","best_ask":"68901.00","best_ask_quantity":"0.5"}
void AdvancedFeed::read_ticker(const Envelope& envelope, json::Value row, Events& out) {
  Ticker ticker;
  ticker.origin.exchange_time = envelope.time;
  ticker.origin.received_time = envelope.received_time;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "product_id") ticker.origin.instrument = instrument_of(catalogue_, value);
    if (key == "type" || key == "product_id" || value.is_null() || value.raw().empty()) return;
    if (key == "price") ticker.last = amount(value);
    if (key == "volume_24_h") ticker.volume_24h = amount(value);
    if (key == "low_24_h") ticker.low_24h = amount(value);
    if (key == "high_24_h") ticker.high_24h = amount(value);
    if (key == "price_percent_chg_24_h") ticker.change_pct_24h = value.decimal();
    if (key == "best_bid") ticker.bid = amount(value);
    if (key == "best_bid_quantity") ticker.bid_size = amount(value);
    if (key == "best_ask") ticker.ask = amount(value);
    if (key == "best_ask_quantity") ticker.ask_size = amount(value);
  });
  if (ticker.origin.instrument == nullptr || !ticker.last)
    return row.reject("a ticker has a product and a price");
  if (ticker.bid && ticker.bid_size && ticker.ask && ticker.ask_size) {
    out.emplace_back(Quote{ticker.origin, *ticker.bid, *ticker.bid_size, *ticker.ask,
                           *ticker.ask_size, std::nullopt});
  }
  out.emplace_back(std::move(ticker));
}

// {"side":"bid","event_time":"…","price_level":"68900.00","new_quantity":"1.50000000"}; asks are
// called offers.
void AdvancedFeed::read_update(json::Value row, BookUpdate& book) {
  Level level;
  std::string_view side;
  int fields = 0;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "side") side = value.raw();
    if (key == "price_level") {
      level.price = amount(value);
      ++fields;
    }
    if (key == "new_quantity") {
      level.size = amount(value);
      ++fields;
    }
  });
  const bool is_bid = side == "bid";
  if (fields != 2 || (!is_bid && side != "offer" && side != "ask"))
    return row.reject("an update has a side, a price_level and a new_quantity");
  (is_bid ? book.bids : book.asks).push_back(level);
}

}  // namespace candlewick::exchange::coinbase
