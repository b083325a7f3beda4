// The live streams over real sockets. Their contents are tested in src/stream/.
#include "api/streams.h"

#include <gmock/gmock.h>

#include "api/testing.h"
#include "net/testing.h"
#include "net/websocket_client.h"
#include "test/support/eventually.h"

namespace candlewick::api {
namespace {

using net::testing::RawClient;
using net::testing::Told;
using testing::Answer;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Sockets : public testing::ApiTest {
 protected:
  Sockets() {
    add("binance", "BTC/USDT", "BTCUSDT");
    intake = std::make_unique<stream::Intake>(board);
    backend.intake = intake.get();
    loop.start();
  }
  ~Sockets() override { service.reset(); }

  struct Guest {
    Told<std::string> frames;
    Told<net::WebSocketClosed> closed;
    std::unique_ptr<net::WebSocketClient> socket;
  };
  std::unique_ptr<Guest> connect(net::Headers headers = {},
                                 std::string_view target = "/v1/stream") {
    if (service == nullptr) start();
    auto guest = std::make_unique<Guest>();
    auto* told = guest.get();
    guest->socket = std::make_unique<net::WebSocketClient>(
        loop,
        net::WebSocketOptions{.url = fmt::format("ws://127.0.0.1:{}{}", service->port(), target),
                              .headers = std::move(headers)},
        net::WebSocketEvents{
            .on_frame = [told](std::string_view frame,
                               bool) { told->frames.tell(std::string(frame)); },
            .on_close = [told](const net::WebSocketClosed& closed) { told->closed.tell(closed); }});
    return guest;
  }
  void say(Guest& guest, std::string text, bool is_binary = false) {
    loop.call([&] { guest.socket->send(std::move(text), is_binary); });
  }
  void trade(std::uint64_t id) {
    intake->on_event(Trade{.origin = {.instrument = &instrument(0), .exchange_time = noon},
                           .id = id,
                           .price = testing::decimal("1.5"),
                           .size = testing::decimal("2")});
  }

  std::unique_ptr<stream::Intake> intake;
  net::Loop loop{"clients"};
};

constexpr std::string_view subscribe =
    R"({"method":"SUBSCRIBE","params":["binance:BTCUSDT@trade"],"id":1})";

TEST_F(Sockets, TellWhatHappens) {
  const auto guest = connect({{"Sec-WebSocket-Protocol", "other, candlewick.v1"}});
  EXPECT_THAT(guest->frames.wait_for(1).at(0), StartsWith(R"({"type":"hello","session":")"));
  say(*guest, std::string(subscribe));
  EXPECT_EQ(guest->frames.wait_for(2).at(1), R"({"result":null,"id":1})");
  EXPECT_EQ(guest->frames.wait_for(3).at(2),
            R"({"stream":"binance:BTC/USDT@trade","type":"snapshot","seq":0,"data":null})");
  trade(7);
  EXPECT_EQ(guest->frames.wait_for(4).at(3),
            R"({"stream":"binance:BTC/USDT@trade","type":"update","seq":1,"data":{"id":"7",)"
            R"("price":1.5,"size":2,"taker_side":"buy","exchange_time":"2024-05-01T12:00:00Z",)"
            R"("received_time":null}})");
}

TEST_F(Sockets, AreOnlyAtTheirAddressAndInTheirProtocol) {
  EXPECT_EQ(connect({{"Sec-WebSocket-Protocol", "graphql"}})->closed.wait_for_one().http_status,
            400);
  EXPECT_EQ(connect({}, "/v1/stream?symbol=x")->closed.wait_for_one().http_status, 400);
  EXPECT_EQ(connect({}, "/v1/streams")->closed.wait_for_one().http_status, 404);
  const Answer plain = get("/v1/stream");
  EXPECT_EQ(plain.status, 426);
  EXPECT_EQ(plain.member("code"), "upgrade_required");
  EXPECT_EQ(plain.headers.get("Upgrade"), "websocket");
}

TEST_F(Sockets, CloseClientsThatBreakALimit) {
  struct Case {
    std::string name;
    int code;
    std::function<void(Guest&)> breaks;
  };
  const std::vector<Case> cases{
      {"bytes", 1003, [this](Guest& guest) { say(guest, "x", true); }},
      {"too many messages", 1008,
       [this](Guest& guest) {
         for (int i = 0; i < 21; ++i) say(guest, "{}");
       }},
      {"a long message", 1009, [this](Guest& guest) { say(guest, std::string(70'000, ' ')); }},
      {"no UTF-8", 1007, [this](Guest& guest) { say(guest, "\xff\xfe"); }}};
  for (const auto& [name, code, breaks] : cases) {
    const auto guest = connect();
    guest->frames.wait_for(1);
    breaks(*guest);
    EXPECT_EQ(guest->closed.wait_for_one().close_code, code) << name;
  }
}

TEST_F(Sockets, TakeTenThousandNamesAsOneMistake) {
  const auto guest = connect();
  guest->frames.wait_for(1);
  std::string names;
  for (int i = 0; i < 2500; ++i) names += R"("binance:BTCUSDT@tick",)";
  say(*guest, R"({"method":"SUBSCRIBE","params":[)" + names + R"("x"],"id":1})");
  EXPECT_THAT(guest->frames.wait_for(2).at(1), HasSubstr("unknown_stream"));
}

TEST_F(Sockets, TellTheirClientsWhenTheServerEnds) {
  const auto guest = connect();
  guest->frames.wait_for(1);
  service->drain();
  EXPECT_EQ(guest->closed.wait_for_one().close_code, 1001);
}

// One that never reads loses events; it is the only one, and it is closed.
TEST_F(Sockets, LetNobodyWaitForAClientThatDoesNotRead) {
  options.server.write_timeout = std::chrono::milliseconds{300};
  start();
  RawClient silent(service->port(), 4096);
  silent.write(
      "GET /v1/stream HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");
  EXPECT_THAT(silent.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 101"));
  // Masked with zeros, so the text stands as it is.
  std::string frame = "\x81";
  frame += static_cast<char>(0x80U | subscribe.size());
  frame += std::string(4, '\0');
  frame += subscribe;
  silent.write(frame);
  const auto reader = connect();
  reader->frames.wait_for(1);
  say(*reader, std::string(subscribe));
  reader->frames.wait_for(3);
  // More than all the system's buffers and the queue hold together.
  constexpr std::uint64_t count = 60'000;
  constexpr std::uint64_t at_once = 1'000;
  for (std::uint64_t id = 1; id <= count; ++id) {
    trade(id);
    if (id % at_once == 0) reader->frames.wait_for(3 + id);
  }
  const auto frames = reader->frames.wait_for(3 + count);
  ASSERT_EQ(frames.size(), 3 + count);
  for (const auto& text : frames) ASSERT_THAT(text, ::testing::Not(HasSubstr("dropped")));
  EXPECT_THAT(frames.back(), HasSubstr(fmt::format(R"("seq":{},)", count)));
  // It is cut while it does not read: whoever begins to read has time again.
  EXPECT_TRUE(
      test::eventually([&] { return service->connections() == 1; }, std::chrono::seconds{30}));
  const std::string rest = silent.read_to_end();
  EXPECT_THAT(rest, HasSubstr("snapshot"));
  EXPECT_LT(rest.size(), 10U << 20U);
}

}  // namespace
}  // namespace candlewick::api
