// One client of the server: reads requests, one at a time, has them answered, and closes well.
// For the .cc files of net/ only; everything on the loop's thread, except what a Responder posts.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "net/request_reader.h"
#include "net/server.h"
#include "net/server_peer.h"
#include "net/wire.h"

namespace candlewick::net {

class HttpConnection;

// What the connections of a server share. Time is counted in ticks of one timer, so that no request
// pays for a timer of its own.
struct ServerState {
  ServerOptions options;
  Handler* handler = nullptr;  // null once the server is gone
  std::weak_ptr<Loop::Impl> loop;
  std::shared_ptr<asio::ssl::context> tls;
  std::vector<std::string> header_lines;  // of options.headers, in that order
  std::unordered_set<std::shared_ptr<HttpConnection>> connections;
  std::atomic<std::size_t> open{0};
  bool draining = false;
  Duration tick_length{};
  std::uint64_t tick = 0;

  // Whether `limit` has passed since that tick; never early, at most two ticks late.
  bool passed(std::uint64_t since, Duration limit) const {
    return (tick - since) * static_cast<std::uint64_t>(tick_length.count()) >
           static_cast<std::uint64_t>((limit + tick_length).count());
  }
};

// What a Responder and its connection share. The atomics are for the Responder's thread.
struct Answer {
  std::atomic<std::size_t> buffered{0};
  std::atomic<bool> closed{false};
  std::size_t in_wire = 0;  // of `buffered`, this much has reached the wire's queue
  bool begun = false;
  bool complete = false;
  std::move_only_function<void()> on_drain;
  std::move_only_function<void()> on_close;
};

class HttpConnection final : public Wire::Owner,
                             public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(std::shared_ptr<ServerState> server, asio::ip::tcp::socket socket,
                 std::string remote_address);

  // Begins; or, over the limit of connections, only says so.
  void start(bool over_limit);
  void on_tick();
  // Closes as soon as what is under way is answered.
  void drain();
  // Drops the connection.
  void destroy();

  // The Responder's doors: nothing happens for an answer that is not the current one.
  void send(const std::shared_ptr<Answer>& answer, Response response);
  void begin(const std::shared_ptr<Answer>& answer, int status, const Headers& headers);
  void write(const std::shared_ptr<Answer>& answer, std::string chunk);
  void end(const std::shared_ptr<Answer>& answer);
  void abandon(const std::shared_ptr<Answer>& answer);

  void on_drain() override;
  void on_failure(SystemError error) override;

 private:
  enum class Phase { handshake, reading, handling, lingering, websocket, gone };

  void enter(Phase phase);
  void read_more();
  void on_read(SystemError error, std::size_t bytes);
  void process();
  void dispatch();
  void upgrade(Request request);
  void start_websocket(const Request& request, Upgrade upgrade);
  void refuse(int status, std::string_view reason);
  void write_response(Response response);
  void append_head(int status, const Headers& headers, std::string_view framing);
  void finish_answer();
  void close_gently();
  void flush_soon();
  Response error_response(int status, std::string_view reason);
  void watch_peer();

  std::shared_ptr<ServerState> server_;
  std::shared_ptr<Wire> wire_;
  std::string remote_address_;
  RequestReader reader_;
  std::string in_;  // unread bytes: [in_begin_, in_end_)
  std::size_t in_begin_ = 0;
  std::size_t in_end_ = 0;
  Phase phase_ = Phase::handshake;
  std::uint64_t phase_tick_ = 0;
  std::uint64_t request_tick_ = 0;   // of the first byte of the request that is being read
  std::uint64_t progress_tick_ = 0;  // bytes were taken by the client (or: came from it)
  std::uint64_t progress_ = 0;
  std::shared_ptr<Answer> answer_;
  std::shared_ptr<ServerPeer> peer_;
  bool is_head_ = false;
  bool keep_alive_ = true;
  bool chunked_ = false;
  bool reading_ = false;
  bool processing_ = false;
  bool flush_posted_ = false;
  bool client_done_ = false;  // it has closed its direction
  bool pinged_ = false;
  std::uint64_t heard_ = 0;
  std::uint64_t heard_tick_ = 0;
};

}  // namespace candlewick::net
