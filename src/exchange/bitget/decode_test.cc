// Bitget's quirks, and what of it is passed over.
#include <gtest/gtest.h>

#include "exchange/bitget/testing.h"

namespace candlewick::exchange::bitget {
namespace {

// v1 was switched off; nobody can receive these any more.
TEST(BitgetRecording, OfTheRetiredV1IsPassedOver) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  std::size_t frames = 0;
  for (const auto& frame : test::read_frames(test::shared_data() / recorded_v1)) {
    const auto events = decoding.stream(frame.text);
    ASSERT_TRUE(events) << events.error().message << frame.text.substr(0, 200);
    EXPECT_TRUE(events->empty()) << frame.text.substr(0, 200);
    ++frames;
  }
  EXPECT_EQ(frames, 746U);
}

// All of them are of v1 or of formats before it: "sp" and "mc" for instType, "table" for channel,
// replies to other paths.
TEST(BitgetMessages, OfRetiredFormatsArePassedOver) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  std::size_t messages = 0;
  for (const auto& frame :
       test::read_frames(test::shared_data() / "bitget/messages/samples-2021-2022.jsonl.gz")) {
    const auto events = decoding.stream(frame.text);
    ASSERT_TRUE(events) << events.error().message << frame.text.substr(0, 200);
    EXPECT_TRUE(events->empty()) << frame.text.substr(0, 200);
    ++messages;
  }
  EXPECT_GT(messages, 30U);
}

TEST(BitgetDecoder, HearsPongsAndAcknowledgementsInSilence) {
  Decoding decoding;
  for (
      const auto* text :
      {"pong", R"({"event":"subscribe","arg":{"instType":"SPOT","channel":"x","instId":"A"}})",
       R"({"action":"snapshot","arg":{"instType":"SPOT","channel":"auction","instId":"A"},"data":[{}],"ts":1700000001000})",
       R"({"action":"update","arg":{"instType":"SPOT","channel":"candle3Dutc","instId":"A"},"data":[["1"]],"ts":1700000001000})"}) {
    const auto events = decoding.stream(text);
    ASSERT_TRUE(events) << text << ": " << events.error().message;
    EXPECT_TRUE(events->empty()) << text;
  }
}

TEST(BitgetDecoder, PassesOverSymbolsOfAListThatItCannotTakeApart) {
  Decoding decoding;
  const auto events = decoding.reply(
      R"({"code":"00000","msg":"success","requestTime":1,"data":[{"symbol":"NOSUCHQUOTE","lastPr":"1"},{"symbol":"BTCUSDT","lastPr":"2","quoteVolume":"7"}]})",
      "spot/market/tickers");
  ASSERT_TRUE(events) << events.error().message;
  ASSERT_EQ(events->size(), 1U);
  EXPECT_EQ(std::get<Ticker>(events->front()).origin.instrument->symbol, "BTC/USDT");
}

TEST(BitgetDecoder, NamesTheChannelOfARefusal) {
  Decoding decoding;
  const auto refused = decoding.stream(
      R"({"event":"error","arg":{"instType":"SPOT","channel":"candle1m","instId":"NOSUCH"},"code":30001,"msg":"doesn't exist","op":"subscribe"})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::rejected);
  EXPECT_EQ(refused.error().message, "30001: doesn't exist (candle1m NOSUCH)");
}

TEST(BitgetDecoder, TellsRefusalsThatPassFromThoseThatStay) {
  Decoding decoding;
  const auto kind = [&](std::string_view text, int status) {
    const auto events =
        decoding.reply(text, "spot/market/candles?symbol=BTCUSDT&granularity=1min", status);
    return events ? std::string("none") : std::string(to_text(events.error().kind));
  };
  EXPECT_EQ(kind(R"({"code":"40034","msg":"Parameter does not exist","data":null})", 400),
            "rejected");
  EXPECT_EQ(kind(R"({"code":"40010","msg":"Request timed out","data":null})", 400), "transient");
  EXPECT_EQ(kind(R"({"code":"429","msg":"Too Many Requests"})", 429), "transient");
  EXPECT_EQ(kind("<html>502</html>", 502), "rejected");
  EXPECT_EQ(kind("{\"code\":", 400), "transient");
  EXPECT_EQ(kind("<html>", 200), "malformed");
}

TEST(BitgetDecoder, KeepsOfANewSubscriptionsCandlesTheRunningOneAlone) {
  Decoding decoding;
  const auto events = decoding.stream(
      R"({"action":"snapshot","arg":{"instType":"SPOT","channel":"candle1m","instId":"BTCUSDT"},"data":[["1700000040000","2","2","2","2","3","6","6"],["1699999980000","1","1","1","1","5","5","5"]],"ts":1700000041000})");
  ASSERT_TRUE(events);
  ASSERT_EQ(events->size(), 1U);
  const auto& candle = std::get<Candle>(events->front());
  EXPECT_EQ(to_ms(candle.open_time), 1700000040000);
  EXPECT_FALSE(candle.is_closed);
  EXPECT_EQ(to_ms(*candle.origin.exchange_time), 1700000041000);
}

TEST(BitgetDecoder, NamesTheUpdateBeforeWhereTheVenueDoes) {
  Decoding decoding;
  const auto before = [&](std::string_view numbers) {
    const auto events = decoding.stream(fmt::format(
        R"({{"action":"update","arg":{{"instType":"SPOT","channel":"books","instId":"BTCUSDT"}},"data":[{{"asks":[],"bids":[["1","2"]],"checksum":0,{},"ts":"1700000000000"}}],"ts":1700000000001}})",
        numbers));
    return std::get<BookUpdate>(events->front()).previous_sequence;
  };
  EXPECT_EQ(before(R"("pseq":1343064377779269000,"seq":"1343064377779269632")"),
            1343064377779269000U);
  EXPECT_EQ(before(R"("seq":7,"pseq":"5")"), 5U);
  EXPECT_EQ(before(R"("seq":7,"pseq":0)"), std::nullopt);
  EXPECT_EQ(before(R"("seq":7)"), std::nullopt);
}

TEST(BitgetDecoder, RemembersTheDigitsThatABookIsWrittenWith) {
  Decoding decoding;
  const auto book = [&](std::string_view action, std::string_view bids) {
    const auto events = decoding.stream(fmt::format(
        R"({{"action":"{}","arg":{{"instType":"SPOT","channel":"books","instId":"BTCUSDT"}},"data":[{{"asks":[],"bids":{},"checksum":5,"seq":7,"ts":"1700000000000"}}],"ts":1700000000001}})",
        action, bids));
    return std::get<BookUpdate>(events->front());
  };
  EXPECT_EQ(book("snapshot", R"([["1.50","2.1230"]])").size_digits, 4);
  const auto gone = book("update", R"([["1.50","0"]])");
  EXPECT_EQ(gone.size_digits, 4);
  EXPECT_EQ(gone.price_digits, 2);
  EXPECT_EQ(gone.checksum, 5U);
}

}  // namespace
}  // namespace candlewick::exchange::bitget
