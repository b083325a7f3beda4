// Numbers are given in tell() and nowhere else.
#include "stream/hub.h"

#include <fmt/format.h>

#include <algorithm>

#include "stream/hub_stream.h"
#include "stream/json_form.h"

namespace candlewick::stream {

using namespace std::chrono_literals;

namespace {

// How often the board is looked at while somebody listens to what is paced.
constexpr Duration look_interval = 25ms;
constexpr Duration idle_interval = 250ms;
// Queued events that are told in one go; fewer than a client's queue holds.
constexpr std::size_t most_at_once = 256;
// However many streams there are, each keeps so much.
constexpr std::size_t least_room = 16U << 10U;

std::string list_of(const std::vector<Timeframe>& timeframes) {
  std::string out;
  for (const auto timeframe : timeframes) {
    if (!out.empty()) out += ", ";
    out += to_text(timeframe);
  }
  return out;
}

}  // namespace

Hub::Hub(Parts parts, HubOptions options)
    : parts_(std::move(parts)),
      options_(std::move(options)),
      test_(parts_.intake, options_.timeframes) {
  test_.advance(parts_.clock.now());
}

Hub::~Hub() {
  *alive_ = false;
}

const Instrument& Hub::instrument(std::size_t slot) const {
  return is_test(slot) ? test_.instrument() : parts_.board.instrument(slot);
}

std::string Hub::name(const StreamKey& key) const {
  return name_of(instrument(key.slot), key.channel, key.timeframe);
}

const std::string& Hub::head(const StreamKey& key) {
  return stream_of(key).head;
}

std::optional<std::size_t> Hub::find_slot(std::string_view symbol,
                                          std::string_view exchange) const {
  const Instrument& test = test_.instrument();
  if (exchange == test.exchange) {
    if (folded_symbol(symbol) != folded_symbol(test.symbol)) return std::nullopt;
    return Intake::extra_slot;
  }
  return parts_.directory.find(symbol, exchange);
}

std::optional<Refusal> Hub::find(std::string_view name, StreamKey& key) const {
  const auto refuse = [&](std::string_view code, std::string message) {
    return Refusal{.code = code, .message = std::move(message), .param = std::string(name)};
  };
  const std::size_t at = name.rfind('@');
  std::size_t colon = name.find(':');
  if (at == std::string_view::npos || colon == std::string_view::npos || colon > at) {
    return refuse("unknown_stream", "a stream is EXCHANGE:SYMBOL@CHANNEL");
  }
  const auto is_known = [&](std::string_view exchange) {
    return exchange == test_.instrument().exchange || parts_.directory.has_exchange(exchange);
  };
  // Names of exchanges may hold a colon themselves.
  const std::size_t second = name.find(':', colon + 1);
  if (!is_known(name.substr(0, colon)) && second < at && is_known(name.substr(0, second)))
    colon = second;
  const std::string_view exchange = name.substr(0, colon);
  const std::string_view symbol = name.substr(colon + 1, at - colon - 1);
  if (!is_known(exchange)) {
    return refuse("unknown_exchange",
                  fmt::format("\"{}\" is not an exchange of this service", exchange.substr(0, 64)));
  }
  const auto slot = find_slot(symbol, exchange);
  if (!slot) {
    std::string near;
    for (const auto& match : parts_.directory.near(symbol.substr(0, 64))) {
      near += near.empty() ? "; near: " : ", ";
      near += match;
    }
    return refuse("unknown_symbol", fmt::format("\"{}\" is not followed on {}{}",
                                                symbol.substr(0, 64), exchange, near));
  }
  const auto channel = parse_channel(name.substr(at + 1));
  if (!channel || (is_test(*slot) && channel->channel == Channel::coverage)) {
    return refuse("unknown_channel",
                  "the channels are candle_<timeframe>, ticker, quote, trade, book, tick, "
                  "indicators and coverage (of the test instrument all but coverage)");
  }
  key = {.slot = *slot, .channel = channel->channel, .timeframe = Timeframe::m1};
  if (channel->channel != Channel::candle) return std::nullopt;
  const auto timeframe = parse_timeframe(channel->timeframe);
  if (!timeframe ||
      std::ranges::find(options_.timeframes, *timeframe) == options_.timeframes.end()) {
    return refuse("unknown_timeframe",
                  fmt::format("candles are streamed of {}", list_of(options_.timeframes)));
  }
  key.timeframe = *timeframe;
  return std::nullopt;
}

Hub::Stream& Hub::stream_of(const StreamKey& key) {
  auto& stream = streams_[key];
  if (stream == nullptr) {
    stream = std::make_unique<Stream>();
    stream->key = key;
    stream->head = head_of(name(key));
  }
  return *stream;
}

void Hub::share_room() {
  const std::size_t count = std::max<std::size_t>(active_.size(), 1);
  room_a_stream_ = std::max(least_room, options_.kept_bytes / count);
  for (auto* stream : active_) stream->kept.trim(options_.kept_events, room_a_stream_);
}

Hub::Stream& Hub::wake(const StreamKey& key) {
  Stream& stream = stream_of(key);
  if (stream.is_active) return stream;
  stream.is_active = true;
  const Channel channel = key.channel;
  const bool is_counted = is_queued(channel) || channel == Channel::candle;
  Intake::Newest newest;
  if (is_counted) newest = parts_.intake.watch(key);
  // While nobody listens the test instrument does not trade.
  const bool may_lack_uncounted = stream.was_active && (!is_queued(channel) || is_test(key.slot));
  stream.sequence += newest.number - stream.number + (may_lack_uncounted ? 1 : 0);
  stream.number = newest.number;
  stream.was_active = true;
  stream.newest = "null";
  if (newest.trade) stream.newest = text_of(*newest.trade, append_trade);
  stream.newest_instant.reset();
  if (newest.row) {
    stream.newest = text_of(*newest.row, append_columns);
    stream.newest_instant = instant_of(*newest.row);
  }
  stream.closed_open.reset();
  stream.closed.clear();
  if (newest.candle) {
    stream.closed_open = newest.candle->open_time;
    append_candle(stream.closed, *newest.candle);
  }
  stream.quote.reset();
  stream.book.reset();
  stream.ticker = {};
  stream.is_stale = false;
  stream.forming.reset();
  stream.forming_text.clear();
  stream.spans.reset();
  stream.ask_at = parts_.clock.steady();
  stream.left_at = parts_.clock.steady();
  active_.push_back(&stream);
  share_room();
  look(stream, false);
  return stream;
}

void Hub::sleep(Stream& stream) {
  if (is_queued(stream.key.channel) || stream.key.channel == Channel::candle)
    parts_.intake.unwatch(stream.key);
  stream.is_active = false;
  stream.kept.clear();
  stream.spans.reset();
  stream.stale_text.reset();
}

std::size_t Hub::kept_bytes() const {
  std::size_t bytes = 0;
  for (const auto* stream : active_) bytes += stream->kept.bytes();
  return bytes;
}

void Hub::tell(Stream& stream, const Message& message) {
  stream.sequence = message.last;
  stream.kept.push(message);
  stream.kept.trim(options_.kept_events, room_a_stream_);
  for (auto* listener : stream.listeners) listener->on_message(stream.key, message);
}

void Hub::tell_update(Stream& stream, std::string_view data, bool is_paced) {
  Message message = update_message(stream.head, stream.sequence + 1, data);
  message.is_paced = is_paced;
  tell(stream, message);
}

void Hub::tell_stale(Stream& stream, std::optional<Time> since, std::string_view reason) {
  const Message message = stale_message(stream.head, stream.sequence + 1, since, reason);
  stream.stale_text = message.text;
  tell(stream, message);
}

Message Hub::snapshot(Stream& stream) const {
  std::string data;
  if (stream.key.channel == Channel::coverage) {
    stream.spans->append(data);
  } else if (stream.key.channel == Channel::candle) {
    data = '[' + stream.closed;
    if (!stream.closed.empty() && !stream.forming_text.empty()) data += ',';
    data += stream.forming_text + ']';
  } else {
    data = stream.newest;
  }
  return snapshot_message(stream.head, stream.sequence, data);
}

void Hub::welcome(Stream& stream, Listener& listener, std::optional<std::uint64_t> after) {
  if (after && stream.kept.reaches_back_to(*after, stream.sequence)) {
    stream.listeners.push_back(&listener);
    stream.kept.each_after(
        *after, [&](const Message& message) { listener.on_message(stream.key, message); });
    return;
  }
  if (stream.key.channel == Channel::coverage && !stream.spans) {
    stream.waiting.push_back(&listener);
    return;
  }
  stream.listeners.push_back(&listener);
  listener.on_message(stream.key, snapshot(stream));
  if (!stream.is_stale || stream.stale_text == nullptr) return;
  listener.on_message(stream.key, {.kind = MessageKind::stale,
                                   .first = stream.sequence,
                                   .last = stream.sequence,
                                   .text = stream.stale_text});
}

void Hub::join(Listener& listener, const StreamKey& key, std::optional<std::uint64_t> after) {
  Stream& stream = wake(key);
  const auto is_in = [&](const std::vector<Listener*>& list) {
    return std::ranges::find(list, &listener) != list.end();
  };
  if (is_in(stream.listeners) || is_in(stream.waiting)) return;
  welcome(stream, listener, after);
}

void Hub::join_silently(Listener& listener, const StreamKey& key) {
  Stream& stream = wake(key);
  if (std::ranges::find(stream.listeners, &listener) == stream.listeners.end())
    stream.listeners.push_back(&listener);
}

void Hub::leave(Listener& listener, const StreamKey& key) {
  const auto found = streams_.find(key);
  if (found == streams_.end()) return;
  std::erase(found->second->listeners, &listener);
  std::erase(found->second->waiting, &listener);
  found->second->left_at = parts_.clock.steady();
}

Duration Hub::pump() {
  test_.advance(parts_.clock.now());
  const SteadyTime now = parts_.clock.steady();
  // The board is looked at before the queue is emptied: a candle that opens after one that closes
  // is then told after it.
  for (auto* stream : active_) {
    if (stream->key.channel == Channel::candle && now >= stream->due) look_at_candle(*stream);
  }
  for (const auto& item : parts_.intake.take(most_at_once)) {
    ++heard_;
    take(item);
  }
  const bool has_more = !parts_.intake.is_empty();
  if (!has_more) look_for_losses();
  bool has_paced = false;
  bool has_ended = false;
  for (auto* stream : active_) {
    if (stream->key.channel == Channel::candle) {
      has_paced = true;
      // While more waits, the candle that closes before this one may be among it.
      if (!has_more) tell_forming(*stream, true);
    } else if (stream->key.channel == Channel::coverage) {
      ask_coverage(*stream);
    } else if (!is_queued(stream->key.channel)) {
      has_paced = true;
      if (now >= stream->due) look(*stream, true);
    }
    if (stream->listeners.empty() && stream->waiting.empty() &&
        now - stream->left_at >= options_.linger) {
      has_ended = true;
      sleep(*stream);
    }
  }
  if (has_ended) {
    std::erase_if(active_, [](const Stream* stream) { return !stream->is_active; });
    share_room();
  }
  if (has_more) return Duration{0};
  return has_paced ? look_interval : idle_interval;
}

}  // namespace candlewick::stream
