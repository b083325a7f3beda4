// The HTTP client against our server, and against servers that misbehave.
#include "net/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <thread>

#include "net/testing.h"
#include "net/testing_certificate.h"

namespace candlewick::net {
namespace {

using std::chrono::milliseconds;
using testing::Certificate;
using ::testing::HasSubstr;
using testing::ServerTest;
using testing::Told;

// Answers one connection with these bytes, whatever it asks, and closes.
class OneAnswer {
 public:
  explicit OneAnswer(std::string bytes) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), length), 0);
    EXPECT_EQ(::listen(socket_, 1), 0);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length);
    url_ = fmt::format("http://127.0.0.1:{}/", ntohs(address.sin_port));
    thread_ = std::jthread([this, answer = std::move(bytes)] {
      const int client = ::accept(socket_, nullptr, nullptr);
      char request[4096];
      EXPECT_GT(::recv(client, request, sizeof request, 0), 0);
      EXPECT_EQ(::send(client, answer.data(), answer.size(), MSG_NOSIGNAL),
                static_cast<ssize_t>(answer.size()));
      ::close(client);
    });
  }
  ~OneAnswer() {
    thread_.join();
    ::close(socket_);
  }
  const std::string& url() const { return url_; }

 private:
  int socket_;
  std::string url_;
  std::jthread thread_;
};

class Client : public ServerTest {
 protected:
  Result<HttpResponse> get(std::string_view target = "/") {
    return client.fetch({.url = url("http", target)});
  }

  HttpClient client;
};

TEST_F(Client, BringsStatusHeadersAndBody) {
  handler.on_http = [](const Request& request, const std::shared_ptr<Responder>& responder) {
    responder->send({.status = 404,
                     .headers = {{"X-Method", request.method},
                                 {"X-Key", std::string(request.headers.get("X-Key"))},
                                 {"X-Agent", std::string(request.headers.get("User-Agent"))},
                                 {"X-Type", std::string(request.headers.get("Content-Type"))}},
                     .body = request.target + " " + request.body});
  };
  listen();
  const auto answer = client.fetch({.method = "POST",
                                    .url = url("http", "/a?b=c%20d"),
                                    .headers = {{"X-Key", "k"}},
                                    .body = std::string(3000, 'x')});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 404);
  EXPECT_EQ(answer->headers.get("x-method"), "POST");
  EXPECT_EQ(answer->headers.get("x-key"), "k");
  EXPECT_EQ(answer->headers.get("x-agent"), "candlewick");
  EXPECT_EQ(answer->headers.get("x-type"), "");
  EXPECT_EQ(answer->body, "/a?b=c%20d " + std::string(3000, 'x'));
  EXPECT_GT(answer->took, Duration::zero());
}

TEST_F(Client, SpeaksEveryMethod) {
  handler.on_http = [](const Request& request, const std::shared_ptr<Responder>& responder) {
    responder->send({.headers = {{"X-Was", request.method + ":" + request.body}}, .body = "body"});
  };
  listen();
  for (const std::string method : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}) {
    const auto answer = client.fetch({.method = method, .url = url("http")});
    ASSERT_TRUE(answer) << method << answer.error().message;
    EXPECT_EQ(answer->headers.get("X-Was"), method + ":");
    EXPECT_EQ(answer->body, method == "HEAD" ? "" : "body");
  }
  const auto answer = client.fetch({.method = "DELETE", .url = url("http"), .body = "b"});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->headers.get("X-Was"), "DELETE:b");
}

TEST_F(Client, UsesItsConnectionsAgain) {
  listen();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(get());
  }
  EXPECT_EQ(server->connections(), 1U);
}

TEST_F(Client, AnswersManyRequestsOnTheLoopOfTheCaller) {
  handler.on_http = [](const Request& request, const std::shared_ptr<Responder>& responder) {
    responder->send({.body = request.path});
  };
  listen();
  Loop caller("caller");
  caller.start();
  Told<std::pair<std::string, bool>> told;
  for (int i = 0; i < 200; ++i) {
    client.send({.url = url("http", fmt::format("/{}", i))}, caller,
                [&, i](Result<HttpResponse> answer) {
                  EXPECT_TRUE(answer && answer->body == fmt::format("/{}", i));
                  told.tell({"", caller.in_loop_thread()});
                });
  }
  const auto all = told.wait_for(200);
  ASSERT_EQ(all.size(), 200U);
  for (const auto& [body, on_loop] : all) {
    EXPECT_TRUE(on_loop);
  }
  EXPECT_LE(server->connections(), 8U) << "max_connections_per_host";
  EXPECT_EQ(client.waiting(), 0U);
}

TEST_F(Client, UnpacksCompressedAnswers) {
  const std::string text(100'000, 'z');
  std::string packed(1000, '\0');
  z_stream stream{};
  ASSERT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  ASSERT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  handler.on_http = [&](const Request& request, const std::shared_ptr<Responder>& responder) {
    EXPECT_TRUE(request.headers.has_token("Accept-Encoding", "gzip"));
    responder->send({.headers = {{"Content-Encoding", "gzip"}}, .body = packed});
  };
  listen();
  const auto answer = get();
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_TRUE(answer->body == text);
  const auto bomb = client.fetch({.url = url("http"), .max_body_bytes = 5000});
  ASSERT_FALSE(bomb);
  EXPECT_EQ(bomb.error().kind, ErrorKind::malformed);
}

TEST_F(Client, RefusesAnswersTooLarge) {
  handler.on_http = [](const Request&, const std::shared_ptr<Responder>& responder) {
    responder->send({.body = std::string(1000, 'x')});
  };
  listen();
  EXPECT_TRUE(client.fetch({.url = url("http"), .max_body_bytes = 1000}));
  const auto answer = client.fetch({.url = url("http"), .max_body_bytes = 999});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::malformed);
  EXPECT_THAT(answer.error().message, HasSubstr("999 bytes"));
}

TEST_F(Client, GivesUpAfterItsTimeout) {
  Told<std::shared_ptr<Responder>> kept;
  handler.on_http = [&](const Request&, std::shared_ptr<Responder> responder) {
    kept.tell(std::move(responder));
  };
  listen();
  const auto answer =
      client.fetch({.url = url("http", "/x?key=secret"), .timeout = milliseconds{50}});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::transient);
  EXPECT_NE(kept.wait_for_one(), nullptr) << "the request was never sent";
  EXPECT_THAT(answer.error().message, HasSubstr("/x: "));
  EXPECT_EQ(answer.error().message.find("secret"), std::string::npos);
}

TEST_F(Client, TakesABrokenAnswerForTransient) {
  for (const std::string_view broken :
       {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "HTTP/1.1 200"}) {
    const OneAnswer other{std::string(broken)};
    const auto answer = client.fetch({.url = other.url()});
    ASSERT_FALSE(answer) << broken;
    EXPECT_EQ(answer.error().kind, ErrorKind::transient) << answer.error().message;
  }
  const OneAnswer silent{""};
  EXPECT_EQ(client.fetch({.url = silent.url()}).error().kind, ErrorKind::transient);
}

TEST_F(Client, TakesWhatIsNotHttpForMalformed) {
  const OneAnswer other{"SSH-2.0-OpenSSH_9.2\r\n"};
  const auto answer = client.fetch({.url = other.url()});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::malformed) << answer.error().message;
}

TEST_F(Client, SaysInWordsWhyItCouldNotConnect) {
  listen();
  const std::string gone = url("http");
  server.reset();
  const auto answer = client.fetch({.url = gone});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::transient);
  EXPECT_THAT(answer.error().message, HasSubstr(gone));
  for (const char* bad : {"http://example.com/", "wss://example.com/", "nonsense", ""}) {
    const auto refused = client.fetch({.url = bad});
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().kind, ErrorKind::misconfigured) << bad;
  }
  const auto injected =
      client.fetch({.url = gone, .headers = {{"X", "a\r\nTransfer-Encoding: chunked"}}});
  ASSERT_FALSE(injected);
  EXPECT_EQ(injected.error().kind, ErrorKind::misconfigured);
}

TEST_F(Client, DoesNotFollowRedirects) {
  handler.on_http = [](const Request&, const std::shared_ptr<Responder>& responder) {
    responder->send({.status = 302, .headers = {{"Location", "/elsewhere"}}});
  };
  listen();
  const auto answer = get();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 302);
  EXPECT_EQ(answer->headers.get("Location"), "/elsewhere");
}

TEST_F(Client, BoundsTheRequestsUnderWay) {
  Told<std::shared_ptr<Responder>> kept;
  handler.on_http = [&](const Request&, std::shared_ptr<Responder> responder) {
    kept.tell(std::move(responder));
  };
  listen();
  HttpClient small({.max_waiting = 1});
  Told<int> told;
  small.send({.url = url("http")}, loop,
             [&](Result<HttpResponse> answer) { told.tell(answer ? answer->status : 0); });
  const auto refused = small.fetch({.url = url("http")});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::transient);
  kept.wait_for_one()->send({});
  EXPECT_EQ(told.wait_for_one(), 200);
  EXPECT_EQ(small.waiting(), 0U);
}

TEST_F(Client, DropsCallbacksAndFreesBlockedCallersWhenDestroyed) {
  Told<std::shared_ptr<Responder>> kept;
  handler.on_http = [&](const Request&, std::shared_ptr<Responder> responder) {
    kept.tell(std::move(responder));
  };
  listen();
  auto held = std::make_shared<int>(0);
  Told<ErrorKind> blocked;
  std::jthread caller;
  {
    HttpClient doomed;
    doomed.send({.url = url("http")}, loop,
                [held](const Result<HttpResponse>&) { FAIL() << "called"; });
    caller = std::jthread([&] {
      const auto answer = doomed.fetch({.url = url("http")});
      blocked.tell(answer ? ErrorKind::rejected : answer.error().kind);
    });
    kept.wait_for(2);
  }
  EXPECT_EQ(blocked.wait_for_one(), ErrorKind::transient);
  EXPECT_EQ(held.use_count(), 1);
}

TEST_F(Client, TrustsOnlyCertificatesOfKnownAuthoritiesForTheRightHost) {
  const Certificate good("IP:127.0.0.1");
  const Certificate other_host("DNS:other.example");
  listen({.certificate_file = good.certificate_file(), .key_file = good.key_file()});
  const auto unknown = client.fetch({.url = url("https")});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, ErrorKind::misconfigured) << unknown.error().message;

  HttpClient trusting({.ca_file = good.certificate_file()});
  const auto answer = trusting.fetch({.url = url("https", "/path")});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "GET /path ");

  listen({.certificate_file = other_host.certificate_file(), .key_file = other_host.key_file()});
  HttpClient misled({.ca_file = other_host.certificate_file()});
  const auto wrong = misled.fetch({.url = url("https")});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().kind, ErrorKind::misconfigured) << wrong.error().message;

  HttpClient lost({.ca_file = "/absent"});
  const auto absent = lost.fetch({.url = url("https")});
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().kind, ErrorKind::misconfigured) << absent.error().message;
}

}  // namespace
}  // namespace candlewick::net
