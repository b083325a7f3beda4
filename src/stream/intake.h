// The door through which the ingest thread tells what happens. It never waits: what somebody
// listens to goes into a bounded queue, and each event has its number, so that whoever empties the
// queue sees what did not fit. Of what nobody listens to only the newest is kept, and its number.
//
// Quotes, tickers, books and forming candles do not pass here: the board has their newest values.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/guarded.h"
#include "base/queue.h"
#include "market/event.h"
#include "pipeline/latest.h"
#include "schema/table.h"
#include "stream/channel.h"

namespace candlewick::stream {

using SharedRow = std::shared_ptr<const schema::Row>;

class Intake {
 public:
  struct Limits {
    std::size_t waiting = 16'384;         // events in the queue; about 400 bytes each
    std::size_t recent_candles = 128;     // closed ones kept a series, listened to or not
    std::size_t recent_assertions = 512;  // of coverage, an instrument
  };
  struct Item {
    StreamKey key;
    std::uint64_t number =
        0;  // of the events of that stream, from 1 on; of candles the closed ones
    std::variant<Trade, Candle, SharedRow> value;
  };

  // A slot that no board has: of an instrument beside those of the board.
  static constexpr std::size_t extra_slot = static_cast<std::size_t>(-1);

  // What the board knows from before a restart is where snapshots begin. It may grow later; it
  // outlives this.
  Intake(const pipeline::LatestBoard& board, Limits limits);
  explicit Intake(const pipeline::LatestBoard& board) : Intake(board, Limits()) {}
  // The one beside those of the board.
  void add(const Instrument& instrument);

  // From the ingest thread.
  void on_event(const Event& event);
  void on_row(const schema::Row& row);

  // From the thread of the hub, from here on. Called (on the ingest thread) when something waits,
  // once until the next take(); an empty one ends it, and is not called any more when this returns.
  void on_waiting(std::function<void()> wake);
  std::vector<Item> take(std::size_t most = static_cast<std::size_t>(-1));
  bool is_empty() const { return queue_.size() == 0; }
  // Events that were queued, ever.
  std::uint64_t queued() const { return queued_.load(); }

  // From now on its events are queued; those with numbers up to the one returned never come.
  struct Newest {
    std::uint64_t number = 0;
    std::optional<Trade> trade{};
    std::optional<Candle> candle{};  // closed
    SharedRow row{};
  };
  Newest watch(const StreamKey& key);
  void unwatch(const StreamKey& key);
  std::uint64_t number(const StreamKey& key) const;
  // Events that did not fit into the queue, ever.
  std::uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

  // The newest ones, oldest first; the last one has that number. `is_all`: since the start.
  template <class T>
  struct Recent {
    std::vector<T> events;
    std::uint64_t number = 0;
    bool is_all = true;
  };
  Recent<Candle> recent_candles(std::size_t slot, Timeframe timeframe) const;
  Recent<SharedRow> recent_assertions(std::size_t slot) const;

 private:
  struct Counted {
    std::uint64_t number = 0;
    bool is_watched = false;
  };
  struct Series {
    Counted counted;
    std::optional<Candle> newest;
    std::deque<Candle> recent;
  };
  struct State {
    std::map<Channel, Counted> counted;
    std::optional<Trade> trade;
    SharedRow tick;
    SharedRow indicators;
    std::map<Timeframe, Series> candles;
    std::deque<SharedRow> assertions;

    Counted& of(const StreamKey& key) {
      return key.channel == Channel::candle ? candles[key.timeframe].counted : counted[key.channel];
    }
  };
  using Slot = Guarded<State>;

  // Who is where: read anew when the board has changed.
  struct Index {
    std::uint64_t version = 0;
    bool is_made = false;
    std::unordered_map<const Instrument*, std::size_t> by_instrument;
    std::map<std::pair<std::string, std::string>, std::size_t> by_name;
    const Instrument* extra = nullptr;
  };

  Slot& at(std::size_t slot) const;
  template <class F>
  std::optional<std::size_t> look_up(F&& find);
  void offer(Counted& counted, const StreamKey& key, std::variant<Trade, Candle, SharedRow> value);

  const pipeline::LatestBoard& board_;
  Limits limits_;
  // By the board's slots; the extra one apart. Never freed.
  mutable Guarded<std::vector<std::unique_ptr<Slot>>> slots_;
  mutable Slot extra_;
  Guarded<Index> index_;
  BoundedQueue<Item> queue_;
  std::atomic<std::uint64_t> lost_{0};
  std::atomic<std::uint64_t> queued_{0};
  std::atomic<bool> is_told_{false};
  Guarded<std::function<void()>> wake_;
};

}  // namespace candlewick::stream
