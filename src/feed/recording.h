// Recordings of what a venue sent: JSON Lines, one frame a line, `msg` last and holding the venue's
// text exactly as received. `record` writes them, `decode` and `replay` read them, plain or
// compressed.
//
//   {"recv_ns":1633998512063356900,"dir":"in","msg":{"stream":…}}
// A frame that came compressed is kept so, as bytes: {…,"frame":"binary","enc":"gzip","b64":"…"}.
//
//   {"recv_ns":…,"dir":"open","url":"wss://…"} {"recv_ns":…,"dir":"http","url":"https://…","msg":…}
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"

namespace candlewick::feed {

enum class Direction : unsigned char { in, out, open, http };

std::string_view to_text(Direction direction);

struct RecordedFrame {
  Direction direction = Direction::in;
  std::optional<Time> received_time;
  std::string url;        // of `open` and `http` lines
  std::string_view text;  // the frame, inside the line it was read from; empty for `open`
  bool is_binary = false;
  int http_status = 200;
};

// Reads lines; keeps its buffers. A line without `dir` counts as a frame received, a line without
// either `dir` or `msg` as the frame itself.
class RecordingParser {
 public:
  // Error: malformed, saying what the line lacks. The frame's text lives as long as `line` and
  // until the next call.
  Result<RecordedFrame> parse(std::string_view line);

 private:
  json::Reader reader_;
  std::string head_;
  std::string bytes_;  // of a compressed frame
};

// Told by the first bytes; no JSON begins so.
bool is_gzip(std::string_view text);

// The line for a frame, with its line break. `text` must be one JSON document, which a caller has
// checked by decoding it, or gzip.
std::string recording_line(const RecordedFrame& frame);

}  // namespace candlewick::feed
