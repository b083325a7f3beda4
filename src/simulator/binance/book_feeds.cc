// The book's streams: the best levels at each change, all changes a slot, and ladders of the best
// few levels.
#include <utility>

#include "simulator/binance/feed.h"
#include "simulator/feeds.h"

namespace candlewick::simulator::binance {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t all_levels = 5000;

class BookTickerFeed final : public Feed {
 public:
  BookTickerFeed(const Source& source, Time now)
      : source_(source),
        steps_(*source.market().book_steps(source.listing)),
        step_(steps_.step_at(now) + 1) {}

  std::optional<Time> next() override { return steps_.time_of(step_); }

  bool emit(std::string& out) override {
    Book top = steps_.book(step_++, 1);
    const bool same = top.bids == last_.bids && top.asks == last_.asks;
    last_ = std::move(top);
    if (same || source_.is_gone()) return false;
    if (source_.is_futures()) {
      const Time at = steps_.time_of(step_ - 1);
      source_.begin(out, "bookTicker", at);
      out += ",\"T\":";
      source_.time(out, at);
      field(out, "u", last_.sequence);
    } else {
      out += "{\"u\":";
      append_number(out, last_.sequence);
      out += R"(,"s":")" + source_.symbol() + '"';
    }
    field(out, "b", last_.bids.front().price);
    field(out, "B", last_.bids.front().size);
    field(out, "a", last_.asks.front().price);
    field(out, "A", last_.asks.front().size);
    out += '}';
    return true;
  }
  int rank() const override { return 2; }

 private:
  Source source_;
  BookSteps& steps_;
  std::uint64_t step_;
  Book last_;
};

// Futures name the update before.
void write_change(std::string& out, const Source& source, Time at, std::uint64_t before,
                  std::uint64_t last, const std::vector<Level>& bids,
                  const std::vector<Level>& asks) {
  source.begin(out, "depthUpdate", at);
  if (source.is_futures()) {
    out += ",\"T\":";
    source.time(out, at);
  }
  field(out, "U", before + 1);
  field(out, "u", last);
  if (source.is_futures()) field(out, "pu", before);
  out += ",\"b\":";
  append_levels(out, bids);
  out += ",\"a\":";
  append_levels(out, asks);
  out += '}';
}

// Time is cut into slots; a frame at the end of a slot tells what happened in it. A slot without a
// step has no frame, so ids follow each other from frame to frame.
class DepthFeed final : public Feed {
 public:
  DepthFeed(const Source& source, Duration slot, Time now)
      : source_(source), steps_(*source.market().book_steps(source.listing)), slot_(slot) {
    last_ = steps_.book(steps_.step_at(next_multiple(now, slot) - slot), all_levels);
  }

  std::optional<Time> next() override {
    return next_multiple(steps_.time_of(last_.sequence + 1) - 1ns, slot_);
  }

  bool emit(std::string& out) override {
    const Time at = *next();
    Book now = steps_.book(steps_.step_at(at), all_levels);
    const Book before = std::exchange(last_, std::move(now));
    if (source_.is_gone()) return false;
    write_change(out, source_, at, before.sequence, last_.sequence,
                 differences(before.bids, last_.bids, true),
                 differences(before.asks, last_.asks, false));
    return true;
  }
  int rank() const override { return 3; }

 private:
  Source source_;
  BookSteps& steps_;
  Duration slot_;
  Book last_;
};

class LadderFeed final : public Feed {
 public:
  LadderFeed(const Source& source, std::size_t levels, Duration slot, Time now)
      : source_(source),
        steps_(*source.market().book_steps(source.listing)),
        levels_(levels),
        slot_(slot),
        step_(steps_.step_at(next_multiple(now, slot) - slot)) {}

  std::optional<Time> next() override {
    return next_multiple(steps_.time_of(step_ + 1) - 1ns, slot_);
  }

  bool emit(std::string& out) override {
    const Time at = *next();
    const auto before = std::exchange(step_, steps_.step_at(at));
    if (source_.is_gone()) return false;
    const Book book = steps_.book(step_, levels_);
    if (source_.is_futures()) {
      write_change(out, source_, at, before, book.sequence, book.bids, book.asks);
      return true;
    }
    out += "{\"lastUpdateId\":";
    append_number(out, book.sequence);
    out += ",\"bids\":";
    append_levels(out, book.bids);
    out += ",\"asks\":";
    append_levels(out, book.asks);
    out += '}';
    return true;
  }
  int rank() const override { return 3; }

 private:
  Source source_;
  BookSteps& steps_;
  std::size_t levels_;
  Duration slot_;
  std::uint64_t step_;
};

}  // namespace

std::unique_ptr<Feed> make_book_feed(const Source& source, std::string_view name, Time now) {
  if (source.market().book_steps(source.listing) == nullptr) return nullptr;
  if (name == "bookTicker") return std::make_unique<BookTickerFeed>(source, now);
  if (!name.starts_with("depth")) return nullptr;
  Duration slot = source.is_futures() ? 250ms : 1000ms;
  if (const auto at = name.find('@'); at != std::string_view::npos) {
    const auto speed = name.substr(at + 1);
    const bool is_futures = source.is_futures();
    if (speed != "100ms" && speed != (is_futures ? "500ms" : "1000ms")) return nullptr;
    slot = speed == "100ms" ? 100ms : is_futures ? 500ms : 1000ms;
    name = name.substr(0, at);
  }
  const auto levels = name.substr(5);
  if (levels.empty()) return std::make_unique<DepthFeed>(source, slot, now);
  if (levels != "5" && levels != "10" && levels != "20") return nullptr;
  const std::size_t count = levels == "5" ? 5 : levels == "10" ? 10 : 20;
  return std::make_unique<LadderFeed>(source, count, slot, now);
}

}  // namespace candlewick::simulator::binance
