// What a simulated venue knows about its market, whatever it comes from: a seed, a recording or a
// file of candles. A protocol turns these facts into a venue's frames and replies. Instants are to
// the millisecond, as venues stamp them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/decimal.h"
#include "base/result.h"
#include "base/time.h"
#include "market/event.h"
#include "market/instrument.h"
#include "market/timeframe.h"

namespace candlewick::simulator {

// What symbols are taken apart by, in this order.
inline constexpr std::array<std::string_view, 9> quote_assets{
    "USDT", "USDC", "FDUSD", "BUSD", "USD", "EUR", "BTC", "ETH", "BNB"};

struct Listing {
  Instrument instrument;
  int price_digits = 2;  // fractional digits of the tick
  int size_digits = 5;   // of the step
};

struct MarketTrade {
  std::uint64_t id = 0;
  // Consecutive too: trades of one taker order at one price share it.
  std::uint64_t aggregate_id = 0;
  Time time;
  Decimal price;
  Decimal size;
  Decimal quote_size;
  bool taker_is_buyer = false;
  // Recordings of aggregates hold several matches in one: the ids from `id` on.
  std::uint64_t matches = 1;
};

// What happened in a stretch of time.
struct Bar {
  bool any = false;  // false: nothing happened, and only `any` means something
  Decimal open;
  Decimal high;
  Decimal low;
  Decimal close;
  Decimal volume;
  Decimal quote_volume;
  Decimal taker_volume;
  Decimal taker_quote_volume;
  std::uint64_t count = 0;
  std::uint64_t first_id = 0;
  std::uint64_t last_id = 0;

  void add(const MarketTrade& trade);
  // A later stretch.
  void add(const Bar& next);
  friend bool operator==(const Bar&, const Bar&) = default;
};

// A candle as the venue has it at some instant; `bar` repeats the close before where nothing
// happened, with zero volume.
struct Row {
  Time open_time;
  Time end_time;
  Bar bar;
};

struct Book {
  std::uint64_t sequence = 0;
  std::vector<Level> bids;  // best first
  std::vector<Level> asks;
};

// An order book that changes in numbered steps and can be looked at as of any of them. The number
// of a step is the venue's update id.
class BookSteps {
 public:
  virtual ~BookSteps() = default;
  // The last step at or before that instant.
  virtual std::uint64_t step_at(Time time) = 0;
  virtual Time time_of(std::uint64_t step) = 0;
  // At most `levels` a side.
  virtual Book book(std::uint64_t step, std::size_t levels) = 0;
};

// A frame as a venue sent it once.
struct RecordedFrame {
  Time time;
  std::string payload;  // without the wrapper of combined streams
};

// What can be made to happen to a market as a whole.
struct MarketEvents {
  struct Blackout {
    Time from;
    Time to;
  };
  struct IdJump {
    Time at;
    std::uint64_t ids = 0;
  };
  std::vector<Blackout> blackouts;
  std::vector<IdJump> jumps;
};

// All that is known, past and future: it is up to the caller to look no further than "now".
// Not thread-safe: looking is what fills the caches.
class Market {
 public:
  virtual ~Market() = default;

  const std::vector<Listing>& listings() const { return listings_; }
  std::optional<std::size_t> find(std::string_view exchange_symbol) const;
  // Either spelling, any case: BTCUSDT, BTC/USDT, btc-usdt.
  std::optional<std::size_t> resolve(std::string_view typed) const;

  // What happened at from <= time < to.
  virtual Bar bar(std::size_t listing, Time from, Time to) = 0;
  // Trades in the minute (counted from the epoch), in order. Valid until the next call.
  virtual std::span<const MarketTrade> minute_trades(std::size_t listing, std::int64_t minute) = 0;
  // The minute that holds the trade (or the aggregate), or the nearest later one; nullopt: past the
  // last there is.
  virtual std::optional<std::int64_t> minute_of_trade(std::size_t listing, std::uint64_t id) = 0;
  virtual std::optional<std::int64_t> minute_of_aggregate(std::size_t listing,
                                                          std::uint64_t id) = 0;
  virtual Book book(std::size_t listing, Time at, std::size_t levels) = 0;
  // Null where the book is not made here.
  virtual BookSteps* book_steps(std::size_t listing) = 0;
  // The stream's frames as recorded, in order of time; empty where there is no recording of it.
  virtual std::span<const RecordedFrame> recorded(std::string_view stream) = 0;

  // The market is known for from <= time < until. Candles that open before or end after it are
  // partial; `is_young` says that there was nothing before, so its first candle is whole.
  virtual Time known_from(std::size_t listing) = 0;
  virtual Time known_until(std::size_t listing) = 0;
  virtual bool is_young() const = 0;
  // Whether a candle without trades is a row (at the close before, with zero volume).
  virtual bool fills_quiet_candles() const = 0;
  // Whether bars have quote volume, counts and the takers' share, or these are made up.
  virtual bool knows_details(std::size_t) const { return true; }
  // The shortest candles there are.
  virtual Timeframe shortest() const = 0;
  // When a simulation of it begins unless told otherwise.
  virtual Time default_start() const = 0;
  // Nothing is traded in a blackout, and a candle that lies in it is no row; the book goes on. Ids
  // of trades and of aggregates are greater after a jump. Takes the place of all events before.
  // Error: misconfigured, where the market is not made up here.
  virtual Result<void> set_events(const MarketEvents& events);

  // The candle that opens there, as it stands at `now` (what happened at `now` included); nullopt
  // where the venue has no such row. `shift` moves the borders of days: +8h means days of UTC+8.
  std::optional<Row> row(std::size_t listing, Timeframe timeframe, Time open, Time now,
                         Duration shift = {});
  // Candles with start <= open_time < end that have opened by `now`, the oldest `limit` of them or
  // the newest, ascending.
  std::vector<Row> rows(std::size_t listing, Timeframe timeframe, Time start, Time end, Time now,
                        std::size_t limit, bool newest, Duration shift = {});
  // Price of the last trade before that instant; nullopt: none.
  std::optional<Decimal> price_before(std::size_t listing, Time time);
  // Trades with start <= time <= end, the oldest or the newest `limit` of them, ascending.
  std::vector<MarketTrade> trades(std::size_t listing, Time start, Time end, std::size_t limit,
                                  bool newest);
  // The open of the first candle that is a row.
  Time first_open(std::size_t listing, Timeframe timeframe, Duration shift = {});

 protected:
  std::vector<Listing> listings_;
  std::vector<MarketEvents::Blackout> blackouts_;
};

Time open_of(Timeframe timeframe, Time time, Duration shift);
Time next_open(Timeframe timeframe, Time open, Duration shift);
Time previous_open(Timeframe timeframe, Time open, Duration shift);

constexpr std::int64_t minute_of(Time time) {
  return std::chrono::floor<std::chrono::minutes>(time).time_since_epoch().count();
}
constexpr Time time_of_minute(std::int64_t minute) {
  return Time{std::chrono::minutes{minute}};
}

}  // namespace candlewick::simulator
