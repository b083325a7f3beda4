// The three formats of Kraken, each read by a class of its own.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

#include "base/json.h"
#include "exchange/reading.h"
#include "exchange/venue.h"

namespace candlewick::exchange::kraken {

// How many fractional digits a book's numbers are written with: the most that were seen since its
// snapshot. An update alone may hold too few numbers to tell.
class BookDigits {
 public:
  void note(BookUpdate& book, LevelDigits seen);

 private:
  std::unordered_map<const Instrument*, LevelDigits> known_;
};

// WebSocket v2.
class StreamV2 {
 public:
  explicit StreamV2(Catalogue& catalogue) : catalogue_(catalogue) {}
  // False: not of this version, and nothing was done.
  Result<bool> decode(const Frame& frame, Events& out);
  std::uint64_t inexact_decimals() const {
    return reader_.inexact_decimals() + late_reader_.inexact_decimals();
  }

 private:
  struct Head;
  void read_data(const Head& head, json::Value data, const Frame& frame, Events& out);
  void read_candles(bool is_snapshot, json::Value data, const Frame& frame, Events& out);
  void read_ticker(json::Value row, const Frame& frame, Events& out);
  void read_trade(json::Value row, const Frame& frame, Events& out);
  void read_book(bool is_snapshot, json::Value row, const Frame& frame, Events& out);
  void read_pair(json::Value row, const Frame& frame, Events& out);
  Result<void> interpret_answer(const Head& head, const Frame& frame, Events& out) const;
  const Instrument* instrument(json::Value& symbol);

  Catalogue& catalogue_;
  json::Reader reader_;
  json::Reader late_reader_;  // of data that came before what it is
  BookDigits digits_;
};

// WebSocket v1: for recordings, and because the venue still speaks it.
class StreamV1 {
 public:
  explicit StreamV1(Catalogue& catalogue) : catalogue_(catalogue) {}
  Result<void> decode(const Frame& frame, Events& out);
  std::uint64_t inexact_decimals() const {
    return reader_.inexact_decimals() + payload_reader_.inexact_decimals();
  }

 private:
  struct Subscription {
    std::string channel;
    std::string pair;
  };
  Result<void> read_event(json::Value root);
  Result<void> interpret(std::string_view payload, const Subscription& subscription,
                         const Frame& frame, Events& out);
  Result<void> interpret_book(std::span<const std::string_view> payloads,
                              const Subscription& subscription, const Frame& frame, Events& out);
  void read_ticker(json::Value payload, Origin origin, Events& out);
  void read_trades(json::Value payload, const Origin& origin, Events& out);
  void read_spread(json::Value payload, Origin origin, Events& out);
  void read_candle(json::Value payload, Timeframe timeframe, Origin origin, Events& out);
  void read_book(json::Value payload, BookUpdate& book, LevelDigits& digits);

  Catalogue& catalogue_;
  json::Reader reader_;
  json::Reader payload_reader_;
  BookDigits digits_;
  std::map<std::uint64_t, Subscription> subscriptions_;                 // by channel id
  std::optional<std::pair<std::uint64_t, Subscription>> acknowledged_;  // by this frame
};

// Answers of /0/public/.
class RestReplies {
 public:
  explicit RestReplies(Catalogue& catalogue) : catalogue_(catalogue) {}
  Result<void> decode(const Frame& frame, Events& out);
  std::uint64_t inexact_decimals() const { return reader_.inexact_decimals(); }

 private:
  Result<void> read_result(std::string_view result, const Frame& frame, Events& out);
  void read_candles(json::Value result, const Frame& frame, Events& out);
  void read_depth(json::Value result, const Frame& frame, Events& out);
  void read_trades(json::Value result, const Frame& frame, Events& out);
  void read_tickers(json::Value result, const Frame& frame, Events& out);
  void read_pairs(json::Value result, const Frame& frame, Events& out);
  void read_time(json::Value result, const Frame& frame, Events& out);
  const Instrument* asked(json::Value& result, const Frame& frame);

  Catalogue& catalogue_;
  json::Reader reader_;
};

// Kraken's words for a pair's state.
ListingStatus status_of(std::string_view status);
// Of a number as written.
std::uint8_t fraction_digits(std::string_view number);
// Kraken's candle lengths in minutes.
std::optional<Timeframe> timeframe_of_minutes(std::int64_t minutes);

}  // namespace candlewick::exchange::kraken
