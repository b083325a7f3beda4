// Which trades of one instrument become rows, each once, and which of them are missing: where ids
// follow one another without holes, they say so, and what is missing can be asked for by its ids.
// Elsewhere every trade is a row unless it was one just now; the warehouse's key sorts out the
// rest.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exchange/venue.h"
#include "market/event.h"
#include "pipeline/coverage.h"

namespace candlewick::pipeline {

class KeptTrades {
 public:
  explicit KeptTrades(exchange::TradeIds ids) : ids_(ids) {}

  struct Ids {
    std::uint64_t from;
    std::uint64_t to;  // exclusive
    Time reached;      // the time of the trade before the first of them
    friend bool operator==(const Ids&, const Ids&) = default;
  };
  // Minutes that an earlier run had not done with, and what the warehouse lacks of them.
  struct Missed {
    Span span;
    std::vector<Ids> ids;  // none: they are whole
  };
  // The newest one that the warehouse has: what came after it was missed.
  void remember(std::uint64_t newest, Time time, const std::vector<Missed>& missed = {});
  // Before the first trade: of minutes before that nothing is proven, whatever follows.
  bool has_begun() const { return newest_.has_value(); }
  void prove_from(Time minute) { proven_from_ = minute; }
  // What was proven to follow so far ends here: the next trade tells what was missed.
  void interrupted(std::string_view cause);
  // Whether that trade of the stream is to be kept. `is_behind`: its id is not past the greatest of
  // its stream.
  bool take(const Trade& trade, bool is_behind);
  // Whether that trade is one of those that are missing, and so to be kept.
  bool take_missing(const Trade& trade);
  // A row that was taken never reached the log: true when it is missing again, and asked for.
  bool lost(std::string_view trade_id, Time time);

  // What to ask the venue for; at most one question at a time is under way.
  struct Want {
    std::uint64_t from_id;
    Time start;  // for venues that go by time
  };
  // After an answer without them, what it was about waits a while.
  std::optional<Want> wanted(Time now);
  void asked(const Want& want);
  // Its trades have been taken.
  void answered(Time now);
  // There will be no answer: what was asked for stays missing.
  void refused(std::string evidence);

  // What changed of minutes, to be put into the ledger.
  struct Word {
    CoverageState state = CoverageState::unknown;  // unknown: nothing is known against it
    std::string_view cause;
    std::string evidence;
  };
  std::vector<Span> take_changes();
  Word word_of(Time minute) const;
  // By ids.
  bool proves() const { return ids_ == exchange::TradeIds::consecutive; }
  bool is_interrupted() const { return interruption_.has_value(); }

  // More missing trades than this at once are given up.
  static constexpr std::uint64_t most_missing = 100'000;

 private:
  // Minutes in which trades were missed, whether or not they came afterwards.
  struct Damage {
    Span span;
    std::string_view cause;
    CoverageState state = CoverageState::missing;
    std::string evidence;
    std::vector<Ids> missing;
    int fruitless = 0;
    Time ask_from = Time::min();  // the venue may not have them before
    bool has_gained = false;      // since it was asked for
  };

  bool take_numbered(const Trade& trade);
  void damaged(Damage damage);
  void give_up(Damage& damage, std::string evidence);
  void prune();
  // The damage that the answer is about, which the stream may have mended meanwhile; null: none.
  Damage* take_asked();

  exchange::TradeIds ids_;
  std::optional<std::uint64_t> newest_;
  Time newest_time_;
  Time proven_from_ = Time::min();
  std::optional<std::string_view> interruption_;
  std::deque<Damage> damages_;  // oldest first
  std::vector<Span> changes_;
  std::optional<std::uint64_t> asked_id_;
  std::deque<std::uint64_t> recent_;  // ids that were taken, where they prove nothing
};

// The venue's id as it writes it; empty where it has none.
std::string venue_trade_id(const Trade& trade);

// Ids for trades that have none, made of what they say: "@1714564800123456-60000.1-0.5-sell-0". The
// last part counts those of one frame that say the same, so a trade that is told again in another
// frame has the id that it had.
class MadeTradeIds {
 public:
  void begin_frame() { counts_.clear(); }
  std::string make(const Trade& trade, Time time);

 private:
  std::map<std::pair<const Instrument*, std::string>, int> counts_;
};

}  // namespace candlewick::pipeline
