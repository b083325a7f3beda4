// History, page by page. Rows and the assertions about them are one append, so that neither can be
// there without the other.
#include "app/backfill.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "app/absence.h"
#include "app/command.h"
#include "app/history.h"
#include "pipeline/candle_reply.h"
#include "pipeline/rows.h"
#include "query/candles.h"

namespace candlewick::app {
namespace {

using pipeline::CoverageState;
using pipeline::Span;
using pipeline::SpanSet;

class Backfiller {
 public:
  explicit Backfiller(History& history) : history_(history) {}

  Result<void> run() {
    if (auto planned = plan(); !planned) return planned;
    const auto pages = history_.pages_of(wanted_, end_);
    history_.progress().begin("backfill", "requests", pages.size());
    show();
    const auto asked =
        history_.ask(pages, [&](const auto& query, const Events& events) -> Result<void> {
          ++requests_;
          auto taken = take(query, events);
          show();
          return taken;
        });
    history_.progress().finish();
    if (!asked || history_.is_interrupted()) return asked;
    return settle();
  }

  std::uint64_t candles() const { return candles_; }
  std::uint64_t requests() const { return requests_; }
  const SpanSet& missing() const { return wanted_; }

 private:
  // Periods that nothing is known about: neither stored nor settled without a candle.
  Result<void> plan() {
    const auto& series = history_.series();
    const Time now = open_of(series.timeframe, history_.venue_time() - pipeline::rest_settling);
    // An end inside a period asks for that one too.
    const Time end = std::min(series.end.value_or(now), now);
    end_ = open_of(series.timeframe, end);
    if (end_ < end) end_ = next_open(series.timeframe, end_);
    wanted_.add({series.start, end_});
    const auto stored =
        query::stored_times(history_.warehouse(), {.exchange = series.instrument->exchange,
                                                   .symbol = series.instrument->symbol,
                                                   .timeframe = series.timeframe,
                                                   .start = series.start,
                                                   .end = end_});
    if (!stored) return fail(stored.error());
    SpanSet there;
    for (const Time open : *stored) there.add({open, next_open(series.timeframe, open)});
    wanted_.remove(there);
    auto ledger = history_.ledger({series.start, end_});
    if (!ledger) return fail(ledger.error());
    for (auto& span : *ledger) {
      const auto state = pipeline::parse_coverage_state(span.state);
      if (state == CoverageState::missing) {
        missed_.push_back(std::move(span));
      } else if (state && *state != CoverageState::live && *state != CoverageState::backfilled) {
        wanted_.remove(Span{span.from, span.to});
      }
    }
    return give_up_out_of_reach(now);
  }

  Result<void> give_up_out_of_reach(Time now) {
    const auto& series = history_.series();
    const int kept = series.venue->limits.history_candles;
    if (kept == 0) return {};
    const Time reach = open_of(series.timeframe, now - kept * length_of(series.timeframe));
    std::vector<schema::Row> rows;
    for (const auto& span : wanted_.within({series.start, reach})) {
      history_.append_assertion(
          rows, {.span = span,
                 .state = CoverageState::unrecoverable,
                 .cause = pipeline::cause::out_of_reach,
                 .evidence = fmt::format("the venue serves its last {} candles", kept)});
    }
    wanted_.remove({series.start, reach});
    return history_.append(rows);
  }

  Result<void> take(const exchange::RestQuery& query, const Events& events) {
    const auto reply = pipeline::read_candle_reply(query, events, history_.venue_time());
    std::vector<schema::Row> rows;
    store(reply.closed,
          fmt::format("REST candles from {}: {} rows to {}, {}", to_rfc3339(*query.start),
                      reply.rows, reply.newest ? to_rfc3339(*reply.newest) : "none", asked_at()),
          rows);
    for (const auto& absent : reply.absent) {
      for (const auto& part : wanted_.within(absent)) absent_.add(part);
    }
    return history_.append(rows);
  }

  // Those that are wanted still, and what the ledger is to know of them.
  void store(const std::vector<Candle>& closed, const std::string& evidence,
             std::vector<schema::Row>& rows) {
    const Time stamp = history_.clock().now();
    SpanSet filled;
    for (const auto& candle : closed) {
      if (!wanted_.contains(candle.open_time)) continue;
      rows.push_back(pipeline::candle_row(candle, stamp));
      filled.add({candle.open_time, candle.end_time()});
      ++candles_;
    }
    wanted_.remove(filled);
    for (const auto& [span, cause] : with_causes(filled)) {
      history_.append_assertion(
          rows,
          {.span = span, .state = CoverageState::backfilled, .cause = cause, .evidence = evidence});
    }
  }

  // A minute that the service has missed keeps the reason why.
  struct Caused {
    Span span;
    std::string_view cause;
  };
  std::vector<Caused> with_causes(SpanSet filled) const {
    std::vector<Caused> caused;
    for (const auto& missed : missed_) {
      if (!missed.cause) continue;
      for (const auto& part : filled.within({missed.from, missed.to}))
        caused.push_back({part, *missed.cause});
      filled.remove(Span{missed.from, missed.to});
    }
    for (const auto& span : filled.spans()) caused.push_back({span, pipeline::cause::before_start});
    return caused;
  }

  // What the answers had no row for.
  Result<void> settle() {
    auto absence = judge_absent(history_, absent_);
    if (!absence) return fail(absence.error());
    if (history_.is_interrupted()) return {};
    std::vector<schema::Row> rows;
    store(absence->found, fmt::format("REST candles, in a second answer, {}", asked_at()), rows);
    for (auto& assertion : absence->assertions) {
      wanted_.remove(assertion.span);
      history_.append_assertion(rows, std::move(assertion));
    }
    // The newest ones may not be final yet: nothing is known about them.
    wanted_.remove({history_.certain_until(), Time::max()});
    for (const auto& [span, cause] : with_causes(wanted_)) {
      history_.append_assertion(
          rows,
          {.span = span,
           .state = CoverageState::missing,
           .cause = cause,
           .evidence = fmt::format("REST has neither rows there nor any behind, {}", asked_at())});
    }
    return history_.append(rows);
  }

  std::string asked_at() const {
    return to_rfc3339(std::chrono::floor<std::chrono::seconds>(history_.clock().now()));
  }

  void show() const { history_.progress().update(requests_, fmt::format("{} candles", candles_)); }

  History& history_;
  Time end_;
  SpanSet wanted_;
  SpanSet absent_;
  std::vector<query::CoverageSpan> missed_;
  std::uint64_t candles_ = 0;
  std::uint64_t requests_ = 0;
};

}  // namespace

int backfill(const LoadedConfig& loaded, const BackfillOptions& options) {
  auto series = read_series({.exchange = options.exchange,
                             .symbol = options.symbol,
                             .timeframe = options.timeframe,
                             .start = options.start,
                             .end = options.end});
  if (!series) return report(series.error());
  const auto history = History::open(loaded, std::move(*series));
  if (!history) return report(history.error());
  Backfiller backfiller(**history);
  const auto ran = (*history)->is_interrupted() ? Result<void>{} : backfiller.run();
  if (auto delivered = (*history)->deliver(); !delivered) return report(delivered.error());
  if (!ran) return report(ran.error());
  const bool interrupted = (*history)->is_interrupted();
  fmt::print(stderr, "candlewick: {} candles of {} {} {} from {} requests{}\n",
             backfiller.candles(), options.exchange, (*history)->series().instrument->symbol,
             options.timeframe, backfiller.requests(),
             interrupted ? ", interrupted; run it again to go on" : "");
  return interrupted ? failed : done;
}

}  // namespace candlewick::app
