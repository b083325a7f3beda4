// Planning, and what answers prove.
#include "pipeline/backfill.h"

#include <fmt/format.h>

#include <algorithm>

#include "pipeline/candle_reply.h"

namespace candlewick::pipeline {

using namespace std::chrono_literals;

namespace {

// Of the venue's time, before asking again: nothing came at all, or REST lags behind the stream.
constexpr Duration empty_reply_pause = 60s;
constexpr Duration lagging_reply_pause = 5s;
constexpr Duration refusal_pause = 10min;

// Nothing that opens before it can have been traded.
std::optional<Time> listed_since(const TrackedSeries& series) {
  if (series.first_ever) return series.first_ever;
  const auto& since = series.candles.instrument().listed_at;
  return since ? std::optional{open_of(series.candles.timeframe(), *since)} : std::nullopt;
}

std::string listing_evidence(const TrackedSeries& series) {
  if (series.first_ever)
    return fmt::format("the venue's first candle is {}", to_rfc3339(*series.first_ever));
  return fmt::format("the venue lists it since {}",
                     to_rfc3339(*series.candles.instrument().listed_at));
}

// Was it traded before that time, by what came?
bool is_known_before(const TrackedSeries& series, Time time) {
  return series.candles.newest_closed(time) != nullptr ||
         (series.remembered_until && *series.remembered_until <= time);
}

std::optional<Time> received(const Events& events) {
  for (const auto& event : events) {
    if (const auto time = received_time_of(event)) return time;
  }
  return std::nullopt;
}

}  // namespace

// The oldest period to ask for now.
std::optional<Time> Backfill::hole_of(TrackedSeries& series, Time now) {
  if (series.is_asked) return std::nullopt;
  if (series.ask_after && now < *series.ask_after) return std::nullopt;
  const auto holes = series.candles.holes(now - options_.close_grace);
  if (holes.empty()) {
    complete(series);
    return std::nullopt;
  }
  return holes.front().from;
}

void Backfill::remove(const TrackedSeries& series) {
  std::erase(series_, &series);
  std::erase_if(asked_, [&](const auto& entry) {
    const Asked& asked = entry.second;
    if (asked.series == &series && asked.is_history) --history_under_way_;
    return asked.series == &series;
  });
}

void Backfill::plan(Time now) {
  struct Wish {
    Time from;
    TrackedSeries* series;
  };
  std::vector<Wish> history;
  for (auto* series : series_) {
    series->note_missing(ledger_, now - options_.close_grace);
    if (ask_ == nullptr) continue;
    give_up_out_of_reach(*series, now);
    const auto from = hole_of(*series, now);
    if (!from) continue;
    if (series->was_complete) {
      ask(*series, *from, feed::Priority::live, now);
    } else {
      history.push_back({*from, series});
    }
  }
  std::ranges::stable_sort(history, {}, &Wish::from);
  for (const auto& wish : history) {
    if (history_under_way_ >= options_.history_requests) break;
    ask(*wish.series, wish.from, feed::Priority::history, now);
  }
}

void Backfill::ask(TrackedSeries& series, Time from, feed::Priority priority, Time now) {
  exchange::RestQuery query;
  query.kind = exchange::RestKind::candles;
  query.instrument = &series.candles.instrument();
  query.timeframe = series.candles.timeframe();
  query.start = from;
  const auto request = ask_(query, priority);
  if (!request) {
    // A venue without candle history: what the stream did not bring can be had nowhere.
    for (const auto& hole : series.candles.holes(now - options_.close_grace)) {
      series.note(ledger_, hole, CoverageState::unrecoverable, "the venue has no candle history",
                  cause::out_of_reach);
    }
    return complete(series);
  }
  series.is_asked = true;
  const bool is_history = priority == feed::Priority::history;
  if (is_history) ++history_under_way_;
  asked_.emplace(*request, Asked{&series, query, false, is_history});
}

// Before a venue's first candle of an instrument there was no listing; an outage looks the same.
void Backfill::ask_for_the_first(TrackedSeries& series) {
  exchange::RestQuery query;
  query.kind = exchange::RestKind::candles;
  query.instrument = &series.candles.instrument();
  query.timeframe = series.candles.timeframe();
  query.start = Time{};
  query.limit = 1;
  series.asked_for_the_first = true;
  const auto request = ask_(query, feed::Priority::history);
  if (!request) return;
  series.is_asked = true;
  ++history_under_way_;
  asked_.emplace(*request, Asked{&series, query, true, true});
}

void Backfill::first_arrived(TrackedSeries& series, const Events& events) {
  for (const auto& event : events) {
    const auto* row = std::get_if<Candle>(&event);
    if (row == nullptr || row->timeframe != series.candles.timeframe()) continue;
    series.first_ever = std::min(series.first_ever.value_or(row->open_time), row->open_time);
  }
}

void Backfill::complete(TrackedSeries& series) {
  if (!std::exchange(series.was_complete, true)) listener_.on_complete(series);
}

void Backfill::give_up_out_of_reach(TrackedSeries& series, Time now) {
  if (options_.history_candles == 0) return;
  const Time reach =
      open_of(series.candles.timeframe(),
              now - length_of(series.candles.timeframe()) * options_.history_candles);
  for (const auto& hole : series.candles.holes(now - options_.close_grace)) {
    if (hole.from >= reach) break;
    series.note(ledger_, {hole.from, std::min(hole.to, reach)}, CoverageState::unrecoverable,
                fmt::format("the venue serves its last {} candles", options_.history_candles),
                cause::out_of_reach);
  }
}

bool Backfill::on_reply(feed::RequestId request, const Events& events, Time now) {
  const auto found = asked_.find(request);
  if (found == asked_.end()) return false;
  const Asked asked = found->second;
  asked_.erase(found);
  asked.series->is_asked = false;
  if (asked.is_history) --history_under_way_;
  if (asked.is_for_the_first) {
    first_arrived(*asked.series, events);
  } else {
    arrived(*asked.series, asked.query, events, now);
  }
  return true;
}

bool Backfill::on_refused(feed::RequestId request, const Error& error, Time now) {
  const auto found = asked_.find(request);
  if (found == asked_.end()) return false;
  TrackedSeries& series = *found->second.series;
  if (found->second.is_history) --history_under_way_;
  asked_.erase(found);
  series.is_asked = false;
  if (series.listing == ListingStatus::delisted) {
    for (const auto& hole : series.candles.holes(now - options_.close_grace)) {
      series.note(
          ledger_, hole, CoverageState::not_listed,
          fmt::format("not on the venue's list; its candles are refused: {}", error.message),
          cause::listing);
    }
  }
  // Asked again after a while: a listing may appear. Snapshots do not wait for it.
  complete(series);
  series.ask_after = now + refusal_pause;
  return true;
}

void Backfill::arrived(TrackedSeries& series, const exchange::RestQuery& query,
                       const Events& events, Time now) {
  const auto reply = read_candle_reply(query, events, now);
  const std::string answered =
      fmt::format("REST candles from {}: {} rows to {}, received {}", to_rfc3339(*query.start),
                  reply.rows, reply.newest ? to_rfc3339(*reply.newest) : "none",
                  to_rfc3339(received(events).value_or(now)));
  if (reply.out_of_reach) {
    series.note(ledger_, *reply.out_of_reach, CoverageState::unrecoverable,
                "the answer is full and begins later; " + answered, cause::out_of_reach);
  }
  for (const auto& absent : reply.absent) judge_absent(series, absent, answered);
  for (const auto& candle : reply.closed) {
    const bool was_told = options_.confirms_stream && series.was_told(candle);
    listener_.on_filled(series, candle);
    series.note(ledger_, {candle.open_time, candle.end_time()},
                was_told ? CoverageState::live : CoverageState::backfilled,
                was_told ? std::string{"told by the stream and confirmed: "} + answered : answered);
    // What an earlier answer lacked is there.
    series.absent_once.remove({candle.open_time, candle.end_time()});
  }
  if (options_.quiet_periods == exchange::QuietPeriods::omitted) {
    for (const auto& absent : reply.absent) listener_.on_quiet(series, absent);
  }
  judge_the_end(series, query, reply.newest, now, answered);
  judge_the_quiet_end(series, query, reply.newest, now, answered);
  // A venue that serves only so many has another first one every period.
  const bool is_told =
      options_.first_candle == exchange::FirstCandle::told && options_.history_candles == 0;
  if (options_.quiet_periods == exchange::QuietPeriods::zero_rows && is_told &&
      !series.asked_for_the_first && !reply.absent.empty() &&
      series.candles.newest_closed(reply.absent.front().from) == nullptr) {
    ask_for_the_first(series);
  }
  const bool is_nothing_new = reply.closed.empty() && reply.absent.empty();
  if (!is_nothing_new) {
    series.pause = Duration{0};
    series.ask_after.reset();
    // A second answer is independent of the first one only after a while.
    if (!series.absent_once.is_empty()) series.ask_after = now + lagging_reply_pause;
    return;
  }
  const bool may_lag = *query.start + 3 * length_of(query.timeframe) > now;
  if (reply.rows == 0 && judge_an_empty_range(series, query, now, answered)) {
    series.ask_after = now + lagging_reply_pause;
    return;
  }
  if (reply.rows == 0) {
    series.ask_after = now + (may_lag ? lagging_reply_pause : empty_reply_pause);
    complete(series);
    return;
  }
  // The only row is not final yet, or nothing follows the last one: less and less often.
  series.pause = std::clamp<Duration>(2 * series.pause, lagging_reply_pause, empty_reply_pause);
  series.ask_after = now + series.pause;
}

// Nothing follows the last row, and the venue says that the instrument does not trade.
void Backfill::judge_the_end(TrackedSeries& series, const exchange::RestQuery& query,
                             std::optional<Time> newest, Time now, const std::string& answered) {
  const auto status = series.listing;
  if (status != ListingStatus::halted && status != ListingStatus::delisted) return;
  const Timeframe timeframe = query.timeframe;
  const Time from = newest ? next_open(timeframe, *newest) : open_of(timeframe, *query.start);
  const Time to = open_of(timeframe, now - certainly_final_after(timeframe));
  if (from >= to) return;
  series.note(ledger_, {from, to},
              status == ListingStatus::halted ? CoverageState::halted : CoverageState::not_listed,
              fmt::format("listed as {}; {}", to_text(status), answered), cause::listing);
}

// A venue without rows for quiet periods has nothing after its last row until there is a trade
// again: two answers have to say so, a while apart.
void Backfill::judge_the_quiet_end(TrackedSeries& series, const exchange::RestQuery& query,
                                   std::optional<Time> newest, Time now,
                                   const std::string& answered) {
  if (options_.quiet_periods != exchange::QuietPeriods::omitted ||
      series.listing == ListingStatus::halted || series.listing == ListingStatus::delisted) {
    return;
  }
  const Timeframe timeframe = query.timeframe;
  const Time start = open_of(timeframe, *query.start);
  const Time from = newest ? next_open(timeframe, *newest) : start;
  const Time to = std::min(open_of(timeframe, now - certainly_final_after(timeframe)),
                           start + length_of(timeframe) * options_.max_candles);
  if (from >= to) return;
  const auto confirmed = series.absent_once.within({from, to});
  for (const auto& part : confirmed) {
    series.note(ledger_, part, CoverageState::confirmed_empty,
                "in two answers nothing after it; " + answered, cause::no_trades);
    listener_.on_quiet(series, part);
  }
  series.absent_once.add({from, to});
  for (const auto& part : confirmed) series.absent_once.remove(part);
}

// Where an answer ends a while after its start, whether it has rows or not, a later row can only be
// in another one. One that is stored says as much: the instrument was traded after the range, not
// in it.
bool Backfill::judge_an_empty_range(TrackedSeries& series, const exchange::RestQuery& query,
                                    Time now, const std::string& answered) {
  if (!options_.replies_are_bounded || options_.quiet_periods != exchange::QuietPeriods::zero_rows)
    return false;
  const Candle* later = series.candles.newest_closed(Time::max());
  if (later == nullptr) return false;
  const Timeframe timeframe = query.timeframe;
  const Time from = open_of(timeframe, *query.start);
  const Time to = std::min({open_of(timeframe, now - certainly_final_after(timeframe)),
                            from + length_of(timeframe) * options_.max_candles, later->open_time});
  if (from >= to) return false;
  judge_absent(series, {from, to}, answered);
  return true;
}

void Backfill::judge_absent(TrackedSeries& series, const Span& absent,
                            const std::string& answered) {
  if (options_.quiet_periods == exchange::QuietPeriods::omitted) {
    series.note(ledger_, absent, CoverageState::confirmed_empty, answered, cause::no_trades);
    return;
  }
  // A venue that has a row for quiet periods too: before its first candle ever the instrument was
  // not listed; elsewhere a second answer has to say the same. Where nothing is known to have
  // come before it, there is no row, for whatever reason.
  const auto confirmed = series.absent_once.within(absent);
  const auto since = listed_since(series);
  for (const auto& part : confirmed) {
    const Time listed = std::clamp(since.value_or(part.from), part.from, part.to);
    if (part.from < listed) {
      series.note(ledger_, {part.from, listed}, CoverageState::not_listed, listing_evidence(series),
                  cause::listing);
    }
    if (series.first_ever || is_known_before(series, listed)) {
      series.note(ledger_, {listed, part.to}, CoverageState::confirmed_empty,
                  "in two answers without a row; " + answered, cause::exchange_outage);
    } else {
      series.note(ledger_, {listed, part.to}, CoverageState::confirmed_empty,
                  "in two answers without a row, and none is known before it; " + answered);
    }
  }
  series.absent_once.add(absent);
  for (const auto& part : confirmed) series.absent_once.remove(part);
}

}  // namespace candlewick::pipeline
