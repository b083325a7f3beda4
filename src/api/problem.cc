// One body for all errors, whoever found them.
#include "api/problem.h"

#include <array>

#include "base/json_text.h"

namespace candlewick::api {
namespace {

constexpr std::array<const ProblemKind*, 26> kinds{
    &problems::unknown_parameter,  &problems::missing_parameter,
    &problems::repeated_parameter, &problems::invalid_parameter,
    &problems::invalid_range,      &problems::invalid_cursor,
    &problems::cursor_mismatch,    &problems::invalid_request,
    &problems::invalid_body,       &problems::unauthorized,
    &problems::forbidden,          &problems::unknown_route,
    &problems::unknown_symbol,     &problems::unknown_exchange,
    &problems::trades_not_kept,    &problems::method_not_allowed,
    &problems::request_timeout,    &problems::content_too_large,
    &problems::header_too_large,   &problems::upgrade_required,
    &problems::rate_limited,       &problems::internal_error,
    &problems::no_data_yet,        &problems::book_resyncing,
    &problems::too_busy,           &problems::warehouse_unavailable};

// The server's own refusals have statuses of their own; their code is the status' name.
std::string code_of(int status) {
  std::string code;
  for (const char c : net::status_text(status)) {
    if (c >= 'A' && c <= 'Z') {
      code += static_cast<char>(c - 'A' + 'a');
    } else {
      code += c >= 'a' && c <= 'z' ? c : '_';
    }
  }
  return code;
}

net::Response respond(int status, std::string_view code, std::string_view title,
                      std::string_view request_id, const Problem& problem) {
  net::Response response{.status = status};
  std::string& out = response.body;
  json::Members members(out);
  members("type", fmt::format("urn:candlewick:problem:{}", code))("title", title)("status", status)(
      "code", code)("detail", problem.detail);
  if (!problem.parameter.empty()) members("parameter", problem.parameter);
  if (!problem.near.empty()) {
    std::string& list = members.name("near");
    list += '[';
    for (const auto& symbol : problem.near) {
      if (list.back() != '[') list += ',';
      json::append_string(list, symbol);
    }
    list += ']';
  }
  if (code == problems::book_resyncing.code) members.nullable("stale_since", problem.stale_since);
  members("request_id", request_id).close();
  out += '\n';
  response.headers.add("Content-Type", "application/problem+json");
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("X-Request-Id", std::string(request_id));
  if (problem.retry_after_seconds > 0) {
    response.headers.add("Retry-After", std::to_string(problem.retry_after_seconds));
  }
  if (status == problems::method_not_allowed.status)
    response.headers.add("Allow", std::string(problem.allow));
  if (status == problems::unauthorized.status) response.headers.add("WWW-Authenticate", "Bearer");
  return response;
}

}  // namespace

std::span<const ProblemKind* const> all_problems() {
  return kinds;
}

net::Response to_response(const Problem& problem, std::string_view request_id) {
  const ProblemKind& kind = *problem.kind;
  return respond(kind.status, kind.code, kind.title, request_id, problem);
}

net::Response to_response(int status, std::string_view reason, std::string_view request_id) {
  for (const auto* kind :
       {&problems::invalid_request, &problems::unknown_route, &problems::method_not_allowed,
        &problems::request_timeout, &problems::content_too_large, &problems::header_too_large,
        &problems::internal_error}) {
    if (kind->status != status) continue;
    return respond(status, kind->code, kind->title, request_id, {.detail = std::string(reason)});
  }
  Problem problem{.detail = std::string(reason)};
  if (status == problems::too_busy.status) {
    problem.kind = &problems::too_busy;
    problem.retry_after_seconds = 1;
    return to_response(problem, request_id);
  }
  return respond(status, code_of(status), net::status_text(status), request_id, problem);
}

}  // namespace candlewick::api
