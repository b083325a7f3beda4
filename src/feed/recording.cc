// The line format of recordings.
#include "feed/recording.h"

#include <array>

#include "base/base64.h"
#include "base/json_text.h"

namespace candlewick::feed {
namespace {

constexpr std::string_view gzip_encoding = "gzip";

constexpr std::array<std::string_view, 4> names{"in", "out", "open", "http"};
constexpr std::string_view message_key = "\"msg\":";

}  // namespace

std::string_view to_text(Direction direction) {
  return names[static_cast<std::size_t>(direction)];
}

Result<RecordedFrame> RecordingParser::parse(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  if (line.empty() || line.front() != '{' || line.back() != '}') {
    return fail(ErrorKind::malformed, "not a line of a recording: \"{}\"", line.substr(0, 60));
  }
  RecordedFrame frame;
  const auto message = line.find(message_key);
  std::string_view head = line;
  if (message != std::string_view::npos) {
    frame.text = line.substr(message + message_key.size());
    frame.text.remove_suffix(1);
    head_.assign(line.substr(0, message));
    while (!head_.empty() && (head_.back() == ',' || head_.back() == ' ')) head_.pop_back();
    head_ += '}';
    head = head_;
  }
  if (message == std::string_view::npos && !line.contains("\"dir\":")) {
    frame.text = line;  // a bare frame
    return frame;
  }
  std::string_view encoding;
  std::string_view packed;
  std::optional<std::string_view> unknown_direction;
  auto read = reader_.read(head, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key == "recv_ns") frame.received_time = time_from_ns(value.integer());
      if (key == "url") frame.url = value.string();
      if (key == "frame") frame.is_binary = value.string() == "binary";
      if (key == "enc") encoding = value.raw();
      if (key == "b64") packed = value.raw();
      if (key == "status") frame.http_status = static_cast<int>(value.integer());
      if (key == "dir") {
        const auto text = value.raw();
        unknown_direction = text;
        for (std::size_t i = 0; i < names.size(); ++i) {
          if (names[i] != text) continue;
          frame.direction = static_cast<Direction>(i);
          unknown_direction.reset();
        }
      }
    });
  });
  if (!read) return within("recording", read.error());
  if (unknown_direction) {
    return fail(ErrorKind::malformed, "recording: unknown dir \"{}\"", *unknown_direction);
  }
  if (!encoding.empty()) {
    if (encoding != gzip_encoding) {
      return fail(ErrorKind::malformed,
                  "recording: frames compressed by \"{}\" belong to no venue that is built in",
                  encoding);
    }
    auto bytes = from_base64(packed);
    if (!bytes) return within("recording: b64", bytes.error());
    bytes_ = std::move(*bytes);
    frame.text = bytes_;
    frame.is_binary = true;
    return frame;
  }
  if (message == std::string_view::npos && frame.direction != Direction::open) {
    return fail(ErrorKind::malformed, "recording: a line of \"{}\" without msg",
                to_text(frame.direction));
  }
  return frame;
}

bool is_gzip(std::string_view text) {
  return text.starts_with("\x1f\x8b");
}

std::string recording_line(const RecordedFrame& frame) {
  std::string line;
  json::Members members(line);
  if (frame.received_time) members("recv_ns", to_ns(*frame.received_time));
  members("dir", to_text(frame.direction));
  if (!frame.url.empty()) members("url", frame.url);
  if (frame.http_status != 200) members("status", frame.http_status);
  const bool is_packed = is_gzip(frame.text);
  if (frame.is_binary || is_packed) members("frame", "binary");
  if (is_packed) {
    members("enc", gzip_encoding)("b64", to_base64(frame.text));
  } else if (frame.direction != Direction::open) {
    members.raw("msg", frame.text);
  }
  members.close();
  line += '\n';
  return line;
}

}  // namespace candlewick::feed
