// What every venue owes the rest of the system, checked on its own fixtures: `frames.jsonl` holds
// one frame a line in the form of recordings, `events.jsonl` what they decode to. A new venue gets
// all of this by adding a folder `fixtures/`; no test code.
#include <cstdlib>
#include <fstream>
#include <set>

#include <gtest/gtest.h>

#include "exchange/registry.h"
#include "market/event_json.h"
#include "test/support/frames.h"

namespace candlewick::exchange {
namespace {

// Another market, or another house of the same, has a folder in the first one's: binance/fixtures/
// swap and us.
std::filesystem::path fixtures_of(const Venue& venue) {
  const auto dash = venue.name.find('-');
  auto fixtures = std::filesystem::path("src/exchange") / venue.name.substr(0, dash) / "fixtures";
  if (dash != std::string_view::npos) fixtures /= venue.name.substr(dash + 1);
  return venue.market == Market::spot ? fixtures : fixtures / to_text(venue.market);
}

class Contract : public testing::TestWithParam<const Venue*> {
 protected:
  const Venue& venue = *GetParam();
  std::unique_ptr<Catalogue> catalogue = make_catalogue(venue);
  std::unique_ptr<Decoder> decoder = venue.make_decoder(*catalogue);

  // A venue that is another's code with other facts is tested on that one's frames.
  std::vector<test::RecordedFrame> frames() const {
    const auto folder = fixtures_of(venue);
    const bool has_own = std::filesystem::exists(folder / "frames.jsonl");
    return test::read_frames((has_own ? folder : folder.parent_path()) / "frames.jsonl");
  }
  Result<void> decode(const test::RecordedFrame& frame, std::string_view text, Events& out) {
    return decoder->decode({.text = text,
                            .url = frame.url,
                            .received_time = frame.received_time,
                            .is_reply = frame.is_reply},
                           out);
  }
};

TEST_P(Contract, HasFixtures) {
  EXPECT_GT(frames().size(), 10U);
}

TEST_P(Contract, DecodesItsFixturesToTheCommittedEvents) {
  const auto file = fixtures_of(venue) / "events.jsonl";
  std::string lines;
  for (const auto& frame : frames()) {
    Events events;
    const auto decoded = decode(frame, frame.text, events);
    if (!decoded) lines += "refused: " + decoded.error().message + "\n";
    for (const auto& event : events) lines += to_json(event) + "\n";
  }
  if (std::getenv("CANDLEWICK_UPDATE_FIXTURES") != nullptr) std::ofstream(file) << lines;
  std::ifstream stored(file);
  ASSERT_TRUE(stored) << file << " is missing";
  const std::string expected((std::istreambuf_iterator<char>(stored)),
                             std::istreambuf_iterator<char>());
  EXPECT_EQ(lines, expected) << "if right, run with CANDLEWICK_UPDATE_FIXTURES=1";
}

// Of a candle by REST the clock decides, of one by the stream its flag where the venue has one.
TEST_P(Contract, TellsWhichCandlesAreClosedAsItsFactsSay) {
  std::size_t by_rest = 0;
  std::size_t closed = 0;
  std::size_t forming = 0;
  for (const auto& frame : frames()) {
    Events events;
    if (!decode(frame, frame.text, events)) continue;
    for (const auto& event : events) {
      const auto* candle = std::get_if<Candle>(&event);
      if (candle == nullptr) continue;
      EXPECT_EQ(candle->closed_is_known, !frame.is_reply) << frame.text;
      EXPECT_EQ(candle->source, frame.is_reply ? Source::rest : Source::ws);
      ++(frame.is_reply ? by_rest : candle->is_closed ? closed : forming);
    }
  }
  EXPECT_GT(by_rest, 0U);
  EXPECT_EQ(closed > 0, venue.candle_stream == CandleStream::flagged);
  // Streams that nobody subscribes to may be decoded as well.
  EXPECT_TRUE(forming > 0 || venue.candle_stream == CandleStream::none);
}

// A frame cut short is refused whole: no crash, no half-filled event.
TEST_P(Contract, RefusesFramesCutAnywhere) {
  for (const auto& frame : frames()) {
    for (std::size_t length = 0; length < frame.text.size(); ++length) {
      Events events;
      const auto decoded = decode(frame, std::string_view(frame.text).substr(0, length), events);
      ASSERT_FALSE(decoded) << venue.name << " accepted " << frame.text.substr(0, length);
      EXPECT_EQ(decoded.error().kind, ErrorKind::malformed);
      EXPECT_TRUE(events.empty());
    }
  }
}

// One byte changed to anything never crashes, and what is refused leaves nothing behind.
TEST_P(Contract, SurvivesAnyChangedByte) {
  for (const auto& frame : frames()) {
    std::string text = frame.text;
    for (std::size_t at = 0; at < text.size(); ++at) {
      for (const char replacement : {'\0', '"', '{', ']', '9', '-', '\xff'}) {
        const char original = std::exchange(text[at], replacement);
        Events events;
        const auto decoded = decode(frame, text, events);
        if (!decoded) {
          EXPECT_TRUE(events.empty());
        }
        text[at] = original;
      }
    }
  }
}

TEST_P(Contract, StatesItsFacts) {
  EXPECT_TRUE(venue.rest_url.starts_with("https://"));
  EXPECT_TRUE(venue.ws_url.starts_with("wss://"));
  EXPECT_FALSE(venue.timeframes.empty());
  EXPECT_GT(venue.limits.channels_per_connection, 0U);
  EXPECT_GT(venue.limits.weight_per_minute, 0);
  EXPECT_GT(venue.limits.max_candles, 0);
  EXPECT_GT(venue.silence_limit, Duration{0});
  std::set<std::string_view> quotes(venue.quote_assets.begin(), venue.quote_assets.end());
  EXPECT_EQ(quotes.size(), venue.quote_assets.size()) << "a quote asset is named twice";
}

INSTANTIATE_TEST_SUITE_P(Venues, Contract,
                         testing::ValuesIn(all_venues().begin(), all_venues().end()),
                         [](const auto& test) {
                           std::string name(test.param->name);
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name + "_" + std::string(to_text(test.param->market));
                         });

TEST(Registry, IsSortedAndWithoutTwins) {
  const auto venues = all_venues();
  for (std::size_t i = 1; i < venues.size(); ++i) {
    EXPECT_LT(std::pair(venues[i - 1]->name, venues[i - 1]->market),
              std::pair(venues[i]->name, venues[i]->market));
  }
}

}  // namespace
}  // namespace candlewick::exchange
