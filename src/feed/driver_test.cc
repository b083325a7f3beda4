// Drivers against a server of ours on loopback that plays the venue.
#include "feed/driver.h"

#include <gtest/gtest.h>

#include <future>

#include "feed/testing.h"
#include "net/testing.h"

namespace candlewick::feed {
namespace {

using namespace std::chrono_literals;
using net::testing::Told;

// Tells the test's thread what comes out of the feed.
class TellingHandler final : public FeedHandler {
 public:
  void on_events(const Events& events) override {
    for (const auto& event : events) {
      if (const auto* trade = std::get_if<Trade>(&event)) trades.tell(trade->id);
    }
  }
  void on_reply(RequestId request, const Events& events) override {
    replies.tell({request, events.size()});
  }
  void on_request_refused(RequestId, const Error& error) override { refusals.tell(error.message); }
  void on_live(const std::vector<exchange::Channel>&) override { story.tell("live"); }
  void on_down(const std::vector<exchange::Channel>&, std::string_view) override {
    story.tell("down");
  }

  Told<std::uint64_t> trades;
  Told<std::pair<RequestId, std::size_t>> replies;
  Told<std::string> refusals;
  Told<std::string> story;
};

std::string trade(std::uint64_t id) {
  return fmt::format(
      R"({{"stream":"btcusdt@trade","data":{{"e":"trade","E":1714564800001,"s":"BTCUSDT","t":{},)"
      R"("p":"60000.1","q":"0.5","T":1714564800000,"m":true,"M":true}}}})",
      id);
}

class DriverTest : public net::testing::ServerTest {
 protected:
  DriverTest() {
    ours.start();
    handler.on_websocket = [this](const net::Request& request) {
      net::Upgrade upgrade;
      if (refuses_sockets) {
        upgrade.refusal = net::Response{.status = 503};
        ++refused_sockets;
        return upgrade;
      }
      upgrade.on_open = [this, target = request.target](std::shared_ptr<net::Peer> peer) {
        peer->listen(
            {.on_frame = [this](std::string_view text, bool) { said.tell(std::string(text)); }});
        opened.tell(target);
        peers.tell(std::move(peer));
      };
      return upgrade;
    };
    listen();
  }
  // The server first: its thread tells the members below.
  ~DriverTest() override {
    shut_down();
    server.reset();
    loop.call([] {});
  }

  void connect(std::size_t channels = 1) {
    ours.call([&] {
      http = std::make_unique<net::HttpClient>();
      driver = std::make_unique<Driver>(ours, *http, clock, "");
      feed =
          std::make_unique<VenueFeed>(venue, *catalogue,
                                      FeedOptions{.rest_url = url("http", ""),
                                                  .ws_url = url("ws", ""),
                                                  .reconnect_backoff = {.first = 10ms, .cap = 50ms},
                                                  .request_backoff = {.first = 10ms, .cap = 50ms}},
                                      *driver, told, observer);
      driver->attach(*feed);
      std::vector<exchange::Channel> all(
          channels, {.kind = exchange::ChannelKind::trades, .instrument = btc});
      feed->subscribe(all, driver->now());
      driver->rearm();
    });
  }
  void shut_down() {
    ours.call([this] {
      feed.reset();
      driver.reset();
      http.reset();
    });
  }
  RequestId ask() {
    RequestId request = 0;
    ours.call([&] {
      request = feed->ask({.kind = exchange::RestKind::trades, .instrument = btc}, Priority::live,
                          driver->now())
                    .value_or(0);
      driver->rearm();
    });
    return request;
  }
  void say(const std::shared_ptr<net::Peer>& peer, std::string text) {
    loop.post([peer, text = std::move(text)] { peer->send(text); });
  }

  const exchange::Venue& venue = *exchange::find_venue("binance");
  std::unique_ptr<Catalogue> catalogue = exchange::make_catalogue(venue);
  const Instrument* btc = catalogue->find_or_infer("BTCUSDT");
  RealClock clock;
  RecordingObserver observer;
  TellingHandler told;
  Told<std::string> said;
  Told<std::string> opened;
  Told<std::shared_ptr<net::Peer>> peers;
  std::atomic<bool> refuses_sockets{false};
  std::atomic<int> refused_sockets{0};
  net::Loop ours{"ingest"};
  std::unique_ptr<net::HttpClient> http;
  std::unique_ptr<Driver> driver;
  std::unique_ptr<VenueFeed> feed;
};

TEST_F(DriverTest, FramesArriveAndMessagesAreSentAtTheVenuesPace) {
  connect(201);
  const auto peer = peers.wait_for_one();
  EXPECT_EQ(opened.wait_for_one(), "/stream?streams=btcusdt@trade");
  // Two messages of a hundred channels, the second by the timer.
  EXPECT_EQ(said.wait_for(2).size(), 2U);
  say(peer, trade(1));
  say(peer, trade(2));
  EXPECT_EQ(told.trades.wait_for(2), (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(told.story.wait_for(1), std::vector<std::string>{"live"});
}

TEST_F(DriverTest, ComesBackAfterTheConnectionWasCut) {
  connect();
  auto all = peers.wait_for(1);
  ASSERT_EQ(all.size(), 1U);
  say(all[0], trade(1));
  told.trades.wait_for(1);
  loop.post([peer = all[0]] { peer->abort(); });
  all = peers.wait_for(2);
  ASSERT_EQ(all.size(), 2U);
  say(all[1], trade(2));
  EXPECT_EQ(told.trades.wait_for(2), (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(told.story.wait_for(3), (std::vector<std::string>{"live", "down", "live"}));
}

TEST_F(DriverTest, KeepsTryingWhileTheVenueRefuses) {
  refuses_sockets = true;
  connect();
  EXPECT_TRUE([&] {
    // Each attempt is told as a loss.
    for (int turn = 0; turn < 30'000 && refused_sockets < 3; ++turn) {
      std::promise<void> passed;
      const auto timer = loop.after(1ms, [&] { passed.set_value(); });
      passed.get_future().wait();
    }
    return refused_sockets >= 3;
  }());
  refuses_sockets = false;
  const auto peer = peers.wait_for_one();
  ASSERT_NE(peer, nullptr);
  say(peer, trade(1));
  EXPECT_EQ(told.trades.wait_for(1).size(), 1U);
  EXPECT_GE(observer.count("feed_disconnected"), 3U);
}

TEST_F(DriverTest, HandsOverWhenTheVenueAnnouncesItsEnd) {
  connect();
  auto all = peers.wait_for(1);
  ASSERT_EQ(all.size(), 1U);
  say(all[0], trade(1));
  say(all[0], R"({"e":"serverShutdown","E":1714564800000})");
  all = peers.wait_for(2);
  ASSERT_EQ(all.size(), 2U);
  say(all[0], trade(2));
  EXPECT_EQ(told.trades.wait_for(2), (std::vector<std::uint64_t>{1, 2}));
  say(all[1], trade(3));
  EXPECT_EQ(told.trades.wait_for(3).size(), 3U);
  EXPECT_TRUE(wait_for_connections(1));
  EXPECT_EQ(told.story.count(), 1U);
}

TEST_F(DriverTest, RepliesArriveWithWhatTheirHeadersSay) {
  handler.on_http = [](const net::Request&, const std::shared_ptr<net::Responder>& responder) {
    net::Response response;
    response.headers.add("X-MBX-USED-WEIGHT-1M", "1234");
    response.body =
        R"([{"id":5,"price":"1","qty":"2","quoteQty":"2","time":1714564800000,"isBuyerMaker":true,"isBestMatch":true}])";
    responder->send(std::move(response));
  };
  connect();
  const RequestId request = ask();
  const auto replies = told.replies.wait_for(1);
  ASSERT_EQ(replies.size(), 1U);
  EXPECT_EQ(replies.front().first, request);
  EXPECT_EQ(replies.front().second, 1U);
  ours.call([&] { EXPECT_EQ(feed->status(driver->now()).weight_used, 1234); });
}

TEST_F(DriverTest, RefusedRepliesAreAskedForAgainAfterTheTimeNamed) {
  std::atomic<int> count{0};
  handler.on_http = [&](const net::Request&, const std::shared_ptr<net::Responder>& responder) {
    switch (count++) {
      case 0: {
        net::Response response{.status = 429};
        response.headers.add("Retry-After", "1");
        return responder->send(std::move(response));
      }
      case 1:
        return responder->send({.status = 502});
      default:
        return responder->send(
            {.status = 400, .body = R"({"code":-1121,"msg":"Invalid symbol."})"});
    }
  };
  connect();
  const auto begin = clock.steady();
  ask();
  EXPECT_NE(told.refusals.wait_for_one().find("-1121"), std::string::npos);
  EXPECT_EQ(count, 3);
  EXPECT_GE(clock.steady() - begin, 1s);
  EXPECT_EQ(observer.count("feed_rate_limited"), 1U);
}

TEST_F(DriverTest, NothingIsCalledBackAfterItsEnd) {
  Told<std::shared_ptr<net::Responder>> unanswered;
  handler.on_http = [&](const net::Request&, const std::shared_ptr<net::Responder>& responder) {
    unanswered.tell(responder);
  };
  connect();
  const auto peer = peers.wait_for_one();
  say(peer, trade(1));
  told.trades.wait_for(1);
  ask();
  const auto responder = unanswered.wait_for_one();
  ours.call([this] {
    feed.reset();
    driver.reset();
  });
  // The client outlives the driver: the reply comes to nobody.
  say(peer, trade(2));
  loop.post([responder] { responder->send({.body = "[]"}); });
  for (int turn = 0; turn < 30'000 && http->waiting() > 0; ++turn) {
    std::promise<void> passed;
    const auto timer = loop.after(1ms, [&] { passed.set_value(); });
    passed.get_future().wait();
  }
  EXPECT_EQ(http->waiting(), 0U);
  ours.call([] {});
  EXPECT_EQ(told.replies.count(), 0U);
  EXPECT_EQ(told.trades.count(), 1U);
}

}  // namespace
}  // namespace candlewick::feed
