// What clients are told when something cannot be answered: application/problem+json (RFC 9457) with
// a code that stays the same, so that programs need not read sentences.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "net/server.h"

namespace candlewick::api {

struct ProblemKind {
  std::string_view code;
  int status;
  std::string_view title;
};

namespace problems {
inline constexpr ProblemKind unknown_parameter{"unknown_parameter", 400, "Unknown parameter"};
inline constexpr ProblemKind missing_parameter{"missing_parameter", 400, "Missing parameter"};
inline constexpr ProblemKind repeated_parameter{"repeated_parameter", 400, "Repeated parameter"};
inline constexpr ProblemKind invalid_parameter{"invalid_parameter", 400, "Invalid parameter"};
inline constexpr ProblemKind invalid_range{"invalid_range", 400, "Invalid range of time"};
inline constexpr ProblemKind invalid_cursor{"invalid_cursor", 400, "Invalid cursor"};
inline constexpr ProblemKind cursor_mismatch{"cursor_mismatch", 400, "Cursor of another question"};
inline constexpr ProblemKind invalid_request{"invalid_request", 400, "Invalid request"};
inline constexpr ProblemKind invalid_body{"invalid_body", 400, "Invalid body"};
inline constexpr ProblemKind unauthorized{"unauthorized", 401, "Key needed"};
inline constexpr ProblemKind forbidden{"forbidden", 403, "Not allowed"};
inline constexpr ProblemKind unknown_route{"unknown_route", 404, "No such page"};
inline constexpr ProblemKind unknown_symbol{"unknown_symbol", 404, "Unknown symbol"};
inline constexpr ProblemKind unknown_exchange{"unknown_exchange", 404, "Unknown exchange"};
inline constexpr ProblemKind trades_not_kept{"trades_not_kept", 404, "Trades are not kept"};
inline constexpr ProblemKind method_not_allowed{"method_not_allowed", 405, "Method not allowed"};
// What the server refuses before a resource sees it.
inline constexpr ProblemKind request_timeout{"request_timeout", 408, "Request Timeout"};
inline constexpr ProblemKind content_too_large{"content_too_large", 413, "Content Too Large"};
inline constexpr ProblemKind header_too_large{"request_header_fields_too_large", 431,
                                              "Request Header Fields Too Large"};
inline constexpr ProblemKind upgrade_required{"upgrade_required", 426, "Upgrade required"};
inline constexpr ProblemKind rate_limited{"rate_limited", 429, "Too many requests"};
inline constexpr ProblemKind internal_error{"internal_error", 500, "Internal error"};
inline constexpr ProblemKind no_data_yet{"no_data_yet", 503, "No data yet"};
inline constexpr ProblemKind book_resyncing{"book_resyncing", 503, "Order book is synchronising"};
inline constexpr ProblemKind too_busy{"too_busy", 503, "Too busy"};
inline constexpr ProblemKind warehouse_unavailable{"warehouse_unavailable", 503,
                                                   "Warehouse unavailable"};
}  // namespace problems

// For the description of the API and its test.
std::span<const ProblemKind* const> all_problems();

struct Problem {
  const ProblemKind* kind = &problems::internal_error;
  std::string detail{};
  std::string parameter{};               // empty: none is at fault
  std::vector<std::string> near{};       // what was probably meant
  int retry_after_seconds = 0;           // 0: not said
  std::string_view allow = "GET, HEAD";  // of method_not_allowed
  std::optional<Time> stale_since{};  // of book_resyncing, which always says it, null when unknown
};

net::Response to_response(const Problem& problem, std::string_view request_id);

// What the server itself refused (framing, sizes, time limits), in the same form.
net::Response to_response(int status, std::string_view reason, std::string_view request_id);

}  // namespace candlewick::api
