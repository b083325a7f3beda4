// The formats of Coinbase, each read by a class of its own, and what they share.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "exchange/reading.h"
#include "exchange/venue.h"

namespace candlewick::exchange::coinbase {

// The side in a match is that of the order that had been in the book.
Side taker_side_of_maker(json::Value& side);
// RFC 3339; the feed has sent the year 1 where it had no time.
std::optional<Time> time_or_none(json::Value& value);
// Case-sensitive, as the venue's are. Null, and refused, when it cannot be told.
const Instrument* instrument_of(Catalogue& catalogue, json::Value& product_id);
// {"id":"BTC-USD","base_currency":"BTC",…,"status":"online"}: of REST, and of both status channels.
void read_product(Catalogue& catalogue, json::Value row, const Frame& frame, Events& out);

// Heartbeats come every second for each product; one a second is enough to tell the time.
class Heartbeats {
 public:
  void tell(Catalogue& catalogue, Time time, const Frame& frame, Events& out);

 private:
  std::optional<Time> told_;
};

// The feed of Coinbase Exchange.
class ExchangeFeed {
 public:
  explicit ExchangeFeed(Catalogue& catalogue) : catalogue_(catalogue) {}
  // False: not of this format, and nothing was done.
  Result<bool> decode(const Frame& frame, Events& out);
  std::uint64_t inexact_decimals() const { return reader_.inexact_decimals(); }

 private:
  struct Message;
  void read_member(std::string_view key, json::Value value, Message& message, const Frame& frame,
                   Events& out);
  Result<void> interpret(Message& message, const Frame& frame, Events& out);
  Result<void> trade(Message& message, Events& out) const;
  Result<void> ticker(Message& message, Events& out) const;
  Result<void> book(Message& message, Events& out) const;

  Catalogue& catalogue_;
  json::Reader reader_;
  Heartbeats heartbeats_;
};

// The feed of Advanced Trade, which numbers all messages of a connection.
class AdvancedFeed {
 public:
  explicit AdvancedFeed(Catalogue& catalogue) : catalogue_(catalogue) {}
  Result<void> decode(const Frame& frame, Events& out);
  std::uint64_t inexact_decimals() const { return event_reader_.inexact_decimals(); }

 private:
  struct Envelope;
  bool is_news(const Envelope& envelope, const Frame& frame, Events& out);
  void read_event(const Envelope& envelope, json::Value event, const Frame& frame, Events& out);
  void read_candle(const Envelope& envelope, json::Value row, Events& out);
  void read_trade(json::Value row, const Frame& frame, Events& out);
  void read_ticker(const Envelope& envelope, json::Value row, Events& out);
  void read_update(json::Value row, BookUpdate& book);

  Catalogue& catalogue_;
  json::Reader reader_;
  json::Reader event_reader_;
  std::optional<std::uint64_t> last_number_;
  Heartbeats heartbeats_;
};

// Answers of Coinbase Exchange.
class RestReplies {
 public:
  explicit RestReplies(Catalogue& catalogue) : catalogue_(catalogue) {}
  Result<void> decode(const Frame& frame, Events& out);
  std::uint64_t inexact_decimals() const { return reader_.inexact_decimals(); }

 private:
  void read_candles(json::Value root, const Frame& frame, Events& out);
  void read_book(json::Value root, const Frame& frame, Events& out);
  void read_trades(json::Value root, const Frame& frame, Events& out);
  void read_ticker(json::Value root, const Frame& frame, Events& out);
  void read_time(json::Value root, const Frame& frame, Events& out);
  const Instrument* asked(json::Value& root, const Frame& frame);

  Catalogue& catalogue_;
  json::Reader reader_;
};

}  // namespace candlewick::exchange::coinbase
