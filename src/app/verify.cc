// Page by page; each page's rows are one append: differences, repairs and the count of what was
// compared.
#include "app/verify.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "app/absence.h"
#include "app/command.h"
#include "app/history.h"
#include "app/table.h"
#include "pipeline/candle_reply.h"
#include "pipeline/rows.h"
#include "pipeline/verification.h"
#include "query/candles.h"

namespace candlewick::app {
namespace {

using pipeline::CoverageState;
using pipeline::Mismatch;
using pipeline::MismatchAction;
using pipeline::Span;
using pipeline::SpanSet;

using Stored = std::map<Time, Candle>;

std::string text_of(const Decimal& value) {
  return value.to_string();
}
std::string text_of(const std::optional<Decimal>& value) {
  return value ? value->to_string() : "none";
}
std::string text_of(const std::optional<std::uint64_t>& value) {
  return value ? fmt::format("{}", *value) : "none";
}

// "close 100.5 → 100.6, volume 3 → 4"
std::string difference_text(const Mismatch& mismatch) {
  if (!mismatch.found) return "the venue has no such candle";
  if (!mismatch.stored) return "it was not stored";
  const Candle& stored = *mismatch.stored;
  const Candle& found = *mismatch.found;
  std::string text;
  const auto tell = [&](std::string_view column, const auto& before, const auto& after) {
    if (before == after) return;
    text += fmt::format("{}{} {} → {}", text.empty() ? "" : ", ", column, text_of(before),
                        text_of(after));
  };
  for (const auto column : pipeline::differing_columns(stored, found)) {
    if (column == "open") tell(column, stored.open, found.open);
    if (column == "high") tell(column, stored.high, found.high);
    if (column == "low") tell(column, stored.low, found.low);
    if (column == "close") tell(column, stored.close, found.close);
    if (column == "volume") tell(column, stored.volume, found.volume);
    if (column == "quote_volume") tell(column, stored.quote_volume, found.quote_volume);
    if (column == "trade_count") tell(column, stored.trade_count, found.trade_count);
    if (column == "taker_buy_volume") tell(column, stored.taker_buy_volume, found.taker_buy_volume);
    if (column == "taker_buy_quote_volume")
      tell(column, stored.taker_buy_quote_volume, found.taker_buy_quote_volume);
  }
  return text;
}

struct Sum {
  std::uint64_t checked = 0;
  std::uint64_t equal = 0;
  std::uint64_t different = 0;
  std::uint64_t gone = 0;        // stored, and the venue has none
  std::uint64_t not_stored = 0;  // the venue has one
  std::uint64_t repaired = 0;
  std::uint64_t unchecked = 0;  // stored, and no final answer about it
  std::uint64_t unsettled = 0;  // neither side has one, and it is not proven that there is none

  std::uint64_t remaining() const { return different + gone + not_stored - repaired; }
};

class Verifier {
 public:
  Verifier(History& history, bool repairs) : history_(history), repairs_(repairs) {}

  Result<void> run() {
    if (auto planned = plan(); !planned) return planned;
    const auto pages = history_.pages_of(wanted_, end_);
    history_.progress().begin("verify", "requests", pages.size());
    history_.progress().update(0);
    const auto asked = history_.ask(
        pages, [&](const auto& query, const Events& events) { return take(query, events); });
    history_.progress().finish();
    if (!asked || history_.is_interrupted()) return asked;
    if (auto settled = settle(); !settled) return settled;
    for (const auto& [open, candle] : stored_) sum_.unchecked += judged_.contains(open) ? 0U : 1U;
    return {};
  }

  const Sum& sum() const { return sum_; }
  // Sorted by time.
  const std::map<Time, Mismatch>& mismatches() const { return mismatches_; }

 private:
  // All periods but those that are known to hold nothing.
  Result<void> plan() {
    const auto& series = history_.series();
    end_ = std::min(series.end.value_or(Time::max()), history_.certain_until());
    if (open_of(series.timeframe, end_) < end_)
      end_ = next_open(series.timeframe, open_of(series.timeframe, end_));
    wanted_.add({series.start, end_});
    auto stored =
        query::stored_candles(history_.warehouse(), {.exchange = series.instrument->exchange,
                                                     .symbol = series.instrument->symbol,
                                                     .timeframe = series.timeframe,
                                                     .start = series.start,
                                                     .end = end_});
    if (!stored) return fail(stored.error());
    for (const auto& row : *stored) stored_.emplace(row.timestamp, to_candle(row));
    const auto ledger = history_.ledger({series.start, end_});
    if (!ledger) return fail(ledger.error());
    for (const auto& span : *ledger) {
      const auto state = pipeline::parse_coverage_state(span.state);
      if (!state || *state == CoverageState::missing) continue;
      asserted_.add({span.from, span.to});
      if (*state == CoverageState::live || *state == CoverageState::backfilled) continue;
      settled_.add({span.from, span.to});
      wanted_.remove(Span{span.from, span.to});
    }
    for (const auto& [open, candle] : stored_) wanted_.add({open, candle.end_time()});
    return {};
  }

  Candle to_candle(const query::Candle& row) const {
    Candle candle;
    candle.origin.instrument = history_.series().instrument;
    candle.timeframe = history_.series().timeframe;
    candle.open_time = row.timestamp;
    candle.open = row.open;
    candle.high = row.high;
    candle.low = row.low;
    candle.close = row.close;
    candle.volume = row.volume;
    candle.quote_volume = row.quote_volume;
    if (row.trade_count) candle.trade_count = static_cast<std::uint64_t>(*row.trade_count);
    candle.taker_buy_volume = row.taker_buy_volume;
    candle.taker_buy_quote_volume = row.taker_buy_quote_volume;
    candle.is_closed = true;
    candle.source = parse_source(row.source).value_or(Source::rest);
    candle.revision = static_cast<std::int32_t>(row.revision);
    return candle;
  }

  // What one append says.
  struct Findings {
    std::vector<schema::Row> rows;
    pipeline::Comparison comparison;
    SpanSet filled;
  };

  Result<void> take(const exchange::RestQuery& query, const Events& events) {
    const auto reply = pipeline::read_candle_reply(query, events, history_.venue_time());
    const Span page{*query.start, std::min(history_.page_end(*query.start), end_)};
    Findings findings{.rows = {}, .comparison = {.span = page}, .filled = {}};
    for (const auto& candle : reply.closed) {
      if (candle.open_time < page.to) compare(candle, findings);
    }
    for (const auto& span : reply.absent) {
      for (const auto& part : wanted_.within({span.from, std::min(span.to, page.to)}))
        absent_.add(part);
    }
    auto appended = append(std::move(findings));
    history_.progress().update(
        ++answered_, fmt::format("{} candles, {} different", sum_.checked, mismatches_.size()));
    return appended;
  }

  void compare(const Candle& found, Findings& findings) {
    const auto stored = stored_.find(found.open_time);
    const Span period{found.open_time, found.end_time()};
    judged_.add(period);
    if (stored == stored_.end()) {
      ++findings.comparison.absent;
      ++sum_.not_stored;
      add({.found = found,
           .action = repairs_ ? MismatchAction::backfilled : MismatchAction::recorded},
          findings);
      if (repairs_) findings.filled.add(period);
      return;
    }
    if (pipeline::differing_columns(stored->second, found).empty()) {
      ++findings.comparison.equal;
      ++sum_.equal;
      return;
    }
    ++findings.comparison.different;
    ++sum_.different;
    add({.stored = stored->second,
         .found = found,
         .action = repairs_ ? MismatchAction::revised : MismatchAction::recorded},
        findings);
  }

  void add(Mismatch mismatch, Findings& findings) {
    const Time stamp = history_.clock().now();
    const Time open = mismatch.stored ? mismatch.stored->open_time : mismatch.found->open_time;
    if (mismatch.action != MismatchAction::recorded) {
      Candle repaired = *mismatch.found;
      if (mismatch.stored) repaired.revision = mismatch.stored->revision + 1;
      findings.rows.push_back(pipeline::candle_row(repaired, stamp));
      ++sum_.repaired;
    }
    // A hole that nobody ever claimed to be filled is none of verification's finds.
    if (!mismatch.stored && !asserted_.contains(open)) return;
    findings.rows.push_back(pipeline::mismatch_row(mismatch, stamp));
    mismatches_.insert_or_assign(open, std::move(mismatch));
  }

  Result<void> append(Findings findings) {
    const Time stamp = history_.clock().now();
    for (const auto& span : findings.filled.spans()) {
      history_.append_assertion(
          findings.rows,
          {.span = span,
           .state = CoverageState::backfilled,
           .cause = pipeline::cause::before_start,
           .evidence = fmt::format("found by verification, {}",
                                   to_rfc3339(std::chrono::floor<std::chrono::seconds>(stamp)))});
    }
    auto& comparison = findings.comparison;
    comparison.checked = comparison.equal + comparison.different + comparison.absent;
    sum_.checked += static_cast<std::uint64_t>(comparison.checked);
    if (comparison.checked > 0) {
      comparison.instrument = history_.series().instrument;
      comparison.timeframe = history_.series().timeframe;
      sequence_ = std::max(sequence_ + 1, to_ns(stamp));
      findings.rows.push_back(pipeline::verification_row(comparison, stamp, sequence_));
    }
    return history_.append(findings.rows);
  }

  // What the answers had no row for: gone, or never there.
  Result<void> settle() {
    auto absence = judge_absent(history_, absent_);
    if (!absence) return fail(absence.error());
    if (history_.is_interrupted()) return {};
    Findings findings{
        .rows = {}, .comparison = {.span = {history_.series().start, end_}}, .filled = {}};
    for (const auto& candle : absence->found) compare(candle, findings);
    for (auto& assertion : absence->assertions) {
      SpanSet unexplained;
      unexplained.add(assertion.span);
      for (auto there = stored_.lower_bound(assertion.span.from);
           there != stored_.end() && there->first < assertion.span.to; ++there) {
        const Span period{there->first, there->second.end_time()};
        unexplained.remove(period);
        judged_.add(period);
        ++findings.comparison.absent;
        ++sum_.gone;
        add({.stored = there->second}, findings);
      }
      unexplained.remove(settled_);
      if (!repairs_) continue;
      for (const auto& span : unexplained.spans()) {
        assertion.span = span;
        history_.append_assertion(findings.rows, assertion);
      }
    }
    for (const auto& span : absence->open.spans()) {
      for (Time open = span.from; open < span.to;
           open = next_open(history_.series().timeframe, open)) {
        sum_.unsettled += stored_.contains(open) ? 0U : 1U;
      }
    }
    return append(std::move(findings));
  }

  History& history_;
  const bool repairs_;
  Time end_;
  Stored stored_;
  SpanSet wanted_;    // to be compared
  SpanSet asserted_;  // the ledger says that something is known
  SpanSet settled_;   // the ledger says that there is nothing
  SpanSet absent_;    // without a row in an answer
  SpanSet judged_;    // compared, or known to be gone
  std::map<Time, Mismatch> mismatches_;
  std::uint64_t answered_ = 0;
  std::int64_t sequence_ = 0;
  Sum sum_;
};

void print_mismatches(const Verifier& verifier, const Clock& clock, Format format) {
  Table table({"timestamp", "action", "difference"});
  std::vector<std::string> lines;
  for (const auto& [open, mismatch] : verifier.mismatches()) {
    table.add({to_rfc3339(open), std::string(to_text(mismatch.action)), difference_text(mismatch)});
    lines.push_back(schema::to_json(pipeline::mismatch_row(mismatch, clock.now())));
  }
  if (!lines.empty()) print(table, format, lines);
}

void print_sum(const Sum& sum, const HistorySeries& series, bool interrupted) {
  std::string text =
      fmt::format("{} of {} candles of {} {} {} are equal", sum.equal, sum.checked,
                  series.venue->name, series.instrument->symbol, to_text(series.timeframe));
  const auto tell = [&](std::uint64_t count, std::string_view what) {
    if (count > 0) text += fmt::format(", {} {}", count, what);
  };
  tell(sum.different, "different");
  tell(sum.gone, "not at the venue");
  tell(sum.not_stored, "not stored");
  tell(sum.repaired, "repaired");
  tell(sum.unchecked, "could not be checked");
  tell(sum.unsettled, "on neither side, which is not proven yet");
  fmt::print(stderr, "candlewick: {}{}\n", text, interrupted ? ", interrupted" : "");
}

}  // namespace

int verify(const LoadedConfig& loaded, const VerifyOptions& options) {
  const auto format = parse_format(options.format);
  if (!format) return report(format.error());
  auto series = read_series({.exchange = options.exchange,
                             .symbol = options.symbol,
                             .timeframe = options.timeframe,
                             .start = options.since,
                             .end = options.until,
                             .start_flag = "--since",
                             .end_flag = "--until"});
  if (!series) return report(series.error());
  const auto history = History::open(loaded, std::move(*series));
  if (!history) return report(history.error());
  Verifier verifier(**history, options.repair);
  const auto ran = (*history)->is_interrupted() ? Result<void>{} : verifier.run();
  if (auto delivered = (*history)->deliver(); !delivered) return report(delivered.error());
  print_mismatches(verifier, (*history)->clock(), *format);
  if (!ran) return report(ran.error());
  const bool interrupted = (*history)->is_interrupted();
  print_sum(verifier.sum(), (*history)->series(), interrupted);
  const bool is_well = verifier.sum().remaining() == 0 && verifier.sum().unchecked == 0;
  return is_well && !interrupted ? done : failed;
}

}  // namespace candlewick::app
