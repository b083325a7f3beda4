// What no exchange sends about the assets that are traded: how much of them there is, what all of
// it is worth, what they are called. A source is told what happened and when, and answers with the
// next request; it opens no socket and reads no clock (driver.h does).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/decimal.h"
#include "base/result.h"
#include "base/time.h"
#include "net/http_client.h"

namespace candlewick::fundamentals {

// Absent: unknown, or too old to be told.
struct MarketFacts {
  std::optional<Decimal> market_cap;  // in US dollars
  std::optional<Decimal> circulating_supply;
  friend bool operator==(const MarketFacts&, const MarketFacts&) = default;
};

struct AssetFacts {
  std::string name;
  std::optional<std::string> sector;
  std::optional<Time> launch_date;  // its midnight UTC
  std::string coingecko_id;
  friend bool operator==(const AssetFacts&, const AssetFacts&) = default;
};

// An asset as exchanges write it ("BTC").
struct Wanted {
  std::string asset;
  std::optional<std::string> coingecko_id;  // known for certain; else found by the ticker
  std::optional<Duration> facts_age;        // of those that are stored already
};

// What comes out. Calls happen inside on_*() and next() of the source.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual void on_market(const std::string& asset, const MarketFacts& facts) = 0;
  virtual void on_asset(const std::string& asset, const AssetFacts& facts) = 0;
};

class Source {
 public:
  virtual ~Source() = default;
  // What to ask now, if anything: one request is under way at a time, and each is answered by one
  // of the two below.
  virtual std::optional<net::HttpRequest> next(SteadyTime now) = 0;
  virtual void on_response(const net::HttpResponse& response, SteadyTime now) = 0;
  virtual void on_error(const Error& error, SteadyTime now) = 0;
  // When next() may have something to do; nullopt while a request is under way.
  virtual std::optional<SteadyTime> next_wake() const = 0;
};

}  // namespace candlewick::fundamentals
