// One agenda of streams, one of planned cuts and one of delayed frames; time moves from event to
// event. A stream's frame is written once and shared by all who subscribed to it.
#include "simulator/venue_core.h"

#include <algorithm>

#include "base/check.h"
#include "simulator/control.h"

namespace candlewick::simulator {
namespace {

using namespace std::chrono_literals;

constexpr Duration shutdown_lead = 10s;
constexpr Duration ban_length = 120s;
// Requests that may follow a 429 before the address is banned.
constexpr int patience = 20;
constexpr Duration connections_window = 5min;

}  // namespace

struct VenueCore::Topic {
  std::string stream;
  std::unique_ptr<Feed> feed;  // null: a stream that does not exist
  std::uint64_t number = 0;
  std::vector<SessionId> subscribers;
  std::optional<AgendaEntry> entry;
};

struct VenueCore::Session {
  Connection connection;
  std::set<TopicKey> topics;
  std::uint64_t frames = 0;
  bool is_silent = false;
  std::optional<Time> cut_at;
  std::optional<Time> closes_at;
  Time expires_at;
  // A frame that the next one of its stream will overtake.
  std::map<const Topic*, std::shared_ptr<const std::string>> held;
};

VenueCore::VenueCore(VenueSetup setup) : setup_(std::move(setup)), now_(setup_.start) {
  protocol_ = make_protocol(setup_.venue, *setup_.market, faults_);
  check(protocol_ != nullptr, "the venue is one of simulated_venues()");
}

VenueCore::~VenueCore() = default;

Result<void> VenueCore::change_faults(std::string_view text) {
  Faults changed = faults_;
  if (auto read = changed.change(text, now_ - setup_.start); !read) return read;
  const FaultSettings& before = faults_.settings();
  const FaultSettings& after = changed.settings();
  if (after.blackouts != before.blackouts || after.jumps != before.jumps) {
    MarketEvents events;
    for (const auto& blackout : after.blackouts) {
      const Time from = setup_.start + blackout.start;
      events.blackouts.push_back({.from = from, .to = from + blackout.length});
    }
    for (const auto& jump : after.jumps) {
      events.jumps.push_back({.at = setup_.start + jump.start, .ids = jump.ids});
    }
    if (auto set = setup_.market->set_events(events); !set) return set;
  }
  const bool reschedules = after.disconnect != before.disconnect;
  faults_ = std::move(changed);
  if (reschedules) {
    for (auto& [id, session] : sessions_) schedule_cut(session);
  }
  return {};
}

void VenueCore::schedule_cut(Session& session) {
  if (session.cut_at) cuts_.erase({*session.cut_at, session.connection.id});
  session.cut_at.reset();
  const auto every = static_cast<double>(faults_.settings().disconnect.count());
  if (every > 0.0) {
    const double share = 0.5 + faults_.draw("disconnect", session.connection.id, 0);
    session.cut_at = now_ + Duration{static_cast<Duration::rep>(every * share)};
    cuts_.insert({*session.cut_at, session.connection.id});
  }
}

std::optional<Reply> VenueCore::over_connections(SteadyTime steady) {
  while (!opened_.empty() && steady - opened_.front() >= connections_window) opened_.pop_front();
  if (opened_.size() < protocol_->limits().connections_in_5_minutes) {
    opened_.push_back(steady);
    return std::nullopt;
  }
  const auto left =
      std::chrono::ceil<std::chrono::seconds>(opened_.front() + connections_window - steady);
  return protocol_->refuse(Refusal::too_many_connections, left.count(), now_);
}

std::variant<SessionId, Reply> VenueCore::open(const Request& request, SteadyTime steady) {
  ++openings_;
  if (auto refusal = over_connections(steady)) return *std::move(refusal);
  if (in_outage()) {
    faults_.count_outage();
    return protocol_->refuse(Refusal::unavailable, 0, now_);
  }
  if (faults_.happens(Fault::refuse, 0, openings_)) {
    return protocol_->refuse(Refusal::unavailable, 0, now_);
  }
  Connection connection;
  connection.id = last_session_ + 1;
  connection.path = request.path;
  if (auto refusal = protocol_->open(request, connection)) return *std::move(refusal);
  Session& session = sessions_[++last_session_];
  session.connection = std::move(connection);
  session.expires_at = now_ + protocol_->limits().connection_life;
  cuts_.insert({session.expires_at, session.connection.id});
  synchronise(session);
  schedule_cut(session);
  for (auto& frame : protocol_->greet(session.connection, now_)) {
    put(session, std::make_shared<const std::string>(std::move(frame)), pending_);
  }
  return session.connection.id;
}

std::vector<Delivery> VenueCore::receive(SessionId id, std::string_view text, SteadyTime steady) {
  std::vector<Delivery> out;
  const auto found = sessions_.find(id);
  if (found == sessions_.end() || found->second.is_silent) return out;
  Session& session = found->second;
  Answer answer = protocol_->receive(session.connection, text, steady, now_);
  synchronise(session);
  for (auto& frame : answer.frames) {
    put(session, std::make_shared<const std::string>(std::move(frame)), out);
  }
  if (answer.close) {
    disconnect(id, Delivery::Kind::close, answer.close->reason, out);
    out.back().close_code = answer.close->code;
  }
  return out;
}

void VenueCore::close(SessionId session) {
  forget(session);
}

// Makes the topics of a session those of its connection's streams.
void VenueCore::synchronise(Session& session) {
  std::set<TopicKey> wanted;
  for (const auto& stream : session.connection.streams) {
    wanted.insert({stream, session.connection.in_microseconds});
  }
  if (wanted == session.topics) return;
  const std::set<TopicKey> had = session.topics;
  for (const auto& key : had) {
    if (!wanted.contains(key)) unsubscribe(session, key.first);
  }
  for (const auto& key : wanted) {
    if (!had.contains(key)) subscribe(session, key.first);
  }
}

void VenueCore::subscribe(Session& session, const std::string& stream) {
  TopicKey key{stream, session.connection.in_microseconds};
  auto [at, is_new] = topics_.try_emplace(key);
  Topic& topic = at->second;
  if (is_new) {
    topic.stream = stream;
    topic.number = ++topic_count_;
    topic.feed = protocol_->feed(stream, key.second, now_);
    const auto next = topic.feed ? topic.feed->next() : std::nullopt;
    if (next) {
      topic.entry = AgendaEntry{*next, topic.feed->rank(), topic.number, &topic};
      agenda_.insert(*topic.entry);
    }
  }
  topic.subscribers.push_back(session.connection.id);
  session.topics.insert(std::move(key));
}

void VenueCore::unsubscribe(Session& session, const std::string& stream) {
  const TopicKey key{stream, session.connection.in_microseconds};
  session.topics.erase(key);
  const auto found = topics_.find(key);
  if (found == topics_.end()) return;
  Topic& topic = found->second;
  session.held.erase(&topic);
  std::erase(topic.subscribers, session.connection.id);
  if (!topic.subscribers.empty()) return;
  if (topic.entry) agenda_.erase(*topic.entry);
  topics_.erase(found);
}

void VenueCore::forget(SessionId id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  Session& session = found->second;
  const std::set<TopicKey> topics = session.topics;
  for (const auto& key : topics) unsubscribe(session, key.first);
  if (session.cut_at) cuts_.erase({*session.cut_at, id});
  if (session.closes_at) cuts_.erase({*session.closes_at, id});
  cuts_.erase({session.expires_at, id});
  sessions_.erase(found);
}

void VenueCore::disconnect(SessionId id, Delivery::Kind kind, std::string reason,
                           std::vector<Delivery>& out) {
  if (!sessions_.contains(id)) return;
  forget(id);
  out.push_back({.session = id,
                 .kind = kind,
                 .text = nullptr,
                 .close_code = 1001,
                 .reason = std::move(reason),
                 .at = now_});
}

// In the form in which it leaves.
Delivery VenueCore::frame(SessionId session, std::shared_ptr<const std::string> text,
                          Time at) const {
  auto packed = protocol_->packed(*text);
  const bool is_binary = packed.has_value();
  if (is_binary) text = std::make_shared<const std::string>(*std::move(packed));
  return {.session = session,
          .kind = Delivery::Kind::frame,
          .text = std::move(text),
          .is_binary = is_binary,
          .close_code = 0,
          .reason = {},
          .at = at};
}

void VenueCore::put(Session& session, std::shared_ptr<const std::string> text,
                    std::vector<Delivery>& out) {
  ++frames_sent_;
  out.push_back(frame(session.connection.id, std::move(text), now_));
}

void VenueCore::send_data(Session& session, Topic& topic,
                          const std::shared_ptr<const std::string>& text,
                          std::vector<Delivery>& out) {
  if (session.is_silent) return;
  const SessionId who = session.connection.id;
  const std::uint64_t which = ++session.frames;
  if (faults_.happens(Fault::silent, who, which)) {
    session.is_silent = true;
    return;
  }
  if (faults_.happens(Fault::drop, who, which)) return;
  auto sent = text;
  if (faults_.happens(Fault::truncate, who, which)) {
    const auto length = static_cast<double>(text->size()) * faults_.draw("cut", who, which);
    sent = std::make_shared<const std::string>(text->substr(0, static_cast<std::size_t>(length)));
  }
  if (faults_.happens(Fault::delay, who, which)) {
    const Time at = now_ + faults_.settings().delay;
    delayed_.insert({at, frame(who, sent, at)});
    return;
  }
  if (!session.held.contains(&topic) && faults_.happens(Fault::reorder, who, which)) {
    session.held.emplace(&topic, sent);
    return;
  }
  put(session, sent, out);
  if (faults_.happens(Fault::twice, who, which)) put(session, sent, out);
  if (session.held.empty()) return;
  if (const auto held = session.held.find(&topic); held != session.held.end()) {
    put(session, held->second, out);
    session.held.erase(held);
  }
}

void VenueCore::run_topic(std::vector<Delivery>& out) {
  Topic& topic = *std::get<Topic*>(*agenda_.begin());
  agenda_.erase(agenda_.begin());
  topic.entry.reset();
  std::string text;
  if (topic.feed->emit(text) && !text.empty()) {
    std::shared_ptr<const std::string> wrapped;
    std::shared_ptr<const std::string> plain;
    const bool dresses = protocol_->dresses_frames();
    for (const SessionId id : topic.subscribers) {
      Session& session = sessions_.at(id);
      const bool wraps = session.connection.wraps;
      auto& form = wraps ? wrapped : plain;
      if (!form) {
        form =
            std::make_shared<const std::string>(wraps ? protocol_->wrap(topic.stream, text) : text);
      }
      if (!dresses) {
        send_data(session, topic, form, out);
        continue;
      }
      std::string own = *form;
      protocol_->dress(session.connection, topic.stream, own);
      send_data(session, topic, std::make_shared<const std::string>(std::move(own)), out);
    }
  }
  if (const auto next = topic.feed->next()) {
    topic.entry = AgendaEntry{*next, topic.feed->rank(), topic.number, &topic};
    agenda_.insert(*topic.entry);
  }
}

std::optional<Time> VenueCore::next_outage() const {
  std::optional<Time> next;
  for (const auto& outage : faults_.settings().outages) {
    const Time at = setup_.start + outage.start;
    if (at > now_ && (!next || at < *next)) next = at;
  }
  return next;
}

std::optional<Time> VenueCore::next_event() const {
  std::optional<Time> next = sessions_.empty() ? std::nullopt : next_outage();
  const auto consider = [&](Time time) {
    if (!next || time < *next) next = time;
  };
  if (!agenda_.empty()) consider(std::get<Time>(*agenda_.begin()));
  if (!cuts_.empty()) consider(cuts_.begin()->first);
  if (!delayed_.empty()) consider(delayed_.begin()->first);
  return next;
}

// Its time has come, for one of three reasons.
void VenueCore::end_session(SessionId id, std::vector<Delivery>& out) {
  const Session& session = sessions_.at(id);
  if (session.closes_at && *session.closes_at <= now_) {
    disconnect(id, Delivery::Kind::close, "server shutdown", out);
  } else if (session.cut_at && *session.cut_at <= now_) {
    faults_.count_disconnect();
    disconnect(id, Delivery::Kind::cut, "disconnected", out);
  } else {
    disconnect(id, Delivery::Kind::close, "connection is too old", out);
  }
}

std::vector<Delivery> VenueCore::advance_to(Time time) {
  std::vector<Delivery> out = std::exchange(pending_, {});
  while (const auto next = next_event()) {
    if (*next > time) break;
    const bool outage_begins = next_outage() == next;
    now_ = std::max(now_, *next);
    if (outage_begins) {
      std::vector<SessionId> all;
      for (const auto& [id, session] : sessions_) all.push_back(id);
      for (const auto id : all) disconnect(id, Delivery::Kind::cut, "outage", out);
    } else if (!cuts_.empty() && cuts_.begin()->first == *next) {
      end_session(cuts_.begin()->second, out);
    } else if (!delayed_.empty() && delayed_.begin()->first == *next) {
      auto entry = delayed_.extract(delayed_.begin());
      const auto found = sessions_.find(entry.mapped().session);
      if (found != sessions_.end() && !found->second.is_silent) {
        put(found->second, std::move(entry.mapped().text), out);
      }
    } else {
      run_topic(out);
    }
  }
  now_ = std::max(now_, time);
  return out;
}

void VenueCore::cut_all() {
  std::vector<SessionId> all;
  for (const auto& [id, session] : sessions_) all.push_back(id);
  for (const auto id : all) {
    faults_.count_disconnect();
    disconnect(id, Delivery::Kind::cut, "disconnected", pending_);
  }
}

void VenueCore::silence_all() {
  for (auto& [id, session] : sessions_) session.is_silent = true;
}

void VenueCore::announce_shutdown() {
  for (auto& [id, session] : sessions_) {
    if (auto notice = protocol_->shutdown_notice(session.connection, now_); !notice.empty()) {
      put(session, std::make_shared<const std::string>(std::move(notice)), pending_);
    }
    if (session.closes_at) continue;
    session.closes_at = now_ + shutdown_lead;
    cuts_.insert({*session.closes_at, id});
  }
}

std::optional<Reply> VenueCore::over_budget(int weight, SteadyTime steady) {
  if (banned_until_ && steady < *banned_until_) {
    const auto left = std::chrono::ceil<std::chrono::seconds>(*banned_until_ - steady);
    return protocol_->refuse(Refusal::banned, left.count(), now_);
  }
  banned_until_.reset();
  const auto minute = std::chrono::floor<std::chrono::minutes>(steady.time_since_epoch());
  if (minute.count() != budget_minute_) {
    budget_minute_ = minute.count();
    used_weight_ = 0;
    refused_in_minute_ = 0;
  }
  const int limit =
      faults_.settings().weight_per_minute.value_or(protocol_->limits().weight_per_minute);
  used_weight_ += weight;
  if (used_weight_ <= limit) return std::nullopt;
  if (++refused_in_minute_ > patience) {
    banned_until_ = steady + ban_length;
    return protocol_->refuse(Refusal::banned, ban_length / 1s, now_);
  }
  const auto left = minute + 1min - steady.time_since_epoch();
  return protocol_->refuse(Refusal::too_many_requests,
                           std::chrono::ceil<std::chrono::seconds>(left).count(), now_);
}

Reply VenueCore::http(const Request& request, SteadyTime steady) {
  if (request.path.starts_with("/_sim/")) return control(request, *this);
  ++requests_;
  Reply reply = answer(request, steady);
  protocol_->stamp(reply, used_weight_);
  return reply;
}

Reply VenueCore::answer(const Request& request, SteadyTime steady) {
  if (in_outage()) {
    faults_.count_outage();
    return protocol_->refuse(Refusal::unavailable, 0, now_);
  }
  if (auto refusal = over_budget(protocol_->weight(request), steady)) return *std::move(refusal);
  const std::int64_t wait = faults_.settings().retry_after_seconds;
  if (faults_.happens(Fault::status_429, 0, requests_)) {
    return protocol_->refuse(Refusal::too_many_requests, wait, now_);
  }
  if (faults_.happens(Fault::status_418, 0, requests_)) {
    return protocol_->refuse(Refusal::banned, wait, now_);
  }
  if (faults_.happens(Fault::status_5xx, 0, requests_)) {
    constexpr std::array kinds{Refusal::internal, Refusal::bad_gateway, Refusal::unavailable,
                               Refusal::timeout};
    const double draw = faults_.draw("which 5xx", 0, requests_);
    return protocol_->refuse(kinds[static_cast<std::size_t>(draw * kinds.size())], 0, now_);
  }
  RestView view{.now = now_, .as_of = now_ - faults_.settings().lag, .stale_levels = false};
  const RestSubject subject = protocol_->subject(request);
  if (subject == RestSubject::book) view.stale_levels = faults_.happens(Fault::book, 0, requests_);
  if (subject == RestSubject::candles && faults_.happens(Fault::unfinal, 0, requests_)) {
    view.unfinal = faults_.settings().unfinal;
  }
  return protocol_->rest(request, view);
}

}  // namespace candlewick::simulator
