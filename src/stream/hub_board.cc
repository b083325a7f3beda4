// What the board has of the streams that are paced: looked at when it is time, and told if it is
// news.
#include <utility>

#include "stream/hub_stream.h"
#include "stream/json_form.h"

namespace candlewick::stream {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t ladder_levels = 20;
constexpr std::string_view feed_lost = "feed_lost";

constexpr Duration gap_of(Channel channel) {
  switch (channel) {
    case Channel::candle:
      return 250ms;
    case Channel::quote:
      return 50ms;
    default:
      return 100ms;
  }
}

bool same(const Origin& a, const Origin& b) {
  return a.exchange_time == b.exchange_time && a.received_time == b.received_time;
}

bool same(const Quote& a, const Quote& b) {
  return same(a.origin, b.origin) && a.sequence == b.sequence && a.bid == b.bid &&
         a.bid_size == b.bid_size && a.ask == b.ask && a.ask_size == b.ask_size;
}

bool same(const BookUpdate& a, const BookUpdate& b) {
  return same(a.origin, b.origin) && a.sequence == b.sequence && a.bids == b.bids &&
         a.asks == b.asks;
}

TickerFacts facts_of(const pipeline::Latest& latest) {
  return {.has_data = has_data(latest),
          .is_stale = latest.is_stale,
          .received_time = latest.received_time,
          .ticker_time = latest.ticker ? latest.ticker->origin.received_time : std::nullopt,
          .last_price = last_price(latest)};
}

}  // namespace

template <class F>
auto Hub::look_at_board(std::size_t slot, F&& function) const {
  if (is_test(slot)) return test_.board().look(0, std::forward<F>(function));
  return parts_.board.look(slot, std::forward<F>(function));
}

pipeline::Latest Hub::read_board(std::size_t slot) const {
  return is_test(slot) ? test_.board().read(0) : parts_.board.read(slot);
}

void Hub::look_at_candle(Stream& stream) {
  const Timeframe timeframe = stream.key.timeframe;
  stream.looked_at = look_at_board(
      stream.key.slot, [timeframe](const pipeline::Latest& latest) -> std::optional<Candle> {
        const auto found = latest.forming.find(timeframe);
        if (found == latest.forming.end() || latest.is_stale) return std::nullopt;
        return found->second;
      });
}

void Hub::tell_forming(Stream& stream, bool tells) {
  const auto candle = std::exchange(stream.looked_at, std::nullopt);
  if (!candle || (stream.closed_open && candle->open_time <= *stream.closed_open)) return;
  if (stream.forming && stream.forming->open_time == candle->open_time &&
      stream.forming->same_values(*candle)) {
    return;
  }
  stream.forming = *candle;
  stream.forming_text.clear();
  append_candle(stream.forming_text, *candle);
  if (!tells) return;
  stream.due = parts_.clock.steady() + gap_of(Channel::candle);
  Message message = update_message(stream.head, stream.sequence + 1, stream.forming_text);
  message.is_paced = true;
  message.candle = {
      .open_time = candle->open_time, .revision = candle->revision, .is_closed = false};
  tell(stream, message);
}

void Hub::note_stale(Stream& stream, const std::optional<Time>& since, std::string_view reason,
                     bool tells) {
  if (stream.is_stale) return;
  stream.is_stale = true;
  if (tells) return tell_stale(stream, since, reason);
  stream.stale_text = stale_message(stream.head, stream.sequence, since, reason).text;
}

void Hub::tell_paced(Stream& stream) {
  stream.is_stale = false;
  stream.stale_text.reset();
  stream.due = parts_.clock.steady() + gap_of(stream.key.channel);
  tell_update(stream, stream.newest, true);
}

void Hub::look_at_quote(Stream& stream, bool tells) {
  struct Seen {
    std::optional<Quote> quote;
    bool is_stale;
    std::optional<Time> since;
  };
  const auto seen = look_at_board(stream.key.slot, [](const pipeline::Latest& latest) {
    return Seen{latest.quote, latest.is_stale, latest.received_time};
  });
  if (seen.is_stale && stream.is_stale) return;
  if (seen.quote && !(stream.quote && same(*stream.quote, *seen.quote))) {
    stream.quote = seen.quote;
    stream.newest = text_of(*seen.quote, append_quote);
    if (tells) tell_paced(stream);
  }
  if (seen.is_stale) note_stale(stream, seen.since, feed_lost, tells);
}

void Hub::look_at_ticker(Stream& stream, bool tells) {
  const TickerFacts facts = look_at_board(stream.key.slot, facts_of);
  if (facts.is_stale && stream.is_stale) return;
  if (facts.has_data && !(facts == stream.ticker)) {
    stream.ticker = facts;
    stream.newest.clear();
    append_ticker_row(stream.newest, read_board(stream.key.slot), parts_.clock.now());
    if (tells) tell_paced(stream);
  }
  if (facts.is_stale) note_stale(stream, facts.received_time, feed_lost, tells);
}

// An old ladder would look like a live one: of a book that is stale there is none.
void Hub::look_at_book(Stream& stream, bool tells) {
  struct Seen {
    std::optional<BookUpdate> book;  // null: the one that is known
    bool is_lost;
    bool is_out_of_step;
    std::optional<Time> since;
  };
  const auto* known = stream.book ? &*stream.book : nullptr;
  auto seen = look_at_board(stream.key.slot, [known](const pipeline::Latest& latest) {
    Seen found{
        .book = std::nullopt,
        .is_lost = latest.is_stale,
        .is_out_of_step = latest.ladder_stale_since.has_value(),
        .since = latest.ladder_stale_since ? latest.ladder_stale_since : latest.received_time};
    if (has_live_ladder(latest) && !(known != nullptr && same(*known, *latest.ladder)))
      found.book = latest.ladder;
    return found;
  });
  if (seen.is_lost || seen.is_out_of_step) {
    stream.newest = "null";
    stream.book.reset();
    return note_stale(stream, seen.since, seen.is_lost ? feed_lost : "out_of_step", tells);
  }
  if (!seen.book) return;
  stream.newest.clear();
  append_ladder_page(stream.newest, instrument(stream.key.slot), *seen.book, ladder_levels,
                     parts_.clock.now());
  stream.book = std::move(seen.book);
  if (tells) tell_paced(stream);
}

// What the board has now, if that is news.
void Hub::look(Stream& stream, bool tells) {
  switch (stream.key.channel) {
    case Channel::candle:
      look_at_candle(stream);
      return tell_forming(stream, tells);
    case Channel::quote:
      return look_at_quote(stream, tells);
    case Channel::ticker:
      return look_at_ticker(stream, tells);
    case Channel::book:
      return look_at_book(stream, tells);
    default:
      return;
  }
}

}  // namespace candlewick::stream
