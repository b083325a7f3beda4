// A period without a row is none of quiet where the venue has rows for quiet periods too: only a
// second answer, asked for separately, tells an outage from a slip.
#include "app/absence.h"

#include <algorithm>

#include <fmt/format.h>

#include "pipeline/candle_reply.h"

namespace candlewick::app {
namespace {

using pipeline::CoverageState;
using pipeline::Span;
using pipeline::SpanSet;

std::string evidence_of(const History& history, const Span& span, std::string_view outcome) {
  return fmt::format("REST candles of {} to {}: {}, {}", to_rfc3339(span.from), to_rfc3339(span.to),
                     outcome,
                     to_rfc3339(std::chrono::floor<std::chrono::seconds>(history.clock().now())));
}

// No candle opens before it; why, in words.
struct Beginning {
  Time open;
  std::string evidence;
};

// By the venue's list.
Result<std::optional<Beginning>> listed_since(History& history) {
  std::optional<Beginning> beginning;
  exchange::RestQuery query;
  query.kind = exchange::RestKind::instruments;
  query.instrument = history.series().instrument;
  const auto asked = history.ask({&query, 1}, [&](const auto&, const Events& events) {
    for (const auto& event : events) {
      const auto* listing = std::get_if<Listing>(&event);
      if (listing == nullptr) continue;
      const Instrument& listed = *listing->origin.instrument;
      if (listed.exchange_symbol != query.instrument->exchange_symbol || !listed.listed_at)
        continue;
      beginning = Beginning{open_of(history.series().timeframe, *listed.listed_at),
                            "the venue lists it since " + to_rfc3339(*listed.listed_at)};
    }
    return Result<void>{};
  });
  if (!asked) return fail(asked.error());
  return beginning;
}

// By the first candle that the venue has. Null when it does not tell.
Result<std::optional<Beginning>> beginning_of(History& history) {
  std::optional<Beginning> beginning;
  const auto& venue = *history.series().venue;
  // A venue that serves only so many has a first row every minute.
  if (venue.limits.history_candles != 0) return beginning;
  if (venue.first_candle == exchange::FirstCandle::not_told) return listed_since(history);
  exchange::RestQuery query = history.query_from(Time{});
  query.limit = 1;
  const auto asked =
      history.ask({&query, 1}, [&](const auto& sent, const Events& events) -> Result<void> {
        const auto reply = pipeline::read_candle_reply(sent, events, history.venue_time());
        if (reply.rows != 1) return {};
        beginning = Beginning{*reply.newest,
                              "the venue's first candle opens at " + to_rfc3339(*reply.newest)};
        return {};
      });
  if (!asked) return fail(asked.error());
  return beginning;
}

Result<void> ask_again(History& history, const SpanSet& doubtful, Absence& absence) {
  std::vector<exchange::RestQuery> queries;
  for (const auto& span : doubtful.spans()) {
    // From the row before it on.
    queries.push_back(history.query_from(previous_open(history.series().timeframe, span.from)));
  }
  SpanSet absent_again;
  const auto asked =
      history.ask(queries, [&](const auto& sent, const Events& events) -> Result<void> {
        auto reply = pipeline::read_candle_reply(sent, events, history.venue_time());
        for (const auto& span : reply.absent) {
          for (const auto& part : doubtful.within(span)) absent_again.add(part);
        }
        for (auto& candle : reply.closed) {
          if (!doubtful.contains(candle.open_time)) continue;
          absence.open.remove({candle.open_time, candle.end_time()});
          absence.found.push_back(std::move(candle));
        }
        return {};
      });
  if (!asked) return asked;
  for (const auto& span : absent_again.spans()) {
    absence.assertions.push_back({.span = span,
                                  .state = CoverageState::confirmed_empty,
                                  .cause = pipeline::cause::exchange_outage,
                                  .evidence = evidence_of(history, span, "no rows in 2 answers")});
    absence.open.remove(span);
  }
  return {};
}

}  // namespace

Result<Absence> judge_absent(History& history, const SpanSet& absent) {
  Absence absence;
  absence.open = absent;
  // A venue may be late with the newest.
  SpanSet doubtful = absent;
  doubtful.remove({history.certain_until(), Time::max()});
  if (doubtful.is_empty()) return absence;

  // Nothing is known to lie before the range: its head may be older than the listing.
  const Span head = doubtful.spans().front();
  if (head.from == history.series().start) {
    const auto beginning = beginning_of(history);
    if (!beginning) return fail(beginning.error());
    if (*beginning && (*beginning)->open > head.from) {
      const Span before{head.from, std::min(head.to, (*beginning)->open)};
      absence.assertions.push_back(
          {.span = before,
           .state = CoverageState::not_listed,
           .cause = pipeline::cause::listing,
           .evidence = evidence_of(history, before, (*beginning)->evidence)});
      doubtful.remove(before);
      absence.open.remove(before);
    }
    // Without a row before them they are not between two rows.
    if (!*beginning) doubtful.remove(head);
  }
  if (history.series().venue->quiet_periods == exchange::QuietPeriods::zero_rows) {
    if (auto asked = ask_again(history, doubtful, absence); !asked) return fail(asked.error());
    return absence;
  }
  for (const auto& span : doubtful.spans()) {
    absence.assertions.push_back(
        {.span = span,
         .state = CoverageState::confirmed_empty,
         .cause = pipeline::cause::no_trades,
         .evidence = evidence_of(history, span, "no rows between the rows around it")});
    absence.open.remove(span);
  }
  return absence;
}

}  // namespace candlewick::app
