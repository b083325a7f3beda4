// Missing ids are few ranges of few damages, so they are looked through.
#include "pipeline/kept_trades.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace candlewick::pipeline {
namespace {

using namespace std::chrono_literals;

// Repeats come within seconds, of a connection that overlaps another or of a first frame that tells
// the newest trades again.
constexpr std::size_t recent_ids = 1024;
constexpr std::size_t most_damages = 256;
// A venue's REST may lag behind its stream, so the pause doubles after each answer without the
// trades: half a minute in all.
constexpr int most_fruitless = 5;
constexpr Duration shortest_pause = 1s;

std::uint64_t count_of(const auto& missing) {
  std::uint64_t count = 0;
  for (const auto& ids : missing) count += ids.to - ids.from;
  return count;
}

}  // namespace

void KeptTrades::remember(std::uint64_t newest, Time time, const std::vector<Missed>& missed) {
  if (!proves()) return;
  newest_ = newest;
  newest_time_ = time;
  interruption_ = cause::process_down;
  for (const auto& one : missed) {
    damaged({.span = one.span, .cause = cause::process_down, .evidence = {}, .missing = one.ids});
  }
}

void KeptTrades::interrupted(std::string_view cause) {
  // The first cause stays: what follows is its consequence.
  if (proves() && newest_ && !interruption_) interruption_ = cause;
}

bool KeptTrades::take(const Trade& trade, bool is_behind) {
  if (proves() && trade.id != 0) return take_numbered(trade);
  if (trade.id == 0) return true;
  if (is_behind && std::ranges::find(recent_, trade.id) != recent_.end()) return false;
  recent_.push_back(trade.id);
  if (recent_.size() > recent_ids) recent_.pop_front();
  return true;
}

bool KeptTrades::take_numbered(const Trade& trade) {
  const Time time = trade.origin.exchange_time.value_or(newest_time_);
  if (newest_ && trade.id <= *newest_) return take_missing(trade);
  if (newest_ && (interruption_ || trade.id != *newest_ + 1)) {
    Damage damage{.span = {open_of(Timeframe::m1, std::min(newest_time_, time)),
                           open_of(Timeframe::m1, std::max(newest_time_, time)) + 1min},
                  .cause = interruption_.value_or(cause::sequence_gap),
                  .evidence = {},
                  .missing = {}};
    if (trade.id != *newest_ + 1) damage.missing.push_back({*newest_ + 1, trade.id, newest_time_});
    damaged(std::move(damage));
  }
  interruption_.reset();
  newest_ = trade.id;
  newest_time_ = std::max(newest_time_, time);
  return true;
}

void KeptTrades::damaged(Damage damage) {
  if (damage.missing.empty()) {
    damage.state = CoverageState::backfilled;
    damage.evidence = "ids follow one another";
  } else if (const auto count = count_of(damage.missing); count > most_missing) {
    give_up(damage, fmt::format("{} trades are too many to be asked for", count));
  }
  changes_.push_back(damage.span);
  damages_.push_back(std::move(damage));
  prune();
}

bool KeptTrades::take_missing(const Trade& trade) {
  const std::uint64_t id = trade.id;
  for (auto& damage : damages_) {
    const auto found = std::ranges::find_if(
        damage.missing, [&](const Ids& ids) { return id >= ids.from && id < ids.to; });
    if (found == damage.missing.end()) continue;
    damage.has_gained = true;
    damage.fruitless = 0;
    damage.ask_from = Time::min();
    const Ids behind{id + 1, found->to,
                     std::max(found->reached, trade.origin.exchange_time.value_or(found->reached))};
    found->to = id;
    if (behind.from < behind.to) {
      const bool is_before_empty = found->from == found->to;
      if (is_before_empty) {
        *found = behind;
      } else {
        damage.missing.insert(found + 1, behind);
      }
    } else if (found->from == found->to) {
      damage.missing.erase(found);
    }
    if (damage.missing.empty()) {
      damage.state = CoverageState::backfilled;
      damage.evidence = "ids follow one another";
      changes_.push_back(damage.span);
    }
    return true;
  }
  return false;
}

bool KeptTrades::lost(std::string_view trade_id, Time time) {
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(trade_id.data(), trade_id.data() + trade_id.size(), id);
  if (!proves() || error != std::errc{} || end != trade_id.data() + trade_id.size()) return false;
  if (!newest_ || id > *newest_) return false;
  // Neighbours that are lost together are asked for together.
  auto* newest = damages_.empty() ? nullptr : &damages_.back();
  const Time minute = open_of(Timeframe::m1, time);
  if (newest != nullptr && newest->cause == cause::ingest_paused &&
      newest->state == CoverageState::missing && !newest->missing.empty() &&
      newest->missing.back().to == id && count_of(newest->missing) < most_missing) {
    newest->missing.back().to = id + 1;
    newest->span.to = std::max(newest->span.to, minute + 1min);
    changes_.push_back(newest->span);
    return true;
  }
  damaged({.span = {minute, minute + 1min},
           .cause = cause::ingest_paused,
           .evidence = {},
           .missing = {{id, id + 1, time}}});
  return true;
}

std::optional<KeptTrades::Want> KeptTrades::wanted(Time now) {
  if (asked_id_) return std::nullopt;
  const auto damage = std::ranges::find_if(damages_, [&](const Damage& one) {
    return one.state == CoverageState::missing && now >= one.ask_from;
  });
  if (damage == damages_.end()) return std::nullopt;
  const Ids& first = damage->missing.front();
  return Want{.from_id = first.from, .start = first.reached};
}

void KeptTrades::asked(const Want& want) {
  asked_id_ = want.from_id;
  for (auto& damage : damages_) damage.has_gained = false;
}

KeptTrades::Damage* KeptTrades::take_asked() {
  const auto id = std::exchange(asked_id_, std::nullopt);
  if (!id) return nullptr;
  const auto damage = std::ranges::find_if(damages_, [&](const Damage& one) {
    return one.state == CoverageState::missing &&
           std::ranges::any_of(one.missing,
                               [&](const Ids& ids) { return *id >= ids.from && *id < ids.to; });
  });
  return damage == damages_.end() ? nullptr : &*damage;
}

void KeptTrades::answered(Time now) {
  Damage* damage = take_asked();
  if (damage == nullptr || damage->has_gained) return;
  ++damage->fruitless;
  damage->ask_from = now + shortest_pause * (1 << damage->fruitless);
  if (damage->fruitless < most_fruitless) return;
  give_up(*damage, "the venue has no such trades");
  changes_.push_back(damage->span);
}

void KeptTrades::refused(std::string evidence) {
  Damage* damage = take_asked();
  if (damage == nullptr) return;
  give_up(*damage, std::move(evidence));
  changes_.push_back(damage->span);
}

void KeptTrades::give_up(Damage& damage, std::string evidence) {
  damage.state = CoverageState::unrecoverable;
  damage.evidence = std::move(evidence);
  // Late ones among them would be taken still, if they came; too many to wait for are not.
  if (count_of(damage.missing) > most_missing) damage.missing.clear();
}

void KeptTrades::prune() {
  while (damages_.size() > most_damages) {
    auto& oldest = damages_.front();
    if (oldest.state == CoverageState::missing) {
      // Its word stays what the ledger has of it, so this is the last one.
      changes_.push_back(oldest.span);
      oldest.state = CoverageState::unrecoverable;
      return;
    }
    damages_.pop_front();
  }
}

std::vector<Span> KeptTrades::take_changes() {
  return std::exchange(changes_, {});
}

// The worst that is known of it.
KeptTrades::Word KeptTrades::word_of(Time minute) const {
  using enum CoverageState;
  const auto badness = [](CoverageState state) {
    return state == unrecoverable ? 3 : state == missing ? 2 : state == backfilled ? 1 : 0;
  };
  Word word;
  if (minute < proven_from_) return word;
  for (const auto& damage : damages_) {
    if (minute < damage.span.from || minute >= damage.span.to) continue;
    if (badness(damage.state) < badness(word.state)) continue;
    word = {damage.state, damage.cause, damage.evidence};
  }
  return word;
}

std::string venue_trade_id(const Trade& trade) {
  if (!trade.text_id.empty()) return trade.text_id;
  return trade.id == 0 ? std::string{} : std::to_string(trade.id);
}

std::string MadeTradeIds::make(const Trade& trade, Time time) {
  std::string id = fmt::format("@{}-{}-{}-{}", to_us(time), trade.price.to_string(),
                               trade.size.to_string(), to_text(trade.taker_side));
  const int ordinal = counts_[{trade.origin.instrument, id}]++;
  return id + fmt::format("-{}", ordinal);
}

}  // namespace candlewick::pipeline
