// Frames and replies of every venue: the first byte picks the venue and whether it is a reply, and
// for replies which endpoint was asked. What is refused must leave nothing behind.
#include <array>
#include <cstdlib>

#include "exchange/registry.h"
#include "market/event_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace candlewick;
  static constexpr std::array<std::string_view, 12> endpoints{
      "/api/v3/klines?symbol=BTCUSDT&interval=1m",
      "/api/v3/depth?symbol=BTCUSDT",
      "/api/v3/trades?symbol=BTCUSDT",
      "/api/v3/aggTrades?symbol=BTCUSDT",
      "/api/v3/ticker/24hr",
      "/api/v3/ticker/price",
      "/api/v3/ticker/bookTicker",
      "/api/v3/exchangeInfo",
      "/api/v3/time",
      "/api/v3/avgPrice?symbol=BTCUSDT",
      "/api/v3/ping",
      "/api/v3/historicalTrades?symbol=BTCUSDT"};
  if (size == 0) return 0;
  const auto venues = exchange::all_venues();
  const auto& venue = *venues[data[0] % venues.size()];
  const bool is_reply = (data[0] & 0x80U) != 0;
  const auto catalogue = exchange::make_catalogue(venue);
  const auto decoder = venue.make_decoder(*catalogue);
  Events events;
  const auto decoded =
      decoder->decode({.text = {reinterpret_cast<const char*>(data) + 1, size - 1},
                       .url = is_reply ? endpoints[(data[0] >> 2U) % endpoints.size()]
                                       : "wss://h/ws/btcusdt@depth5",
                       .received_time = Time{},
                       .is_reply = is_reply},
                      events);
  if (!decoded && !events.empty()) std::abort();
  for (const auto& event : events) static_cast<void>(to_json(event));
  return 0;
}
