// Speeds are bounded so that the products stay within the type.
#include "simulator/virtual_clock.h"

#include <charconv>
#include <cmath>

namespace candlewick::simulator {
namespace {

constexpr double fastest = 100'000.0;

}  // namespace

std::string Speed::text() const {
  return factor ? fmt::format("{}", *factor) : "max";
}

Result<Speed> parse_speed(std::string_view text) {
  if (text == "max") return Speed{.factor = std::nullopt};
  double factor = 0.0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, factor);
  if (error != std::errc{} || rest != end || !(factor > 0.0) || factor > fastest) {
    return fail(ErrorKind::misconfigured, "speed: \"{}\" is neither \"max\" nor a number up to {}",
                text, fastest);
  }
  return Speed{.factor = factor};
}

Time VirtualClock::at(SteadyTime steady) const {
  if (!speed_.factor || is_paused_) return start_;
  const auto elapsed = static_cast<double>((steady - since_).count());
  return start_ + Duration{static_cast<Duration::rep>(std::max(0.0, elapsed) * *speed_.factor)};
}

void VirtualClock::pause(SteadyTime steady) {
  start_ = at(steady);
  is_paused_ = true;
}

void VirtualClock::resume(SteadyTime steady) {
  if (!is_paused_) return;
  since_ = steady;
  is_paused_ = false;
}

}  // namespace candlewick::simulator
