// Asks, answers, sleeps.
#include "fundamentals/driver.h"

#include <algorithm>

namespace candlewick::fundamentals {

Driver::Driver(Source& source, net::Loop& loop, net::HttpClient& http, const Clock& clock)
    : source_(source),
      loop_(loop),
      http_(http),
      clock_(clock),
      self_(std::make_shared<Driver*>(this)) {}

Driver::~Driver() {
  *self_ = nullptr;
}

void Driver::turn() {
  if (auto request = source_.next(clock_.steady())) send(std::move(*request));
  timer_.cancel();
  const auto wake = source_.next_wake();
  if (!wake) return;
  // At least a little, whatever a source says: it must not keep the loop from its other work.
  constexpr Duration least = std::chrono::milliseconds{1};
  timer_ = loop_.after(std::max<Duration>(*wake - clock_.steady(), least), [this] { turn(); });
}

void Driver::send(net::HttpRequest request) {
  http_.send(std::move(request), loop_,
             [self = std::weak_ptr<Driver*>(self_)](Result<net::HttpResponse> response) {
               const auto alive = self.lock();
               if (!alive || *alive == nullptr) return;
               Driver& driver = **alive;
               const SteadyTime now = driver.clock_.steady();
               if (response) {
                 driver.source_.on_response(*response, now);
               } else {
                 driver.source_.on_error(response.error(), now);
               }
               driver.turn();
             });
}

}  // namespace candlewick::fundamentals
