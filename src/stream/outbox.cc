// What goes leaves its number with the event behind it, which announces it.
#include "stream/outbox.h"

#include <algorithm>

namespace candlewick::stream {

void Outbox::add(const StreamKey& key, const std::string& head) {
  streams_.try_emplace(key, Stream{.head = &head, .places = {}});
}

void Outbox::remove(const StreamKey& key) {
  if (streams_.erase(key) == 0) return;
  tails_.erase(key);
  for (auto place = waiting_.begin(); place != waiting_.end();) {
    const auto next = std::next(place);
    if (place->second.key == key) take_out(place);
    place = next;
  }
}

// Out of `waiting_` and the sums; the stream's own list is the caller's.
void Outbox::take_out(Place place) {
  const Waiting& waiting = place->second;
  if (!waiting.key) {
    --replies_;
  } else if (waiting.message.kind != MessageKind::snapshot) {
    --events_;
    bytes_ -= waiting.message.text->size();
    paced_.erase(place->first);
  }
  waiting_.erase(place);
}

void Outbox::drop(Place place) {
  const Waiting& waiting = place->second;
  Stream& stream = streams_.at(*waiting.key);
  dropped_ += waiting.message.last - waiting.message.first + 1;
  const std::uint64_t since =
      waiting.dropped_since != 0 ? waiting.dropped_since : waiting.message.first;
  const auto listed = std::ranges::lower_bound(stream.places, place->first);
  const auto behind = std::next(listed);
  if (behind == stream.places.end()) {
    stream.dropped_since = since;
    stream.dropped_last = waiting.message.last;
    tails_.insert(*waiting.key);
  } else {
    waiting_.at(*behind).dropped_since = since;
  }
  stream.places.erase(listed);
  take_out(place);
}

bool Outbox::is_newest(std::uint64_t place) const {
  return streams_.at(*waiting_.at(place).key).places.back() == place;
}

Outbox::Place Outbox::victim(const Stream& preferred) {
  const auto own = std::ranges::find_if(
      preferred.places, [this](std::uint64_t place) { return paced_.contains(place); });
  if (own != preferred.places.end()) return waiting_.find(*own);
  const auto paced =
      std::ranges::find_if_not(paced_, [this](std::uint64_t place) { return is_newest(place); });
  if (paced != paced_.end()) return waiting_.find(*paced);
  const auto is_event = [](const auto& entry) {
    return entry.second.key && entry.second.message.kind != MessageKind::snapshot;
  };
  const auto older = std::ranges::find_if(
      waiting_, [&](const auto& entry) { return is_event(entry) && !is_newest(entry.first); });
  return older != waiting_.end() ? older : std::ranges::find_if(waiting_, is_event);
}

void Outbox::make_room(const StreamKey& key, std::size_t bytes) {
  while (events_ > 0 && (events_ >= limits_.events || bytes_ + bytes > limits_.bytes))
    drop(victim(streams_.at(key)));
}

void Outbox::push(const StreamKey& key, const Message& message) {
  const bool is_snapshot = message.kind == MessageKind::snapshot;
  if (!is_snapshot) make_room(key, message.text->size());
  const std::uint64_t place = next_place_++;
  Waiting& waiting = waiting_.emplace(place, Waiting{.key = key, .message = message}).first->second;
  if (is_snapshot) return;
  ++events_;
  bytes_ += message.text->size();
  if (message.is_paced) paced_.insert(place);
  Stream& stream = streams_.at(key);
  stream.places.push_back(place);
  waiting.dropped_since = std::exchange(stream.dropped_since, 0);
  tails_.erase(key);
}

void Outbox::reply(std::string text) {
  ++replies_;
  waiting_.emplace(
      next_place_++,
      Waiting{.key = std::nullopt,
              .message = {.text = std::make_shared<const std::string>(std::move(text))}});
}

Text Outbox::next() {
  if (waiting_.empty() && tails_.empty()) return nullptr;
  if (waiting_.empty()) {
    Stream& stream = streams_.at(*tails_.begin());
    tails_.erase(tails_.begin());
    return dropped_message(*stream.head, std::exchange(stream.dropped_since, 0),
                           stream.dropped_last)
        .text;
  }
  const auto place = waiting_.begin();
  Waiting& waiting = place->second;
  if (!waiting.key) {
    Text text = waiting.message.text;
    take_out(place);
    return text;
  }
  Stream& stream = streams_.at(*waiting.key);
  if (const auto since = std::exchange(waiting.dropped_since, 0); since != 0)
    return dropped_message(*stream.head, since, waiting.message.first - 1).text;
  if (!stream.places.empty() && stream.places.front() == place->first) stream.places.pop_front();
  Text text = waiting.message.text;
  take_out(place);
  return text;
}

}  // namespace candlewick::stream
