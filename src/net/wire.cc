// Bytes in and out of one connection. A chunk that the system reads from is never changed:
// appending goes to a later chunk.
#include "net/wire.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>

#include "net/tls.h"

namespace candlewick::net {
namespace {

// Reads smaller than this go through a buffer of our own, which grows while the peer fills it.
constexpr std::size_t direct_read_bytes = 4U << 10U;
constexpr std::size_t max_read_ahead_bytes = 64U << 10U;
// Appended views are gathered into chunks up to this size.
constexpr std::size_t gathered_bytes = 64U << 10U;
// Bytes that wait before a writer of write_some() is made to wait, and before hold() is overruled.
constexpr std::size_t high_water_bytes = 64U << 10U;
constexpr std::size_t buffers_a_write = 16;

}  // namespace

struct Wire::Tls {
  Tls(asio::ip::tcp::socket& socket, std::shared_ptr<asio::ssl::context> tls)
      : context(std::move(tls)), stream(socket, *context) {}

  std::shared_ptr<asio::ssl::context> context;
  asio::ssl::stream<asio::ip::tcp::socket&> stream;
};

Wire::Wire(asio::ip::tcp::socket socket)
    : context_(static_cast<asio::io_context&>(socket.get_executor().context())),
      socket_(std::move(socket)) {}

Wire::~Wire() = default;

void Wire::start_tls_client(std::shared_ptr<asio::ssl::context> tls, const std::string& host,
                            std::move_only_function<void(SystemError)> done) {
  tls_ = std::make_unique<Tls>(socket_, std::move(tls));
  if (const SystemError error = expect_host(tls_->stream.native_handle(), host)) {
    asio::post(context_, [done = std::move(done), error]() mutable { done(error); });
    return;
  }
  tls_->stream.async_handshake(asio::ssl::stream_base::client,
                               [self = shared_from_this(), done = std::move(done)](
                                   SystemError error) mutable { done(error); });
}

void Wire::start_tls_server(std::shared_ptr<asio::ssl::context> tls,
                            std::move_only_function<void(SystemError)> done) {
  tls_ = std::make_unique<Tls>(socket_, std::move(tls));
  tls_->stream.async_handshake(asio::ssl::stream_base::server,
                               [self = shared_from_this(), done = std::move(done)](
                                   SystemError error) mutable { done(error); });
}

std::string Wire::certificate_problem() const {
  return tls_ ? verification_problem(tls_->stream.native_handle()) : std::string{};
}

void Wire::receive(asio::mutable_buffer into, Done done) {
  auto on_read = [self = shared_from_this(), done = std::move(done)](SystemError error,
                                                                     std::size_t bytes) mutable {
    self->received_ += bytes;
    done(error, bytes);
  };
  if (tls_) {
    tls_->stream.async_read_some(into, std::move(on_read));
  } else {
    socket_.async_read_some(into, std::move(on_read));
  }
}

void Wire::read_some(asio::mutable_buffer into, Done done) {
  if (ahead_begin_ < ahead_end_) {
    const std::size_t bytes = std::min(into.size(), ahead_end_ - ahead_begin_);
    std::memcpy(into.data(), ahead_.data() + ahead_begin_, bytes);
    ahead_begin_ += bytes;
    asio::post(context_, [done = std::move(done), bytes]() mutable { done({}, bytes); });
    return;
  }
  if (into.size() >= direct_read_bytes) {
    receive(into, std::move(done));
    return;
  }
  if (ahead_.empty() || (ahead_end_ == ahead_.size() && ahead_.size() < max_read_ahead_bytes)) {
    ahead_.resize(std::max(2 * direct_read_bytes, 2 * ahead_.size()));
  }
  // `this` is kept by receive().
  receive(asio::buffer(ahead_),
          [this, into, done = std::move(done)](SystemError error, std::size_t bytes) mutable {
            ahead_begin_ = 0;
            ahead_end_ = bytes;
            const std::size_t now = std::min(into.size(), bytes);
            std::memcpy(into.data(), ahead_.data(), now);
            ahead_begin_ = now;
            done(error, now);
          });
}

void Wire::unread(std::string_view bytes) {
  std::string joined(bytes);
  joined.append(ahead_, ahead_begin_, ahead_end_ - ahead_begin_);
  ahead_ = std::move(joined);
  ahead_begin_ = 0;
  ahead_end_ = ahead_.size();
}

void Wire::append(std::string_view bytes) {
  if (closed_ || bytes.empty()) {
    return;
  }
  buffered_ += bytes.size();
  if (queue_.size() > in_flight_ && !queue_.back().shared &&
      queue_.back().owned.size() + bytes.size() <= gathered_bytes) {
    queue_.back().owned.append(bytes);
    return;
  }
  queue_.push_back({std::string(bytes), nullptr});
}

void Wire::append(std::string&& bytes) {
  if (bytes.size() < gathered_bytes / 4) {
    append(std::string_view(bytes));
    return;
  }
  if (!closed_) {
    buffered_ += bytes.size();
    queue_.push_back({std::move(bytes), nullptr});
  }
}

void Wire::append(std::shared_ptr<const std::string> bytes) {
  if (bytes->size() < gathered_bytes / 4) {
    append(std::string_view(*bytes));
    return;
  }
  if (!closed_) {
    buffered_ += bytes->size();
    queue_.push_back({{}, std::move(bytes)});
  }
}

void Wire::flush() {
  if (!writing_ && !closed_ && !queue_.empty()) {
    write_on();
  }
}

void Wire::hold(bool held) {
  held_ = held;
  if (!held_) {
    flush();
  }
}

void Wire::write_some(std::size_t appended, Done done) {
  if (!held_ || buffered_ >= high_water_bytes) {
    flush();
  }
  if (closed_) {
    asio::post(context_,
               [done = std::move(done)]() mutable { done(asio::error::operation_aborted, 0); });
  } else if (buffered_ < high_water_bytes) {
    asio::post(context_, [done = std::move(done), appended]() mutable { done({}, appended); });
  } else {
    writer_.emplace(appended, std::move(done));
  }
}

void Wire::release_writer(SystemError error) {
  if (!writer_) {
    return;
  }
  auto [bytes, done] = std::move(*writer_);
  writer_.reset();
  asio::post(context_,
             [done = std::move(done), error, bytes]() mutable { done(error, error ? 0 : bytes); });
}

void Wire::write_on() {
  writing_ = true;
  auto on_write = [self = shared_from_this()](SystemError error, std::size_t bytes) {
    self->on_written(error, bytes);
  };
  if (tls_) {
    // Asio's TLS stream writes one buffer a call anyway.
    const std::string_view front = queue_.front().view().substr(front_offset_);
    in_flight_ = 1;
    tls_->stream.async_write_some(asio::buffer(front), std::move(on_write));
    return;
  }
  std::array<asio::const_buffer, buffers_a_write> buffers;
  in_flight_ = std::min(queue_.size(), buffers.size());
  for (std::size_t i = 0; i < in_flight_; ++i) {
    const std::string_view view = queue_[i].view().substr(i == 0 ? front_offset_ : 0);
    buffers[i] = asio::buffer(view);
  }
  socket_.async_write_some(buffers, std::move(on_write));
}

void Wire::on_written(SystemError error, std::size_t bytes) {
  writing_ = false;
  in_flight_ = 0;
  if (closed_) {
    queue_.clear();
    return;
  }
  if (error) {
    release_writer(error);
    if (owner_ != nullptr) {
      owner_->on_failure(error);
    }
    return;
  }
  sent_ += bytes;
  buffered_ -= bytes;
  front_offset_ += bytes;
  while (!queue_.empty() && front_offset_ >= queue_.front().view().size()) {
    front_offset_ -= queue_.front().view().size();
    queue_.pop_front();
  }
  if (buffered_ < high_water_bytes) {
    release_writer({});
  }
  if (!queue_.empty()) {
    write_on();
    return;
  }
  if (finishing_) {
    send_end();
  }
  if (owner_ != nullptr) {
    owner_->on_drain();
  }
}

void Wire::finish() {
  if (finishing_ || closed_) {
    return;
  }
  finishing_ = true;
  if (queue_.empty()) {
    send_end();
  } else {
    flush();
  }
}

void Wire::send_end() {
  if (!tls_) {
    SystemError ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    return;
  }
  // The peer's answer is not waited for: our close_notify is out when this returns, or never.
  tls_->stream.async_shutdown([self = shared_from_this()](SystemError) {});
}

void Wire::close() {
  if (closed_) {
    return;
  }
  closed_ = true;
  SystemError ignored;
  socket_.close(ignored);
  buffered_ = 0;
  if (!writing_) {
    queue_.clear();
  }
  release_writer(asio::error::operation_aborted);
  owner_ = nullptr;
}

}  // namespace candlewick::net
