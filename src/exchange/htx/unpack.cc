// zlib's stream is made once and begun anew for each frame.
#include "exchange/htx/unpack.h"

#include <algorithm>

#include <zlib.h>

#include "base/check.h"
#include "base/json.h"

namespace candlewick::exchange::htx {
namespace {

constexpr std::string_view gzip_magic = "\x1f\x8b";
constexpr int gzip_window = 15 + 16;  // zlib's way of asking for the gzip format
constexpr std::size_t first_room = std::size_t{64} << 10;

}  // namespace

bool is_packed(std::string_view bytes) {
  return bytes.starts_with(gzip_magic);
}

struct Unpacker::Stream : z_stream {
  Stream() : z_stream{} {
    check(inflateInit2(this, gzip_window) == Z_OK, "there is memory to unpack with");
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { inflateEnd(this); }
};

Unpacker::Unpacker() = default;
Unpacker::~Unpacker() = default;

Result<std::string_view> Unpacker::unpack(std::string_view bytes) {
  if (stream_ == nullptr) stream_ = std::make_unique<Stream>();
  auto& stream = *stream_;
  inflateReset(&stream);
  // zlib does not write there.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(std::min(bytes.size(), json::Reader::max_bytes));
  if (text_.empty()) text_.resize(first_room);
  std::size_t size = 0;
  while (true) {
    stream.next_out = reinterpret_cast<Bytef*>(text_.data() + size);
    stream.avail_out = static_cast<uInt>(text_.size() - size);
    const int outcome = inflate(&stream, Z_NO_FLUSH);
    size = text_.size() - stream.avail_out;
    if (outcome == Z_STREAM_END) break;
    const bool is_full = stream.avail_out == 0;
    if (!is_full || (outcome != Z_OK && outcome != Z_BUF_ERROR))
      return fail(ErrorKind::malformed, "a compressed frame that is cut or damaged");
    if (text_.size() >= json::Reader::max_bytes)
      return fail(ErrorKind::malformed, "a compressed frame of more than {} bytes",
                  json::Reader::max_bytes);
    text_.resize(text_.size() * 2);
  }
  if (stream.avail_in != 0)
    return fail(ErrorKind::malformed, "a compressed frame with something behind it");
  return std::string_view(text_).substr(0, size);
}

}  // namespace candlewick::exchange::htx
