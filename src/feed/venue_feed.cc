// Glue between sessions, decoders and requests of one venue.
#include "feed/venue_feed.h"

#include <algorithm>

#include "feed/observations.h"

namespace candlewick::feed {

using namespace std::chrono_literals;

struct VenueFeed::Request {
  exchange::RestRequest rest;
  std::string url;
  Priority priority = Priority::live;
  SteadyTime not_before{};
  std::uint32_t attempts = 0;
  bool is_under_way = false;
  std::optional<net::Backoff> backoff;  // since it failed first
};

namespace {

SessionOptions session_options(const exchange::Venue& venue, const FeedOptions& options,
                               std::uint64_t seed) {
  SessionOptions session;
  session.ws_url = options.ws_url.empty() ? std::string(venue.ws_url) : options.ws_url;
  session.silence_limit =
      options.silence_limit > Duration{0} ? options.silence_limit : venue.silence_limit;
  // Half an hour early, less for each session by its seed, so that they do not all change at once.
  const Duration age = venue.limits.max_connection_age > Duration{0}
                           ? venue.limits.max_connection_age
                           : Duration{24h};
  session.handover_age = age - age / 24 - (age / 48) * static_cast<std::int64_t>(seed % 16) / 16;
  session.backoff = options.reconnect_backoff;
  session.seed = seed;
  return session;
}

// What a market says, in contrast to what the venue says about the connection.
bool is_data(const Event& event) {
  return !std::holds_alternative<Refusal>(event) &&
         !std::holds_alternative<ShutdownNotice>(event) &&
         !std::holds_alternative<LimitNotice>(event) &&
         !std::holds_alternative<ClockReading>(event);
}

}  // namespace

VenueFeed::VenueFeed(const exchange::Venue& venue, Catalogue& catalogue, FeedOptions options,
                     Port& port, FeedHandler& handler, Observer& observer, FrameTap* tap)
    : venue_(venue),
      catalogue_(catalogue),
      options_(std::move(options)),
      port_(port),
      handler_(handler),
      observer_(observer),
      tap_(tap),
      reply_decoder_(venue.make_decoder(catalogue)),
      budget_(venue.limits.weight_per_minute, options_.budget_share),
      request_backoff_(options_.request_backoff, options_.seed) {}

VenueFeed::~VenueFeed() = default;

int VenueFeed::line_of(const exchange::Channel& channel) const {
  return venue_.line_of == nullptr ? 0 : venue_.line_of(channel);
}

// Gives sessions that have room what they can take.
void VenueFeed::fill(std::vector<exchange::Channel>& channels, Moment now) {
  const std::size_t most = std::max<std::size_t>(1, venue_.limits.channels_per_connection);
  for (auto& session : sessions_) {
    if (session->channels().size() >= most) continue;
    const int line = line_of(session->channels().front());
    std::size_t room = most - session->channels().size();
    std::vector<exchange::Channel> taken;
    std::erase_if(channels, [&](const exchange::Channel& channel) {
      if (room == 0 || line_of(channel) != line) return false;
      --room;
      taken.push_back(channel);
      return true;
    });
    if (taken.empty()) continue;
    session->add(taken, now.steady);
    act(*session, now);
    if (session->is_live()) handler_.on_live(taken);
  }
}

void VenueFeed::unsubscribe(std::span<const exchange::Channel> channels, Moment now) {
  const auto is_meant = [&](const exchange::Channel& channel) {
    return std::ranges::find(channels, channel) != channels.end();
  };
  std::erase_if(resumable_, is_meant);
  for (auto& session : sessions_) {
    std::vector<exchange::Channel> its;
    std::ranges::copy_if(session->channels(), std::back_inserter(its), is_meant);
    if (its.empty()) continue;
    if (its.size() < session->channels().size()) {
      session->remove(its, now.steady);
    } else {
      reconnects_of_closed_ += session->reconnects();
      session->stop();
    }
    act(*session, now);
  }
  std::erase_if(sessions_, [&](const auto& session) { return session->is_stopped(); });
  if (sessions_.empty()) ask_for_the_time_at_.reset();
}

void VenueFeed::subscribe(std::vector<exchange::Channel> channels, Moment now) {
  if (stopped_ || channels.empty()) return;
  if (!paused_.empty()) {
    resumable_.insert(resumable_.end(), channels.begin(), channels.end());
    return;
  }
  if (options_.time_silence > Duration{0} && !ask_for_the_time_at_)
    ask_for_the_time_at_ = now.steady + options_.time_silence;
  fill(channels, now);
  // By line, the order within each left as it is.
  std::ranges::stable_sort(channels, {}, [this](const auto& channel) { return line_of(channel); });
  const std::size_t most = std::max<std::size_t>(1, venue_.limits.channels_per_connection);
  for (auto at = channels.begin(); at != channels.end();) {
    auto end = std::find_if(at, channels.end(), [&](const exchange::Channel& channel) {
      return line_of(channel) != line_of(*at);
    });
    end = at + std::min<std::ptrdiff_t>(end - at, static_cast<std::ptrdiff_t>(most));
    sessions_.push_back(std::make_unique<Session>(
        venue_, std::vector<exchange::Channel>(at, end),
        session_options(venue_, options_, options_.seed + sessions_.size()), next_connection_));
    sessions_.back()->start(now.steady);
    act(*sessions_.back(), now);
    at = end;
  }
}

void VenueFeed::stop() {
  stopped_ = true;
  for (auto& session : sessions_) {
    session->stop();
    act(*session, {});
  }
  handshakes_.clear();
  requests_.clear();
  waiting_live_.clear();
  waiting_history_.clear();
  under_way_ = 0;
  send_at_.reset();
  ask_for_the_time_at_.reset();
}

void VenueFeed::subscribe_again(const exchange::Channel& channel, Moment now) {
  for (auto& session : sessions_) {
    if (std::ranges::find(session->channels(), channel) == session->channels().end()) continue;
    session->subscribe_again(channel, now.steady);
    act(*session, now);
  }
}

// The venue is asked where to connect; the answer is worth one connection. It is not counted
// against the budget of history, and a failed one is a failed connection.
void VenueFeed::shake_hands(ConnectionId connection, Moment now) {
  const auto rest = venue_.handshake->request();
  const RequestId id = next_request_++;
  handshakes_.emplace(id, connection);
  budget_.spend(now.steady, rest.weight);
  std::string url = options_.rest_url.empty() ? std::string(venue_.rest_url) : options_.rest_url;
  while (url.ends_with('/')) url.pop_back();
  port_.request(id, url + rest.target, rest);
}

void VenueFeed::hands_shaken(ConnectionId connection, const Reply& reply, Moment now) {
  Session* session = session_of(connection);
  const auto line = lines_.find(connection);
  if (session == nullptr || line == lines_.end()) return;
  if (reply.status != 200) {
    return on_closed(connection,
                     {.kind = ErrorKind::transient,
                      .reason = fmt::format("HTTP {} to the handshake", reply.status),
                      .http_status = reply.status,
                      .retry_after = reply.retry_after},
                     now);
  }
  auto url = venue_.handshake->stream_url(
      reply.body, options_.ws_url.empty() ? std::string_view{} : std::string_view(options_.ws_url),
      session->channels());
  if (!url) {
    return on_closed(
        connection, {.kind = url.error().kind, .reason = "handshake: " + url.error().message}, now);
  }
  if (venue_.handshake->heartbeat != nullptr) {
    const auto interval = venue_.handshake->heartbeat(reply.body);
    if (interval > Duration{0}) session->speak_every(interval);
  }
  line->second.url = std::move(*url);
  port_.open(connection, line->second.url);
}

void VenueFeed::pause(std::string_view reason, Moment now) {
  if (stopped_ || !paused_.empty()) return;
  paused_ = reason;
  last_error_ = reason;
  auto sessions = std::exchange(sessions_, {});
  for (auto& session : sessions) {
    const auto& channels = session->channels();
    resumable_.insert(resumable_.end(), channels.begin(), channels.end());
    reconnects_of_closed_ += session->reconnects();
    const bool was_live = session->is_live();
    session->stop();
    act(*session, now);
    if (was_live) went_down(*session, reason);
  }
  send_at_.reset();
  ask_for_the_time_at_.reset();
}

void VenueFeed::resume(Moment now) {
  if (stopped_ || paused_.empty()) return;
  paused_.clear();
  subscribe(std::exchange(resumable_, {}), now);
  send_requests(now);
}

void VenueFeed::act(Session& session, Moment now) {
  for (auto& action : session.take_actions()) {
    switch (action.kind) {
      case Session::Action::Kind::open:
        if (venue_.handshake != nullptr) {
          lines_[action.connection] = {{}, venue_.make_decoder(catalogue_)};
          shake_hands(action.connection, now);
          break;
        }
        lines_[action.connection] = {action.text, venue_.make_decoder(catalogue_)};
        port_.open(action.connection, action.text);
        break;
      case Session::Action::Kind::send:
        port_.send(action.connection, std::move(action.text));
        break;
      case Session::Action::Kind::close:
        if (const auto line = lines_.find(action.connection); line != lines_.end()) {
          inexact_of_closed_ += line->second.decoder->inexact_decimals();
          lines_.erase(line);
        }
        std::erase_if(handshakes_,
                      [&](const auto& entry) { return entry.second == action.connection; });
        port_.close(action.connection);
        break;
    }
  }
}

Session* VenueFeed::session_of(ConnectionId connection) {
  for (auto& session : sessions_) {
    if (session->owns(connection)) return session.get();
  }
  return nullptr;
}

void VenueFeed::on_open(ConnectionId connection, Moment now) {
  Session* session = session_of(connection);
  if (session == nullptr) return;
  observer_.observe(connection_opened,
                    {{"venue", exchange::key_of(venue_)}, {"connection", connection}});
  if (tap_ != nullptr) tap_->on_open(lines_[connection].url, now.wall);
  session->on_open(connection, now.steady);
  act(*session, now);
}

void VenueFeed::on_control(ConnectionId connection, Moment now) {
  if (Session* session = session_of(connection)) session->on_frame(connection, false, now.steady);
}

void VenueFeed::on_frame(ConnectionId connection, std::string_view text, bool is_binary,
                         Moment now) {
  const auto line = lines_.find(connection);
  Session* session = session_of(connection);
  if (line == lines_.end() || session == nullptr) return;
  ++frames_;
  bytes_ += text.size();
  last_frame_time_ = now.wall;
  if (tap_ != nullptr) tap_->on_frame({}, text, now.wall, false);
  events_.clear();
  const auto decoded = line->second.decoder->decode(
      {.text = text, .url = line->second.url, .received_time = now.wall, .is_binary = is_binary},
      events_);
  if (!decoded) told(decoded.error(), now);
  if (auto answer = line->second.decoder->take_answer(); !answer.empty())
    port_.send(connection, std::move(answer));
  if (const auto newest = note_times(events_)) delays_.add(now.wall - *newest);
  const bool was_live = session->is_live();
  if (session->on_frame(connection, std::ranges::any_of(events_, is_data), now.steady) &&
      !was_live) {
    handler_.on_live(session->channels());
  }
  const ConnectionGap* lost = nullptr;
  for (auto& event : events_) {
    if (auto* book = std::get_if<BookUpdate>(&event)) book->connection = connection;
    if (const auto* gap = std::get_if<ConnectionGap>(&event)) lost = gap;
    if (!std::holds_alternative<ShutdownNotice>(event)) continue;
    observer_.observe(handover_announced,
                      {{"venue", exchange::key_of(venue_)}, {"connection", connection}});
    session->on_shutdown_notice(connection, now.steady);
  }
  if (lost != nullptr) {
    const auto losses = session->reconnects();
    const bool is_live = session->is_live();
    session->abandon(
        connection,
        fmt::format("the venue's frame {} is missing, {} came", lost->expected, lost->got),
        now.steady);
    act(*session, now);
    report_loss(*session, losses, is_live);
    // What came with it is of a connection that is gone, but not wrong by that.
  } else {
    act(*session, now);
  }
  if (events_.empty()) return;
  event_count_ += events_.size();
  handler_.on_events(events_);
}

void VenueFeed::told(const Error& error, Moment now) {
  ++refused_;
  last_error_ = error.message;
  observer_.observe(frame_refused, {{"venue", exchange::key_of(venue_)},
                                    {"error_kind", to_text(error.kind)},
                                    {"error", error.message}});
  Refusal refusal;
  refusal.exchange = venue_.name;
  refusal.kind = to_text(error.kind);
  refusal.message = error.message;
  refusal.received_time = now.wall;
  events_.clear();
  events_.emplace_back(std::move(refusal));
  handler_.on_events(events_);
  events_.clear();
}

std::optional<Time> VenueFeed::note_times(const Events& events) {
  std::optional<Time> newest;
  for (const auto& event : events) {
    if (const auto* reading = std::get_if<ClockReading>(&event)) {
      clock_.set(reading->exchange_time);
    } else if (const auto time = exchange_time_of(event)) {
      if (clock_.observe(*time)) is_time_told_ = true;
      newest = std::max(newest, time);
    }
    if (const auto* notice = std::get_if<LimitNotice>(&event)) {
      if (notice->kind == "REQUEST_WEIGHT" && notice->interval == 60s && notice->limit > 0) {
        budget_.set_limit(static_cast<int>(std::min<std::int64_t>(notice->limit, 1'000'000)));
      }
    }
  }
  return newest;
}

void VenueFeed::went_down(const Session& session, std::string_view reason) {
  handler_.on_down(session.channels(), reason);
}

void VenueFeed::on_closed(ConnectionId connection, const Disconnect& why, Moment now) {
  Session* session = session_of(connection);
  if (const auto line = lines_.find(connection); line != lines_.end()) {
    inexact_of_closed_ += line->second.decoder->inexact_decimals();
    lines_.erase(line);
  }
  if (session == nullptr) return;
  std::string reason = why.reason;
  if (const auto words = venue_.explain_status(why.http_status); !words.empty()) reason = words;
  last_error_ = reason;
  observer_.observe(connection_lost, {{"venue", exchange::key_of(venue_)},
                                      {"connection", connection},
                                      {"attempt", session->reconnects()},
                                      {"error_kind", to_text(why.kind)},
                                      {"error", reason}});
  const bool was_live = session->is_live();
  session->on_closed(connection, why, now.steady);
  act(*session, now);
  if (was_live && !session->is_live()) went_down(*session, reason);
}

std::optional<RequestId> VenueFeed::ask(const exchange::RestQuery& query, Priority priority,
                                        Moment now) {
  exchange::RestQuery dated = query;
  if (!dated.now) dated.now = clock_.now();
  auto rest = venue_.request(dated);
  if (!rest || stopped_) return std::nullopt;
  return queue(std::move(*rest), priority, now);
}

bool VenueFeed::ask_for_tickers(Moment now) {
  if (venue_.all_tickers == nullptr || stopped_) return false;
  queue(venue_.all_tickers(), Priority::history, now);
  return true;
}

RequestId VenueFeed::queue(exchange::RestRequest rest, Priority priority, Moment now) {
  const RequestId id = next_request_++;
  Request request;
  request.url = (options_.rest_url.empty() ? std::string(venue_.rest_url) : options_.rest_url);
  while (request.url.ends_with('/')) request.url.pop_back();
  request.url += rest.target;
  request.rest = std::move(rest);
  request.priority = priority;
  requests_.emplace(id, std::move(request));
  (priority == Priority::live ? waiting_live_ : waiting_history_).push_back(id);
  send_requests(now);
  return id;
}

void VenueFeed::send_requests(Moment now) {
  send_at_.reset();
  if (!paused_.empty()) return;
  // History leaves a tenth of the allowance to live needs.
  const int reserve = budget_.allowed() / 10;
  for (auto* queue : {&waiting_live_, &waiting_history_}) {
    for (auto entry = queue->begin();
         entry != queue->end() && under_way_ < options_.requests_at_once;) {
      Request& request = requests_.at(*entry);
      const auto earliest =
          std::max(request.not_before, budget_.earliest(now.steady, request.rest.weight,
                                                        queue == &waiting_history_ ? reserve : 0));
      if (earliest > now.steady) {
        send_at_ = send_at_ ? std::min(*send_at_, earliest) : earliest;
        ++entry;
        continue;
      }
      const RequestId id = *entry;
      entry = queue->erase(entry);
      budget_.spend(now.steady, request.rest.weight);
      request.is_under_way = true;
      ++request.attempts;
      ++under_way_;
      port_.request(id, request.url, request.rest);
    }
  }
}

// While nothing succeeds all wait longer and longer. One that fails where others succeed does so by
// itself, and from its second failure on behind those that wait: it holds up none of them.
void VenueFeed::retry(RequestId id, Duration at_least, Moment now) {
  Request& request = requests_.at(id);
  if (!request.backoff) request.backoff.emplace(options_.request_backoff, options_.seed + id);
  const bool is_first = request.backoff->attempts() == 0;
  const Duration of_all = request_backoff_.next(at_least);
  request.not_before = now.steady + std::max(of_all, request.backoff->next(at_least));
  auto& waiting = request.priority == Priority::live ? waiting_live_ : waiting_history_;
  if (is_first) {
    waiting.push_front(id);
  } else {
    waiting.push_back(id);
  }
}

void VenueFeed::on_reply(RequestId id, const Reply& reply, Moment now) {
  if (const auto hands = handshakes_.find(id); hands != handshakes_.end()) {
    const ConnectionId connection = hands->second;
    handshakes_.erase(hands);
    return hands_shaken(connection, reply, now);
  }
  const auto found = requests_.find(id);
  if (found == requests_.end() || !found->second.is_under_way) return;
  found->second.is_under_way = false;
  --under_way_;
  if (reply.used_weight) budget_.venue_says_used(now.steady, *reply.used_weight);
  const auto again = [&](std::string_view kind, std::string_view why, Duration at_least) {
    last_error_ = why;
    observer_.observe(request_failed, {{"venue", exchange::key_of(venue_)},
                                       {"attempt", found->second.attempts},
                                       {"error_kind", kind},
                                       {"error", why}});
    retry(id, at_least, now);
    send_requests(now);
  };
  const std::string words = venue_.explain_status(reply.status);
  if (reply.status == 429 || reply.status == 418) {
    const Duration wait =
        reply.retry_after.value_or(reply.status == 418 ? Duration{120s} : Duration{10s});
    budget_.block_until(now.steady + wait);
    observer_.observe(rate_limited, {{"venue", exchange::key_of(venue_)}, {"error", words}});
    return again("transient", words, wait);
  }
  // 403 and 451 do not mend themselves soon; a user who moves the service or the setting does.
  if (reply.status == 403 || reply.status == 451) return again("rejected", words, 30s);
  const bool is_failure = reply.status >= 500 || reply.status == 408;
  const auto passes = [&] {
    again("transient", fmt::format("HTTP {} from the venue", reply.status),
          reply.retry_after.value_or(Duration{0}));
  };
  if (is_failure && !venue_.explains_failures) return passes();
  if (tap_ != nullptr && reply.status == 200)
    tap_->on_frame(found->second.url, reply.body, now.wall, true);
  Events events;
  const auto decoded = reply_decoder_->decode({.text = reply.body,
                                               .url = found->second.url,
                                               .received_time = now.wall,
                                               .is_reply = true,
                                               .http_status = reply.status},
                                              events);
  if (is_failure && (decoded || decoded.error().kind != ErrorKind::rejected)) return passes();
  if (!decoded && decoded.error().kind == ErrorKind::transient)
    return again("transient", decoded.error().message, reply.retry_after.value_or(Duration{0}));
  if (!decoded && decoded.error().kind == ErrorKind::malformed && reply.status < 400) {
    // A reply that was cut or garbled on its way: the next one may be whole.
    ++refused_;
    observer_.observe(frame_refused, {{"venue", exchange::key_of(venue_)},
                                      {"error_kind", "malformed"},
                                      {"error", decoded.error().message}});
    return again("malformed", decoded.error().message, Duration{0});
  }
  request_backoff_.reset();
  const RequestId done = found->first;
  if (!decoded) {
    const Error error = decoded.error();
    // The target names the symbol and what was wanted of it.
    last_error_ = fmt::format("{}: {}", found->second.rest.target, error.message);
    observer_.observe(request_refused, {{"venue", exchange::key_of(venue_)},
                                        {"error_kind", to_text(error.kind)},
                                        {"error", last_error_}});
    requests_.erase(found);
    handler_.on_request_refused(done, error);
  } else {
    requests_.erase(found);
    note_times(events);
    event_count_ += events.size();
    handler_.on_reply(done, events);
  }
  send_requests(now);
}

void VenueFeed::on_request_error(RequestId id, const Error& error, Moment now) {
  if (const auto hands = handshakes_.find(id); hands != handshakes_.end()) {
    const ConnectionId connection = hands->second;
    handshakes_.erase(hands);
    return on_closed(connection, {.kind = error.kind, .reason = "handshake: " + error.message},
                     now);
  }
  const auto found = requests_.find(id);
  if (found == requests_.end() || !found->second.is_under_way) return;
  found->second.is_under_way = false;
  --under_way_;
  last_error_ = error.message;
  observer_.observe(request_failed, {{"venue", exchange::key_of(venue_)},
                                     {"attempt", found->second.attempts},
                                     {"error_kind", to_text(error.kind)},
                                     {"error", error.message}});
  retry(id, error.kind == ErrorKind::misconfigured ? Duration{30s} : Duration{0}, now);
  send_requests(now);
}

// After a session was told something that may have cost it its connection.
void VenueFeed::report_loss(Session& session, std::uint32_t losses_before, bool was_live) {
  if (session.reconnects() == losses_before) return;
  last_error_ = session.last_error();
  observer_.observe(connection_lost, {{"venue", exchange::key_of(venue_)},
                                      {"error_kind", "transient"},
                                      {"error", session.last_error()}});
  if (was_live && !session.is_live()) went_down(session, session.last_error());
}

void VenueFeed::on_tick(Moment now) {
  for (auto& session : sessions_) {
    const bool was_live = session->is_live();
    const auto losses = session->reconnects();
    session->on_tick(now.steady);
    act(*session, now);
    report_loss(*session, losses, was_live);
  }
  if (ask_for_the_time_at_ && now.steady >= *ask_for_the_time_at_) ask_for_the_time(now);
  send_requests(now);
}

void VenueFeed::ask_for_the_time(Moment now) {
  ask_for_the_time_at_ = now.steady + options_.time_silence;
  const bool is_under_way = time_asked_ && requests_.contains(*time_asked_);
  if (std::exchange(is_time_told_, false) || is_under_way) return;
  time_asked_ = ask({.kind = exchange::RestKind::server_time}, Priority::live, now);
  if (!time_asked_) ask_for_the_time_at_.reset();  // this venue has no such request
}

std::optional<SteadyTime> VenueFeed::next_wake() const {
  std::optional<SteadyTime> wake = under_way_ < options_.requests_at_once ? send_at_ : std::nullopt;
  if (ask_for_the_time_at_)
    wake = wake ? std::min(*wake, *ask_for_the_time_at_) : *ask_for_the_time_at_;
  for (const auto& session : sessions_) {
    const auto time = session->next_wake();
    if (time) wake = wake ? std::min(*wake, *time) : *time;
  }
  return wake;
}

FeedStatus VenueFeed::status(Moment now) {
  FeedStatus status;
  status.venue = exchange::key_of(venue_);
  status.sessions = sessions_.size();
  status.reconnects = reconnects_of_closed_;
  status.paused = paused_;
  for (const auto& session : sessions_) {
    if (session->is_live()) ++status.live_sessions;
    status.reconnects += session->reconnects();
  }
  status.connected = paused_.empty() && status.live_sessions == status.sessions;
  status.frames = frames_;
  status.bytes = bytes_;
  status.delays = delays_;
  status.refused_frames = refused_;
  status.events = event_count_;
  status.inexact_decimals = inexact_of_closed_ + reply_decoder_->inexact_decimals();
  for (const auto& [id, line] : lines_) status.inexact_decimals += line.decoder->inexact_decimals();
  status.last_frame_time = last_frame_time_;
  status.venue_time = clock_.now();
  status.weight_used = budget_.used(now.steady);
  status.weight_allowed = budget_.allowed();
  status.requests_waiting = requests_.size();
  status.last_error = last_error_;
  return status;
}

}  // namespace candlewick::feed
