// The contract between a venue and the rest of the system: facts and pure functions, nothing that
// opens a socket, reads a clock or remembers more than one connection's acknowledgements.
#pragma once

#include <algorithm>
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

// Belongs to one connection (or to the REST side): what the venue's acknowledgements and instrument
// messages told on it may be remembered, and how its frames are numbered. Not thread-safe.
class Decoder {
 public:
  virtual ~Decoder() = default;
  // Appends the frame's events; on an error nothing is appended. Frames that carry nothing for us
  // (acknowledgements, heartbeats, unknown kinds) append nothing and are no error.
  // Errors: malformed (cut, wrong types, absurd values), rejected (the venue refused something),
  // transient (a reply that says that the venue has no answer now, whatever its HTTP status).
  virtual Result<void> decode(const Frame& frame, Events& out) = 0;
  // What the client must send because of the frames decoded since the last call (a pong in the
  // venue's own words); empty: nothing.
  virtual std::string take_answer() { return {}; }
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
  mini_ticker,
  derivative,  // mark price, funding, open interest
};

// What to listen to.
struct Channel {
  ChannelKind kind = ChannelKind::candles;
  Timeframe timeframe = Timeframe::m1;  // of candles
  const Instrument* instrument = nullptr;
  friend bool operator==(const Channel&, const Channel&) = default;
};

// `weight` is what the venue charges for it against its request budget.
struct RestRequest {
  std::string target;  // path and query, to be put behind the base URL
  int weight = 1;
  std::string_view method = "GET";
  std::string body{};  // JSON
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
  depth,
  derivative,
};

struct RestQuery {
  RestKind kind = RestKind::server_time;
  const Instrument* instrument = nullptr;
  Timeframe timeframe = Timeframe::m1;
  std::optional<Time> start;  // inclusive
  std::optional<Time> end;    // exclusive
  std::optional<std::uint64_t> from_id;
  int limit = 0;  // 0: the venue's largest
  // The venue's time where it is known: some have the newest candles at a path of their own.
  std::optional<Time> now{};
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
  // A candle reply ends max_candles periods after its start, where there is no row as well.
  bool candle_replies_are_bounded = false;
};

// What a venue's candle history has for a period without trades.
enum class QuietPeriods : unsigned char {
  zero_rows,  // a candle with volume zero: a period without a row is none of quiet, but of outage
  omitted,    // no row
};

// How a venue tells which candle of an instrument was its first.
enum class FirstCandle : unsigned char {
  told,      // asked for one candle from 1970 on it answers that one
  not_told,  // no answer has it; Instrument::listed_at says since when, where its list has that
};

// How a venue's candle stream tells that a candle is final.
enum class CandleStream : unsigned char {
  none,     // no such stream: candles are built of trades if those prove their completeness, else
            // asked for after each period
  flagged,  // the last frame of a period says so
  forming,  // it never says: what the stream told last counts when REST has confirmed it
};

// What ids say about completeness.
enum class TradeIds : unsigned char {
  consecutive,  // per instrument, each the one before plus one: a hole is seen
  ascending,    // repeats are seen, holes are not
  none,         // absent, or no numbers
};

// How a snapshot of the book and the updates of its stream fit together.
enum class BookRule : unsigned char {
  none,  // no such stream
  // The snapshot comes by REST.
  ranges,  // first <= snapshot + 1 <= last, then first is the last before + 1
  linked,  // first <= snapshot <= last, then the previous one is the last before
  // The snapshot is the stream's first frame, and comes again upon a new subscription.
  stream_linked,       // each update names the one before
  stream_consecutive,  // each number is the one before plus one
  stream_ascending,  // numbers grow, or there are none: what is missing shows in the number of the
                     // one before where an update names it, in the checksum if the venue sends
                     // one, or in the connection's own numbering
};
constexpr bool has_snapshot_in_stream(BookRule rule) {
  return rule == BookRule::stream_linked || rule == BookRule::stream_consecutive ||
         rule == BookRule::stream_ascending;
}

// Over the best levels, best first; at most Venue::checksum_levels a side. `price_digits` and
// `size_digits` are those of the update that carried the checksum.
using BookChecksum = std::uint32_t (*)(std::span<const Level> bids, std::span<const Level> asks,
                                       int price_digits, int size_digits);

// A request before each connection whose reply says where to connect.
struct Handshake {
  RestRequest (*request)();
  // The URL for these channels. Errors: malformed, rejected.
  Result<std::string> (*stream_url)(std::string_view reply, std::string_view ws_url,
                                    std::span<const Channel> channels);
  // How often the reply wants to hear from the client; zero, or null: as Venue::heartbeat says.
  Duration (*heartbeat)(std::string_view reply) = nullptr;
};

// What a client must send so that the venue keeps the connection.
struct Heartbeat {
  Duration interval{};  // zero: none is needed
  std::string (*text)(std::uint64_t id) = nullptr;
};

struct Venue {
  std::string_view name;
  // What settings, logs and metrics call this market of it, where the name alone means another one;
  // empty: the name. Rows and events have the name and a symbol that tells the market.
  std::string_view key{};
  std::string_view ccxt_id;  // what CCXT calls it
  Market market = Market::spot;
  std::string_view rest_url;
  std::string_view ws_url;
  std::span<const Timeframe> timeframes;
  std::span<const std::string_view> quote_assets;  // takes unlisted symbols apart, in this order
  std::string_view symbol_separator;
  // Instead of the two above, where symbols are spelled in another way.
  ReadPair read_pair = nullptr;
  Limits limits;
  // How long without any frame before a connection that should be busy is taken for dead.
  Duration silence_limit{};
  // What streams there are, best for their purpose first.
  std::span<const ChannelKind> channels;
  CandleStream candle_stream = CandleStream::none;
  std::span<const Timeframe> streamed_timeframes;  // empty: all of `timeframes`
  TradeIds trade_ids = TradeIds::none;
  QuietPeriods quiet_periods = QuietPeriods::omitted;
  FirstCandle first_candle = FirstCandle::told;
  BookRule book_rule = BookRule::none;
  int book_levels = 1000;      // of a snapshot by REST
  std::size_t book_depth = 0;  // levels a side beyond which the stream tells nothing; 0: all
  BookChecksum checksum = nullptr;
  std::size_t checksum_levels = 0;
  Heartbeat heartbeat{};
  const Handshake* handshake = nullptr;
  // The reply says how much of the budget is used: header name, empty when none.
  std::string_view used_weight_header;

  // Channels of different lines cannot share a connection (OKX has its candles at a path of their
  // own); null: all can.
  int (*line_of)(const Channel& channel) = nullptr;
  // The full URL to connect to for these channels, all of one line.
  std::string (*stream_url)(std::string_view ws_url, std::span<const Channel> channels);
  // Messages to send once connected; none where the URL says it all.
  std::vector<std::string> (*subscribe)(std::span<const Channel> channels, std::uint64_t first_id);
  // One of them by itself must be answered by a new snapshot where the book's comes in the stream.
  std::vector<std::string> (*unsubscribe)(std::span<const Channel> channels,
                                          std::uint64_t first_id);
  // Error: rejected when the venue has no such request.
  Result<RestRequest> (*request)(const RestQuery& query);
  // Asks for the tickers of all instruments in one answer; null: there is no such request.
  RestRequest (*all_tickers)() = nullptr;
  std::unique_ptr<Decoder> (*make_decoder)(Catalogue& catalogue);
  // The body of an answer with HTTP 408, or 500 and above, may be a refusal in the venue's words:
  // the decoder judges it. Otherwise such an answer is a failure that passes, whatever it says.
  bool explains_failures = false;
  // An HTTP refusal in words, with the setting to change; empty when there is nothing to add.
  std::string (*explain_status)(int http_status);
};

constexpr std::string_view key_of(const Venue& venue) {
  return venue.key.empty() ? venue.name : venue.key;
}

constexpr bool has_channel(const Venue& venue, ChannelKind kind) {
  return std::ranges::find(venue.channels, kind) != venue.channels.end();
}

}  // namespace candlewick::exchange
