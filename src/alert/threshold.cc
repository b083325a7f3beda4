// Reading thresholds, and where a value stands to one.
#include "alert/threshold.h"

#include <algorithm>

#include <fmt/format.h>

#include "alert/figures.h"
#include "base/nearest.h"
#include "base/selection.h"
#include "exchange/registry.h"

namespace candlewick::alert {
namespace {

using Entry = pipeline::LatestBoard::Entry;

constexpr std::string_view example = R"("BTC/USDT price > 70000" or "okx:ETH/USDT@1h rsi_14 < 30")";
constexpr Duration calm = std::chrono::minutes{5};
constexpr std::int64_t margin_parts = 200;  // of the line: half a percent

std::vector<std::string_view> words_of(std::string_view text) {
  constexpr std::string_view spaces = " \t";
  std::vector<std::string_view> words;
  while (true) {
    const auto begin = text.find_first_not_of(spaces);
    if (begin == std::string_view::npos) return words;
    text.remove_prefix(begin);
    const auto end = std::min(text.find_first_of(spaces), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

bool holds(const Threshold& threshold, Decimal value) {
  switch (threshold.comparison) {
    case Comparison::above:
      return value > threshold.line;
    case Comparison::at_least:
      return value >= threshold.line;
    case Comparison::below:
      return value < threshold.line;
    case Comparison::at_most:
      return value <= threshold.line;
  }
  std::unreachable();
}

Finding finding_of(const Threshold& threshold, Decimal value) {
  if (holds(threshold, value)) return Finding::holds;
  const Decimal line = threshold.line;
  if (line.is_zero()) return Finding::near;
  const auto size = line.is_negative() ? -line : line;
  const auto margin = Decimal::divide(size, Decimal(margin_parts));
  const auto distance =
      value > line ? Decimal::subtract(value, line) : Decimal::subtract(line, value);
  // Out of the range of numbers it is far away.
  return margin && distance && *distance < *margin ? Finding::near : Finding::clear;
}

bool is_at(const Instrument& instrument, const std::string& venue_name) {
  if (venue_name.empty()) return true;
  const auto* venue = exchange::find_venue(venue_name);
  if (venue != nullptr)
    return instrument.exchange == venue->name && instrument.market == venue->market;
  return instrument.exchange == venue_name;
}

}  // namespace

std::string_view to_text(Comparison comparison) {
  switch (comparison) {
    case Comparison::above:
      return ">";
    case Comparison::at_least:
      return ">=";
    case Comparison::below:
      return "<";
    case Comparison::at_most:
      return "<=";
  }
  std::unreachable();
}

Result<Threshold> parse_threshold(std::string_view text) {
  const auto refuse = [&](const std::string& why) {
    return fail(ErrorKind::malformed, "\"{}\": {}", text, why);
  };
  const auto at = text.find_first_of("<>=");
  if (at == std::string_view::npos)
    return refuse(fmt::format("there is no > or < in it; write {}", example));
  std::string_view rest = text.substr(at);
  const bool is_above = rest.front() == '>';
  if (rest.front() == '=') return refuse("a value is above (>, >=) or below (<, <=) a line");
  rest.remove_prefix(1);
  const bool is_inclusive = rest.starts_with('=');
  if (is_inclusive) rest.remove_prefix(1);

  const auto left = words_of(text.substr(0, at));
  if (left.size() != 2) {
    return refuse(fmt::format("in front of {} stand an instrument and a figure; write {}", text[at],
                              example));
  }
  std::string_view subject = left[0];
  Threshold threshold;
  threshold.figure = left[1];
  threshold.comparison = is_above ? (is_inclusive ? Comparison::at_least : Comparison::above)
                                  : (is_inclusive ? Comparison::at_most : Comparison::below);

  const auto names = figure_names();
  if (std::ranges::find(names, threshold.figure) == names.end()) {
    return refuse(fmt::format("there is no figure \"{}\"{}; there are {}", threshold.figure,
                              did_you_mean(threshold.figure, names), fmt::join(names, ", ")));
  }
  if (const auto sign = subject.rfind('@'); sign != std::string_view::npos) {
    const auto timeframe = parse_timeframe(subject.substr(sign + 1));
    if (!timeframe) return refuse(timeframe.error().message);
    if (*timeframe < Timeframe::m1)
      return refuse("indicators are of candles of a minute (1m) and longer");
    if (!is_indicator(threshold.figure) && *timeframe != Timeframe::m1) {
      return refuse(
          fmt::format("{} has no timeframe: leave out {}", threshold.figure, subject.substr(sign)));
    }
    threshold.timeframe = *timeframe;
    subject = subject.substr(0, sign);
  }
  const auto selection = parse_selection(subject);
  if (!selection) return refuse(selection.error().message);
  if (selection->is_rule())
    return refuse(fmt::format("\"{}\" names no instrument; write {}", subject, example));
  threshold.venue = selection->venue;
  threshold.symbol = selection->symbol;

  const auto right = words_of(rest);
  const auto line = right.size() == 1 ? Decimal::parse(right[0])
                                      : Result<Decimal>(fail(ErrorKind::malformed, ""));
  if (!line)
    return refuse(fmt::format("behind {} stands one number", to_text(threshold.comparison)));
  threshold.line = *line;
  threshold.text = fmt::format(
      "{}{}{} {} {} {}", threshold.venue.empty() ? "" : threshold.venue + ":", threshold.symbol,
      threshold.timeframe == Timeframe::m1 ? "" : fmt::format("@{}", to_text(threshold.timeframe)),
      threshold.figure, to_text(threshold.comparison), threshold.line.to_string());
  return threshold;
}

const Entry* find_subject(const Threshold& threshold, const std::vector<Entry>& entries) {
  for (const auto& entry : entries) {
    if (entry.instrument->symbol == threshold.symbol && is_at(*entry.instrument, threshold.venue))
      return &entry;
  }
  // Where derivatives are traded a pair means its perpetual.
  for (const auto& entry : entries) {
    if (entry.instrument->market == Market::swap &&
        entry.instrument->symbol.starts_with(threshold.symbol + ":") &&
        is_at(*entry.instrument, threshold.venue)) {
      return &entry;
    }
  }
  return nullptr;
}

Condition condition_of(const Threshold& threshold, const Instrument& instrument,
                       const std::optional<Decimal>& value) {
  Condition condition{.name = "threshold",
                      .urgency = Urgency::warning,
                      .labels = {{"exchange", instrument.exchange},
                                 {"symbol", instrument.symbol},
                                 {"when", threshold.text}},
                      .finding = Finding::unknown,
                      .calm = calm};
  if (!value) return condition;
  condition.finding = finding_of(threshold, *value);
  const std::string of =
      threshold.timeframe == Timeframe::m1
          ? instrument.symbol
          : fmt::format("{} ({})", instrument.symbol, to_text(threshold.timeframe));
  const std::string is = fmt::format("{} at {}: {} is {}", of, instrument.exchange,
                                     threshold.figure, value->to_string());
  const std::string line =
      fmt::format("{} {}", to_text(threshold.comparison), threshold.line.to_string());
  condition.summary = fmt::format("{}, {}", is, line);
  condition.resolved = fmt::format("{}, not {} any more", is, line);
  return condition;
}

Condition without_subject(const Threshold& threshold) {
  return {.name = "threshold", .labels = {{"when", threshold.text}}, .finding = Finding::unknown};
}

}  // namespace candlewick::alert
