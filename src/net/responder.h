// The Responder of a connection: usable from any thread, and after the connection has gone.
// For the .cc files of net/ only.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "net/gzip.h"
#include "net/http_connection.h"

namespace candlewick::net {

class ConnectionResponder final : public Responder {
 public:
  ConnectionResponder(std::weak_ptr<Loop::Impl> loop, std::weak_ptr<HttpConnection> connection,
                      std::shared_ptr<Answer> answer, std::size_t max_queued_bytes);
  ~ConnectionResponder() override { give_up(); }

  void send(Response response) override;
  void begin(int status, Headers headers) override;
  void begin_gzip(int status, Headers headers) override;
  Room write(std::string&& chunk) override;
  void end() override;
  void on_drain(std::move_only_function<void()> callback) override;
  void on_close(std::move_only_function<void()> callback) override;
  bool is_closed() const override { return answer_->closed.load(); }

  // As when it is dropped: 500, or a cut if the answer has begun.
  void give_up();

 private:
  enum Stage : int { fresh, begun, finished };

  // Moves from one stage to another; false: it was in a third.
  bool move(Stage from, Stage to) {
    int expected = from;
    return stage_.compare_exchange_strong(expected, to);
  }
  // With the connection, on the loop's thread: now or later; not at all when it has gone.
  template <class Function>
  void with_connection(Function function);

  std::weak_ptr<Loop::Impl> loop_;
  std::weak_ptr<HttpConnection> connection_;
  std::shared_ptr<Answer> answer_;
  std::size_t max_queued_bytes_;
  std::atomic<int> stage_{fresh};
  std::unique_ptr<GzipStream> compressor_;  // of whoever writes
};

}  // namespace candlewick::net
