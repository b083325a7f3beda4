// What a client of /v1/stream may say, read strictly: the words, not yet their meaning.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"
#include "stream/hub.h"

namespace candlewick::stream {

struct Request {
  enum class Method : unsigned char { subscribe, unsubscribe, list };

  Method method = Method::list;
  std::vector<std::string> params{};
  // Of `after`: stream and cursor, "session:seq". The stream is empty where one cursor was given
  // for the only stream.
  std::vector<std::pair<std::string, std::string>> after{};
};

struct ReadRequest {
  std::string id = "null";  // as sent: a number, a string or null
  std::variant<Request, Refusal> content;
};

ReadRequest read_request(json::Reader& reader, std::string_view text);

// {"result":null,"id":1}
std::string result_text(std::string_view result, std::string_view id);
std::string error_text(const Refusal& refusal, std::string_view id);

}  // namespace candlewick::stream
