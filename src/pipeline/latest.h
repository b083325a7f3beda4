// The newest values of every instrument, for readers on other threads: the ingest thread writes
// what an event changed under a lock held for a copy; nobody waits for a disk or a socket.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
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
  std::optional<Derivative> derivative;  // the newest of each figure
  std::map<Timeframe, Candle> forming;
  std::map<Timeframe, Candle> closed;
  std::optional<schema::Row> tick;        // newest market snapshot
  std::optional<schema::Row> indicators;  // with it
  bool is_stale = false;                  // from before a restart; nothing newer has come yet
  std::optional<Time> received_time;      // of the newest event
  std::optional<Time> exchange_time;
};

// A slot stays where it is as long as the board lives; one whose instrument is not followed any
// more is left out until it is again.
class LatestBoard {
 public:
  // One instrument's place. Whoever may have changed its values leaves another version behind, so
  // that what was made of them is known to be still true.
  class Slot {
   public:
    template <class F>
    auto with(F&& function) {
      return held_.with([&](Held& held) {
        ++held.version;
        return std::forward<F>(function)(held.latest);
      });
    }
    template <class F>
    auto with(F&& function) const {
      return held_.with([&](const Held& held) { return std::forward<F>(function)(held.latest); });
    }
    std::uint64_t version() const {
      return held_.with([](const Held& held) { return held.version; });
    }

   private:
    struct Held {
      Latest latest;
      std::uint64_t version = 0;
    };
    Guarded<Held> held_;
  };
  struct Entry {
    const Instrument* instrument = nullptr;
    std::size_t slot = 0;
  };

  // Empty, also where the instrument had one before, by whatever pointer.
  Slot& add(const Instrument& instrument) {
    const std::size_t index = slots_.with([&](auto& slots) {
      auto found = std::ranges::find_if(slots, [&](const Place& place) {
        return place.instrument == &instrument ||
               (!place.is_followed && place.instrument->exchange == instrument.exchange &&
                place.instrument->symbol == instrument.symbol);
      });
      if (found == slots.end())
        found = slots.insert(slots.end(), {&instrument, std::make_unique<Slot>(), false});
      return static_cast<std::size_t>(found - slots.begin());
    });
    Slot& slot = *slots_.with([&](const auto& slots) { return slots[index].slot.get(); });
    // Nobody sees it followed before it says of what it is. One lock at a time: readers may ask the
    // board while they look at a slot.
    slot.with([&](Latest& latest) {
      latest = {};
      latest.instrument = &instrument;
    });
    slots_.with([&](auto& slots) {
      slots[index].instrument = &instrument;
      slots[index].is_followed = true;
    });
    ++version_;
    return slot;
  }
  void retire(const Instrument& instrument) {
    slots_.with([&](auto& slots) {
      for (auto& place : slots) {
        if (place.instrument == &instrument) place.is_followed = false;
      }
    });
    ++version_;
  }
  // Where a copy of everything would be too much; what is returned must not refer into it.
  template <class F>
  auto look(std::size_t index, F&& function) const {
    const Slot* slot = slots_.with([&](const auto& slots) { return slots[index].slot.get(); });
    return slot->with(std::forward<F>(function));
  }
  // Those that are followed, in the order added: the venues' configured order.
  std::vector<Entry> entries() const {
    return slots_.with([](const auto& slots) {
      std::vector<Entry> entries;
      for (std::size_t i = 0; i < slots.size(); ++i) {
        if (slots[i].is_followed) entries.push_back({slots[i].instrument, i});
      }
      return entries;
    });
  }
  std::vector<const Instrument*> instruments() const {
    std::vector<const Instrument*> instruments;
    for (const auto& entry : entries()) instruments.push_back(entry.instrument);
    return instruments;
  }
  const Instrument& instrument(std::size_t slot) const {
    return *slots_.with([&](const auto& slots) { return slots[slot].instrument; });
  }
  Latest read(std::size_t slot) const {
    const Slot* found = slots_.with([&](const auto& slots) { return slots[slot].slot.get(); });
    return found->with([](const Latest& latest) { return latest; });
  }
  std::uint64_t version_of(std::size_t slot) const {
    return slots_.with([&](const auto& slots) { return slots[slot].slot.get(); })->version();
  }
  // Another one after each change of what is followed.
  std::uint64_t version() const { return version_; }

 private:
  struct Place {
    const Instrument* instrument;
    std::unique_ptr<Slot> slot;
    bool is_followed;
  };
  Guarded<std::vector<Place>> slots_;
  std::atomic<std::uint64_t> version_ = 0;
};

}  // namespace candlewick::pipeline
