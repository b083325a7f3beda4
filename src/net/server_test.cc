// The server as bytes on a socket see it: order, framing, limits, slow and vanishing clients.
#include "net/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "net/testing.h"
#include "net/testing_certificate.h"
#include "net/testing_gzip.h"

namespace candlewick::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
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
      {std::string(40, 'A') + " / HTTP/1.1\r\nHost: a\r\n\r\n", "405 Method Not Allowed"},
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

// To whoever is fooled about where the first request ends, the second is somebody else's.
TEST_F(Http, NeverAnswersASmuggledRequest) {
  const std::string smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
  const std::vector<std::string> shapes{
      post + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
      post + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n" + smuggled,
      post + "Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + smuggled,
      post + "Content-Length: 0\r\n Content-Length: 44\r\n\r\n" + smuggled,
      post + "Transfer-Encoding: xchunked\r\nContent-Length: 0\r\n\r\n" + smuggled,
      post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + smuggled,
      post + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + smuggled,
      post + "X: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
      post + "Transfer-Encoding: chunked\r\n\r\n0\n\n" + smuggled,
      post + "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n" + smuggled,
  };
  listen();
  for (const std::string& shape : shapes) {
    RawClient client(server->port());
    client.write(shape);
    client.half_close();
    const std::string answer = client.read_to_end();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 Bad Request\r\n")) << shape;
    EXPECT_THAT(answer, Not(HasSubstr("/smuggled"))) << shape;
    EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos) << "one answer only: " << answer;
  }
}

TEST_F(Http, GivesEveryAnswerTheCommonHeadersUnlessItHasItsOwn) {
  handler.on_http = [](const Request& request, const std::shared_ptr<Responder>& responder) {
    if (request.path == "/own") {
      responder->send({.headers = {{"x-a", "own"}}, .body = "ok"});
    } else {
      responder->begin(200, {});
      responder->write("ok");
      responder->end();
    }
  };
  handler.on_websocket = [](const Request&) {
    return Upgrade{.subprotocol = "p", .headers = {{"X-C", "3"}}};
  };
  listen({.headers = {{"X-A", "1"}, {"X-B", "2"}}});
  RawClient client(server->port());
  client.write("GET /own HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.read_until("ok"),
            "HTTP/1.1 200 OK\r\nx-a: own\r\nX-B: 2\r\nContent-Length: 2\r\n\r\nok");
  client.write(simple_get);
  EXPECT_EQ(client.read_until("0\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nX-A: 1\r\nX-B: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
            "2\r\nok\r\n0\r\n\r\n");
  client.write("nonsense\r\n\r\n");
  EXPECT_THAT(client.read_to_end(), AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("X-A: 1\r\n")));
  RawClient peer(server->port());
  peer.write(
      "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");
  EXPECT_THAT(peer.read_until("\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 101"), HasSubstr("X-A: 1\r\n"), HasSubstr("X-C: 3\r\n"),
                    HasSubstr("Sec-WebSocket-Protocol: p\r\n")));
}

TEST_F(Http, StreamsCompressedSoThatEachChunkCanBeReadAtOnce) {
  Told<std::shared_ptr<Responder>> responders;
  handler.on_http = [&](const Request&, const std::shared_ptr<Responder>& responder) {
    responder->begin_gzip(200, {{"Content-Type", "text/csv"}});
    responders.tell(responder);
  };
  listen();
  RawClient client(server->port());
  client.write(simple_get);
  const auto responder = responders.wait_for_one();
  EXPECT_THAT(client.read_until("\r\n\r\n"),
              AllOf(HasSubstr("Content-Encoding: gzip\r\n"), HasSubstr("chunked\r\n")));
  const auto next_chunk = [&] {
    const std::size_t size = std::stoul(client.read_until("\r\n"), nullptr, 16);
    return client.read_exactly(size + 2).substr(0, size);
  };
  const std::string first(5000, 'a');
  std::string compressed;
  EXPECT_EQ(responder->write(std::string(first)), Responder::Room::more);
  compressed += next_chunk();
  EXPECT_LT(compressed.size(), 200U);
  EXPECT_EQ(testing::gunzip(compressed), first) << "before the second is written";
  EXPECT_EQ(responder->write("second"), Responder::Room::more);
  compressed += next_chunk();
  responder->end();
  compressed += next_chunk();
  EXPECT_EQ(testing::gunzip(compressed), first + "second");
  EXPECT_EQ(client.read_exactly(5), "0\r\n\r\n");
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

// One byte now and then is no progress: the whole request has the time limit, not each read.
TEST_F(Http, EndsARequestThatDribbles) {
  listen({.request_timeout = milliseconds{60}, .idle_timeout = seconds{30}});
  for (const std::string_view head :
       {"GET / HTTP/1.1\r\nHost: a\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    RawClient client(server->port());
    client.write(head);
    std::atomic<bool> is_over = false;
    std::jthread dribble([&] {
      const std::string_view more = head.starts_with("GET") ? "X: y\r\n" : "1\r\nx\r\n";
      while (!is_over) {
        std::promise<void> turn;
        const Timer timer = loop.after(milliseconds{5}, [&] { turn.set_value(); });
        turn.get_future().wait();
        client.try_write(more);
      }
    });
    EXPECT_THAT(client.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 408 Request Timeout\r\n"))
        << head;
    is_over = true;
  }
  EXPECT_TRUE(wait_for_connections(0));
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

TEST_F(Http, DropsAClientThatNeverFinishesItsHandshake) {
  const Certificate certificate("IP:127.0.0.1");
  listen({.request_timeout = milliseconds{50},
          .certificate_file = certificate.certificate_file(),
          .key_file = certificate.key_file()});
  RawClient silent(server->port());
  EXPECT_EQ(silent.read_to_end(), "");
  EXPECT_TRUE(wait_for_connections(0));
}

TEST_F(Http, RefusesAKeyOfAnotherCertificate) {
  const Certificate one("IP:127.0.0.1");
  const Certificate other("IP:127.0.0.1");
  const auto made = Server::listen(
      loop, {.certificate_file = one.certificate_file(), .key_file = other.key_file()}, handler);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::misconfigured);
  EXPECT_THAT(made.error().message, HasSubstr(other.key_file()));
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
