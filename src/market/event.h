// What a decoder makes of frames. Events never change once made. Times: `exchange_time` is the
// venue's own (absent where it gives none), `received_time` ours at the socket (absent where a
// recording has none). A candle's time is its open. The text form is event_json.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/decimal.h"
#include "base/time.h"
#include "market/instrument.h"
#include "market/timeframe.h"

namespace candlewick {

enum class Side : unsigned char { buy, sell };
enum class Source : unsigned char { ws, rest, trades };
enum class Stream : unsigned char { book, trades, candles };
enum class BookKind : unsigned char { snapshot, delta };
enum class GapAction : unsigned char { resync, backfill };

std::string_view to_text(Side side);
std::string_view to_text(Source source);
std::string_view to_text(Stream stream);
std::optional<Source> parse_source(std::string_view text);
std::optional<Stream> parse_stream(std::string_view text);

// Where and when; every event about an instrument has it.
struct Origin {
  const Instrument* instrument = nullptr;
  std::optional<Time> exchange_time;
  std::optional<Time> received_time;
};

// One match, or an aggregate of matches of one taker order at one price: then `count` matches with
// the ids first_id to last_id, and `id` is the aggregate's own.
struct Trade {
  Origin origin;
  std::uint64_t id = 0;
  // Where the venue's ids are no numbers: `id` is then 0. Empty with an `id` of 0: it has none.
  std::string text_id;
  std::uint64_t first_id = 0;
  std::uint64_t last_id = 0;
  bool is_aggregate = false;
  Side taker_side = Side::buy;
  Decimal price;
  Decimal size;                       // base units
  std::optional<Decimal> quote_size;  // quote units, where the venue says it
};

// Best bid and ask.
struct Quote {
  Origin origin;
  Decimal bid;
  Decimal bid_size;
  Decimal ask;
  Decimal ask_size;
  std::optional<std::uint64_t> sequence;
};

// Rolling 24 h statistics as the venue computes them; a venue sends what it has.
struct Ticker {
  Origin origin;
  std::optional<Decimal> last;
  std::optional<Decimal> open_24h;
  std::optional<Decimal> high_24h;
  std::optional<Decimal> low_24h;
  std::optional<Decimal> volume_24h;        // base units
  std::optional<Decimal> quote_volume_24h;  // quote units
  std::optional<Decimal> change_pct_24h;    // percent
  std::optional<Decimal> bid;
  std::optional<Decimal> bid_size;
  std::optional<Decimal> ask;
  std::optional<Decimal> ask_size;
};

struct Candle {
  Origin origin;
  Timeframe timeframe = Timeframe::m1;
  Time open_time;
  Decimal open;
  Decimal high;
  Decimal low;
  Decimal close;
  Decimal volume;                       // base units
  std::optional<Decimal> quote_volume;  // quote units
  std::optional<std::uint64_t> trade_count;
  std::optional<Decimal> taker_buy_volume;
  std::optional<Decimal> taker_buy_quote_volume;
  bool is_closed = false;
  // REST rows carry no flag of finality: closed is then decided by the venue's clock, later.
  bool closed_is_known = true;
  Source source = Source::ws;
  std::int32_t revision = 0;  // 0 at first close, +1 at each correction

  Time end_time() const { return next_open(timeframe, open_time); }
  // The market's numbers, without where they came from. What only one of two has (a stream may tell
  // less than REST) is no difference.
  bool same_values(const Candle& other) const;
};

struct Level {
  Decimal price;
  Decimal size;  // base units; 0 removes the level
  friend bool operator==(const Level&, const Level&) = default;
};

struct BookUpdate {
  Origin origin;
  BookKind kind = BookKind::delta;
  // A snapshot of the best levels only (Binance depth5/10/20): it replaces a ladder, but is no base
  // for deltas.
  bool is_partial = false;
  std::optional<std::uint64_t>
      first_sequence;                     // first change in it, where the venue numbers changes
  std::optional<std::uint64_t> sequence;  // last change in it
  std::optional<std::uint64_t>
      previous_sequence;  // the last change of the update before, where given
  // Of the best levels after this update, where the venue sends one; see Venue::checksum.
  std::optional<std::uint32_t> checksum;
  // Fractional digits of prices and sizes as they were written, for checksums over the text.
  std::uint8_t price_digits = 0;
  std::uint8_t size_digits = 0;
  // Where it came from, by the feed's count: a book whose snapshots come by the stream goes on only
  // with updates of the same connection.
  std::uint64_t connection = 0;
  std::vector<Level> bids;  // best first in snapshots
  std::vector<Level> asks;
};

// The best levels after an update was applied.
struct Top {
  Origin origin;
  std::uint64_t sequence = 0;
  Level bid;
  Level ask;
};

struct Gap {
  Origin origin;
  Stream stream = Stream::book;
  std::string expected;
  std::string got;
  GapAction action = GapAction::resync;
};

// A venue that numbers all frames of a connection skipped one: whatever the connection carried may
// lack something.
struct ConnectionGap {
  std::string exchange;
  std::string expected;
  std::string got;
  std::optional<Time> received_time;
};

// A frame (or a request) that was refused: never half an event, never a crash.
struct Refusal {
  std::string exchange;
  std::string kind;  // "malformed", "rejected", …
  std::string message;
  std::optional<Time> received_time;
  std::optional<std::int64_t> code;  // the venue's own error code
};

// The venue's listing of one instrument (already put into the catalogue).
struct Listing {
  Origin origin;
};

// The venue's clock, from its time endpoint or a reply that carries it.
struct ClockReading {
  std::string exchange;
  Time exchange_time;
  std::optional<Time> received_time;
};

// A mean price over the last minutes.
struct AveragePrice {
  Origin origin;
  Decimal price;
  std::int64_t window_minutes = 0;
};

// What a derivative has beside its prices; a venue sends what it has.
struct Derivative {
  Origin origin;
  std::optional<Decimal> mark_price;
  std::optional<Decimal> index_price;
  std::optional<Decimal> funding_rate;  // of the running period, as a fraction
  std::optional<Time> next_funding_time;
  std::optional<Decimal> open_interest;  // base units
};

// The venue says that it will close this connection soon: open another first.
struct ShutdownNotice {
  std::string exchange;
  std::optional<Time> exchange_time;
};

// The venue's rate limits as it states them.
struct LimitNotice {
  std::string exchange;
  std::string kind;  // "REQUEST_WEIGHT", "RAW_REQUESTS"
  Duration interval{};
  std::int64_t limit = 0;
};

using Event =
    std::variant<Trade, Quote, Ticker, Candle, BookUpdate, Top, Gap, ConnectionGap, Refusal,
                 Listing, ClockReading, AveragePrice, Derivative, ShutdownNotice, LimitNotice>;
using Events = std::vector<Event>;

// The venue's own time of an event and ours, where it has one.
std::optional<Time> exchange_time_of(const Event& event);
std::optional<Time> received_time_of(const Event& event);

}  // namespace candlewick
