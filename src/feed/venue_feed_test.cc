// A feed of Binance between a port and a handler that only keep what they are told.
#include "feed/venue_feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "feed/testing.h"

namespace candlewick::feed {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::noon;
using ::testing::Not;
using ::testing::SizeIs;
using Lines = std::vector<std::string>;

std::string candle_frame(Time event_time, std::string_view close = "60000.5") {
  const auto open = open_of(Timeframe::m1, event_time);
  return fmt::format(
      R"({{"stream":"btcusdt@kline_1m","data":{{"e":"kline","E":{},"s":"BTCUSDT","k":{{"t":{},"T":{},)"
      R"("s":"BTCUSDT","i":"1m","f":100,"L":102,"o":"60000.1","c":"{}","h":"60001","l":"59999",)"
      R"("v":"1.5","n":3,"x":false,"q":"90000.75","V":"0.5","Q":"30000.25","B":"0"}}}}}})",
      to_ms(event_time), to_ms(open), to_ms(open + 1min) - 1, close);
}

std::string rest_candles(Time open, int count) {
  std::string text = "[";
  for (int i = 0; i < count; ++i, open += 1min) {
    if (i > 0) text += ',';
    text += fmt::format(R"([{},"1","2","0.5","1.5","10",{},"15",3,"5","7.5","0"])", to_ms(open),
                        to_ms(open + 1min) - 1);
  }
  return text + "]";
}

class TapOfLines final : public FrameTap {
 public:
  void on_frame(std::string_view, std::string_view text, Time, bool is_reply) override {
    lines.push_back(fmt::format("{} {}", is_reply ? "http" : "in", text));
  }
  void on_open(std::string_view url, Time) override {
    lines.push_back(fmt::format("open {}", url));
  }
  Lines lines;
};

class VenueFeedTest : public ::testing::Test {
 protected:
  explicit VenueFeedTest(double share = 0.5, std::size_t at_once = 4, Duration time_silence = {})
      : feed(venue, *catalogue,
             {.rest_url = "https://rest/",
              .ws_url = "wss://stream",
              .time_silence = time_silence,
              .budget_share = share,
              .requests_at_once = at_once,
              .seed = 3},
             port, handler, observer, &tap) {}

  Moment now() const { return {clock.steady(), clock.now()}; }
  void tick(Duration by) {
    clock.advance(by);
    feed.on_tick(now());
  }
  // Moves on to when the feed wants to be woken.
  Duration wake() {
    const auto at = feed.next_wake();
    EXPECT_TRUE(at) << "it will never wake";
    const auto waited = std::max<Duration>(at.value_or(clock.steady()) - clock.steady(), 0s);
    tick(waited);
    return waited;
  }
  std::vector<exchange::Channel> channels(std::size_t count = 1) {
    std::vector<exchange::Channel> all(count,
                                       {.kind = exchange::ChannelKind::candles, .instrument = btc});
    return all;
  }
  // Subscribes to one channel, up to the first frame of data.
  void go_live() {
    feed.subscribe(channels(), now());
    feed.on_open(port.newest, now());
    frame(candle_frame(clock.now()));
    port.take();
  }
  void frame(std::string_view text) { feed.on_frame(port.newest, text, false, now()); }
  std::optional<RequestId> ask(Priority priority, Time start = noon - 1h) {
    return feed.ask({.kind = exchange::RestKind::candles, .instrument = btc, .start = start},
                    priority, now());
  }
  void answer(RequestId request, int status, std::string_view body,
              std::optional<Duration> retry_after = {},
              std::optional<std::int64_t> used_weight = {}) {
    feed.on_reply(
        request,
        {.status = status, .body = body, .used_weight = used_weight, .retry_after = retry_after},
        now());
  }

  FakeClock clock{noon};
  const exchange::Venue& venue = *exchange::find_venue("binance");
  std::unique_ptr<Catalogue> catalogue = exchange::make_catalogue(venue);
  const Instrument* btc = catalogue->find_or_infer("BTCUSDT");
  testing::FakePort port;
  testing::FakeHandler handler;
  RecordingObserver observer;
  TapOfLines tap;
  VenueFeed feed;
};

TEST_F(VenueFeedTest, ConnectsAndHandsOutEvents) {
  feed.subscribe(channels(2), now());
  EXPECT_THAT(port.take(), ElementsAre("open 1 wss://stream/stream?streams=btcusdt@kline_1m"));
  EXPECT_FALSE(feed.status(now()).connected);
  feed.on_open(1, now());
  EXPECT_THAT(
      port.take(),
      ElementsAre(HasSubstr(R"(send 1 {"method":"SUBSCRIBE","params":["btcusdt@kline_1m")")));
  frame(R"({"result":null,"id":1})");
  EXPECT_THAT(handler.story, IsEmpty());
  frame(candle_frame(noon + 1s));
  EXPECT_THAT(handler.story, ElementsAre("live 2"));
  ASSERT_THAT(handler.events, SizeIs(1));
  const auto* candle = std::get_if<Candle>(&handler.events.front());
  ASSERT_NE(candle, nullptr);
  EXPECT_EQ(candle->open_time, noon);
  EXPECT_EQ(candle->origin.instrument, btc);
  EXPECT_EQ(candle->origin.received_time, noon);
}

TEST_F(VenueFeedTest, SplitsChannelsOverConnections) {
  feed.subscribe(channels(2049), now());
  EXPECT_THAT(port.take(), SizeIs(3));
  EXPECT_EQ(feed.status(now()).sessions, 3U);
  for (ConnectionId connection = 1; connection <= 3; ++connection) {
    feed.on_open(connection, now());
    EXPECT_EQ(feed.status(now()).connected, false);
    feed.on_frame(connection, candle_frame(noon), false, now());
  }
  EXPECT_TRUE(feed.status(now()).connected);
  EXPECT_EQ(feed.status(now()).live_sessions, 3U);
  EXPECT_THAT(handler.story, ElementsAre("live 1024", "live 1024", "live 1"));
  feed.on_closed(2, {.reason = "reset"}, now());
  EXPECT_FALSE(feed.status(now()).connected);
  EXPECT_EQ(handler.story.back(), "down 1024 reset");
}

TEST_F(VenueFeedTest, ChannelsAddedLaterFillTheConnectionsThatAreThere) {
  go_live();
  const exchange::Channel trades{.kind = exchange::ChannelKind::trades, .instrument = btc};
  feed.subscribe({trades}, now());
  EXPECT_THAT(port.take(), IsEmpty()) << "the venue's pace";
  tick(1s);
  EXPECT_THAT(port.take(), ElementsAre(HasSubstr(R"(SUBSCRIBE","params":["btcusdt@trade"])")));
  EXPECT_THAT(handler.story, ElementsAre("live 1", "live 1"));
  feed.subscribe(channels(1023), now());
  EXPECT_THAT(port.take(), ElementsAre(HasSubstr("open 2 ")));
  EXPECT_EQ(feed.status(now()).sessions, 2U);
  feed.on_closed(1, {.reason = "reset"}, now());
  EXPECT_EQ(handler.story.back(), "down 1024 reset");
}

TEST_F(VenueFeedTest, ChannelsThatAreLeftAreTakenOffAndAConnectionWithoutAnyIsClosed) {
  const exchange::Channel trades{.kind = exchange::ChannelKind::trades, .instrument = btc};
  feed.subscribe({channels().front(), trades}, now());
  feed.on_open(1, now());
  frame(candle_frame(clock.now()));
  port.take();
  tick(1s);
  feed.unsubscribe(std::span(&trades, 1), now());
  EXPECT_THAT(port.take(), ElementsAre(HasSubstr(R"(UNSUBSCRIBE","params":["btcusdt@trade"])")));
  feed.on_closed(1, {.reason = "reset"}, now());
  EXPECT_EQ(handler.story.back(), "down 1 reset");
  wake();
  port.take();
  feed.unsubscribe(channels(), now());
  EXPECT_THAT(port.take(), ElementsAre("close 2"));
  EXPECT_EQ(feed.status(now()).sessions, 0U);
  EXPECT_FALSE(feed.next_wake()) << "nothing is left to do";
  EXPECT_EQ(feed.status(now()).reconnects, 1U);
  feed.subscribe({trades}, now());
  EXPECT_THAT(port.take(), ElementsAre(HasSubstr("open 3 ")));
}

TEST_F(VenueFeedTest, ChangesDuringAPauseCountWhenItEnds) {
  go_live();
  const exchange::Channel trades{.kind = exchange::ChannelKind::trades, .instrument = btc};
  feed.pause("paused: full", now());
  port.take();
  feed.subscribe({trades}, now());
  feed.unsubscribe(channels(), now());
  EXPECT_THAT(port.take(), IsEmpty());
  feed.resume(now());
  EXPECT_THAT(port.take(), ElementsAre("open 2 wss://stream/stream?streams=btcusdt@trade"));
}

TEST_F(VenueFeedTest, ComesBackAfterALoss) {
  go_live();
  feed.on_closed(1, {.kind = ErrorKind::transient, .reason = "reset"}, now());
  EXPECT_THAT(handler.story, ElementsAre("live 1", "down 1 reset"));
  EXPECT_EQ(observer.count("feed_disconnected"), 1U);
  EXPECT_EQ(feed.status(now()).last_error, "reset");
  EXPECT_LE(wake(), 500ms);
  EXPECT_THAT(port.take(), ElementsAre(HasSubstr("open 2 ")));
  feed.on_open(2, now());
  frame(candle_frame(clock.now()));
  EXPECT_EQ(handler.story.back(), "live 1");
  EXPECT_EQ(feed.status(now()).reconnects, 1U);
  EXPECT_EQ(observer.count("feed_connected"), 2U);
}

TEST_F(VenueFeedTest, TellsOfSilence) {
  go_live();
  EXPECT_EQ(wake(), 30s);
  EXPECT_THAT(port.take(), ElementsAre("close 1"));
  EXPECT_THAT(handler.story, ElementsAre("live 1", HasSubstr("down 1 silence")));
  EXPECT_EQ(observer.count("feed_disconnected"), 1U);
}

TEST_F(VenueFeedTest, TellsOfAConnectionThatNeverBroughtAnything) {
  feed.subscribe(channels(), now());
  feed.on_open(1, now());
  wake();
  EXPECT_EQ(observer.count("feed_disconnected"), 1U);
  EXPECT_THAT(handler.story, IsEmpty());
}

TEST_F(VenueFeedTest, PingsKeepAConnectionAlive) {
  go_live();
  clock.advance(25s);
  feed.on_control(1, now());
  tick(10s);
  EXPECT_THAT(port.take(), IsEmpty());
}

class VenueFeedTimeTest : public VenueFeedTest {
 protected:
  VenueFeedTimeTest() : VenueFeedTest(0.5, 4, 10s) {}
};

TEST_F(VenueFeedTimeTest, TheVenueIsAskedForTheTimeWhenNoStreamTellsIt) {
  go_live();
  frame(candle_frame(noon + 1s));
  tick(10s);
  EXPECT_THAT(port.take(), IsEmpty()) << "a frame told it";
  tick(10s);
  EXPECT_THAT(port.take(), ElementsAre("get 1 https://rest/api/v3/time"));
  tick(10s);
  EXPECT_THAT(port.take(), Not(::testing::Contains(HasSubstr("get")))) << "one at a time";
  feed.on_reply(1, {.status = 200, .body = R"({"serverTime":1714564870000})"}, now());
  EXPECT_EQ(feed.venue_time(), time_from_ms(1714564870000));
}

TEST_F(VenueFeedTest, SaysWhatARefusedConnectionMeans) {
  feed.subscribe(channels(), now());
  feed.on_closed(1, {.kind = ErrorKind::transient, .reason = "refused", .http_status = 451}, now());
  EXPECT_THAT(feed.status(now()).last_error, HasSubstr("BINANCE_BASE_URL"));
  EXPECT_THAT(observer.lines().back(), HasSubstr("HTTP 451"));
}

TEST_F(VenueFeedTest, FramesThatAreCutBecomeRefusalsAndTheSessionGoesOn) {
  go_live();
  handler.events.clear();
  const std::string whole = candle_frame(noon + 2s);
  std::size_t refused = 0;
  for (std::size_t length = 1; length < whole.size(); length += 7) {
    frame(std::string_view(whole).substr(0, length));
    ++refused;
    ASSERT_THAT(handler.events, SizeIs(refused));
    const auto* refusal = std::get_if<Refusal>(&handler.events.back());
    ASSERT_NE(refusal, nullptr) << length;
    EXPECT_EQ(refusal->kind, "malformed");
    EXPECT_EQ(refusal->exchange, "binance");
    EXPECT_EQ(refusal->received_time, noon);
  }
  EXPECT_EQ(feed.status(now()).refused_frames, refused);
  EXPECT_EQ(observer.count("feed_frame_refused"), refused);
  frame(whole);
  EXPECT_TRUE(std::holds_alternative<Candle>(handler.events.back()));
  EXPECT_TRUE(feed.status(now()).connected);
  EXPECT_THAT(port.take(), IsEmpty());
}

TEST_F(VenueFeedTest, ARefusalIsNoSignOfLife) {
  feed.subscribe(channels(), now());
  feed.on_open(1, now());
  frame(R"({"error":{"code":2,"msg":"Invalid request: unknown stream"},"id":1})");
  EXPECT_FALSE(feed.status(now()).connected);
  ASSERT_THAT(handler.events, SizeIs(1));
  EXPECT_EQ(std::get<Refusal>(handler.events.front()).kind, "rejected");
}

TEST_F(VenueFeedTest, AnAnnouncedShutdownIsAnsweredByASecondConnection) {
  go_live();
  frame(fmt::format(R"({{"e":"serverShutdown","E":{}}})", to_ms(noon)));
  EXPECT_THAT(port.take(), ElementsAre(HasSubstr("open 2 ")));
  EXPECT_EQ(observer.count("feed_shutdown_announced"), 1U);
  feed.on_open(2, now());
  feed.on_frame(1, candle_frame(noon + 1s), false, now());
  feed.on_frame(2, candle_frame(noon + 2s), false, now());
  EXPECT_THAT(port.take(), ElementsAre(HasSubstr("send 2 "), "close 1"));
  // It was live all the time.
  EXPECT_THAT(handler.story, ElementsAre("live 1"));
  feed.on_closed(1, {.reason = "late"}, now());
  feed.on_frame(1, candle_frame(noon + 3s), false, now());
  EXPECT_TRUE(feed.status(now()).connected);
  EXPECT_EQ(
      std::ranges::count_if(
          handler.events, [](const Event& event) { return std::holds_alternative<Candle>(event); }),
      3);
}

TEST_F(VenueFeedTest, KnowsTheVenuesTimeAndIsNotMovedByOneAbsurdFrame) {
  go_live();
  frame(candle_frame(noon + 5s));
  EXPECT_EQ(feed.venue_time(), noon + 5s);
  frame(candle_frame(noon + 1000h));
  frame(candle_frame(noon + 1000h));
  EXPECT_EQ(feed.venue_time(), noon + 5s);
  const auto request = feed.ask({.kind = exchange::RestKind::server_time}, Priority::live, now());
  answer(*request, 200, fmt::format(R"({{"serverTime":{}}})", to_ms(noon + 1min)));
  EXPECT_EQ(feed.status(now()).venue_time, noon + 1min);
}

TEST_F(VenueFeedTest, ShowsTheTapEveryFrameAsItCame) {
  feed.subscribe(channels(), now());
  feed.on_open(1, now());
  const std::string whole = candle_frame(noon);
  frame(whole);
  frame("{\"cut");
  ask(Priority::live);
  answer(1, 503, "<html>");
  wake();
  answer(1, 200, "[]");
  EXPECT_THAT(tap.lines, ElementsAre("open wss://stream/stream?streams=btcusdt@kline_1m",
                                     "in " + whole, "in {\"cut", "http []"));
}

TEST_F(VenueFeedTest, AsksAndHandsOutTheReply) {
  const auto request = ask(Priority::live, noon - 2min);
  ASSERT_TRUE(request);
  EXPECT_THAT(port.take(),
              ElementsAre(fmt::format(
                  "get {} https://rest/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime={}"
                  "&limit=1000",
                  *request, to_ms(noon - 2min))));
  EXPECT_EQ(feed.status(now()).requests_waiting, 1U);
  EXPECT_EQ(feed.status(now()).weight_used, 2);
  answer(*request, 200, rest_candles(noon - 2min, 2));
  ASSERT_THAT(handler.replies, SizeIs(1));
  EXPECT_EQ(handler.replies.front().first, *request);
  EXPECT_THAT(handler.replies.front().second, SizeIs(2));
  EXPECT_EQ(feed.status(now()).requests_waiting, 0U);
}

TEST_F(VenueFeedTest, AReplyIsTakenOnce) {
  const auto request = ask(Priority::live);
  answer(*request, 200, "[]");
  answer(*request, 200, "[]");
  feed.on_request_error(*request, {.kind = ErrorKind::transient, .message = "late"}, now());
  answer(77, 200, "[]");
  EXPECT_THAT(handler.replies, SizeIs(1));
  EXPECT_EQ(observer.count("feed_request_failed"), 0U);
}

class OneAtATime : public VenueFeedTest {
 protected:
  OneAtATime() : VenueFeedTest(0.5, 1) {}
};

TEST_F(OneAtATime, LiveNeedsGoBeforeHistory) {
  const auto first = ask(Priority::history);
  const auto second = ask(Priority::history);
  const auto third = ask(Priority::live);
  const auto fourth = ask(Priority::live);
  std::vector<RequestId> order;
  for (int i = 0; i < 4; ++i) {
    const auto sent = port.take_requests();
    ASSERT_THAT(sent, SizeIs(1));
    order.push_back(sent.front());
    answer(sent.front(), 200, "[]");
  }
  EXPECT_THAT(order, ElementsAre(*first, *third, *fourth, *second));
}

TEST_F(VenueFeedTest, KeepsOnlySoManyRequestsUnderWay) {
  for (int i = 0; i < 9; ++i) ask(Priority::live);
  EXPECT_THAT(port.take_requests(), SizeIs(4));
  answer(1, 200, "[]");
  answer(2, 200, "[]");
  EXPECT_THAT(port.take_requests(), ElementsAre(5, 6));
}

class SmallBudget : public VenueFeedTest {
 protected:
  // 60 of 6000 a minute: 30 requests for candles, 27 of them for history.
  SmallBudget() : VenueFeedTest(0.01, 100) {}
};

TEST_F(SmallBudget, SpendsTheBudgetInOrderAndWaitsForTheNextMinute) {
  for (int i = 0; i < 40; ++i) ask(Priority::history);
  EXPECT_THAT(port.take_requests(), SizeIs(27));
  for (int i = 0; i < 4; ++i) ask(Priority::live);
  // The reserve is for these.
  EXPECT_THAT(port.take_requests(), ElementsAre(41, 42, 43));
  EXPECT_EQ(feed.status(now()).weight_used, 60);
  EXPECT_EQ(wake(), 60s);
  const auto sent = port.take_requests();
  ASSERT_THAT(sent, SizeIs(14));
  EXPECT_EQ(sent.front(), 44U);
  EXPECT_EQ(sent[1], 28U);
}

TEST_F(SmallBudget, BelievesTheVenuesOwnCount) {
  const auto request = ask(Priority::live);
  port.take_requests();
  answer(*request, 200, "[]", {}, 60);
  ask(Priority::live);
  EXPECT_THAT(port.take_requests(), IsEmpty());
  EXPECT_EQ(wake(), 60s);
  EXPECT_THAT(port.take_requests(), SizeIs(1));
}

TEST_F(VenueFeedTest, TakesTheBudgetThatTheVenueStates) {
  const auto request = feed.ask({.kind = exchange::RestKind::instruments}, Priority::live, now());
  answer(
      *request, 200,
      R"({"timezone":"UTC","serverTime":1714564800000,"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE",)"
      R"("intervalNum":1,"limit":1200},{"rateLimitType":"RAW_REQUESTS","interval":"MINUTE","intervalNum":5,"limit":61000}],)"
      R"("exchangeFilters":[],"symbols":[]})");
  ASSERT_THAT(handler.replies, SizeIs(1));
  EXPECT_EQ(feed.status(now()).weight_allowed, 600);
}

TEST_F(VenueFeedTest, TooManyRequestsBlocksEverythingUntilTheTimeNamed) {
  for (const int status : {429, 418}) {
    const auto first = ask(Priority::live);
    const auto second = ask(Priority::live);
    port.take_requests();
    answer(*first, status, R"({"code":-1003,"msg":"Too much request weight used."})", 40s);
    ask(Priority::live);
    ask(Priority::history);
    EXPECT_THAT(port.take_requests(), IsEmpty()) << status;
    answer(*second, 200, "[]");
    EXPECT_THAT(port.take_requests(), IsEmpty()) << status;
    tick(39s);
    EXPECT_THAT(port.take_requests(), IsEmpty()) << status;
    EXPECT_EQ(wake(), 1s);
    EXPECT_THAT(port.take_requests(), ElementsAre(*first, *first + 2, *first + 3)) << status;
    for (RequestId request = *first; request < *first + 4; ++request) answer(request, 200, "[]");
    EXPECT_EQ(feed.status(now()).requests_waiting, 0U);
    clock.advance(2min);
  }
  EXPECT_EQ(observer.count("feed_rate_limited"), 2U);
  EXPECT_THAT(handler.refused, IsEmpty());
}

TEST_F(VenueFeedTest, WithoutRetryAfterABanIsWaitedOutLonger) {
  ask(Priority::live);
  answer(1, 418, "");
  EXPECT_GE(wake(), 120s);
}

TEST_F(VenueFeedTest, ServerErrorsAndBrokenConnectionsAreTriedAgainLaterAndLater) {
  const auto request = ask(Priority::live);
  Duration waited{};
  for (int attempt = 0; attempt < 12; ++attempt) {
    EXPECT_THAT(port.take_requests(), ElementsAre(*request));
    if (attempt % 3 == 0) answer(*request, 503, "<html>busy</html>");
    if (attempt % 3 == 1) answer(*request, 408, "");
    if (attempt % 3 == 2)
      feed.on_request_error(*request, {.kind = ErrorKind::transient, .message = "reset"}, now());
    EXPECT_THAT(port.take_requests(), IsEmpty());
    waited = wake();
    EXPECT_LE(waited, 60s);
  }
  EXPECT_GE(waited, 30s);
  EXPECT_EQ(observer.count("feed_request_failed"), 12U);
  answer(*request, 200, "[]");
  EXPECT_THAT(handler.replies, SizeIs(1));
}

TEST_F(OneAtATime, ARequestThatKeepsFailingHoldsUpNoOther) {
  const auto bad = ask(Priority::live);
  std::map<RequestId, int> sent;
  std::vector<RequestId> answered;
  RequestId next = *bad;
  // A request a second is waiting beside it, for ten minutes.
  for (const auto end = clock.steady() + 10min; clock.steady() < end; clock.advance(1s)) {
    feed.on_tick(now());
    next = *ask(Priority::live);
    for (auto requests = port.take_requests(); !requests.empty(); requests = port.take_requests()) {
      ASSERT_THAT(requests, SizeIs(1));
      ++sent[requests.front()];
      if (requests.front() == *bad) {
        answer(*bad, 500, "<html>");
      } else {
        answered.push_back(requests.front());
        answer(requests.front(), 200, "[]");
      }
    }
  }
  EXPECT_GE(answered.size() + 1, next - *bad);
  // At 0.5 s to 32 s, then every half a minute to a minute.
  EXPECT_GE(sent[*bad], 10);
  EXPECT_LE(sent[*bad], 28);
  EXPECT_THAT(handler.refused, IsEmpty());
}

TEST_F(VenueFeedTest, AfterItsFirstFailureARequestKeepsItsPlaceLaterItDoesNot) {
  for (int i = 0; i < 4; ++i) ask(Priority::live);
  port.take_requests();
  ask(Priority::live);
  answer(1, 503, "");
  EXPECT_THAT(port.take_requests(), ElementsAre(5));
  for (const RequestId id : {2, 3, 4, 5}) answer(id, 200, "[]");
  wake();
  EXPECT_THAT(port.take_requests(), ElementsAre(1));
  for (int i = 0; i < 5; ++i) ask(Priority::live);
  EXPECT_THAT(port.take_requests(), ElementsAre(6, 7, 8));
  answer(1, 503, "");
  EXPECT_THAT(port.take_requests(), ElementsAre(9));
  clock.advance(1h);
  for (const RequestId id : {6, 7}) answer(id, 200, "[]");
  EXPECT_THAT(port.take_requests(), ElementsAre(10, 1));
}

TEST_F(VenueFeedTest, WhatABodySaysOfAFailureIsNotAskedOfMostVenues) {
  const auto request = ask(Priority::live);
  answer(*request, 500, R"({"code":-1121,"msg":"Invalid symbol."})");
  EXPECT_THAT(handler.refused, IsEmpty());
  EXPECT_EQ(feed.status(now()).requests_waiting, 1U);
}

TEST_F(VenueFeedTest, AServersRetryAfterIsHeeded) {
  ask(Priority::live);
  answer(1, 503, "", 90s);
  EXPECT_GE(wake(), 90s);
}

TEST_F(VenueFeedTest, AForbiddenAddressIsTriedAgainSlowlyAndExplained) {
  ask(Priority::live);
  answer(1, 451, "{}");
  EXPECT_THAT(feed.status(now()).last_error, HasSubstr("country"));
  EXPECT_GE(wake(), 30s);
  EXPECT_THAT(handler.refused, IsEmpty());
}

TEST_F(VenueFeedTest, AReplyThatWasCutIsAskedForAgain) {
  const std::string whole = rest_candles(noon - 2min, 2);
  const auto request = ask(Priority::live, noon - 2min);
  for (const std::size_t length :
       {std::size_t{0}, std::size_t{1}, whole.size() / 2, whole.size() - 1}) {
    port.take_requests();
    answer(*request, 200, whole.substr(0, length));
    EXPECT_THAT(handler.replies, IsEmpty()) << length;
    wake();
    EXPECT_THAT(port.take_requests(), ElementsAre(*request)) << length;
  }
  answer(*request, 200, whole);
  ASSERT_THAT(handler.replies, SizeIs(1));
  EXPECT_THAT(handler.replies.front().second, SizeIs(2));
  EXPECT_EQ(feed.status(now()).refused_frames, 4U);
}

TEST_F(VenueFeedTest, WhatTheVenueRefusesIsNotAskedAgain) {
  const auto request = ask(Priority::live);
  port.take_requests();
  answer(*request, 400, R"({"code":-1121,"msg":"Invalid symbol."})");
  ASSERT_THAT(handler.refused, SizeIs(1));
  EXPECT_EQ(handler.refused.front().first, *request);
  EXPECT_THAT(handler.refused.front().second, HasSubstr("-1121"));
  EXPECT_EQ(observer.count("feed_request_refused"), 1U);
  EXPECT_THAT(feed.status(now()).last_error, HasSubstr("symbol=BTCUSDT&interval=1m"));
  EXPECT_EQ(feed.next_wake(), std::nullopt);
  tick(1h);
  EXPECT_THAT(port.take_requests(), IsEmpty());
  EXPECT_THAT(handler.refused, SizeIs(1));
}

TEST_F(VenueFeedTest, APageInsteadOfAnAnswerIsARefusalToo) {
  const auto request = ask(Priority::live);
  answer(*request, 404, "<html>not here</html>");
  EXPECT_THAT(handler.refused, SizeIs(1));
}

TEST_F(VenueFeedTest, NothingHappensAfterStop) {
  go_live();
  ask(Priority::live);
  ask(Priority::live);
  port.take();
  port.take_requests();
  handler.events.clear();
  feed.stop();
  EXPECT_THAT(port.take(), ElementsAre("close 1"));
  answer(1, 200, "[]");
  answer(2, 429, "", 1s);
  feed.on_request_error(2, {}, now());
  frame(candle_frame(noon));
  feed.on_closed(1, {}, now());
  feed.subscribe(channels(), now());
  EXPECT_EQ(ask(Priority::live), std::nullopt);
  tick(1h);
  EXPECT_THAT(port.take(), IsEmpty());
  EXPECT_THAT(handler.replies, IsEmpty());
  EXPECT_THAT(handler.events, IsEmpty());
  EXPECT_EQ(feed.next_wake(), std::nullopt);
}

TEST_F(VenueFeedTest, CountsWhatItDoes) {
  go_live();
  clock.advance(2s);
  frame(candle_frame(noon + 2s, "1.0000000000000000001"));
  frame("not json");
  const FeedStatus status = feed.status(now());
  EXPECT_EQ(status.venue, "binance");
  EXPECT_EQ(status.frames, 3U);
  EXPECT_EQ(status.refused_frames, 1U);
  EXPECT_EQ(status.events, 2U);
  EXPECT_EQ(status.inexact_decimals, 1U);
  EXPECT_EQ(status.bytes, candle_frame(noon).size() +
                              candle_frame(noon + 2s, "1.0000000000000000001").size() +
                              std::string_view("not json").size());
  EXPECT_EQ(status.delays.counts()[0], 2U) << "they came as they were made";
  EXPECT_EQ(status.last_frame_time, noon + 2s);
  EXPECT_EQ(status.weight_allowed, 3000);
  // What a connection counted is kept when it ends.
  feed.on_closed(1, {.reason = "x"}, now());
  EXPECT_EQ(feed.status(now()).inexact_decimals, 1U);
}

// A venue that is asked where to connect, numbers its frames and wants its pings answered.
class Peculiar final : public exchange::Decoder {
 public:
  explicit Peculiar(Catalogue& catalogue) : catalogue_(catalogue) {}
  Result<void> decode(const exchange::Frame& frame, Events& out) override {
    answer_ = frame.text == "ping" ? "pong" : "";
    if (frame.text == "hole") out.emplace_back(ConnectionGap{"peculiar", "3", "5", {}});
    if (frame.text == "book") {
      BookUpdate book;
      book.origin.instrument = catalogue_.find_or_infer("BTCUSDT");
      out.emplace_back(std::move(book));
    }
    return {};
  }
  std::string take_answer() override { return std::exchange(answer_, {}); }
  std::uint64_t inexact_decimals() const override { return 0; }

 private:
  Catalogue& catalogue_;
  std::string answer_;
};

exchange::RestRequest where_to() {
  return {.target = "/token", .weight = 1, .method = "POST", .body = {}};
}
Result<std::string> told_where(std::string_view reply, std::string_view ws_url,
                               std::span<const exchange::Channel>) {
  if (reply.empty()) return fail(ErrorKind::malformed, "no token");
  return fmt::format("{}/?token={}", ws_url, reply);
}
Duration told_how_often(std::string_view reply) {
  return reply == "quick" ? Duration{2s} : Duration{0};
}
constexpr exchange::Handshake handshake{
    .request = where_to, .stream_url = told_where, .heartbeat = told_how_often};

class PeculiarVenueTest : public ::testing::Test {
 protected:
  static exchange::Venue facts() {
    exchange::Venue made = *exchange::find_venue("binance");
    made.handshake = &handshake;
    made.heartbeat = {.interval = 10s, .text = [](std::uint64_t) { return std::string("beat"); }};
    made.make_decoder = [](Catalogue& catalogue) -> std::unique_ptr<exchange::Decoder> {
      return std::make_unique<Peculiar>(catalogue);
    };
    return made;
  }
  Moment now() const { return {clock.steady(), clock.now()}; }
  void shake(std::string_view reply = "abc") {
    feed.subscribe({{.kind = exchange::ChannelKind::book, .instrument = btc}}, now());
    feed.on_reply(port.take_requests().front(),
                  {.status = 200, .body = reply, .used_weight = {}, .retry_after = {}}, now());
    feed.on_open(port.newest, now());
    port.take();
  }
  void expect_a_beat_after(Duration wait) {
    clock.advance(wait - 1ms);
    feed.on_tick(now());
    EXPECT_THAT(port.take(), Not(Contains(HasSubstr("beat"))));
    clock.advance(1ms);
    feed.on_tick(now());
    EXPECT_THAT(port.take(), Contains(HasSubstr("beat")));
  }

  FakeClock clock{noon};
  exchange::Venue venue = facts();
  std::unique_ptr<Catalogue> catalogue = exchange::make_catalogue(venue);
  const Instrument* btc = catalogue->find_or_infer("BTCUSDT");
  testing::FakePort port;
  testing::FakeHandler handler;
  NullObserver observer;
  VenueFeed feed{venue,
                 *catalogue,
                 {.rest_url = "https://rest/", .ws_url = "wss://stream", .time_silence = {}},
                 port,
                 handler,
                 observer};
};

TEST_F(PeculiarVenueTest, AsksWhereToConnectBeforeEachConnection) {
  feed.subscribe({{.kind = exchange::ChannelKind::book, .instrument = btc}}, now());
  EXPECT_THAT(port.take(), ElementsAre("POST 1 https://rest/token"));
  feed.on_reply(1, {.status = 200, .body = "abc", .used_weight = {}, .retry_after = {}}, now());
  EXPECT_THAT(port.take(), ElementsAre("open 1 wss://stream/?token=abc"));
}

TEST_F(PeculiarVenueTest, SpeaksAsOftenAsTheHandshakeSays) {
  shake("quick");
  expect_a_beat_after(2s);
}

TEST_F(PeculiarVenueTest, SpeaksAsOftenAsTheFactsSayWhenTheHandshakeDoesNot) {
  shake();
  expect_a_beat_after(10s);
}

TEST_F(PeculiarVenueTest, AFailedHandshakeIsAFailedConnection) {
  feed.subscribe({{.kind = exchange::ChannelKind::book, .instrument = btc}}, now());
  const auto fail_with = [&](int status, std::string_view body) {
    const auto request = port.take_requests().front();
    feed.on_reply(request, {.status = status, .body = body, .used_weight = {}, .retry_after = {}},
                  now());
    const auto wake = feed.next_wake();
    ASSERT_TRUE(wake);
    clock.advance(*wake - clock.steady());
    feed.on_tick(now());
  };
  fail_with(503, "");
  fail_with(200, "");
  EXPECT_THAT(feed.status(now()).last_error, HasSubstr("no token"));
  const auto request = port.take_requests().front();
  feed.on_request_error(request, {.kind = ErrorKind::transient, .message = "refused"}, now());
  EXPECT_THAT(feed.status(now()).last_error, HasSubstr("handshake: refused"));
  EXPECT_EQ(feed.status(now()).reconnects, 3U);
}

TEST_F(PeculiarVenueTest, AnswersInTheVenuesWordsAndSaysWhereABookCameFrom) {
  shake();
  feed.on_frame(1, "ping", false, now());
  EXPECT_THAT(port.take(), ElementsAre("send 1 pong"));
  feed.on_frame(1, "book", false, now());
  ASSERT_THAT(handler.events, SizeIs(1));
  EXPECT_EQ(std::get<BookUpdate>(handler.events[0]).connection, 1U);
}

TEST_F(PeculiarVenueTest, AHoleInTheConnectionsNumbersEndsIt) {
  shake();
  feed.on_frame(1, "book", false, now());
  feed.on_frame(1, "hole", false, now());
  EXPECT_THAT(port.take(), ElementsAre("close 1"));
  EXPECT_THAT(handler.story.back(), HasSubstr("down 1 the venue's frame 3 is missing, 5 came"));
  EXPECT_FALSE(feed.status(now()).connected);
}

// Bitfinex refuses with HTTP 500.
class FailuresThatAreExplained : public ::testing::Test {
 protected:
  Moment now() const { return {clock.steady(), clock.now()}; }
  void answer(RequestId request, int status, std::string_view body) {
    feed.on_reply(request, {.status = status, .body = body, .used_weight = {}, .retry_after = {}},
                  now());
  }

  FakeClock clock{noon};
  const exchange::Venue& venue = *exchange::find_venue("bitfinex");
  std::unique_ptr<Catalogue> catalogue = exchange::make_catalogue(venue);
  testing::FakePort port;
  testing::FakeHandler handler;
  NullObserver observer;
  VenueFeed feed{venue,
                 *catalogue,
                 {.rest_url = "https://rest/", .ws_url = "wss://stream", .time_silence = {}},
                 port,
                 handler,
                 observer};
};

TEST_F(FailuresThatAreExplained, EndARequestThatTheVenueRefuses) {
  const auto* nope = catalogue->find_or_infer("tNOPEXX");
  const auto id =
      feed.ask({.kind = exchange::RestKind::ticker, .instrument = nope}, Priority::live, now());
  ASSERT_TRUE(id);
  answer(*id, 500, R"(["error",10020,"symbol: invalid"])");
  ASSERT_THAT(handler.refused, SizeIs(1));
  EXPECT_EQ(handler.refused.front().first, *id);
  EXPECT_THAT(handler.refused.front().second, HasSubstr("symbol: invalid"));
  EXPECT_EQ(feed.status(now()).requests_waiting, 0U);
  EXPECT_EQ(feed.next_wake(), std::nullopt);
}

TEST_F(FailuresThatAreExplained, AreAskedAgainWhereTheyPass) {
  const auto* bitcoin = catalogue->find_or_infer("tBTCUSD");
  for (const auto* body :
       {R"(["error",10001,"unknown error"])", R"(["error",20060,"maintenance"])",
        R"(["error",10020,"symbol)", "<html>", "", "[]", "[1,1,1,1,1,1,1,1,1,1]"}) {
    const auto id = feed.ask({.kind = exchange::RestKind::ticker, .instrument = bitcoin},
                             Priority::live, now());
    ASSERT_TRUE(id);
    answer(*id, 503, body);
    EXPECT_THAT(handler.refused, IsEmpty()) << body;
    EXPECT_THAT(handler.replies, IsEmpty()) << body;
    clock.advance(2min);
    feed.on_tick(now());
    EXPECT_THAT(port.take_requests(), Contains(*id)) << body;
    answer(*id, 200, "[1,1,1,1,1,1,1,1,1,1]");
    EXPECT_THAT(std::exchange(handler.replies, {}), SizeIs(1)) << body;
  }
}

// A venue with candles at a path of their own, whose replies may say to come again.
class Hesitant final : public exchange::Decoder {
 public:
  Result<void> decode(const exchange::Frame& frame, Events& out) override {
    if (frame.text == "busy") return fail(ErrorKind::transient, "come again");
    if (frame.text == "12:00") out.emplace_back(ClockReading{"hesitant", noon, {}});
    return {};
  }
  std::uint64_t inexact_decimals() const override { return 0; }
};

class TwoLinesTest : public ::testing::Test {
 protected:
  static exchange::Venue facts() {
    exchange::Venue made = *exchange::find_venue("binance");
    made.line_of = [](const exchange::Channel& channel) {
      return channel.kind == exchange::ChannelKind::candles ? 1 : 0;
    };
    made.stream_url = [](std::string_view ws_url, std::span<const exchange::Channel> channels) {
      const bool has_candles = channels.front().kind == exchange::ChannelKind::candles;
      return fmt::format("{}/{} {}", ws_url, has_candles ? "candles" : "rest", channels.size());
    };
    made.limits.channels_per_connection = 3;
    made.make_decoder = [](Catalogue&) -> std::unique_ptr<exchange::Decoder> {
      return std::make_unique<Hesitant>();
    };
    return made;
  }
  Moment now() const { return {clock.steady(), clock.now()}; }

  FakeClock clock{noon};
  exchange::Venue venue = facts();
  std::unique_ptr<Catalogue> catalogue = exchange::make_catalogue(venue);
  const Instrument* btc = catalogue->find_or_infer("BTCUSDT");
  testing::FakePort port;
  testing::FakeHandler handler;
  NullObserver observer;
  VenueFeed feed{venue,
                 *catalogue,
                 {.rest_url = "https://rest/", .ws_url = "wss://stream", .time_silence = {}},
                 port,
                 handler,
                 observer};
};

TEST_F(TwoLinesTest, ChannelsOfDifferentLinesGetDifferentConnections) {
  using enum exchange::ChannelKind;
  std::vector<exchange::Channel> channels;
  for (const auto kind : {candles, trades, book, candles, ticker, quotes})
    channels.push_back({.kind = kind, .instrument = btc});
  feed.subscribe(std::move(channels), now());
  EXPECT_THAT(port.take(), ElementsAre("open 1 wss://stream/rest 3", "open 2 wss://stream/rest 1",
                                       "open 3 wss://stream/candles 2"));
}

TEST_F(TwoLinesTest, ARequestKnowsTheVenuesTimeOnceItWasTold) {
  venue.request = [](const exchange::RestQuery& query) -> Result<exchange::RestRequest> {
    return exchange::RestRequest{query.now ? "/at" + std::to_string(to_ms(*query.now)) : "/never"};
  };
  feed.ask({.kind = exchange::RestKind::candles}, Priority::live, now());
  EXPECT_THAT(port.take(), ElementsAre("get 1 https://rest/never"));
  feed.on_reply(1, {.status = 200, .body = "12:00", .used_weight = {}, .retry_after = {}}, now());
  feed.ask({.kind = exchange::RestKind::candles}, Priority::live, now());
  EXPECT_THAT(port.take(), ElementsAre("get 2 https://rest/at1714564800000"));
}

TEST_F(TwoLinesTest, AReplyThatSaysToComeAgainIsAskedForAgain) {
  const auto id = feed.ask({.kind = exchange::RestKind::server_time}, Priority::live, now());
  ASSERT_TRUE(id);
  feed.on_reply(*id, {.status = 200, .body = "busy", .used_weight = {}, .retry_after = {}}, now());
  EXPECT_THAT(handler.refused, IsEmpty());
  port.take();
  const auto wake = feed.next_wake();
  ASSERT_TRUE(wake);
  clock.advance(*wake - clock.steady());
  feed.on_tick(now());
  EXPECT_THAT(port.take(), ElementsAre(HasSubstr("https://rest/api/v3/time")));
  feed.on_reply(*id, {.status = 200, .body = "{}", .used_weight = {}, .retry_after = {}}, now());
  EXPECT_THAT(handler.replies, SizeIs(1));
}

}  // namespace
}  // namespace candlewick::feed
