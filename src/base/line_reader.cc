// One way of filling a buffer a format (plain, zlib, zstd), and one way of cutting lines out of it.
#include "base/line_reader.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

namespace candlewick {
namespace {

constexpr std::size_t chunk_bytes = std::size_t{256} << 10;
constexpr std::string_view gzip_magic = "\x1f\x8b";
constexpr std::string_view zstd_magic = "\x28\xb5\x2f\xfd";
// Archives made with a window of up to 2^27 bytes (zstd --ultra) are read; others would let a small
// file ask for gigabytes.
constexpr int max_window_log = 27;

struct CloseInflate {
  void operator()(z_stream* stream) const {
    inflateEnd(stream);
    delete stream;
  }
};
struct FreeZstd {
  void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
};

}  // namespace

struct LineReader::State {
  std::string name;
  int fd = -1;
  bool owns_fd = false;

  std::vector<char> input = std::vector<char>(chunk_bytes);  // as in the file
  std::size_t input_at = 0;
  std::size_t input_end = 0;
  bool file_ended = false;

  std::vector<char> output = std::vector<char>(chunk_bytes);  // unpacked
  std::size_t output_at = 0;
  std::size_t output_end = 0;

  std::unique_ptr<z_stream, CloseInflate> gzip{};
  std::unique_ptr<ZSTD_DStream, FreeZstd> zstd{};
  bool format_is_known = false;
  bool inside_member = false;  // an archive's member or frame has begun and not ended
  bool ended = false;
  std::size_t lines = 0;
  std::optional<Error> error{};

  State(std::string called, int descriptor, bool owns)
      : name(std::move(called)), fd(descriptor), owns_fd(owns) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (owns_fd) ::close(fd);
  }

  // Reads more of the file behind what is left of the input.
  Result<void> read_input() {
    if (input_at != 0) {
      std::memmove(input.data(), input.data() + input_at, input_end - input_at);
      input_end -= input_at;
      input_at = 0;
    }
    while (!file_ended && input_end < input.size()) {
      const auto count = ::read(fd, input.data() + input_end, input.size() - input_end);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) {
        return fail(errno == EISDIR ? ErrorKind::misconfigured : ErrorKind::transient, "{}: {}",
                    name, std::strerror(errno));
      }
      file_ended = count == 0;
      input_end += static_cast<std::size_t>(count);
      // Enough to tell the format; a pipe that is slow is passed on as it comes.
      if (input_end >= zstd_magic.size()) break;
    }
    return {};
  }

  Result<void> find_format() {
    auto read = read_input();
    if (!read) return read;
    format_is_known = true;
    const std::string_view start(input.data(), input_end);
    if (start.starts_with(gzip_magic)) {
      gzip.reset(new z_stream{});
      constexpr int gzip_window = 15 + 16;  // zlib's way of asking for the gzip format
      if (inflateInit2(gzip.get(), gzip_window) != Z_OK) {
        return fail(ErrorKind::transient, "{}: no memory for unpacking", name);
      }
    } else if (start.starts_with(zstd_magic)) {
      zstd.reset(ZSTD_createDStream());
      if (!zstd) return fail(ErrorKind::transient, "{}: no memory for unpacking", name);
      ZSTD_DCtx_setParameter(zstd.get(), ZSTD_d_windowLogMax, max_window_log);
    }
    return {};
  }

  std::unexpected<Error> damaged(std::string_view why) const {
    return fail(ErrorKind::malformed, "{}: damaged archive after line {}: {}", name, lines, why);
  }

  // Unpacks some of the input. Progress is made unless the input is used up.
  Result<void> unpack_gzip() {
    if (!inside_member) {
      inflateReset(gzip.get());
      inside_member = true;
    }
    gzip->next_in = reinterpret_cast<Bytef*>(input.data() + input_at);
    gzip->avail_in = static_cast<uInt>(input_end - input_at);
    gzip->next_out = reinterpret_cast<Bytef*>(output.data());
    gzip->avail_out = static_cast<uInt>(output.size());
    const int code = inflate(gzip.get(), Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
      return damaged(gzip->msg != nullptr ? gzip->msg : "not gzip");
    }
    input_at = input_end - gzip->avail_in;
    output_end = output.size() - gzip->avail_out;
    inside_member = code != Z_STREAM_END;
    return {};
  }

  Result<void> unpack_zstd() {
    ZSTD_inBuffer in{input.data(), input_end, input_at};
    ZSTD_outBuffer out{output.data(), output.size(), 0};
    const auto hint = ZSTD_decompressStream(zstd.get(), &out, &in);
    if (ZSTD_isError(hint) != 0) return damaged(ZSTD_getErrorName(hint));
    input_at = in.pos;
    output_end = out.pos;
    inside_member = hint != 0;
    return {};
  }

  // Puts unpacked bytes into `output`; none at the end of the file.
  Result<void> fill() {
    output_at = output_end = 0;
    if (!format_is_known) {
      auto found = find_format();
      if (!found) return found;
    }
    while (output_end == 0 && !ended) {
      // An unpacker may hold back output while it has no input left, so it is asked before the end
      // is believed.
      if (input_at == input_end && !file_ended) {
        auto read = read_input();
        if (!read) return read;
      }
      if (!gzip && !zstd) {
        std::swap(input, output);
        output_at = input_at;
        output_end = input_end;
        input_at = input_end = 0;
        ended = output_at == output_end;
        return {};
      }
      const bool used_up = input_at == input_end;
      if (used_up && !inside_member) {
        ended = true;
        return {};
      }
      auto unpacked = gzip ? unpack_gzip() : unpack_zstd();
      if (!unpacked) return unpacked;
      if (used_up && file_ended && output_end == 0 && inside_member) {
        return damaged("it ends in the middle");
      }
    }
    return {};
  }

  Result<bool> next(std::string& line) {
    line.clear();
    while (true) {
      if (output_at == output_end) {
        if (!ended) {
          auto filled = fill();
          if (!filled) return fail(std::move(filled.error()));
        }
        if (output_at == output_end) {
          if (line.empty()) return false;
          ++lines;
          return true;
        }
      }
      const char* const start = output.data() + output_at;
      const auto left = output_end - output_at;
      const auto* const end = static_cast<const char*>(std::memchr(start, '\n', left));
      const auto length = end != nullptr ? static_cast<std::size_t>(end - start) : left;
      if (line.size() + length > max_line_bytes) {
        return fail(ErrorKind::malformed, "{}: line {} is longer than {} bytes", name, lines + 1,
                    max_line_bytes);
      }
      line.append(start, length);
      output_at += length;
      if (end != nullptr) {
        ++output_at;
        ++lines;
        return true;
      }
    }
  }
};

LineReader::LineReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
LineReader::~LineReader() = default;
LineReader::LineReader(LineReader&&) noexcept = default;
LineReader& LineReader::operator=(LineReader&&) noexcept = default;

Result<LineReader> LineReader::open(const std::string& path) {
  if (path == "-") return from_stdin();
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(ErrorKind::misconfigured, "{}: {}", path, std::strerror(errno));
  return LineReader(std::make_unique<State>(path, fd, true));
}

LineReader LineReader::from_stdin() {
  return LineReader(std::make_unique<State>("standard input", STDIN_FILENO, false));
}

Result<bool> LineReader::next(std::string& line) {
  if (state_->error) return fail(*state_->error);
  auto result = state_->next(line);
  if (!result) state_->error = result.error();
  return result;
}

std::size_t LineReader::line_number() const {
  return state_->lines;
}
const std::string& LineReader::name() const {
  return state_->name;
}

}  // namespace candlewick
