// Every answer leaves with a request id: the client's own if it sent a sensible one.
#include "api/handler.h"

#include <random>

#include "api/streams.h"

namespace candlewick::api {

ApiHandler::ApiHandler(const Site& site, Metrics& metrics, const Clock& clock)
    : site_(site), clock_(clock), id_prefix_(fmt::format("{:08x}", std::random_device{}())) {
  for (const auto& route : all_routes()) {
    traffic_.emplace(&route, std::make_unique<Traffic>(metrics, route.path));
  }
  traffic_.emplace(nullptr, std::make_unique<Traffic>(metrics, "none"));
}

std::string ApiHandler::request_id_of(const net::Request* request) {
  if (request != nullptr) {
    if (const auto own = acceptable_request_id(*request); !own.empty()) return std::string(own);
  }
  return fmt::format("{}-{:x}", id_prefix_, next_id_.fetch_add(1));
}

void ApiHandler::http(net::Request request, std::shared_ptr<net::Responder> responder) {
  const Match match = find_route(request.path);
  std::string captured(match.captured);
  Arguments arguments;
  if (match.route != nullptr) {
    arguments = Arguments(std::move(request.query), match.route->parameters);
  }
  std::string id = request_id_of(&request);
  Call call({.request = std::move(request),
             .responder = std::move(responder),
             .arguments = std::move(arguments),
             .captured = std::move(captured),
             .request_id = std::move(id),
             .clock = &clock_,
             .traffic = traffic_.at(match.route).get()});
  if (match.route == nullptr) {
    return call.fail({.kind = &problems::unknown_route,
                      .detail = "there is no such page; /openapi.json lists those there are"});
  }
  const bool is_put = call.request().method == "PUT" && match.route->put != nullptr;
  if (!is_put && call.request().method != "GET" && call.request().method != "HEAD") {
    return call.fail(
        {.kind = &problems::method_not_allowed,
         .detail = match.route->put == nullptr ? "only GET and HEAD" : "only GET, HEAD and PUT",
         .allow = match.route->put == nullptr ? "GET, HEAD" : "GET, HEAD, PUT"});
  }
  if (const auto& problem = call.arguments.problem()) return call.fail(*problem);
  if (is_put) {
    if (const auto problem = refusal_to_change(call.request())) return call.fail(*problem);
    return match.route->put(site_, std::move(call));
  }
  match.route->answer(site_, std::move(call));
}

std::optional<Problem> ApiHandler::refusal_to_change(const net::Request& request) const {
  if (site_.backend.keys.empty()) {
    return Problem{.kind = &problems::forbidden,
                   .detail =
                       "nobody may change anything here: http.keys is not set (`candlewick "
                       "key` makes one)"};
  }
  const auto* holder = holder_of(key_of(request), site_.backend.keys);
  if (holder == nullptr) {
    return Problem{.kind = &problems::unauthorized,
                   .detail = "a key is needed: Authorization: Bearer …, or X-API-Key"};
  }
  if (holder->scope != Scope::admin) {
    return Problem{.kind = &problems::forbidden,
                   .detail = fmt::format("the key of {} has the scope {}; admin is needed",
                                         holder->name, to_text(holder->scope))};
  }
  return std::nullopt;
}

net::Upgrade ApiHandler::websocket(const net::Request& request) {
  if (request.path == "/v1/stream") return site_.streams->open(request, request_id_of(&request));
  net::Upgrade decision;
  decision.refusal = to_response(
      {.kind = &problems::unknown_route, .detail = "there is no WebSocket at this address"},
      request_id_of(&request));
  return decision;
}

net::Response ApiHandler::error(int status, std::string_view reason) {
  return to_response(status, reason, request_id_of(nullptr));
}

}  // namespace candlewick::api
