// Carries a Handler's answer to the loop's thread. What is called in a wrong order (a second
// send(), a write() before begin()) is ignored.
#include "net/responder.h"

#include <boost/asio/post.hpp>

namespace candlewick::net {

ConnectionResponder::ConnectionResponder(std::weak_ptr<Loop::Impl> loop,
                                         std::weak_ptr<HttpConnection> connection,
                                         std::shared_ptr<Answer> answer,
                                         std::size_t max_queued_bytes)
    : loop_(std::move(loop)),
      connection_(std::move(connection)),
      answer_(std::move(answer)),
      max_queued_bytes_(max_queued_bytes) {}

template <class Function>
void ConnectionResponder::with_connection(Function function) {
  const std::shared_ptr<Loop::Impl> loop = loop_.lock();
  if (!loop) {
    return;
  }
  if (loop->in_loop_thread()) {
    if (const auto connection = connection_.lock()) {
      function(*connection);
    }
    return;
  }
  asio::post(loop->context, [weak = connection_, function = std::move(function)]() mutable {
    if (const auto connection = weak.lock()) {
      function(*connection);
    }
  });
}

void ConnectionResponder::send(Response response) {
  if (move(fresh, finished)) {
    with_connection(
        [answer = answer_, response = std::move(response)](HttpConnection& connection) mutable {
          connection.send(answer, std::move(response));
        });
  }
}

void ConnectionResponder::begin(int status, Headers headers) {
  if (move(fresh, begun)) {
    with_connection([answer = answer_, status, headers = std::move(headers)](
                        HttpConnection& connection) { connection.begin(answer, status, headers); });
  }
}

void ConnectionResponder::begin_gzip(int status, Headers headers) {
  if (stage_.load() != fresh) {
    return;
  }
  compressor_ = GzipStream::make();
  if (compressor_) {
    headers.set("Content-Encoding", "gzip");
  }
  begin(status, std::move(headers));
}

Responder::Room ConnectionResponder::write(std::string&& chunk) {
  if (stage_.load() != begun || answer_->closed.load()) {
    return Room::closed;
  }
  if (answer_->buffered.load() >= max_queued_bytes_) {
    return Room::full;
  }
  if (!chunk.empty()) {  // an empty chunk would end the body
    std::string taken = std::move(chunk);
    if (compressor_) {
      taken = compressor_->compress(taken);
    }
    answer_->buffered.fetch_add(taken.size());
    with_connection(
        [answer = answer_, taken = std::move(taken)](HttpConnection& connection) mutable {
          connection.write(answer, std::move(taken));
        });
  }
  return Room::more;
}

void ConnectionResponder::end() {
  if (!move(begun, finished)) {
    return;
  }
  std::string last = compressor_ ? compressor_->finish() : std::string();
  answer_->buffered.fetch_add(last.size());
  with_connection([answer = answer_, last = std::move(last)](HttpConnection& connection) mutable {
    if (!last.empty()) {
      connection.write(answer, std::move(last));
    }
    connection.end(answer);
  });
}

void ConnectionResponder::on_drain(std::move_only_function<void()> callback) {
  with_connection([answer = answer_, callback = std::move(callback)](HttpConnection&) mutable {
    if (!answer->closed.load()) {
      answer->on_drain = std::move(callback);
    }
  });
}

void ConnectionResponder::on_close(std::move_only_function<void()> callback) {
  const std::shared_ptr<Loop::Impl> loop = loop_.lock();
  if (!loop) {
    return;
  }
  // Not through the connection, which may have gone: that is what is to be told.
  auto set = [answer = answer_, callback = std::move(callback)]() mutable {
    if (answer->closed.load()) {
      callback();
    } else if (!answer->complete) {
      answer->on_close = std::move(callback);
    }
  };
  if (loop->in_loop_thread()) {
    set();
  } else {
    asio::post(loop->context, std::move(set));
  }
}

void ConnectionResponder::give_up() {
  if (stage_.exchange(finished) != finished) {
    with_connection([answer = answer_](HttpConnection& connection) { connection.abandon(answer); });
  }
}

}  // namespace candlewick::net
