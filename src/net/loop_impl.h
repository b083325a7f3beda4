// What a Loop holds inside. For the files of net/ that touch sockets; no other layer includes this.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "net/loop.h"

namespace boost::asio::ssl {
class context;
}

namespace candlewick::net {

namespace asio = boost::asio;

struct Loop::Impl {
  explicit Impl(std::string loop_name) : name(std::move(loop_name)) {}

  bool in_loop_thread() const {
    return runner.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }
  void run();
  void call(Task task);

  std::string name;
  std::thread thread;
  std::atomic<std::thread::id> runner;
  std::mutex mutex;  // guards `running`, and the ends of call()
  std::condition_variable changed;
  bool running = false;
  // By the file of extra authorities; made once because reading the system's takes milliseconds.
  // On the loop's thread only.
  std::map<std::string, std::shared_ptr<asio::ssl::context>> client_tls;
  // The last member: it is destroyed first, with the handlers that wait in it.
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
};

}  // namespace candlewick::net
