// The words of the coverage ledger. An assertion says what is known about a span of one stream from
// a moment on; later ones win, none is ever changed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "market/event.h"
#include "schema/table.h"

namespace candlewick::pipeline {

// Opens (or moments) from `from` to `to`, exclusive.
struct Span {
  Time from;
  Time to;
  friend bool operator==(const Span&, const Span&) = default;
};

enum class CoverageState : unsigned char {
  unknown,          // nothing was asserted yet; never written
  live,             // it came by the stream
  backfilled,       // it was fetched afterwards
  confirmed_empty,  // the venue has nothing there, and that is proven
  missing,          // it is not here; fetching it may still succeed
  unrecoverable,    // it is not here and can be had nowhere any more
  halted,           // the venue had suspended the instrument
  not_listed,       // the instrument was not listed then
};
// Nothing more can come for the period, with or without a candle.
constexpr bool is_settled(CoverageState state) {
  return state != CoverageState::unknown && state != CoverageState::missing;
}
std::string_view to_text(CoverageState state);
std::optional<CoverageState> parse_coverage_state(std::string_view text);

// Why a span is not live.
namespace cause {
inline constexpr std::string_view disconnect = "disconnect";
inline constexpr std::string_view silence = "silence";
inline constexpr std::string_view frame_lost = "frame_lost";  // connected, yet it did not come
inline constexpr std::string_view sequence_gap = "sequence_gap";
inline constexpr std::string_view process_down = "process_down";
inline constexpr std::string_view ingest_paused = "ingest_paused";  // the log had no room
inline constexpr std::string_view before_start = "before_start";  // history, or backfilled by hand
inline constexpr std::string_view exchange_outage = "exchange_outage";
inline constexpr std::string_view no_trades = "no_trades";
inline constexpr std::string_view out_of_reach = "out_of_reach";  // older than the venue serves
inline constexpr std::string_view listing = "listing";            // its listing says so
}  // namespace cause
// The one of these that says so; empty for another text.
std::string_view known_cause(std::string_view text);

struct Assertion {
  const Instrument* instrument = nullptr;
  Timeframe timeframe = Timeframe::m1;
  Stream stream = Stream::candles;
  Span span;
  CoverageState state = CoverageState::missing;
  std::string_view cause;  // empty: none
  std::string evidence;    // what was answered, and when; empty: none
};

// Sequences only ever grow, over restarts and between processes: they are nanoseconds of the
// recording time, pushed on when two would be equal.
class CoverageSequence {
 public:
  std::int64_t next(Time recorded_at);
  // Seen in the ledger already.
  void seen(std::int64_t sequence);

 private:
  std::int64_t last_ = 0;
};

schema::Row coverage_row(const Assertion& assertion, Time recorded_at, CoverageSequence& sequence);

}  // namespace candlewick::pipeline
