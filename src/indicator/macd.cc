// Moving average convergence/divergence.
#include "indicator/macd.h"

#include "base/check.h"

namespace candlewick::indicator {
namespace {

Ema average(std::size_t length, Seed seed, std::optional<double> factor) {
  return factor ? Ema(length, seed, *factor) : Ema(length, seed);
}

}  // namespace

Macd::Macd(const Options& options)
    : slow_length_(static_cast<std::int64_t>(options.slow)),
      skipped_by_fast_(options.align_fast_to_slow && options.seed == Seed::simple_average
                           ? static_cast<std::int64_t>(options.slow - options.fast)
                           : 0),
      wait_for_signal_(options.wait_for_signal),
      fast_(average(options.fast, options.seed, options.fast_factor)),
      slow_(average(options.slow, options.seed, options.slow_factor)),
      signal_(options.signal, options.seed) {
  check(options.fast <= options.slow, "the fast average is the slower one");
}

void Macd::push(double close) {
  if (seen_ >= skipped_by_fast_) fast_.push(close);
  slow_.push(close);
  if (seen_ < slow_length_) ++seen_;
  if (has_line()) signal_.push(*fast_.value() - *slow_.value());
}

Output Macd::line() const {
  if (!has_line() || (wait_for_signal_ && !signal_.value())) return std::nullopt;
  return *fast_.value() - *slow_.value();
}

Output Macd::signal() const {
  return signal_.value();
}

Output Macd::histogram() const {
  const Output signal = signal_.value();
  if (!signal) return std::nullopt;
  return *fast_.value() - *slow_.value() - *signal;
}

void Macd::outputs(std::span<Output> out) const {
  out[0] = line();
  out[1] = signal();
  out[2] = histogram();
}

void Macd::save(StateWriter& out) const {
  out.integer(seen_);
  fast_.save(out);
  slow_.save(out);
  signal_.save(out);
}

void Macd::load(StateReader& in) {
  seen_ = in.count(slow_length_);
  fast_.load(in);
  slow_.load(in);
  signal_.load(in);
  // A line without its averages cannot have been saved.
  if (has_line() && (!fast_.value() || !slow_.value())) in.fail();
}

}  // namespace candlewick::indicator
