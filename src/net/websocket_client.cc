// The steps of a connection: URL, name, TCP, TLS, upgrade. The first failure ends it, in words.
#include "net/websocket_client.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "net/tls.h"
#include "net/url.h"
#include "net/websocket.h"
#include "net/wire.h"

namespace candlewick::net {

using asio::ip::tcp;

struct WebSocketClient::Impl final : WebSocket::Owner, std::enable_shared_from_this<Impl> {
  Impl(const std::shared_ptr<Loop::Impl>& its_loop, WebSocketOptions its_options,
       WebSocketEvents its_events)
      : loop(its_loop),
        context(its_loop->context),
        options(std::move(its_options)),
        events(std::move(its_events)),
        resolver(context),
        socket(context),
        deadline(context) {}

  void start();
  void resolved(SystemError error, const tcp::resolver::results_type& found);
  void connected(SystemError error);
  void secured(SystemError error);
  void upgrade();
  void upgraded(const WebSocketHandshake& outcome);
  void set_deadline(Duration delay, std::string_view step);
  void give_up(Error error, int http_status = 0, std::string retry_after = {});
  // The end, told or not.
  void drop();

  void on_frame(std::string_view payload, bool binary) override {
    const auto self = shared_from_this();
    if (events.on_frame) {
      events.on_frame(payload, binary);
    }
  }
  void on_control(ControlFrame kind, std::string_view payload) override {
    const auto self = shared_from_this();
    if (events.on_control) {
      events.on_control(kind, payload);
    }
  }
  void on_drained() override {
    const auto self = shared_from_this();
    if (events.on_drain) {
      events.on_drain();
    }
  }
  void on_end(const WebSocketClosed& closed) override {
    const auto self = shared_from_this();
    WebSocketClosed named = closed;
    named.error.message.insert(0, url.shown() + ": ");
    drop();
    if (!abandoned && events.on_close) {
      events.on_close(named);
    }
  }

  std::weak_ptr<Loop::Impl> loop;
  asio::io_context& context;
  WebSocketOptions options;
  WebSocketEvents events;
  Url url;
  tcp::resolver resolver;
  tcp::socket socket;
  asio::steady_timer deadline;
  std::shared_ptr<Wire> wire;
  std::shared_ptr<WebSocket> line;
  std::uint32_t deadline_round = 0;
  bool opened = false;
  bool ended = false;      // nothing more happens
  bool abandoned = false;  // the client object is gone: no callbacks
};

void WebSocketClient::Impl::start() {
  if (ended) {
    return;
  }
  Result<Url> parsed = parse_url(options.url);
  if (!parsed) {
    give_up(std::move(parsed.error()));
    return;
  }
  url = std::move(*parsed);
  if (url.scheme != "ws" && url.scheme != "wss") {
    give_up({ErrorKind::misconfigured, "the scheme of a WebSocket is wss"});
    return;
  }
  set_deadline(options.connect_deadline, "connecting");
  resolver.async_resolve(
      url.host, std::to_string(url.port), tcp::resolver::numeric_service,
      [self = shared_from_this()](SystemError error, const tcp::resolver::results_type& found) {
        self->resolved(error, found);
      });
}

void WebSocketClient::Impl::resolved(SystemError error, const tcp::resolver::results_type& found) {
  if (ended) {
    return;
  }
  if (error) {
    give_up({ErrorKind::transient, connection_words(error)});
    return;
  }
  asio::async_connect(socket, found,
                      [self = shared_from_this()](SystemError failed, const tcp::endpoint&) {
                        self->connected(failed);
                      });
}

void WebSocketClient::Impl::connected(SystemError error) {
  if (ended) {
    return;
  }
  if (error) {
    give_up({ErrorKind::transient, connection_words(error)});
    return;
  }
  SystemError ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  wire = std::make_shared<Wire>(std::move(socket));
  set_deadline(options.handshake_deadline, "the handshake");
  if (!url.is_secure()) {
    upgrade();
    return;
  }
  const std::shared_ptr<Loop::Impl> alive = loop.lock();
  if (!alive) {
    return;
  }
  auto tls = client_tls(*alive, options.ca_file);
  if (!tls) {
    give_up(std::move(tls.error()));
    return;
  }
  wire->start_tls_client(
      *tls, url.host, [self = shared_from_this()](SystemError failed) { self->secured(failed); });
}

void WebSocketClient::Impl::secured(SystemError error) {
  if (ended) {
    return;
  }
  if (!error) {
    upgrade();
    return;
  }
  const std::string problem = wire->certificate_problem();
  if (problem.empty()) {
    give_up({ErrorKind::transient, "TLS: " + connection_words(error)});
  } else {
    give_up({ErrorKind::misconfigured, "TLS certificate not accepted: " + problem});
  }
}

void WebSocketClient::Impl::upgrade() {
  line = WebSocket::make(wire,
                         {.max_message_bytes = options.max_message_bytes,
                          .max_queued_bytes = options.max_queued_bytes,
                          .close_deadline = options.close_deadline,
                          .deflate = options.offer_deflate},
                         *this);
  line->connect(
      url, options.headers,
      [self = shared_from_this()](const WebSocketHandshake& outcome) { self->upgraded(outcome); });
}

void WebSocketClient::Impl::upgraded(const WebSocketHandshake& outcome) {
  if (ended) {
    return;
  }
  if (outcome.http_status != 0) {
    give_up({ErrorKind::transient,
             fmt::format("the upgrade was refused with HTTP status {}", outcome.http_status)},
            outcome.http_status, outcome.retry_after);
    return;
  }
  if (outcome.error) {
    give_up({ErrorKind::transient, "no WebSocket handshake: " + connection_words(outcome.error)});
    return;
  }
  ++deadline_round;
  deadline.cancel();
  opened = true;
  // Reading starts first, so that a close() inside on_open finds an open connection.
  line->start_reading();
  if (events.on_open) {
    events.on_open();
  }
}

void WebSocketClient::Impl::set_deadline(Duration delay, std::string_view step) {
  deadline.expires_after(std::chrono::duration_cast<std::chrono::steady_clock::duration>(delay));
  // The round tells apart a wait that had already expired when the next one was set.
  deadline.async_wait(
      [self = shared_from_this(), step, round = ++deadline_round](SystemError error) {
        if (!error && !self->ended && round == self->deadline_round) {
          self->give_up({ErrorKind::transient, fmt::format("{} took too long", step)});
        }
      });
}

void WebSocketClient::Impl::give_up(Error error, int http_status, std::string retry_after) {
  const auto self = shared_from_this();
  if (ended) {
    return;
  }
  drop();
  if (abandoned || !events.on_close) {
    return;
  }
  if (!url.host.empty()) {
    error.message.insert(0, url.shown() + ": ");
  }
  events.on_close({.error = std::move(error),
                   .http_status = http_status,
                   .retry_after = std::move(retry_after)});
}

void WebSocketClient::Impl::drop() {
  ended = true;
  resolver.cancel();
  deadline.cancel();
  SystemError ignored;
  socket.close(ignored);
  if (line) {
    line->detach();
  } else if (wire) {
    wire->close();
  }
}

WebSocketClient::WebSocketClient(Loop& loop, WebSocketOptions options, WebSocketEvents events)
    : impl_(std::make_shared<Impl>(loop.impl(), std::move(options), std::move(events))) {
  asio::post(impl_->context, [impl = impl_] { impl->start(); });
}

WebSocketClient::~WebSocketClient() {
  const std::shared_ptr<Loop::Impl> loop = impl_->loop.lock();
  if (!loop) {
    return;
  }
  loop->call([impl = impl_.get()] {
    impl->abandoned = true;
    if (!impl->ended) {
      impl->drop();
    }
  });
}

bool WebSocketClient::is_open() const {
  return impl_->line && impl_->line->is_open();
}

bool WebSocketClient::send(std::string message, bool binary) {
  return impl_->line && impl_->line->send(std::move(message), binary);
}

bool WebSocketClient::ping(std::string_view payload) {
  return impl_->line && impl_->line->ping(payload);
}

void WebSocketClient::close(int code, std::string_view reason) {
  if (is_open()) {
    impl_->line->close(code, reason);
  } else if (!impl_->opened) {
    asio::post(impl_->context, [impl = impl_] {
      impl->give_up({ErrorKind::transient, "closed before it was open"});
    });
  }
}

std::size_t WebSocketClient::queued_bytes() const {
  return impl_->line ? impl_->line->buffered() : 0;
}

}  // namespace candlewick::net
