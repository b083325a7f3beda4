// Beats count from the last frame of the channel.
#include "simulator/bitfinex/channels.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "exchange/bitfinex/bitfinex.h"
#include "simulator/bitfinex/bitfinex.h"

namespace candlewick::simulator::bitfinex {
namespace {

using namespace std::chrono_literals;

constexpr Duration beat = 15s;
constexpr Duration checksum_slot = 1s;
constexpr std::size_t checksum_levels = 25;

class Channelled final : public Feed {
 public:
  Channelled(const Subject& subject, std::unique_ptr<Feed> feed, Time now)
      : subject_(subject), feed_(std::move(feed)), told_(now) {}

  std::optional<Time> next() override {
    if (at_ < lines_.size()) return told_;
    const auto data = feed_ == nullptr ? std::nullopt : feed_->next();
    return data && *data <= told_ + beat ? *data : told_ + beat;
  }
  bool emit(std::string& out) override {
    if (at_ == lines_.size() && !fetch()) return false;
    const auto end = std::min(lines_.find('\n', at_), lines_.size());
    out += fmt::format("{} ", to_ms(subject_.told(told_)));
    out.append(lines_, at_, end - at_);
    at_ = std::min(end + 1, lines_.size());
    return true;
  }
  int rank() const override { return feed_ == nullptr ? 9 : feed_->rank(); }

 private:
  bool fetch() {
    const Time at = *next();
    const auto data = feed_ == nullptr ? std::nullopt : feed_->next();
    lines_.clear();
    at_ = 0;
    const bool beats = !data || *data > at;
    if (beats) {
      lines_ = "\"hb\"";
    } else {
      feed_->emit(lines_);
    }
    if (subject_.is_gone()) lines_.clear();
    if (beats || !lines_.empty()) told_ = at;
    return !lines_.empty();
  }

  Subject subject_;
  std::unique_ptr<Feed> feed_;
  Time told_;
  std::string lines_;
  std::size_t at_ = 0;
};

// Behind the changes of its instant.
class ChecksumFeed final : public Feed {
 public:
  ChecksumFeed(const Subject& subject, std::unique_ptr<Feed> feed)
      : subject_(subject), feed_(std::move(feed)) {}
  std::optional<Time> next() override { return feed_ == nullptr ? std::nullopt : feed_->next(); }
  bool emit(std::string& out) override {
    const Time at = *next();
    std::string text;
    if (!feed_->emit(text) || text.empty()) return false;
    out += fmt::format("{} {}", to_ms(subject_.told(at)), text);
    return true;
  }
  int rank() const override { return 8; }

 private:
  Subject subject_;
  std::unique_ptr<Feed> feed_;
};

}  // namespace

void add_line(std::string& out, std::string_view line) {
  if (!out.empty()) out += '\n';
  out += line;
}

void write_changes(std::string& out, const BookChange& change) {
  for (const bool goes : {true, false}) {
    for (const bool is_bid : {true, false}) {
      for (const auto& level : is_bid ? change.bids : change.asks) {
        if (level.size.is_zero() == goes) add_line(out, level_text(level, is_bid));
      }
    }
  }
}

std::unique_ptr<Feed> make_channel(const Subject& subject, std::unique_ptr<Feed> lines, Time now) {
  return std::make_unique<Channelled>(subject, std::move(lines), now);
}

std::unique_ptr<Feed> make_checksums(const Subject& subject, std::size_t levels, Time now) {
  auto feed = make_ladder_feed(
      subject, checksum_slot, std::min(levels, checksum_levels), now,
      [](std::string& out, const Book& book, Time) {
        out += fmt::format(R"("cs",{})", static_cast<std::int32_t>(exchange::bitfinex::checksum(
                                             book.bids, book.asks, 0, 0)));
      });
  return std::make_unique<ChecksumFeed>(subject, std::move(feed));
}

}  // namespace candlewick::simulator::bitfinex
