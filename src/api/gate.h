// The door of the API: how often a caller may come, whether a key is needed, and what of this an
// answer's headers say. On the API's loop thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/access.h"
#include "api/origins.h"
#include "api/problem.h"
#include "api/rate_limit.h"
#include "base/clock.h"
#include "base/metrics.h"

namespace candlewick::api {

struct Route;

struct GateOptions {
  std::int64_t requests_per_minute = 0;        // of one key or address; 0: no limit
  bool public_read = true;                     // false: reading needs a key too
  std::vector<std::string> allowed_origins{};  // of parse_origin()
};

// Headers that do not depend on the request.
net::Headers headers_of_every_answer(const GateOptions& options, bool is_tls);

struct Admission {
  net::Headers headers{};             // of the answer
  const AccessKey* holder = nullptr;  // of the key that was sent; null: none, or an unknown one
  bool is_private = false;            // read by a key: no shared cache may keep the answer
  std::optional<Problem> refusal{};
};

class Gate {
 public:
  // The keys outlive the gate.
  Gate(GateOptions options, const std::vector<AccessKey>& keys, const Clock& clock,
       Metrics& metrics);

  // `route`: null where there is none.
  Admission admit(const net::Request& request, const Route* route);
  // The same for a request to become a WebSocket.
  Admission admit_websocket(const net::Request& request, const Route* route);
  // To change something, which needs the scope admin whoever may read. Null: welcome.
  std::optional<Problem> refusal_to_change(const AccessKey* holder);
  bool allows_page(std::string_view origin) const { return origins_.allow(origin); }

 private:
  void limit(const net::Request& request, Admission& admission);
  std::optional<Problem> refusal_to_read(const net::Request& request, const AccessKey* holder);

  GateOptions options_;
  Origins origins_;
  const std::vector<AccessKey>& keys_;
  const Clock& clock_;
  std::optional<RateLimiter> limiter_;
  Counter limited_;
  Counter without_key_;
  Counter without_scope_;
  Counter of_other_pages_;
};

}  // namespace candlewick::api
