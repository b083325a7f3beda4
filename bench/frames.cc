// Takes the frames that the benches decode out of the recordings and writes them one a line, so
// that the floor, this program and the peers in other languages all read the same bytes.
//
//   bench_frames RECORDINGS OUTPUT     RECORDINGS: the folder "data" of the recordings
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <span>

#include <fmt/format.h>

#include "base/line_reader.h"
#include "bench/measure.h"
#include "feed/recording.h"

namespace candlewick::bench {
namespace {

constexpr std::size_t most_frames = 4'000;  // of a kind

// Klines are rare: one a second and symbol. All that there are of spot.
constexpr std::string_view busy_recording =
    "binance/ws/spot-btcusdt-depth-bookticker-trade-2024-08-08T2354.jsonl.zst";
constexpr std::array<std::string_view, 3> kline_recordings{
    "binance/ws/spot-btc-eth-dot-usdt-depth-kline_1m-aggtrade-2021-04-04.jsonl.gz",
    "binance/ws/spot-4alts-depth-kline_1m-bookticker-aggtrade-2021-10-12.jsonl.gz",
    "binance-us/ws/spot-depth-kline_1m-bookticker-aggtrade-2021-10-12.jsonl.gz"};

using Frames = std::map<std::string, std::vector<std::string>, std::less<>>;

// "trade", "kline", "bookTicker", "depth" by the stream's name; "snapshot" for a REST ladder.
std::string_view kind_of(const feed::RecordedFrame& frame) {
  if (frame.direction == feed::Direction::http) {
    return frame.url.find("/depth?") != std::string::npos ? "snapshot" : "";
  }
  if (frame.direction != feed::Direction::in) return "";
  const auto head = frame.text.substr(0, 80);
  for (const std::string_view kind : {"@trade\"", "@kline_", "@bookTicker\"", "@depth@"}) {
    if (head.find(kind) != std::string_view::npos) {
      return kind.substr(1, kind.find_first_of("\"_@", 1) - 1);
    }
  }
  return "";
}

Result<void> take(const std::string& path, std::span<const std::string_view> kinds, Frames& out) {
  auto reader = LineReader::open(path);
  if (!reader) return fail(reader.error());
  feed::RecordingParser parser;
  std::string line;
  while (true) {
    const auto more = reader->next(line);
    if (!more) return fail(more.error());
    if (!*more) return {};
    const auto frame = parser.parse(line);
    if (!frame) return fail(frame.error());
    const auto kind = kind_of(*frame);
    if (std::ranges::find(kinds, kind) == kinds.end()) continue;
    auto& frames = out[std::string(kind)];
    if (frames.size() < (kind == "snapshot" ? 1 : most_frames)) frames.emplace_back(frame->text);
  }
}

Result<void> run(const std::string& recordings, const std::string& output) {
  if (!std::filesystem::is_directory(recordings)) {
    return fail(ErrorKind::misconfigured,
                "the recordings are not at {} (name their folder in CANDLEWICK_SHARED_DATA)",
                recordings);
  }
  Frames frames;
  constexpr std::array<std::string_view, 4> busy{"trade", "bookTicker", "depth", "snapshot"};
  constexpr std::array<std::string_view, 1> klines{"kline"};
  auto taken = take(fmt::format("{}/{}", recordings, busy_recording), busy, frames);
  if (!taken) return taken;
  for (const auto file : kline_recordings) {
    taken = take(fmt::format("{}/{}", recordings, file), klines, frames);
    if (!taken) return taken;
  }
  std::filesystem::create_directories(output);
  for (const auto& [kind, texts] : frames) {
    std::ofstream file(fmt::format("{}/{}.jsonl", output, kind));
    std::size_t bytes = 0;
    for (const auto& text : texts) {
      file << text << '\n';
      bytes += text.size();
    }
    file.close();
    if (!file) return fail(ErrorKind::transient, "{}: cannot be written", output);
    fmt::print(stderr, "{}: {} frames, {} bytes each\n", kind, texts.size(), bytes / texts.size());
  }
  return {};
}

}  // namespace
}  // namespace candlewick::bench

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bench_frames RECORDINGS OUTPUT\n");
    return 2;
  }
  const auto done = candlewick::bench::run(argv[1], argv[2]);
  return done ? 0 : candlewick::bench::report(done.error());
}
