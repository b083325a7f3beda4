// Runs the registry over bars.
#include "indicator/calculator.h"

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "indicator/registry.h"

namespace candlewick::indicator {
namespace {

constexpr std::int64_t no_limit = std::numeric_limits<std::int64_t>::max();

StateSummary read_head(StateReader& in) {
  const std::int64_t bars = in.count(no_limit);
  return {.bars = bars, .last_open = time_from_ns(in.integer())};
}

}  // namespace

Calculator::Calculator(Duration bar_length) : bar_length_(bar_length) {
  check(bar_length > Duration{0}, "bars have no length");
  for (const auto& row : registry()) {
    auto indicator = row.make(bar_length);
    const std::size_t needed = indicator ? indicator->bars_needed() : 0;
    bars_needed_ = std::max(bars_needed_, needed);
    Slot slot{.indicator = std::move(indicator), .windowed = needed > 0, .columns = {}};
    for (const auto name : row.names) {
      if (name.empty()) continue;
      const auto column = std::ranges::find(columns(), name, &Column::name);
      slot.columns.push_back(column == columns().end() ? nullptr : column->value);
    }
    slots_.push_back(std::move(slot));
  }
}

bool Calculator::hole_before(const Bar& bar) const {
  return any_ && bar.open_time - last_open_ != bar_length_;
}

void Calculator::push(const Bar& bar, bool after_hole, bool recursive_too) {
  const Step step{.bar = bar, .close = bar.close.to_double(), .after_hole = after_hole};
  for (auto& slot : slots_) {
    if (slot.indicator && (slot.windowed || recursive_too)) slot.indicator->push(step);
  }
  any_ = true;
  last_open_ = bar.open_time;
}

void Calculator::push(const Bar& bar) {
  push(bar, hole_before(bar), true);
  ++bars_;
}

void Calculator::push_consecutive(const Bar& bar) {
  push(bar, false, true);
  ++bars_;
}

void Calculator::warm(const Bar& bar) {
  push(bar, hole_before(bar), false);
}

Values Calculator::values() const {
  Values values;
  values.open_time = last_open_;
  values.extra.reserve(extra_names().size());
  for (const auto& slot : slots_) {
    std::array<Output, max_outputs> outputs{};
    if (slot.indicator) slot.indicator->outputs(outputs);
    for (std::size_t i = 0; i < slot.columns.size(); ++i) {
      if (slot.columns[i] != nullptr) {
        values.*(slot.columns[i]) = outputs[i];
      } else {
        values.extra.push_back(outputs[i]);
      }
    }
  }
  return values;
}

std::string Calculator::save() const {
  StateWriter out;
  out.integer(bars_);
  out.integer(to_ns(last_open_));
  for (const auto& slot : slots_) {
    if (slot.indicator && !slot.windowed) slot.indicator->save(out);
  }
  return out.text();
}

bool Calculator::load(std::string_view state) {
  StateReader in(state);
  const StateSummary summary = read_head(in);
  bars_ = summary.bars;
  last_open_ = summary.last_open;
  any_ = bars_ > 0;
  for (auto& slot : slots_) {
    if (slot.indicator && !slot.windowed) slot.indicator->load(in);
  }
  return in.finished();
}

Result<StateSummary> read_summary(std::string_view state) {
  StateReader in(state);
  const StateSummary summary = read_head(in);
  if (in.failed()) return fail(ErrorKind::malformed, "the indicators' state has no head");
  return summary;
}

}  // namespace candlewick::indicator
