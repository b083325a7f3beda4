// Realised volatility. Log returns are put on a grid of 2^-54 (a sixteenth of what separates a
// price ratio near 1 from its neighbour in double), so that their sums are exact.
#include "indicator/volatility.h"

#include <cmath>

namespace candlewick::indicator {
namespace {

constexpr int grid_bits = 54;

// Near 1 the difference has more digits than the quotient; far below, the quotient.
double log_return(Decimal from, Decimal to) {
  const double simple = difference(to, from) / from.to_double();
  return std::fabs(simple) < 0.5 ? std::log1p(simple) : std::log(to.to_double() / from.to_double());
}

}  // namespace

void Volatility::push(Decimal close, bool after_hole) {
  const bool follows = last_close_.has_value() && !after_hole;
  const Decimal last = last_close_.value_or(Decimal{});
  last_close_ = close;
  if (!follows || last <= Decimal{} || close <= Decimal{}) {
    deviation_.clear();
    return;
  }
  // Decimals lie within 10^±38, so the logarithm stays below 88 and its count below 2^61.
  deviation_.push(std::llround(std::ldexp(log_return(last, close), grid_bits)));
}

Output Volatility::value() const {
  if (length_ < 2 || !deviation_.full()) return std::nullopt;
  return std::ldexp(deviation_.sample(), -grid_bits) * std::sqrt(static_cast<double>(length_));
}

}  // namespace candlewick::indicator
