// The JSON of things that the HTTP API and the live streams both show, so that they look the same
// everywhere.
#pragma once

#include <string>

#include "base/json_text.h"
#include "market/event.h"
#include "pipeline/latest.h"
#include "query/candles.h"
#include "query/coverage.h"
#include "schema/table.h"

namespace candlewick::stream {

// "exchange", "symbol", "exchange_symbol", "market".
void append_names(json::Members& members, const Instrument& instrument);

// A candle's market numbers are the same in memory and as stored; `ingested_at` is null in memory.
void append_candle(std::string& out, const query::Candle& candle);
void append_candle(std::string& out, const Candle& candle);

// One object, the table's columns in their order.
void append_columns(std::string& out, const schema::Row& row);

// {"last":…,"open_24h":…}: members that the venue has not sent are null.
void append_ticker(std::string& out, const Ticker& ticker);
void append_quote(std::string& out, const Quote& quote);
void append_book(std::string& out, const BookUpdate& book, std::size_t depth);
void append_trade(std::string& out, const Trade& trade);

// As /v1/tickers has them: names, the newest price, times, and the ticker or null.
void append_ticker_row(std::string& out, const pipeline::Latest& latest, Time now);
// As /v1/orderbook has it; there must be a ladder.
void append_ladder_page(std::string& out, const Instrument& instrument, const BookUpdate& book,
                        std::size_t depth, Time now);
// As /v1/coverage has it. A number that a double does not hold may be wanted as text.
enum class SequenceForm : unsigned char { number, text_if_long };
void append_span(std::string& out, const query::CoverageSpan& span,
                 SequenceForm form = SequenceForm::number);

// As a number while every double holds it, else as text.
void append_sequence(std::string& out, std::uint64_t sequence);

// "received_time", "exchange_time", "age_ms" (since it was received; null when that is not known).
void append_times(json::Members& members, const std::optional<Time>& received_time,
                  const std::optional<Time>& exchange_time, Time now);
// The value of "age_ms" alone.
void append_age(std::string& out, const std::optional<Time>& received_time, Time now);

// The newest price known, whichever kind of event told it.
std::optional<Decimal> last_price(const pipeline::Latest& latest);
// The ladder is what the venue's book is now.
bool has_live_ladder(const pipeline::Latest& latest);
// Anything at all.
bool has_data(const pipeline::Latest& latest);

}  // namespace candlewick::stream
