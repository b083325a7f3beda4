// The life of the process, and its lines.
#include "feed/sidecar.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/json_text.h"
#include "feed/observations.h"

namespace candlewick::feed {

using namespace std::chrono_literals;

namespace {

// One that was up for so long did not fail to start.
constexpr Duration settled_after = 10s;

ErrorKind kind_of(std::string_view text) {
  for (const auto kind : {ErrorKind::malformed, ErrorKind::rejected, ErrorKind::misconfigured}) {
    if (to_text(kind) == text) return kind;
  }
  return ErrorKind::transient;
}

// {"kind":"transient","message":"…","retry_after_ms":10000}
struct Told {
  Error error;
  std::optional<Duration> retry_after;
};
Result<Told> read_told(json::Reader& reader, std::string_view text) {
  Told told;
  auto read = reader.read(text, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key == "kind") told.error.kind = kind_of(value.string());
      if (key == "message") told.error.message = value.string();
      if (key == "retry_after_ms") {
        constexpr std::int64_t longest = 7 * 86'400'000LL;
        told.retry_after =
            std::chrono::milliseconds{std::clamp<std::int64_t>(value.integer(), 0, longest)};
      }
    });
  });
  if (!read) return fail(read.error());
  return told;
}

// Of what a program says when it fails, the line that names the error.
void note_complaint(std::string& complaint, std::string_view line) {
  const auto names_error = [](std::string_view text) {
    return text.find("Error") != std::string_view::npos;
  };
  if (line.empty() || (names_error(complaint) && !names_error(line))) return;
  complaint = line.substr(0, 500);
}

std::string ended(std::string_view how, std::string_view complaint) {
  return complaint.empty() ? fmt::format("the sidecar ended: {}", how)
                           : fmt::format("the sidecar ended: {}: {}", how, complaint);
}

}  // namespace

// One line of the sidecar; the parts are JSON.
struct Sidecar::Line {
  std::optional<std::uint64_t> connection;
  std::optional<std::uint64_t> id;
  std::string_view error;   // of a request
  std::string_view closed;  // of a connection
  std::string_view fatal;   // of the process
  bool is_frame = false;
  bool is_result = false;
  bool is_ready = false;
  bool is_beat = false;

  static Result<Line> read(json::Reader& reader, std::string_view text) {
    Line line;
    auto read = reader.read(text, [&](json::Value root) {
      root.members([&](std::string_view key, json::Value value) {
        if (key == "connection") line.connection = value.unsigned_integer();
        if (key == "id") line.id = value.unsigned_integer();
        if (key == "frame") line.is_frame = true;
        if (key == "result") line.is_result = true;
        if (key == "ready") line.is_ready = true;
        if (key == "heartbeat") line.is_beat = true;
        if (key == "error") line.error = value.text();
        if (key == "closed") line.closed = value.text();
        if (key == "fatal") line.fatal = value.text();
      });
    });
    if (!read) return within("a line of the sidecar", read.error());
    return line;
  }
};

Sidecar::Sidecar(net::Loop& loop, const Clock& clock, Observer& observer, SidecarOptions options)
    : Link(loop, clock),
      clock_(clock),
      observer_(observer),
      options_(std::move(options)),
      backoff_(options_.restart, options_.seed),
      self_(std::make_shared<Sidecar*>(this)) {
  start_soon(Duration::zero());
}

Sidecar::~Sidecar() {
  *self_ = nullptr;
}

void Sidecar::start_soon(Duration delay) {
  start_timer_ = loop().after(delay, [this] { start(); });
}

void Sidecar::start() {
  complaint_.clear();
  started_ = last_line_ = clock_.steady();
  auto child = net::Child::start(
      loop(), options_.child,
      {.on_line = [this](std::string_view line) { on_line(line); },
       .on_error_line = [this](std::string_view line) { note_complaint(complaint_, line); },
       .on_exit =
           [this](std::string_view how) { lost({ErrorKind::transient, ended(how, complaint_)}); }});
  if (!child) return lost(child.error());
  child_ = std::move(*child);
  watch_timer_ = loop().after(options_.watch_interval, [this] { watch(); });
}

// Everything that hung on it is told before the next one is started.
void Sidecar::lost(const Error& why) {
  child_.reset();
  watch_timer_.cancel();
  observer_.observe(
      sidecar_lost,
      {{"venue", options_.venue}, {"error_kind", to_text(why.kind)}, {"error", why.message}});
  if (std::exchange(is_ready_, false) && clock_.steady() - started_ >= settled_after)
    backoff_.reset();
  start_soon(
      backoff_.next(why.kind == ErrorKind::misconfigured ? Duration{30s} : Duration::zero()));
  auto connections = std::exchange(open_, {});
  connections.merge(waiting_);
  waiting_.clear();
  for (const auto connection : connections)
    feed().on_closed(connection, {.kind = why.kind, .reason = why.message}, now());
  for (const auto& [request, asked] : std::exchange(asked_, {}))
    feed().on_request_error(request, why, now());
  rearm();
}

void Sidecar::watch() {
  const auto time = clock_.steady();
  if (!is_ready_ && time - started_ > options_.start_limit)
    return lost({ErrorKind::transient, "the sidecar does not start"});
  if (is_ready_ && time - last_line_ > options_.silence_limit)
    return lost({ErrorKind::transient, "silence: the sidecar gives no sign of life"});
  std::vector<RequestId> late;
  for (const auto& [request, asked] : asked_) {
    if (asked.deadline < time) late.push_back(request);
  }
  for (const auto request : late) {
    asked_.erase(request);
    feed().on_request_error(request, {ErrorKind::transient, "no answer within the time limit"},
                            now());
  }
  if (!late.empty()) rearm();
  watch_timer_ = loop().after(options_.watch_interval, [this] { watch(); });
}

void Sidecar::on_line(std::string_view text) {
  last_line_ = clock_.steady();
  const auto line = Line::read(reader_, text);
  if (!line) return lost({ErrorKind::transient, line.error().message});
  if (!line->fatal.empty()) {
    auto told = read_told(part_reader_, line->fatal);
    return lost(told ? told->error : told.error());
  }
  if (line->is_ready) return on_ready();
  if (line->is_beat) return on_beat();
  if (line->id) return on_answer(*line, text);
  if (!line->connection || !open_.contains(*line->connection)) return;
  if (!line->closed.empty()) return on_closed(*line->connection, *line);
  if (!line->is_frame) return;
  feed().on_frame(*line->connection, text, false, now());
  rearm();
}

void Sidecar::on_ready() {
  is_ready_ = true;
  observer_.observe(sidecar_ready, {{"venue", options_.venue}});
  for (const auto& [request, asked] : asked_) write(asked.line);
  for (const auto connection : std::exchange(waiting_, {})) opened(connection);
}

void Sidecar::opened(ConnectionId connection) {
  open_.insert(connection);
  write(fmt::format(R"({{"connection":{},"open":true}})", connection));
  feed().on_open(connection, now());
  rearm();
}

// While it beats, its connections live; whether data comes is for the session to judge.
void Sidecar::on_beat() {
  for (const auto connection : std::set<ConnectionId>(open_)) feed().on_control(connection, now());
}

void Sidecar::on_closed(ConnectionId connection, const Line& line) {
  open_.erase(connection);
  auto told = read_told(part_reader_, line.closed);
  if (!told) told = Told{told.error(), {}};
  feed().on_closed(
      connection,
      {.kind = told->error.kind, .reason = told->error.message, .retry_after = told->retry_after},
      now());
  rearm();
}

void Sidecar::on_answer(const Line& line, std::string_view text) {
  if (asked_.erase(*line.id) == 0) return;
  auto told = line.error.empty() ? Result<Told>(Told{}) : read_told(part_reader_, line.error);
  if (!told) {
    feed().on_request_error(*line.id, told.error(), now());
  } else if (line.is_result) {
    feed().on_reply(*line.id, {.status = 200, .body = text}, now());
  } else if (told->error.kind == ErrorKind::rejected) {
    feed().on_reply(*line.id, {.status = 400, .body = text}, now());
  } else if (told->retry_after) {
    // The whole venue's budget waits, not this request alone.
    feed().on_reply(*line.id, {.status = 429, .body = text, .retry_after = told->retry_after},
                    now());
  } else {
    feed().on_request_error(*line.id, told->error, now());
  }
  rearm();
}

// What cannot be written is of a process that is gone or does not read: the watch sees to that.
void Sidecar::write(std::string_view line) {
  if (child_ != nullptr) static_cast<void>(child_->write_line(line));
}

void Sidecar::open(ConnectionId connection, const std::string& /*url*/) {
  waiting_.insert(connection);
  if (!is_ready_) return;
  // The feed is at work: it is told when it is done.
  loop().post([self = std::weak_ptr<Sidecar*>(self_), connection] {
    const auto alive = self.lock();
    if (!alive || *alive == nullptr) return;
    Sidecar& sidecar = **alive;
    if (sidecar.is_ready_ && sidecar.waiting_.erase(connection) > 0) sidecar.opened(connection);
  });
}

void Sidecar::send(ConnectionId connection, std::string message) {
  if (!open_.contains(connection)) return;
  write(fmt::format(R"({{"connection":{},"message":{}}})", connection, message));
}

void Sidecar::close(ConnectionId connection) {
  waiting_.erase(connection);
  if (open_.erase(connection) > 0)
    write(fmt::format(R"({{"connection":{},"close":true}})", connection));
}

void Sidecar::request(RequestId request, const std::string& /*url*/,
                      const exchange::RestRequest& rest) {
  std::string line;
  json::Members members(line);
  members("id", request)("call", rest.target).close();
  if (is_ready_) write(line);
  asked_[request] = {std::move(line), clock_.steady() + options_.request_limit};
}

Result<std::string> describe_sidecar(net::ChildOptions child, Duration limit) {
  net::Loop loop("sidecar");
  std::string complaint;
  Result<std::string> answer = fail(ErrorKind::transient, "the sidecar does not answer");
  child.command.emplace_back("--describe");
  const auto started = net::Child::start(
      loop, std::move(child),
      {.on_line =
           [&](std::string_view text) {
             json::Reader reader;
             const auto line = Sidecar::Line::read(reader, text);
             if (!line) {
               answer = fail(line.error());
             } else if (!line->fatal.empty()) {
               json::Reader part;
               const auto told = read_told(part, line->fatal);
               answer = fail(told ? told->error : told.error());
             } else {
               answer = std::string(text);
             }
             loop.stop();
           },
       .on_error_line = [&](std::string_view line) { note_complaint(complaint, line); },
       .on_exit =
           [&](std::string_view how) {
             answer = fail(ErrorKind::transient, "{}", ended(how, complaint));
             loop.stop();
           }});
  if (!started) return fail(started.error());
  const auto timer = loop.after(limit, [&] { loop.stop(); });
  loop.run();
  return answer;
}

}  // namespace candlewick::feed
