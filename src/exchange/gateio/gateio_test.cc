// Gate.io's quirks, and what the recordings of 2021 and 2022 hold.
#include "exchange/gateio/gateio.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "exchange/reading.h"
#include "exchange/testing.h"

namespace candlewick::exchange::gateio {
namespace {

using namespace std::chrono_literals;

struct Decoding : VenueDecoding {
  Decoding() : VenueDecoding(gateio, {}, std::string(gateio.rest_url) + "/api/v4/") {}
};

Events events_of_the_recording(Decoding& decoding) {
  return decoding.events_of(
      "gateio/ws/v4-spot-trades-tickers-candlesticks-order_book_update-2021-04-22.jsonl.gz");
}

using Changes = std::map<const Instrument*, std::vector<BookUpdate>>;

Changes changes_in(const Events& events) {
  Changes changes;
  for (const auto& update : of_kind<BookUpdate>(events)) {
    if (update.kind == BookKind::delta) changes[update.origin.instrument].push_back(update);
  }
  return changes;
}

// Places where an update does not go on from the one before.
std::size_t holes_in(const std::vector<BookUpdate>& updates) {
  std::size_t holes = 0;
  for (std::size_t i = 1; i < updates.size(); ++i)
    holes += *updates[i].first_sequence == *updates[i - 1].sequence + 1 ? 0 : 1;
  return holes;
}

TEST(GateioRecording, NumbersItsBooksWithoutAHole) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  const auto events = events_of_the_recording(decoding);
  const auto changes = changes_in(events);
  EXPECT_EQ(changes.size(), 10U);
  std::size_t count = 0;
  for (const auto& [instrument, updates] : changes) {
    count += updates.size();
    EXPECT_EQ(holes_in(updates), 0U) << instrument->symbol;
  }
  EXPECT_EQ(count, 172U);
  EXPECT_EQ(of_kind<BookUpdate>(events).size() - count, 10U) << "snapshots by REST";
}

TEST(GateioRecording, ShowsEveryUpdateThatIsTakenOut) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  std::size_t tried = 0;
  for (const auto& [instrument, updates] : changes_in(events_of_the_recording(decoding))) {
    for (std::size_t lost = 1; lost + 1 < updates.size(); ++lost) {
      const std::vector<BookUpdate> around{updates[lost - 1], updates[lost + 1]};
      ASSERT_EQ(holes_in(around), 1U) << instrument->symbol << " " << *updates[lost].sequence;
      ++tried;
    }
  }
  EXPECT_GT(tried, 140U);
}

// Its candles have no volume in base units, which a candle must have.
TEST(GateioRecording, HoldsTradesAndTickersButNoWholeCandles) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  const auto events = events_of_the_recording(decoding);
  EXPECT_TRUE(of_kind<Candle>(events).empty());
  const auto tickers = of_kind<Ticker>(events);
  ASSERT_EQ(tickers.size(), 22U);
  EXPECT_EQ(to_rfc3339(*tickers.front().origin.exchange_time), "2021-04-22T12:12:13Z");
  const auto trades = of_kind<Trade>(events);
  ASSERT_EQ(trades.size(), 9U);
  EXPECT_EQ(trades.front().id, 816995772U);
  EXPECT_EQ(trades.front().taker_side, Side::sell);
  EXPECT_EQ(trades.front().size.to_string(), "0.201");
  EXPECT_EQ(to_rfc3339(*trades.front().origin.exchange_time), "2021-04-22T12:12:23.708264200Z");
  for (std::size_t i = 1; i < trades.size(); ++i) EXPECT_GT(trades[i].id, trades[i - 1].id);
}

TEST(GateioRecording, ListsThePairsOf2021) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  for (const auto& frame :
       test::read_frames(test::shared_data() / "gateio/rest/currency_pairs-2021-04-22.jsonl.gz")) {
    ASSERT_TRUE(decoding.run(
        {.text = frame.text, .url = frame.url, .received_time = {}, .is_reply = true}));
  }
  const auto* bitcoin = decoding.catalogue->find("BTC_USDT");
  ASSERT_NE(bitcoin, nullptr);
  EXPECT_TRUE(bitcoin->listed);
  EXPECT_EQ(bitcoin->symbol, "BTC/USDT");
  EXPECT_EQ(bitcoin->status, ListingStatus::trading);
  EXPECT_EQ(bitcoin->tick_size->to_string(), "0.01");
  EXPECT_EQ(bitcoin->step_size->to_string(), "0.0001");
  EXPECT_GT(decoding.catalogue->size(), 500U);
}

// Of futures nothing comes, nor of the format before v4, which Gate.io has switched off.
TEST(GateioMessages, OfSpotDecodeAndOthersArePassedOver) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  std::size_t told = 0;
  std::size_t retired = 0;
  for (const auto& frame :
       test::read_frames(test::shared_data() / "gateio/messages/samples-2021-2022.jsonl.gz")) {
    // Those of contracts are asked at other paths, and have levels of another form.
    const bool is_book = frame.text.starts_with("{\"current\"");
    if (frame.text.starts_with("[") || (is_book && frame.text.contains("\"s\":"))) continue;
    const auto events =
        is_book ? decoding.reply(frame.text, "spot/order_book?currency_pair=BTC_USDT&limit=5")
                : decoding.stream(frame.text);
    ASSERT_TRUE(events) << events.error().message << frame.text.substr(0, 200);
    const bool is_ours = is_book || frame.text.contains("\"spot.");
    EXPECT_EQ(events->size(), is_ours ? 1U : 0U) << frame.text.substr(0, 200);
    told += is_ours ? 1 : 0;
    retired += frame.text.contains("\"method\"") ? 1 : 0;
  }
  EXPECT_EQ(told, 7U);
  EXPECT_EQ(retired, 4U);
}

// The sample of 2022 has no flag: it is forming.
TEST(GateioMessages, ACandleIsClosedWhenItsWindowIs) {
  Decoding decoding;
  const auto candle = [&](std::string_view flag) {
    const auto events = decoding.stream(fmt::format(
        R"({{"time":1662803082,"channel":"spot.candlesticks","event":"update","result":{{"t":"1662803040","v":"3272.187909","c":"21342.41","h":"21352.26","l":"21342.41","o":"21352.26","n":"1m_BTC_USDT","a":"0.1533"{}}}}})",
        flag));
    EXPECT_TRUE(events);
    return std::get<Candle>(events->at(0));
  };
  EXPECT_FALSE(candle("").is_closed);
  EXPECT_FALSE(candle(R"(,"w":false)").is_closed);
  EXPECT_TRUE(candle(R"(,"w":true)").is_closed);
  EXPECT_TRUE(candle(R"(,"w":true)").closed_is_known);
  EXPECT_EQ(candle("").volume.to_string(), "0.1533");
  EXPECT_EQ(candle("").quote_volume->to_string(), "3272.187909");
}

TEST(GateioDecoder, HearsAcknowledgementsInSilenceAndRefusalsWithTheirReason) {
  Decoding decoding;
  for (
      const auto* text :
      {R"({"time":1763726400,"channel":"spot.trades","event":"subscribe","error":null,"result":{"status":"success"}})",
       R"({"time":1763726400,"channel":"spot.pong","event":"","result":null})",
       R"({"time":1763726400,"channel":"spot.new","event":"update","result":{}})"}) {
    const auto events = decoding.stream(text);
    ASSERT_TRUE(events) << text << events.error().message;
    EXPECT_TRUE(events->empty()) << text;
  }
  const auto refused = decoding.stream(
      R"({"time":1763726400,"channel":"spot.trades","event":"subscribe","error":{"code":2,"message":"unknown currency pair NO_SUCH"},"result":null})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::rejected);
  EXPECT_EQ(refused.error().message, "spot.trades: 2: unknown currency pair NO_SUCH");
}

TEST(GateioDecoder, TellsErrorsThatPassFromThoseThatStay) {
  Decoding decoding;
  const auto kind_of = [&](std::string_view text, int status) {
    const auto events = decoding.reply(text, "spot/time", status);
    EXPECT_FALSE(events);
    return events ? ErrorKind::misconfigured : events.error().kind;
  };
  EXPECT_EQ(kind_of(R"({"label":"TOO_MANY_REQUESTS","message":"slower"})", 429),
            ErrorKind::transient);
  EXPECT_EQ(kind_of(R"({"label":"TOO_BUSY","message":"busy"})", 400), ErrorKind::transient);
  EXPECT_EQ(kind_of(R"({"label":"INVALID_CURRENCY_PAIR","message":"no"})", 400),
            ErrorKind::rejected);
  EXPECT_EQ(kind_of("<html>", 403), ErrorKind::rejected);
  EXPECT_EQ(kind_of("<html>", 502), ErrorKind::transient);
  EXPECT_EQ(kind_of("<html>", 200), ErrorKind::malformed);
}

TEST(GateioSymbols, KnowAssetsByTheNamesOfTheMarket) {
  auto catalogue = make_catalogue(gateio);
  EXPECT_EQ(catalogue->find_or_infer("BTC_USDT")->symbol, "BTC/USDT");
  EXPECT_EQ(catalogue->find_or_infer("MM_USDT")->symbol, "MILLION/USDT");
  EXPECT_EQ(catalogue->find_or_infer("GTC_HT_ETH")->symbol, "GAMECOM_HT/ETH");
  EXPECT_EQ(catalogue->find_or_infer("BTCUSDT"), nullptr);
  EXPECT_EQ(catalogue->find_or_infer("_USDT"), nullptr);
  EXPECT_EQ(catalogue->find_or_infer("BTC_"), nullptr);
}

struct Refused {
  const char* name;
  const char* channel;
  const char* result;
  const char* mentions;
};
class AbsurdGateioFrames : public testing::TestWithParam<Refused> {};

TEST_P(AbsurdGateioFrames, AreRefusedWhole) {
  Decoding decoding;
  const auto events =
      decoding.stream(fmt::format(R"({{"channel":"spot.{}","event":"update","result":{}}})",
                                  GetParam().channel, GetParam().result));
  ASSERT_FALSE(events);
  EXPECT_NE(events.error().message.find(GetParam().mentions), std::string::npos)
      << events.error().message;
}

std::string name_of(const testing::TestParamInfo<Refused>& test) {
  return test.param.name;
}

INSTANTIATE_TEST_SUITE_P(
    GateioDecoder, AbsurdGateioFrames,
    testing::Values(
        Refused{
            "side", "trades",
            R"({"id":1,"create_time":1763726400,"side":"up","currency_pair":"A_B","amount":"1","price":"1"})",
            "neither buy nor sell"},
        Refused{
            "missing_price", "trades",
            R"({"id":1,"create_time":1763726400,"side":"buy","currency_pair":"A_B","amount":"1"})",
            "a trade has"},
        Refused{
            "time", "trades",
            R"({"id":1,"create_time_ms":"17637.1","side":"buy","currency_pair":"A_B","amount":"1","price":"1"})",
            "not a time"},
        Refused{"negative", "tickers", R"({"currency_pair":"A_B","last":"-1"})", "negative"},
        Refused{"short_candle", "candlesticks", R"({"n":"1m_A_B","t":"1763726400","a":"1"})",
                "a candle has"},
        Refused{"one_side", "order_book_update", R"({"s":"A_B","U":1,"u":1,"b":[]})",
                "changes have"},
        Refused{"pair", "tickers", R"({"currency_pair":"AB","last":"1"})",
                "unknown currency pair"}),
    name_of);

TEST(GateioRequests, CutARangeToWhatOneAnswerHolds) {
  auto catalogue = make_catalogue(gateio);
  const auto* bitcoin = catalogue->find_or_infer("BTC_USDT");
  const auto target = [&](RestQuery query) {
    query.instrument = bitcoin;
    const auto request = gateio.request(query);
    return request ? request->target : request.error().message;
  };
  const Time start = time_from_ms(1'763'726'400'000);
  EXPECT_EQ(target({.kind = RestKind::candles, .start = start}),
            "/api/v4/spot/candlesticks?currency_pair=BTC_USDT&interval=1m&from=1763726400"
            "&to=1763786399");
  // A start inside a minute asks for those that open after it.
  EXPECT_EQ(target({.kind = RestKind::candles, .start = start + Duration{1}, .end = start + 3min}),
            "/api/v4/spot/candlesticks?currency_pair=BTC_USDT&interval=1m&from=1763726460"
            "&to=1763726579");
  // No range ends in the future.
  EXPECT_EQ(target({.kind = RestKind::candles, .start = start, .now = start + 90s}),
            "/api/v4/spot/candlesticks?currency_pair=BTC_USDT&interval=1m&from=1763726400"
            "&to=1763726490");
  EXPECT_EQ(target({.kind = RestKind::candles, .start = start, .now = start - 1s}),
            "/api/v4/spot/candlesticks?currency_pair=BTC_USDT&interval=1m&from=1763726400"
            "&to=1763726400");
  EXPECT_EQ(target({.kind = RestKind::candles, .timeframe = Timeframe::d1, .limit = 5}),
            "/api/v4/spot/candlesticks?currency_pair=BTC_USDT&interval=1d&limit=5");
  EXPECT_EQ(target({.kind = RestKind::candles, .timeframe = Timeframe::w1}),
            "Gate.io has no candles of 1w");
  EXPECT_EQ(target({.kind = RestKind::depth, .limit = 1000}),
            "/api/v4/spot/order_book?currency_pair=BTC_USDT&limit=100&with_id=true");
}

// Page after page, each from the end of the one before, reaches every minute once.
TEST(GateioRequests, PageThroughHistoryWithoutAHole) {
  auto catalogue = make_catalogue(gateio);
  Time start = time_from_ms(1'763'726'400'000);
  for (int page = 0; page < 3; ++page) {
    const auto request = gateio.request({.kind = RestKind::candles,
                                         .instrument = catalogue->find_or_infer("BTC_USDT"),
                                         .start = start});
    ASSERT_TRUE(request);
    const auto from = std::stoll(parameter(request->target, "from"));
    const auto to = std::stoll(parameter(request->target, "to"));
    EXPECT_EQ(from, to_ms(start) / 1000);
    EXPECT_EQ(to + 1 - from, 1000 * 60);
    start = Time{std::chrono::seconds{to + 1}};
  }
}

TEST(GateioSubscriptions, GoOneByOne) {
  auto catalogue = make_catalogue(gateio);
  const auto* bitcoin = catalogue->find_or_infer("BTC_USDT");
  const std::vector<Channel> both{{.kind = ChannelKind::candles, .instrument = bitcoin},
                                  {.kind = ChannelKind::book, .instrument = bitcoin}};
  EXPECT_EQ(
      gateio.subscribe(both, 5),
      (std::vector<std::string>{
          R"({"id":5,"channel":"spot.candlesticks","event":"subscribe","payload":["1m","BTC_USDT"]})",
          R"({"id":6,"channel":"spot.order_book_update","event":"subscribe","payload":["BTC_USDT","100ms"]})"}));
  EXPECT_TRUE(gateio.unsubscribe(both, 7).back().contains(R"("event":"unsubscribe")"));
  EXPECT_EQ(gateio.stream_url("ws://host:1/", both), "ws://host:1/ws/v4/");
  EXPECT_EQ(gateio.heartbeat.text(3), R"({"id":3,"channel":"spot.ping"})");
}

}  // namespace
}  // namespace candlewick::exchange::gateio
