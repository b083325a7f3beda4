// gzip for what the server answers: whole bodies, and streams chunk by chunk.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "net/headers.h"

namespace candlewick::net {

// Whether a request's Accept-Encoding takes gzip, and likes it no less than the plain text.
bool accepts_gzip(const Headers& request);

// Empty only where memory lacks: send the plain text then.
std::string gzip(std::string_view text);
// For what is compressed once and sent often: smaller, and four times as slow.
std::string gzip_well(std::string_view text);

// One gzip text made of many chunks. Of one thread at a time.
class GzipStream {
 public:
  // Null where memory lacks.
  static std::unique_ptr<GzipStream> make();
  virtual ~GzipStream() = default;

  // Never empty: whoever has all so far can read all that was compressed so far.
  virtual std::string compress(std::string_view chunk) = 0;
  // The end of the text; nothing may follow.
  virtual std::string finish() = 0;
};

}  // namespace candlewick::net
