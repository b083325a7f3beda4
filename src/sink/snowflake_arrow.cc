// Arrow's columnar format, version 5: each message is a size, metadata as a flatbuffer and a body
// of buffers. Bytes from outside: every offset is checked before it is followed.
#include "sink/snowflake_arrow.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace candlewick::sink::snowflake {
namespace {

static_assert(std::endian::native == std::endian::little, "Arrow's bytes are read as they are");

// Positions within bytes that may be anything. After the first step outside, all reads give zero.
class Bytes {
 public:
  explicit Bytes(std::string_view text) : text_(text) {}

  template <class T>
  T at(std::size_t position) {
    T value{};
    if (position > text_.size() || text_.size() - position < sizeof value) {
      failed_ = true;
      return value;
    }
    std::memcpy(&value, text_.data() + position, sizeof value);
    return value;
  }
  std::string_view part(std::int64_t position, std::int64_t size) {
    const auto from = static_cast<std::uint64_t>(position);
    const auto count = static_cast<std::uint64_t>(size);
    if (position < 0 || size < 0 || from > text_.size() || text_.size() - from < count) {
      failed_ = true;
      return {};
    }
    return text_.substr(from, count);
  }
  bool failed() const { return failed_; }
  void fail() { failed_ = true; }
  std::size_t size() const { return text_.size(); }

 private:
  std::string_view text_;
  bool failed_ = false;
};

// A flatbuffer's table: fields are found through a table of offsets.
struct FlatTable {
  std::size_t position = 0;

  // Where a field lies; 0: absent.
  std::size_t field(Bytes& bytes, std::size_t index) const {
    const auto back = bytes.at<std::int32_t>(position);
    const auto fields = static_cast<std::int64_t>(position) - back;
    if (fields < 0) {
      bytes.fail();
      return 0;
    }
    const auto start = static_cast<std::size_t>(fields);
    const std::size_t entry = 4 + 2 * index;
    if (entry + 2 > bytes.at<std::uint16_t>(start)) return 0;
    const auto offset = bytes.at<std::uint16_t>(start + entry);
    return offset == 0 ? 0 : position + offset;
  }
  template <class T>
  T number(Bytes& bytes, std::size_t index) const {
    const std::size_t where = field(bytes, index);
    return where == 0 ? T{} : bytes.at<T>(where);
  }
  // What an offset field points at; 0: absent.
  std::size_t target(Bytes& bytes, std::size_t index) const {
    const std::size_t where = field(bytes, index);
    return where == 0 ? 0 : where + bytes.at<std::uint32_t>(where);
  }
};

constexpr std::uint8_t schema_message = 1;
constexpr std::uint8_t batch_message = 3;
constexpr std::uint8_t text_type = 5;
constexpr std::size_t buffers_of_text = 3;  // which are null, where each begins, the characters

struct Message {
  std::uint8_t kind = 0;
  FlatTable header;
  std::int64_t body_bytes = 0;
};

Message read_message(Bytes& metadata) {
  const FlatTable root{metadata.at<std::uint32_t>(0)};
  return {.kind = root.number<std::uint8_t>(metadata, 1),
          .header = {root.target(metadata, 2)},
          .body_bytes = root.number<std::int64_t>(metadata, 3)};
}

Result<std::size_t> count_columns(Bytes& metadata, const FlatTable& schema) {
  const std::size_t fields = schema.target(metadata, 1);
  const auto count = fields == 0 ? 0 : metadata.at<std::uint32_t>(fields);
  for (std::uint32_t i = 0; i < count && !metadata.failed(); ++i) {
    const std::size_t entry = fields + 4 + std::size_t{4} * i;
    const FlatTable field{entry + metadata.at<std::uint32_t>(entry)};
    if (field.number<std::uint8_t>(metadata, 2) != text_type) {
      return fail(ErrorKind::malformed, "Arrow: column {} is no text", i + 1);
    }
  }
  return std::size_t{count};
}

// Appends the batch's rows.
Result<void> read_batch(Bytes& metadata, const FlatTable& batch, std::string_view body_text,
                        std::size_t columns, std::vector<TextRow>& rows) {
  Bytes body(body_text);
  const auto length = batch.number<std::int64_t>(metadata, 0);
  const std::size_t buffers = batch.target(metadata, 2);
  if (batch.field(metadata, 3) != 0) return fail(ErrorKind::malformed, "Arrow: compressed");
  // Each row needs four bytes of offsets at least.
  if (length < 0 || static_cast<std::uint64_t>(length) > body.size() / 4 || buffers == 0 ||
      metadata.at<std::uint32_t>(buffers) < columns * buffers_of_text) {
    return fail(ErrorKind::malformed, "Arrow: sizes that do not fit");
  }
  const auto buffer = [&](std::size_t index) {
    const std::size_t entry = buffers + 4 + 16 * index;
    // Vectors of structures are aligned to eight bytes: the length stands right before them.
    return body.part(metadata.at<std::int64_t>(entry), metadata.at<std::int64_t>(entry + 8));
  };
  const std::size_t first = rows.size();
  rows.resize(first + static_cast<std::size_t>(length), TextRow(columns));
  for (std::size_t c = 0; c < columns; ++c) {
    const std::string_view validity = buffer(c * buffers_of_text);
    Bytes offsets(buffer(c * buffers_of_text + 1));
    Bytes characters(buffer(c * buffers_of_text + 2));
    for (std::size_t r = 0; r < static_cast<std::size_t>(length); ++r) {
      if (!validity.empty()) {
        if (r / 8 >= validity.size()) return fail(ErrorKind::malformed, "Arrow: cut");
        if ((static_cast<unsigned char>(validity[r / 8]) >> (r % 8) & 1U) == 0) continue;
      }
      const auto from = offsets.at<std::int32_t>(4 * r);
      const auto to = offsets.at<std::int32_t>(4 * r + 4);
      rows[first + r][c] = std::string(characters.part(from, std::int64_t{to} - from));
    }
    if (offsets.failed() || characters.failed()) return fail(ErrorKind::malformed, "Arrow: cut");
  }
  return {};
}

}  // namespace

Result<std::vector<TextRow>> read_arrow_text(std::string_view stream) {
  constexpr std::uint32_t continuation = 0xFFFF'FFFFU;
  std::vector<TextRow> rows;
  std::optional<std::size_t> columns;
  Bytes bytes(stream);
  std::size_t position = 0;
  while (position < stream.size()) {
    std::uint32_t size = bytes.at<std::uint32_t>(position);
    position += 4;
    if (size == continuation) {
      size = bytes.at<std::uint32_t>(position);
      position += 4;
    }
    if (size == 0) break;  // the end that the format has
    Bytes metadata(bytes.part(static_cast<std::int64_t>(position), size));
    const Message message = read_message(metadata);
    position += size;
    const std::string_view body =
        bytes.part(static_cast<std::int64_t>(position), message.body_bytes);
    if (bytes.failed() || metadata.failed()) return fail(ErrorKind::malformed, "Arrow: cut");
    position += body.size();
    if (message.kind == schema_message) {
      const auto counted = count_columns(metadata, message.header);
      if (!counted) return fail(counted.error());
      columns = *counted;
    } else if (message.kind == batch_message && columns) {
      if (auto read = read_batch(metadata, message.header, body, *columns, rows); !read) {
        return fail(std::move(read.error()));
      }
    } else {
      return fail(ErrorKind::malformed, "Arrow: a message of kind {}", message.kind);
    }
    if (metadata.failed()) return fail(ErrorKind::malformed, "Arrow: cut");
  }
  if (bytes.failed()) return fail(ErrorKind::malformed, "Arrow: cut");
  return rows;
}

}  // namespace candlewick::sink::snowflake
