// Tells the formats apart: replies by where they come from, v1 by its shape (an array, or an object
// with an "event"), all else is v2.
#include <algorithm>

#include "exchange/kraken/frames.h"
#include "exchange/kraken/kraken.h"

namespace candlewick::exchange::kraken {
namespace {

class KrakenDecoder final : public Decoder {
 public:
  explicit KrakenDecoder(Catalogue& catalogue) : v2_(catalogue), v1_(catalogue), rest_(catalogue) {}

  Result<void> decode(const Frame& frame, Events& out) override {
    const std::size_t before = out.size();
    auto decoded = decode_any(frame, out);
    if (!decoded) out.resize(before);
    return decoded;
  }
  std::uint64_t inexact_decimals() const override {
    return v2_.inexact_decimals() + v1_.inexact_decimals() + rest_.inexact_decimals();
  }

 private:
  Result<void> decode_any(const Frame& frame, Events& out) {
    if (frame.is_reply) return rest_.decode(frame, out);
    const auto first = frame.text.find_first_not_of(" \t\r\n");
    if (first != std::string_view::npos && frame.text[first] == '[') return v1_.decode(frame, out);
    const auto is_v2 = v2_.decode(frame, out);
    if (!is_v2) return fail(is_v2.error());
    if (*is_v2) return {};
    return v1_.decode(frame, out);
  }

  StreamV2 v2_;
  StreamV1 v1_;
  RestReplies rest_;
};

}  // namespace

void BookDigits::note(BookUpdate& book, LevelDigits seen) {
  LevelDigits& known = known_[book.origin.instrument];
  if (book.kind == BookKind::snapshot) known = {};
  known.price = std::max(known.price, seen.price);
  known.size = std::max(known.size, seen.size);
  book.price_digits = known.price;
  book.size_digits = known.size;
}

std::uint8_t fraction_digits(std::string_view number) {
  const auto point = number.find('.');
  return point == std::string_view::npos
             ? std::uint8_t{0}
             : static_cast<std::uint8_t>(std::min<std::size_t>(number.size() - point - 1, 255));
}

std::optional<Timeframe> timeframe_of_minutes(std::int64_t minutes) {
  for (const auto timeframe : kraken.timeframes) {
    if (length_of(timeframe) == std::chrono::minutes{minutes}) return timeframe;
  }
  return std::nullopt;
}

std::unique_ptr<Decoder> make_decoder(Catalogue& catalogue) {
  return std::make_unique<KrakenDecoder>(catalogue);
}

}  // namespace candlewick::exchange::kraken
