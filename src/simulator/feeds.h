// The streams and replies that nearly every venue has, with the words left to the venue: a feed
// knows when there is something to say and what, a function of the protocol writes it down.
//
// Books: a stream's frames lie on a grid of slots counted from the epoch, so that a snapshot taken
// as of the newest grid instant (book_on_grid) is followed by the frames of the stream, whoever
// subscribed to it first.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/protocol.h"

namespace candlewick::simulator {

// One listing, as a stream of it sees it.
struct Subject {
  Market& market;
  const Faults& faults;
  std::size_t listing = 0;

  const Instrument& instrument() const { return market.listings()[listing].instrument; }
  bool is_gone() const { return faults.has_vanished(instrument().exchange_symbol); }
  // What the venue's clock reads.
  Time told(Time time) const { return time + faults.settings().skew; }
};

// The first multiple of the period after that instant.
constexpr Time next_multiple(Time after, Duration period) {
  return Time{after.time_since_epoch() / period * period + period};
}

// Trades of one taker order at one price together, or each by itself.
enum class TradeGroups : unsigned char { orders, single };
using WriteTrades = std::function<void(std::string& out, std::span<const MarketTrade> trades)>;
std::unique_ptr<Feed> make_trade_feed(const Subject& subject, TradeGroups groups, Time now,
                                      WriteTrades write);

struct FormingCandle {
  Row row;
  Time at;
  bool is_closed = false;  // the venue says so
};
using WriteCandle = std::function<void(std::string& out, const FormingCandle& candle)>;
// An update every `period` if anything changed, and a last one a moment after the end, also where
// nothing was traded but the venue has a row.
std::unique_ptr<Feed> make_candle_feed(const Subject& subject, Timeframe timeframe, Duration period,
                                       Time now, WriteCandle write);

// Levels of `now` that differ from `before`, best first; gone ones with size zero.
std::vector<Level> differences(const std::vector<Level>& before, const std::vector<Level>& now,
                               bool descending);

struct BookChange {
  std::uint64_t before = 0;  // the book's number before it
  std::uint64_t number = 0;  // and after
  Time at;
  std::vector<Level> bids;  // those that differ; gone ones with size zero
  std::vector<Level> asks;
};
using WriteBookChange = std::function<void(std::string& out, const BookChange& change)>;
// What a frame of a book's changes covers: all steps of its slot, or one (several frames then come
// at the end of a slot, and their numbers follow each other).
enum class BookFrames : unsigned char { slots, steps };
// Null where the book is not made here.
std::unique_ptr<Feed> make_book_feed(const Subject& subject, BookFrames frames, Duration slot,
                                     std::size_t levels, Time now, WriteBookChange write);
// The book that such a stream goes on from.
Book book_on_grid(const Subject& subject, Duration slot, std::size_t levels, Time now);

using WriteBook = std::function<void(std::string& out, const Book& book, Time at)>;
// The best levels at the end of each slot in which they changed; null where the book is not made
// here.
std::unique_ptr<Feed> make_ladder_feed(const Subject& subject, Duration slot, std::size_t levels,
                                       Time now, WriteBook write);

// Figures of the 24 hours that end at `at` (included).
struct DayFigures {
  Time at;
  Bar bar;            // of a quiet day: the last price throughout
  Decimal last_size;  // of the last trade
  std::optional<std::uint64_t> last_id;
  Level bid;
  Level ask;

  Decimal change() const;
  Decimal change_share() const;  // 0.01: by one percent
};
DayFigures day_figures(Market& market, std::size_t listing, Time at);
using WriteDay = std::function<void(std::string& out, const DayFigures& day)>;
// Every `period` in which something was traded.
std::unique_ptr<Feed> make_ticker_feed(const Subject& subject, Duration period, Time now,
                                       WriteDay write);

// What REST shows: with its lag, and what the faults say of a candle just closed or of a book.
std::vector<Row> rest_rows(Market& market, std::size_t listing, Timeframe timeframe, Time start,
                           Time end, std::size_t limit, bool newest, const RestView& view);
Book rest_book(Market& market, std::size_t listing, std::size_t levels, const RestView& view);

}  // namespace candlewick::simulator
