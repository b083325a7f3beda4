// Reads the variable once; counting needs no lock, as one sink's steps are one thread's.
#include "base/fault_point.h"

#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <string>

namespace candlewick {

#ifdef CANDLEWICK_FAULT_POINTS
namespace {

struct Order {
  std::string name;  // empty: none
  long countdown = 1;
};

Order order_of_the_day() {
  Order order;
  const char* const text = std::getenv("CANDLEWICK_FAULT_POINT");
  if (text == nullptr) return order;
  const std::string_view whole(text);
  const auto colon = whole.rfind(':');
  order.name = whole.substr(0, colon);
  if (colon != std::string_view::npos) {
    const auto digits = whole.substr(colon + 1);
    std::from_chars(digits.data(), digits.data() + digits.size(), order.countdown);
  }
  return order;
}

}  // namespace

void fault_point(std::string_view name) {
  static const Order order = order_of_the_day();
  if (order.name != name) return;
  static std::atomic<long> left{order.countdown};
  if (--left == 0) std::raise(SIGKILL);
}
#else
void fault_point(std::string_view) {}
#endif

}  // namespace candlewick
