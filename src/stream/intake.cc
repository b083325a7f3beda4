// An event is counted, kept as the newest one and queued under the lock of its instrument, so that
// watch() falls between two events.
#include "stream/intake.h"

namespace candlewick::stream {
namespace {

template <class T>
void keep(std::deque<T>& recent, T value, std::size_t limit) {
  recent.push_back(std::move(value));
  if (recent.size() > limit) recent.pop_front();
}

}  // namespace

Intake::Intake(const pipeline::LatestBoard& board, Limits limits)
    : board_(board), limits_(limits), queue_({.items = limits.waiting, .weight = limits.waiting}) {
  for (const auto& entry : board.entries()) {
    const pipeline::Latest latest = board.read(entry.slot);
    at(entry.slot).with([&](State& state) {
      if (latest.tick) state.tick = std::make_shared<const schema::Row>(*latest.tick);
      if (latest.indicators)
        state.indicators = std::make_shared<const schema::Row>(*latest.indicators);
      for (const auto& [timeframe, candle] : latest.closed)
        state.candles[timeframe].newest = candle;
    });
  }
}

void Intake::add(const Instrument& instrument) {
  index_.with([&](Index& index) {
    index.extra = &instrument;
    index.is_made = false;
  });
}

Intake::Slot& Intake::at(std::size_t slot) const {
  if (slot == extra_slot) return extra_;
  return *slots_.with([&](auto& slots) {
    while (slots.size() <= slot) slots.push_back(std::make_unique<Slot>());
    return slots[slot].get();
  });
}

template <class F>
std::optional<std::size_t> Intake::look_up(F&& find) {
  return index_.with([&](Index& index) -> std::optional<std::size_t> {
    const std::uint64_t version = board_.version();
    if (!index.is_made || index.version != version) {
      index.by_instrument.clear();
      index.by_name.clear();
      const auto put = [&](const Instrument& instrument, std::size_t slot) {
        index.by_instrument.emplace(&instrument, slot);
        index.by_name.emplace(std::pair(instrument.exchange, instrument.symbol), slot);
      };
      for (const auto& entry : board_.entries()) put(*entry.instrument, entry.slot);
      if (index.extra != nullptr) put(*index.extra, extra_slot);
      index.version = version;
      index.is_made = true;
    }
    return find(index);
  });
}

void Intake::offer(Counted& counted, const StreamKey& key,
                   std::variant<Trade, Candle, SharedRow> value) {
  ++counted.number;
  if (!counted.is_watched) return;
  if (queue_.try_push({key, counted.number, std::move(value)}) != Push::accepted) {
    lost_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  queued_.fetch_add(1);
  if (is_told_.exchange(true)) return;
  wake_.with([](const auto& wake) {
    if (wake) wake();
  });
}

void Intake::on_event(const Event& event) {
  const auto* trade = std::get_if<Trade>(&event);
  const auto* candle = std::get_if<Candle>(&event);
  if (candle != nullptr && !candle->is_closed) return;
  if (trade == nullptr && candle == nullptr) return;
  const Instrument* instrument = (trade ? trade->origin : candle->origin).instrument;
  const auto slot = look_up([&](const Index& index) -> std::optional<std::size_t> {
    const auto found = index.by_instrument.find(instrument);
    return found == index.by_instrument.end() ? std::nullopt : std::optional(found->second);
  });
  if (!slot) return;
  at(*slot).with([&](State& state) {
    if (trade != nullptr) {
      state.trade = *trade;
      offer(state.counted[Channel::trade], {*slot, Channel::trade, Timeframe::m1}, *trade);
      return;
    }
    Series& series = state.candles[candle->timeframe];
    if (!series.newest || candle->open_time >= series.newest->open_time) series.newest = *candle;
    keep(series.recent, *candle, limits_.recent_candles);
    offer(series.counted, {*slot, Channel::candle, candle->timeframe}, *candle);
  });
}

void Intake::on_row(const schema::Row& row) {
  const bool is_tick = row.table == &schema::market_ticks;
  const bool is_assertion = row.table == &schema::coverage;
  if (!is_tick && !is_assertion && row.table != &schema::technical_indicators) return;
  const auto text = [&](std::string_view column) {
    const auto* value = std::get_if<std::string>(&row.at(column));
    return value == nullptr ? std::string() : *value;
  };
  const auto slot = look_up([&](const Index& index) -> std::optional<std::size_t> {
    const auto found = index.by_name.find(std::pair(text("exchange"), text("symbol")));
    return found == index.by_name.end() ? std::nullopt : std::optional(found->second);
  });
  if (!slot) return;
  const Channel channel = is_tick        ? Channel::tick
                          : is_assertion ? Channel::coverage
                                         : Channel::indicators;
  auto shared = std::make_shared<const schema::Row>(row);
  at(*slot).with([&](State& state) {
    if (is_assertion) {
      keep(state.assertions, shared, limits_.recent_assertions);
    } else {
      // A corrected row of an earlier instant is no newest one.
      SharedRow& newest = is_tick ? state.tick : state.indicators;
      const auto* time = std::get_if<Time>(&shared->at("exchange_ts"));
      const auto* known = newest ? std::get_if<Time>(&newest->at("exchange_ts")) : nullptr;
      if (known == nullptr || time == nullptr || *time >= *known) newest = shared;
    }
    offer(state.counted[channel], {*slot, channel, Timeframe::m1}, std::move(shared));
  });
}

void Intake::on_waiting(std::function<void()> wake) {
  wake_.with([&](auto& known) { known = std::move(wake); });
}

std::vector<Intake::Item> Intake::take(std::size_t most) {
  is_told_.store(false);
  return queue_.pop_all({.items = most, .weight = most});
}

Intake::Newest Intake::watch(const StreamKey& key) {
  return at(key.slot).with([&](State& state) {
    Counted& counted = state.of(key);
    counted.is_watched = true;
    Newest newest{.number = counted.number};
    if (key.channel == Channel::candle) newest.candle = state.candles[key.timeframe].newest;
    if (key.channel == Channel::trade) newest.trade = state.trade;
    if (key.channel == Channel::tick) newest.row = state.tick;
    if (key.channel == Channel::indicators) newest.row = state.indicators;
    return newest;
  });
}

void Intake::unwatch(const StreamKey& key) {
  at(key.slot).with([&](State& state) { state.of(key).is_watched = false; });
}

std::uint64_t Intake::number(const StreamKey& key) const {
  return at(key.slot).with([&](State& state) { return state.of(key).number; });
}

Intake::Recent<Candle> Intake::recent_candles(std::size_t slot, Timeframe timeframe) const {
  return at(slot).with([&](State& state) {
    const Series& series = state.candles[timeframe];
    return Recent<Candle>{.events = {series.recent.begin(), series.recent.end()},
                          .number = series.counted.number,
                          .is_all = series.recent.size() == series.counted.number};
  });
}

Intake::Recent<SharedRow> Intake::recent_assertions(std::size_t slot) const {
  return at(slot).with([&](State& state) {
    const std::uint64_t number = state.counted[Channel::coverage].number;
    return Recent<SharedRow>{.events = {state.assertions.begin(), state.assertions.end()},
                             .number = number,
                             .is_all = state.assertions.size() == number};
  });
}

}  // namespace candlewick::stream
