// One TCP connection, plain or TLS, with a queue of bytes to write. The rest of net/ reads and
// writes through it, so Asio's templates are made once and small writes travel together.
// For the .cc files of net/ only; everything on the loop's thread.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/result.h"
#include "net/loop_impl.h"

namespace candlewick::net {

using SystemError = boost::system::error_code;

class Wire : public std::enable_shared_from_this<Wire> {
 public:
  using Done = std::move_only_function<void(SystemError, std::size_t)>;

  explicit Wire(asio::ip::tcp::socket socket);
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  ~Wire();

  asio::io_context& context() { return context_; }
  asio::ip::tcp::socket& socket() { return socket_; }

  // TLS from here on. The context must outlive the wire's use of it, so it is kept.
  void start_tls_client(std::shared_ptr<asio::ssl::context> tls, const std::string& host,
                        std::move_only_function<void(SystemError)> done);
  void start_tls_server(std::shared_ptr<asio::ssl::context> tls,
                        std::move_only_function<void(SystemError)> done);
  // After a failed client handshake: what was wrong with the certificate, empty if nothing was.
  std::string certificate_problem() const;

  // One read at a time. Small buffers are served from a larger one, to save system calls.
  void read_some(asio::mutable_buffer into, Done done);
  // Bytes read too far, to be read again first.
  void unread(std::string_view bytes);

  // Queues; nothing is written before flush().
  void append(std::string_view bytes);
  void append(std::string&& bytes);
  void append(std::shared_ptr<const std::string> bytes);
  void flush();
  // Not yet handed to the system.
  std::size_t buffered() const { return buffered_; }
  // Told of the queue, from the loop; until close(). It outlives the wire's use of it.
  class Owner {
   public:
    virtual ~Owner() = default;
    // The queue has become empty.
    virtual void on_drain() = 0;
    // A write failed; nothing more will be written.
    virtual void on_failure(SystemError error) = 0;
  };
  void set_owner(Owner* owner) { owner_ = owner; }
  // As write_some of an AsyncWriteStream: takes all of it, and reports back at once or, when much
  // is waiting already, later.
  void write_some(std::size_t appended, Done done);
  // Holds appended bytes back until let go (or until many have gathered).
  void hold(bool held);

  // Ends our direction, once the queue is empty, by close_notify and FIN.
  void finish();
  // Ends both now; what waits is answered with operation_aborted.
  void close();
  bool is_closed() const { return closed_; }

  // Bytes so far: they tell whether a peer lives, without reading a clock for every read.
  std::uint64_t received() const { return received_; }
  std::uint64_t sent() const { return sent_; }
  std::uint64_t appended() const { return sent_ + buffered_; }

 private:
  struct Tls;
  struct Chunk {
    std::string owned;
    std::shared_ptr<const std::string> shared;

    std::string_view view() const { return shared ? std::string_view(*shared) : owned; }
  };

  void receive(asio::mutable_buffer into, Done done);
  void write_on();
  void on_written(SystemError error, std::size_t bytes);
  void release_writer(SystemError error);
  void send_end();

  asio::io_context& context_;
  asio::ip::tcp::socket socket_;
  std::unique_ptr<Tls> tls_;
  std::string ahead_;  // read ahead: [ahead_begin_, ahead_end_)
  std::size_t ahead_begin_ = 0;
  std::size_t ahead_end_ = 0;
  std::deque<Chunk> queue_;
  std::size_t front_offset_ = 0;  // of the first chunk, this much is written
  std::size_t in_flight_ = 0;     // chunks that the system is reading from: not to be touched
  std::size_t buffered_ = 0;
  bool writing_ = false;
  bool held_ = false;
  bool finishing_ = false;
  bool closed_ = false;
  std::optional<std::pair<std::size_t, Done>> writer_;  // waits for the queue to shrink
  Owner* owner_ = nullptr;
  std::uint64_t received_ = 0;
  std::uint64_t sent_ = 0;
};

}  // namespace candlewick::net
