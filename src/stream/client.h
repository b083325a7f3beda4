// One client of /v1/stream: what it says, what it is told, and when it has to go. Plain
// computation: whoever has the socket hands in messages and takes out texts. On the hub's thread.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"
#include "stream/hub.h"
#include "stream/outbox.h"
#include "stream/request.h"

namespace candlewick::stream {

struct ClientLimits {
  std::size_t streams = 1024;
  std::size_t messages_a_second = 20;
  std::size_t message_bytes = 64U << 10U;
  std::size_t replies = 64;  // that wait to be taken
  Outbox::Limits outbox{};
  Duration heartbeat = std::chrono::seconds{15};
};

class Client final : public Listener {
 public:
  struct Close {
    int code = 0;
    std::string_view reason{};
  };

  // Hub and clock outlive it. `on_waiting`: something waits that did not before; not called from
  // inside receive(), nor from next().
  Client(Hub& hub, const Clock& clock, ClientLimits limits, std::function<void()> on_waiting);
  ~Client() override;

  void receive(std::string_view text, bool is_binary);
  // Once a second.
  void tick();
  // What to send; null: nothing.
  Text next();
  bool has_next() const { return !outbox_.is_empty(); }
  // The client broke a limit: send nothing more, and close.
  const std::optional<Close>& close() const { return close_; }
  const Outbox& outbox() const { return outbox_; }
  std::size_t streams() const { return streams_.size(); }

  void on_message(const StreamKey& key, const Message& message) override;

 private:
  std::optional<Refusal> obey(const Request& request, std::string_view id);
  std::optional<Refusal> subscribe(const Request& request, std::string_view id);
  std::optional<Refusal> unsubscribe(const Request& request, std::string_view id);
  void list(std::string_view id);

  Hub& hub_;
  const Clock& clock_;
  ClientLimits limits_;
  std::function<void()> on_waiting_;
  Outbox outbox_;
  json::Reader reader_;
  std::set<StreamKey> streams_;
  std::deque<SteadyTime> received_;  // messages of the last second
  SteadyTime sent_{};
  bool is_receiving_ = false;
  std::optional<Close> close_;
};

}  // namespace candlewick::stream
