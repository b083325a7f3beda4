// The contract between a venue and the rest of the system: facts and pure functions, nothing that
// opens a socket, reads a clock or remembers more than one connection's acknowledgements.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "market/event.h"
#include "market/instrument.h"

namespace candlewick::exchange {

// A message as it arrived. `url` is the WebSocket's for a stream frame and the request's for a REST
// reply; replies are told apart by it.
struct Frame {
  std::string_view text;
  std::string_view url;
  std::optional<Time> received_time;
  bool is_reply = false;   // the body of a REST answer
  bool is_binary = false;  // a binary WebSocket frame
  int http_status = 200;   // of a REST answer
};

// Belongs to one connection (or to the REST side). Not thread-safe.
class Decoder {
 public:
  virtual ~Decoder() = default;
  // Appends the frame's events; on an error nothing is appended. Frames that carry nothing for us
  // (acknowledgements, heartbeats, unknown kinds) append nothing and are no error.
  // Errors: malformed (cut, wrong types, absurd values), rejected (the venue refused something).
  virtual Result<void> decode(const Frame& frame, Events& out) = 0;
  // Decimals that lost digits past the 18th, so far.
  virtual std::uint64_t inexact_decimals() const = 0;
};

enum class ChannelKind : unsigned char {
  candles,
  trades,
  aggregate_trades,
  quotes,
  book,
  ladder,
  ticker,
  mini_ticker
};

// What to listen to.
struct Channel {
  ChannelKind kind = ChannelKind::candles;
  Timeframe timeframe = Timeframe::m1;  // of candles
  const Instrument* instrument = nullptr;
  friend bool operator==(const Channel&, const Channel&) = default;
};

// A GET. `weight` is what the venue charges for it against its request budget.
struct RestRequest {
  std::string target;  // path and query, to be put behind the base URL
  int weight = 1;
};

// What a REST reply is wanted for.
enum class RestKind : unsigned char {
  server_time,
  instruments,
  candles,
  trades,
  historical_trades,
  aggregate_trades,
  ticker,
  price,
  quote,
  average_price,
  depth
};

struct RestQuery {
  RestKind kind = RestKind::server_time;
  const Instrument* instrument = nullptr;
  Timeframe timeframe = Timeframe::m1;
  std::optional<Time> start;  // inclusive
  std::optional<Time> end;    // exclusive
  std::optional<std::uint64_t> from_id;
  int limit = 0;  // 0: the venue's largest
};

struct Limits {
  std::size_t channels_per_connection = 0;
  std::size_t messages_per_second = 0;  // what a client may send on one connection
  std::size_t connections_per_5_minutes = 0;
  std::size_t channels_per_message = 0;  // in one subscription request
  Duration max_connection_age{};         // the venue cuts older ones
  Duration ping_interval{};              // the venue's own pings; zero: none
  int weight_per_minute = 0;             // request budget until the venue states another
  int max_candles = 0;                   // rows in one candle reply
  int history_candles = 0;               // how many the venue serves back from now; 0: all
};

// What a venue's candle history has for a period without trades.
enum class QuietPeriods : unsigned char {
  zero_rows,  // a candle with volume zero: a period without a row is none of quiet, but of outage
  omitted,    // no row
};

// How a snapshot of the book and the updates of its stream fit together.
enum class BookRule : unsigned char {
  none,             // no such stream
  binance_spot,     // U <= id + 1 <= u, then U is the u before + 1
  binance_futures,  // U <= id <= u, then pu is the u before
};

struct Venue {
  std::string_view name;
  Market market = Market::spot;
  std::string_view rest_url;
  std::string_view ws_url;
  std::span<const Timeframe> timeframes;
  std::span<const std::string_view> quote_assets;  // takes unlisted symbols apart, in this order
  std::string_view symbol_separator;
  Limits limits;
  // How long without any frame before a connection that should be busy is taken for dead.
  Duration silence_limit{};
  QuietPeriods quiet_periods = QuietPeriods::omitted;
  BookRule book_rule = BookRule::none;
  // The reply says how much of the budget is used: header name, empty when none.
  std::string_view used_weight_header;

  // The full URL to connect to for these channels.
  std::string (*stream_url)(std::string_view ws_url, std::span<const Channel> channels);
  // Messages to send once connected; none where the URL says it all.
  std::vector<std::string> (*subscribe)(std::span<const Channel> channels, std::uint64_t first_id);
  std::vector<std::string> (*unsubscribe)(std::span<const Channel> channels,
                                          std::uint64_t first_id);
  // Error: rejected when the venue has no such request.
  Result<RestRequest> (*request)(const RestQuery& query);
  std::unique_ptr<Decoder> (*make_decoder)(Catalogue& catalogue);
  // An HTTP refusal in words, with the setting to change; empty when there is nothing to add.
  std::string (*explain_status)(int http_status);
};

}  // namespace candlewick::exchange
