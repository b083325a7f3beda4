// The generic cell rate algorithm: of each caller one time is kept, and nothing has to be refilled.
#include "api/rate_limit.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>

namespace candlewick::api {
namespace {

using namespace std::chrono_literals;

// Full buckets that are dropped at each request: more than can come in, so the table shrinks.
constexpr int looks = 2;

std::int64_t seconds_up(Duration duration) {
  return std::chrono::ceil<std::chrono::seconds>(duration).count();
}

std::uint64_t big_endian(const unsigned char* bytes, std::size_t count) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < count; ++i) number = number << 8U | bytes[i];
  return number;
}

}  // namespace

Caller Caller::of_address(std::string_view address) {
  // Without the zone of a link-local address ("fe80::1%eth0").
  const std::string text(address.substr(0, address.find('%')));
  std::array<unsigned char, 16> bytes{};
  if (::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) {
    return {Kind::ipv4, big_endian(bytes.data(), 4)};
  }
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return {};
  // "::ffff:192.0.2.1": how a socket for both families tells an IPv4 address.
  constexpr std::array<unsigned char, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (std::ranges::equal(mapped, std::span(bytes).first<12>())) {
    return {Kind::ipv4, big_endian(&bytes[12], 4)};
  }
  return {Kind::ipv6_network, big_endian(bytes.data(), 8)};
}

std::size_t RateLimiter::Hash::operator()(const Caller& caller) const noexcept {
  // Addresses are chosen by callers: neighbours must not share a bucket of the table.
  std::uint64_t mixed = caller.number + (static_cast<std::uint64_t>(caller.kind) << 62U);
  mixed = (mixed ^ mixed >> 30U) * 0xBF58476D1CE4E5B9U;
  mixed = (mixed ^ mixed >> 27U) * 0x94D049BB133111EBU;
  return mixed ^ mixed >> 31U;
}

RateLimiter::RateLimiter(std::int64_t requests_per_minute, std::size_t max_callers)
    : requests_per_minute_(std::max<std::int64_t>(requests_per_minute, 1)),
      max_callers_(std::max<std::size_t>(max_callers, 1)),
      interval_(std::max(Duration(1min) / requests_per_minute_, Duration(1))) {}

void RateLimiter::forget_old(SteadyTime now) {
  for (int look = 0; look < looks && !entries_.empty(); ++look) {
    const Entry& oldest = entries_.back();
    if (oldest.full_at > now && entries_.size() < max_callers_) return;
    places_.erase(oldest.caller);
    entries_.pop_back();
  }
}

RateLimiter::Verdict RateLimiter::take(const Caller& caller, SteadyTime now) {
  const auto found = places_.find(caller);
  std::list<Entry>::iterator entry;
  if (found != places_.end()) {
    entry = found->second;
    entries_.splice(entries_.begin(), entries_, entry);
  } else {
    forget_old(now);
    entry = entries_.insert(entries_.begin(), {caller, now});
    places_.emplace(caller, entry);
  }
  const Duration whole = interval_ * requests_per_minute_;
  Duration missing = std::max(entry->full_at - now, Duration{});
  Verdict verdict;
  if (missing + interval_ <= whole) {
    missing += interval_;
    entry->full_at = now + missing;
  } else {
    verdict.is_allowed = false;
    verdict.retry_after_seconds = seconds_up(missing + interval_ - whole);
  }
  verdict.remaining = (whole - missing) / interval_;
  verdict.reset_seconds = seconds_up(missing);
  return verdict;
}

}  // namespace candlewick::api
