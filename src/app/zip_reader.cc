// The format: APPNOTE.TXT 6.3.10 (pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, read
// 2026-11-21), sections 4.3.7, 4.3.12 and 4.3.16. The directory at the end counts, not the heads.
#include "app/zip_reader.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string_view>

namespace candlewick::app {
namespace {

constexpr std::size_t max_line = std::size_t{1} << 20;
constexpr std::size_t end_bytes = 22;
constexpr std::size_t entry_bytes = 46;
constexpr std::size_t head_bytes = 30;
constexpr std::size_t max_comment = 0xFFFF;
constexpr std::uint32_t not_here = 0xFFFF'FFFF;  // it is in a ZIP64 record
constexpr unsigned stored = 0;
constexpr unsigned deflated = 8;

std::uint32_t number_at(std::string_view bytes, std::size_t at, int count) {
  std::uint32_t number = 0;
  for (int i = 0; i < count; ++i) {
    number |= std::uint32_t{static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(i)])}
              << (8 * i);
  }
  return number;
}

}  // namespace

struct ZipReader::State {
  std::string path;
  std::ifstream file;
  unsigned method = stored;
  std::uint64_t packed_left = 0;
  std::uint64_t size = 0;
  std::uint32_t crc = 0;
  std::uint64_t seen = 0;
  uLong seen_crc = crc32(0, nullptr, 0);
  z_stream stream{};
  bool has_stream = false;
  bool has_ended = false;
  std::array<char, 1 << 16> packed{};
  std::array<char, 1 << 17> plain{};
  std::string text;  // taken out and not handed out yet
  std::size_t next = 0;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (has_stream) inflateEnd(&stream);
  }

  std::unexpected<Error> damaged(std::string_view why) const {
    return fail(ErrorKind::malformed, "{}: {}", path, why);
  }
  Result<std::string> bytes_at(std::uint64_t at, std::size_t count) {
    std::string bytes(count, '\0');
    file.clear();
    file.seekg(static_cast<std::streamoff>(at));
    file.read(bytes.data(), static_cast<std::streamsize>(count));
    if (static_cast<std::size_t>(file.gcount()) != count) return damaged("the ZIP archive is cut");
    return bytes;
  }

  Result<void> find_entry();
  Result<void> refill();
  Result<void> take(std::string_view bytes);
};

Result<void> ZipReader::State::find_entry() {
  file.seekg(0, std::ios::end);
  const auto length = static_cast<std::uint64_t>(file.tellg());
  const auto tail_bytes = std::min<std::uint64_t>(length, end_bytes + max_comment);
  const auto tail = bytes_at(length - tail_bytes, tail_bytes);
  if (!tail) return fail(tail.error());
  const auto end = tail->rfind("PK\5\6");
  if (end == std::string::npos || tail->size() - end < end_bytes)
    return damaged("the ZIP archive is cut: it has no directory");
  const std::uint32_t entries = number_at(*tail, end + 10, 2);
  const std::uint32_t directory_bytes = number_at(*tail, end + 12, 4);
  const std::uint32_t directory_at = number_at(*tail, end + 16, 4);
  if (entries != 1) {
    return damaged(fmt::format("the ZIP archive holds {} files; one is expected", entries));
  }
  if (directory_at == not_here || directory_bytes < entry_bytes || directory_at > length)
    return damaged("a ZIP64 archive, which this program does not read; unpack it first");
  const auto entry = bytes_at(directory_at, entry_bytes);
  if (!entry) return fail(entry.error());
  if (!entry->starts_with("PK\1\2")) return damaged("the ZIP archive's directory is damaged");
  if ((number_at(*entry, 8, 2) & 1U) != 0) return damaged("the ZIP archive is encrypted");
  method = number_at(*entry, 10, 2);
  crc = number_at(*entry, 16, 4);
  packed_left = number_at(*entry, 20, 4);
  size = number_at(*entry, 24, 4);
  const std::uint32_t head_at = number_at(*entry, 42, 4);
  if (packed_left == not_here || size == not_here || head_at == not_here)
    return damaged("a ZIP64 archive, which this program does not read; unpack it first");
  if (method != stored && method != deflated)
    return damaged(fmt::format("the ZIP archive uses compression method {}", method));
  const auto head = bytes_at(head_at, head_bytes);
  if (!head) return fail(head.error());
  if (!head->starts_with("PK\3\4")) return damaged("the ZIP archive's file head is damaged");
  file.seekg(static_cast<std::streamoff>(head_at + std::uint64_t{head_bytes} +
                                         number_at(*head, 26, 2) + number_at(*head, 28, 2)));
  if (method == deflated) {
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return damaged("no memory to unpack");
    has_stream = true;
  }
  return {};
}

Result<void> ZipReader::State::take(std::string_view bytes) {
  seen += bytes.size();
  seen_crc = crc32(seen_crc, reinterpret_cast<const Bytef*>(bytes.data()),
                   static_cast<uInt>(bytes.size()));
  text += bytes;
  if (seen > size) return damaged("the ZIP archive holds more than its directory says");
  return {};
}

// More text, or the end.
Result<void> ZipReader::State::refill() {
  text.erase(0, next);
  next = 0;
  bool is_complete = false;
  if (stream.avail_in == 0 && packed_left > 0) {
    const auto wanted = std::min<std::uint64_t>(packed_left, packed.size());
    file.read(packed.data(), static_cast<std::streamsize>(wanted));
    if (static_cast<std::uint64_t>(file.gcount()) != wanted)
      return damaged("the ZIP archive is cut");
    packed_left -= wanted;
    stream.next_in = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_in = static_cast<uInt>(wanted);
  }
  if (method == stored) {
    const std::string_view bytes(packed.data(), stream.avail_in);
    stream.avail_in = 0;
    if (auto taken = take(bytes); !taken) return taken;
    is_complete = packed_left == 0;
  } else {
    stream.next_out = reinterpret_cast<Bytef*>(plain.data());
    stream.avail_out = static_cast<uInt>(plain.size());
    const int outcome = inflate(&stream, Z_NO_FLUSH);
    if (outcome != Z_OK && outcome != Z_STREAM_END) return damaged("the ZIP archive is damaged");
    if (auto taken = take({plain.data(), plain.size() - stream.avail_out}); !taken) return taken;
    is_complete = outcome == Z_STREAM_END;
  }
  if (!is_complete) return {};
  has_ended = true;
  if (seen != size || seen_crc != crc)
    return damaged("the ZIP archive is damaged: its checksum (CRC-32) does not match");
  return {};
}

ZipReader::ZipReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
ZipReader::~ZipReader() = default;
ZipReader::ZipReader(ZipReader&&) noexcept = default;
ZipReader& ZipReader::operator=(ZipReader&&) noexcept = default;

bool ZipReader::is_zip(const std::string& path) {
  std::array<char, 4> begin{};
  std::ifstream file(path, std::ios::binary);
  file.read(begin.data(), begin.size());
  return file.gcount() == 4 && std::string_view(begin.data(), begin.size()) == "PK\3\4";
}

Result<ZipReader> ZipReader::open(const std::string& path) {
  auto state = std::make_unique<State>();
  state->path = path;
  state->file.open(path, std::ios::binary);
  if (!state->file) return fail(ErrorKind::misconfigured, "{}: {}", path, std::strerror(errno));
  if (auto found = state->find_entry(); !found) return fail(std::move(found.error()));
  return ZipReader(std::move(state));
}

Result<bool> ZipReader::next(std::string& line) {
  State& state = *state_;
  std::size_t looked = state.next;
  while (true) {
    const auto end = state.text.find('\n', looked);
    if (end != std::string::npos) {
      line.assign(state.text, state.next, end - state.next);
      state.next = end + 1;
      break;
    }
    if (state.has_ended) {
      if (state.next == state.text.size()) return false;
      line.assign(state.text, state.next);
      state.next = state.text.size();
      break;
    }
    const std::size_t kept = state.text.size() - state.next;
    if (kept > max_line) return state.damaged("a line is longer than 1 MiB");
    looked = kept;
    if (auto filled = state.refill(); !filled) return fail(std::move(filled.error()));
  }
  if (line.ends_with('\r')) line.pop_back();
  return true;
}

}  // namespace candlewick::app
