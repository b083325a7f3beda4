// flock() on a file in the folder.
#include "app/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace candlewick::app {

Result<std::unique_ptr<FolderLock>> FolderLock::take(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    return fail(ErrorKind::misconfigured, "data_dir: {} cannot be made: {}", folder.string(),
                error.message());
  const int file = ::open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0)
    return fail(ErrorKind::misconfigured, "data_dir: {} cannot be written", folder.string());
  std::unique_ptr<FolderLock> lock(new FolderLock(file));
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    return fail(ErrorKind::misconfigured, "data_dir: another candlewick is running in {}",
                folder.string());
  }
  return lock;
}

bool FolderLock::is_taken(const std::filesystem::path& folder) {
  const int file = ::open((folder / "lock").c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool taken = ::flock(file, LOCK_SH | LOCK_NB) != 0;
  ::close(file);
  return taken;
}

FolderLock::~FolderLock() {
  ::close(file_);
}

}  // namespace candlewick::app
