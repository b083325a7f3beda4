// Candles as JSON carry their exact digits as numbers, like every other row and event.
#include "pipeline/verification.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/check.h"
#include "base/json_text.h"
#include "pipeline/candle_reply.h"

namespace candlewick::pipeline {
namespace {

using schema::Json;
using schema::Null;
using schema::Value;

constexpr std::array<std::string_view, 3> against_names{"rest", "trades", "book"};
constexpr std::array<std::string_view, 3> action_names{"revised", "backfilled", "recorded"};

Value candle_json(const std::optional<Candle>& candle) {
  if (!candle) return Null{};
  Json json;
  json::Members members(json.text);
  members("open", candle->open)("high", candle->high)("low", candle->low)("close", candle->close)(
      "volume", candle->volume);
  members.nullable("quote_volume", candle->quote_volume)
      .nullable("trade_count", candle->trade_count)
      .nullable("taker_buy_volume", candle->taker_buy_volume)
      .nullable("taker_buy_quote_volume", candle->taker_buy_quote_volume);
  members("source", to_text(candle->source))("revision", candle->revision).close();
  return json;
}

Value columns_of(const Mismatch& mismatch) {
  if (!mismatch.stored || !mismatch.found) return Null{};
  std::string columns;
  for (const auto column : differing_columns(*mismatch.stored, *mismatch.found)) {
    if (!columns.empty()) columns += ',';
    columns += column;
  }
  return columns;
}

}  // namespace

std::string_view to_text(Against against) {
  return against_names[static_cast<std::size_t>(against)];
}

std::optional<Against> parse_against(std::string_view text) {
  const auto* found = std::ranges::find(against_names, text);
  if (found == against_names.end()) return std::nullopt;
  return static_cast<Against>(found - against_names.begin());
}

std::string_view to_text(MismatchAction action) {
  return action_names[static_cast<std::size_t>(action)];
}

schema::Row verification_row(const Comparison& comparison, Time recorded_at,
                             std::int64_t sequence) {
  return {&schema::verification,
          {comparison.instrument->exchange, comparison.instrument->symbol,
           std::string(to_text(comparison.timeframe)), std::string(to_text(comparison.against)),
           comparison.span.from, comparison.span.to, comparison.checked, comparison.equal,
           comparison.different, comparison.absent, recorded_at, sequence}};
}

schema::Row mismatch_row(const Mismatch& mismatch, Time recorded_at) {
  check(mismatch.stored || mismatch.found, "a mismatch has at least one side");
  const Candle& known = mismatch.stored ? *mismatch.stored : *mismatch.found;
  const Instrument& instrument = *known.origin.instrument;
  return {&schema::verification_mismatch,
          {instrument.exchange, instrument.symbol, std::string(to_text(known.timeframe)),
           known.open_time, std::string(to_text(mismatch.against)), columns_of(mismatch),
           candle_json(mismatch.stored), candle_json(mismatch.found),
           std::string(to_text(mismatch.action)), recorded_at}};
}

}  // namespace candlewick::pipeline
