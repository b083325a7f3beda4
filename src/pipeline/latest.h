// The newest values of every instrument, for readers on other threads: the ingest thread writes
// what an event changed under a lock held for a copy; nobody waits for a disk or a socket.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "market/event.h"
#include "schema/table.h"

namespace candlewick::pipeline {

struct Latest {
  const Instrument* instrument = nullptr;
  std::optional<Ticker> ticker;
  std::optional<Quote> quote;
  std::optional<BookUpdate> ladder;  // the best levels, best first
  // Set while `ladder` is not what the venue's book is now, since then: a new snapshot is on its
  // way, or the connection is down. Never show such a ladder as a live one.
  std::optional<Time> ladder_stale_since;
  std::optional<Trade> trade;
  std::map<Timeframe, Candle> forming;
  std::map<Timeframe, Candle> closed;
  std::optional<schema::Row> tick;        // newest market snapshot
  std::optional<schema::Row> indicators;  // with it
  bool is_stale = false;                  // from before a restart; nothing newer has come yet
  std::optional<Time> received_time;      // of the newest event
  std::optional<Time> exchange_time;
};

// Slots are made before readers start and live as long as the board.
class LatestBoard {
 public:
  using Slot = Guarded<Latest>;

  Slot& add(const Instrument& instrument) {
    auto& slot = slots_.emplace_back(std::make_unique<Slot>());
    slot->with([&](Latest& latest) { latest.instrument = &instrument; });
    instruments_.push_back(&instrument);
    return *slot;
  }
  // In the order added: the venues' configured order.
  const std::vector<const Instrument*>& instruments() const { return instruments_; }
  Latest read(std::size_t index) const {
    return slots_[index]->with([](const Latest& latest) { return latest; });
  }

 private:
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<const Instrument*> instruments_;
};

}  // namespace candlewick::pipeline
