// What comes through the intake, one by one, and what the warehouse adds to it.
#include <algorithm>
#include <utility>

#include "stream/hub_stream.h"
#include "stream/json_form.h"

namespace candlewick::stream {

Intake::Recent<Candle> Hub::told_candles(const StreamKey& key) {
  auto recent = parts_.intake.recent_candles(key.slot, key.timeframe);
  const std::uint64_t untold = recent.number - stream_of(key).number;
  recent.events.resize(recent.events.size() - std::min<std::size_t>(recent.events.size(), untold));
  recent.number -= untold;
  return recent;
}

void Hub::note_loss(Stream& stream, std::uint64_t until) {
  if (until <= stream.number) return;
  const std::uint64_t count = until - stream.number;
  stream.number = until;
  if (stream.key.channel == Channel::coverage) stream.spans.reset();
  tell(stream, dropped_message(stream.head, stream.sequence + 1, stream.sequence + count));
}

void Hub::take(const Intake::Item& item) {
  const auto found = streams_.find(item.key);
  if (found == streams_.end() || !found->second->is_active) return;
  Stream& stream = *found->second;
  if (item.number <= stream.number) return;  // from before somebody listened
  note_loss(stream, item.number - 1);
  stream.number = item.number;
  if (const auto* candle = std::get_if<Candle>(&item.value)) {
    take_candle(stream, *candle);
  } else if (const auto* trade = std::get_if<Trade>(&item.value)) {
    stream.newest = text_of(*trade, append_trade);
    tell_update(stream, stream.newest, false);
  } else if (const auto& row = std::get<SharedRow>(item.value);
             stream.key.channel == Channel::coverage) {
    take_assertion(stream, *row);
  } else {
    take_row(stream, *row);
  }
}

// A corrected row of an earlier instant is told, but is not the newest one.
void Hub::take_row(Stream& stream, const schema::Row& row) {
  const std::string text = text_of(row, append_columns);
  const auto instant = instant_of(row);
  if (!stream.newest_instant || instant >= stream.newest_instant) {
    stream.newest_instant = instant;
    stream.newest = text;
  }
  tell_update(stream, text, false);
}

void Hub::take_candle(Stream& stream, const Candle& candle) {
  const std::string text =
      text_of(candle, [](std::string& out, const Candle& value) { append_candle(out, value); });
  if (!stream.closed_open || candle.open_time >= *stream.closed_open) {
    stream.closed_open = candle.open_time;
    stream.closed = text;
  }
  if (stream.forming && stream.forming->open_time <= *stream.closed_open) {
    stream.forming.reset();
    stream.forming_text.clear();
  }
  Message message = update_message(stream.head, stream.sequence + 1, text);
  message.candle = {.open_time = candle.open_time, .revision = candle.revision, .is_closed = true};
  tell(stream, message);
}

void Hub::take_assertion(Stream& stream, const schema::Row& row) {
  const query::CoverageSpan span = CoverageSpans::span_of(row);
  if (stream.spans) stream.spans->add(span);
  std::string text;
  append_span(text, span, SequenceForm::text_if_long);
  tell_update(stream, text, false);
}

// What did not fit into the queue is announced even if nothing follows it.
void Hub::look_for_losses() {
  const std::uint64_t lost = parts_.intake.lost();
  if (lost == lost_) return;
  lost_ = lost;
  for (auto* stream : active_) {
    if (is_queued(stream->key.channel) || stream->key.channel == Channel::candle)
      note_loss(*stream, parts_.intake.number(stream->key));
  }
}

void Hub::ask_coverage(Stream& stream) {
  if (stream.spans || stream.is_asking || stream.waiting.empty()) return;
  if (parts_.clock.steady() < stream.ask_at) return;
  stream.is_asking = true;
  stream.ask_at = parts_.clock.steady() + options_.coverage_retry;
  parts_.ask_coverage(instrument(stream.key.slot), [this, &stream, alive = alive_](Spans spans) {
    if (*alive) take_coverage(stream, std::move(spans));
  });
}

// The warehouse lags behind: the assertions that it cannot have yet are laid over what it has.
void Hub::take_coverage(Stream& stream, Spans spans) {
  stream.is_asking = false;
  if (!spans || !stream.is_active || stream.spans) return;
  std::int64_t newest = 0;
  for (const auto& span : *spans) newest = std::max(newest, span.seq);
  auto recent = parts_.intake.recent_assertions(stream.key.slot);
  // Those behind the last one that has a number come as updates.
  const std::uint64_t untold = recent.number - stream.number;
  recent.events.resize(recent.events.size() - std::min<std::size_t>(recent.events.size(), untold));
  CoverageSpans known(*std::move(spans));
  for (std::size_t i = 0; i < recent.events.size(); ++i) {
    const query::CoverageSpan span = CoverageSpans::span_of(*recent.events[i]);
    // Between the warehouse's newest and the oldest kept here some may be missing: asked again.
    if (i == 0 && !recent.is_all && span.seq > newest) return;
    if (span.seq > newest) known.add(span);
  }
  stream.spans = std::move(known);
  const Message message = snapshot(stream);
  for (auto* listener : std::exchange(stream.waiting, {})) {
    stream.listeners.push_back(listener);
    listener->on_message(stream.key, message);
  }
}

}  // namespace candlewick::stream
