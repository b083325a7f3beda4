// Corrections: states of the recursive indicators are remembered every 64 bars. A change takes the
// last one before it, fills the windows from the bars before that, and pushes all bars since again.
#include "indicator/series.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"

namespace candlewick::indicator {
namespace {

constexpr std::int64_t bars_between_snapshots = 64;
constexpr std::string_view checkpoint_version = "indicators-1";

// FNV-1a: a damaged digit would else be a plausible number.
std::uint64_t checksum(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash;
}

// The parts between "|"; empty when the text has others than four.
struct CheckpointText {
  std::string_view head, state, anchor, sum;
};

std::optional<CheckpointText> split(std::string_view text) {
  std::array<std::string_view, 4> parts{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t bar = text.find('|');
    if ((bar == std::string_view::npos) != (i + 1 == parts.size())) return std::nullopt;
    parts[i] = text.substr(0, bar);
    if (bar != std::string_view::npos) text.remove_prefix(bar + 1);
  }
  return CheckpointText{.head = parts[0], .state = parts[1], .anchor = parts[2], .sum = parts[3]};
}

std::string head_of(Duration bar_length) {
  return fmt::format("{} {}", checkpoint_version, bar_length.count());
}

}  // namespace

Series::Kept::Packed::Packed(Decimal value)
    : low(static_cast<std::uint64_t>(value.count())),
      high(static_cast<std::uint64_t>(value.count() >> 64)) {}

Decimal Series::Kept::Packed::value() const {
  return Decimal::from_count(static_cast<int128>((uint128{high} << 64) | low));
}

Series::Kept::Kept(const Bar& bar)
    : open_time_(bar.open_time),
      high_(bar.high),
      low_(bar.low),
      close_(bar.close),
      volume_(bar.volume) {}

// The open is not kept: no indicator reads it.
Bar Series::Kept::bar() const {
  return {.open_time = open_time_,
          .open = close_.value(),
          .high = high_.value(),
          .low = low_.value(),
          .close = close_.value(),
          .volume = volume_.value()};
}

Series::Series(Duration bar_length, SeriesLimits limits)
    : bar_length_(bar_length),
      horizon_(limits.horizon),
      head_(bar_length),
      kept_(head_.bars_needed() + limits.horizon +
            static_cast<std::size_t>(bars_between_snapshots)) {}

// The index of the first bar that is not before open_time.
std::size_t Series::find(Time open_time) const {
  const auto at = std::ranges::lower_bound(bars_, open_time, {}, &Kept::open_time);
  return static_cast<std::size_t>(at - bars_.begin());
}

bool Series::behind_horizon(Time open_time) const {
  const auto age = (bars_.back().open_time() - open_time) / bar_length_;
  return age >= 0 && static_cast<std::uint64_t>(age) >= horizon_;
}

// The state after the bar at `index`, from its saved text. Absent when the history is too short to
// fill the windows.
std::optional<Calculator> Series::resume(std::size_t index, std::string_view state) const {
  Calculator calculator(bar_length_);
  const std::size_t needed = calculator.bars_needed();
  if (index + 1 < needed && !complete_) return std::nullopt;
  const std::size_t first = index + 1 < needed ? 0 : index + 1 - needed;
  for (std::size_t i = first; i <= index; ++i) calculator.warm(bars_[i].bar());
  if (!calculator.load(state)) return std::nullopt;
  return calculator;
}

// The state before the bar at `index`, which may be one past the last.
std::optional<Calculator> Series::state_before(std::size_t index) const {
  std::optional<Calculator> calculator;
  std::size_t next = 0;
  for (std::size_t i = snapshots_.size(); i-- != 0 && !calculator;) {
    const std::size_t at = find(snapshots_[i].open_time);
    if (at >= index) continue;
    calculator = resume(at, snapshots_[i].state);
    if (!calculator) return std::nullopt;
    next = at + 1;
  }
  if (!calculator) {
    if (!complete_) return std::nullopt;
    calculator.emplace(bar_length_);
  }
  for (; next < index; ++next) calculator->push(bars_[next].bar());
  return calculator;
}

void Series::remember(const Calculator& state) {
  if (state.bars() % bars_between_snapshots != 0) return;
  snapshots_.push_back({.open_time = state.last_open(), .state = state.save()});
}

// Pushes the bars from `index` on.
Calculator Series::replay(Calculator from, std::size_t index) {
  for (; index < bars_.size(); ++index) {
    from.push(bars_[index].bar());
    remember(from);
  }
  return from;
}

void Series::trim() {
  // One snapshot behind the horizon stays, to replay from.
  while (snapshots_.size() > 1 && behind_horizon(snapshots_[1].open_time)) snapshots_.pop_front();
  while (bars_.size() > kept_) {
    bars_.pop_front();
    complete_ = false;
  }
}

void Series::clear() {
  head_ = Calculator(bar_length_);
  bars_.clear();
  complete_ = true;
  snapshots_.clear();
}

Applied Series::apply(const Bar& bar) {
  using enum Applied::Outcome;
  const Kept kept(bar);
  if (bars_.empty() || bar.open_time > bars_.back().open_time()) {
    bars_.push_back(kept);
    head_.push(bar);
    remember(head_);
    trim();
    return {.outcome = appended, .first = bar.open_time, .last = bar.open_time, .bars = 1};
  }
  const std::size_t index = find(bar.open_time);
  const bool exists = bars_[index].open_time() == bar.open_time;
  if (exists && bars_[index] == kept) return {.outcome = unchanged};
  if (behind_horizon(bar.open_time)) return {.outcome = out_of_horizon};
  auto before = state_before(index);
  if (!before) return {.outcome = out_of_horizon};

  if (exists) {
    bars_[index] = kept;
  } else {
    bars_.insert(bars_.begin() + static_cast<std::ptrdiff_t>(index), kept);
  }
  while (!snapshots_.empty() && snapshots_.back().open_time >= bar.open_time) snapshots_.pop_back();
  head_ = replay(std::move(*before), index);
  const Applied applied{.outcome = exists ? amended : inserted,
                        .first = bar.open_time,
                        .last = bars_.back().open_time(),
                        .bars = bars_.size() - index};
  trim();
  return applied;
}

std::optional<Values> Series::latest() const {
  if (bars_.empty()) return std::nullopt;
  return head_.values();
}

std::optional<Values> Series::values_at(Time open_time) const {
  if (!bars_.empty() && open_time == bars_.back().open_time()) return latest();
  std::optional<Values> result;
  each(open_time, open_time, [&](const Values& values) { result = values; });
  return result;
}

void Series::each(Time first, Time last, const std::function<void(const Values&)>& visit) const {
  std::size_t index = find(first);
  const auto inside = [&](std::size_t i) {
    return i < bars_.size() && bars_[i].open_time() <= last;
  };
  // Past what cannot be rebuilt: bars up to the horizon, or those before a restart.
  while (inside(index) && behind_horizon(bars_[index].open_time()) && index + 1 < bars_.size())
    ++index;
  if (!inside(index)) return;
  auto calculator = state_before(index);
  if (!calculator) {
    for (const auto& snapshot : snapshots_) {
      const std::size_t at = find(snapshot.open_time);
      if (at < index) continue;
      calculator = resume(at, snapshot.state);
      index = at;
      break;
    }
    if (!calculator || !inside(index)) return;
    visit(calculator->values());
    ++index;
  }
  for (; inside(index); ++index) {
    calculator->push(bars_[index].bar());
    visit(calculator->values());
  }
}

std::string Series::checkpoint() const {
  // The anchor lets a restored series be corrected before the checkpoint, too.
  std::string text = fmt::format("{}|{}|{}|", head_of(bar_length_), head_.save(),
                                 snapshots_.empty() ? "" : snapshots_.front().state);
  text += fmt::format("{:016x}", checksum(text));
  return text;
}

// Replays the history from the anchor, or from its start when it is whole. True when that ends in
// `state`, as it does unless the history has changed since.
bool Series::adopt_replayed(std::string_view state, std::string_view anchor) {
  std::optional<Calculator> start;
  std::size_t next = 0;
  if (complete_) {
    start.emplace(bar_length_);
  } else if (const auto summary = read_summary(anchor)) {
    const std::size_t at = find(summary->last_open);
    if (at >= bars_.size() || bars_[at].open_time() != summary->last_open) return false;
    start = resume(at, anchor);
    if (!start) return false;
    snapshots_.push_back({.open_time = summary->last_open, .state = std::string(anchor)});
    next = at + 1;
  } else {
    return false;
  }
  const Calculator end = replay(std::move(*start), next);
  return end.save() == state;
}

Result<void> Series::restore(std::string_view checkpoint, std::span<const Bar> history) {
  clear();
  const auto malformed = [](std::string_view why) {
    return fail(ErrorKind::malformed, "indicator checkpoint: {}", why);
  };
  const auto text = split(checkpoint);
  if (!text) return malformed("not a checkpoint");
  if (text->sum != fmt::format("{:016x}", checksum(checkpoint.substr(
                                              0, checkpoint.size() - text->sum.size())))) {
    return malformed("its checksum is wrong");
  }
  if (text->head != head_of(bar_length_)) {
    return malformed(fmt::format("\"{}\" is of another version or bar length than \"{}\"",
                                 text->head.substr(0, 60), head_of(bar_length_)));
  }
  const auto summary = read_summary(text->state);
  if (!summary) return malformed(summary.error().message);

  const auto rejected = [&](std::string why) {
    clear();
    return fail(ErrorKind::rejected, "indicator checkpoint: {}", why);
  };
  if (std::ranges::adjacent_find(history, std::ranges::greater_equal{}, &Bar::open_time) !=
      history.end()) {
    return rejected("the history is not in order of time");
  }
  const auto needed = static_cast<std::size_t>(
      std::min(summary->bars, static_cast<std::int64_t>(head_.bars_needed())));
  if (history.size() < needed) {
    return rejected(
        fmt::format("the history has {} bars, the windows need {}", history.size(), needed));
  }
  if (summary->bars == 0) {
    if (!history.empty()) return rejected("it is of an empty series, the history is not");
    return {};
  }
  if (history.back().open_time != summary->last_open) {
    return rejected(fmt::format("the history ends at {}, the checkpoint at {}",
                                to_rfc3339(history.back().open_time),
                                to_rfc3339(summary->last_open)));
  }
  if (static_cast<std::int64_t>(history.size()) > summary->bars) {
    // Older bars than the series had seen.
    history = history.last(static_cast<std::size_t>(summary->bars));
  }
  if (history.size() > kept_) history = history.last(kept_);
  for (const auto& bar : history) bars_.emplace_back(bar);
  complete_ = static_cast<std::int64_t>(bars_.size()) == summary->bars;

  Calculator end(bar_length_);
  const std::size_t first = bars_.size() - needed;
  for (std::size_t i = first; i < bars_.size(); ++i) end.warm(bars_[i].bar());
  if (!end.load(text->state)) {
    clear();
    return malformed("the state is not of these indicators");
  }
  head_ = std::move(end);
  if (!adopt_replayed(text->state, text->anchor)) {
    complete_ = false;
    snapshots_.clear();
    snapshots_.push_back({.open_time = summary->last_open, .state = std::string(text->state)});
  }
  trim();
  return {};
}

}  // namespace candlewick::indicator
