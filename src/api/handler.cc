// Every answer leaves with a request id: the client's own if it sent a sensible one.
#include "api/handler.h"

#include <random>

#include "api/streams.h"
#include "net/gzip.h"

namespace candlewick::api {
namespace {

constexpr std::string_view stream_path = "/v1/stream";
constexpr std::string_view candle_stream_path = "/v1/candles/stream";

// What browsers open without a way to set headers.
bool is_stream(const Route* route) {
  return route != nullptr && (route->path == stream_path || route->path == candle_stream_path);
}

std::string_view methods_of(const Route& route) {
  return route.put == nullptr ? "GET, HEAD" : "GET, HEAD, PUT";
}

std::string_view in_words(std::string_view methods) {
  return methods == "GET, HEAD" ? "GET and HEAD" : "GET, HEAD and PUT";
}

}  // namespace

ApiHandler::ApiHandler(const Site& site, GateOptions options, Metrics& metrics, const Clock& clock)
    : site_(site),
      clock_(clock),
      gate_(std::move(options), site.backend.keys, clock, metrics),
      id_prefix_(fmt::format("{:08x}", std::random_device{}())) {
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
  const Route* route = match.route;
  if (is_stream(route)) take_key_from_query(request);
  Admission admission = gate_.admit(request, route);
  std::string captured(match.captured);
  const bool speaks_udf = request.path.starts_with("/udf/");
  // Charting clients write out what they leave open.
  if (speaks_udf) std::erase_if(request.query, [](const auto& one) { return one.second.empty(); });
  Arguments arguments;
  if (route != nullptr) arguments = Arguments(std::move(request.query), route->parameters);
  std::string id = request_id_of(&request);
  const bool takes_gzip = net::accepts_gzip(request.headers);
  Call call({.request = std::move(request),
             .responder = std::move(responder),
             .arguments = std::move(arguments),
             .captured = std::move(captured),
             .request_id = std::move(id),
             .passage = {.headers = std::move(admission.headers),
                         .is_private = admission.is_private,
                         .takes_gzip = takes_gzip,
                         .speaks_udf = speaks_udf,
                         .files = &files_},
             .clock = &clock_,
             .traffic = traffic_.at(route).get()});
  if (admission.refusal) return call.fail(*admission.refusal);
  if (route == nullptr) {
    return call.fail({.kind = &problems::unknown_route,
                      .detail = "there is no such page; /openapi.json lists those there are"});
  }
  if (is_preflight(call.request())) {
    const std::string origin(call.request().headers.get("Origin"));
    return answer_preflight(*route, origin, std::move(call));
  }
  const bool is_put = call.request().method == "PUT" && route->put != nullptr;
  if (!is_put && call.request().method != "GET" && call.request().method != "HEAD") {
    return call.fail({.kind = &problems::method_not_allowed,
                      .detail = fmt::format("only {}", in_words(methods_of(*route))),
                      .allow = methods_of(*route)});
  }
  if (const auto& problem = call.arguments.problem()) return call.fail(*problem);
  if (is_put) {
    if (const auto problem = gate_.refusal_to_change(admission.holder)) return call.fail(*problem);
    return route->put(site_, std::move(call));
  }
  route->answer(site_, std::move(call));
}

void ApiHandler::answer_preflight(const Route& route, std::string_view origin, Call call) const {
  if (!gate_.allows_page(origin)) {
    return call.fail(
        {.kind = &problems::forbidden,
         .detail = "pages of this origin may not ask: http.allowed_origins has not got it"});
  }
  call.send({.status = 204, .headers = answer_to_preflight(methods_of(route))});
}

net::Upgrade ApiHandler::websocket(const net::Request& request) {
  net::Request plain = request;
  const Route* route = find_route(request.path).route;
  if (is_stream(route)) take_key_from_query(plain);
  Admission admission = gate_.admit_websocket(plain, route);
  const std::string id = request_id_of(&request);
  net::Upgrade decision;
  if (admission.refusal) {
    decision.refusal = to_response(*admission.refusal, id);
  } else if (route != nullptr && route->path == stream_path) {
    decision = site_.streams->open(plain, id);
  } else {
    decision.refusal = to_response(
        {.kind = &problems::unknown_route, .detail = "there is no WebSocket at this address"}, id);
  }
  net::Headers& headers = decision.refusal ? decision.refusal->headers : decision.headers;
  for (const auto& header : admission.headers) headers.add(header.name, header.value);
  if (!headers.has("X-Request-Id")) headers.add("X-Request-Id", id);
  return decision;
}

net::Response ApiHandler::error(int status, std::string_view reason) {
  return to_response(status, reason, request_id_of(nullptr));
}

}  // namespace candlewick::api
