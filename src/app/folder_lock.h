// One service a data folder: two would fight over the log.
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"

namespace candlewick::app {

class FolderLock {
 public:
  // Makes the folder if need be. Error: misconfigured, when it cannot be written or another process
  // holds it. Held until destroyed, or until the process ends in any way.
  static Result<std::unique_ptr<FolderLock>> take(const std::filesystem::path& folder);
  // Whether a process holds it now.
  static bool is_taken(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  explicit FolderLock(int file) : file_(file) {}
  int file_;
};

}  // namespace candlewick::app
