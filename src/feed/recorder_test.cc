// Recorders in temporary folders, on a clock that the tests move.
#include "feed/recorder.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/line_reader.h"
#include "feed/recording.h"
#include "feed/testing.h"
#include "test/support/eventually.h"
#include "test/support/temporary_folder.h"

namespace candlewick::feed {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using testing::noon;
namespace fs = std::filesystem;

// The recorder reads the clock on its own thread.
class SharedClock final : public Clock {
 public:
  Time now() const override { return time_from_ns(ns_.load()); }
  SteadyTime steady() const override { return SteadyTime{Duration{ns_.load()}}; }
  void advance(Duration by) { ns_ += by.count(); }

 private:
  std::atomic<std::int64_t> ns_{to_ns(noon)};
};

std::vector<std::string> read_lines(const fs::path& file) {
  std::vector<std::string> lines;
  auto reader = LineReader::open(file.string());
  EXPECT_TRUE(reader) << file;
  if (!reader) return lines;
  std::string line;
  while (true) {
    const auto more = reader->next(line);
    EXPECT_TRUE(more) << file << ": " << more.error().message;
    if (!more || !*more) return lines;
    lines.push_back(line);
  }
}

class RecorderTest : public ::testing::Test {
 protected:
  RecorderOptions options() {
    return {.folder = folder.path() / "recordings", .venue = "binance", .flush_interval = 0s};
  }
  void open(RecorderOptions chosen) {
    auto opened = Recorder::open(std::move(chosen), clock, observer);
    ASSERT_TRUE(opened) << opened.error().message;
    recorder = std::move(*opened);
  }
  void frame(std::string_view text) {
    recorder->on_frame({}, text, clock.now(), false);
    ++frames;
  }
  // Waits until everything was handed to the system, so that what comes next sees its effect.
  void settle(const fs::path& file, std::size_t lines) {
    EXPECT_TRUE(eventually([&] { return fs::exists(file) && read_lines(file).size() >= lines; }))
        << file;
  }
  std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(folder.path() / "recordings"))
      found.push_back(entry.path());
    std::ranges::sort(found);
    return found;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& file : files()) found.push_back(file.filename().string());
    return found;
  }

  test::TemporaryFolder folder;
  SharedClock clock;
  RecordingObserver observer;
  std::unique_ptr<Recorder> recorder;
  std::size_t frames = 0;
};

TEST_F(RecorderTest, KeepsEveryFrameAsItCame) {
  open(options());
  recorder->on_open("wss://h/stream", clock.now());
  frame(R"({"a":1})");
  frame("{\"cut");
  recorder->on_frame("https://h/x", "{\"b\":\n2}", clock.now(), true);
  ASSERT_TRUE(recorder->stop());
  ASSERT_EQ(names(), std::vector<std::string>{"binance-20240501T120000Z.jsonl.zst"});
  const auto lines = read_lines(files().front());
  ASSERT_EQ(lines.size(), 4U);
  RecordingParser parser;
  EXPECT_EQ(parser.parse(lines[0])->url, "wss://h/stream");
  EXPECT_EQ(parser.parse(lines[1])->text, R"({"a":1})");
  EXPECT_EQ(parser.parse(lines[1])->received_time, noon);
  EXPECT_EQ(parser.parse(lines[2])->text, "{\"cut");
  EXPECT_EQ(parser.parse(lines[3])->direction, Direction::http);
  EXPECT_EQ(parser.parse(lines[3])->text, "{\"b\": 2}");
  EXPECT_EQ(recorder->statistics().frames, 4U);
  EXPECT_EQ(recorder->statistics().dropped, 0U);
}

TEST_F(RecorderTest, BeginsANewFileByAgeWithTheLineThatNamesTheConnection) {
  open(options());
  recorder->on_open("wss://h/stream", clock.now());
  frame("{}");
  settle(folder.path() / "recordings" / "binance-20240501T120000Z.jsonl.zst", 2);
  clock.advance(59min);
  frame("{}");
  settle(folder.path() / "recordings" / "binance-20240501T120000Z.jsonl.zst", 3);
  clock.advance(1min);
  frame("{}");
  ASSERT_TRUE(recorder->stop());
  ASSERT_EQ(names(), (std::vector<std::string>{"binance-20240501T120000Z.jsonl.zst",
                                               "binance-20240501T130000Z.jsonl.zst"}));
  const auto lines = read_lines(files().back());
  ASSERT_EQ(lines.size(), 2U);
  RecordingParser parser;
  EXPECT_EQ(parser.parse(lines[0])->direction, Direction::open);
  EXPECT_EQ(parser.parse(lines[0])->url, "wss://h/stream");
  EXPECT_EQ(recorder->statistics().files, 2U);
}

TEST_F(RecorderTest, BeginsANewFileBySize) {
  auto chosen = options();
  chosen.rotate_bytes = 1;
  open(chosen);
  for (int i = 0; i < 3; ++i) {
    frame("{}");
    settle(folder.path() / "recordings" / fmt::format("binance-20240501T12000{}Z.jsonl.zst", i), 1);
    clock.advance(1s);
  }
  ASSERT_TRUE(recorder->stop());
  EXPECT_EQ(files().size(), 3U);
}

TEST_F(RecorderTest, DeletesTheOldestOfItsFilesBeyondTheBudget) {
  const fs::path place = folder.path() / "recordings";
  fs::create_directories(place);
  const auto put = [&](const std::string& name, std::size_t bytes) {
    std::ofstream(place / name) << std::string(bytes, 'x');
  };
  put("binance-20240401T000000Z.jsonl.zst", 400);
  put("binance-20240402T000000Z.jsonl.zst", 400);
  put("binance-20240403T000000Z.jsonl.zst", 400);
  put("binance-us-20240101T000000Z.jsonl.zst", 4000);
  put("binance-notes.txt", 4000);
  auto chosen = options();
  chosen.rotate_bytes = 100;
  chosen.budget_bytes = 900;
  open(chosen);
  EXPECT_EQ(names(), (std::vector<std::string>{
                         "binance-20240402T000000Z.jsonl.zst", "binance-20240403T000000Z.jsonl.zst",
                         "binance-20240501T120000Z.jsonl.zst", "binance-notes.txt",
                         "binance-us-20240101T000000Z.jsonl.zst"}));
}

TEST_F(RecorderTest, OneFileDoesNotRotateAndIsContinued) {
  const fs::path file = folder.path() / "one.jsonl";
  for (int run = 1; run <= 2; ++run) {
    auto chosen = options();
    chosen.file = file;
    chosen.rotate_bytes = 1;
    open(chosen);
    frame("{}");
    settle(file, static_cast<std::size_t>(2 * run - 1));
    clock.advance(2h);
    frame("{}");
    ASSERT_TRUE(recorder->stop());
  }
  EXPECT_EQ(read_lines(file).size(), 4U);
  EXPECT_FALSE(fs::exists(folder.path() / "recordings"));
}

TEST_F(RecorderTest, AFolderThatCannotBeMadeOrWrittenIsMisconfigured) {
  std::ofstream(folder.path() / "recordings") << "a file where the folder should be";
  const auto refused = Recorder::open(options(), clock, observer);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::misconfigured);
  EXPECT_NE(refused.error().message.find("recordings"), std::string::npos);
  const auto nowhere = Recorder::open(
      {.folder = {}, .file = folder.path() / "no" / "such" / "file.jsonl", .venue = "binance"},
      clock, observer);
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().kind, ErrorKind::misconfigured);
}

TEST_F(RecorderTest, ADiskThatRefusesCostsFramesAndIsTold) {
  auto chosen = options();
  chosen.rotate_after = 1min;
  open(chosen);
  frame("{}");
  settle(files().front(), 1);
  // The folder goes away under it: the next file cannot be made.
  fs::remove_all(chosen.folder);
  std::ofstream(chosen.folder) << "in the way";
  clock.advance(2min);
  frame("{}");
  EXPECT_TRUE(eventually([&] { return observer.count("feed_recording_failed") == 1; }));
  EXPECT_TRUE(eventually([&] { return recorder->statistics().dropped == 1; }));
  EXPECT_FALSE(recorder->statistics().last_error.empty());
  // And comes back: so do recordings.
  fs::remove(chosen.folder);
  fs::create_directories(chosen.folder);
  frame(R"({"back":1})");
  ASSERT_TRUE(recorder->stop());
  ASSERT_EQ(files().size(), 1U);
  EXPECT_EQ(read_lines(files().front()).size(), 1U);
}

TEST_F(RecorderTest, WritesWhatWaitsWhenItStops) {
  open(options());
  for (int i = 0; i < 5000; ++i) frame(fmt::format(R"({{"i":{}}})", i));
  ASSERT_TRUE(recorder->stop());
  std::size_t lines = 0;
  for (const auto& file : files()) lines += read_lines(file).size();
  EXPECT_EQ(lines, 5000U);
  // After that nothing is taken any more, and it is counted.
  frame("{}");
  EXPECT_EQ(recorder->statistics().dropped, 1U);
}

}  // namespace
}  // namespace candlewick::feed
