// What the tests of feeds share: a venue with a protocol of its own, a port that keeps what it was
// asked to do, and a handler that keeps what it was told.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exchange/registry.h"
#include "feed/venue_feed.h"

namespace candlewick::feed::testing {

using namespace std::chrono_literals;

// 2024-05-01T12:00:00Z
inline constexpr Time noon = time_from_ms(1'714'564'800'000);

inline std::string line_of(const Session::Action& action) {
  using enum Session::Action::Kind;
  switch (action.kind) {
    case open:
      return fmt::format("open {} {}", action.connection, action.text);
    case send:
      return fmt::format("send {} {}", action.connection, action.text);
    case close:
      return fmt::format("close {}", action.connection);
  }
  return {};
}

inline std::vector<std::string> lines_of(const std::vector<Session::Action>& actions) {
  std::vector<std::string> lines;
  for (const auto& action : actions) lines.push_back(line_of(action));
  return lines;
}

// Keeps what was asked of it, as "open 1 wss://…", "send 1 {…}", "close 1" and "get 1 https://…".
class FakePort final : public Port {
 public:
  void open(ConnectionId connection, const std::string& url) override {
    actions.push_back(fmt::format("open {} {}", connection, url));
    newest = connection;
  }
  void send(ConnectionId connection, std::string message) override {
    actions.push_back(fmt::format("send {} {}", connection, message));
  }
  void close(ConnectionId connection) override {
    actions.push_back(fmt::format("close {}", connection));
  }
  void request(RequestId request, const std::string& url,
               const exchange::RestRequest& rest) override {
    actions.push_back(
        fmt::format("{} {} {}", rest.method == "GET" ? "get" : rest.method, request, url));
    requests.push_back(request);
  }
  // What came since the last call.
  std::vector<std::string> take() { return std::exchange(actions, {}); }
  std::vector<RequestId> take_requests() { return std::exchange(requests, {}); }

  std::vector<std::string> actions;
  std::vector<RequestId> requests;
  ConnectionId newest = 0;
};

class FakeHandler final : public FeedHandler {
 public:
  void on_events(const Events& news) override {
    events.insert(events.end(), news.begin(), news.end());
  }
  void on_reply(RequestId request, const Events& news) override {
    replies.emplace_back(request, news);
  }
  void on_request_refused(RequestId request, const Error& error) override {
    refused.emplace_back(request, error.message);
  }
  void on_live(const std::vector<exchange::Channel>& channels) override {
    story.push_back(fmt::format("live {}", channels.size()));
  }
  void on_down(const std::vector<exchange::Channel>& channels, std::string_view reason) override {
    story.push_back(fmt::format("down {} {}", channels.size(), reason));
  }

  Events events;
  std::vector<std::pair<RequestId, Events>> replies;
  std::vector<std::pair<RequestId, std::string>> refused;
  std::vector<std::string> story;
};

}  // namespace candlewick::feed::testing
