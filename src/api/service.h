// The HTTP API as a running part: one loop thread named "api" with a server on it, and the query
// threads behind it. Newest values come from memory; only history asks the warehouse, and a slow or
// absent warehouse slows nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "api/backend.h"
#include "api/gate.h"
#include "net/server.h"

namespace candlewick::api {

struct Options {
  net::ServerOptions server{};
  std::size_t query_threads = 2;
  std::size_t max_waiting_questions = 128;  // more: 503 with Retry-After
  std::size_t max_rows = 10'000;            // in one answer
  GateOptions gate{};
  std::size_t stream_subscriptions = 1024;   // of one WebSocket client
  std::size_t stream_queue_messages = 1000;  // for a slow one, before the oldest give way
};

class Service {
 public:
  // Listens and answers from here on. Error: misconfigured (address in use, certificate).
  static Result<std::unique_ptr<Service>> start(Backend backend, Options options);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  // Drops connections and ends the threads.
  ~Service();

  std::uint16_t port() const;
  // "127.0.0.1:8000".
  std::string address() const;
  // No new connections; requests under way are answered. Returns at once: watch connections().
  void drain();
  std::size_t connections() const;

 private:
  struct Parts;
  explicit Service(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace candlewick::api
