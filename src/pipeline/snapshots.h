// The market snapshots of one instrument: a tick and its indicators for every scheduled instant,
// each written once, in order, none left out.
//
// What is live (prices, ladder) is frozen when the venue's clock passes the instant; the rows are
// written once the candle that ended there is settled, or after a grace without it. An instant that
// passed while nobody listened has its row as well: all that candles can tell is in it, the ladder
// is null.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "indicator/series.h"
#include "pipeline/candle_series.h"
#include "pipeline/latest.h"
#include "pipeline/output.h"
#include "pipeline/rows.h"

namespace candlewick::pipeline {

struct SnapshotOptions {
  Duration interval = std::chrono::seconds{60};
  Duration grace = std::chrono::seconds{10};  // after an instant passed, for its candle
  std::size_t ladder_levels = 20;
  std::size_t correction_horizon = 1440;  // bars; how far back indicator rows follow a correction
  // How far back instants are written after a pause: as far as indicators still reach.
  Duration made_up_for = std::chrono::hours{23};
};

class Snapshots {
 public:
  // What was live at an instant.
  struct Live {
    std::optional<Decimal> last_price;
    std::vector<Level> bids;  // best first; both empty: unknown
    std::vector<Level> asks;
    std::optional<Decimal> market_cap;  // in US dollars
    std::optional<Decimal> circulating_supply;
  };

  Snapshots(const Instrument& instrument, SnapshotOptions options, LatestBoard::Slot& slot,
            PipelineOutput& output);

  // From before a restart: the newest tick (without one, since when ticks are due), and the
  // indicator rows that corrections may still change, oldest first; `series` holds the bars they
  // were made from.
  void remember(const std::optional<schema::Row>& tick, std::optional<Time> followed_since,
                const std::vector<schema::Row>& indicators, const indicator::Series& series);
  // The venue's clock is known: instants since the remembered tick are to be made up for.
  void resume(Time now);
  void freeze(Time instant, Live live, Time now);

  // What a row is made of.
  struct Sources {
    const CandleSeries& minutes;
    const indicator::Series& indicators;
    Time now;  // venue time
    std::optional<Time> stamp;
    bool is_history_complete = true;
    bool is_the_end = false;  // of a replay: nothing more will come
  };
  void write(const Sources& sources);
  // Rows whose indicators a correction (or a filled hole) changed are written again, one revision
  // up.
  void revise(const indicator::Applied& applied, const indicator::Series& series,
              std::optional<Time> stamp);

 private:
  struct Frozen {
    Time instant;
    Time frozen_at;
    Live live;
  };
  // An indicator row that was written, for revisions of it.
  struct Emitted {
    Time instant;
    Time open_time;
    std::int64_t revision;
    std::size_t digest;  // of its values
  };

  void write_one(const Frozen& frozen, const Candle* candle, bool is_settled,
                 const Sources& sources);
  std::size_t digest_of(const indicator::Values& values) const;

  const Instrument* instrument_;
  SnapshotOptions options_;
  LatestBoard::Slot* slot_;
  PipelineOutput* output_;
  std::deque<Frozen> waiting_;
  std::deque<Emitted> emitted_;
  std::optional<Time> newest_instant_;  // written or waiting
};

}  // namespace candlewick::pipeline
