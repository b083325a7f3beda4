// Tells the formats apart: replies by where they come from, Advanced Trade by its "channel", all
// else is of the Exchange feed.
#include "exchange/coinbase/coinbase.h"
#include "exchange/coinbase/frames.h"

namespace candlewick::exchange::coinbase {
namespace {

using namespace std::chrono_literals;

class CoinbaseDecoder final : public Decoder {
 public:
  explicit CoinbaseDecoder(Catalogue& catalogue)
      : exchange_(catalogue), advanced_(catalogue), rest_(catalogue) {}

  Result<void> decode(const Frame& frame, Events& out) override {
    const std::size_t before = out.size();
    auto decoded = frame.is_reply ? rest_.decode(frame, out) : decode_stream(frame, out);
    if (!decoded) out.resize(before);
    return decoded;
  }
  std::uint64_t inexact_decimals() const override {
    return exchange_.inexact_decimals() + advanced_.inexact_decimals() + rest_.inexact_decimals();
  }

 private:
  Result<void> decode_stream(const Frame& frame, Events& out) {
    const auto is_exchange = exchange_.decode(frame, out);
    if (!is_exchange) return fail(is_exchange.error());
    if (*is_exchange) return {};
    return advanced_.decode(frame, out);
  }

  ExchangeFeed exchange_;
  AdvancedFeed advanced_;
  RestReplies rest_;
};

}  // namespace

Side taker_side_of_maker(json::Value& side) {
  const auto text = side.raw();
  if (text == "buy" || text == "BUY") return Side::sell;
  if (text != "sell" && text != "SELL") side.reject("neither buy nor sell");
  return Side::buy;
}

std::optional<Time> time_or_none(json::Value& value) {
  if (value.is_null() || value.raw().starts_with("0001-")) return std::nullopt;
  return timestamp(value);
}

const Instrument* instrument_of(Catalogue& catalogue, json::Value& product_id) {
  const auto* known = catalogue.find_or_infer(product_id.string());
  if (known == nullptr) product_id.reject("unknown product");
  return known;
}

// Names are taken from the id: BTCAUCTION-USD has the base currency BTC as well.
void read_product(Catalogue& catalogue, json::Value row, const Frame& frame, Events& out) {
  Instrument product;
  product.listed = true;
  product.market = catalogue.market();
  std::string_view status;
  std::string_view kind = "SPOT";
  bool is_halted = false;
  row.members([&](std::string_view key, json::Value value) {
    if (key == "id" || key == "product_id") product.exchange_symbol = value.string();
    if (key == "quote_increment") product.tick_size = amount(value);
    if (key == "base_increment") product.step_size = amount(value);
    if (key == "status") status = value.raw();
    if (key == "product_type") kind = value.raw();
    const bool is_switch = key == "trading_disabled" || key == "cancel_only";
    if (is_switch && value.type() == json::Type::boolean && value.boolean()) is_halted = true;
  });
  if (kind != "SPOT") return;
  if (!product.exchange_symbol.contains('-'))
    return row.reject("a product has an id of base and quote");
  auto pair = read_pair(product.exchange_symbol);
  if (!pair) return;
  product.base = std::move(pair->base);
  product.quote = std::move(pair->quote);
  product.symbol = product.base + "/" + product.quote;
  product.status = status == "delisted"  ? ListingStatus::delisted
                   : status == "offline" ? ListingStatus::halted
                   : status != "online"  ? ListingStatus::unknown
                   : is_halted           ? ListingStatus::halted
                                         : ListingStatus::trading;
  const Instrument& stored = catalogue.put(std::move(product));
  out.emplace_back(Listing{.origin = {&stored, std::nullopt, frame.received_time}});
}

void Heartbeats::tell(Catalogue& catalogue, Time time, const Frame& frame, Events& out) {
  if (told_ && time < *told_ + 1s && time >= *told_) return;
  told_ = time;
  out.emplace_back(ClockReading{catalogue.exchange(), time, frame.received_time});
}

std::unique_ptr<Decoder> make_decoder(Catalogue& catalogue) {
  return std::make_unique<CoinbaseDecoder>(catalogue);
}

}  // namespace candlewick::exchange::coinbase
