// Lines of the one file inside a ZIP archive, as exchanges publish their history. Stored or
// deflated entries, ZIP64 and passwords excluded; length and CRC-32 are checked at the end.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace candlewick::app {

class ZipReader {
 public:
  // Whether the file begins as a ZIP archive does.
  static bool is_zip(const std::string& path);
  // Errors: misconfigured when it cannot be opened, malformed when it is no such archive or holds
  // more or less than one file.
  static Result<ZipReader> open(const std::string& path);
  ~ZipReader();
  ZipReader(ZipReader&&) noexcept;
  ZipReader& operator=(ZipReader&&) noexcept;

  // The next line without its line break; false at the end. Error: malformed for a damaged archive
  // and for lines over 1 MiB.
  Result<bool> next(std::string& line);

 private:
  struct State;
  explicit ZipReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace candlewick::app
