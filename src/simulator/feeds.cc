// Each feed walks over the market's facts; what it remembers is how far it has told.
#include "simulator/feeds.h"

#include <algorithm>
#include <utility>

#include "simulator/noise.h"

namespace candlewick::simulator {
namespace {

using namespace std::chrono_literals;

// A closed candle's last frame comes a moment after its end.
constexpr Duration closing_delay = 25ms;
constexpr Duration stale_levels_age = 10s;

// Walks through the trades after an instant.
class TradeCursor {
 public:
  TradeCursor(const Subject& subject, Time after) : subject_(subject), minute_(minute_of(after)) {
    minute_ = std::max(minute_, minute_of(subject_.market.known_from(subject_.listing)));
    skip_to(after);
  }

  // Valid until the next call. Null: no more.
  const MarketTrade* peek() {
    while (time_of_minute(minute_) < subject_.market.known_until(subject_.listing)) {
      const auto trades = subject_.market.minute_trades(subject_.listing, minute_);
      if (at_ < trades.size()) return &trades[at_];
      ++minute_;
      at_ = 0;
    }
    return nullptr;
  }
  void pop() { ++at_; }
  // Past all until then, those of that instant too.
  void skip_to(Time time) {
    while (const auto* trade = peek()) {
      if (trade->time > time) return;
      pop();
    }
  }

 private:
  Subject subject_;
  std::int64_t minute_;
  std::size_t at_ = 0;
};

class TradeFeed final : public Feed {
 public:
  TradeFeed(const Subject& subject, TradeGroups groups, Time now, WriteTrades write)
      : subject_(subject), groups_(groups), write_(std::move(write)), cursor_(subject, now) {}

  std::optional<Time> next() override {
    const auto* trade = cursor_.peek();
    return trade == nullptr ? std::nullopt : std::optional{trade->time};
  }

  bool emit(std::string& out) override {
    std::vector<MarketTrade> trades{*cursor_.peek()};
    cursor_.pop();
    for (const auto* more = cursor_.peek(); groups_ == TradeGroups::orders && more != nullptr &&
                                            more->aggregate_id == trades.front().aggregate_id;
         more = cursor_.peek()) {
      trades.push_back(*more);
      cursor_.pop();
    }
    if (subject_.is_gone()) return false;
    write_(out, trades);
    return true;
  }
  int rank() const override { return 1; }

 private:
  Subject subject_;
  TradeGroups groups_;
  WriteTrades write_;
  TradeCursor cursor_;
};

class CandleFeed final : public Feed {
 public:
  CandleFeed(const Subject& subject, Timeframe timeframe, Duration period, Time now,
             WriteCandle write)
      : subject_(subject),
        timeframe_(timeframe),
        period_(period),
        write_(std::move(write)),
        open_(open_of(timeframe, now)),
        told_(now) {
    if (const auto row = subject.market.row(subject.listing, timeframe, open_, now))
      last_ = row->bar;
  }

  std::optional<Time> next() override {
    if (open_ >= subject_.market.known_until(subject_.listing)) return std::nullopt;
    const Time end = candlewick::next_open(timeframe_, open_);
    const Time update = next_multiple(told_, period_);
    return update < end ? update : end + closing_delay;
  }

  bool emit(std::string& out) override {
    const Time at = *next();
    const Time open = open_;
    const Time end = candlewick::next_open(timeframe_, open);
    const bool is_last = at >= end;
    told_ = at;
    const auto row = subject_.market.row(subject_.listing, timeframe_, open, std::min(at, end));
    if (is_last) open_ = end;
    if (!row || subject_.is_gone()) return false;
    if (!is_last && (row->bar == last_ || !row->bar.any)) return false;
    last_ = is_last ? Bar{} : row->bar;
    write_(out, {*row, at, is_last && !stays_unclosed(open)});
    return true;
  }
  int rank() const override { return 4; }

 private:
  // Streams are shared, so what is drawn belongs to the candle and not to a connection.
  bool stays_unclosed(Time open) const {
    const auto chance =
        subject_.faults.settings().chance[static_cast<std::size_t>(Fault::unclosed)];
    if (chance <= 0.0) return false;
    return subject_.faults.draw("unclosed", hash_text(subject_.instrument().exchange_symbol),
                                static_cast<std::uint64_t>(to_ms(open))) < chance;
  }

  Subject subject_;
  Timeframe timeframe_;
  Duration period_;
  WriteCandle write_;
  Time open_;
  Time told_;
  Bar last_;
};

class BookFeed final : public Feed {
 public:
  BookFeed(const Subject& subject, BookSteps& steps, BookFrames frames, Duration slot,
           std::size_t levels, Time now, WriteBookChange write)
      : subject_(subject),
        steps_(steps),
        frames_(frames),
        slot_(slot),
        levels_(levels),
        write_(std::move(write)),
        last_(book_on_grid(subject, slot, levels, now)) {}

  std::optional<Time> next() override {
    return next_multiple(steps_.time_of(last_.sequence + 1) - 1ns, slot_);
  }

  bool emit(std::string& out) override {
    const Time at = *next();
    const auto step = frames_ == BookFrames::steps ? last_.sequence + 1 : steps_.step_at(at);
    const Book before = std::exchange(last_, steps_.book(step, levels_));
    if (subject_.is_gone()) return false;
    write_(out, {before.sequence, last_.sequence, at, differences(before.bids, last_.bids, true),
                 differences(before.asks, last_.asks, false)});
    return true;
  }
  int rank() const override { return 3; }

 private:
  Subject subject_;
  BookSteps& steps_;
  BookFrames frames_;
  Duration slot_;
  std::size_t levels_;
  WriteBookChange write_;
  Book last_;
};

class LadderFeed final : public Feed {
 public:
  LadderFeed(const Subject& subject, BookSteps& steps, Duration slot, std::size_t levels, Time now,
             WriteBook write)
      : subject_(subject),
        steps_(steps),
        slot_(slot),
        levels_(levels),
        write_(std::move(write)),
        last_(book_on_grid(subject, slot, levels, now)) {}

  std::optional<Time> next() override {
    return next_multiple(steps_.time_of(last_.sequence + 1) - 1ns, slot_);
  }

  bool emit(std::string& out) override {
    const Time at = *next();
    const Book before = std::exchange(last_, steps_.book(steps_.step_at(at), levels_));
    const bool is_same = before.bids == last_.bids && before.asks == last_.asks;
    if (is_same || subject_.is_gone()) return false;
    write_(out, last_, at);
    return true;
  }
  int rank() const override { return 2; }

 private:
  Subject subject_;
  BookSteps& steps_;
  Duration slot_;
  std::size_t levels_;
  WriteBook write_;
  Book last_;
};

class TickerFeed final : public Feed {
 public:
  TickerFeed(const Subject& subject, Duration period, Time now, WriteDay write)
      : subject_(subject), period_(period), write_(std::move(write)), cursor_(subject, now) {}

  std::optional<Time> next() override {
    const auto* trade = cursor_.peek();
    if (trade == nullptr) return std::nullopt;
    return next_multiple(trade->time - 1ns, period_);
  }

  bool emit(std::string& out) override {
    const Time at = *next();
    cursor_.skip_to(at);
    if (subject_.is_gone()) return false;
    write_(out, day_figures(subject_.market, subject_.listing, at));
    return true;
  }

 private:
  Subject subject_;
  Duration period_;
  WriteDay write_;
  TradeCursor cursor_;
};

}  // namespace

std::vector<Level> differences(const std::vector<Level>& before, const std::vector<Level>& now,
                               bool descending) {
  std::vector<Level> changed;
  const auto is_first = [&](const Level& a, const Level& b) {
    return descending ? a.price > b.price : a.price < b.price;
  };
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < before.size() || j < now.size()) {
    if (j == now.size() || (i < before.size() && is_first(before[i], now[j]))) {
      changed.push_back({before[i++].price, Decimal{}});
    } else if (i == before.size() || is_first(now[j], before[i])) {
      changed.push_back(now[j++]);
    } else {
      if (before[i].size != now[j].size) changed.push_back(now[j]);
      ++i;
      ++j;
    }
  }
  return changed;
}

std::unique_ptr<Feed> make_trade_feed(const Subject& subject, TradeGroups groups, Time now,
                                      WriteTrades write) {
  return std::make_unique<TradeFeed>(subject, groups, now, std::move(write));
}

std::unique_ptr<Feed> make_candle_feed(const Subject& subject, Timeframe timeframe, Duration period,
                                       Time now, WriteCandle write) {
  return std::make_unique<CandleFeed>(subject, timeframe, period, now, std::move(write));
}

std::unique_ptr<Feed> make_book_feed(const Subject& subject, BookFrames frames, Duration slot,
                                     std::size_t levels, Time now, WriteBookChange write) {
  auto* steps = subject.market.book_steps(subject.listing);
  if (steps == nullptr) return nullptr;
  return std::make_unique<BookFeed>(subject, *steps, frames, slot, levels, now, std::move(write));
}

std::unique_ptr<Feed> make_ladder_feed(const Subject& subject, Duration slot, std::size_t levels,
                                       Time now, WriteBook write) {
  auto* steps = subject.market.book_steps(subject.listing);
  if (steps == nullptr) return nullptr;
  return std::make_unique<LadderFeed>(subject, *steps, slot, levels, now, std::move(write));
}

std::unique_ptr<Feed> make_ticker_feed(const Subject& subject, Duration period, Time now,
                                       WriteDay write) {
  return std::make_unique<TickerFeed>(subject, period, now, std::move(write));
}

Book book_on_grid(const Subject& subject, Duration slot, std::size_t levels, Time now) {
  auto* steps = subject.market.book_steps(subject.listing);
  if (steps == nullptr) return {};
  return steps->book(steps->step_at(next_multiple(now, slot) - slot), levels);
}

Decimal DayFigures::change() const {
  return Decimal::subtract(bar.close, bar.open).value_or(Decimal{});
}

Decimal DayFigures::change_share() const {
  return Decimal::divide(change(), bar.open).value_or(Decimal{});
}

DayFigures day_figures(Market& market, std::size_t listing, Time at) {
  DayFigures day{.at = at, .bar = {}, .last_size = {}, .last_id = {}, .bid = {}, .ask = {}};
  day.bar = market.bar(listing, at - 24h, at + 1ns);
  if (!day.bar.any) {
    const Decimal price = market.price_before(listing, at).value_or(Decimal{});
    day.bar.open = day.bar.high = day.bar.low = day.bar.close = price;
  } else if (const auto last = market.trades(listing, at - 24h, at, 1, true); !last.empty()) {
    day.last_size = last.front().size;
    day.last_id = last.front().id;
  }
  const Book book = market.book(listing, at, 1);
  if (!book.bids.empty()) day.bid = book.bids.front();
  if (!book.asks.empty()) day.ask = book.asks.front();
  return day;
}

std::vector<Row> rest_rows(Market& market, std::size_t listing, Timeframe timeframe, Time start,
                           Time end, std::size_t limit, bool newest, const RestView& view) {
  auto rows = market.rows(listing, timeframe, start, end, view.as_of, limit, newest);
  const Time settled = view.as_of - view.unfinal;
  for (auto& row : rows) {
    if (row.end_time <= settled || row.end_time > view.as_of) continue;
    if (auto early = market.row(listing, timeframe, row.open_time, settled)) row = *early;
  }
  return rows;
}

Book rest_book(Market& market, std::size_t listing, std::size_t levels, const RestView& view) {
  Book book = market.book(listing, view.as_of, levels);
  if (!view.stale_levels) return book;
  const auto sequence = book.sequence;
  book = market.book(listing, view.as_of - stale_levels_age, levels);
  book.sequence = sequence;
  return book;
}

}  // namespace candlewick::simulator
