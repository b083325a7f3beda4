// A venue's REST history at the command line: what `backfill` and `verify` share. Requests are sent
// within the venue's budget by a feed on a thread of its own; answers are dealt with on the
// caller's. Rows go through the log. A running service's sinks pick them up; without one they are
// written to the warehouse before the command ends.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "app/progress.h"
#include "base/clock.h"
#include "base/config.h"
#include "exchange/venue.h"
#include "pipeline/coverage.h"
#include "pipeline/span_set.h"
#include "query/coverage.h"
#include "warehouse/database.h"

namespace candlewick::app {

// As typed.
struct HistoryArguments {
  std::string exchange;
  std::string symbol;
  std::string timeframe;
  std::string start;
  std::string end;  // empty: until now, by the venue's clock
  // What the last two are called, for messages.
  std::string start_flag = "--start";
  std::string end_flag = "--end";
};

struct HistorySeries {
  const exchange::Venue* venue = nullptr;
  std::unique_ptr<Catalogue> catalogue;
  const Instrument* instrument = nullptr;
  Timeframe timeframe = Timeframe::m1;
  Time start;  // the first period that opens in the range
  std::optional<Time> end;
};
// Error: misconfigured, naming the flag.
Result<HistorySeries> read_series(const HistoryArguments& arguments);

class History {
 public:
  // Brings the warehouse up to the log first, unless a service does that, and asks the venue for
  // its time.
  static Result<std::unique_ptr<History>> open(const LoadedConfig& loaded, HistorySeries series);
  ~History();
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  const HistorySeries& series() const;
  const Clock& clock() const;
  Progress& progress() const;
  warehouse::Database& warehouse() const;
  // The newest time that the venue has told.
  Time venue_time() const;
  // Of periods that ended before it a REST answer knows all that there is.
  Time certain_until() const;
  // A signal to end has come: what was answered until then has been dealt with.
  bool is_interrupted() const;

  // Sends the queries, a few at once, and hands over each answer as it comes. Ends early, without
  // an error, when interrupted. Errors: of `take`; rejected when the venue will not answer;
  // transient when nothing comes for minutes.
  using Take = std::function<Result<void>(const exchange::RestQuery&, const Events&)>;
  Result<void> ask(std::span<const exchange::RestQuery> queries, const Take& take);
  // For candles from a period on.
  exchange::RestQuery query_from(Time start) const;
  // The starts of the pages of [start, end) that hold one of these periods.
  std::vector<exchange::RestQuery> pages_of(const pipeline::SpanSet& wanted, Time end) const;
  Time page_end(Time start) const;

  // What the ledger says of the candles in a span, oldest first.
  Result<std::vector<query::CoverageSpan>> ledger(pipeline::Span span) const;

  Result<void> append(std::span<const schema::Row> rows);
  void append_assertion(std::vector<schema::Row>& rows, pipeline::Assertion assertion);
  // Into the warehouse, unless a service does that.
  Result<void> deliver();

 private:
  struct Impl;
  explicit History(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace candlewick::app
