// The way out: headers that every answer has, and what is counted of it.
#include "api/call.h"

#include <algorithm>

#include "base/check.h"
#include "base/json_text.h"
#include "net/gzip.h"

namespace candlewick::api {
namespace {

constexpr int not_modified = 304;

std::string cache_control(CachePolicy policy, bool is_private) {
  switch (policy) {
    case CachePolicy::never:
      return "no-store";
    case CachePolicy::forming:
      return is_private ? "private, no-cache" : "no-cache";
    case CachePolicy::closed:
      return is_private ? "private, max-age=300" : "public, max-age=300";
    case CachePolicy::fixed:
      return is_private ? "private, max-age=31536000, immutable"
                        : "public, max-age=31536000, immutable";
  }
  return "no-store";
}

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
      passage_(std::move(start.passage)),
      clock_(start.clock),
      traffic_(start.traffic),
      started_(start.clock->steady()) {}

Call::~Call() {
  if (responder_ == nullptr) return;
  // Nobody's fault but the client's, who has gone.
  if (responder_->is_closed()) {
    count(0);
    return;
  }
  fail({.detail = "the request was dropped"});
}

void Call::json(std::string body, int status) {
  body += '\n';
  send({.status = status,
        .headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
        .body = std::move(body)});
}

void Call::json(std::string body, CachePolicy policy) {
  body += '\n';
  send_cacheable(std::move(body), "application/json", policy);
}

void Call::send_cacheable(std::string body, std::string_view content_type, CachePolicy policy) {
  net::Response response{
      .headers = {{"Cache-Control", cache_control(policy, passage_.is_private)}}};
  if (policy != CachePolicy::never) {
    std::string etag = etag_of(body);
    if (has_already(etag)) response.status = not_modified;
    response.headers.add("ETag", std::move(etag));
  }
  if (response.status != not_modified) {
    response.headers.add("Content-Type", std::string(content_type));
    response.body = std::move(body);
  }
  send(std::move(response));
}

void Call::send_file(std::string_view content, std::string_view content_type, CachePolicy policy,
                     net::Headers headers) {
  send_shared(passage_.files->of(content, content_type), content_type, policy, std::move(headers));
}

void Call::send_shared(const SharedContent& content, std::string_view content_type,
                       CachePolicy policy, net::Headers headers) {
  net::Response response{.headers = std::move(headers)};
  response.headers.add("Cache-Control", cache_control(policy, passage_.is_private));
  response.headers.add("ETag", content.etag);
  if (has_already(content.etag)) {
    response.status = not_modified;
    return send(std::move(response));
  }
  response.headers.add("Content-Type", std::string(content_type));
  response.shared_body = content.plain;
  if (content.gzip && passage_.takes_gzip) {
    response.headers.add("Content-Encoding", "gzip");
    response.shared_body = content.gzip;
  }
  send(std::move(response));
}

bool Call::has_already(std::string_view etag) const {
  if (request_.method != "GET" && request_.method != "HEAD") return false;
  // The same content, whichever way it was encoded: tags are compared as weak ones.
  return request_.headers.has_token("If-None-Match", etag) ||
         request_.headers.has_token("If-None-Match", etag.substr(2)) ||
         request_.headers.has_token("If-None-Match", "*");
}

void Call::fail(const Problem& problem) {
  auto response = to_response(problem, request_id_);
  if (passage_.speaks_udf) {
    std::string words = R"({"s":"error","errmsg":)";
    json::append_string(words, problem.detail);
    response.body.replace(0, 1, words + ',');
  }
  send(std::move(response));
}

void Call::send(net::Response response) {
  check(responder_ != nullptr, "a request is answered once");
  if (passage_.takes_gzip && response.body.size() >= least_compressed_bytes &&
      !response.headers.has("Content-Encoding") &&
      is_compressible(response.headers.get("Content-Type"))) {
    std::string compressed = net::gzip(response.body);
    if (!compressed.empty() && compressed.size() < response.body.size()) {
      response.body = std::move(compressed);
      response.headers.add("Content-Encoding", "gzip");
    }
  }
  complete(response.headers);
  count(response.status);
  std::exchange(responder_, nullptr)->send(std::move(response));
}

void Call::complete(net::Headers& headers) {
  for (auto& header : passage_.headers) headers.add(header.name, header.value);
  if (!headers.has("X-Request-Id")) headers.add("X-Request-Id", request_id_);
}

void Call::add_header(std::string_view name, std::string value) {
  passage_.headers.add(std::string(name), std::move(value));
}

void Call::count(int status) {
  const auto status_class = static_cast<std::size_t>(std::clamp(status / 100, 0, 5));
  traffic_->by_class[status_class].add();
  traffic_->seconds.observe(std::chrono::duration<double>(clock_->steady() - started_).count());
}

std::shared_ptr<net::Responder> Call::begin(int status, net::Headers headers) {
  check(responder_ != nullptr, "a request is answered once");
  complete(headers);
  count(status);
  auto responder = std::exchange(responder_, nullptr);
  responder->begin(status, std::move(headers));
  return responder;
}

std::shared_ptr<net::Responder> Call::begin_compressed(int status, net::Headers headers) {
  if (!passage_.takes_gzip) return begin(status, std::move(headers));
  check(responder_ != nullptr, "a request is answered once");
  complete(headers);
  count(status);
  auto responder = std::exchange(responder_, nullptr);
  responder->begin_gzip(status, std::move(headers));
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
