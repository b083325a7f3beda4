// How often one caller may come: a bucket that holds the requests of a minute and refills evenly.
// A caller who was away for a minute has the whole of it again, and is then forgotten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string_view>
#include <unordered_map>

#include "base/time.h"

namespace candlewick::api {

// A key, or the address of those without one. Of IPv6 the network (/64) counts: it is what one
// client is given, to choose from 2^64 addresses.
struct Caller {
  enum class Kind : unsigned char { key, ipv4, ipv6_network, unknown };
  Kind kind = Kind::unknown;
  std::uint64_t number = 0;

  static Caller of_key(std::size_t index) { return {Kind::key, index}; }
  static Caller of_address(std::string_view address);
  friend bool operator==(const Caller&, const Caller&) = default;
};

// Of one thread.
class RateLimiter {
 public:
  struct Verdict {
    bool is_allowed = true;
    std::int64_t remaining = 0;            // requests that would be allowed now
    std::int64_t reset_seconds = 0;        // until the whole quota is there again, rounded up
    std::int64_t retry_after_seconds = 0;  // 0 when allowed
  };

  static constexpr std::size_t default_callers = 65'536;

  // At most so many callers are remembered. Then whoever was not seen for longest is forgotten, and
  // begins with a full bucket.
  explicit RateLimiter(std::int64_t requests_per_minute, std::size_t max_callers = default_callers);

  // Counts a request, unless it is refused.
  Verdict take(const Caller& caller, SteadyTime now);
  std::int64_t requests_per_minute() const { return requests_per_minute_; }
  std::size_t callers() const { return entries_.size(); }

 private:
  // The bucket as one number: when it will be full again.
  struct Entry {
    Caller caller;
    SteadyTime full_at;
  };
  struct Hash {
    std::size_t operator()(const Caller& caller) const noexcept;
  };

  void forget_old(SteadyTime now);

  std::int64_t requests_per_minute_;
  std::size_t max_callers_;
  Duration interval_;         // in which one request comes back
  std::list<Entry> entries_;  // the one seen last in front
  std::unordered_map<Caller, std::list<Entry>::iterator, Hash> places_;
};

}  // namespace candlewick::api
