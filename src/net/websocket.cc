// WebSocket by Beast. Messages are queued here (Beast takes one at a time) and their frames gather
// in the Wire until the queue is empty, so that many small messages leave in one system call.
#include "net/websocket.h"

#include <algorithm>
#include <deque>
#include <optional>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

#include "net/tls.h"

namespace candlewick::net {
namespace {

namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;

constexpr std::size_t kept_read_buffer_bytes = 256U << 10U;

// The Wire as Beast wants its streams to be.
class WireStream {
 public:
  using executor_type = asio::io_context::executor_type;

  explicit WireStream(std::shared_ptr<Wire> wire) : wire_(std::move(wire)) {}

  executor_type get_executor() const { return wire_->context().get_executor(); }
  Wire& wire() { return *wire_; }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(SystemError, std::size_t)>(
        [](auto handler, Wire* wire, const Buffers& into) {
          asio::mutable_buffer first;
          for (auto it = asio::buffer_sequence_begin(into);
               it != asio::buffer_sequence_end(into) && first.size() == 0; ++it) {
            first = *it;
          }
          wire->read_some(first, Wire::Done(std::move(handler)));
        },
        token, wire_.get(), buffers);
  }

  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(SystemError, std::size_t)>(
        [](auto handler, Wire* wire, const Buffers& from) {
          std::size_t bytes = 0;
          for (auto it = asio::buffer_sequence_begin(from); it != asio::buffer_sequence_end(from);
               ++it) {
            const asio::const_buffer buffer = *it;
            wire->append(std::string_view(static_cast<const char*>(buffer.data()), buffer.size()));
            bytes += buffer.size();
          }
          wire->write_some(bytes, Wire::Done(std::move(handler)));
        },
        token, wire_.get(), buffers);
  }

 private:
  std::shared_ptr<Wire> wire_;
};

// How Beast ends a connection after the close frames, and when a deadline of its own passes.
template <class Handler>
void async_teardown(beast::role_type, WireStream& stream, Handler&& handler) {
  stream.wire().hold(false);
  stream.wire().finish();
  asio::post(stream.get_executor(),
             [handler = std::forward<Handler>(handler)]() mutable { handler(SystemError{}); });
}

void beast_close_socket(WireStream& stream) {
  stream.wire().close();
}

struct Message {
  std::string owned;
  std::shared_ptr<const std::string> shared;
  bool binary = false;

  const std::string& bytes() const { return shared ? *shared : owned; }
};

websocket::close_reason close_frame(int code, std::string_view reason) {
  // A close frame holds 125 bytes, two of them for the code; a character is not cut in two.
  std::size_t bytes = std::min<std::size_t>(reason.size(), 123);
  while (bytes < reason.size() && bytes > 0 &&
         (static_cast<unsigned char>(reason[bytes]) & 0xC0U) == 0x80U) {
    --bytes;
  }
  return {static_cast<websocket::close_code>(code), beast::string_view(reason.data(), bytes)};
}

class BeastWebSocket final : public WebSocket,
                             public Wire::Owner,
                             public std::enable_shared_from_this<BeastWebSocket> {
 public:
  BeastWebSocket(std::shared_ptr<Wire> wire, WebSocketSettings settings, WebSocket::Owner& owner)
      : wire_(std::move(wire)),
        settings_(settings),
        owner_(&owner),
        stream_(WireStream(wire_)),
        buffer_(settings.max_message_bytes),
        close_timer_(wire_->context()) {
    stream_.set_option(websocket::stream_base::timeout{websocket::stream_base::none(),
                                                       websocket::stream_base::none(), false});
    stream_.read_message_max(settings.max_message_bytes);
    stream_.auto_fragment(false);
    stream_.write_buffer_bytes(16U << 10U);  // what a client masks at a time
    websocket::permessage_deflate deflate;
    deflate.client_enable = settings.deflate;
    deflate.server_enable = settings.deflate;
    stream_.set_option(deflate);
    wire_->set_owner(this);
  }

  void connect(const Url& url, const Headers& headers,
               std::move_only_function<void(const WebSocketHandshake&)> done) override {
    stream_.set_option(
        websocket::stream_base::decorator([headers](websocket::request_type& request) {
          request.set(beast::http::field::user_agent, "candlewick");
          for (const Header& header : headers) {
            request.set(header.name, header.value);
          }
        }));
    auto answer = std::make_unique<websocket::response_type>();
    websocket::response_type& into = *answer;
    stream_.async_handshake(
        into, url.authority(), url.target,
        [self = shared_from_this(), answer = std::move(answer),
         done = std::move(done)](SystemError error) mutable {
          WebSocketHandshake outcome{.error = error, .words = error ? error.message() : ""};
          if (error == websocket::error::upgrade_declined) {
            outcome.http_status = static_cast<int>(answer->result_int());
            outcome.retry_after = std::string((*answer)[beast::http::field::retry_after]);
          }
          done(outcome);
        });
  }

  void accept(const Request& request, Headers answer,
              std::move_only_function<void(const WebSocketHandshake&)> done) override {
    stream_.set_option(
        websocket::stream_base::decorator([answer](websocket::response_type& response) {
          response.set(beast::http::field::server, "candlewick");
          for (const Header& header : answer) {
            response.set(header.name, header.value);
          }
        }));
    auto upgrade = std::make_unique<websocket::request_type>();
    upgrade->version(11);
    upgrade->method(beast::http::verb::get);
    upgrade->target(request.target);
    for (const Header& header : request.headers) {
      upgrade->insert(header.name, header.value);
    }
    const websocket::request_type& from = *upgrade;
    stream_.async_accept(from, [self = shared_from_this(), upgrade = std::move(upgrade),
                                done = std::move(done)](SystemError error) mutable {
      done({.error = error, .words = error ? error.message() : ""});
    });
  }

  void start_reading() override {
    open_ = true;
    stream_.control_callback([this](websocket::frame_type kind, beast::string_view payload) {
      if (owner_ != nullptr && kind != websocket::frame_type::close) {
        owner_->on_control(
            kind == websocket::frame_type::ping ? ControlFrame::ping : ControlFrame::pong,
            std::string_view(payload.data(), payload.size()));
      }
    });
    read_next();
  }

  bool send(std::string message, bool binary) override {
    return enqueue({std::move(message), nullptr, binary});
  }

  bool send(std::shared_ptr<const std::string> message, bool binary) override {
    return enqueue({{}, std::move(message), binary});
  }

  bool ping(std::string_view payload) override {
    if (!open_ || closing_ || pinging_ || payload.size() > 125) {
      return false;
    }
    pinging_ = true;
    stream_.async_ping(websocket::ping_data(beast::string_view(payload.data(), payload.size())),
                       [self = shared_from_this()](SystemError) { self->pinging_ = false; });
    return true;
  }

  void close(int code, std::string_view reason) override {
    if (!open_ || closing_) {
      return;
    }
    closing_ = true;
    close_code_ = code;
    close_reason_ = reason;
    close_timer_.expires_after(
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(settings_.close_deadline));
    close_timer_.async_wait([self = shared_from_this()](SystemError error) {
      if (!error) {
        self->abort("the other side did not answer the close frame");
      }
    });
    if (queue_.empty()) {
      send_close();
    }
  }

  void abort(std::string words) override {
    if (ended_ || wire_->is_closed()) {
      return;
    }
    abort_words_ = std::move(words);
    open_ = false;
    wire_->close();
    // The read that is pending reports the end; inside on_frame none is, so this does.
    asio::post(wire_->context(),
               [self = shared_from_this()] { self->end(asio::error::operation_aborted); });
  }

  void detach() override {
    owner_ = nullptr;
    open_ = false;
    ended_ = true;
    close_timer_.cancel();
    wire_->close();
  }

  std::size_t buffered() const override {
    // Of the message at work, the part that the wire has taken is counted there.
    const std::size_t taken =
        writing_ ? std::min(static_cast<std::size_t>(wire_->appended() - appended_before_),
                            queue_.front().bytes().size())
                 : 0;
    return ended_ ? 0 : queued_bytes_ - taken + wire_->buffered();
  }

  bool is_open() const override { return open_ && !closing_; }

  void on_drain() override {
    const auto self = shared_from_this();
    if (owner_ != nullptr && open_ && queue_.empty()) {
      owner_->on_drained();
    }
  }

  void on_failure(SystemError error) override {
    const auto self = shared_from_this();
    end(error);
  }

 private:
  bool enqueue(Message message) {
    const std::size_t bytes = message.bytes().size();
    const std::size_t before = buffered();
    if (!open_ || closing_ || (before != 0 && before + bytes > settings_.max_queued_bytes)) {
      return false;
    }
    queued_bytes_ += bytes;
    queue_.push_back(std::move(message));
    if (!writing_) {
      write_next();
    }
    return true;
  }

  void write_next() {
    writing_ = true;
    appended_before_ = wire_->appended();
    const Message& message = queue_.front();
    wire_->hold(true);
    stream_.binary(message.binary);
    stream_.async_write(
        asio::buffer(message.bytes()),
        [self = shared_from_this()](SystemError error, std::size_t) { self->on_written(error); });
  }

  void on_written(SystemError error) {
    writing_ = false;
    queued_bytes_ -= queue_.front().bytes().size();
    queue_.pop_front();
    if (error) {
      wire_->hold(false);
      end(error);
      return;
    }
    if (!queue_.empty()) {
      write_next();
      return;
    }
    wire_->hold(false);
    if (closing_) {
      send_close();
    }
  }

  void send_close() {
    wire_->hold(false);
    stream_.async_close(close_frame(close_code_, close_reason_),
                        [self = shared_from_this()](SystemError error) {
                          self->end(error ? error : SystemError(websocket::error::closed));
                        });
  }

  void read_next() {
    stream_.async_read(buffer_, [self = shared_from_this()](SystemError error, std::size_t) {
      self->on_read(error);
    });
  }

  void on_read(SystemError error) {
    if (error) {
      end(error);
      return;
    }
    if (owner_ != nullptr) {
      const asio::const_buffer payload = buffer_.cdata();
      owner_->on_frame(std::string_view(static_cast<const char*>(payload.data()), payload.size()),
                       stream_.got_binary());
    }
    buffer_.consume(buffer_.size());
    if (buffer_.capacity() > kept_read_buffer_bytes) {
      buffer_.shrink_to_fit();
    }
    if (!ended_) {
      read_next();
    }
  }

  void end(SystemError error) {
    if (ended_) {
      return;
    }
    ended_ = true;
    open_ = false;
    close_timer_.cancel();
    const WebSocketClosed closed = describe(error);
    WebSocket::Owner* const owner = std::exchange(owner_, nullptr);
    wire_->close();
    if (owner != nullptr) {
      owner->on_end(closed);
    }
  }

  WebSocketClosed describe(SystemError error) const {
    WebSocketClosed closed{.was_open = true};
    closed.error.kind = ErrorKind::transient;
    const websocket::close_reason& reason = stream_.reason();
    if (error == websocket::error::closed && reason.code != websocket::close_code::none) {
      closed.close_code = static_cast<int>(reason.code);
      closed.close_reason = std::string(reason.reason.data(), reason.reason.size());
      closed.error.message =
          fmt::format("closed with {}{}{}", closed.close_code,
                      closed.close_reason.empty() ? "" : ": ", closed.close_reason);
    } else if (!abort_words_.empty()) {
      closed.error.message = abort_words_;
    } else if (error == websocket::error::message_too_big ||
               error == websocket::error::buffer_overflow) {
      closed.error = {ErrorKind::malformed,
                      fmt::format("a message of more than {} bytes", settings_.max_message_bytes)};
    } else if (error == websocket::condition::protocol_violation ||
               error == websocket::error::bad_frame_payload) {
      closed.error = {ErrorKind::malformed, "not WebSocket: " + error.message()};
    } else {
      closed.error.message = connection_words(error);
    }
    return closed;
  }

  std::shared_ptr<Wire> wire_;
  WebSocketSettings settings_;
  WebSocket::Owner* owner_;
  websocket::stream<WireStream> stream_;
  beast::flat_buffer buffer_;
  asio::steady_timer close_timer_;
  std::deque<Message> queue_;
  std::size_t queued_bytes_ = 0;
  std::uint64_t appended_before_ = 0;  // by the wire, when the message at work began
  std::string abort_words_;
  std::string close_reason_;
  int close_code_ = 0;
  bool open_ = false;
  bool writing_ = false;
  bool pinging_ = false;
  bool closing_ = false;
  bool ended_ = false;
};

}  // namespace

std::shared_ptr<WebSocket> WebSocket::make(std::shared_ptr<Wire> wire, WebSocketSettings settings,
                                           Owner& owner) {
  return std::make_shared<BeastWebSocket>(std::move(wire), settings, owner);
}

}  // namespace candlewick::net
