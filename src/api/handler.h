// Requests in, answers out: finds the route, reads the parameters strictly, gives the request its
// id and its place in the metrics. On the API's loop thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "api/gate.h"
#include "api/route.h"
#include "api/static_files.h"
#include "net/server.h"

namespace candlewick::api {

class ApiHandler final : public net::Handler {
 public:
  ApiHandler(const Site& site, GateOptions options, Metrics& metrics, const Clock& clock);

  void http(net::Request request, std::shared_ptr<net::Responder> responder) override;
  net::Upgrade websocket(const net::Request& request) override;
  net::Response error(int status, std::string_view reason) override;

 private:
  void answer_preflight(const Route& route, std::string_view origin, Call call) const;
  std::string request_id_of(const net::Request* request);

  const Site& site_;
  const Clock& clock_;
  Gate gate_;
  StaticFiles files_;
  std::map<const Route*, std::unique_ptr<Traffic>> traffic_;  // null: pages that do not exist
  std::string id_prefix_;                                     // of this process
  std::atomic<std::uint64_t> next_id_{1};
};

}  // namespace candlewick::api
