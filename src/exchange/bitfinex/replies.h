// Answers of Bitfinex's REST. What one is about is told by the URL that it was asked at.
#pragma once

#include "base/json.h"
#include "exchange/bitfinex/rows.h"
#include "exchange/venue.h"

namespace candlewick::exchange::bitfinex {

class Replies {
 public:
  explicit Replies(Catalogue& catalogue) : catalogue_(catalogue) {}
  Result<void> decode(const Frame& frame, Events& out);
  std::uint64_t inexact_decimals() const { return reader_.inexact_decimals(); }

 private:
  struct Target;
  Target target_of(const Frame& frame);
  Result<void> interpret(const Target& target, const Frame& frame, Events& out);
  void read_pairs(json::Value root, const Frame& frame, Events& out);
  void read_tickers(json::Value root, const Frame& frame, Events& out);

  Catalogue& catalogue_;
  json::Reader reader_;
  Rows rows_;
};

}  // namespace candlewick::exchange::bitfinex
