// What the tests of venues share: a decoder with a catalogue of its own, and a whole recording's
// events.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exchange/registry.h"
#include "test/support/frames.h"
#include "test/support/shared_data.h"

namespace candlewick::exchange {

class VenueDecoding {
 public:
  // `stream_url`: that frames come on; empty: the venue's own. `replies`: what stands before the
  // targets that reply() is given.
  VenueDecoding(const Venue& venue, std::string stream_url, std::string replies)
      : catalogue(make_catalogue(venue)),
        decoder(venue.make_decoder(*catalogue)),
        stream_url_(stream_url.empty() ? std::string(venue.ws_url) : std::move(stream_url)),
        replies_(std::move(replies)) {}

  Result<Events> stream(std::string_view text) {
    return run({.text = text, .url = stream_url_, .received_time = {}});
  }
  Result<Events> reply(std::string_view text, std::string_view target, int status = 200) {
    const std::string url = replies_ + std::string(target);
    return run(
        {.text = text, .url = url, .received_time = {}, .is_reply = true, .http_status = status});
  }
  Result<Events> run(const Frame& frame) {
    Events events;
    auto decoded = decoder->decode(frame, events);
    if (!decoded) return fail(decoded.error());
    return events;
  }
  // Of a file beside the project; a frame that is refused fails the test.
  Events events_of(std::string_view recording) {
    Events all;
    for (const auto& frame : test::read_frames(test::shared_data() / recording)) {
      auto events = run({.text = frame.text,
                         .url = frame.url,
                         .received_time = frame.received_time,
                         .is_reply = frame.is_reply});
      EXPECT_TRUE(events) << frame.text.substr(0, 200);
      if (events) std::ranges::move(*events, std::back_inserter(all));
    }
    return all;
  }

  std::unique_ptr<Catalogue> catalogue;
  std::unique_ptr<Decoder> decoder;

 private:
  std::string stream_url_;
  std::string replies_;
};

template <class T>
std::vector<T> of_kind(const Events& events) {
  std::vector<T> found;
  for (const auto& event : events) {
    if (const auto* one = std::get_if<T>(&event)) found.push_back(*one);
  }
  return found;
}

}  // namespace candlewick::exchange
