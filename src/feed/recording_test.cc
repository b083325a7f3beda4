// The line format of recordings, with lines of real ones.
#include "feed/recording.h"

#include <gtest/gtest.h>

#include "base/line_reader.h"
#include "test/support/shared_data.h"

namespace candlewick::feed {
namespace {

constexpr Time received = time_from_ns(1'633'998'512'063'356'900);

TEST(Recording, KeepsCompressedFramesAsBytes) {
  using namespace std::string_view_literals;
  constexpr auto bytes = "\x1f\x8b\x08\0\r\n\xff"sv;
  EXPECT_TRUE(is_gzip(bytes));
  const auto line = recording_line({.direction = Direction::in,
                                    .received_time = received,
                                    .url = "",
                                    .text = bytes,
                                    .is_binary = true});
  EXPECT_EQ(
      line,
      R"({"recv_ns":1633998512063356900,"dir":"in","frame":"binary","enc":"gzip","b64":"H4sIAA0K/w=="})"
      "\n");
  RecordingParser parser;
  const auto read = parser.parse(std::string_view(line).substr(0, line.size() - 1));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->text, bytes);
  EXPECT_TRUE(read->is_binary);
  EXPECT_EQ(read->received_time, received);
}

TEST(Recording, WritesWhatItReads) {
  const std::vector<RecordedFrame> frames{
      {.direction = Direction::in,
       .received_time = received,
       .url = "",
       .text = R"({"e":"trade","p":"1.10"})"},
      {.direction = Direction::in, .received_time = std::nullopt, .url = "", .text = "[1, 2]"},
      {.direction = Direction::in,
       .received_time = received,
       .url = "",
       .text = R"({"a":1})",
       .is_binary = true},
      {.direction = Direction::out,
       .received_time = received,
       .url = "",
       .text = R"({"method":"SUBSCRIBE"})"},
      {.direction = Direction::open,
       .received_time = received,
       .url = R"(wss://h/a?b="c"\)",
       .text = ""},
      {.direction = Direction::http, .received_time = received, .url = "https://h/x", .text = "{}"},
      {.direction = Direction::http,
       .received_time = received,
       .url = "https://h/x",
       .text = "{}",
       .http_status = 400},
      // Frames that were cut are kept as they came.
      {.direction = Direction::in, .received_time = received, .url = "", .text = R"({"e":"tra)"},
      {.direction = Direction::in, .received_time = received, .url = "", .text = ""},
      {.direction = Direction::in,
       .received_time = received,
       .url = "",
       .text = R"({"note":"a \"msg\":1} inside"})"},
  };
  RecordingParser parser;
  for (const auto& frame : frames) {
    std::string line = recording_line(frame);
    ASSERT_EQ(line.back(), '\n');
    line.pop_back();
    const auto read = parser.parse(line);
    ASSERT_TRUE(read) << line << ": " << read.error().message;
    EXPECT_EQ(read->direction, frame.direction) << line;
    EXPECT_EQ(read->received_time, frame.received_time) << line;
    EXPECT_EQ(read->url, frame.url) << line;
    EXPECT_EQ(read->text, frame.text) << line;
    EXPECT_EQ(read->is_binary, frame.is_binary) << line;
    EXPECT_EQ(read->http_status, frame.http_status) << line;
  }
}

TEST(Recording, HasTheDocumentedForm) {
  EXPECT_EQ(recording_line({.direction = Direction::in, .received_time = received, .text = "{}"}),
            "{\"recv_ns\":1633998512063356900,\"dir\":\"in\",\"msg\":{}}\n");
  EXPECT_EQ(
      recording_line({.direction = Direction::open, .received_time = received, .url = "wss://h"}),
      "{\"recv_ns\":1633998512063356900,\"dir\":\"open\",\"url\":\"wss://h\"}\n");
}

TEST(Recording, ReadsLinesWithLessInThem) {
  RecordingParser parser;
  const auto without_direction = parser.parse(R"({"recv_ns":1633998512063356900,"msg":{"a":1}})");
  ASSERT_TRUE(without_direction);
  EXPECT_EQ(without_direction->direction, Direction::in);
  EXPECT_EQ(without_direction->text, R"({"a":1})");
  const auto bare = parser.parse(R"({"e":"trade"})");
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->text, R"({"e":"trade"})");
  EXPECT_FALSE(bare->received_time);
  const auto with_break = parser.parse("{\"dir\":\"in\",\"msg\":{}}\r");
  ASSERT_TRUE(with_break);
  EXPECT_EQ(with_break->text, "{}");
}

TEST(Recording, RefusesWhatIsNoLineOfOne) {
  RecordingParser parser;
  for (const std::string_view line :
       {"", " ", "[]", "{", "}", "hello", R"({"dir":"sideways","msg":{}})", R"({"dir":"in"})",
        R"({"dir":"http","url":"x"})", R"({"dir":"in","recv_ns":"soon","msg":{}})",
        R"({"dir" "in","msg":{}})", R"({"dir":"in","enc":"deflate-raw","b64":"H4sI"})",
        R"({"dir":"in","enc":"gzip","b64":"H4s"})"}) {
    const auto read = parser.parse(line);
    ASSERT_FALSE(read) << line;
    EXPECT_EQ(read.error().kind, ErrorKind::malformed) << line;
  }
}

TEST(Recording, ReadsRealRecordingsToTheLastLine) {
  REQUIRE_SHARED_DATA();
  for (const std::string_view name :
       {"spot-btcusdt-depth-bookticker-trade-2024-08-08T2354.jsonl.zst",
        "spot-4alts-depth-kline_1m-bookticker-aggtrade-2021-10-12.jsonl.gz"}) {
    auto lines = LineReader::open((test::shared_data() / "binance" / "ws" / name).string());
    ASSERT_TRUE(lines) << lines.error().message;
    RecordingParser parser;
    std::string line;
    std::size_t frames = 0;
    while (true) {
      const auto more = lines->next(line);
      ASSERT_TRUE(more) << more.error().message;
      if (!*more) break;
      const auto frame = parser.parse(line);
      ASSERT_TRUE(frame) << name << " line " << lines->line_number() << ": "
                         << frame.error().message;
      if (frame->direction == Direction::open) {
        EXPECT_TRUE(frame->url.starts_with("wss://")) << frame->url;
        continue;
      }
      ++frames;
      ASSERT_EQ(frame->text.front(), '{');
      ASSERT_EQ(frame->text.back(), '}');
      ASSERT_TRUE(line.ends_with(std::string(frame->text) + "}"));
    }
    EXPECT_GT(frames, 200U) << name;
  }
}

}  // namespace
}  // namespace candlewick::feed
