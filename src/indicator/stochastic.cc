// Stochastic oscillator. The short means are summed afresh, oldest first, so they cannot drift.
#include "indicator/stochastic.h"

namespace candlewick::indicator {
namespace {

double mean(const Window<double>& window) {
  double sum = 0;
  for (std::size_t age = 0; age < window.size(); ++age) sum += window[age];
  return sum / static_cast<double>(window.size());
}

}  // namespace

Stochastic::Stochastic(const Options& options)
    : bars_needed_(options.length + options.slowing + options.d - 2),
      highest_(Extreme::Kind::greatest, options.length),
      lowest_(Extreme::Kind::least, options.length),
      fast_k_(options.slowing),
      k_(options.d) {}

void Stochastic::push(Decimal high, Decimal low, Decimal close) {
  highest_.push(high);
  lowest_.push(low);
  if (!highest_.full()) return;
  const double range = difference(highest_.value(), lowest_.value());
  fast_k_.push(range == 0 ? 0.0 : 100.0 * difference(close, lowest_.value()) / range);
  if (fast_k_.full()) k_.push(mean(fast_k_));
}

std::optional<Stochastic::Lines> Stochastic::value() const {
  if (!k_.full()) return std::nullopt;
  return Lines{.k = k_[k_.size() - 1], .d = mean(k_)};
}

void Stochastic::outputs(std::span<Output> out) const {
  const auto lines = value();
  out[0] = lines ? Output{lines->k} : std::nullopt;
  out[1] = lines ? Output{lines->d} : std::nullopt;
}

}  // namespace candlewick::indicator
