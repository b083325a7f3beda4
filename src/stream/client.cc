// A request is checked whole before anything of it is done.
#include "stream/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <vector>

#include "base/json_text.h"

namespace candlewick::stream {

using namespace std::chrono_literals;

namespace {

constexpr int unsupported_data = 1003;
constexpr int policy_violation = 1008;
constexpr int message_too_big = 1009;

std::string text_of(Time now) {
  return to_rfc3339(std::chrono::floor<std::chrono::milliseconds>(now));
}

struct Cursor {
  std::string_view session;
  std::uint64_t sequence = 0;
};

std::optional<Cursor> parse_cursor(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  Cursor cursor{.session = text.substr(0, colon)};
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data() + colon + 1, last, cursor.sequence);
  if (end != last || error != std::errc{}) return std::nullopt;
  return cursor;
}

}  // namespace

Client::Client(Hub& hub, const Clock& clock, ClientLimits limits, std::function<void()> on_waiting)
    : hub_(hub),
      clock_(clock),
      limits_(limits),
      on_waiting_(std::move(on_waiting)),
      outbox_(limits.outbox),
      sent_(clock.steady()) {
  std::string hello =
      fmt::format(R"({{"type":"hello","session":"{}","time":"{}","heartbeat_seconds":{}}})",
                  hub_.session(), text_of(clock_.now()), limits_.heartbeat / 1s);
  outbox_.reply(std::move(hello));
}

Client::~Client() {
  for (const auto& key : streams_) hub_.leave(*this, key);
}

void Client::on_message(const StreamKey& key, const Message& message) {
  if (close_) return;
  const bool was_empty = outbox_.is_empty();
  outbox_.push(key, message);
  if (was_empty && !is_receiving_) on_waiting_();
}

Text Client::next() {
  if (close_) return nullptr;
  Text text = outbox_.next();
  if (text != nullptr) sent_ = clock_.steady();
  return text;
}

void Client::tick() {
  if (close_ || has_next() || clock_.steady() - sent_ < limits_.heartbeat) return;
  outbox_.reply(fmt::format(R"({{"type":"heartbeat","time":"{}"}})", text_of(clock_.now())));
  on_waiting_();
}

void Client::receive(std::string_view text, bool is_binary) {
  if (close_) return;
  if (is_binary) {
    close_ = {unsupported_data, "text only"};
    return;
  }
  if (text.size() > limits_.message_bytes) {
    close_ = {message_too_big, "a message is too long"};
    return;
  }
  const SteadyTime now = clock_.steady();
  while (!received_.empty() && now - received_.front() >= 1s) received_.pop_front();
  received_.push_back(now);
  if (received_.size() > limits_.messages_a_second) {
    close_ = {policy_violation, "too many messages"};
    return;
  }
  if (outbox_.replies() >= limits_.replies) {
    close_ = {policy_violation, "too slow: replies are not read"};
    return;
  }
  is_receiving_ = true;
  const ReadRequest read = read_request(reader_, text);
  if (const auto* refusal = std::get_if<Refusal>(&read.content)) {
    outbox_.reply(error_text(*refusal, read.id));
  } else if (const auto refused = obey(std::get<Request>(read.content), read.id)) {
    outbox_.reply(error_text(*refused, read.id));
  }
  is_receiving_ = false;
}

std::optional<Refusal> Client::obey(const Request& request, std::string_view id) {
  switch (request.method) {
    case Request::Method::subscribe:
      return subscribe(request, id);
    case Request::Method::unsubscribe:
      return unsubscribe(request, id);
    case Request::Method::list:
      list(id);
  }
  return std::nullopt;
}

std::optional<Refusal> Client::subscribe(const Request& request, std::string_view id) {
  std::map<StreamKey, std::optional<std::uint64_t>> wanted;
  std::vector<StreamKey> order;
  std::size_t count = streams_.size();
  for (const auto& name : request.params) {
    StreamKey key;
    if (auto refusal = hub_.find(name, key)) return refusal;
    if (!wanted.emplace(key, std::nullopt).second || streams_.contains(key)) continue;
    order.push_back(key);
    if (++count > limits_.streams) {
      return Refusal{
          .code = "too_many_streams",
          .message = fmt::format("a connection holds at most {} streams", limits_.streams),
          .param = name};
    }
  }
  for (const auto& [name, text] : request.after) {
    const auto cursor = parse_cursor(text);
    if (!cursor)
      return Refusal{
          .code = "bad_request", .message = "a cursor is \"session:seq\"", .param = text};
    StreamKey key = wanted.begin()->first;
    if (!name.empty()) {
      if (auto refusal = hub_.find(name, key)) return refusal;
      if (!wanted.contains(key)) {
        return Refusal{.code = "bad_request",
                       .message = "has a cursor in `after`, but is not in `params`",
                       .param = name};
      }
    }
    // Of another run the numbers mean nothing.
    if (cursor->session == hub_.session()) wanted[key] = cursor->sequence;
  }
  outbox_.reply(result_text("null", id));
  for (const auto& key : order) {
    streams_.insert(key);
    outbox_.add(key, hub_.head(key));
    hub_.join(*this, key, wanted[key]);
  }
  return std::nullopt;
}

std::optional<Refusal> Client::unsubscribe(const Request& request, std::string_view id) {
  std::set<StreamKey> unwanted;
  for (const auto& name : request.params) {
    StreamKey key;
    if (auto refusal = hub_.find(name, key)) {
      // What is followed no more can still be left, by the name that events have.
      const auto held = std::ranges::find_if(
          streams_, [&](const StreamKey& known) { return hub_.name(known) == name; });
      if (held == streams_.end()) return refusal;
      key = *held;
    }
    if (!streams_.contains(key)) {
      return Refusal{
          .code = "not_subscribed", .message = "is not a stream of this connection", .param = name};
    }
    unwanted.insert(key);
  }
  for (const auto& key : unwanted) {
    hub_.leave(*this, key);
    outbox_.remove(key);
    streams_.erase(key);
  }
  outbox_.reply(result_text("null", id));
  return std::nullopt;
}

void Client::list(std::string_view id) {
  std::string names = "[";
  for (const auto& key : streams_) {
    if (names.size() > 1) names += ',';
    json::append_string(names, hub_.name(key));
  }
  outbox_.reply(result_text(names + ']', id));
}

}  // namespace candlewick::stream
