// Requests are counted before keys are looked at, so that guessing keys is limited too (at
// /metrics, which is not limited, 256 random bits have to do).
#include "api/gate.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "api/route.h"

namespace candlewick::api {
namespace {

// Asked by whatever keeps the process alive: an answer of 429 would look like a fault.
constexpr std::array<std::string_view, 3> health{"/health", "/livez", "/readyz"};
// Pages without data. A browser that opens one has no way to send a key with it.
constexpr std::array<std::string_view, 4> pages{"/", "/assets/{file}", "/openapi.json", "/redoc"};

bool is_health(const Route* route) {
  return route != nullptr && std::ranges::find(health, route->path) != health.end();
}

bool is_limited(const Route* route) {
  return !is_health(route) && (route == nullptr || route->path != "/metrics");
}

bool is_open(const Route* route) {
  if (route == nullptr) return false;
  return is_health(route) || route->path.starts_with("/docs") ||
         std::ranges::find(pages, route->path) != pages.end();
}

Counter refused(Metrics& metrics, const std::string& reason) {
  return metrics.counter("candlewick_api_refused_requests_total",
                         "Requests refused at the door: rate_limit, key, scope or origin",
                         {{"reason", reason}});
}

}  // namespace

net::Headers headers_of_every_answer(const GateOptions& options, bool is_tls) {
  net::Headers headers{
      {"X-Content-Type-Options", "nosniff"},
      {"Referrer-Policy", "no-referrer"},
      {"X-Frame-Options", "DENY"},
      // Pages have one of their own; data has nothing to load.
      {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
  };
  if (is_tls) headers.add("Strict-Transport-Security", "max-age=31536000");
  const Origins origins(options.allowed_origins);
  const bool varies = origins.are_any() && !origins.are_all();
  headers.add("Vary", varies ? "Accept-Encoding, Origin" : "Accept-Encoding");
  if (origins.are_all()) {
    headers.add("Access-Control-Allow-Origin", "*");
    headers.add("Access-Control-Expose-Headers", std::string(exposed_headers()));
  }
  return headers;
}

Gate::Gate(GateOptions options, const std::vector<AccessKey>& keys, const Clock& clock,
           Metrics& metrics)
    : options_(std::move(options)),
      origins_(options_.allowed_origins),
      keys_(keys),
      clock_(clock),
      limited_(refused(metrics, "rate_limit")),
      without_key_(refused(metrics, "key")),
      without_scope_(refused(metrics, "scope")),
      of_other_pages_(refused(metrics, "origin")) {
  if (options_.requests_per_minute > 0) limiter_.emplace(options_.requests_per_minute);
}

void Gate::limit(const net::Request& request, Admission& admission) {
  const Caller caller =
      admission.holder != nullptr
          ? Caller::of_key(static_cast<std::size_t>(admission.holder - keys_.data()))
          : Caller::of_address(request.remote_address);
  const auto verdict = limiter_->take(caller, clock_.steady());
  net::Headers& headers = admission.headers;
  headers.add("RateLimit-Limit", std::to_string(limiter_->requests_per_minute()));
  headers.add("RateLimit-Remaining", std::to_string(verdict.remaining));
  headers.add("RateLimit-Reset", std::to_string(verdict.reset_seconds));
  if (verdict.is_allowed) return;
  limited_.add();
  admission.refusal =
      Problem{.kind = &problems::rate_limited,
              .detail = fmt::format(
                  "more than {} requests a minute of one {}", limiter_->requests_per_minute(),
                  admission.holder != nullptr ? "key" : "address; keys are counted by themselves"),
              .retry_after_seconds = static_cast<int>(verdict.retry_after_seconds)};
}

std::optional<Problem> Gate::refusal_to_read(const net::Request& request, const AccessKey* holder) {
  if (holder != nullptr) return std::nullopt;  // every scope may read
  without_key_.add();
  return Problem{.kind = &problems::unauthorized,
                 .detail = key_of(request).empty()
                               ? "a key is needed: Authorization: Bearer …, or X-API-Key"
                               : "this key is not known here"};
}

Admission Gate::admit(const net::Request& request, const Route* route) {
  Admission admission;
  if (const auto origin = request.headers.find("Origin");
      origin && !origins_.are_all() && origins_.allow(*origin)) {
    admission.headers.add("Access-Control-Allow-Origin", std::string(*origin));
    admission.headers.add("Access-Control-Expose-Headers", std::string(exposed_headers()));
  }
  admission.holder = holder_of(key_of(request), keys_);
  if (limiter_ && is_limited(route)) limit(request, admission);
  // What asks for permission has no key yet.
  if (options_.public_read || is_open(route) || is_preflight(request)) return admission;
  admission.is_private = true;
  if (!admission.refusal) admission.refusal = refusal_to_read(request, admission.holder);
  return admission;
}

Admission Gate::admit_websocket(const net::Request& request, const Route* route) {
  Admission admission = admit(request, route);
  if (!admission.refusal && !origins_.allow_websocket(request)) {
    of_other_pages_.add();
    admission.refusal = Problem{
        .kind = &problems::forbidden,
        .detail = "a page of this origin may not listen: http.allowed_origins has not got it"};
  }
  return admission;
}

std::optional<Problem> Gate::refusal_to_change(const AccessKey* holder) {
  if (keys_.empty()) {
    without_scope_.add();
    return Problem{.kind = &problems::forbidden,
                   .detail =
                       "nobody may change anything here: http.keys is not set (`candlewick "
                       "key` makes one)"};
  }
  if (holder == nullptr) {
    without_key_.add();
    return Problem{.kind = &problems::unauthorized,
                   .detail = "a key is needed: Authorization: Bearer …, or X-API-Key"};
  }
  if (holder->scope != Scope::admin) {
    without_scope_.add();
    return Problem{.kind = &problems::forbidden,
                   .detail = fmt::format("the key of {} has the scope {}; admin is needed",
                                         holder->name, to_text(holder->scope))};
  }
  return std::nullopt;
}

}  // namespace candlewick::api
