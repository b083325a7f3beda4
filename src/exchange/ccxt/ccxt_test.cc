// A venue that describes itself, and the frames of one that does not exist. What the contract asks
// of venues in the registry is asked here of this one.
#include "exchange/ccxt/ccxt.h"

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include "exchange/registry.h"
#include "market/event_json.h"
#include "test/support/frames.h"

namespace candlewick::exchange::ccxt {
namespace {

using namespace std::chrono_literals;

constexpr const char* fixtures = "src/exchange/ccxt/fixtures";

std::string ready(std::string_view facts = {}) {
  std::string text =
      R"({"ready":{"name":"acme","version":"4.5.58","has_candles":true,"has_time":true,)"
      R"("timeframes":["1m","10m","1h"],"max_candles":500,"requests_per_minute":66,)"
      R"("channels":{"candles":"stream","ticker":"poll","ladder":"stream","trades":null})";
  text += facts;
  return text + "}}";
}

std::unique_ptr<BridgedVenue> acme(std::string_view facts = {}) {
  auto made = make_venue("ccxt:acme", ready(facts));
  EXPECT_TRUE(made);
  return made ? std::move(*made) : nullptr;
}

TEST(CcxtVenue, IsWhatTheSidecarSays) {
  const auto bridged = acme();
  const Venue& venue = bridged->venue();
  EXPECT_EQ(venue.name, "ccxt:acme");
  EXPECT_EQ(venue.ccxt_id, "acme");
  EXPECT_EQ(std::vector<Timeframe>(venue.timeframes.begin(), venue.timeframes.end()),
            (std::vector<Timeframe>{Timeframe::m1, Timeframe::h1}))
      << "ten minutes are no timeframe of ours";
  EXPECT_EQ(venue.limits.max_candles, 500);
  EXPECT_EQ(venue.limits.weight_per_minute, 66);
  EXPECT_EQ(venue.candle_stream, CandleStream::forming);
  EXPECT_EQ(venue.quiet_periods, QuietPeriods::omitted);
  EXPECT_EQ(venue.book_rule, BookRule::none);
  EXPECT_TRUE(has_channel(venue, ChannelKind::ladder));
  EXPECT_FALSE(has_channel(venue, ChannelKind::trades));
}

TEST(CcxtVenue, WithoutAStreamHasItsMinutesByRest) {
  auto line = ready();
  const std::string_view stream = R"("candles":"stream")";
  line.replace(line.find(stream), stream.size(), R"("candles":null)");
  const auto made = make_venue("ccxt:acme", line);
  ASSERT_TRUE(made);
  EXPECT_EQ((*made)->venue().candle_stream, CandleStream::none);
  EXPECT_FALSE(has_channel((*made)->venue(), ChannelKind::candles));
}

TEST(CcxtVenue, ThatCannotBeFollowedIsRefused) {
  struct Case {
    std::string line;
    ErrorKind kind;
  };
  const std::vector<Case> cases{{ready(R"(,"has_candles":false)"), ErrorKind::misconfigured},
                                {R"({"ready":{"name":"acme","has_candles":true,"max_candles":5,)"
                                 R"("requests_per_minute":6,"timeframes":["5m"],"channels":{}}})",
                                 ErrorKind::misconfigured},
                                {ready(R"(,"max_candles":0)"), ErrorKind::malformed},
                                {R"({"heartbeat":1})", ErrorKind::malformed},
                                {ready().substr(0, 80), ErrorKind::malformed}};
  for (const auto& [line, kind] : cases) {
    const auto made = make_venue("ccxt:acme", line);
    ASSERT_FALSE(made) << line;
    EXPECT_EQ(made.error().kind, kind) << made.error().message;
  }
}

TEST(CcxtVenue, IsNamedAsCcxtNamesItUnlessItIsBuiltIn) {
  EXPECT_TRUE(is_bridged("ccxt:mexc"));
  EXPECT_FALSE(is_bridged("binance"));
  EXPECT_EQ(exchange_of("ccxt:mexc").value(), "mexc");
  for (const auto* name : {"ccxt:", "ccxt:MEXC", "ccxt:me xc", "ccxt:../x", "ccxt:--describe"})
    EXPECT_FALSE(exchange_of(name)) << name;
  const auto native = exchange_of("ccxt:binanceus");
  ASSERT_FALSE(native);
  EXPECT_EQ(native.error().message, "exchanges: ccxt:binanceus is built in: write \"binance-us\"");
  const auto swaps = exchange_of("ccxt:binanceusdm");
  ASSERT_FALSE(swaps);
  EXPECT_EQ(swaps.error().message,
            "exchanges: ccxt:binanceusdm is built in: write \"binance-usdm\"");
}

class CcxtLines : public testing::Test {
 protected:
  std::unique_ptr<BridgedVenue> bridged = acme();
  const Venue& venue = bridged->venue();
  std::unique_ptr<Catalogue> catalogue = make_catalogue(venue);
  const Instrument& bitcoin = *catalogue->find_or_infer("BTC/USDT");
};

TEST_F(CcxtLines, SubscribeToManyChannelsInOneMessage) {
  const std::vector<Channel> two{{.kind = ChannelKind::candles, .instrument = &bitcoin},
                                 {.kind = ChannelKind::ticker, .instrument = &bitcoin}};
  EXPECT_EQ(
      venue.subscribe(two, 1),
      (std::vector<std::string>{
          R"({"subscribe":[{"channel":"candles","symbol":"BTC/USDT","timeframe":"1m"},{"channel":"ticker","symbol":"BTC/USDT"}]})"}));
  const std::vector<Channel> many(120, two.back());
  EXPECT_EQ(venue.subscribe(many, 1).size(), 3U);
  EXPECT_NE(venue.line_of(two[0]), venue.line_of(two[1])) << "one's end is not the other's";
}

TEST_F(CcxtLines, AskByNameOfTheCall) {
  struct Case {
    RestQuery query;
    std::string target;
  };
  const std::vector<Case> cases{
      {{.kind = RestKind::server_time}, "/time"},
      {{.kind = RestKind::instruments}, "/markets"},
      {{.kind = RestKind::candles, .instrument = &bitcoin, .start = time_from_ms(1000), .limit = 7},
       "/candles?symbol=BTC%2FUSDT&timeframe=1m&since=1000&limit=7"},
      {{.kind = RestKind::depth, .instrument = &bitcoin}, "/depth?symbol=BTC%2FUSDT"},
      {{.kind = RestKind::ticker, .instrument = &bitcoin}, "/ticker?symbol=BTC%2FUSDT"},
      {{.kind = RestKind::trades, .instrument = &bitcoin}, "/trades?symbol=BTC%2FUSDT"}};
  for (const auto& [query, target] : cases) EXPECT_EQ(venue.request(query)->target, target);
  EXPECT_FALSE(venue.request({.kind = RestKind::derivative}));
}

class CcxtDecoding : public CcxtLines {
 protected:
  std::unique_ptr<Decoder> decoder = make_decoder(*catalogue);
  Result<void> decode(const test::RecordedFrame& frame, std::string_view text, Events& out) {
    return decoder->decode({.text = text,
                            .url = frame.url,
                            .received_time = frame.received_time,
                            .is_reply = frame.is_reply},
                           out);
  }
};

TEST_F(CcxtDecoding, GivesTheCommittedEvents) {
  const std::string file = std::string(fixtures) + "/events.jsonl";
  std::string lines;
  for (const auto& frame : test::read_frames(std::string(fixtures) + "/frames.jsonl")) {
    Events events;
    const auto decoded = decode(frame, frame.text, events);
    if (!decoded) lines += "refused: " + decoded.error().message + "\n";
    for (const auto& event : events) lines += to_json(event) + "\n";
  }
  if (std::getenv("CANDLEWICK_UPDATE_FIXTURES") != nullptr) std::ofstream(file) << lines;
  std::ifstream stored(file);
  const std::string expected((std::istreambuf_iterator<char>(stored)),
                             std::istreambuf_iterator<char>());
  EXPECT_EQ(lines, expected) << "if right, run with CANDLEWICK_UPDATE_FIXTURES=1";
}

TEST_F(CcxtDecoding, RefusesLinesCutAnywhereAndSurvivesAnyChangedByte) {
  for (const auto& frame : test::read_frames(std::string(fixtures) + "/frames.jsonl")) {
    for (std::size_t length = 0; length < frame.text.size(); ++length) {
      Events events;
      ASSERT_FALSE(decode(frame, std::string_view(frame.text).substr(0, length), events));
      EXPECT_TRUE(events.empty());
    }
    std::string text = frame.text;
    for (std::size_t at = 0; at < text.size(); ++at) {
      for (const char replacement : {'\0', '"', '{', ']', '9', '-', '\xff'}) {
        const char original = std::exchange(text[at], replacement);
        Events events;
        if (!decode(frame, text, events)) {
          EXPECT_TRUE(events.empty());
        }
        text[at] = original;
      }
    }
  }
}

// Both begin later than was asked: a full one was cut by the venue, one with room had nothing to
// tell.
TEST_F(CcxtDecoding, SaysWhatAFullAnswerDoesNotReach) {
  const auto gap_of = [&](std::string_view text) {
    Events events;
    EXPECT_TRUE(decoder->decode(
        {.text = text,
         .url = "ccxt://acme/candles?symbol=BTC%2FUSDT&timeframe=1m&since=1763726250001",
         .received_time = {},
         .is_reply = true},
        events));
    const auto* gap = std::get_if<Gap>(&events.back());
    return gap == nullptr ? std::string{} : gap->expected + " " + gap->got;
  };
  EXPECT_EQ(gap_of(R"({"limit":1,"id":1,"result":[[1763726400000,"1","1","1","1","1"]]})"),
            "2025-11-21T11:58:00Z 2025-11-21T12:00:00Z");
  EXPECT_EQ(gap_of(R"({"limit":2,"id":1,"result":[[1763726400000,"1","1","1","1","1"]]})"), "");
  EXPECT_EQ(gap_of(R"({"limit":1,"id":1,"result":[[1763726280000,"1","1","1","1","1"]]})"), "");
}

TEST_F(CcxtDecoding, ListsNothingOfAListThatIsWrongSomewhere) {
  const auto before = catalogue->size();
  Events events;
  EXPECT_FALSE(decoder->decode(
      {.text =
           R"({"id":1,"result":[{"symbol":"A/B","base":"A","quote":"B"},{"symbol":"wrong","base":"A","quote":"B"}]})",
       .url = "ccxt://acme/markets",
       .received_time = {},
       .is_reply = true},
      events));
  EXPECT_TRUE(events.empty());
  EXPECT_EQ(catalogue->size(), before);
}

}  // namespace
}  // namespace candlewick::exchange::ccxt
