// Bybit's quirks and its recordings. Those of 2021 are of the formats before v5, which Bybit has
// switched off (on 2023-08-31 and before): they are passed over.
#include "exchange/bybit/bybit.h"

#include <gtest/gtest.h>

#include <set>

#include "exchange/registry.h"
#include "market/event_json.h"
#include "test/support/frames.h"
#include "test/support/shared_data.h"

namespace candlewick::exchange::bybit {
namespace {

struct Decoding {
  std::unique_ptr<Catalogue> catalogue = make_catalogue(bybit);
  std::unique_ptr<Decoder> decoder = bybit.make_decoder(*catalogue);

  Result<Events> stream(std::string_view text) {
    return run({.text = text, .url = bybit.ws_url, .received_time = {}});
  }
  Result<Events> reply(std::string_view text, std::string_view path, int status = 200) {
    const std::string url = std::string(bybit.rest_url) + "/v5/market/" + std::string(path);
    return run(
        {.text = text, .url = url, .received_time = {}, .is_reply = true, .http_status = status});
  }
  Result<Events> run(const Frame& frame) {
    Events events;
    auto decoded = decoder->decode(frame, events);
    if (!decoded) return fail(decoded.error());
    return events;
  }
};

std::vector<BookUpdate> recorded_books() {
  Decoding decoding;
  std::vector<BookUpdate> books;
  for (const auto& frame : test::read_frames(
           test::shared_data() / "bybit/ws/v5-orderbook500-xrpusdt-2024-12-01.jsonl.gz")) {
    auto events = decoding.stream(frame.text);
    EXPECT_TRUE(events) << frame.text.substr(0, 200);
    if (events) books.push_back(std::get<BookUpdate>(events->front()));
    books.back().origin.instrument = nullptr;  // of a catalogue that is gone
  }
  return books;
}

TEST(BybitRecording, NumbersFollowEachOtherAndAHoleShows) {
  REQUIRE_SHARED_DATA();
  const auto books = recorded_books();
  ASSERT_EQ(books.size(), 50U);
  EXPECT_EQ(books[0].kind, BookKind::snapshot);
  EXPECT_EQ(books[0].bids.size(), 500U);
  EXPECT_EQ(books[0].price_digits, 4);
  for (std::size_t i = 1; i < books.size(); ++i) {
    EXPECT_EQ(books[i].kind, BookKind::delta);
    EXPECT_EQ(*books[i].sequence, *books[i - 1].sequence + 1);
    EXPECT_TRUE(books[i].origin.exchange_time);
  }
  // With any line taken out, the one after it does not follow.
  for (std::size_t lost = 1; lost + 1 < books.size(); ++lost)
    EXPECT_NE(*books[lost + 1].sequence, *books[lost - 1].sequence + 1);
  EXPECT_EQ(bybit.book_rule, BookRule::stream_consecutive);
}

TEST(BybitRecording, OfFormatsBeforeVersion5IsPassedOver) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  for (const auto* file : {"bybit/ws/legacy-inverse-trade-orderBookL2_25-2021-04-17.jsonl.gz",
                           "bybit/messages/samples-2021-2022.jsonl.gz"}) {
    for (const auto& frame : test::read_frames(test::shared_data() / file)) {
      if (frame.text.starts_with("{\"ret_code\"")) continue;  // replies of the old REST
      const auto events = decoding.stream(frame.text);
      ASSERT_TRUE(events) << events.error().message << frame.text.substr(0, 200);
      EXPECT_TRUE(events->empty()) << frame.text.substr(0, 200);
    }
  }
}

// No category is in the messages: these symbols are futures' and options'.
bool is_of_another_market(const std::string& text) {
  for (const auto* name : {"BTCUSD\"", "BTCPERP", "BTCUSDU23", "BTC-28JUN24", "XRPUSD\""}) {
    if (text.find(name) != std::string::npos) return true;
  }
  return false;
}

TEST(BybitMessages, OfSpotDecode) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  std::multiset<std::string> kinds;
  for (const auto* file : {"bybit/messages/v5-public-samples-2023.jsonl.gz",
                           "bybit/messages/v5-tickers-samples-2024.jsonl.gz"}) {
    for (const auto& frame : test::read_frames(test::shared_data() / file)) {
      if (is_of_another_market(frame.text)) continue;
      const auto events = decoding.stream(frame.text);
      ASSERT_TRUE(events) << events.error().message << frame.text.substr(0, 200);
      for (const auto& event : *events) {
        const auto text = to_json(event);
        kinds.insert(text.substr(0, text.find(',')));
      }
    }
  }
  EXPECT_EQ(kinds.count(R"({"type":"trade")"), 6U);
  EXPECT_EQ(kinds.count(R"({"type":"quote")"), 2U);
  EXPECT_EQ(kinds.count(R"({"type":"book")"), 2U);
  EXPECT_EQ(kinds.count(R"({"type":"ticker")"), 3U);
}

TEST(BybitMessages, DocumentedOnesDecodeToo) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  std::size_t events_seen = 0;
  for (const auto& frame :
       test::read_frames(test::shared_data() / "bybit/documented/shapes-not-recorded.jsonl.gz")) {
    if (is_of_another_market(frame.text) || frame.text.find("BTC-6JAN23") != std::string::npos)
      continue;
    if (frame.text.find("\"success\":false") != std::string::npos) {
      EXPECT_FALSE(decoding.stream(frame.text));
      continue;
    }
    const bool is_reply = frame.text.find("\"retCode\"") != std::string::npos;
    const bool is_linear = frame.text.find("LinearPerpetual") != std::string::npos;
    const std::string path =
        frame.text.find("\"baseCoin\"") != std::string::npos
            ? fmt::format("instruments-info?category={}", is_linear ? "linear" : "spot")
        : frame.text.find("\"execId\"") != std::string::npos ? "recent-trade?symbol=BTCUSDT"
        : frame.text.find("\"s\":") != std::string::npos     ? "orderbook?symbol=BTCUSDT"
                                                             : "kline?symbol=BTCUSDT&interval=1";
    const auto events = is_reply ? decoding.reply(frame.text, path) : decoding.stream(frame.text);
    ASSERT_TRUE(events) << events.error().message << frame.text.substr(0, 200);
    events_seen += events->size();
  }
  EXPECT_GT(events_seen, 6U);
  EXPECT_EQ(decoding.catalogue->find("AAPLUSDT")->symbol, "AAPL/USDT");
}

TEST(BybitDecoder, MakesPercentOfAFraction) {
  Decoding decoding;
  const auto events = decoding.stream(
      R"({"topic":"tickers.BTCUSDT","ts":1673853746003,"type":"snapshot","data":{"symbol":"BTCUSDT","lastPrice":"21109.77","price24hPcnt":"-0.0196"}})");
  ASSERT_TRUE(events);
  EXPECT_EQ(std::get<Ticker>(events->front()).change_pct_24h->to_string(), "-1.96");
}

TEST(BybitDecoder, ARestartedServiceBeginsANewBook) {
  Decoding decoding;
  const auto events = decoding.stream(
      R"({"topic":"orderbook.200.BTCUSDT","type":"delta","ts":1673853746003,"data":{"s":"BTCUSDT","b":[["1","1"]],"a":[["2","1"]],"u":1,"seq":5}})");
  ASSERT_TRUE(events);
  EXPECT_EQ(std::get<BookUpdate>(events->front()).kind, BookKind::snapshot);
}

TEST(BybitDecoder, KeepsTheNumberThatOrdersQuotesOverRestarts) {
  Decoding decoding;
  const auto events = decoding.stream(
      R"({"topic":"orderbook.1.BTCUSDT","type":"snapshot","ts":1673853746003,"data":{"s":"BTCUSDT","b":[["1","1"]],"a":[["2","1"]],"u":1,"seq":77},"cts":1673853746001})");
  ASSERT_TRUE(events);
  const auto& quote = std::get<Quote>(events->front());
  EXPECT_EQ(quote.sequence, 77U);
  EXPECT_EQ(to_ms(*quote.origin.exchange_time), 1673853746001);
}

TEST(BybitDecoder, TellsErrorsThatPassFromThoseThatStay) {
  Decoding decoding;
  const auto kind_of = [&](std::string_view text, int status) {
    const auto events = decoding.reply(text, "time", status);
    EXPECT_FALSE(events);
    return events ? ErrorKind::misconfigured : events.error().kind;
  };
  EXPECT_EQ(kind_of(R"({"retCode":10006,"retMsg":"Too many visits!","result":{}})", 200),
            ErrorKind::transient);
  EXPECT_EQ(kind_of(R"({"retCode":10001,"retMsg":"Not supported symbols","result":{}})", 200),
            ErrorKind::rejected);
  EXPECT_EQ(kind_of("access too frequent", 403), ErrorKind::rejected);
  EXPECT_EQ(kind_of("<html>", 200), ErrorKind::malformed);
  EXPECT_EQ(kind_of(R"({"retCode":0,"retMsg":"OK","result":{}})", 200), ErrorKind::malformed);
}

TEST(BybitDecoder, NamesTheTopicThatWasRefused) {
  Decoding decoding;
  const auto events = decoding.stream(
      R"({"success":false,"ret_msg":"error:handler not found","conn_id":"x","req_id":"kline.1.NOSUCH","op":"subscribe"})");
  ASSERT_FALSE(events);
  EXPECT_EQ(events.error().kind, ErrorKind::rejected);
  EXPECT_EQ(events.error().message, "kline.1.NOSUCH: error:handler not found");
}

struct Refused {
  const char* name;
  const char* text;
  const char* mentions;
};
class AbsurdBybitFrames : public testing::TestWithParam<Refused> {};

TEST_P(AbsurdBybitFrames, AreRefusedWhole) {
  Decoding decoding;
  const auto events = decoding.stream(GetParam().text);
  ASSERT_FALSE(events);
  EXPECT_NE(events.error().message.find(GetParam().mentions), std::string::npos)
      << events.error().message;
}

std::string name_of(const testing::TestParamInfo<Refused>& test) {
  return test.param.name;
}

INSTANTIATE_TEST_SUITE_P(
    BybitDecoder, AbsurdBybitFrames,
    testing::Values(
        Refused{"symbol", R"({"topic":"publicTrade.NOSUCHQUOTE","ts":1673853746003,"data":[]})",
                "NOSUCHQUOTE"},
        Refused{
            "side",
            R"({"topic":"publicTrade.BTCUSDT","ts":1673853746003,"data":[{"i":"1","T":1673853746003,"p":"1","v":"1","S":"Up"}]})",
            "neither Buy nor Sell"},
        Refused{
            "cut_time",
            R"({"topic":"tickers.BTCUSDT","type":"snapshot","ts":171575661221,"data":{"symbol":"BTCUSDT"}})",
            "ts is missing or no time"},
        Refused{
            "kline",
            R"({"topic":"kline.1.BTCUSDT","ts":1673853746003,"data":[{"start":1672324800000,"open":"1"}]})",
            "a kline lacks"},
        Refused{
            "no_number",
            R"({"topic":"orderbook.50.BTCUSDT","type":"delta","ts":1673853746003,"data":{"b":[],"a":[]}})",
            "b, a and u"},
        Refused{"no_data", R"({"topic":"kline.1.BTCUSDT","ts":1673853746003})", "data is missing"}),
    name_of);

TEST(BybitRequests, CutARangeToWhatOneAnswerHolds) {
  auto catalogue = make_catalogue(bybit);
  const auto* bitcoin = catalogue->find_or_infer("BTCUSDT");
  const auto target = [&](RestQuery query) {
    query.instrument = bitcoin;
    const auto request = bybit.request(query);
    return request ? request->target : request.error().message;
  };
  const Time start = time_from_ms(1'763'726'400'000);
  EXPECT_EQ(target({.kind = RestKind::candles, .start = start}),
            "/v5/market/kline?category=spot&symbol=BTCUSDT&interval=1&start=1763726400000"
            "&end=1763786399999&limit=1000");
  EXPECT_EQ(target({.kind = RestKind::candles,
                    .timeframe = Timeframe::h1,
                    .start = start,
                    .end = start + std::chrono::hours{2},
                    .limit = 10}),
            "/v5/market/kline?category=spot&symbol=BTCUSDT&interval=60&start=1763726400000"
            "&end=1763733599999&limit=10");
  EXPECT_EQ(target({.kind = RestKind::candles, .timeframe = Timeframe::s1}),
            "Bybit has no candles of 1s");
  EXPECT_EQ(target({.kind = RestKind::trades, .limit = 500}),
            "/v5/market/recent-trade?category=spot&symbol=BTCUSDT&limit=60");
}

TEST(BybitSubscriptions, GoOneByOneAndCarryTheirTopicAsId) {
  auto catalogue = make_catalogue(bybit);
  const auto* bitcoin = catalogue->find_or_infer("BTCUSDT");
  const std::vector<Channel> channels{
      {.kind = ChannelKind::book, .instrument = bitcoin},
      {.kind = ChannelKind::candles, .timeframe = Timeframe::h2, .instrument = bitcoin}};
  EXPECT_EQ(bybit.stream_url("wss://host/", channels), "wss://host/v5/public/spot");
  EXPECT_EQ(
      bybit.subscribe(channels, 1),
      (std::vector<std::string>{
          R"({"req_id":"orderbook.200.BTCUSDT","op":"subscribe","args":["orderbook.200.BTCUSDT"]})",
          R"({"req_id":"kline.120.BTCUSDT","op":"subscribe","args":["kline.120.BTCUSDT"]})"}));
  EXPECT_EQ(
      bybit.unsubscribe({channels.data(), 1}, 1).front(),
      R"({"req_id":"orderbook.200.BTCUSDT","op":"unsubscribe","args":["orderbook.200.BTCUSDT"]})");
}

TEST(BybitRefusals, NameTheSettingToChange) {
  EXPECT_NE(bybit.explain_status(403).find("CANDLEWICK_BYBIT_BASE_URL"), std::string::npos);
  EXPECT_EQ(bybit.explain_status(200), "");
}

}  // namespace
}  // namespace candlewick::exchange::bybit
