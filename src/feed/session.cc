// The life of a subscription.
#include "feed/session.h"

#include <algorithm>
#include <cmath>

namespace candlewick::feed {

using namespace std::chrono_literals;

namespace {

// A connection that has carried data for this long was no false start: the next one is made at
// once.
constexpr Duration settled_after = 10s;
// Pauses are forgotten by half in this time.
constexpr double pause_half_life_s = 600.0;

}  // namespace

Session::Session(const exchange::Venue& venue, std::vector<exchange::Channel> channels,
                 SessionOptions options, ConnectionId& next_id)
    : venue_(venue),
      channels_(std::move(channels)),
      options_(std::move(options)),
      next_id_(next_id),
      backoff_(options_.backoff, options_.seed),
      handover_backoff_(options_.backoff, options_.seed + 1) {}

Duration Session::send_interval() const {
  // One below the limit: the venue counts pongs too.
  const auto per_second = std::max<std::size_t>(2, venue_.limits.messages_per_second) - 1;
  return Duration{1s} / static_cast<std::int64_t>(per_second);
}

Session::Connection Session::connect(SteadyTime now) {
  Connection connection;
  connection.id = next_id_++;
  connection.opened = now;
  connection.last_frame = now;
  connection.last_data = now;
  actions_.push_back(
      {Action::Kind::open, connection.id, venue_.stream_url(options_.ws_url, channels_)});
  return connection;
}

void Session::start(SteadyTime now) {
  if (!stopped_ && !current_) current_ = connect(now);
}

Session::Connection* Session::find(ConnectionId connection) {
  if (current_ && current_->id == connection) return &*current_;
  if (replacement_ && replacement_->id == connection) return &*replacement_;
  return nullptr;
}

bool Session::owns(ConnectionId connection) const {
  return (current_ && current_->id == connection) ||
         (replacement_ && replacement_->id == connection);
}

void Session::on_open(ConnectionId id, SteadyTime now) {
  Connection* connection = find(id);
  if (connection == nullptr) return;
  connection->state = State::subscribing;
  connection->opened = now;
  connection->last_frame = now;
  connection->last_data = now;
  connection->handover_at = now + options_.handover_age;
  queue(*connection, venue_.subscribe, channels_);
  connection->next_send = now;
  connection->next_heartbeat = now + heartbeat_interval_;
  send_due(*connection, now);
}

void Session::queue(Connection& connection, ControlText text,
                    std::span<const exchange::Channel> channels) {
  auto messages = text(channels, next_request_);
  next_request_ += messages.size();
  for (auto& message : messages) connection.unsent.push_back(std::move(message));
}

// One that is not open yet subscribes to what is wanted by then.
void Session::tell_open_ones(ControlText text, std::span<const exchange::Channel> channels,
                             SteadyTime now) {
  for (auto* connection : {&current_, &replacement_}) {
    if (!*connection || (*connection)->state == State::connecting) continue;
    queue(**connection, text, channels);
    send_due(**connection, now);
  }
}

void Session::add(std::vector<exchange::Channel> channels, SteadyTime now) {
  channels_.insert(channels_.end(), channels.begin(), channels.end());
  tell_open_ones(venue_.subscribe, channels, now);
}

// A connection whose URL names one of them may still bring it.
void Session::remove(std::span<const exchange::Channel> channels, SteadyTime now) {
  std::erase_if(channels_, [&](const exchange::Channel& channel) {
    return std::ranges::find(channels, channel) != channels.end();
  });
  if (!venue_.unsubscribe(channels, next_request_).empty())
    return tell_open_ones(venue_.unsubscribe, channels, now);
  // There are no words for it: another connection is made with what remains, since what this one
  // carries counts at the venue.
  retire(replacement_);
  if (current_ && current_->state != State::connecting && !stopped_) replacement_ = connect(now);
}

void Session::send_due(Connection& connection, SteadyTime now) {
  if (connection.state == State::connecting) return;
  if (heartbeat_interval_ > Duration{0} && now >= connection.next_heartbeat) {
    actions_.push_back({Action::Kind::send, connection.id, venue_.heartbeat.text(next_request_++)});
    connection.next_heartbeat = now + heartbeat_interval_;
  }
  if (connection.unsent.empty() || connection.next_send > now) return;
  actions_.push_back({Action::Kind::send, connection.id, std::move(connection.unsent.front())});
  connection.unsent.pop_front();
  connection.next_send = now + send_interval();
}

bool Session::on_frame(ConnectionId id, bool is_data, SteadyTime now) {
  Connection* connection = find(id);
  if (connection == nullptr) return false;
  connection->last_frame = now;
  last_frame_ = now;
  if (!is_data) return false;
  note_data(*connection, now);
  if (connection->state == State::live) return false;
  connection->state = State::live;
  if (replacement_ && replacement_->id == id && replacement_->unsent.empty()) {
    retire(current_);
    current_ = std::move(replacement_);
    replacement_.reset();
    handover_backoff_.reset();
  } else if (replacement_ && replacement_->id == id) {
    // Not all channels are subscribed yet: the old connection carries the rest.
    replacement_->state = State::subscribing;
    return false;
  }
  return true;
}

// Pings keep coming on a connection whose subscriptions a venue has lost, so data has a limit of
// its own. How long a market may be quiet is not known beforehand: the limit follows the pauses
// that were seen.
Duration Session::data_limit() const {
  if (!longest_pause_) return 4 * options_.silence_limit;
  return std::clamp(8 * *longest_pause_, options_.silence_limit, 10 * options_.silence_limit);
}

SteadyTime Session::silent_at(const Connection& connection) const {
  return std::min(connection.last_frame + options_.silence_limit,
                  connection.last_data + data_limit());
}

void Session::note_data(Connection& connection, SteadyTime now) {
  const Duration pause = now - connection.last_data;
  connection.last_data = now;
  if (now - connection.opened >= settled_after) backoff_.reset();
  if (connection.state != State::live)
    return;  // the time to subscribe says nothing about the market
  const double faded = std::exp2(-std::chrono::duration<double>(pause).count() / pause_half_life_s);
  const auto before = static_cast<double>(longest_pause_.value_or(Duration{0}).count());
  longest_pause_ = std::max(pause, Duration{static_cast<Duration::rep>(before * faded)});
}

// The connection in charge still works: only its replacement waits.
void Session::try_again_later(SteadyTime now, std::optional<Duration> at_least) {
  const Duration wait = handover_backoff_.next(at_least.value_or(Duration::zero()));
  if (current_) current_->handover_at = now + wait;
}

void Session::retire(std::optional<Connection>& connection) {
  if (!connection) return;
  actions_.push_back({Action::Kind::close, connection->id, {}});
  connection.reset();
}

void Session::schedule_reconnect(SteadyTime now, std::optional<Duration> at_least) {
  reconnect_at_ = now + backoff_.next(at_least.value_or(Duration::zero()));
}

void Session::on_closed(ConnectionId id, const Disconnect& why, SteadyTime now) {
  if (replacement_ && replacement_->id == id) {
    replacement_.reset();
    last_error_ = why.reason;
    try_again_later(now, why.retry_after);
    return;
  }
  if (!current_ || current_->id != id) return;
  last_error_ = why.reason;
  current_.reset();
  if (stopped_) return;
  ++reconnects_;
  if (replacement_) {
    current_ = std::move(replacement_);
    replacement_.reset();
    return;
  }
  schedule_reconnect(now, why.retry_after);
}

void Session::on_shutdown_notice(ConnectionId id, SteadyTime now) {
  if (!current_ || current_->id != id || replacement_ || stopped_) return;
  replacement_ = connect(now);
}

void Session::on_tick(SteadyTime now) {
  if (stopped_) return;
  if (reconnect_at_ && *reconnect_at_ <= now) {
    reconnect_at_.reset();
    current_ = connect(now);
  }
  if (current_) {
    send_due(*current_, now);
    const bool silent = current_->state != State::connecting && now >= silent_at(*current_);
    if (silent) {
      if (now >= current_->last_frame + options_.silence_limit) {
        last_error_ = "silence: no frame for longer than the limit";
      } else {
        last_error_ = "silence: no data for much longer than usual";
        // If it is the market that is quiet, the next limit is longer.
        longest_pause_ = std::max(longest_pause_.value_or(Duration{0}), now - current_->last_data);
      }
      lose_current(now);
    } else if (!replacement_ && current_->state == State::live && now >= current_->handover_at) {
      replacement_ = connect(now);
    }
  }
  if (replacement_) {
    send_due(*replacement_, now);
    if (now - replacement_->opened >= options_.handover_patience) {
      retire(replacement_);
      try_again_later(now, std::nullopt);
    }
  }
}

void Session::lose_current(SteadyTime now) {
  ++reconnects_;
  retire(current_);
  if (replacement_) {
    current_ = std::move(replacement_);
    replacement_.reset();
  } else {
    schedule_reconnect(now, std::nullopt);
  }
}

void Session::subscribe_again(const exchange::Channel& channel, SteadyTime now) {
  if (!current_ || current_->state != State::live) return;
  for (const auto text : {venue_.unsubscribe, venue_.subscribe})
    queue(*current_, text, {&channel, 1});
  send_due(*current_, now);
}

void Session::abandon(ConnectionId id, std::string reason, SteadyTime now) {
  if (replacement_ && replacement_->id == id) {
    retire(replacement_);
    return try_again_later(now, std::nullopt);
  }
  if (!current_ || current_->id != id || stopped_) return;
  last_error_ = std::move(reason);
  lose_current(now);
}

void Session::stop() {
  stopped_ = true;
  reconnect_at_.reset();
  retire(replacement_);
  retire(current_);
}

std::optional<SteadyTime> Session::next_wake() const {
  std::optional<SteadyTime> wake = reconnect_at_;
  const auto consider = [&](SteadyTime time) { wake = wake ? std::min(*wake, time) : time; };
  if (current_ && current_->state != State::connecting) {
    consider(silent_at(*current_));
    if (!current_->unsent.empty()) consider(current_->next_send);
    if (heartbeat_interval_ > Duration{0}) consider(current_->next_heartbeat);
    if (!replacement_ && current_->state == State::live) consider(current_->handover_at);
  }
  if (replacement_) {
    consider(replacement_->opened + options_.handover_patience);
    if (replacement_->state != State::connecting) {
      if (!replacement_->unsent.empty()) consider(replacement_->next_send);
      if (heartbeat_interval_ > Duration{0}) consider(replacement_->next_heartbeat);
    }
  }
  return wake;
}

std::vector<Session::Action> Session::take_actions() {
  return std::exchange(actions_, {});
}

}  // namespace candlewick::feed
