// Kraken's quirks, and its real recordings. Books are rebuilt from them, checksums and all, in
// pipeline/book_recordings_test.cc.
#include "exchange/kraken/kraken.h"

#include <gtest/gtest.h>

#include "exchange/kraken/symbols.h"
#include "exchange/registry.h"
#include "test/support/frames.h"
#include "test/support/shared_data.h"

namespace candlewick::exchange::kraken {
namespace {

using namespace std::chrono_literals;

struct Decoding {
  std::unique_ptr<Catalogue> catalogue = make_catalogue(kraken);
  std::unique_ptr<Decoder> decoder = kraken.make_decoder(*catalogue);

  Result<Events> stream(std::string_view text) {
    return run({.text = text, .url = "wss://ws.kraken.com/v2", .received_time = {}});
  }
  Result<Events> reply(std::string_view text, std::string_view url) {
    return run({.text = text, .url = url, .received_time = {}, .is_reply = true});
  }
  Result<Events> run(const Frame& frame) {
    Events events;
    auto decoded = decoder->decode(frame, events);
    if (!decoded) return fail(decoded.error());
    return events;
  }
};

std::vector<Level> levels(std::initializer_list<std::pair<const char*, const char*>> pairs) {
  std::vector<Level> made;
  for (const auto& [price, size] : pairs)
    made.push_back({*Decimal::parse(price), *Decimal::parse(size)});
  return made;
}

TEST(KrakenChecksum, IsThatOfTheVenuesOwnExample) {
  const auto asks = levels({{"45285.2", "0.00100000"},
                            {"45286.4", "1.54571953"},
                            {"45286.6", "1.54571109"},
                            {"45289.6", "1.54560911"},
                            {"45290.2", "0.15890660"},
                            {"45291.8", "1.54553491"},
                            {"45294.7", "0.04454749"},
                            {"45296.1", "0.35380000"},
                            {"45297.5", "0.09945542"},
                            {"45299.5", "0.18772827"}});
  const auto bids = levels({{"45283.5", "0.10000000"},
                            {"45283.4", "1.54582015"},
                            {"45282.1", "0.10000000"},
                            {"45281.0", "0.10000000"},
                            {"45280.3", "1.54592586"},
                            {"45279.0", "0.07990000"},
                            {"45277.6", "0.03310103"},
                            {"45277.5", "0.30000000"},
                            {"45277.3", "1.54602737"},
                            {"45276.6", "0.15445238"}});
  EXPECT_EQ(checksum(bids, asks, 1, 8), 3310070434U);
  EXPECT_NE(checksum(bids, asks, 1, 7), 3310070434U);
  EXPECT_NE(checksum(asks, bids, 1, 8), 3310070434U);
}

TEST(KrakenSymbols, AreOneWhateverTheInterfaceCallsThem) {
  EXPECT_EQ(v2_symbol("XBT/USD"), "BTC/USD");
  EXPECT_EQ(v2_symbol("ETH/XBT"), "ETH/BTC");
  EXPECT_EQ(rest_pair("DOGE/USD"), "XDGUSD");
  EXPECT_EQ(rest_pair("ETH/BTC"), "ETHXBT");
  for (const bool is_known : {true, false}) {
    auto catalogue = make_catalogue(kraken);
    if (is_known) {
      for (const auto* symbol : {"BTC/USD", "DOGE/USD", "ZETA/EUR", "ETH/BTC", "USDT/USD"})
        ASSERT_NE(catalogue->find_or_infer(symbol), nullptr);
    }
    for (const auto& [pair, symbol] :
         {std::pair{"XBTUSD", "BTC/USD"}, std::pair{"XXBTZUSD", "BTC/USD"},
          std::pair{"XBT/USD", "BTC/USD"}, std::pair{"XDGUSD", "DOGE/USD"},
          std::pair{"ZETAEUR", "ZETA/EUR"}, std::pair{"ETHXBT", "ETH/BTC"},
          std::pair{"USDTUSD", "USDT/USD"}}) {
      const auto* instrument = instrument_of_pair(*catalogue, pair);
      ASSERT_NE(instrument, nullptr) << pair;
      EXPECT_EQ(instrument->symbol, symbol) << is_known;
    }
    EXPECT_EQ(instrument_of_pair(*catalogue, "WHATISTHIS"), nullptr);
    EXPECT_EQ(instrument_of_pair(*catalogue, ""), nullptr);
  }
}

// Kraken Futures is another venue with another protocol.
bool is_of_futures(std::string_view text) {
  return text.contains("\"feed\":\"") || text.contains("\"orderBook\"");
}

TEST(KrakenRecordings, DecodeWithoutAnErrorAndAllThatTheyTell) {
  REQUIRE_SHARED_DATA();
  struct Counts {
    std::size_t books = 0, quotes = 0, tickers = 0, trades = 0, candles = 0, listings = 0;
    auto operator<=>(const Counts&) const = default;
  };
  struct Recording {
    const char* file;
    Counts counts;
  };
  for (const auto& [file, wanted] :
       {Recording{"ws/v1-book1000-2021-04-05.jsonl.zst", {.books = 14'506}},
        Recording{"ws/v1-ticker-2021-04-05.jsonl.gz", {.quotes = 22, .tickers = 22}},
        Recording{"ws/v1-trade-2021-04-05.jsonl.gz", {.trades = 28}},
        Recording{"ws/v2-book25-resubscribe-2026-08-18.jsonl.gz", {.books = 19}},
        Recording{"rest/OHLC-XBTUSDT-1m-2025-11.jsonl.gz", {.candles = 721}},
        Recording{"rest/AssetPairs-2021-04-17.jsonl.gz", {.listings = 293}}}) {
    Decoding decoding;
    Counts counts;
    for (const auto& frame : test::read_frames(test::shared_data() / "kraken" / file)) {
      const auto events = decoding.run({.text = frame.text,
                                        .url = frame.url,
                                        .received_time = frame.received_time,
                                        .is_reply = frame.is_reply});
      ASSERT_TRUE(events) << events.error().message << "\n" << frame.text.substr(0, 300);
      for (const auto& event : *events) {
        counts.books += std::holds_alternative<BookUpdate>(event) ? 1 : 0;
        counts.quotes += std::holds_alternative<Quote>(event) ? 1 : 0;
        counts.tickers += std::holds_alternative<Ticker>(event) ? 1 : 0;
        counts.trades += std::holds_alternative<Trade>(event) ? 1 : 0;
        counts.candles += std::holds_alternative<Candle>(event) ? 1 : 0;
        counts.listings += std::holds_alternative<Listing>(event) ? 1 : 0;
      }
    }
    EXPECT_EQ(counts, wanted) << file << ": " << counts.books << " " << counts.quotes << " "
                              << counts.tickers << " " << counts.trades << " " << counts.candles
                              << " " << counts.listings;
    EXPECT_EQ(decoding.decoder->inexact_decimals(), 0U);
  }
}

TEST(KrakenRecordings, AreAllInTheListAbove) {
  REQUIRE_SHARED_DATA();
  std::size_t files = 0;
  for (const auto* folder : {"kraken/ws", "kraken/rest"}) {
    for (const auto& entry : std::filesystem::directory_iterator(test::shared_data() / folder))
      files += entry.is_regular_file() ? 1 : 0;
  }
  EXPECT_EQ(files, 6U) << "a recording was added: name it in the list";
}

TEST(KrakenRecordings, OfSingleMessagesAllDecodeThatAreOfTheSpotMarket) {
  REQUIRE_SHARED_DATA();
  std::size_t decoded = 0;
  std::size_t of_futures = 0;
  const auto file = test::shared_data() / "kraken/messages/samples-2021-2022.jsonl.gz";
  for (const auto& frame : test::read_frames(file)) {
    if (is_of_futures(frame.text)) {
      ++of_futures;
      continue;
    }
    Decoding decoding;
    const auto events =
        frame.text.contains("\"error\"")
            ? decoding.reply(frame.text, "https://api.kraken.com/0/public/Depth?pair=XBTUSD")
            : decoding.stream(frame.text);
    ASSERT_TRUE(events) << events.error().message << "\n" << frame.text;
    EXPECT_FALSE(events->empty()) << frame.text;
    ++decoded;
  }
  EXPECT_EQ(decoded, 9U);
  EXPECT_EQ(of_futures, 12U);
}

TEST(KrakenRecordings, OfDocumentedFramesAllDecode) {
  REQUIRE_SHARED_DATA();
  std::size_t events_seen = 0;
  for (const auto& frame :
       test::read_frames(test::shared_data() / "kraken/documented/shapes-not-recorded.jsonl.gz")) {
    if (frame.text.contains("\"error\":[]")) continue;  // replies: without their URLs here
    Decoding decoding;
    const auto events = decoding.stream(frame.text);
    ASSERT_TRUE(events) << events.error().message << "\n" << frame.text;
    events_seen += events->size();
  }
  EXPECT_GE(events_seen, 8U);
}

TEST(KrakenRecordings, ShowTheCandleBehindTheLastCommittedOneAsRunning) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  const auto frames =
      test::read_frames(test::shared_data() / "kraken/rest/OHLC-XBTUSDT-1m-2025-11.jsonl.gz");
  ASSERT_EQ(frames.size(), 1U);
  const auto events = decoding.reply(frames.front().text, frames.front().url);
  ASSERT_TRUE(events);
  ASSERT_EQ(events->size(), 721U);
  std::size_t quiet = 0;
  for (std::size_t i = 0; i < events->size(); ++i) {
    const auto& candle = std::get<Candle>((*events)[i]);
    EXPECT_EQ(candle.origin.instrument->symbol, "BTC/USDT");
    EXPECT_EQ(candle.open_time, Time{1'762'777'020s + i * 1min});
    EXPECT_EQ(candle.is_closed, i + 1 < events->size());
    // The clock decides all the same.
    EXPECT_FALSE(candle.closed_is_known);
    quiet += candle.volume.is_zero() ? 1 : 0;
    EXPECT_EQ(candle.volume.is_zero(), candle.trade_count == 0U);
  }
  EXPECT_EQ(quiet, 216U) << "minutes without trades have rows";
}

TEST(KrakenRecordings, ListThePairsOf2021ByTheirNamesOfToday) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  const auto frames =
      test::read_frames(test::shared_data() / "kraken/rest/AssetPairs-2021-04-17.jsonl.gz");
  ASSERT_TRUE(decoding.reply(frames.front().text, frames.front().url));
  const auto* bitcoin = decoding.catalogue->find("BTC/USD");
  ASSERT_NE(bitcoin, nullptr);
  EXPECT_EQ(bitcoin->tick_size->to_string(), "0.1");
  EXPECT_EQ(bitcoin->step_size->to_string(), "0.00000001");
  EXPECT_EQ(decoding.catalogue->find("DOGE/BTC")->symbol, "DOGE/BTC");
  EXPECT_EQ(decoding.catalogue->find("XBT/USD"), nullptr);
}

TEST(KrakenDecoder, TakesOnlyTheRunningCandleOfASnapshot) {
  Decoding decoding;
  const auto row = [](const char* open, const char* symbol) {
    return fmt::format(
        R"({{"symbol":"{}","open":1,"high":1,"low":1,"close":1,"trades":1,"volume":1,"vwap":1,"interval_begin":"{}","interval":5}})",
        symbol, open);
  };
  const auto events = decoding.stream(fmt::format(
      R"({{"channel":"ohlc","type":"snapshot","data":[{},{},{}],"timestamp":"2023-10-04T16:26:30.5Z"}})",
      row("2023-10-04T16:25:00Z", "BTC/USD"), row("2023-10-04T16:20:00Z", "BTC/USD"),
      row("2023-10-04T16:20:00Z", "ETH/USD")));
  ASSERT_TRUE(events) << events.error().message;
  ASSERT_EQ(events->size(), 2U);
  const auto& candle = std::get<Candle>(events->front());
  EXPECT_EQ(to_rfc3339(candle.open_time), "2023-10-04T16:25:00Z");
  EXPECT_EQ(to_rfc3339(*candle.origin.exchange_time), "2023-10-04T16:26:30.500Z");
  EXPECT_FALSE(candle.is_closed);
}

TEST(KrakenDecoder, CountsTheDigitsOfABookOverItsWholeLife) {
  Decoding decoding;
  const auto book = [&](const char* text) {
    const auto events = decoding.stream(text);
    EXPECT_TRUE(events) << events.error().message;
    const auto& update = std::get<BookUpdate>(events->front());
    return std::pair<int, int>(update.price_digits, update.size_digits);
  };
  using Digits = std::pair<int, int>;
  EXPECT_EQ(book(R"({"channel":"book","type":"snapshot","data":[{"symbol":"BTC/USD",)"
                 R"("bids":[{"price":10.50,"qty":1.00000000}],"asks":[],"checksum":1}]})"),
            Digits(2, 8));
  // An update may be too short to tell.
  EXPECT_EQ(book(R"({"channel":"book","type":"update","data":[{"symbol":"BTC/USD",)"
                 R"("bids":[{"price":10,"qty":0}],"asks":[],"checksum":1}]})"),
            Digits(2, 8));
  EXPECT_EQ(book(R"({"channel":"book","type":"snapshot","data":[{"symbol":"BTC/USD",)"
                 R"("bids":[{"price":10.5,"qty":1.00}],"asks":[],"checksum":1}]})"),
            Digits(1, 2));
}

TEST(KrakenDecoder, TakesTheNamesOfV1FramesFromTheAcknowledgementWhereTheyLackThem) {
  Decoding decoding;
  constexpr std::string_view bare = R"([321,[["57126.7","0.02","1616333924.737428","b","m",""]]])";
  EXPECT_FALSE(decoding.stream(bare));
  ASSERT_TRUE(decoding.stream(
      R"({"channelID":321,"channelName":"trade","event":"subscriptionStatus","pair":"XBT/USD","status":"subscribed","subscription":{"name":"trade"}})"));
  const auto events = decoding.stream(bare);
  ASSERT_TRUE(events) << events.error().message;
  const auto& trade = std::get<Trade>(events->front());
  EXPECT_EQ(trade.origin.instrument->symbol, "BTC/USD");
  EXPECT_EQ(to_us(*trade.origin.exchange_time), 1'616'333'924'737'428);
  EXPECT_EQ(trade.id, 0U);
}

TEST(KrakenDecoder, TellsRefusalsAndWhetherTheyPass) {
  Decoding decoding;
  const auto refused = decoding.stream(
      R"({"error":"Currency pair not supported BTC/XYZ","method":"subscribe","success":false,"symbol":"BTC/XYZ"})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::rejected);
  EXPECT_EQ(refused.error().message, "subscribe BTC/XYZ: Currency pair not supported BTC/XYZ");
  const auto kind_of = [&](std::string_view words) {
    const auto answer = decoding.reply(fmt::format(R"({{"error":["{}"]}})", words),
                                       "/0/public/OHLC?pair=XBTUSD&interval=1");
    EXPECT_FALSE(answer);
    return answer.error().kind;
  };
  EXPECT_EQ(kind_of("EQuery:Unknown asset pair"), ErrorKind::rejected);
  EXPECT_EQ(kind_of("EGeneral:Invalid arguments"), ErrorKind::rejected);
  EXPECT_EQ(kind_of("EGeneral:Too many requests"), ErrorKind::transient);
  EXPECT_EQ(kind_of("EService: Throttled: 1750000000"), ErrorKind::transient);
  EXPECT_EQ(kind_of("EService:Unavailable"), ErrorKind::transient);
}

struct Refused {
  const char* name;
  const char* text;
  const char* mentions;
};

class KrakenAbsurdFrames : public testing::TestWithParam<Refused> {};

TEST_P(KrakenAbsurdFrames, AreRefusedWhole) {
  Decoding decoding;
  const auto events = decoding.stream(GetParam().text);
  ASSERT_FALSE(events);
  EXPECT_EQ(events.error().kind, ErrorKind::malformed);
  EXPECT_NE(events.error().message.find(GetParam().mentions), std::string::npos)
      << events.error().message;
}

std::string name_of(const testing::TestParamInfo<Refused>& test) {
  return test.param.name;
}

INSTANTIATE_TEST_SUITE_P(
    KrakenDecoder, KrakenAbsurdFrames,
    testing::Values(
        Refused{
            "symbol",
            R"({"channel":"ticker","type":"update","data":[{"symbol":"NOSUCHQUOTE","last":1}]})",
            "unknown symbol"},
        Refused{
            "negative",
            R"({"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[{"price":1,"qty":-1}],"asks":[]}]})",
            "negative"},
        Refused{
            "interval",
            R"({"channel":"ohlc","type":"update","data":[{"symbol":"BTC/USD","open":1,"high":1,"low":1,"close":1,"trades":1,"volume":1,"interval_begin":"2023-10-04T16:25:00Z","interval":7}]})",
            "interval"},
        Refused{
            "beginning",
            R"({"channel":"ohlc","type":"update","data":[{"symbol":"BTC/USD","open":1,"high":1,"low":1,"close":1,"trades":1,"volume":1,"interval_begin":"2023-10-04T16:25:07Z","interval":5}]})",
            "no beginning"},
        Refused{
            "side",
            R"({"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"x","price":1,"qty":1,"trade_id":1,"timestamp":"2023-10-04T16:25:07Z"}]})",
            "neither"},
        Refused{"checksum",
                R"([1,{"b":[["1","1","1617666424.1"]],"c":"99999999999"},"book-10","XBT/USD"])",
                "32-bit"},
        Refused{"v1_time", R"([1,[["1","1","17","b","m",""]],"trade","XBT/USD"])", "not a time"},
        Refused{"v1_pair", R"([1,[["1","1","1617666424.1","b","m",""]],"trade","NOPE"])",
                "unknown pair"}),
    name_of);

TEST(KrakenRequests, NameWhatIsAsked) {
  auto catalogue = make_catalogue(kraken);
  const auto* bitcoin = catalogue->find_or_infer("BTC/USD");
  const auto target = [&](RestQuery query) {
    query.instrument = bitcoin;
    const auto request = kraken.request(query);
    return request ? request->target : request.error().message;
  };
  // There is no end and no page: 720 rows at most, the newest ones.
  EXPECT_EQ(target({.kind = RestKind::candles, .timeframe = Timeframe::h1, .start = Time{7200s}}),
            "/0/public/OHLC?pair=XBTUSD&interval=60&since=3600");
  EXPECT_EQ(target({.kind = RestKind::candles, .start = Time{}}),
            "/0/public/OHLC?pair=XBTUSD&interval=1&since=0");
  EXPECT_EQ(target({.kind = RestKind::trades, .start = Time{5s}, .limit = 9}),
            "/0/public/Trades?pair=XBTUSD&since=4999999999&count=9");
  EXPECT_EQ(target({.kind = RestKind::depth, .limit = 5000}),
            "/0/public/Depth?pair=XBTUSD&count=500");
  EXPECT_EQ(kraken.request({.kind = RestKind::instruments})->target, "/0/public/AssetPairs");
  EXPECT_FALSE(kraken.request({.kind = RestKind::average_price}));
}

TEST(KrakenSubscriptions, ShareMessagesAndAskForQuotesWithTheTicker) {
  auto catalogue = make_catalogue(kraken);
  const auto* bitcoin = catalogue->find_or_infer("BTC/USD");
  const auto* ether = catalogue->find_or_infer("ETH/USD");
  using enum ChannelKind;
  const std::vector<Channel> wanted{
      {.kind = candles, .instrument = bitcoin}, {.kind = ticker, .instrument = bitcoin},
      {.kind = quotes, .instrument = bitcoin},  {.kind = book, .instrument = bitcoin},
      {.kind = candles, .instrument = ether},   {.kind = ticker, .instrument = ether},
      {.kind = trades, .instrument = ether}};
  EXPECT_EQ(kraken.stream_url("ws://host:1/", wanted), "ws://host:1/v2");
  EXPECT_EQ(kraken.stream_url(kraken.ws_url, wanted), "wss://ws.kraken.com/v2");
  const std::vector<std::string> expected{
      R"({"method":"subscribe","params":{"channel":"ohlc","interval":1,"symbol":["BTC/USD","ETH/USD"]},"req_id":7})",
      R"({"method":"subscribe","params":{"channel":"ticker","event_trigger":"bbo","symbol":["BTC/USD"]},"req_id":8})",
      R"({"method":"subscribe","params":{"channel":"book","depth":100,"symbol":["BTC/USD"]},"req_id":9})",
      R"({"method":"subscribe","params":{"channel":"ticker","event_trigger":"trades","symbol":["ETH/USD"]},"req_id":10})",
      R"({"method":"subscribe","params":{"channel":"trade","snapshot":false,"symbol":["ETH/USD"]},"req_id":11})"};
  EXPECT_EQ(kraken.subscribe(wanted, 7), expected);
  EXPECT_EQ(
      kraken.unsubscribe(std::span(wanted).subspan(3, 1), 3),
      std::vector<std::string>{
          R"({"method":"unsubscribe","params":{"channel":"book","depth":100,"symbol":["BTC/USD"]},"req_id":3})"});
  std::vector<Channel> many;
  for (int i = 0; i < 250; ++i) {
    many.push_back(
        {.kind = trades, .instrument = catalogue->find_or_infer(fmt::format("A{}/USD", i))});
  }
  EXPECT_EQ(kraken.subscribe(many, 1).size(), 3U);
}

}  // namespace
}  // namespace candlewick::exchange::kraken
