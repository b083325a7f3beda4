// Every refusal names the member or the string at fault.
#include "stream/request.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/json_text.h"

namespace candlewick::stream {
namespace {

constexpr std::size_t most_id_bytes = 128;
constexpr std::size_t most_name_bytes = 256;
// More than any connection may hold, so that the client is told of its limit and not of this one.
constexpr std::size_t most_params = 20'000;

// The members of a request; the first problem sticks.
class Draft {
 public:
  void take(std::string_view key, json::Value value) {
    if (!seen_.emplace(key).second) return refuse("bad_request", "is there twice", key);
    if (key == "id") {
      take_id(value);
    } else if (key == "method") {
      take_method(value);
    } else if (key == "params") {
      take_params(value);
    } else if (key == "after") {
      take_after(value);
    } else {
      refuse("bad_request", "there is no such member: method, params, after, id", key);
    }
  }

  std::string id() const { return id_; }

  std::variant<Request, Refusal> finish() {
    const bool has_params = seen_.contains("params");
    const bool lists = request_.method == Request::Method::list;
    if (!refusal_ && !seen_.contains("method")) refuse("bad_request", "is missing", "method");
    if (!refusal_ && !lists && !has_params) refuse("bad_request", "is missing", "params");
    if (!refusal_ && lists && has_params) refuse("bad_request", "is not for this method", "params");
    if (!refusal_ && seen_.contains("after") && request_.method != Request::Method::subscribe)
      refuse("bad_request", "is only for SUBSCRIBE", "after");
    if (!refusal_ && has_params && request_.params.empty())
      refuse("bad_request", "is empty", "params");
    if (!refusal_ && has_plain_after_ && request_.params.size() != 1) {
      refuse("after_needs_one_stream",
             "one cursor belongs to one stream; for several send {\"stream\":\"session:seq\"}",
             "after");
    }
    if (refusal_) return *std::move(refusal_);
    return std::move(request_);
  }

 private:
  void refuse(std::string_view code, std::string message, std::string_view param) {
    if (refusal_) return;
    refusal_ = Refusal{.code = code,
                       .message = std::move(message),
                       .param = std::string(param.substr(0, most_name_bytes))};
  }

  void take_id(json::Value value) {
    const auto type = value.type();
    const bool is_plain =
        type == json::Type::number || type == json::Type::string || type == json::Type::null;
    const std::string_view text = is_plain ? value.text() : std::string_view();
    if (!is_plain || text.size() > most_id_bytes) {
      return refuse("bad_request",
                    fmt::format("is a number, a string or null of at most {} bytes", most_id_bytes),
                    "id");
    }
    id_ = text;
  }

  void take_method(json::Value value) {
    if (value.type() != json::Type::string) return refuse("bad_request", "is a string", "method");
    const std::string_view name = value.string();
    if (name == "SUBSCRIBE") {
      request_.method = Request::Method::subscribe;
    } else if (name == "UNSUBSCRIBE") {
      request_.method = Request::Method::unsubscribe;
    } else if (name != "LIST_SUBSCRIPTIONS") {
      refuse("unknown_method", "the methods are SUBSCRIBE, UNSUBSCRIBE and LIST_SUBSCRIPTIONS",
             name);
    }
  }

  void take_params(json::Value value) {
    if (value.type() != json::Type::array)
      return refuse("bad_request", "is an array of strings", "params");
    value.elements([&](json::Value element) {
      if (element.type() != json::Type::string)
        return refuse("bad_request", "is an array of strings", "params");
      const std::string_view name = element.string();
      if (name.size() > most_name_bytes)
        return refuse("unknown_stream", "a stream is EXCHANGE:SYMBOL@CHANNEL", name);
      if (request_.params.size() < most_params) request_.params.emplace_back(name);
    });
  }

  void take_after(json::Value value) {
    const auto type = value.type();
    if (type == json::Type::string) {
      has_plain_after_ = true;
      request_.after.emplace_back("", std::string(value.string()));
      return;
    }
    if (type != json::Type::object)
      return refuse("bad_request", "is \"session:seq\", or an object of them by stream", "after");
    value.members([&](std::string_view stream, json::Value cursor) {
      if (cursor.type() != json::Type::string)
        return refuse("bad_request", "has a cursor that is no string", "after");
      request_.after.emplace_back(std::string(stream), std::string(cursor.string()));
    });
  }

  Request request_;
  std::string id_ = "null";
  std::set<std::string, std::less<>> seen_;
  std::optional<Refusal> refusal_;
  bool has_plain_after_ = false;
};

}  // namespace

ReadRequest read_request(json::Reader& reader, std::string_view text) {
  Draft draft;
  const auto read = reader.read(text, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) { draft.take(key, value); });
  });
  if (!read) {
    return {.content = Refusal{.code = "bad_request",
                               .message = "not a JSON object: " + read.error().message}};
  }
  return {.id = draft.id(), .content = draft.finish()};
}

std::string result_text(std::string_view result, std::string_view id) {
  return fmt::format(R"({{"result":{},"id":{}}})", result, id);
}

std::string error_text(const Refusal& refusal, std::string_view id) {
  std::string out = R"({"error":)";
  json::Members members(out);
  members("code", refusal.code)("message", refusal.message);
  if (!refusal.param.empty()) members("param", refusal.param);
  members.close();
  out += R"(,"id":)";
  out += id;
  out += '}';
  return out;
}

}  // namespace candlewick::stream
