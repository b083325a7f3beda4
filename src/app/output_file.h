// A file that is there whole or not at all: written beside its name and renamed when it is
// complete. Without a name it is standard output.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace candlewick::app {

class OutputFile {
 public:
  // Error: misconfigured when it cannot be made.
  static Result<std::unique_ptr<OutputFile>> open(const std::string& path);
  // Removes what was not finished.
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  // Error: transient, when the disk or the reader at the other end refuses.
  Result<void> write(std::string_view bytes);
  Result<void> finish();

 private:
  OutputFile(std::string path, std::FILE* file) : path_(std::move(path)), file_(file) {}
  std::string partial() const { return path_ + ".part"; }
  Error failure() const;

  const std::string path_;
  std::FILE* file_;
};

}  // namespace candlewick::app
