// For the tests of this folder: a decoder with a catalogue of its own.
#pragma once

#include "exchange/bitget/bitget.h"
#include "exchange/registry.h"
#include "test/support/frames.h"
#include "test/support/shared_data.h"

namespace candlewick::exchange::bitget {

inline constexpr const char* recorded_v1 =
    "bitget/ws/v1-spot-ticker-trade-books-candle1m-2022-04-03.jsonl.gz";

struct Decoding {
  std::unique_ptr<Catalogue> catalogue = make_catalogue(bitget);
  std::unique_ptr<Decoder> decoder = bitget.make_decoder(*catalogue);

  Result<Events> stream(std::string_view text) {
    return run({.text = text, .url = bitget.ws_url, .received_time = {}});
  }
  Result<Events> reply(std::string_view text, std::string_view path, int status = 200) {
    const std::string url = std::string(bitget.rest_url) + "/api/v2/" + std::string(path);
    return run(
        {.text = text, .url = url, .received_time = {}, .is_reply = true, .http_status = status});
  }
  Result<Events> run(const Frame& frame) {
    Events events;
    auto decoded = decoder->decode(frame, events);
    if (!decoded) return fail(decoded.error());
    return events;
  }
};

}  // namespace candlewick::exchange::bitget
