// The life of a client's connection. A request is answered before the next one is read, which keeps
// pipelined answers in order; those answers leave together. A connection that ends on our side is
// half-closed and read to its end, or the reset would destroy the answer on its way.
#include "net/http_connection.h"

#include <algorithm>
#include <cstring>
#include <exception>

#include <boost/asio/post.hpp>

#include "net/responder.h"

namespace candlewick::net {
namespace {

constexpr std::size_t first_buffer_bytes = 4U << 10U;
constexpr std::size_t read_room_bytes = 4U << 10U;
constexpr std::size_t largest_read_room_bytes = 64U << 10U;
// Bytes of further requests that are taken in while one is being answered.
constexpr std::size_t max_pipelined_bytes = 64U << 10U;
constexpr Duration linger_timeout = std::chrono::seconds{2};
constexpr int going_away = 1001;
constexpr int policy_violation = 1008;

bool is_framing(std::string_view name) {
  return equal_ignoring_case(name, "Content-Length") ||
         equal_ignoring_case(name, "Transfer-Encoding") || equal_ignoring_case(name, "Connection");
}

bool has_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

// A line end in a value would begin a header of an attacker's.
void append_clean(std::string& out, std::string_view text) {
  for (const char c : text) {
    out += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
  }
}

bool is_upgrade(const Request& request) {
  return request.method == "GET" && request.headers.has_token("Upgrade", "websocket") &&
         request.headers.has_token("Connection", "upgrade");
}

}  // namespace

HttpConnection::HttpConnection(std::shared_ptr<ServerState> server, asio::ip::tcp::socket socket,
                               std::string remote_address)
    : server_(std::move(server)),
      wire_(std::make_shared<Wire>(std::move(socket))),
      remote_address_(std::move(remote_address)),
      reader_({.max_header_bytes = server_->options.max_header_bytes,
               .max_body_bytes = server_->options.max_body_bytes}) {
  wire_->set_owner(this);
}

void HttpConnection::start(bool over_limit) {
  enter(Phase::handshake);
  progress_tick_ = server_->tick;
  if (!server_->tls) {
    enter(Phase::reading);
    if (over_limit) {
      refuse(503, "too many connections");
    }
    read_more();
    return;
  }
  if (over_limit) {
    destroy();
    return;
  }
  wire_->start_tls_server(server_->tls, [self = shared_from_this()](SystemError error) {
    if (self->phase_ != Phase::handshake) {
      return;
    }
    if (error) {
      self->destroy();
      return;
    }
    self->enter(Phase::reading);
    self->read_more();
  });
}

void HttpConnection::enter(Phase phase) {
  phase_ = phase;
  phase_tick_ = server_->tick;
}

void HttpConnection::destroy() {
  if (phase_ == Phase::gone) {
    return;
  }
  const auto self = shared_from_this();
  enter(Phase::gone);
  wire_->close();
  if (peer_) {
    const auto peer = std::move(peer_);
    peer->forget();
  }
  server_->connections.erase(self);
  server_->open.fetch_sub(1, std::memory_order_relaxed);
  if (answer_) {
    const auto answer = std::move(answer_);
    answer->closed.store(true);
    answer->on_drain = nullptr;
    if (auto on_close = std::move(answer->on_close)) {
      on_close();
    }
  }
}

void HttpConnection::drain() {
  keep_alive_ = false;
  if (phase_ == Phase::websocket && peer_) {
    peer_->close(going_away, "the server is shutting down");
  } else if (phase_ == Phase::reading && !reader_.has_begun() && in_begin_ == in_end_) {
    close_gently();
  } else if (phase_ == Phase::handshake) {
    destroy();
  }
}

void HttpConnection::on_tick() {
  const ServerOptions& options = server_->options;
  if (wire_->buffered() == 0 || wire_->sent() != progress_) {
    progress_ = wire_->sent();
    progress_tick_ = server_->tick;
  } else if (server_->passed(progress_tick_, options.write_timeout)) {
    if (peer_) {
      // It is dropped if it does not take this either.
      peer_->close(policy_violation, "too slow: nothing is read");
    } else {
      destroy();
    }
    return;
  }
  switch (phase_) {
    case Phase::handshake:
      if (server_->passed(phase_tick_, options.request_timeout)) {
        destroy();
      }
      break;
    case Phase::reading:
      if (reader_.has_begun()) {
        if (server_->passed(request_tick_, options.request_timeout)) {
          refuse(408, "the request took too long");
          wire_->flush();
        }
      } else if (server_->passed(phase_tick_, options.idle_timeout)) {
        close_gently();
      }
      break;
    case Phase::lingering:
      // While bytes of the answer wait, the write timeout above decides.
      if (wire_->buffered() == 0 && server_->passed(phase_tick_, linger_timeout)) {
        destroy();
      }
      break;
    case Phase::websocket:
      watch_peer();
      break;
    case Phase::handling:
    case Phase::gone:
      break;
  }
}

void HttpConnection::watch_peer() {
  const Duration limit = server_->options.websocket_idle_timeout;
  if (wire_->received() != heard_) {
    heard_ = wire_->received();
    heard_tick_ = server_->tick;
    pinged_ = false;
  } else if (server_->passed(heard_tick_, limit)) {
    peer_->abort_because("nothing came from the client for too long");
  } else if (!pinged_ && server_->passed(heard_tick_, limit / 2)) {
    pinged_ = peer_->ping("");
  }
}

void HttpConnection::read_more() {
  if (reading_ || client_done_ || phase_ == Phase::websocket || phase_ == Phase::gone) {
    return;
  }
  if (phase_ == Phase::lingering) {
    in_begin_ = in_end_ = 0;
  }
  if (in_end_ - in_begin_ >= max_pipelined_bytes && phase_ == Phase::handling) {
    return;  // finish_answer() comes back here
  }
  if (in_begin_ > 0) {
    std::memmove(in_.data(), in_.data() + in_begin_, in_end_ - in_begin_);
    in_end_ -= in_begin_;
    in_begin_ = 0;
  }
  if (in_.size() - in_end_ < read_room_bytes) {
    in_.resize(std::max(first_buffer_bytes, in_.size() + std::clamp(in_.size(), read_room_bytes,
                                                                    largest_read_room_bytes)));
  }
  reading_ = true;
  wire_->read_some(asio::buffer(in_.data() + in_end_, in_.size() - in_end_),
                   [self = shared_from_this()](SystemError error, std::size_t bytes) {
                     self->on_read(error, bytes);
                   });
}

void HttpConnection::on_read(SystemError error, std::size_t bytes) {
  reading_ = false;
  if (phase_ == Phase::gone) {
    return;
  }
  if (error) {
    // A client that has only closed its direction still waits for its answer; one that is being
    // streamed to has gone.
    client_done_ = error == asio::error::eof;
    const bool owes_answer = phase_ == Phase::handling && answer_ && !answer_->begun;
    if (!client_done_ || (!owes_answer && wire_->buffered() == 0) || (answer_ && answer_->begun)) {
      destroy();
    } else if (!owes_answer) {
      close_gently();
    }
    return;
  }
  in_end_ += bytes;
  if (phase_ == Phase::reading) {
    process();
  } else {
    read_more();
  }
}

void HttpConnection::process() {
  if (processing_) {
    return;
  }
  processing_ = true;
  const auto self = shared_from_this();
  while (phase_ == Phase::reading && in_begin_ < in_end_ &&
         wire_->buffered() <= server_->options.max_queued_bytes) {
    const bool had_begun = reader_.has_begun();
    std::size_t used = 0;
    const RequestReader::Step step =
        reader_.read(std::string_view(in_).substr(in_begin_, in_end_ - in_begin_), used);
    in_begin_ += used;
    if (!had_begun) {
      request_tick_ = server_->tick;
    }
    if (step == RequestReader::Step::done) {
      dispatch();
    } else if (step == RequestReader::Step::refused) {
      refuse(reader_.refusal().status, reader_.refusal().reason);
    } else if (step == RequestReader::Step::expects_continue) {
      wire_->append(std::string_view("HTTP/1.1 100 Continue\r\n\r\n"));
    } else {
      break;
    }
  }
  processing_ = false;
  if (phase_ != Phase::gone && phase_ != Phase::websocket) {
    wire_->flush();
  }
  read_more();
  if (client_done_ && phase_ == Phase::reading) {
    close_gently();
  }
}

void HttpConnection::dispatch() {
  Request request = reader_.take();
  request.remote_address = remote_address_;
  keep_alive_ = reader_.keep_alive() && !server_->draining;
  is_head_ = request.method == "HEAD";
  enter(Phase::handling);
  answer_ = std::make_shared<Answer>();
  if (is_upgrade(request)) {
    upgrade(std::move(request));
    return;
  }
  const auto answer = answer_;
  auto responder = std::make_shared<ConnectionResponder>(server_->loop, weak_from_this(), answer,
                                                         server_->options.max_queued_bytes);
  try {
    server_->handler->http(std::move(request), responder);
  } catch (const std::exception&) {
    responder->give_up();
  }
}

void HttpConnection::upgrade(Request request) {
  const auto answer = answer_;
  if (reader_.is_http_1_0() || reading_ || !request.body.empty() ||
      request.headers.get("Sec-WebSocket-Key").empty()) {
    keep_alive_ = false;
    send(answer, error_response(400, "not a valid WebSocket handshake"));
    return;
  }
  if (request.headers.get("Sec-WebSocket-Version") != "13") {
    Response response = error_response(426, "only WebSocket version 13 is spoken");
    response.headers.set("Sec-WebSocket-Version", "13");
    response.headers.set("Upgrade", "websocket");
    send(answer, std::move(response));
    return;
  }
  try {
    Upgrade decision = server_->handler->websocket(request);
    if (decision.refusal) {
      send(answer, std::move(*decision.refusal));
    } else {
      start_websocket(request, std::move(decision));
    }
  } catch (const std::exception&) {
    send(answer, error_response(500, "internal error"));
  }
}

void HttpConnection::start_websocket(const Request& request, Upgrade upgrade) {
  answer_.reset();
  enter(Phase::websocket);
  heard_tick_ = server_->tick;
  heard_ = wire_->received();
  wire_->unread(std::string_view(in_).substr(in_begin_, in_end_ - in_begin_));
  in_ = {};
  in_begin_ = in_end_ = 0;
  const ServerOptions& options = server_->options;
  Headers answer = std::move(upgrade.headers);
  for (const Header& header : options.headers) {
    if (!answer.has(header.name)) {
      answer.add(header.name, header.value);
    }
  }
  if (!upgrade.subprotocol.empty()) {
    answer.set("Sec-WebSocket-Protocol", std::move(upgrade.subprotocol));
  }
  peer_ = std::make_shared<ServerPeer>(
      wire_,
      WebSocketSettings{.max_message_bytes = options.max_message_bytes,
                        .max_queued_bytes = options.max_queued_bytes,
                        .close_deadline = options.websocket_close_timeout,
                        .deflate = options.websocket_deflate},
      remote_address_, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) {
          self->destroy();
        }
      });
  peer_->accept(request, std::move(answer), std::move(upgrade.on_open));
}

Response HttpConnection::error_response(int status, std::string_view reason) {
  try {
    Response response = server_->handler->error(status, reason);
    response.status = status;
    return response;
  } catch (const std::exception&) {
    return {.status = status};
  }
}

void HttpConnection::refuse(int status, std::string_view reason) {
  is_head_ = false;
  keep_alive_ = false;
  write_response(error_response(status, reason));
  close_gently();
}

void HttpConnection::append_head(int status, const Headers& headers, std::string_view framing) {
  std::string head;
  head.reserve(768);
  head += "HTTP/1.1 ";
  head += std::to_string(std::clamp(status, 200, 599));
  head += ' ';
  head += status_text(status);
  head += "\r\n";
  for (const Header& header : headers) {
    if (!is_framing(header.name)) {
      append_clean(head, header.name);
      head += ": ";
      append_clean(head, header.value);
      head += "\r\n";
    }
  }
  std::size_t line = 0;
  for (const Header& header : server_->options.headers) {
    if (!headers.has(header.name)) {
      head += server_->header_lines[line];
    }
    ++line;
  }
  head += framing;
  if (!keep_alive_) {
    head += "Connection: close\r\n";
  } else if (reader_.is_http_1_0()) {
    head += "Connection: keep-alive\r\n";
  }
  head += "\r\n";
  wire_->append(std::string_view(head));
}

void HttpConnection::write_response(Response response) {
  const std::size_t length =
      response.shared_body ? response.shared_body->size() : response.body.size();
  if (!has_body(response.status)) {
    append_head(response.status, response.headers, "");
    return;
  }
  append_head(response.status, response.headers,
              "Content-Length: " + std::to_string(length) + "\r\n");
  if (is_head_) {
    return;
  }
  if (response.shared_body) {
    wire_->append(std::move(response.shared_body));
  } else {
    wire_->append(std::move(response.body));
  }
}

void HttpConnection::send(const std::shared_ptr<Answer>& answer, Response response) {
  if (answer != answer_) {
    return;
  }
  write_response(std::move(response));
  finish_answer();
}

void HttpConnection::begin(const std::shared_ptr<Answer>& answer, int status,
                           const Headers& headers) {
  if (answer != answer_) {
    return;
  }
  answer->begun = true;
  if (client_done_) {
    destroy();
    return;
  }
  const bool with_body = has_body(status) && !is_head_;
  chunked_ = with_body && !reader_.is_http_1_0();
  keep_alive_ = keep_alive_ && (chunked_ || !with_body);
  append_head(status, headers,
              has_body(status) && !reader_.is_http_1_0() ? "Transfer-Encoding: chunked\r\n" : "");
  is_head_ = !with_body;
  flush_soon();
}

void HttpConnection::write(const std::shared_ptr<Answer>& answer, std::string chunk) {
  if (answer != answer_) {
    return;
  }
  answer->in_wire += chunk.size();
  if (is_head_) {
    // Nothing is written, so nothing will drain by itself.
    asio::post(wire_->context(), [self = shared_from_this()] { self->on_drain(); });
    return;
  }
  if (chunked_) {
    wire_->append(fmt::format("{:x}\r\n", chunk.size()));
    wire_->append(std::move(chunk));
    wire_->append(std::string_view("\r\n"));
  } else {
    wire_->append(std::move(chunk));
  }
  flush_soon();
}

void HttpConnection::end(const std::shared_ptr<Answer>& answer) {
  if (answer != answer_) {
    return;
  }
  if (chunked_) {
    wire_->append(std::string_view("0\r\n\r\n"));
  }
  finish_answer();
}

void HttpConnection::abandon(const std::shared_ptr<Answer>& answer) {
  if (answer != answer_) {
    return;
  }
  if (answer->begun) {
    destroy();
  } else {
    send(answer, error_response(500, "internal error"));
  }
}

void HttpConnection::finish_answer() {
  answer_->complete = true;
  answer_->on_drain = nullptr;
  answer_->on_close = nullptr;
  answer_.reset();
  chunked_ = false;
  if (!keep_alive_) {
    close_gently();
    read_more();
    return;
  }
  enter(Phase::reading);
  process();
}

void HttpConnection::close_gently() {
  if (phase_ == Phase::lingering || phase_ == Phase::gone) {
    return;
  }
  enter(Phase::lingering);
  if (client_done_ && wire_->buffered() == 0) {
    destroy();
    return;
  }
  wire_->finish();
}

void HttpConnection::flush_soon() {
  if (flush_posted_ || processing_) {
    return;
  }
  flush_posted_ = true;
  asio::post(wire_->context(), [self = shared_from_this()] {
    self->flush_posted_ = false;
    self->wire_->flush();
  });
}

void HttpConnection::on_drain() {
  const auto self = shared_from_this();
  if (phase_ == Phase::lingering && client_done_) {
    destroy();
    return;
  }
  if (phase_ == Phase::handling && answer_ && answer_->in_wire > 0) {
    const auto answer = answer_;
    answer->buffered.fetch_sub(std::exchange(answer->in_wire, 0));
    if (answer->on_drain) {
      // Moved out for the call: it may end the answer, which lets go of its callbacks.
      auto on_drain = std::move(answer->on_drain);
      answer->on_drain = nullptr;
      on_drain();
      if (answer == answer_ && !answer->on_drain) {
        answer->on_drain = std::move(on_drain);
      }
    }
    return;
  }
  if (phase_ == Phase::reading && in_begin_ < in_end_) {
    process();
  }
}

void HttpConnection::on_failure(SystemError) {
  destroy();
}

}  // namespace candlewick::net
