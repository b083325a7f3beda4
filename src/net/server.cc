// Listens and accepts; connections do the rest. One timer ticks for all of them.
#include "net/server.h"

#include <algorithm>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "net/http_connection.h"
#include "net/tls.h"

namespace candlewick::net {

using asio::ip::tcp;

namespace {

constexpr int backlog = 1024;
constexpr Duration shortest_tick = std::chrono::milliseconds{10};
constexpr Duration longest_tick = std::chrono::seconds{1};
// After an accept that failed for lack of file descriptors or memory.
constexpr auto accept_pause = std::chrono::milliseconds{100};

Duration tick_for(const ServerOptions& options) {
  const Duration shortest = std::min({options.request_timeout, options.idle_timeout,
                                      options.write_timeout, options.websocket_idle_timeout / 2});
  return std::clamp(shortest / 8, shortest_tick, longest_tick);
}

}  // namespace

std::optional<std::string_view> Request::parameter(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) {
      return value;
    }
  }
  return std::nullopt;
}

Upgrade Handler::websocket(const Request&) {
  Upgrade decision;
  decision.refusal = error(404, "no WebSocket here");
  return decision;
}

Response Handler::error(int status, std::string_view reason) {
  Response response{.status = status};
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  response.body = std::string(reason) + "\n";
  return response;
}

std::string_view status_text(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 418:
      return "I'm a teapot";
    case 422:
      return "Unprocessable Content";
    case 426:
      return "Upgrade Required";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 451:
      return "Unavailable For Legal Reasons";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "";
  }
}

struct Server::Impl final : std::enable_shared_from_this<Impl> {
  explicit Impl(const std::shared_ptr<Loop::Impl>& loop)
      : acceptor(loop->context), ticks(loop->context), pause(loop->context) {}

  Result<void> open();
  void accept();
  void admit(tcp::socket socket);
  void tick();
  void close();

  std::shared_ptr<ServerState> state = std::make_shared<ServerState>();
  tcp::acceptor acceptor;
  asio::steady_timer ticks;
  asio::steady_timer pause;
  tcp::endpoint endpoint;
};

Result<void> Server::Impl::open() {
  const ServerOptions& options = state->options;
  const auto refuse = [&](const SystemError& error) {
    return fail(ErrorKind::misconfigured, "cannot listen on {}:{}: {}", options.address,
                options.port, error.message());
  };
  SystemError error;
  const std::string numeric = options.address == "localhost" ? "127.0.0.1" : options.address;
  const asio::ip::address address = asio::ip::make_address(numeric, error);
  if (error) {
    return fail(ErrorKind::misconfigured, "cannot listen on \"{}\": not an IP address",
                options.address);
  }
  endpoint = {address, options.port};
  acceptor.open(endpoint.protocol(), error);
  if (!error) {
    acceptor.set_option(asio::socket_base::reuse_address(true), error);
  }
  if (!error) {
    acceptor.bind(endpoint, error);
  }
  if (!error) {
    acceptor.listen(backlog, error);
  }
  if (error) {
    return refuse(error);
  }
  endpoint = acceptor.local_endpoint(error);
  if (error) {
    return refuse(error);
  }
  return {};
}

void Server::Impl::accept() {
  acceptor.async_accept([self = shared_from_this()](SystemError error, tcp::socket socket) {
    if (!self->acceptor.is_open()) {
      return;
    }
    if (!error) {
      self->admit(std::move(socket));
      self->accept();
      return;
    }
    self->pause.expires_after(accept_pause);
    self->pause.async_wait([self](SystemError cancelled) {
      if (!cancelled && self->acceptor.is_open()) {
        self->accept();
      }
    });
  });
}

void Server::Impl::admit(tcp::socket socket) {
  SystemError error;
  const tcp::endpoint remote = socket.remote_endpoint(error);
  if (error) {
    return;  // gone already
  }
  socket.set_option(tcp::no_delay(true), error);
  auto connection =
      std::make_shared<HttpConnection>(state, std::move(socket), remote.address().to_string());
  state->connections.insert(connection);
  const std::size_t before = state->open.fetch_add(1, std::memory_order_relaxed);
  connection->start(before >= state->options.max_connections);
}

void Server::Impl::tick() {
  ticks.expires_after(
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(state->tick_length));
  ticks.async_wait([self = shared_from_this()](SystemError error) {
    if (error || self->state->handler == nullptr) {
      return;
    }
    ++self->state->tick;
    // A copy, since ticks end connections.
    const std::vector<std::shared_ptr<HttpConnection>> connections(self->state->connections.begin(),
                                                                   self->state->connections.end());
    for (const auto& connection : connections) {
      connection->on_tick();
    }
    self->tick();
  });
}

void Server::Impl::close() {
  SystemError ignored;
  acceptor.close(ignored);
  ticks.cancel();
  pause.cancel();
  const auto connections = state->connections;
  for (const auto& connection : connections) {
    connection->destroy();
  }
  state->handler = nullptr;
}

Result<std::unique_ptr<Server>> Server::listen(Loop& loop, ServerOptions options,
                                               Handler& handler) {
  auto impl = std::make_shared<Impl>(loop.impl());
  ServerState& state = *impl->state;
  state.options = std::move(options);
  state.handler = &handler;
  state.loop = loop.impl();
  state.tick_length = tick_for(state.options);
  for (const Header& header : state.options.headers) {
    state.header_lines.push_back(header.name + ": " + header.value + "\r\n");
  }
  if (state.options.certificate_file.empty() != state.options.key_file.empty()) {
    return fail(ErrorKind::misconfigured, "TLS needs both a certificate file and a key file");
  }
  if (!state.options.certificate_file.empty()) {
    auto tls = server_tls(state.options.certificate_file, state.options.key_file);
    if (!tls) {
      return fail(std::move(tls.error()));
    }
    state.tls = std::move(*tls);
  }
  if (auto opened = impl->open(); !opened) {
    return fail(std::move(opened.error()));
  }
  asio::post(loop.impl()->context, [impl] {
    if (impl->acceptor.is_open()) {
      impl->accept();
      impl->tick();
    }
  });
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() {
  if (const auto loop = impl_->state->loop.lock()) {
    loop->call([this] { impl_->close(); });
  }
}

std::uint16_t Server::port() const {
  return impl_->endpoint.port();
}

std::string Server::address() const {
  const asio::ip::address address = impl_->endpoint.address();
  const std::string host = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
  return host + ":" + std::to_string(port());
}

std::size_t Server::connections() const {
  return impl_->state->open.load(std::memory_order_relaxed);
}

void Server::drain() {
  const auto loop = impl_->state->loop.lock();
  if (!loop) {
    return;
  }
  asio::post(loop->context, [impl = impl_] {
    SystemError ignored;
    impl->acceptor.close(ignored);
    impl->state->draining = true;
    const auto connections = impl->state->connections;
    for (const auto& connection : connections) {
      connection->drain();
    }
  });
}

}  // namespace candlewick::net
