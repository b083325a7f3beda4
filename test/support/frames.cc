// Reads recordings by plain text search, apart from the product's own reader.
#include "test/support/frames.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/line_reader.h"

namespace candlewick::test {
namespace {

std::string text_after(const std::string& line, std::string_view key) {
  const auto at = line.find(key);
  if (at == std::string::npos) return {};
  const auto start = at + key.size();
  return line.substr(start, line.find('"', start) - start);
}

}  // namespace

std::vector<RecordedFrame> read_frames(const std::filesystem::path& file) {
  std::vector<RecordedFrame> frames;
  auto reader = LineReader::open(file.string());
  if (!reader) {
    ADD_FAILURE() << reader.error().message;
    return frames;
  }
  std::string line;
  std::string connection;
  for (;;) {
    const auto more = reader->next(line);
    if (!more) {
      ADD_FAILURE() << more.error().message;
      return frames;
    }
    if (!*more) return frames;
    const auto message = line.find("\"msg\":");
    const std::string head = line.substr(0, message);
    const auto direction = text_after(head, "\"dir\":\"");
    if (direction == "open") connection = text_after(head, "\"url\":\"");
    const auto packed = text_after(head, "\"b64\":\"");
    if (direction == "open" || direction == "out") continue;
    if (message == std::string::npos && packed.empty()) continue;
    RecordedFrame frame;
    frame.is_reply = direction == "http";
    frame.url = frame.is_reply ? text_after(head, "\"url\":\"") : connection;
    if (packed.empty()) {
      frame.text = line.substr(message + 6, line.rfind('}') - message - 6);
    } else if (auto bytes = from_base64(packed)) {
      frame.text = std::move(*bytes);
    } else {
      ADD_FAILURE() << bytes.error().message;
    }
    if (const auto at = head.find("\"recv_ns\":"); at != std::string::npos) {
      frame.received_time = time_from_ns(std::strtoll(head.c_str() + at + 10, nullptr, 10));
    }
    frames.push_back(std::move(frame));
  }
}

}  // namespace candlewick::test
