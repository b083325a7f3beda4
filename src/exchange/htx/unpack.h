// Frames come compressed, each for itself (gzip).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace candlewick::exchange::htx {

bool is_packed(std::string_view bytes);

// Keeps its buffers. Not thread-safe.
class Unpacker {
 public:
  Unpacker();
  ~Unpacker();
  // Valid until the next call. Error: malformed, also for more than json::Reader would read.
  Result<std::string_view> unpack(std::string_view bytes);

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
  std::string text_;
};

}  // namespace candlewick::exchange::htx
