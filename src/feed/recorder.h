// Keeps raw frames on disk as recordings (recording.h), in a thread of its own: zstd files that
// rotate by size and age in one folder, the oldest deleted beyond a budget. A disk that is full or
// slow costs recorded frames, which are counted, and never holds up the feed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"
#include "base/line_writer.h"
#include "base/observation.h"
#include "base/queue.h"
#include "feed/venue_feed.h"

namespace candlewick::feed {

struct RecorderOptions {
  // A folder for rotated files, "<venue>-20240808T235413Z.jsonl.zst"…
  std::filesystem::path folder;
  // …or one file, which does not rotate and is not bounded.
  std::filesystem::path file;
  std::string venue;
  Duration rotate_after = std::chrono::hours{1};
  std::uint64_t rotate_bytes = std::uint64_t{64} << 20;
  std::uint64_t budget_bytes = std::uint64_t{1} << 30;  // of this venue's files in the folder
  Duration flush_interval = std::chrono::seconds{2};
};

struct RecorderStatistics {
  std::uint64_t frames = 0;
  std::uint64_t dropped = 0;
  std::uint64_t files = 0;
  std::string last_error;
};

class Recorder final : public FrameTap {
 public:
  // Error: misconfigured when nothing can be written there.
  static Result<std::unique_ptr<Recorder>> open(RecorderOptions options, const Clock& clock,
                                                Observer& observer);
  ~Recorder() override;

  void on_frame(std::string_view url, std::string_view text, Time received, bool is_reply) override;
  void on_open(std::string_view url, Time received) override;
  // Writes what waits and closes the file. Error: what could not be written.
  Result<void> stop();
  RecorderStatistics statistics() const;

 private:
  Recorder(RecorderOptions options, const Clock& clock, Observer& observer);
  void push(std::string line);
  void run();
  void write(const std::vector<std::string>& lines);
  Result<void> open_file();
  void delete_beyond_budget() const;

  RecorderOptions options_;
  const Clock& clock_;
  Observer& observer_;
  BoundedQueue<std::string> queue_;
  std::optional<LineWriter> writer_;
  Time file_opened_{};
  std::string last_open_line_;
  SteadyTime last_flush_{};
  Guarded<RecorderStatistics> statistics_;
  std::thread thread_;
};

}  // namespace candlewick::feed
