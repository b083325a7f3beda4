// The recorder's thread.
#include "feed/recorder.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "feed/observations.h"
#include "feed/recording.h"

namespace candlewick::feed {
namespace {

constexpr std::size_t most_waiting_lines = 200'000;
constexpr std::size_t most_waiting_bytes = std::size_t{64} << 20;

std::string stamp(Time time) {
  std::string text = to_rfc3339(std::chrono::floor<std::chrono::seconds>(time));
  std::erase(text, '-');
  std::erase(text, ':');
  return text;
}

// Line breaks between members would end the line early; JSON allows them anywhere but in strings.
std::string on_one_line(std::string_view text) {
  std::string line(text);
  std::ranges::replace_if(line, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return line;
}

}  // namespace

Recorder::Recorder(RecorderOptions options, const Clock& clock, Observer& observer)
    : options_(std::move(options)),
      clock_(clock),
      observer_(observer),
      queue_({.items = most_waiting_lines, .weight = most_waiting_bytes}) {}

Result<std::unique_ptr<Recorder>> Recorder::open(RecorderOptions options, const Clock& clock,
                                                 Observer& observer) {
  std::unique_ptr<Recorder> recorder(new Recorder(std::move(options), clock, observer));
  if (recorder->options_.file.empty()) {
    std::error_code error;
    std::filesystem::create_directories(recorder->options_.folder, error);
    if (error) {
      return fail(ErrorKind::misconfigured, "recordings cannot go to {}: {}",
                  recorder->options_.folder.string(), error.message());
    }
  }
  if (auto opened = recorder->open_file(); !opened) return fail(opened.error());
  recorder->thread_ = std::thread([self = recorder.get()] { self->run(); });
  return recorder;
}

Recorder::~Recorder() {
  static_cast<void>(stop());
}

Result<void> Recorder::stop() {
  queue_.close();
  if (thread_.joinable()) thread_.join();
  if (!writer_) return {};
  auto closed = writer_->close();
  writer_.reset();
  return closed;
}

void Recorder::on_open(std::string_view url, Time received) {
  RecordedFrame frame;
  frame.direction = Direction::open;
  frame.url = url;
  frame.received_time = received;
  push(recording_line(frame));
}

void Recorder::on_frame(std::string_view url, std::string_view text, Time received, bool is_reply) {
  RecordedFrame frame;
  frame.direction = is_reply ? Direction::http : Direction::in;
  frame.url = url;
  frame.received_time = received;
  const bool has_breaks = !is_gzip(text) && text.find_first_of("\r\n") != std::string_view::npos;
  const std::string whole = has_breaks ? on_one_line(text) : std::string{};
  frame.text = has_breaks ? std::string_view(whole) : text;
  push(recording_line(frame));
}

void Recorder::push(std::string line) {
  line.pop_back();  // the writer adds the break
  const std::size_t bytes = line.size();
  const bool taken = queue_.try_push(std::move(line), bytes) == Push::accepted;
  statistics_.with(
      [&](RecorderStatistics& statistics) { ++(taken ? statistics.frames : statistics.dropped); });
}

void Recorder::run() {
  while (queue_.wait()) {
    write(queue_.pop_all());
    const SteadyTime now = clock_.steady();
    if (writer_ && now - last_flush_ >= options_.flush_interval) {
      last_flush_ = now;
      if (auto flushed = writer_->flush(); !flushed) {
        statistics_.with([&](RecorderStatistics& statistics) {
          statistics.last_error = flushed.error().message;
        });
      }
    }
  }
}

void Recorder::write(const std::vector<std::string>& lines) {
  for (const auto& line : lines) {
    const bool rotates = options_.file.empty() && writer_ &&
                         (writer_->file_bytes() >= options_.rotate_bytes ||
                          clock_.now() - file_opened_ >= options_.rotate_after);
    if (rotates) writer_.reset();
    Result<void> written;
    if (!writer_) written = open_file();
    if (line.find("\"dir\":\"open\"") < 40) last_open_line_ = line;
    if (written) written = writer_->write(line);
    if (written) continue;
    writer_.reset();
    observer_.observe(recording_failed,
                      {{"venue", options_.venue}, {"error", written.error().message}});
    statistics_.with([&](RecorderStatistics& statistics) {
      ++statistics.dropped;
      statistics.last_error = written.error().message;
    });
  }
}

Result<void> Recorder::open_file() {
  file_opened_ = clock_.now();
  auto path = options_.file;
  if (path.empty()) {
    delete_beyond_budget();
    path = options_.folder / (options_.venue + "-" + stamp(file_opened_) + ".jsonl.zst");
  }
  auto writer = LineWriter::open(path.string());
  if (!writer) return fail(writer.error());
  writer_ = std::move(*writer);
  last_flush_ = clock_.steady();
  statistics_.with([](RecorderStatistics& statistics) { ++statistics.files; });
  // Each file says which connection its frames belong to.
  if (!last_open_line_.empty()) return writer_->write(last_open_line_);
  return {};
}

void Recorder::delete_beyond_budget() const {
  struct Entry {
    std::filesystem::path path;
    std::uint64_t bytes;
  };
  std::vector<Entry> files;
  std::uint64_t total = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(options_.folder, error)) {
    const auto name = entry.path().filename().string();
    if (!name.starts_with(options_.venue + "-2") || !name.ends_with(".jsonl.zst")) continue;
    const auto bytes = entry.file_size(error);
    if (error) continue;
    files.push_back({entry.path(), bytes});
    total += bytes;
  }
  // Names sort by time. Room is made for the file about to be written.
  std::ranges::sort(files, {}, [](const Entry& entry) { return entry.path; });
  for (const auto& file : files) {
    if (total + options_.rotate_bytes <= options_.budget_bytes) return;
    std::filesystem::remove(file.path, error);
    total -= file.bytes;
  }
}

RecorderStatistics Recorder::statistics() const {
  return statistics_.with([](const RecorderStatistics& statistics) { return statistics; });
}

}  // namespace candlewick::feed
