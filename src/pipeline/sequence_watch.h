// Finds what a stream skipped: trade ids and book updates follow one another without holes per
// instrument. Repeats (an overlap of two connections) are told apart from progress.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "exchange/venue.h"
#include "market/event.h"

namespace candlewick::pipeline {

class SequenceWatch {
 public:
  enum class Verdict : unsigned char { progress, repeat };
  // `gap` is set when something is missing before this event.
  Verdict check(const Trade& trade, std::optional<Gap>& gap,
                exchange::TradeIds ids = exchange::TradeIds::consecutive);
  Verdict check(const BookUpdate& book, std::optional<Gap>& gap);
  Verdict check(const Quote& quote);
  // Nothing is expected of the next quote, ladder and book update: the venue may number them anew.
  void restart_books(const Instrument& instrument);
  void forget(const Instrument& instrument) { last_.erase(&instrument); }

 private:
  struct Last {
    std::optional<std::uint64_t> trade;
    std::optional<std::uint64_t> aggregate;
    std::optional<std::uint64_t> book;
    std::optional<std::uint64_t> quote;
    std::optional<std::uint64_t> ladder;
  };
  std::unordered_map<const Instrument*, Last> last_;
};

}  // namespace candlewick::pipeline
