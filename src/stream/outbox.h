// What one client has not taken yet, in order. Over the limit older paced events give way to newer
// ones, then the oldest go that are not the newest of their stream, then those. What went is
// announced before the next event of its stream, or when nothing else waits. Snapshots and replies
// never go: a client has one snapshot a stream, and Client limits replies.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "stream/channel.h"
#include "stream/message.h"

namespace candlewick::stream {

class Outbox {
 public:
  struct Limits {
    std::size_t events = 1000;
    std::size_t bytes = 4U << 20U;  // of their texts
  };
  explicit Outbox(Limits limits) : limits_(limits) {}

  // `head`: for announcements; it outlives the outbox.
  void add(const StreamKey& key, const std::string& head);
  // What waits of that stream goes with it.
  void remove(const StreamKey& key);
  bool has(const StreamKey& key) const { return streams_.contains(key); }

  // Of a stream that was added.
  void push(const StreamKey& key, const Message& message);
  void reply(std::string text);

  bool is_empty() const { return waiting_.empty() && tails_.empty(); }
  // The oldest, or the announcement that belongs before it. Null: nothing waits.
  Text next();

  std::size_t events() const { return events_; }
  std::size_t replies() const { return replies_; }
  std::uint64_t dropped() const { return dropped_; }

 private:
  struct Stream {
    const std::string* head;
    std::deque<std::uint64_t> places;  // of its events in `waiting_`, but for the snapshot
    // What came last went, with these numbers; 0: it did not.
    std::uint64_t dropped_since = 0;
    std::uint64_t dropped_last = 0;
  };
  struct Waiting {
    std::optional<StreamKey> key;  // null: a reply
    Message message;
    // From there on all before this event went; 0: nothing did.
    std::uint64_t dropped_since = 0;
  };
  using Place = std::map<std::uint64_t, Waiting>::iterator;

  void make_room(const StreamKey& key, std::size_t bytes);
  Place victim(const Stream& preferred);
  bool is_newest(std::uint64_t place) const;
  void drop(Place place);
  void take_out(Place place);

  Limits limits_;
  std::map<std::uint64_t, Waiting> waiting_;  // by order of coming
  std::set<std::uint64_t> paced_;             // those that may go first
  std::map<StreamKey, Stream> streams_;
  std::set<StreamKey> tails_;  // streams whose newest events went
  std::uint64_t next_place_ = 0;
  std::size_t events_ = 0;
  std::size_t bytes_ = 0;
  std::size_t replies_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace candlewick::stream
