// Sequence checks. Whole snapshots carry no promise of continuity and pass; of ladders only the
// older are held back.
#include "pipeline/sequence_watch.h"

#include <fmt/format.h>

namespace candlewick::pipeline {
namespace {

Gap gap_in(Stream stream, const Origin& origin, std::uint64_t expected, std::uint64_t got) {
  return {origin, stream, fmt::format("{}", expected), fmt::format("{}", got),
          stream == Stream::book ? GapAction::resync : GapAction::backfill};
}

}  // namespace

SequenceWatch::Verdict SequenceWatch::check(const Trade& trade, std::optional<Gap>& gap,
                                            exchange::TradeIds ids) {
  // An id that is a text tells no order: its number is that of all such.
  if (ids == exchange::TradeIds::none || !trade.text_id.empty()) return Verdict::progress;
  Last& known = last_[trade.origin.instrument];
  auto& last = trade.is_aggregate ? known.aggregate : known.trade;
  if (last && trade.id <= *last) return Verdict::repeat;
  if (ids == exchange::TradeIds::consecutive && last && trade.id != *last + 1)
    gap = gap_in(Stream::trades, trade.origin, *last + 1, trade.id);
  last = trade.id;
  return Verdict::progress;
}

SequenceWatch::Verdict SequenceWatch::check(const BookUpdate& book, std::optional<Gap>& gap) {
  if (!book.sequence) return Verdict::progress;
  if (book.is_partial) {
    auto& ladder = last_[book.origin.instrument].ladder;
    if (ladder && *book.sequence <= *ladder) return Verdict::repeat;
    ladder = book.sequence;
    return Verdict::progress;
  }
  if (book.kind == BookKind::snapshot) return Verdict::progress;
  auto& last = last_[book.origin.instrument].book;
  if (last && *book.sequence <= *last) return Verdict::repeat;
  if (last && book.previous_sequence) {
    if (*book.previous_sequence != *last)
      gap = gap_in(Stream::book, book.origin, *last, *book.previous_sequence);
  } else if (last && book.first_sequence && *book.first_sequence > *last + 1) {
    gap = gap_in(Stream::book, book.origin, *last + 1, *book.first_sequence);
  }
  last = book.sequence;
  return Verdict::progress;
}

SequenceWatch::Verdict SequenceWatch::check(const Quote& quote) {
  if (!quote.sequence) return Verdict::progress;
  auto& last = last_[quote.origin.instrument].quote;
  if (last && *quote.sequence <= *last) return Verdict::repeat;
  last = quote.sequence;
  return Verdict::progress;
}

void SequenceWatch::restart_books(const Instrument& instrument) {
  Last& known = last_[&instrument];
  known.book.reset();
  known.quote.reset();
  known.ladder.reset();
}

}  // namespace candlewick::pipeline
