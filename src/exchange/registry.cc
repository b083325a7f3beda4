// One row a venue, sorted by name.
#include "exchange/registry.h"

#include <array>

#include "exchange/binance/binance.h"
#include "exchange/bitfinex/bitfinex.h"
#include "exchange/bitget/bitget.h"
#include "exchange/bitstamp/bitstamp.h"
#include "exchange/bybit/bybit.h"
#include "exchange/coinbase/coinbase.h"
#include "exchange/gateio/gateio.h"
#include "exchange/gemini/gemini.h"
#include "exchange/htx/htx.h"
#include "exchange/kraken/kraken.h"
#include "exchange/kucoin/kucoin.h"
#include "exchange/okx/okx.h"

namespace candlewick::exchange {
namespace {

constexpr std::array venues{
    &binance::binance,
    &binance::binance_usdm,
    &binance::binance_us,
    &bitfinex::bitfinex,
    &bitget::bitget,
    &bitstamp::bitstamp,
    &bybit::bybit,
    &coinbase::coinbase,
    &gateio::gateio,
    &gemini::gemini,
    &htx::htx,
    &kraken::kraken,
    &kucoin::kucoin,
    &okx::okx,
};

}  // namespace

std::span<const Venue* const> all_venues() {
  return venues;
}

const Venue* find_venue(std::string_view key) {
  for (const auto* venue : venues) {
    if (key_of(*venue) == key) return venue;
  }
  return nullptr;
}

const Venue* find_venue(std::string_view name, Market market) {
  for (const auto* venue : venues) {
    if (venue->name == name && venue->market == market) return venue;
  }
  return nullptr;
}

std::string venue_names() {
  std::string names;
  for (const auto* venue : venues) {
    if (!names.empty()) names += ", ";
    names += key_of(*venue);
  }
  return names;
}

std::vector<Channel> usual_channels(const Venue& venue, const Instrument& instrument,
                                    std::span<const Timeframe> timeframes, bool trades) {
  std::vector<Channel> channels;
  const auto add = [&](ChannelKind kind, Timeframe timeframe = Timeframe::m1) {
    if (has_channel(venue, kind))
      channels.push_back({.kind = kind, .timeframe = timeframe, .instrument = &instrument});
  };
  const auto streamed =
      venue.streamed_timeframes.empty() ? venue.timeframes : venue.streamed_timeframes;
  for (const auto timeframe : timeframes) {
    if (std::ranges::find(streamed, timeframe) != streamed.end())
      add(ChannelKind::candles, timeframe);
  }
  add(has_channel(venue, ChannelKind::ticker) ? ChannelKind::ticker : ChannelKind::mini_ticker);
  add(ChannelKind::quotes);
  const bool has_book = venue.book_rule != BookRule::none;
  add(has_book ? ChannelKind::book : ChannelKind::ladder);
  add(ChannelKind::derivative);
  const bool builds_candles =
      venue.candle_stream == CandleStream::none && venue.trade_ids == TradeIds::consecutive;
  // Where nothing else tells a price, trades do.
  if (trades || builds_candles || !has_channel(venue, ChannelKind::candles)) {
    add(has_channel(venue, ChannelKind::trades) ? ChannelKind::trades
                                                : ChannelKind::aggregate_trades);
  }
  return channels;
}

std::unique_ptr<Catalogue> make_catalogue(const Venue& venue) {
  return std::make_unique<Catalogue>(std::string(venue.name), venue.market, venue.quote_assets,
                                     std::string(venue.symbol_separator), venue.read_pair);
}

}  // namespace candlewick::exchange
