// How fast frames become events, against simdjson On-Demand that finds the same fields of the same
// frames and leaves them as text: what the decoder adds is checking, order-independence, exact
// decimals, times, the instrument and the event itself.
//
//   bench_decode FRAMES      the folder that bench_frames wrote
//
// Both copy each frame into a padded buffer of their own first, because a socket's buffer has no
// padding behind a frame. The floor looks fields up in the order in which the venue writes them and
// skips the rest, which is the fastest way through On-Demand.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "bench/measure.h"
#include "exchange/registry.h"

namespace candlewick::bench {
namespace {

namespace od = simdjson::ondemand;

constexpr double seconds_a_sample = 0.3;
constexpr std::size_t frames_a_run = 25;

// Adds up the tokens' lengths: something that depends on each and costs next to nothing.
class Floor {
 public:
  using Walk = std::size_t (*)(od::object& data);

  explicit Floor(Walk walk) : walk_(walk) {}

  Result<std::size_t> read(const std::string& frame) {
    if (capacity_ < frame.size()) {
      capacity_ = frame.size() * 2;
      buffer_ = std::make_unique_for_overwrite<char[]>(capacity_ + simdjson::SIMDJSON_PADDING);
    }
    std::memcpy(buffer_.get(), frame.data(), frame.size());
    std::memset(buffer_.get() + frame.size(), ' ', simdjson::SIMDJSON_PADDING);
    try {
      od::document document =
          parser_.iterate(buffer_.get(), frame.size(), capacity_ + simdjson::SIMDJSON_PADDING);
      od::object data = document.find_field("data").get_object();
      return walk_(data);
    } catch (const simdjson::simdjson_error& error) {
      return fail(ErrorKind::malformed, "{}: {}", error.what(), frame);
    }
  }

 private:
  Walk walk_;
  od::parser parser_;
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
};

std::size_t fields(od::object& object, std::initializer_list<std::string_view> names) {
  std::size_t sum = 0;
  for (const auto name : names) {
    sum += std::string_view(object.find_field(name).value().raw_json_token()).size();
  }
  return sum;
}

std::size_t levels(od::object& data, std::string_view name) {
  std::size_t sum = 0;
  for (auto level : data.find_field(name).get_array()) {
    for (auto part : level.get_array()) {
      sum += std::string_view(part.value().raw_json_token()).size();
    }
  }
  return sum;
}

std::size_t walk_trade(od::object& data) {
  return fields(data, {"e", "s", "t", "p", "q", "T", "m"});
}

std::size_t walk_quote(od::object& data) {
  return fields(data, {"u", "s", "b", "B", "a", "A"});
}

std::size_t walk_depth(od::object& data) {
  return fields(data, {"e", "E", "s", "U", "u"}) + levels(data, "b") + levels(data, "a");
}

std::size_t walk_kline(od::object& data) {
  const std::size_t outer = fields(data, {"e", "E"});
  od::object kline = data.find_field("k").get_object();
  return outer + fields(kline, {"t", "s", "i", "o", "c", "h", "l", "v", "n", "x", "q", "V", "Q"});
}

struct Kind {
  std::string_view name;
  Floor::Walk walk;
  std::size_t event;  // index in the variant
};

template <class E>
consteval std::size_t index_of() {
  constexpr auto find = []<class... Es>(std::variant<Es...>*) {
    std::size_t index = 0;
    static_cast<void>(((std::is_same_v<E, Es> || (++index, false)) || ...));
    return index;
  };
  return find(static_cast<Event*>(nullptr));
}

constexpr std::array<Kind, 4> kinds{{{"trade", walk_trade, index_of<Trade>()},
                                     {"kline", walk_kline, index_of<Candle>()},
                                     {"bookTicker", walk_quote, index_of<Quote>()},
                                     {"depth", walk_depth, index_of<BookUpdate>()}}};

// Frames a second. The frames are read in short runs, again and again; each run counts with the
// median of its times, so that moments in which the machine did something else do not count.
template <class Read>
Result<double> rate(const std::vector<std::string>& frames, Read read) {
  std::vector<std::vector<double>> runs((frames.size() + frames_a_run - 1) / frames_a_run);
  const SteadyTime start = now();
  do {
    SteadyTime run_start = now();
    for (std::size_t run = 0; run < runs.size(); ++run) {
      const std::size_t first = run * frames_a_run;
      const std::size_t last = std::min(first + frames_a_run, frames.size());
      for (std::size_t i = first; i < last; ++i) {
        if (auto done = read(frames[i]); !done) return fail(done.error());
      }
      const SteadyTime run_end = now();
      runs[run].push_back(std::chrono::duration<double>(run_end - run_start).count());
      run_start = run_end;
    }
  } while (seconds_since(start) < seconds_a_sample);
  double pass = 0;
  for (auto& run : runs) pass += quantile(std::move(run), 0.5);
  return static_cast<double>(frames.size()) / pass;
}

Result<void> measure(const Kind& kind, const std::string& folder) {
  const auto frames = read_lines(fmt::format("{}/{}.jsonl", folder, kind.name));
  if (!frames) return fail(frames.error());
  const auto* venue = exchange::find_venue("binance");
  const auto catalogue = exchange::make_catalogue(*venue);
  const auto decoder = venue->make_decoder(*catalogue);
  Floor floor(kind.walk);
  Events events;
  const auto ours = [&](const std::string& frame) -> Result<void> {
    events.clear();
    auto decoded = decoder->decode({.text = frame, .received_time = Time{}}, events);
    keep(events);
    return decoded;
  };
  const auto theirs = [&](const std::string& frame) -> Result<void> {
    const auto sum = floor.read(frame);
    if (!sum) return fail(sum.error());
    keep(*sum);
    return {};
  };
  // Once for the caches, and to see that each frame is the one event it should be.
  for (const auto& frame : *frames) {
    if (auto done = theirs(frame); !done) return done;
    if (auto done = ours(frame); !done) return done;
    if (events.size() != 1 || events.front().index() != kind.event) {
      return fail(ErrorKind::malformed, "not a {}: {}", kind.name, frame);
    }
  }
  const std::string name = fmt::format("decode/{}", kind.name);
  const auto floor_rate = rate(*frames, theirs);
  if (!floor_rate) return fail(floor_rate.error());
  print_sample(name, "simdjson", *floor_rate, "frames/s");
  const auto our_rate = rate(*frames, ours);
  if (!our_rate) return fail(our_rate.error());
  print_sample(name, "ours", *our_rate, "frames/s");
  return {};
}

}  // namespace
}  // namespace candlewick::bench

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_decode FRAMES\n");
    return 2;
  }
  for (const auto& kind : candlewick::bench::kinds) {
    const auto done = candlewick::bench::measure(kind, argv[1]);
    if (!done) return candlewick::bench::report(done.error());
  }
  return 0;
}
