// Lines gather in memory and go out in one write a flush, so a crash leaves whole frames and at
// most one cut one at the end.
#include "base/line_writer.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

namespace candlewick {
namespace {

constexpr std::size_t flush_bytes = std::size_t{1} << 20;
constexpr int level = 3;

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

Result<void> write_all(int fd, const std::string& name, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail(ErrorKind::transient, "{}: {}", name, std::strerror(errno));
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<std::string> read_all(int fd, const std::string& name) {
  std::string bytes;
  std::vector<char> chunk(flush_bytes);
  while (true) {
    const auto count = ::pread(fd, chunk.data(), chunk.size(), static_cast<off_t>(bytes.size()));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(ErrorKind::transient, "{}: {}", name, std::strerror(errno));
    if (count == 0) return bytes;
    bytes.append(chunk.data(), static_cast<std::size_t>(count));
  }
}

// The length of the whole frames at the start. Error: malformed when there is not even the start of
// one.
Result<std::size_t> whole_frames(std::string_view bytes, const std::string& name) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    const auto rest = bytes.substr(at);
    static constexpr std::string_view magic = "\x28\xb5\x2f\xfd";
    const auto compared = std::min(rest.size(), magic.size());
    if (rest.substr(0, compared) != magic.substr(0, compared)) {
      return fail(ErrorKind::malformed, "{}: not a zstd archive, nothing is appended to it", name);
    }
    const auto size = ZSTD_findFrameCompressedSize(rest.data(), rest.size());
    if (ZSTD_isError(size) != 0) break;
    at += size;
  }
  return at;
}

}  // namespace

struct LineWriter::State {
  std::string name;
  int fd = -1;
  std::unique_ptr<ZSTD_CCtx, FreeContext> zstd{};
  std::string pending{};
  std::string packed{};
  std::uint64_t file_bytes = 0;

  State(std::string called, int descriptor) : name(std::move(called)), fd(descriptor) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (fd >= 0) ::close(fd);
  }

  Result<void> flush() {
    if (pending.empty()) return {};
    std::string_view bytes = pending;
    if (zstd) {
      packed.resize(ZSTD_compressBound(pending.size()));
      const auto size =
          ZSTD_compress2(zstd.get(), packed.data(), packed.size(), pending.data(), pending.size());
      if (ZSTD_isError(size) != 0) {
        return fail(ErrorKind::transient, "{}: {}", name, ZSTD_getErrorName(size));
      }
      bytes = std::string_view(packed).substr(0, size);
    }
    auto written = write_all(fd, name, bytes);
    if (!written) return written;
    file_bytes += bytes.size();
    pending.clear();
    return {};
  }
};

LineWriter::LineWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
LineWriter::LineWriter(LineWriter&&) noexcept = default;
LineWriter& LineWriter::operator=(LineWriter&&) noexcept = default;

LineWriter::~LineWriter() {
  if (state_) (void)close();
}

Result<LineWriter> LineWriter::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return fail(ErrorKind::misconfigured, "{}: {}", path, std::strerror(errno));
  auto state = std::make_unique<State>(path, fd);
  if (path.ends_with(".zst")) {
    state->zstd.reset(ZSTD_createCCtx());
    if (!state->zstd) return fail(ErrorKind::transient, "{}: no memory for packing", path);
    ZSTD_CCtx_setParameter(state->zstd.get(), ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(state->zstd.get(), ZSTD_c_checksumFlag, 1);
    const auto bytes = read_all(fd, path);
    if (!bytes) return fail(bytes.error());
    const auto whole = whole_frames(*bytes, path);
    if (!whole) return fail(whole.error());
    if (*whole != bytes->size() && ::ftruncate(fd, static_cast<off_t>(*whole)) != 0) {
      return fail(ErrorKind::transient, "{}: {}", path, std::strerror(errno));
    }
    state->file_bytes = *whole;
  } else {
    struct stat info{};
    if (::fstat(fd, &info) == 0) state->file_bytes = static_cast<std::uint64_t>(info.st_size);
  }
  return LineWriter(std::move(state));
}

Result<void> LineWriter::write(std::string_view line) {
  state_->pending += line;
  state_->pending += '\n';
  if (state_->pending.size() < flush_bytes) return {};
  return state_->flush();
}

Result<void> LineWriter::flush() {
  return state_->flush();
}

Result<void> LineWriter::close() {
  if (state_->fd < 0) return {};
  auto flushed = state_->flush();
  const bool closed = ::close(state_->fd) == 0;
  state_->fd = -1;
  if (flushed && !closed) {
    return fail(ErrorKind::transient, "{}: {}", state_->name, std::strerror(errno));
  }
  return flushed;
}

std::uint64_t LineWriter::file_bytes() const {
  return state_->file_bytes;
}

}  // namespace candlewick
