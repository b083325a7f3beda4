// The venues over real sockets on loopback.
#include "simulator/server.h"

#include "net/http_client.h"
#include "net/testing.h"
#include "net/websocket_client.h"
#include "simulator/testing.h"
#include "test/support/eventually.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

struct Running {
  explicit Running(std::string_view speed, std::string_view faults = "",
                   ServerOptions options = {}) {
    for (const std::string venue : {"binance", "binance-us"}) {
      cores.push_back(std::make_unique<VenueCore>(VenueSetup{
          .venue = venue, .market = small_market(1, venue), .start = start, .speed = "1"}));
      EXPECT_TRUE(cores.back()->change_faults(faults));
    }
    auto made = SimulatorServer::listen(loop, clock, *parse_speed(speed),
                                        {cores[0].get(), cores[1].get()}, "127.0.0.1", 0, options);
    EXPECT_TRUE(made) << (made ? "" : made.error().message);
    server = *std::move(made);
    loop.start();
  }
  ~Running() {
    server.reset();
    loop.stop();
    loop.join();
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  std::string url(std::string_view scheme, std::size_t venue, std::string_view target) const {
    return fmt::format("{}://127.0.0.1:{}{}", scheme, server->ports()[venue], target);
  }
  net::HttpResponse get(std::size_t venue, std::string_view target) const {
    net::HttpClient client;
    auto response = client.fetch({.url = url("http", venue, target)});
    EXPECT_TRUE(response) << (response ? "" : response.error().message);
    return response ? *response : net::HttpResponse{};
  }

  RealClock clock;
  net::Loop loop{"simulator"};
  std::vector<std::unique_ptr<VenueCore>> cores;
  std::unique_ptr<SimulatorServer> server;
};

// A client that tells its frames to the test.
struct Listener {
  Listener(net::Loop& loop, std::string url)
      : client(std::make_unique<net::WebSocketClient>(
            loop, net::WebSocketOptions{.url = std::move(url)},
            net::WebSocketEvents{
                .on_frame = [this](std::string_view text, bool) { frames.tell(std::string(text)); },
                .on_close = [this](const net::WebSocketClosed& how) { closed.tell(how); }})) {}

  net::testing::Told<std::string> frames;
  net::testing::Told<net::WebSocketClosed> closed;
  std::unique_ptr<net::WebSocketClient> client;
};

TEST(SimulatorServer, AnswersRequestsOnAPortForEachVenue) {
  const Running running("1");
  ASSERT_EQ(running.server->ports().size(), 2U);
  EXPECT_NE(running.server->ports()[0], running.server->ports()[1]);
  const auto info = running.get(0, "/api/v3/exchangeInfo?symbol=BTCUSDT");
  EXPECT_EQ(info.status, 200);
  EXPECT_EQ(info.headers.get("x-mbx-used-weight-1m"), "20");
  EXPECT_EQ(running.get(1, "/api/v3/exchangeInfo").headers.get("x-mbx-used-weight-1m"), "10");
  EXPECT_EQ(running.get(0, "/api/v3/klines?symbol=X&interval=1m").status, 400);
  EXPECT_EQ(Flat(running.get(1, "/_sim/state").body)["exchange"], "binance-us");
}

TEST(SimulatorServer, RunsAsFastAsItsClientsAtSpeedMax) {
  Running running("max");
  net::Loop loop("client");
  loop.start();
  {
    Listener listener(loop, running.url("ws", 0, "/ws/btcusdt@kline_1m"));
    std::vector<std::string> closed;
    for (std::size_t wanted = 500; closed.size() < 30 && wanted < 5000; wanted += 500) {
      closed.clear();
      for (const auto& text : listener.frames.wait_for(wanted)) {
        const Flat frame(text);
        if (frame["k.x"] == "true") closed.push_back(frame["k.t"] + " " + frame["k.c"]);
      }
    }
    ASSERT_GE(closed.size(), 30U);
    const auto truth = lines(
        running.get(0, "/_sim/truth?symbol=BTCUSDT&timeframe=1m&start=" + closed[0].substr(0, 13))
            .body);
    ASSERT_GE(truth.size(), closed.size());
    for (std::size_t i = 0; i < closed.size(); ++i) {
      EXPECT_EQ(*Decimal::parse(closed[i].substr(14)), Flat(truth[i]).decimal("close"));
    }
  }
  loop.stop();
  loop.join();
}

TEST(SimulatorServer, StandsStillWhileNobodyListensIfAskedTo) {
  Running running("100", "", {.pause_when_alone = true});
  const auto time = [&] { return Flat(running.get(0, "/_sim/state").body)["virtual_time"]; };
  const auto virtual_start = to_rfc3339(start);
  EXPECT_EQ(time(), virtual_start);
  net::Loop loop("client");
  loop.start();
  {
    // On the second venue: one clock for both.
    Listener listener(loop, running.url("ws", 1, "/ws/btcusdt@depth20@100ms"));
    listener.frames.wait_for(20);
  }
  // The client has gone, but the server may need a moment to see it.
  const auto stands_still = [&] {
    const auto seen = time();
    for (int i = 0; i < 20; ++i) {
      if (time() != seen) return false;
    }
    return true;
  };
  EXPECT_TRUE(test::eventually(stands_still));
  const auto paused = time();
  EXPECT_GT(paused, virtual_start);
  {
    Listener listener(loop, running.url("ws", 0, "/ws/btcusdt@depth20@100ms"));
    listener.frames.wait_for_one();
  }
  EXPECT_GT(time(), paused);
  loop.stop();
  loop.join();
}

TEST(SimulatorServer, TakesControlMessagesAndCutsConnections) {
  Running running("50");
  net::Loop loop("client");
  loop.start();
  {
    Listener listener(loop, running.url("ws", 0, "/stream?streams=btcusdt@trade"));
    EXPECT_NE(listener.frames.wait_for_one().find(R"({"stream":"btcusdt@trade")"),
              std::string::npos);
    loop.call(
        [&] { EXPECT_TRUE(listener.client->send(R"({"method":"LIST_SUBSCRIPTIONS","id":9})")); });
    std::size_t seen = 0;
    bool answered = false;
    while (!answered && seen < 200) {
      for (const auto& text : listener.frames.wait_for(seen + 1)) {
        answered = answered || text == R"({"result":["btcusdt@trade"],"id":9})";
      }
      ++seen;
    }
    EXPECT_TRUE(answered);
    net::HttpClient client;
    EXPECT_TRUE(client.fetch(
        {.method = "POST", .url = running.url("http", 0, "/_sim/connections"), .body = "cut"}));
    EXPECT_TRUE(listener.closed.wait_for_one().was_open);
  }
  loop.stop();
  loop.join();
}

TEST(SimulatorServer, RefusesConnectionsAsAVenueWould) {
  Running running("1", "refuse=1");
  net::Loop loop("client");
  loop.start();
  {
    Listener listener(loop, running.url("ws", 0, "/ws/btcusdt@trade"));
    const auto how = listener.closed.wait_for_one();
    EXPECT_FALSE(how.was_open);
    EXPECT_EQ(how.http_status, 503);
  }
  loop.stop();
  loop.join();
}

TEST(SimulatorServer, SaysWhenAPortIsTaken) {
  const Running running("1");
  net::Loop loop("other");
  const RealClock clock;
  VenueCore core({.venue = "binance", .market = small_market(), .start = start, .speed = "1"});
  const auto second = SimulatorServer::listen(loop, clock, *parse_speed("1"), {&core}, "127.0.0.1",
                                              running.server->ports()[0]);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::misconfigured);
}

}  // namespace
}  // namespace candlewick::simulator
