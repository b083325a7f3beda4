// The way out: headers that every answer has, and what is counted of it.
#include "api/call.h"

#include <algorithm>

#include "base/check.h"

namespace candlewick::api {
namespace {

Counter requests(Metrics& metrics, std::string_view route, std::string_view status_class) {
  return metrics.counter("candlewick_api_requests_total", "HTTP requests answered",
                         {{"route", std::string(route)}, {"status", std::string(status_class)}});
}

}  // namespace

Traffic::Traffic(Metrics& metrics, std::string_view path)
    : route(path),
      by_class{requests(metrics, path, "other"), requests(metrics, path, "other"),
               requests(metrics, path, "2xx"),   requests(metrics, path, "3xx"),
               requests(metrics, path, "4xx"),   requests(metrics, path, "5xx")},
      seconds(metrics.histogram(
          "candlewick_api_request_seconds", "Time from a request to its answer",
          {0.000'1, 0.000'25, 0.000'5, 0.001, 0.002'5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5},
          {{"route", std::string(path)}})) {}

Call::Call(Start start)
    : arguments(std::move(start.arguments)),
      captured(std::move(start.captured)),
      request_(std::move(start.request)),
      responder_(std::move(start.responder)),
      request_id_(std::move(start.request_id)),
      clock_(start.clock),
      traffic_(start.traffic),
      started_(start.clock->steady()) {}

Call::~Call() {
  if (responder_ != nullptr) fail({.detail = "the request was dropped"});
}

void Call::json(std::string body, int status) {
  body += '\n';
  send({.status = status,
        .headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
        .body = std::move(body)});
}

void Call::fail(const Problem& problem) {
  send(to_response(problem, request_id_));
}

void Call::send(net::Response response) {
  check(responder_ != nullptr, "a request is answered once");
  if (!response.headers.has("X-Request-Id")) response.headers.add("X-Request-Id", request_id_);
  count(response.status);
  std::exchange(responder_, nullptr)->send(std::move(response));
}

void Call::count(int status) {
  const auto status_class = static_cast<std::size_t>(std::clamp(status / 100, 0, 5));
  traffic_->by_class[status_class].add();
  traffic_->seconds.observe(std::chrono::duration<double>(clock_->steady() - started_).count());
}

std::shared_ptr<net::Responder> Call::begin(int status, net::Headers headers) {
  check(responder_ != nullptr, "a request is answered once");
  headers.add("X-Request-Id", request_id_);
  count(status);
  auto responder = std::exchange(responder_, nullptr);
  responder->begin(status, std::move(headers));
  return responder;
}

std::string_view acceptable_request_id(const net::Request& request) {
  const std::string_view id = request.headers.get("X-Request-Id");
  const auto is_plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.' || c == '_';
  };
  return id.size() <= 64 && std::ranges::all_of(id, is_plain) ? id : std::string_view();
}

}  // namespace candlewick::api
