// One slot a period; months are counted by the calendar, all else by division.
#include "pipeline/candle_series.h"

#include <algorithm>

namespace candlewick::pipeline {
namespace {

// Periods between two opens of the same timeframe.
std::int64_t periods_between(Timeframe timeframe, Time from, Time to) {
  if (timeframe != Timeframe::mo1) return (to - from) / length_of(timeframe);
  const auto months = [](Time time) {
    const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(time)};
    return static_cast<int>(date.year()) * 12 +
           static_cast<int>(static_cast<unsigned>(date.month()));
  };
  return months(to) - months(from);
}

Time open_after(Timeframe timeframe, Time open, std::int64_t periods) {
  if (timeframe != Timeframe::mo1) return open + length_of(timeframe) * periods;
  for (; periods > 0; --periods) open = next_open(timeframe, open);
  for (; periods < 0; ++periods) open = previous_open(timeframe, open);
  return open;
}

}  // namespace

CandleSeries::CandleSeries(const Instrument& instrument, Timeframe timeframe, std::size_t keep)
    : instrument_(&instrument), timeframe_(timeframe), keep_(std::max<std::size_t>(keep, 3)) {}

std::size_t CandleSeries::index_of(Time open) const {
  return static_cast<std::size_t>(periods_between(timeframe_, first_open_, open));
}

const CandleSeries::Slot* CandleSeries::find(Time open) const {
  if (slots_.empty() || open < first_open_) return nullptr;
  const auto index = index_of(open);
  return index < slots_.size() ? &slots_[index] : nullptr;
}

// Null for periods older than what is kept.
CandleSeries::Slot* CandleSeries::slot_for(Time open) {
  if (slots_.empty()) {
    first_open_ = open;
    return &slots_.emplace_back();
  }
  if (open < first_open_) {
    const auto missing = static_cast<std::size_t>(periods_between(timeframe_, open, first_open_));
    if (slots_.size() + missing > keep_) return nullptr;
    for (std::size_t i = 0; i < missing; ++i) slots_.emplace_front();
    first_open_ = open;
    return &slots_.front();
  }
  auto index = index_of(open);
  // After a long silence nothing that was kept is in reach any more.
  if (index >= slots_.size() + keep_) {
    slots_.clear();
    first_open_ = open;
    return &slots_.emplace_back();
  }
  while (slots_.size() <= index) slots_.emplace_back();
  while (slots_.size() > keep_) {
    slots_.pop_front();
    first_open_ = next_open(timeframe_, first_open_);
    --index;
  }
  return &slots_[index];
}

CandleSeries::Change CandleSeries::apply(const Candle& event) {
  last_applied_ = event;
  last_applied_.revision = std::max(event.revision, 0);
  if (!event.is_closed) {
    const Slot* slot = find(event.open_time);
    if (slot != nullptr && slot->candle) return Change::none;
    const Candle* newest = newest_closed(Time::max());
    if (newest != nullptr && event.open_time < newest->open_time) return Change::none;
    if (forming_ && (event.open_time < forming_->open_time ||
                     (event.open_time == forming_->open_time &&
                      event.origin.exchange_time < forming_->origin.exchange_time))) {
      return Change::none;
    }
    if (forming_ && event.open_time == forming_->open_time && event.same_values(*forming_))
      return Change::none;
    forming_ = event;
    return Change::forming;
  }
  if (forming_ && forming_->open_time <= event.open_time) forming_.reset();
  Slot* slot = slot_for(event.open_time);
  if (slot == nullptr) return Change::none;
  if (slot->candle && slot->candle->same_values(event)) return Change::none;
  const Change change = slot->candle ? Change::corrected : Change::closed;
  last_applied_.revision = std::max(last_applied_.revision, slot->revision);
  slot->revision = last_applied_.revision + 1;
  slot->candle = last_applied_;
  settle();
  return change;
}

// The oldest period that still fits beside the newest one.
Time CandleSeries::oldest_in_reach() const {
  return open_after(timeframe_, first_open_,
                    static_cast<std::int64_t>(slots_.size()) - static_cast<std::int64_t>(keep_));
}

void CandleSeries::settle() {
  if (!wanted_from_) return;
  settled_until_ = std::max(settled_until_, oldest_in_reach());
  for (const Slot* slot = find(settled_until_); slot != nullptr && slot->is_settled();
       slot = find(settled_until_)) {
    settled_until_ = next_open(timeframe_, settled_until_);
  }
}

void CandleSeries::want_from(Time open) {
  if (wanted_from_ && open >= *wanted_from_) return;
  wanted_from_ = open;
  settled_until_ = open;
  if (!slots_.empty()) settle();
}

void CandleSeries::advance(Time venue_time) {
  if (forming_ && next_open(timeframe_, forming_->open_time) < venue_time - length_of(timeframe_))
    forming_.reset();
}

std::vector<Span> CandleSeries::note(Span span, CoverageState state) {
  std::vector<Span> changed;
  const bool says_there_is_one = state == CoverageState::live || state == CoverageState::backfilled;
  for (Time open = span.from; open < span.to;) {
    const Time next = next_open(timeframe_, open);
    Slot* slot = slot_for(open);
    const bool is_news =
        slot != nullptr && slot->state != state &&
        (slot->candle.has_value() ? says_there_is_one && slot->state != CoverageState::live &&
                                        slot->state != CoverageState::backfilled
                                  : !says_there_is_one && !(state == CoverageState::missing &&
                                                            pipeline::is_settled(slot->state)));
    if (is_news) {
      slot->state = state;
      if (!changed.empty() && changed.back().to == open) {
        changed.back().to = next;
      } else {
        changed.push_back({open, next});
      }
    }
    open = next;
  }
  if (!slots_.empty()) settle();
  return changed;
}

CoverageState CandleSeries::state_at(Time open) const {
  const Slot* slot = find(open);
  return slot == nullptr ? CoverageState::unknown : slot->state;
}

void CandleSeries::forget(Time open) {
  if (find(open) == nullptr) return;
  Slot& slot = slots_[index_of(open)];
  const auto revision = slot.candle ? slot.candle->revision : slot.revision;
  slot = {.candle = {}, .state = CoverageState::unknown, .revision = revision};
  if (wanted_from_ && open >= *wanted_from_) settled_until_ = std::min(settled_until_, open);
}

std::vector<Span> CandleSeries::holes(Time until) const {
  std::vector<Span> found;
  if (!wanted_from_) return found;
  Time open = settled_until_;
  const Time last = open_of(timeframe_, until);
  // What lies further back could not be kept beside what comes next.
  const auto reach = static_cast<std::int64_t>(keep_);
  if (periods_between(timeframe_, open, last) > reach) open = open_after(timeframe_, last, -reach);
  while (open < last) {
    const Slot* slot = find(open);
    const Time next = next_open(timeframe_, open);
    if (slot == nullptr || !slot->is_settled()) {
      if (!found.empty() && found.back().to == open) {
        found.back().to = next;
      } else {
        found.push_back({open, next});
      }
    }
    open = next;
  }
  return found;
}

std::optional<Time> CandleSeries::complete_until() const {
  if (slots_.empty()) return std::nullopt;
  Time open = wanted_from_ ? std::max(*wanted_from_, first_open_) : first_open_;
  if (wanted_from_ && *wanted_from_ < first_open_ && slots_.size() < keep_) return std::nullopt;
  std::optional<Time> end;
  for (const Slot* slot = find(open); slot != nullptr && slot->is_settled(); slot = find(open)) {
    open = next_open(timeframe_, open);
    end = open;
  }
  return end;
}

const Candle* CandleSeries::closed_at(Time open) const {
  const Slot* slot = find(open);
  return slot != nullptr && slot->candle ? &*slot->candle : nullptr;
}

bool CandleSeries::is_quiet(Time open) const {
  return counts_quiet_ && closed_at(open) == nullptr &&
         state_at(open) == CoverageState::confirmed_empty;
}

namespace {

Candle flat(const Candle& before, Time open) {
  Candle candle;
  candle.origin.instrument = before.origin.instrument;
  candle.timeframe = before.timeframe;
  candle.open_time = open;
  candle.open = candle.high = candle.low = candle.close = before.close;
  candle.quote_volume = Decimal{};
  candle.trade_count = 0;
  candle.is_closed = true;
  candle.source = Source::rest;
  return candle;
}

}  // namespace

std::optional<Candle> CandleSeries::bar_at(Time open) const {
  if (const Candle* candle = closed_at(open)) return *candle;
  const Candle* before = is_quiet(open) ? newest_closed(open) : nullptr;
  if (before == nullptr) return std::nullopt;
  return flat(*before, open);
}

void CandleSeries::each_bar(const std::function<void(const Candle&)>& visit) const {
  const Candle* before = nullptr;
  Time open = first_open_;
  for (const auto& slot : slots_) {
    if (slot.candle) {
      before = &*slot.candle;
      visit(*before);
    } else if (before != nullptr && counts_quiet_ && slot.state == CoverageState::confirmed_empty) {
      visit(flat(*before, open));
    }
    open = next_open(timeframe_, open);
  }
}

void CandleSeries::each_closed(const std::function<void(const Candle&)>& visit) const {
  for (const auto& slot : slots_) {
    if (slot.candle) visit(*slot.candle);
  }
}

const Candle* CandleSeries::newest_closed(Time before) const {
  for (std::size_t index = slots_.size(); index-- != 0;) {
    const Slot& slot = slots_[index];
    if (slot.candle && slot.candle->open_time < before) return &*slot.candle;
  }
  return nullptr;
}

}  // namespace candlewick::pipeline
