// The server as bytes on a socket see it: order, framing, limits, slow and vanishing clients.
#include "net/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "net/testing.h"
#include "net/testing_certificate.h"

namespace candlewick::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Certificate;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::RawClient;
using testing::ServerTest;
using ::testing::StartsWith;
using testing::Told;

using Http = ServerTest;

constexpr std::string_view simple_get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

// Answers kept for later, with the requests they belong to.
struct Kept {
  Request request;
  std::shared_ptr<Responder> responder;
};

TEST_F(Http, AnswersManyRequestsOnOneConnection) {
  listen();
  RawClient client(server->port());
  for (int i = 0; i < 100; ++i) {
    client.write(simple_get);
    EXPECT_EQ(client.read_until("GET /a "), "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nGET /a ");
  }
  EXPECT_EQ(server->connections(), 1U);
}

TEST_F(Http, ClosesWhenAskedTo) {
  listen();
  for (const std::string_view request :
       {"GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "GET /a HTTP/1.0\r\n\r\n"}) {
    RawClient client(server->port());
    client.write(request);
    const std::string answer = client.read_to_end();
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(answer, EndsWith("\r\n\r\nGET /a "));
  }
  EXPECT_TRUE(wait_for_connections(0));
}

TEST_F(Http, KeepsAnOldClientsConnectionWhenItAsks) {
  listen();
  RawClient client(server->port());
  for (int i = 0; i < 2; ++i) {
    client.write("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_THAT(client.read_until("GET /a "), HasSubstr("Connection: keep-alive\r\n"));
  }
}

TEST_F(Http, AnswersPipelinedRequestsInOrderEvenWhenLaterOnesAreReadySooner) {
  Told<Kept> kept;
  handler.on_http = [&](Request request, std::shared_ptr<Responder> responder) {
    if (request.path == "/slow") {
      kept.tell({std::move(request), std::move(responder)});
    } else {
      responder->send({.body = request.path + ";"});
    }
  };
  listen();
  RawClient client(server->port());
  client.write(
      "GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
      "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  kept.wait_for_one().responder->send({.body = "/slow;"});
  EXPECT_THAT(client.read_until("/slow;"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(client.read_until("/1;"), Not(HasSubstr("/2;")));
  EXPECT_THAT(client.read_until("/2;"), StartsWith("HTTP/1.1 200"));
}

TEST_F(Http, AnswersThousandsOfPipelinedRequests) {
  listen();
  RawClient client(server->port());
  std::string all;
  for (int i = 0; i < 5000; ++i) {
    all += fmt::format("POST /{} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", i);
  }
  std::jthread writer([&] { client.write(all); });
  for (int i = 0; i < 5000; ++i) {
    ASSERT_THAT(client.read_until(" x"), EndsWith(fmt::format("\r\n\r\nPOST /{} x", i)));
  }
}

TEST_F(Http, TellsTheLengthButSendsNoBodyToHead) {
  listen();
  RawClient client(server->port());
  client.write("HEAD /abc HTTP/1.1\r\nHost: a\r\n\r\n");
  client.write("GET /d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.read_to_end(),
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
            "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nGET /d ");
}

TEST_F(Http, SendsNoBodyWhereTheStatusHasNone) {
  handler.on_http = [](const Request&, const std::shared_ptr<Responder>& responder) {
    responder->send({.status = 304, .headers = {{"ETag", "x"}}, .body = "ignored"});
  };
  listen();
  RawClient client(server->port());
  client.write(simple_get);
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n");
  client.write(simple_get);
  EXPECT_THAT(client.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 304"));
}

TEST_F(Http, LetsNoHeaderOfTheHandlerBreakTheFraming) {
  handler.on_http = [](const Request&, const std::shared_ptr<Responder>& responder) {
    responder->send({.headers = {{"X", "a\r\nEvil: b"}, {"content-length", "99"}}, .body = "ok"});
  };
  listen();
  RawClient client(server->port());
  client.write(simple_get);
  EXPECT_EQ(client.read_until("ok"),
            "HTTP/1.1 200 OK\r\nX: a  Evil: b\r\nContent-Length: 2\r\n\r\nok");
}

TEST_F(Http, SendsLargeBodiesSharedOrNot) {
  const auto large = std::make_shared<const std::string>(std::string(3'000'000, 'x') + "end");
  handler.on_http = [&](const Request& request, const std::shared_ptr<Responder>& responder) {
    if (request.path == "/shared") {
      responder->send({.shared_body = large});
    } else {
      responder->send({.body = *large});
    }
  };
  listen();
  RawClient client(server->port());
  for (const std::string_view path : {"/shared", "/own"}) {
    client.write(fmt::format("GET {} HTTP/1.1\r\nHost: a\r\n\r\n", path));
    client.read_until("\r\n\r\n");
    EXPECT_EQ(client.read_exactly(large->size()), *large);
  }
}

TEST_F(Http, ContinuesWhenTheClientWaitsForIt) {
  listen();
  RawClient client(server->port());
  client.write("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.write("hi");
  EXPECT_THAT(client.read_until("POST / hi"), StartsWith("HTTP/1.1 200"));
}

TEST_F(Http, RefusesWithTheHandlersWordsAndCloses) {
  struct Case {
    std::string request;
    std::string status;
  };
  const std::string long_value(20'000, 'x');
  const std::vector<Case> cases{
      {"nonsense\r\n\r\n", "400 Bad Request"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
       "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
       "400 Bad Request"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 0\r\n\r\nx",
       "400 Bad Request"},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
       "400 Bad Request"},
      {"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", "501 Not Implemented"},
      {"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", "405 Method Not Allowed"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n" + long_value,
       "413 Content Too Large"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: " + long_value + "\r\n\r\n",
       "431 Request Header Fields Too Large"},
  };
  listen();
  for (const Case& bad : cases) {
    RawClient client(server->port());
    client.write(bad.request);
    client.half_close();
    const std::string answer = client.read_to_end();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + bad.status + "\r\n")) << bad.request;
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain"));
    EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos) << "one answer only: " << answer;
  }
  EXPECT_TRUE(wait_for_connections(0));
}

TEST_F(Http, AnswersAClientThatHasClosedItsDirection) {
  Told<Kept> kept;
  handler.on_http = [&](Request request, std::shared_ptr<Responder> responder) {
    kept.tell({std::move(request), std::move(responder)});
  };
  listen();
  RawClient client(server->port());
  client.write(simple_get);
  client.half_close();
  kept.wait_for_one().responder->send({.body = "late"});
  EXPECT_THAT(client.read_to_end(), EndsWith("late"));
  EXPECT_TRUE(wait_for_connections(0));
}

TEST_F(Http, EndsARequestThatComesTooSlowly) {
  listen({.request_timeout = milliseconds{50}});
  RawClient client(server->port());
  client.write("GET / HTTP/1.1\r\nHost:");
  const std::string answer = client.read_to_end();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 408 Request Timeout\r\n"));
}

TEST_F(Http, ClosesIdleConnectionsWithoutAWord) {
  listen({.idle_timeout = milliseconds{50}});
  {
    RawClient silent(server->port());
    EXPECT_EQ(silent.read_to_end(), "");
    RawClient client(server->port());
    client.write(simple_get);
    EXPECT_THAT(client.read_to_end(), EndsWith("GET /a "));
  }
  EXPECT_TRUE(wait_for_connections(0));
}

TEST_F(Http, DropsAClientThatTakesNothing) {
  Told<bool> gone;
  handler.on_http = [&](const Request&, std::shared_ptr<Responder> responder) {
    responder->on_close([&gone, responder] { gone.tell(responder->is_closed()); });
    responder->begin(200, {});
    while (responder->write(std::string(1 << 20, 'x')) == Responder::Room::more) {
    }
  };
  listen({.write_timeout = milliseconds{50}, .max_queued_bytes = 16U << 20U});
  RawClient client(server->port(), 4096);
  client.write(simple_get);
  EXPECT_TRUE(gone.wait_for_one());
  EXPECT_TRUE(wait_for_connections(0));
}

TEST_F(Http, ClosesAWebSocketClientThatTakesNothingWith1008) {
  Told<std::string> gone;
  handler.on_websocket = [&](const Request&) {
    Upgrade upgrade;
    upgrade.on_open = [&](const std::shared_ptr<Peer>& peer) {
      peer->listen({.on_close = [&](const PeerClosed& closed) { gone.tell(closed.reason); }});
      while (peer->send(std::string(1 << 20, 'x'), false)) {
      }
    };
    return upgrade;
  };
  listen({.write_timeout = milliseconds{50},
          .websocket_close_timeout = milliseconds{50},
          .max_queued_bytes = 16U << 20U});
  RawClient client(server->port(), 4096);
  client.write(
      "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");
  // Asked to go first, and dropped because it does not hear that either.
  EXPECT_THAT(gone.wait_for_one(), HasSubstr("close frame"));
  EXPECT_TRUE(wait_for_connections(0));
}

TEST_F(Http, TellsTooManyClientsSo) {
  listen({.max_connections = 1});
  RawClient first(server->port());
  first.write(simple_get);
  first.read_until("GET /a ");
  RawClient second(server->port());
  second.write(simple_get);
  EXPECT_THAT(second.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  first.write(simple_get);
  EXPECT_THAT(first.read_until("GET /a "), StartsWith("HTTP/1.1 200"));
}

TEST_F(Http, AnswersFromOtherThreads) {
  std::vector<std::jthread> threads;
  handler.on_http = [&](const Request& request, std::shared_ptr<Responder> responder) {
    threads.emplace_back([path = request.path, responder] { responder->send({.body = path}); });
  };
  listen();
  RawClient client(server->port());
  for (int i = 0; i < 50; ++i) {
    client.write(fmt::format("GET /{:03} HTTP/1.1\r\nHost: a\r\n\r\n", i));
    EXPECT_THAT(client.read_until(fmt::format("/{:03}", i)), StartsWith("HTTP/1.1 200"));
  }
  loop.call([&] { threads.clear(); });
}

TEST_F(Http, AnswersForAHandlerThatForgotOrThrew) {
  handler.on_http = [](const Request& request, const std::shared_ptr<Responder>&) {
    if (request.path == "/throw") {
      throw std::runtime_error("broken");
    }
  };
  listen();
  RawClient client(server->port());
  for (const std::string_view path : {"/forget", "/throw"}) {
    client.write(fmt::format("GET {} HTTP/1.1\r\nHost: a\r\n\r\n", path));
    EXPECT_THAT(client.read_until("internal error\n"),
                StartsWith("HTTP/1.1 500 Internal Server Error\r\n"));
  }
}

TEST_F(Http, IgnoresASecondAnswer) {
  handler.on_http = [](const Request&, const std::shared_ptr<Responder>& responder) {
    responder->send({.body = "one"});
    responder->send({.body = "two"});
    responder->begin(200, {});
    EXPECT_EQ(responder->write("x"), Responder::Room::closed);
    responder->end();
  };
  listen();
  RawClient client(server->port());
  client.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.read_to_end(), EndsWith("\r\n\r\none"));
}

TEST_F(Http, StreamsInChunks) {
  handler.on_http = [](const Request&, const std::shared_ptr<Responder>& responder) {
    responder->begin(200, {{"Content-Type", "text/event-stream"}});
    EXPECT_EQ(responder->write("hello"), Responder::Room::more);
    EXPECT_EQ(responder->write(""), Responder::Room::more);
    EXPECT_EQ(responder->write(std::string(17, 'x')), Responder::Room::more);
    responder->end();
  };
  listen();
  RawClient client(server->port());
  for (int i = 0; i < 2; ++i) {
    client.write(simple_get);
    EXPECT_EQ(client.read_until("\r\n0\r\n\r\n"),
              "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
              "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n11\r\n" +
                  std::string(17, 'x') + "\r\n0\r\n\r\n");
  }
}

TEST_F(Http, StreamsToOldClientsUntilTheEndAndNothingToHead) {
  handler.on_http = [](const Request&, const std::shared_ptr<Responder>& responder) {
    responder->begin(200, {});
    responder->write("hello");
    responder->end();
  };
  listen();
  RawClient old(server->port());
  old.write("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(old.read_to_end(), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello");
  RawClient head(server->port());
  head.write("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(head.read_to_end(),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
}

TEST_F(Http, MakesAStreamWaitForAClientThatIsSlow) {
  static constexpr std::size_t chunks = 200;
  static constexpr std::size_t chunk_bytes = 100'000;
  std::size_t fulls = 0;  // on the loop's thread
  handler.on_http = [&](const Request&, std::shared_ptr<Responder> responder) {
    struct Stream {
      std::size_t sent = 0;
      std::string next;
    };
    auto stream = std::make_shared<Stream>();
    const auto pump = [&fulls, stream, weak = std::weak_ptr(responder)] {
      const auto to = weak.lock();
      while (stream->sent < chunks) {
        if (stream->next.empty()) {
          stream->next = std::string(chunk_bytes, static_cast<char>('a' + stream->sent % 26));
        }
        const Responder::Room room = to->write(std::move(stream->next));
        if (room == Responder::Room::full) {
          ++fulls;
          ASSERT_EQ(stream->next.size(), chunk_bytes) << "not moved from";
          return;
        }
        ASSERT_EQ(room, Responder::Room::more);
        stream->next.clear();
        ++stream->sent;
      }
      to->end();
    };
    responder->begin(200, {});
    // The callback keeps the responder until the answer is complete.
    responder->on_drain([pump, responder] { pump(); });
    pump();
  };
  listen({.max_queued_bytes = 256U << 10U});
  RawClient client(server->port(), 4096);
  client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  client.read_until("\r\n\r\n");
  for (std::size_t i = 0; i < chunks; ++i) {
    ASSERT_EQ(client.read_until("\r\n"), fmt::format("{:x}\r\n", chunk_bytes));
    ASSERT_EQ(client.read_exactly(chunk_bytes + 2),
              std::string(chunk_bytes, static_cast<char>('a' + i % 26)) + "\r\n");
  }
  EXPECT_EQ(client.read_until("0\r\n\r\n"), "0\r\n\r\n");
  loop.call([&] { EXPECT_GT(fulls, 0U); });
}

TEST_F(Http, TellsAStreamThatItsClientHasGone) {
  Told<int> told;
  Told<std::shared_ptr<Responder>> responders;
  handler.on_http = [&](const Request&, std::shared_ptr<Responder> responder) {
    responder->begin(200, {});
    responder->write("hello");
    responder->on_close([&told] { told.tell(1); });
    responders.tell(responder);
  };
  listen();
  RawClient client(server->port());
  client.write(simple_get);
  client.read_until("hello");
  client.reset();
  told.wait_for_one();
  const std::shared_ptr<Responder> responder = responders.wait_for_one();
  EXPECT_TRUE(responder->is_closed());
  EXPECT_EQ(responder->write("x"), Responder::Room::closed);
  responder->on_close([&told] { told.tell(2); });
  EXPECT_EQ(told.wait_for(2), (std::vector<int>{1, 2}));
  responder->end();
  EXPECT_TRUE(wait_for_connections(0));
}

TEST_F(Http, CutsAStreamThatIsDroppedUnfinished) {
  handler.on_http = [](const Request&, const std::shared_ptr<Responder>& responder) {
    responder->begin(200, {});
    responder->write("hello");
  };
  listen();
  RawClient client(server->port());
  client.write(simple_get);
  EXPECT_THAT(client.read_to_end(), Not(HasSubstr("0\r\n\r\n")));
}

TEST_F(Http, ServesManyClientsAtOnce) {
  listen();
  std::atomic<int> good{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        for (int n = 0; n < 20; ++n) {
          RawClient client(server->port());
          for (int m = 0; m < 5; ++m) {
            const std::string path = fmt::format("/{}-{}-{}", i, n, m);
            client.write(fmt::format("GET {} HTTP/1.1\r\nHost: a\r\n\r\n", path));
            good += client.read_until(path + " ").ends_with("\r\n\r\nGET " + path + " ") ? 1 : 0;
          }
        }
      });
    }
  }
  EXPECT_EQ(good.load(), 800);
  EXPECT_TRUE(wait_for_connections(0));
}

TEST_F(Http, DrainsWithoutCuttingAnybodyOff) {
  Told<Kept> kept;
  handler.on_http = [&](Request request, std::shared_ptr<Responder> responder) {
    kept.tell({std::move(request), std::move(responder)});
  };
  listen();
  RawClient idle(server->port());
  RawClient busy(server->port());
  busy.write(simple_get);
  kept.wait_for_one();
  ASSERT_TRUE(wait_for_connections(2));
  server->drain();
  EXPECT_EQ(idle.read_to_end(), "");
  kept.wait_for_one().responder->send({.body = "done"});
  const std::string answer = busy.read_to_end();
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(answer, EndsWith("done"));
}

TEST_F(Http, IsDestroyedWhileRequestsAreUnderWay) {
  Told<Kept> kept;
  Told<int> closed;
  handler.on_http = [&](Request request, std::shared_ptr<Responder> responder) {
    responder->on_close([&] { closed.tell(1); });
    kept.tell({std::move(request), std::move(responder)});
  };
  listen();
  RawClient client(server->port());
  client.write(simple_get);
  const std::shared_ptr<Responder> responder = kept.wait_for_one().responder;
  server.reset();
  EXPECT_EQ(closed.wait_for_one(), 1);
  responder->send({.body = "nobody hears"});
  EXPECT_EQ(client.read_to_end(), "");
}

TEST_F(Http, RefusesAddressesItCannotHave) {
  listen();
  for (const ServerOptions& options :
       {ServerOptions{.port = server->port()}, ServerOptions{.address = "192.0.2.1"},
        ServerOptions{.address = "no address"},
        ServerOptions{.certificate_file = "/absent", .key_file = "/absent"},
        ServerOptions{.certificate_file = "/absent"}}) {
    const auto made = Server::listen(loop, options, handler);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().kind, ErrorKind::misconfigured);
  }
  EXPECT_EQ(server->address(), fmt::format("127.0.0.1:{}", server->port()));
}

TEST_F(Http, SurvivesClientsThatSpeakPlainlyToTls) {
  const Certificate certificate("IP:127.0.0.1");
  listen({.certificate_file = certificate.certificate_file(), .key_file = certificate.key_file()});
  RawClient client(server->port());
  client.write(simple_get);
  EXPECT_THAT(client.read_to_end(), Not(HasSubstr("HTTP/1.1 200")));
  EXPECT_TRUE(wait_for_connections(0));
}

}  // namespace
}  // namespace candlewick::net
