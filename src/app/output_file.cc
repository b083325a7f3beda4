// Buffered by the C library; what it could not write shows at the latest when it is closed.
#include "app/output_file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <unistd.h>

namespace candlewick::app {

Result<std::unique_ptr<OutputFile>> OutputFile::open(const std::string& path) {
  if (path.empty()) return std::unique_ptr<OutputFile>(new OutputFile(path, stdout));
  std::FILE* const file = std::fopen((path + ".part").c_str(), "wb");
  if (file == nullptr) {
    return fail(ErrorKind::misconfigured, "--output: {}: {}", path, std::strerror(errno));
  }
  return std::unique_ptr<OutputFile>(new OutputFile(path, file));
}

OutputFile::~OutputFile() {
  if (path_.empty() || file_ == nullptr) return;
  std::fclose(file_);
  std::error_code ignored;
  std::filesystem::remove(partial(), ignored);
}

Error OutputFile::failure() const {
  return {ErrorKind::transient,
          fmt::format("{}: {}", path_.empty() ? "standard output" : path_, std::strerror(errno))};
}

Result<void> OutputFile::write(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) return fail(failure());
  return {};
}

Result<void> OutputFile::finish() {
  if (std::fflush(file_) != 0) return fail(failure());
  if (path_.empty()) return {};
  if (::fsync(fileno(file_)) != 0) return fail(failure());
  const bool is_closed = std::fclose(std::exchange(file_, nullptr)) == 0;
  std::error_code error;
  if (is_closed) std::filesystem::rename(partial(), path_, error);
  if (!is_closed || error) {
    const Error problem =
        is_closed ? Error{ErrorKind::transient, fmt::format("{}: {}", path_, error.message())}
                  : failure();
    std::error_code ignored;
    std::filesystem::remove(partial(), ignored);
    return fail(problem);
  }
  return {};
}

}  // namespace candlewick::app
