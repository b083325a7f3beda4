// The frames of a recording, read whole.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace candlewick::test {

struct RecordedFrame {
  std::string text;  // of a compressed one, its bytes
  std::string url;   // of the reply, or of the connection that the frame came on
  std::optional<Time> received_time;
  bool is_reply = false;
};

// Frames received and replies, in order; what was sent and opened is left out. Fails the test, and
// answers nothing, when the file cannot be read.
std::vector<RecordedFrame> read_frames(const std::filesystem::path& file);

}  // namespace candlewick::test
