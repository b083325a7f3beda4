// The newest events of one stream, for clients that come back: a limited number, and of a limited
// size.
#pragma once

#include <cstdint>
#include <deque>

#include "stream/message.h"

namespace candlewick::stream {

class KeptEvents {
 public:
  // Numbers follow one another without a hole.
  void push(const Message& message) {
    events_.push_back(message);
    bytes_ += size_of(message);
  }
  void trim(std::size_t most_events, std::size_t most_bytes) {
    while (!events_.empty() && (events_.size() > most_events || bytes_ > most_bytes)) {
      bytes_ -= size_of(events_.front());
      events_.pop_front();
    }
  }
  void clear() {
    events_.clear();
    bytes_ = 0;
  }
  // All that follow that number are here; `newest` is the stream's.
  bool reaches_back_to(std::uint64_t number, std::uint64_t newest) const {
    if (number >= newest) return number == newest;
    return !events_.empty() && events_.front().first <= number + 1;
  }
  template <class F>
  void each_after(std::uint64_t number, F&& visit) const {
    for (const auto& event : events_) {
      if (event.last > number) visit(event);
    }
  }
  std::size_t size() const { return events_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  static std::size_t size_of(const Message& message) {
    return sizeof(Message) + message.text->capacity();
  }

  std::deque<Message> events_;
  std::size_t bytes_ = 0;
};

}  // namespace candlewick::stream
