// Which stream a name means. One that was recorded is played as it was; the others are made from
// the market's facts.
#include <algorithm>

#include "simulator/binance/feed.h"

namespace candlewick::simulator::binance {
namespace {

// The frames that several streams have at one instant, as one list.
class ArrayFeed final : public Feed {
 public:
  explicit ArrayFeed(std::vector<std::unique_ptr<Feed>> parts) : parts_(std::move(parts)) {}

  std::optional<Time> next() override {
    return parts_.empty() ? std::nullopt : parts_.front()->next();
  }

  bool emit(std::string& out) override {
    out += '[';
    for (auto& part : parts_) {
      std::string one;
      if (!part->emit(one)) continue;
      if (out.back() != '[') out += ',';
      out += one;
    }
    out += ']';
    return out.size() > 2;
  }

 private:
  std::vector<std::unique_ptr<Feed>> parts_;
};

class RecordedFeed final : public Feed {
 public:
  RecordedFeed(std::span<const RecordedFrame> frames, Time now) : frames_(frames) {
    while (at_ < frames_.size() && frames_[at_].time <= now) ++at_;
  }
  std::optional<Time> next() override {
    return at_ < frames_.size() ? std::optional{frames_[at_].time} : std::nullopt;
  }
  bool emit(std::string& out) override {
    out = frames_[at_++].payload;
    return true;
  }
  int rank() const override { return 0; }

 private:
  std::span<const RecordedFrame> frames_;
  std::size_t at_ = 0;
};

// "!miniTicker@arr"
std::unique_ptr<Feed> make_array(const Context& context, std::string_view stream, bool micros,
                                 Time now) {
  if (!stream.ends_with("@arr")) return nullptr;
  const auto name = stream.substr(1, stream.size() - 5);
  // Retired on 2026-03-26; Binance.US still documents it.
  if (name == "ticker" && context.flavour.name == "binance") return nullptr;
  if (name == "avgPrice") return nullptr;
  std::vector<std::unique_ptr<Feed>> parts;
  for (std::size_t i = 0; i < context.market.listings().size(); ++i) {
    auto part = make_statistics_feed({context, i, micros}, name, now);
    if (!part) return nullptr;
    parts.push_back(std::move(part));
  }
  return std::make_unique<ArrayFeed>(std::move(parts));
}

}  // namespace

void field(std::string& out, std::string_view key, Decimal value) {
  out += ",\"";
  out += key;
  out += "\":";
  append_fixed(out, value);
}

void field(std::string& out, std::string_view key, std::uint64_t value) {
  out += ",\"";
  out += key;
  out += "\":";
  append_number(out, value);
}

void field(std::string& out, std::string_view key, bool value) {
  out += ",\"";
  out += key;
  out += value ? "\":true" : "\":false";
}

std::unique_ptr<Feed> make_feed(const Context& context, std::string_view stream,
                                bool in_microseconds, Time now) {
  if (const auto frames = context.market.recorded(stream); !frames.empty()) {
    return std::make_unique<RecordedFeed>(frames, now);
  }
  if (stream.starts_with('!')) return make_array(context, stream, in_microseconds, now);
  const auto at = stream.find('@');
  if (at == std::string_view::npos) return nullptr;
  std::string symbol(stream.substr(0, at));
  if (std::ranges::any_of(symbol, [](char c) { return c >= 'A' && c <= 'Z'; })) return nullptr;
  for (char& c : symbol) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  const auto listing = context.market.find(symbol);
  if (!listing) return nullptr;
  const Source source{context, *listing, in_microseconds};
  const auto name = stream.substr(at + 1);
  for (const auto make : {make_trade_feed, make_candle_feed, make_book_feed}) {
    if (auto feed = make(source, name, now)) return feed;
  }
  return make_statistics_feed(source, name, now);
}

}  // namespace candlewick::simulator::binance
