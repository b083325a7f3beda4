// Our WebSocket client and server against each other: frames, limits, ends, TLS.
#include "net/websocket_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/testing.h"
#include "net/testing_certificate.h"

namespace candlewick::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Certificate;
using ::testing::HasSubstr;
using testing::RawClient;
using testing::ServerTest;
using testing::Told;

class WebSockets : public ServerTest {
 protected:
  ~WebSockets() override {
    client.reset();
    server.reset();
  }

  // Every message comes back as it went.
  void echo() {
    handler.on_websocket = [this](const Request&) {
      Upgrade upgrade;
      upgrade.on_open = [this](const std::shared_ptr<Peer>& peer) {
        peer->listen({.on_frame = [peer](std::string_view payload,
                                         bool binary) { peer->send(std::string(payload), binary); },
                      .on_close = [this](const PeerClosed& why) { peer_closed.tell(why); }});
        peers.tell(peer);
      };
      return upgrade;
    };
  }

  WebSocketEvents tell_all() {
    return {.on_open = [this] { opened.tell(1); },
            .on_frame = [this](std::string_view payload,
                               bool binary) { frames.tell({std::string(payload), binary}); },
            .on_control =
                [this](ControlFrame kind, std::string_view payload) {
                  controls.tell({kind, std::string(payload)});
                },
            .on_close = [this](const WebSocketClosed& why) { closed.tell(why); }};
  }

  void connect(WebSocketOptions options = {}) {
    if (options.url.empty()) {
      options.url = url("ws", "/stream");
    }
    client = std::make_unique<WebSocketClient>(loop, std::move(options), tell_all());
  }
  void connect_and_wait(WebSocketOptions options = {}) {
    connect(std::move(options));
    ASSERT_EQ(opened.wait_for_one(), 1);
  }
  bool send(std::string message, bool binary = false) {
    bool sent = false;
    loop.call([&] { sent = client->send(std::move(message), binary); });
    return sent;
  }

  Told<int> opened;
  Told<std::pair<std::string, bool>> frames;
  Told<std::pair<ControlFrame, std::string>> controls;
  Told<WebSocketClosed> closed;
  Told<std::shared_ptr<Peer>> peers;
  Told<PeerClosed> peer_closed;
  std::unique_ptr<WebSocketClient> client;
};

TEST_F(WebSockets, EchoTextAndBinaryInOrder) {
  echo();
  listen();
  connect_and_wait();
  for (int i = 0; i < 2000; ++i) {
    ASSERT_TRUE(send(std::to_string(i), i % 2 == 1));
  }
  const auto got = frames.wait_for(2000);
  ASSERT_EQ(got.size(), 2000U);
  for (int i = 0; i < 2000; ++i) {
    EXPECT_EQ(got[static_cast<std::size_t>(i)], std::make_pair(std::to_string(i), i % 2 == 1));
  }
  EXPECT_EQ(client->queued_bytes(), 0U);
}

TEST_F(WebSockets, CarryLargeAndEmptyMessages) {
  echo();
  listen({.max_queued_bytes = 16U << 20U, .max_message_bytes = 16U << 20U});
  connect_and_wait({.max_queued_bytes = 16U << 20U});
  std::string large(5'000'000, 'x');
  large[4'000'000] = 'y';
  ASSERT_TRUE(send(large));
  ASSERT_TRUE(send(""));
  const auto got = frames.wait_for(2);
  ASSERT_EQ(got.size(), 2U);
  EXPECT_TRUE(got[0].first == large);
  EXPECT_EQ(got[1].first, "");
}

TEST_F(WebSockets, CompressWhenBothWant) {
  std::string extensions;
  echo();
  const auto accept = handler.on_websocket;
  handler.on_websocket = [&](const Request& request) {
    extensions = request.headers.get("Sec-WebSocket-Extensions");
    return accept(request);
  };
  listen({.websocket_deflate = true});
  connect_and_wait({.offer_deflate = true});
  EXPECT_THAT(extensions, HasSubstr("permessage-deflate"));
  const std::string text(100'000, 'z');
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(send(text));
  }
  const auto got = frames.wait_for(3);
  ASSERT_EQ(got.size(), 3U);
  EXPECT_TRUE(got[2].first == text);
}

TEST_F(WebSockets, AnswerPingsWithTheSamePayloadAndTellOfThem) {
  echo();
  Told<std::string> pongs;
  handler.on_websocket = [&](const Request&) {
    Upgrade upgrade;
    upgrade.on_open = [&](const std::shared_ptr<Peer>& peer) {
      peer->listen(
          {.on_pong = [&](std::string_view payload) { pongs.tell(std::string(payload)); }});
      EXPECT_TRUE(peer->ping("from the server"));
      peers.tell(peer);
    };
    return upgrade;
  };
  listen();
  connect_and_wait();
  EXPECT_EQ(pongs.wait_for_one(), "from the server");
  loop.call([&] { EXPECT_TRUE(client->ping("from the client")); });
  const auto got = controls.wait_for(2);
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0], std::make_pair(ControlFrame::ping, std::string("from the server")));
  EXPECT_EQ(got[1], std::make_pair(ControlFrame::pong, std::string("from the client")));
}

TEST_F(WebSockets, SendTheirHeadersAndAgreeOnASubprotocol) {
  Told<std::string> told;
  handler.on_websocket = [&](const Request& request) {
    told.tell(std::string(request.headers.get("User-Agent")));
    told.tell(std::string(request.headers.get("X-Key")));
    told.tell(request.path);
    Upgrade upgrade;
    EXPECT_TRUE(request.headers.has_token("Sec-WebSocket-Protocol", "second"));
    upgrade.subprotocol = "second";
    return upgrade;
  };
  listen();
  connect_and_wait(
      {.headers = {
           {"User-Agent", "test/1"}, {"X-Key", "k"}, {"Sec-WebSocket-Protocol", "first, second"}}});
  EXPECT_EQ(told.wait_for(3), (std::vector<std::string>{"test/1", "k", "/stream"}));
  RawClient raw(server->port());
  raw.write(
      "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Protocol: first, second\r\n\r\n");
  const std::string answer = raw.read_until("\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Sec-WebSocket-Protocol: second\r\n"));
  EXPECT_THAT(answer, HasSubstr("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
}

TEST_F(WebSockets, CloseWithCodeAndReasonFromTheClient) {
  Told<std::string> received;
  handler.on_websocket = [&](const Request&) {
    Upgrade upgrade;
    upgrade.on_open = [&](const std::shared_ptr<Peer>& peer) {
      peer->listen(
          {.on_frame = [&](std::string_view text, bool) { received.tell(std::string(text)); },
           .on_close = [&](const PeerClosed& why) { peer_closed.tell(why); }});
    };
    return upgrade;
  };
  listen();
  connect_and_wait();
  loop.call([&] {
    EXPECT_TRUE(client->send("last"));
    client->close(4001, "enough");
    EXPECT_FALSE(client->send("too late"));
    EXPECT_FALSE(client->is_open());
  });
  const PeerClosed why = peer_closed.wait_for_one();
  EXPECT_EQ(why.close_code, 4001);
  EXPECT_EQ(why.reason, "enough");
  EXPECT_TRUE(closed.wait_for_one().was_open);
  EXPECT_EQ(received.wait_for_one(), "last") << "what was queued goes first";
  EXPECT_TRUE(wait_for_connections(0));
  EXPECT_EQ(closed.count(), 1U);
  EXPECT_EQ(peer_closed.count(), 1U);
}

TEST_F(WebSockets, CloseWithCodeAndReasonFromTheServer) {
  echo();
  listen();
  connect_and_wait();
  const std::shared_ptr<Peer> peer = peers.wait_for_one();
  loop.call([&] {
    EXPECT_TRUE(peer->send("last"));
    peer->close(1001, "restart");
    EXPECT_FALSE(peer->send("too late"));
  });
  const WebSocketClosed why = closed.wait_for_one();
  EXPECT_EQ(why.close_code, 1001);
  EXPECT_EQ(why.close_reason, "restart");
  EXPECT_EQ(why.error.kind, ErrorKind::transient);
  EXPECT_EQ(frames.wait_for_one().first, "last");
  peer_closed.wait_for_one();
  loop.call([&] {
    EXPECT_FALSE(peer->send("nobody there"));
    peer->close(1000, "");
    peer->abort();
    EXPECT_EQ(peer->buffered_bytes(), 0U);
  });
}

TEST_F(WebSockets, ToldOnceOfAnAbort) {
  echo();
  listen();
  connect_and_wait();
  const std::shared_ptr<Peer> peer = peers.wait_for_one();
  loop.call([&] {
    peer->abort();
    peer->abort();
    EXPECT_EQ(peer_closed.count(), 0U) << "not from inside the call";
  });
  EXPECT_EQ(peer_closed.wait_for_one().close_code, 0);
  const WebSocketClosed why = closed.wait_for_one();
  EXPECT_EQ(why.error.kind, ErrorKind::transient);
  EXPECT_TRUE(why.was_open);
  EXPECT_TRUE(wait_for_connections(0));
  loop.call([] {});
  EXPECT_EQ(closed.count(), 1U);
  EXPECT_EQ(peer_closed.count(), 1U);
}

TEST_F(WebSockets, GiveUpOnAnAnswerToTheirCloseFrame) {
  listen({.websocket_close_timeout = milliseconds{50}});
  // A client that shakes hands and then says nothing more.
  handler.on_websocket = [this](const Request&) {
    Upgrade upgrade;
    upgrade.on_open = [this](const std::shared_ptr<Peer>& peer) {
      peer->listen({.on_close = [this](const PeerClosed& why) { peer_closed.tell(why); }});
      peer->close(1000, "");
    };
    return upgrade;
  };
  RawClient raw(server->port());
  raw.write(
      "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
  raw.read_to_end();
  EXPECT_THAT(peer_closed.wait_for_one().reason, HasSubstr("did not answer"));
}

TEST_F(WebSockets, DropClientsFromWhichNothingComes) {
  handler.on_websocket = [this](const Request&) {
    Upgrade upgrade;
    upgrade.on_open = [this](const std::shared_ptr<Peer>& peer) {
      peer->listen({.on_close = [this](const PeerClosed& why) { peer_closed.tell(why); }});
    };
    return upgrade;
  };
  listen({.websocket_idle_timeout = milliseconds{200}});
  RawClient raw(server->port());
  raw.write(
      "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
  raw.read_until("\r\n\r\n");
  EXPECT_EQ(raw.read_to_end(), std::string("\x89\x00", 2)) << "one ping, then the end";
  EXPECT_THAT(peer_closed.wait_for_one().reason, HasSubstr("nothing came"));
}

TEST_F(WebSockets, KeepQuietClientsThatAnswerPings) {
  echo();
  listen({.websocket_idle_timeout = milliseconds{200}});
  connect_and_wait();
  // Four pings need twice the time after which a silent client would have been dropped.
  EXPECT_EQ(controls.wait_for(4).size(), 4U);
  EXPECT_EQ(closed.count(), 0U);
}

TEST_F(WebSockets, BoundTheirQueues) {
  handler.on_websocket = [](const Request&) { return Upgrade{}; };
  listen();
  connect_and_wait({.max_queued_bytes = 100'000});
  loop.call([&] {
    EXPECT_TRUE(client->send(std::string(60'000, 'x')));
    EXPECT_FALSE(client->send(std::string(60'000, 'x'))) << "over the bound";
    EXPECT_TRUE(client->send(std::string(30'000, 'x')));
    EXPECT_GT(client->queued_bytes(), 80'000U);
  });
}

TEST_F(WebSockets, TellAServerThatAClientIsTooSlow) {
  Told<std::size_t> sent;
  handler.on_websocket = [&](const Request&) {
    Upgrade upgrade;
    upgrade.on_open = [&](const std::shared_ptr<Peer>& peer) {
      peer->listen({.on_close = [this](const PeerClosed& why) { peer_closed.tell(why); }});
      const auto message = std::make_shared<const std::string>(100'000, 'x');
      std::size_t count = 0;
      while (peer->send(message)) {
        ++count;
      }
      EXPECT_LE(peer->buffered_bytes(), 1'000'000U);
      peer->abort();
      sent.tell(count);
    };
    return upgrade;
  };
  listen({.max_queued_bytes = 1'000'000});
  connect();
  const std::size_t count = sent.wait_for_one();
  EXPECT_GE(count, 9U);
  EXPECT_LT(count, 1000U);
  closed.wait_for_one();
}

TEST_F(WebSockets, SayWhenEverythingIsWritten) {
  handler.on_websocket = [](const Request&) { return Upgrade{}; };
  listen();
  Told<std::size_t> drained;
  WebSocketEvents events = tell_all();
  events.on_drain = [&] { drained.tell(client->queued_bytes()); };
  events.on_open = [&] {
    client->send("a");
    client->send("b");
  };
  loop.call([&] {
    client = std::make_unique<WebSocketClient>(loop, WebSocketOptions{.url = url("ws")},
                                               std::move(events));
  });
  EXPECT_EQ(drained.wait_for_one(), 0U);
}

TEST_F(WebSockets, EndTheConnectionAtMessagesTooLarge) {
  echo();
  listen({.max_message_bytes = 1000});
  connect_and_wait({.max_message_bytes = 500});
  ASSERT_TRUE(send(std::string(600, 'x')));
  WebSocketClosed why = closed.wait_for_one();
  EXPECT_EQ(why.error.kind, ErrorKind::malformed);
  EXPECT_THAT(why.error.message, HasSubstr("500 bytes"));
  connect({});
  ASSERT_EQ(opened.wait_for(2).size(), 2U);
  ASSERT_TRUE(send(std::string(2000, 'x')));
  why = closed.wait_for(2).back();
  EXPECT_EQ(why.close_code, 1009);
}

TEST_F(WebSockets, EndTheConnectionAtWhatIsNotTheProtocol) {
  echo();
  listen();
  RawClient raw(server->port());
  raw.write(
      "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
  raw.read_until("\r\n\r\n");
  raw.write(std::string("\x81\x02hi", 4));  // a client must mask
  raw.read_to_end();
  EXPECT_THAT(peer_closed.wait_for_one().reason, HasSubstr("not WebSocket"));
}

TEST_F(WebSockets, TakeFramesThatCameWithTheHandshake) {
  echo();
  listen();
  RawClient raw(server->port());
  raw.write(
      "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n" +
      std::string("\x81\x82\x00\x00\x00\x00hi", 8));
  raw.read_until("\r\n\r\n");
  EXPECT_EQ(raw.read_exactly(4), std::string("\x81\x02hi", 4));
}

TEST_F(WebSockets, RefusedWithTheStatusOfTheAnswer) {
  for (const int status : {403, 429, 451}) {
    handler.on_websocket = [status](const Request&) {
      Upgrade upgrade;
      upgrade.refusal = Response{.status = status, .headers = {{"Retry-After", "7"}}};
      return upgrade;
    };
    if (!server) {
      listen();
    }
    const std::size_t before = closed.count();
    connect();
    const auto all = closed.wait_for(before + 1);
    ASSERT_EQ(all.size(), before + 1);
    EXPECT_EQ(all.back().http_status, status);
    EXPECT_EQ(all.back().retry_after, "7");
    EXPECT_FALSE(all.back().was_open);
    EXPECT_THAT(all.back().error.message, HasSubstr(std::to_string(status)));
  }
  EXPECT_EQ(opened.count(), 0U);
}

TEST_F(WebSockets, RefusedWhereThereIsNone) {
  listen();
  connect();
  EXPECT_EQ(closed.wait_for_one().http_status, 404);
  RawClient raw(server->port());
  raw.write(
      "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n");
  EXPECT_THAT(raw.read_until("\r\n\r\n"), HasSubstr("426 Upgrade Required"));
}

TEST_F(WebSockets, SayInWordsWhyTheyCouldNotConnect) {
  listen();
  const std::string gone = url("ws");
  server.reset();
  connect({.url = gone});
  WebSocketClosed why = closed.wait_for_one();
  EXPECT_EQ(why.error.kind, ErrorKind::transient);
  EXPECT_THAT(why.error.message, HasSubstr("connection refused"));
  EXPECT_THAT(why.error.message, HasSubstr(gone));

  connect({.url = "wss://name.invalid/"});
  why = closed.wait_for(2).back();
  EXPECT_EQ(why.error.kind, ErrorKind::transient);
  EXPECT_THAT(why.error.message, HasSubstr("name.invalid"));

  for (const char* bad : {"ws://example.com/", "https://example.com/", "nonsense"}) {
    const std::size_t before = closed.count();
    connect({.url = bad});
    why = closed.wait_for(before + 1).back();
    EXPECT_EQ(why.error.kind, ErrorKind::misconfigured) << bad;
  }
}

TEST_F(WebSockets, GiveUpOnAServerThatDoesNotShakeHands) {
  Told<std::shared_ptr<Responder>> kept;
  handler.on_http = [&](const Request&, std::shared_ptr<Responder> responder) {
    kept.tell(std::move(responder));
  };
  // A server that listens without its loop running accepts, but never answers.
  Loop still("still");
  auto silent = Server::listen(still, {}, handler);
  ASSERT_TRUE(silent);
  connect({.url = fmt::format("ws://127.0.0.1:{}/", (*silent)->port()),
           .handshake_deadline = milliseconds{50}});
  const WebSocketClosed why = closed.wait_for_one();
  EXPECT_EQ(why.error.kind, ErrorKind::transient);
  EXPECT_THAT(why.error.message, HasSubstr("too long"));
}

TEST_F(WebSockets, MayBeDestroyedInsideTheirCallbacks) {
  echo();
  listen();
  for (const std::string_view where : {"open", "frame", "control", "close"}) {
    Told<int> done;
    const std::size_t closed_before = closed.count();
    WebSocketEvents events = tell_all();
    const auto destroy = [&, this] {
      client.reset();
      done.tell(1);
    };
    events.on_open = [&, this, where] {
      if (where == "open") {
        destroy();
        return;
      }
      client->send("x");
      client->ping();
      if (where == "close") {
        client->close();
      }
    };
    if (where == "frame") {
      events.on_frame = [&](std::string_view, bool) { destroy(); };
    } else if (where == "control") {
      events.on_control = [&](ControlFrame, std::string_view) { destroy(); };
    } else if (where == "close") {
      events.on_close = [&](const WebSocketClosed&) { destroy(); };
    }
    loop.call([&] {
      client = std::make_unique<WebSocketClient>(loop, WebSocketOptions{.url = url("ws")},
                                                 std::move(events));
    });
    EXPECT_EQ(done.wait_for_one(), 1) << where;
    EXPECT_TRUE(wait_for_connections(0)) << where;
    EXPECT_EQ(closed.count(), closed_before) << where;
  }
}

TEST_F(WebSockets, SayNothingAfterTheyAreDestroyed) {
  echo();
  listen();
  for (int i = 0; i < 50; ++i) {
    connect();
    if (i % 2 == 0) {
      opened.wait_for(static_cast<std::size_t>(i / 2 + 1));
    }
    client.reset();
  }
  EXPECT_TRUE(wait_for_connections(0));
  EXPECT_EQ(closed.count(), 0U);
}

TEST_F(WebSockets, ClosedBeforeTheyWereOpenAreToldOnce) {
  echo();
  listen();
  loop.call([&] {
    connect();
    client->close();
  });
  EXPECT_FALSE(closed.wait_for_one().was_open);
  EXPECT_TRUE(wait_for_connections(0));
  EXPECT_EQ(opened.count(), 0U);
  EXPECT_EQ(closed.count(), 1U);
}

TEST_F(WebSockets, AreToldOfADrainingServer) {
  echo();
  listen();
  connect_and_wait();
  server->drain();
  EXPECT_EQ(closed.wait_for_one().close_code, 1001);
  EXPECT_TRUE(wait_for_connections(0));
}

TEST_F(WebSockets, EndWhenTheServerIsDestroyed) {
  echo();
  listen();
  connect_and_wait();
  const std::shared_ptr<Peer> peer = peers.wait_for_one();
  server.reset();
  EXPECT_TRUE(closed.wait_for_one().was_open);
  loop.call([&] { EXPECT_FALSE(peer->send("x")); });
  EXPECT_EQ(peer_closed.count(), 0U);
}

TEST_F(WebSockets, CloseAPeerWhoseHandlerThrows) {
  handler.on_websocket = [](const Request&) {
    Upgrade upgrade;
    upgrade.on_open = [](const std::shared_ptr<Peer>& peer) {
      peer->listen(
          {.on_frame = [](std::string_view, bool) { throw std::runtime_error("broken"); }});
    };
    return upgrade;
  };
  listen();
  connect_and_wait();
  ASSERT_TRUE(send("x"));
  EXPECT_EQ(closed.wait_for_one().close_code, 1011);
}

TEST_F(WebSockets, TrustOnlyCertificatesOfKnownAuthoritiesForTheRightHost) {
  const Certificate good("IP:127.0.0.1,DNS:localhost");
  const Certificate other_host("DNS:other.example");
  echo();
  listen({.certificate_file = good.certificate_file(), .key_file = good.key_file()});
  connect({.url = url("wss")});
  WebSocketClosed why = closed.wait_for_one();
  EXPECT_EQ(why.error.kind, ErrorKind::misconfigured);
  EXPECT_THAT(why.error.message, HasSubstr("self-signed certificate"));

  connect({.url = url("wss"), .ca_file = good.certificate_file()});
  ASSERT_EQ(opened.wait_for_one(), 1);
  ASSERT_TRUE(send(std::string(300'000, 'x')));
  EXPECT_EQ(frames.wait_for_one().first.size(), 300'000U);
  connect({.url = fmt::format("wss://localhost:{}/", server->port()),
           .ca_file = good.certificate_file()});
  ASSERT_EQ(opened.wait_for(2).size(), 2U);
  client.reset();

  listen({.certificate_file = other_host.certificate_file(), .key_file = other_host.key_file()});
  connect({.url = url("wss"), .ca_file = other_host.certificate_file()});
  why = closed.wait_for(2).back();
  EXPECT_EQ(why.error.kind, ErrorKind::misconfigured);
  EXPECT_THAT(why.error.message, HasSubstr("mismatch"));
  connect({.url = fmt::format("wss://localhost:{}/", server->port()),
           .ca_file = other_host.certificate_file()});
  why = closed.wait_for(3).back();
  EXPECT_EQ(why.error.kind, ErrorKind::misconfigured);
  EXPECT_THAT(why.error.message, HasSubstr("hostname mismatch"));

  connect({.url = url("wss"), .ca_file = "/absent"});
  why = closed.wait_for(4).back();
  EXPECT_EQ(why.error.kind, ErrorKind::misconfigured);
  EXPECT_THAT(why.error.message, HasSubstr("/absent"));
}

}  // namespace
}  // namespace candlewick::net
