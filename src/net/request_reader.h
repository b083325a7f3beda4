// From bytes to HTTP requests: no sockets, no clocks. Two readings of one request are what request
// smuggling lives on, so whatever is not plain is refused.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "net/server.h"

namespace candlewick::net {

class RequestReader {
 public:
  struct Limits {
    std::size_t max_header_bytes = 0;
    std::size_t max_body_bytes = 0;
  };
  enum class Step {
    need_more,
    expects_continue,  // the client waits for "100 Continue" before it sends the body; told once
    done,              // take() it
    refused,           // see refusal(); the connection cannot be used further
  };
  struct Refusal {
    int status = 0;
    std::string_view reason;
  };

  explicit RequestReader(Limits limits);
  RequestReader(RequestReader&&) noexcept;
  ~RequestReader();

  // Reads on; `used` bytes are done with, the rest must come again with what follows them.
  Step read(std::string_view bytes, std::size_t& used);
  // The request that is done; the next read() begins another.
  Request take();
  // Of the request taken last.
  bool keep_alive() const { return keep_alive_; }
  bool is_http_1_0() const { return is_http_1_0_; }
  // The first bytes of a request have been read, but not all.
  bool has_begun() const;
  Refusal refusal() const { return refusal_; }

 private:
  struct Parser;
  Step refuse(int status, std::string_view reason);
  bool accept_header(std::string_view raw);

  Limits limits_;
  std::unique_ptr<Parser> parser_;
  bool header_accepted_ = false;
  bool keep_alive_ = false;
  bool is_http_1_0_ = false;
  Request request_;
  Refusal refusal_;
};

}  // namespace candlewick::net
