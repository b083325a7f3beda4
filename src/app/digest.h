// SHA-256, of files and of text that comes in pieces.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace candlewick::app {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void add(std::string_view bytes);
  // 64 lower-case hexadecimal digits. Ends the digest.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Error: misconfigured when the file cannot be opened, transient when reading fails.
Result<std::string> sha256_of_file(const std::string& path);

}  // namespace candlewick::app
