// For the tests of this folder: a decoder with a catalogue of its own.
#pragma once

#include "exchange/bitget/bitget.h"
#include "exchange/testing.h"

namespace candlewick::exchange::bitget {

inline constexpr const char* recorded_v1 =
    "bitget/ws/v1-spot-ticker-trade-books-candle1m-2022-04-03.jsonl.gz";

struct Decoding : VenueDecoding {
  Decoding() : VenueDecoding(bitget, {}, std::string(bitget.rest_url) + "/api/v2/") {}
};

}  // namespace candlewick::exchange::bitget
