// The way out: compression, tags, and how long an answer may be kept.
#include "api/call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/testing_gzip.h"

namespace candlewick::api {
namespace {

using net::testing::gunzip;

// What was answered, instead of a connection.
struct Taken {
  net::Response response;
  bool is_streamed = false;
  bool is_gzip_stream = false;
};

class TakingResponder final : public net::Responder {
 public:
  explicit TakingResponder(Taken& taken) : taken_(taken) {}
  void send(net::Response response) override { taken_.response = std::move(response); }
  void begin(int status, net::Headers headers) override {
    taken_ = {{.status = status, .headers = std::move(headers)}, true, false};
  }
  void begin_gzip(int status, net::Headers headers) override {
    taken_ = {{.status = status, .headers = std::move(headers)}, true, true};
  }
  Room write(std::string&&) override { return Room::more; }
  void end() override {}
  void on_drain(std::move_only_function<void()>) override {}
  void on_close(std::move_only_function<void()>) override {}
  bool is_closed() const override { return false; }

 private:
  Taken& taken_;
};

class Answered : public ::testing::Test {
 protected:
  // Answers a request with these headers by `answer`.
  template <class Answer>
  net::Response to(net::Headers headers, Answer answer, std::string method = "GET") {
    passage.takes_gzip = net::Headers(headers).has_token("Accept-Encoding", "gzip");
    passage.files = &files;
    taken = {};
    Call call({.request = {.method = std::move(method), .headers = std::move(headers)},
               .responder = std::make_shared<TakingResponder>(taken),
               .arguments = {},
               .captured = {},
               .request_id = "id",
               .passage = passage,
               .clock = &clock,
               .traffic = &traffic});
    answer(call);
    return taken.response;
  }
  static std::string body_of(const net::Response& response) {
    return response.shared_body ? *response.shared_body : response.body;
  }

  FakeClock clock{Time{}};
  Metrics metrics;
  Traffic traffic{metrics, "/test"};
  StaticFiles files;
  Passage passage;
  Taken taken;
  const net::Headers gzip_please{{"Accept-Encoding", "gzip"}};
  const std::string large = "\"" + std::string(5000, 'x') + "\"";
};

TEST_F(Answered, IsCompressedForWhoeverAsksIfItIsLargeEnoughAndText) {
  const auto answer = to(gzip_please, [&](Call& call) { call.json(large); });
  EXPECT_EQ(answer.headers.get("Content-Encoding"), "gzip");
  EXPECT_LT(answer.body.size(), 200U);
  EXPECT_EQ(gunzip(answer.body), large + "\n");
  const auto plain = to({}, [&](Call& call) { call.json(large); });
  EXPECT_FALSE(plain.headers.has("Content-Encoding"));
  EXPECT_EQ(plain.body, large + "\n");
  const auto little = to(gzip_please, [&](Call& call) { call.json("{}"); });
  EXPECT_FALSE(little.headers.has("Content-Encoding"));
  const auto picture = to(gzip_please, [&](Call& call) {
    call.send({.headers = {{"Content-Type", "image/png"}}, .body = large});
  });
  EXPECT_FALSE(picture.headers.has("Content-Encoding"));
  const auto ready = to(gzip_please, [&](Call& call) {
    call.send(
        {.headers = {{"Content-Type", "text/plain"}, {"Content-Encoding", "br"}}, .body = large});
  });
  EXPECT_EQ(ready.body, large) << "whoever encoded it knows why";
  const auto head = to(gzip_please, [&](Call& call) { call.json(large); }, "HEAD");
  EXPECT_EQ(head.headers.get("Content-Encoding"), "gzip");
  EXPECT_EQ(head.body, answer.body) << "the length is told";
  const auto problem = to(gzip_please, [&](Call& call) { call.fail({.detail = large}); });
  EXPECT_EQ(problem.headers.get("Content-Encoding"), "gzip");
}

TEST_F(Answered, IsNotSentAgainToWhoeverHasIt) {
  const auto ask = [&](net::Headers headers, std::string method = "GET") {
    return to(
        std::move(headers), [&](Call& call) { call.json(large, CachePolicy::forming); },
        std::move(method));
  };
  const auto first = ask({});
  EXPECT_EQ(first.status, 200);
  const std::string etag(first.headers.get("ETag"));
  EXPECT_EQ(etag, etag_of(large + "\n"));
  EXPECT_EQ(ask(gzip_please).headers.get("ETag"), etag) << "the same content, encoded";
  for (const std::string& known : {etag, etag.substr(2), "\"other\", " + etag,
                                   "W/\"a\" , " + etag.substr(2), std::string("*")}) {
    const auto again = ask({{"If-None-Match", known}});
    EXPECT_EQ(again.status, 304) << known;
    EXPECT_TRUE(again.body.empty());
    EXPECT_EQ(again.headers.get("ETag"), etag);
    EXPECT_EQ(again.headers.get("Cache-Control"), "no-cache");
    EXPECT_EQ(again.headers.get("X-Request-Id"), "id");
    EXPECT_FALSE(again.headers.has("Content-Type"));
  }
  for (const std::string& other :
       {std::string("\"other\""), etag + "x", etag.substr(3), std::string()}) {
    EXPECT_EQ(ask({{"If-None-Match", other}}).status, 200) << other;
  }
  EXPECT_EQ(ask({{"If-None-Match", etag}}, "HEAD").status, 304);
  EXPECT_EQ(ask({{"If-None-Match", etag}}, "PUT").status, 200);
  EXPECT_EQ(traffic.by_class[3].value(), 6);
}

TEST_F(Answered, MayBeKeptAsLongAsItIsTrue) {
  const auto kept = [&](CachePolicy policy) {
    const auto answer =
        to({}, [&](Call& call) { call.send_cacheable("a,b\n", "text/csv", policy); });
    EXPECT_EQ(answer.headers.get("Content-Type"), "text/csv");
    EXPECT_EQ(answer.headers.has("ETag"), policy != CachePolicy::never);
    return std::string(answer.headers.get("Cache-Control"));
  };
  EXPECT_EQ(kept(CachePolicy::never), "no-store");
  EXPECT_EQ(kept(CachePolicy::forming), "no-cache");
  EXPECT_EQ(kept(CachePolicy::closed), "public, max-age=300");
  EXPECT_EQ(kept(CachePolicy::fixed), "public, max-age=31536000, immutable");
  passage.is_private = true;
  EXPECT_EQ(kept(CachePolicy::never), "no-store");
  EXPECT_EQ(kept(CachePolicy::forming), "private, no-cache");
  EXPECT_EQ(kept(CachePolicy::closed), "private, max-age=300");
  EXPECT_EQ(kept(CachePolicy::fixed), "private, max-age=31536000, immutable");
}

TEST_F(Answered, SharesTheBytesOfFiles) {
  const auto ask = [&](const net::Headers& headers) {
    return to(headers, [&](Call& call) {
      call.send_file(large, "text/css", CachePolicy::fixed, {{"X-Own", "1"}});
    });
  };
  const auto plain = ask({});
  EXPECT_EQ(body_of(plain), large);
  EXPECT_EQ(plain.headers.get("X-Own"), "1");
  EXPECT_EQ(ask({}).shared_body, plain.shared_body) << "not copied";
  const auto compressed = ask(gzip_please);
  EXPECT_EQ(compressed.headers.get("Content-Encoding"), "gzip");
  EXPECT_EQ(gunzip(body_of(compressed)), large);
  EXPECT_EQ(ask(gzip_please).shared_body, compressed.shared_body) << "not compressed again";
  const auto again = ask({{"If-None-Match", std::string(plain.headers.get("ETag"))}});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.shared_body, nullptr);
}

TEST_F(Answered, StreamsCompressedOnlyWhereThatIsAsked) {
  passage.headers = {{"RateLimit-Limit", "1"}};
  const net::Headers csv{{"Content-Type", "text/csv"}};
  to(gzip_please, [&](Call& call) { call.begin_compressed(200, csv); });
  EXPECT_TRUE(taken.is_gzip_stream);
  EXPECT_EQ(taken.response.headers.get("X-Request-Id"), "id");
  EXPECT_EQ(taken.response.headers.get("RateLimit-Limit"), "1");
  to({}, [&](Call& call) { call.begin_compressed(200, csv); });
  EXPECT_TRUE(taken.is_streamed);
  EXPECT_FALSE(taken.is_gzip_stream);
  to(gzip_please, [&](Call& call) { call.begin(200, csv); });
  EXPECT_TRUE(taken.is_streamed);
  EXPECT_FALSE(taken.is_gzip_stream) << "events must not wait for a compressor";
}

TEST_F(Answered, Gives500ToARequestThatNobodyAnswered) {
  const auto answer = to({}, [](Call&) {});
  EXPECT_EQ(answer.status, 200) << "not before the call is dropped";
  EXPECT_EQ(taken.response.status, 500);
}

}  // namespace
}  // namespace candlewick::api
