// HTTP requests to others: connection reuse, HTTP/2 where offered, compressed answers, proxies from
// the environment (never for loopback addresses). One thread of its own moves all of them.
// Certificates and host names are always verified. Redirects are not followed: they are answers.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "net/headers.h"
#include "net/loop.h"

namespace candlewick::net {

struct HttpRequest {
  std::string method = "GET";
  std::string url{};  // https://, or http:// to a loopback address
  Headers headers{};
  std::string body{};                           // sent as it is, with any method if not empty
  Duration timeout = std::chrono::seconds{30};  // from being handed over to the last byte
  std::size_t max_body_bytes = 64U << 20U;      // of the answer, decompressed
};

struct HttpResponse {
  int status = 0;
  Headers headers{};
  std::string body{};
  Duration took{};
};

struct HttpClientOptions {
  std::string ca_file{};  // PEM, trusted in addition to the system's; empty: none
  std::string user_agent = "candlewick";
  std::size_t max_waiting = 4096;  // requests under way; more are answered by a transient error
  int max_connections_per_host = 8;
  Duration connect_timeout = std::chrono::seconds{10};
};

// Statuses are no errors here. Errors: misconfigured (URL, certificate), malformed (the answer is
// larger than allowed or not HTTP), else transient (names, connections, timeouts, truncation).
class HttpClient {
 public:
  using Callback = std::move_only_function<void(Result<HttpResponse>)>;

  explicit HttpClient(HttpClientOptions options = {});
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  // Requests under way are dropped: their callbacks are destroyed uncalled (a blocked fetch gets a
  // transient error).
  ~HttpClient();

  // From any thread; calls back once, on the loop's thread. The loop must outlive the client.
  void send(HttpRequest request, Loop& loop, Callback callback);
  // Blocks the calling thread: for sinks and commands, not for loops.
  Result<HttpResponse> fetch(HttpRequest request);
  // Requests handed over and not yet answered.
  std::size_t waiting() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace candlewick::net
