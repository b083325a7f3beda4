// Where messages go and in which form: Slack, Discord, Telegram, and any address that takes JSON.
// What the address or the token is leaves this file only as a request.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alert/message.h"
#include "base/config.h"
#include "base/result.h"
#include "net/http_client.h"

namespace candlewick::alert {

struct Receiver {
  std::string name;  // "slack", "discord", "telegram", "webhook"
  std::string host;  // for people: the rest of the address may be a secret
  std::function<net::HttpRequest(const Message&)> request;
  // Takes whatever may be secret out of an error's or an answer's words.
  std::function<std::string(std::string)> redact;
};

// Those that are configured, in a fixed order. Error: misconfigured, naming the key, never its
// value.
Result<std::vector<Receiver>> make_receivers(const Config::Alerts& config);

// One line for people: "FIRING feed_dead (critical): okx is not connected [exchange=okx]".
std::string to_line(const Message& message);
// {"name","severity","state","summary","labels":{…},"at","since"}
std::string to_json(const Message& message);

// At most so many UTF-16 code units, which is how chats count; cut at a character, with "…".
std::string cut(std::string text, std::size_t units);

// What an answer means for the message.
struct Verdict {
  enum class Kind : unsigned char { delivered, retry, refused };
  Kind kind = Kind::delivered;
  std::optional<Duration> at_least;  // the receiver asked to wait
  std::string problem;               // not redacted
};
Verdict judge(const Result<net::HttpResponse>& answer);

}  // namespace candlewick::alert
