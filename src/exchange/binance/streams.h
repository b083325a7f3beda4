// What the markets that speak Binance's protocol share: names of streams, control messages, and
// words about refusals.
#pragma once

#include "exchange/venue.h"

namespace candlewick::exchange::binance {

// "btcusdt@kline_1m"
std::string stream_name(const Channel& channel);

// Combined framing, so that payloads without symbol or kind are told apart. Channels are subscribed
// by messages, also the one in the URL: a URL of a thousand streams is longer than front ends take.
std::string combined_url(std::string_view ws_url, std::span<const Channel> channels);
std::vector<std::string> subscribe(std::span<const Channel> channels, std::uint64_t first_id);
std::vector<std::string> unsubscribe(std::span<const Channel> channels, std::uint64_t first_id);

// `variable`: what the settings of other hosts begin with; `elsewhere`: which those may be.
std::string explain(int http_status, std::string_view variable, std::string_view elsewhere);

}  // namespace candlewick::exchange::binance
