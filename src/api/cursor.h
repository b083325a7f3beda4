// Where the next page begins, as opaque text that carries the question it belongs to: a client may
// send the cursor alone or repeat its parameters. It is no secret and is checked like any other
// input.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/url.h"

namespace candlewick::api {

struct Cursor {
  std::string route;      // "/v1/candles"
  std::int64_t position;  // what it counts is the resource's
  net::Query parameters;  // of the question
  std::string beside{};   // what the position does not tell alone; printable ASCII, may be empty
};

std::string to_text(const Cursor& cursor);
// Error: malformed (cut, changed, or of another version).
Result<Cursor> parse_cursor(std::string_view text);

std::string to_base64url(std::string_view bytes);
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace candlewick::api
