// KuCoin's token, its quirks, and what the recordings of 2021 to 2023 hold.
#include "exchange/kucoin/kucoin.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>

#include "exchange/reading.h"
#include "exchange/testing.h"

namespace candlewick::exchange::kucoin {
namespace {

using namespace std::chrono_literals;

struct Decoding : VenueDecoding {
  Decoding() : VenueDecoding(kucoin, {}, std::string(kucoin.rest_url)) {}
};

Events events_of_the_recording(Decoding& decoding) {
  return decoding.events_of("kucoin/ws/ticker-match-level2-candles-2021-04-25.jsonl.gz");
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

TEST(KucoinRecording, NumbersItsBooksWithoutAHole) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  const auto events = events_of_the_recording(decoding);
  const auto changes = changes_in(events);
  EXPECT_EQ(changes.size(), 9U);
  std::size_t count = 0;
  for (const auto& [instrument, updates] : changes) {
    count += updates.size();
    EXPECT_EQ(holes_in(updates), 0U) << instrument->symbol;
    for (const auto& update : updates) {
      EXPECT_TRUE(std::ranges::none_of(update.bids, &Decimal::is_zero, &Level::price));
      EXPECT_TRUE(std::ranges::none_of(update.asks, &Decimal::is_zero, &Level::price));
    }
  }
  EXPECT_EQ(count, 3853U);
  EXPECT_EQ(of_kind<BookUpdate>(events).size() - count, 9U) << "snapshots by REST";
}

TEST(KucoinRecording, ShowsEveryUpdateThatIsTakenOut) {
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
  EXPECT_EQ(tried, 3853U - 2 * 9);
}

TEST(KucoinRecording, HoldsTickersTradesAndForeignMinutes) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  const auto events = events_of_the_recording(decoding);
  EXPECT_EQ(of_kind<Ticker>(events).size(), 830U);
  const auto trades = of_kind<Trade>(events);
  ASSERT_EQ(trades.size(), 18U);
  EXPECT_EQ(trades.front().text_id, "6085c09769bc506996295e36");
  EXPECT_EQ(trades.front().taker_side, Side::buy);
  EXPECT_EQ(to_rfc3339(*trades.front().origin.exchange_time), "2021-04-25T19:18:47.739050725Z");
}

// A new minute is told by "add", the quiet one before it late and with no volume; nothing ever says
// that one is final.
TEST(KucoinRecording, CandlesAreFormingWhateverTheyAreCalled) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  const auto candles = of_kind<Candle>(events_of_the_recording(decoding));
  ASSERT_EQ(candles.size(), 6U);
  for (const auto& candle : candles) {
    EXPECT_TRUE(candle.closed_is_known);
    EXPECT_FALSE(candle.is_closed);
    EXPECT_EQ(candle.timeframe, Timeframe::m1);
    EXPECT_LE(candle.low, candle.high);
    EXPECT_TRUE(candle.low <= candle.open && candle.open <= candle.high);
    EXPECT_TRUE(candle.low <= candle.close && candle.close <= candle.high);
  }
  EXPECT_TRUE(candles[0].volume.is_zero());
  EXPECT_EQ(candles[0].end_time(), candles[1].open_time);
  EXPECT_EQ(candles[1].open_time, candles[2].open_time);
  EXPECT_LT(candles[1].volume, candles[2].volume);
}

TEST(KucoinRecording, ListsTheSymbolsOf2021) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  for (const auto& frame :
       test::read_frames(test::shared_data() / "kucoin/rest/symbols-2021-04-25.jsonl.gz")) {
    ASSERT_TRUE(decoding.run(
        {.text = frame.text, .url = frame.url, .received_time = {}, .is_reply = true}));
  }
  const auto* bitcoin = decoding.catalogue->find("BTC-USDT");
  ASSERT_NE(bitcoin, nullptr);
  EXPECT_TRUE(bitcoin->listed);
  EXPECT_EQ(bitcoin->symbol, "BTC/USDT");
  EXPECT_EQ(bitcoin->status, ListingStatus::trading);
  EXPECT_EQ(bitcoin->tick_size->to_string(), "0.1");
  EXPECT_EQ(bitcoin->step_size->to_string(), "0.00000001");
  EXPECT_GT(decoding.catalogue->size(), 300U);
  // Not what `baseCurrency` says, which changes when an asset is renamed.
  EXPECT_EQ(decoding.catalogue->find("BCHSV-USDT")->symbol, "BSV/USDT");
  EXPECT_EQ(decoding.catalogue->find("WAX-BTC")->symbol, "WAXP/BTC");
  EXPECT_EQ(decoding.catalogue->find("LOKI-BTC")->symbol, "LOKI/BTC");
  // A stream that comes before the list names the same.
  const auto unlisted = make_catalogue(kucoin);
  decoding.catalogue->each([&](const Instrument& listed) {
    EXPECT_EQ(unlisted->find_or_infer(listed.exchange_symbol)->symbol, listed.symbol);
  });
}

// Of other markets, and of single orders, nothing comes; and the candle of a week is not one of
// ours.
TEST(KucoinMessages, OfSpotDecodeAndOthersArePassedOver) {
  REQUIRE_SHARED_DATA();
  std::size_t told = 0;
  std::size_t silent = 0;
  for (const auto* file : {"market-samples-2023.jsonl.gz", "samples-2021-2022.jsonl.gz"}) {
    for (const auto& frame : test::read_frames(test::shared_data() / "kucoin/messages" / file)) {
      Decoding decoding;
      const bool is_reply = frame.text.starts_with("{\"code\"");
      // Those of contracts are asked of another host.
      if (is_reply && !frame.text.contains("\"time\":")) continue;
      const auto events =
          is_reply ? decoding.reply(frame.text, "/api/v1/market/orderbook/level2_100?symbol=A-B")
                   : decoding.stream(frame.text);
      ASSERT_TRUE(events) << events.error().message << frame.text.substr(0, 200);
      const bool is_ours =
          is_reply || !(frame.text.contains("/contractMarket/") ||
                        frame.text.contains("/spotMarket/level3") || frame.text.contains("_1week"));
      EXPECT_EQ(events->size(), is_ours ? 1U : 0U) << frame.text.substr(0, 200);
      ++(is_ours ? told : silent);
    }
  }
  EXPECT_EQ(told, 16U);
  EXPECT_EQ(silent, 23U);
}

constexpr std::string_view token_reply =
    R"({"code":"200000","data":{"token":"a+b==","instanceServers":[{"endpoint":"wss://push.kucoin.com/endpoint/","encrypt":true,"protocol":"websocket","pingInterval":5000,"pingTimeout":10000},{"endpoint":"wss://other","pingInterval":1000}]}})";

TEST(KucoinHandshake, TellsWhereToConnectAndHowOftenToPing) {
  const auto request = kucoin.handshake->request();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/api/v1/bullet-public");
  EXPECT_EQ(*kucoin.handshake->stream_url(token_reply, "", {}),
            "wss://push.kucoin.com/endpoint/?token=a%2Bb%3D%3D&connectId=candlewick");
  EXPECT_EQ(*kucoin.handshake->stream_url(token_reply, "ws://mine:1/", {}),
            "ws://mine:1/?token=a%2Bb%3D%3D&connectId=candlewick");
  EXPECT_EQ(kucoin.handshake->heartbeat(token_reply), Duration{5s});
  EXPECT_EQ(kucoin.heartbeat.text(7), R"({"id":"7","type":"ping"})");
}

// A venue that wants to hear little would take a quiet connection for alive longer than we do.
TEST(KucoinHandshake, PingsAtLeastAsOftenAsItMustHearAnAnswer) {
  EXPECT_EQ(kucoin.handshake->heartbeat(
                R"({"code":"200000","data":{"instanceServers":[{"pingInterval":50000}]}})"),
            Duration{18s});
  EXPECT_EQ(kucoin.handshake->heartbeat(R"({"code":"200000","data":{}})"), Duration{0});
  EXPECT_EQ(kucoin.handshake->heartbeat("<html>"), Duration{0});
  EXPECT_LT(kucoin.heartbeat.interval, kucoin.silence_limit);
}

TEST(KucoinHandshake, RefusesAnswersWithoutAToken) {
  const auto kind_of = [](std::string_view reply) {
    const auto url = kucoin.handshake->stream_url(reply, "", {});
    EXPECT_FALSE(url);
    return url ? ErrorKind::misconfigured : url.error().kind;
  };
  EXPECT_EQ(kind_of("<html>"), ErrorKind::malformed);
  EXPECT_EQ(kind_of(R"({"code":"200000","data":{"instanceServers":[]}})"), ErrorKind::malformed);
  EXPECT_EQ(kind_of(R"({"code":"200000","data":{"token":"a","instanceServers":[]}})"),
            ErrorKind::malformed);
  EXPECT_EQ(kind_of(R"({"code":"400001","msg":"no"})"), ErrorKind::rejected);
}

TEST(KucoinDecoder, HearsAcknowledgementsInSilenceAndRefusalsWithTheirReason) {
  Decoding decoding;
  for (const auto* text :
       {R"({"id":"hQvf8jkno","type":"welcome"})", R"({"id":"1","type":"ack"})",
        R"({"id":"1","type":"pong"})",
        R"({"type":"message","topic":"/market/somethingNew:A-B","subject":"x","data":{}})"}) {
    const auto events = decoding.stream(text);
    ASSERT_TRUE(events) << text << events.error().message;
    EXPECT_TRUE(events->empty()) << text;
  }
  const auto refused = decoding.stream(
      R"({"id":"8","type":"error","code":404,"data":"topic /market/match:NO-SUCH is not found"})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::rejected);
  EXPECT_EQ(refused.error().message, "404: topic /market/match:NO-SUCH is not found");
}

TEST(KucoinDecoder, TellsErrorsThatPassFromThoseThatStay) {
  Decoding decoding;
  const auto kind_of = [&](std::string_view text, int status) {
    const auto events = decoding.reply(text, "/api/v1/timestamp", status);
    EXPECT_FALSE(events);
    return events ? ErrorKind::misconfigured : events.error().kind;
  };
  EXPECT_EQ(kind_of(R"({"code":"429000","msg":"Too many requests"})", 429), ErrorKind::transient);
  EXPECT_EQ(kind_of(R"({"code":"500000","msg":"Internal Server Error"})", 200),
            ErrorKind::transient);
  EXPECT_EQ(kind_of(R"({"code":"400100","msg":"wrong"})", 200), ErrorKind::rejected);
  EXPECT_EQ(kind_of("<html>", 403), ErrorKind::rejected);
  EXPECT_EQ(kind_of("<html>", 502), ErrorKind::transient);
  EXPECT_EQ(kind_of("<html>", 200), ErrorKind::malformed);
  EXPECT_EQ(kind_of(R"({"code":"200000"})", 200), ErrorKind::malformed);
}

TEST(KucoinDecoder, ReadsTheTickersOfAllSymbolsWithTheTimeOfTheirList) {
  Decoding decoding;
  const std::string_view list =
      R"("ticker":[{"symbol":"KALT-USDT","symbolName":"ALT-USDT","buy":"1.1","bestBidSize":"3","sell":"1.2","bestAskSize":"4","changeRate":"0.05","changePrice":"0.05","high":"1.3","low":"1","vol":"20","volValue":"22.5","last":"1.15"},{"symbol":"NEW-USDT","buy":null,"sell":null,"last":null,"vol":"0","volValue":"0"}])";
  for (const auto& data : {fmt::format(R"({{"time":1602832092060,{}}})", list),
                           fmt::format(R"({{{},"time":1602832092060}})", list)}) {
    const auto events = decoding.reply(fmt::format(R"({{"code":"200000","data":{}}})", data),
                                       kucoin.all_tickers().target);
    ASSERT_TRUE(events) << events.error().message;
    const auto tickers = of_kind<Ticker>(*events);
    ASSERT_EQ(tickers.size(), 2U);
    EXPECT_EQ(tickers[0].origin.instrument->symbol, "ALT/USDT");
    EXPECT_EQ(tickers[0].origin.exchange_time, time_from_ms(1'602'832'092'060));
    EXPECT_EQ(tickers[0].last->to_string(), "1.15");
    EXPECT_EQ(tickers[0].quote_volume_24h->to_string(), "22.5");
    EXPECT_EQ(tickers[0].bid_size->to_string(), "3");
    EXPECT_EQ(tickers[0].change_pct_24h->to_string(), "5");
    EXPECT_FALSE(tickers[1].last);
  }
  EXPECT_FALSE(decoding.reply(R"({"code":"200000","data":{"time":1602832092060}})",
                              kucoin.all_tickers().target));
}

// One that is spelled in no way of ours keeps back no other.
TEST(KucoinDecoder, PassesOverASymbolThatIsNoPair) {
  Decoding decoding;
  const auto listed = decoding.reply(
      R"({"code":"200000","data":[{"symbol":"BTC-USDT-X","baseCurrency":"BTC","quoteCurrency":"USDT","enableTrading":true},{"symbol":"BTC-USDT","baseCurrency":"BTC","quoteCurrency":"USDT","enableTrading":true}]})",
      "/api/v2/symbols");
  ASSERT_TRUE(listed) << listed.error().message;
  EXPECT_EQ(listed->size(), 1U);
  EXPECT_FALSE(
      decoding.reply(R"({"code":"200000","data":[{"enableTrading":true}]})", "/api/v2/symbols"));
}

struct Refused {
  const char* name;
  const char* text;
  const char* mentions;
};
class AbsurdKucoinFrames : public testing::TestWithParam<Refused> {};

TEST_P(AbsurdKucoinFrames, AreRefusedWhole) {
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
    KucoinDecoder, AbsurdKucoinFrames,
    testing::Values(
        Refused{
            "side",
            R"({"type":"message","topic":"/market/match:A-B","data":{"symbol":"A-B","price":"1","size":"1","side":"up","time":"1729843222921000000","tradeId":"1"}})",
            "neither buy nor sell"},
        Refused{
            "missing_price",
            R"({"type":"message","topic":"/market/match:A-B","data":{"symbol":"A-B","size":"1","side":"buy","time":"1729843222921000000","tradeId":"1"}})",
            "a trade has"},
        Refused{"negative",
                R"({"type":"message","topic":"/market/ticker:A-B","data":{"price":"-1"}})",
                "negative"},
        Refused{
            "time",
            R"({"type":"message","topic":"/market/candles:A-B_1min","data":{"candles":["12","1","1","1","1","1","1"]}})",
            "not a time"},
        Refused{
            "short_candle",
            R"({"type":"message","topic":"/market/candles:A-B_1min","data":{"candles":["1729839600","1","1","1","1"]}})",
            "7 columns"},
        Refused{
            "one_side",
            R"({"type":"message","topic":"/market/level2:A-B","data":{"changes":{"bids":[]},"sequenceStart":1,"sequenceEnd":1}})",
            "changes have"},
        Refused{"symbol", R"({"type":"message","topic":"/market/ticker:AB","data":{"price":"1"}})",
                "unknown symbol"}),
    name_of);

TEST(KucoinRequests, CutARangeToWhatOneAnswerHolds) {
  auto catalogue = make_catalogue(kucoin);
  const auto* bitcoin = catalogue->find_or_infer("BTC-USDT");
  const auto target = [&](RestQuery query) {
    query.instrument = bitcoin;
    const auto request = kucoin.request(query);
    return request ? request->target : request.error().message;
  };
  const Time start = time_from_ms(1'763'726'400'000);
  EXPECT_EQ(target({.kind = RestKind::candles, .start = start}),
            "/api/v1/market/candles?symbol=BTC-USDT&type=1min&startAt=1763726400"
            "&endAt=1763816399");
  // A start inside a minute asks for those that open after it.
  EXPECT_EQ(target({.kind = RestKind::candles, .start = start + Duration{1}, .end = start + 3min}),
            "/api/v1/market/candles?symbol=BTC-USDT&type=1min&startAt=1763726460"
            "&endAt=1763726579");
  EXPECT_EQ(target({.kind = RestKind::candles, .timeframe = Timeframe::d1}),
            "/api/v1/market/candles?symbol=BTC-USDT&type=1day");
  EXPECT_EQ(target({.kind = RestKind::candles, .timeframe = Timeframe::w1}),
            "KuCoin has no candles of 1w");
  EXPECT_EQ(target({.kind = RestKind::depth, .limit = 1000}),
            "/api/v1/market/orderbook/level2_100?symbol=BTC-USDT");
  EXPECT_EQ(target({.kind = RestKind::depth, .limit = 5}),
            "/api/v1/market/orderbook/level2_20?symbol=BTC-USDT");
}

// Page after page, each from the end of the one before, reaches every minute once.
TEST(KucoinRequests, PageThroughHistoryWithoutAHole) {
  auto catalogue = make_catalogue(kucoin);
  Time start = time_from_ms(1'763'726'400'000);
  for (int page = 0; page < 3; ++page) {
    const auto request = kucoin.request({.kind = RestKind::candles,
                                         .instrument = catalogue->find_or_infer("BTC-USDT"),
                                         .start = start});
    ASSERT_TRUE(request);
    const auto from = std::stoll(parameter(request->target, "startAt"));
    const auto to = std::stoll(parameter(request->target, "endAt"));
    EXPECT_EQ(from, to_ms(start) / 1000);
    EXPECT_EQ(to + 1 - from, 1500 * 60);
    start = Time{std::chrono::seconds{to + 1}};
  }
}

TEST(KucoinSubscriptions, GoOneByOne) {
  auto catalogue = make_catalogue(kucoin);
  const auto* bitcoin = catalogue->find_or_infer("BTC-USDT");
  const std::vector<Channel> both{{.kind = ChannelKind::candles, .instrument = bitcoin},
                                  {.kind = ChannelKind::book, .instrument = bitcoin}};
  EXPECT_EQ(
      kucoin.subscribe(both, 5),
      (std::vector<std::string>{
          R"({"id":"5","type":"subscribe","topic":"/market/candles:BTC-USDT_1min","privateChannel":false,"response":true})",
          R"({"id":"6","type":"subscribe","topic":"/market/level2:BTC-USDT","privateChannel":false,"response":true})"}));
  EXPECT_TRUE(kucoin.unsubscribe(both, 7).back().starts_with(R"({"id":"8","type":"unsubscribe")"));
}

// REST has them.
TEST(KucoinSubscriptions, AskForNoCandlesOfFiveMinutes) {
  auto catalogue = make_catalogue(kucoin);
  const std::array<Timeframe, 2> timeframes{Timeframe::m1, Timeframe::m5};
  std::vector<Timeframe> asked;
  for (const auto& channel :
       usual_channels(kucoin, *catalogue->find_or_infer("BTC-USDT"), timeframes, false)) {
    if (channel.kind == ChannelKind::candles) asked.push_back(channel.timeframe);
  }
  EXPECT_EQ(asked, std::vector{Timeframe::m1});
  EXPECT_TRUE(kucoin.request({.kind = RestKind::candles,
                              .instrument = catalogue->find("BTC-USDT"),
                              .timeframe = Timeframe::m5}));
}

}  // namespace
}  // namespace candlewick::exchange::kucoin
