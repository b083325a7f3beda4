// Binance's quirks, and its real recordings.
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "exchange/binance/binance.h"
#include "exchange/binance/target.h"
#include "exchange/registry.h"
#include "market/event_json.h"
#include "test/support/frames.h"
#include "test/support/shared_data.h"

namespace candlewick::exchange::binance {
namespace {

struct Decoding {
  std::unique_ptr<Catalogue> catalogue = make_catalogue(binance);
  std::unique_ptr<Decoder> decoder = binance.make_decoder(*catalogue);

  Result<Events> stream(std::string_view text, std::string_view url = "") {
    return run({.text = text, .url = url, .received_time = {}});
  }
  Result<Events> reply(std::string_view text, std::string_view url, int status = 200) {
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

// "61837.63000000" → "61837.63", as the event's text writes it.
std::string shortest(std::string text) {
  if (text.find('.') != std::string::npos) {
    while (text.back() == '0') text.pop_back();
    if (text.back() == '.') text.pop_back();
  }
  return text == "-0" ? "0" : text;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.-") == std::string_view::npos;
}

// Every quoted number of a frame, in order.
std::multiset<std::string> quoted_numbers(const std::string& text) {
  std::multiset<std::string> numbers;
  for (std::size_t at = text.find('"'); at != std::string::npos; at = text.find('"', at)) {
    const auto end = text.find('"', at + 1);
    const auto content = text.substr(at + 1, end - at - 1);
    if (is_number(content)) numbers.insert(shortest(content));
    at = end + 1;
  }
  return numbers;
}

struct DecimalsOf {
  std::vector<Decimal> operator()(const Trade& trade) const { return {trade.price, trade.size}; }
  std::vector<Decimal> operator()(const Quote& quote) const {
    return {quote.bid, quote.bid_size, quote.ask, quote.ask_size};
  }
  std::vector<Decimal> operator()(const Candle& candle) const {
    return {candle.open,
            candle.high,
            candle.low,
            candle.close,
            candle.volume,
            *candle.quote_volume,
            *candle.taker_buy_volume,
            *candle.taker_buy_quote_volume};
  }
  std::vector<Decimal> operator()(const Ticker& ticker) const {
    std::vector<Decimal> all;
    for (const auto& part :
         {ticker.last, ticker.open_24h, ticker.high_24h, ticker.low_24h, ticker.volume_24h,
          ticker.quote_volume_24h, ticker.change_pct_24h, ticker.bid, ticker.ask}) {
      if (part) all.push_back(*part);
    }
    return all;
  }
  std::vector<Decimal> operator()(const BookUpdate& book) const {
    std::vector<Decimal> all;
    for (const auto* side : {&book.bids, &book.asks}) {
      for (const auto& level : *side) {
        all.push_back(level.price);
        all.push_back(level.size);
      }
    }
    return all;
  }
  std::vector<Decimal> operator()(const AveragePrice& average) const { return {average.price}; }
  std::vector<Decimal> operator()(const auto& /*other*/) const { return {}; }
};

// What kind of frame must give what, told by its text alone.
std::size_t expected_events(const test::RecordedFrame& frame) {
  if (frame.is_reply) return 0;
  return frame.text.find("\"result\":null") == std::string::npos ? 1 : 0;
}

class Recordings : public testing::TestWithParam<const char*> {};

TEST_P(Recordings, DecodeWithoutAnErrorAndWithTheDigitsSent) {
  REQUIRE_SHARED_DATA();
  const auto file = test::shared_data() / GetParam();
  Decoding decoding;
  std::size_t events_seen = 0;
  std::size_t decimals_seen = 0;
  for (const auto& frame : test::read_frames(file)) {
    Events events;
    const auto decoded = decoding.decoder->decode({.text = frame.text,
                                                   .url = frame.url,
                                                   .received_time = frame.received_time,
                                                   .is_reply = frame.is_reply},
                                                  events);
    ASSERT_TRUE(decoded) << decoded.error().message << "\n" << frame.text.substr(0, 300);
    if (expected_events(frame) == 1) {
      ASSERT_EQ(events.size(), 1U) << frame.text.substr(0, 300);
    }
    events_seen += events.size();
    auto sent = quoted_numbers(frame.text);
    std::multiset<std::string> decoded_numbers;
    for (const auto& event : events) {
      for (const auto& number : std::visit(DecimalsOf{}, event)) {
        ++decimals_seen;
        const auto found = sent.find(number.to_string());
        ASSERT_NE(found, sent.end())
            << number.to_string() << " was not sent: " << frame.text.substr(0, 300);
        sent.erase(found);
      }
    }
    // Books carry nothing but their levels: all of it must have come out.
    const bool is_book = !events.empty() && std::holds_alternative<BookUpdate>(events.front());
    if (is_book) {
      ASSERT_TRUE(sent.empty()) << *sent.begin() << " was lost: " << frame.text.substr(0, 300);
    }
  }
  EXPECT_GT(events_seen, 0U);
  if (file.string().find("exchangeInfo") == std::string::npos) {
    EXPECT_GT(decimals_seen, 100U);
  }
  EXPECT_EQ(decoding.decoder->inexact_decimals(), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Binance, Recordings,
    testing::Values("binance/ws/spot-4alts-depth-kline_1m-bookticker-aggtrade-2021-10-12.jsonl.gz",
                    "binance/ws/spot-btc-eth-dot-usdt-depth-kline_1m-aggtrade-2021-04-04.jsonl.gz",
                    "binance/ws/spot-btcusdt-depth-bookticker-trade-2024-08-08T2354.jsonl.zst",
                    "binance/ws/spot-btcusdt-depth-bookticker-trade-2024-08-09T0000.jsonl.zst",
                    "binance/rest/exchangeInfo-2021-10-12.jsonl.gz",
                    "binance/rest/spot-klines-tickers-depth-trades-2020.jsonl.gz",
                    "binance-us/ws/spot-depth-kline_1m-bookticker-aggtrade-2021-10-12.jsonl.gz"));

TEST(BinanceRecordings, AreAllInTheListAbove) {
  REQUIRE_SHARED_DATA();
  std::size_t files = 0;
  for (const auto* folder : {"binance/ws", "binance/rest", "binance-us/ws"}) {
    for (const auto& entry : std::filesystem::directory_iterator(test::shared_data() / folder)) {
      files += entry.is_regular_file() ? 1 : 0;
    }
  }
  EXPECT_EQ(files, 7U) << "a recording was added: name it in the list";
}

TEST(BinanceRecordings, ListTheInstrumentsOf2021WithTheirGrids) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  const auto frames =
      test::read_frames(test::shared_data() / "binance/rest/exchangeInfo-2021-10-12.jsonl.gz");
  ASSERT_EQ(frames.size(), 1U);
  const auto events = decoding.reply(frames.front().text, frames.front().url);
  ASSERT_TRUE(events);
  const auto* bitcoin = decoding.catalogue->find("BTCUSDT");
  ASSERT_NE(bitcoin, nullptr);
  EXPECT_EQ(bitcoin->symbol, "BTC/USDT");
  EXPECT_TRUE(bitcoin->listed);
  EXPECT_EQ(bitcoin->status, ListingStatus::trading);
  EXPECT_EQ(bitcoin->tick_size->to_string(), "0.01");
  EXPECT_EQ(bitcoin->step_size->to_string(), "0.00001");
  EXPECT_GT(decoding.catalogue->size(), 1500U);
}

TEST(BinanceDecoder, TakesTheSymbolOfAPartialDepthFromItsStream) {
  Decoding decoding;
  const auto events = decoding.stream(
      R"({"stream":"ethusdt@depth20","data":{"lastUpdateId":17,"bids":[["1782.00","6.5"]],"asks":[["1782.01","15"]]}})");
  ASSERT_TRUE(events);
  const auto& book = std::get<BookUpdate>(events->front());
  EXPECT_EQ(book.origin.instrument->symbol, "ETH/USDT");
  EXPECT_TRUE(book.is_partial);
  // On a raw connection the URL is all that names it.
  const auto raw =
      decoding.stream(R"({"lastUpdateId":17,"bids":[],"asks":[]})", "wss://host/ws/bnbbtc@depth5");
  ASSERT_TRUE(raw);
  EXPECT_EQ(std::get<BookUpdate>(raw->front()).origin.instrument->symbol, "BNB/BTC");
  EXPECT_FALSE(decoding.stream(R"({"lastUpdateId":17,"bids":[],"asks":[]})"));
}

TEST(BinanceDecoder, DoesNotDependOnTheOrderOfMembers) {
  Decoding decoding;
  const auto events = decoding.stream(
      R"({"data":{"A":"1","a":"2.5","B":"3","b":"2.4","s":"BNBBTC","u":9},"stream":"bnbbtc@bookTicker"})");
  ASSERT_TRUE(events);
  EXPECT_EQ(std::get<Quote>(events->front()).ask.to_string(), "2.5");
}

TEST(BinanceDecoder, ReadsMicrosecondsWhereTheConnectionAskedForThem) {
  Decoding decoding;
  const auto events = decoding.stream(
      R"({"e":"trade","E":1672515782136123,"s":"BNBBTC","t":1,"p":"0.001","q":"100","T":1672515782136122,"m":true})");
  ASSERT_TRUE(events);
  EXPECT_EQ(to_us(*std::get<Trade>(events->front()).origin.exchange_time), 1672515782136122);
}

TEST(BinanceDecoder, SaysTheTakersSide) {
  Decoding decoding;
  const auto sold = decoding.stream(
      R"({"e":"trade","E":1672515782136,"s":"BNBBTC","t":1,"p":"0.001","q":"100","T":1672515782136,"m":true})");
  const auto bought = decoding.stream(
      R"({"e":"trade","E":1672515782136,"s":"BNBBTC","t":2,"p":"0.001","q":"100","T":1672515782136,"m":false})");
  ASSERT_TRUE(sold && bought);
  EXPECT_EQ(std::get<Trade>(sold->front()).taker_side, Side::sell);
  EXPECT_EQ(std::get<Trade>(bought->front()).taker_side, Side::buy);
}

TEST(BinanceDecoder, KeepsQuietAboutAcknowledgementsAndUnknownKinds) {
  Decoding decoding;
  for (const auto* text : {R"({"result":null,"id":1})", R"({"result":["btcusdt@aggTrade"],"id":3})",
                           R"({"id":2,"result":true})",
                           R"({"e":"referencePrice","s":"BAZUSD","r":"1.00","t":1770313263917})",
                           R"([{}])", R"({"stream":"!miniTicker@arr","data":[{}]})",
                           R"({"e":"somethingNew","E":1,"x":{"y":[1,2,{"z":null}]}})"}) {
    const auto events = decoding.stream(text);
    ASSERT_TRUE(events) << text << ": " << events.error().message;
    EXPECT_TRUE(events->empty()) << text;
  }
}

TEST(BinanceDecoder, TellsOfAnAnnouncedShutdownInBothFramings) {
  Decoding decoding;
  for (const auto* text :
       {R"({"e":"serverShutdown","E":1770123456789})",
        R"({"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789}})"}) {
    const auto events = decoding.stream(text);
    ASSERT_TRUE(events);
    EXPECT_TRUE(std::holds_alternative<ShutdownNotice>(events->front()));
  }
}

struct Refused {
  const char* name;
  const char* text;
  const char* mentions;
};

class AbsurdFrames : public testing::TestWithParam<Refused> {};

TEST_P(AbsurdFrames, AreRefusedWhole) {
  Decoding decoding;
  const auto events = decoding.stream(GetParam().text);
  ASSERT_FALSE(events);
  EXPECT_NE(events.error().message.find(GetParam().mentions), std::string::npos)
      << events.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    BinanceDecoder, AbsurdFrames,
    testing::Values(
        Refused{
            "sign_inside",
            R"({"e":"trade","E":1672515782136,"s":"BNBBTC","t":1,"p":"0.-10000","q":"1","T":1672515782136,"m":true})",
            "p:"},
        Refused{
            "too_large",
            R"({"e":"trade","E":1672515782136,"s":"BNBBTC","t":1,"p":"1e40","q":"1","T":1672515782136,"m":true})",
            "integer digits"},
        Refused{
            "negative",
            R"({"e":"trade","E":1672515782136,"s":"BNBBTC","t":1,"p":"-1","q":"1","T":1672515782136,"m":true})",
            "negative"},
        Refused{
            "old_time",
            R"({"e":"trade","E":1672515782136,"s":"BNBBTC","t":1,"p":"1","q":"1","T":1,"m":true})",
            "T:"},
        Refused{
            "far_time",
            R"({"e":"trade","E":1672515782136,"s":"BNBBTC","t":1,"p":"1","q":"1","T":99999999999999999,"m":true})",
            "T:"},
        Refused{
            "missing",
            R"({"e":"trade","E":1672515782136,"s":"BNBBTC","t":1,"q":"1","T":1672515782136,"m":true})",
            "p: missing"},
        Refused{
            "side",
            R"({"e":"trade","E":1672515782136,"s":"BNBBTC","t":1,"p":"1","q":"1","T":1672515782136,"m":1})",
            "m:"},
        Refused{
            "id",
            R"({"e":"trade","E":1672515782136,"s":"BNBBTC","t":-5,"p":"1","q":"1","T":1672515782136,"m":true})",
            "t:"},
        Refused{
            "symbol",
            R"({"e":"trade","E":1672515782136,"s":"NOSUCHQUOTE","t":5,"p":"1","q":"1","T":1672515782136,"m":true})",
            "NOSUCHQUOTE"},
        Refused{
            "levels",
            R"({"e":"depthUpdate","E":1672515782136,"s":"BNBBTC","U":1,"u":2,"b":[["1"]],"a":[]})",
            "price and a size"},
        Refused{
            "level_size",
            R"({"e":"depthUpdate","E":1672515782136,"s":"BNBBTC","U":1,"u":2,"b":[["1","-2"]],"a":[]})",
            "negative size"},
        Refused{"order",
                R"({"e":"depthUpdate","E":1672515782136,"s":"BNBBTC","U":3,"u":2,"b":[],"a":[]})",
                "U:"},
        Refused{
            "timeframe",
            R"({"e":"kline","E":1672515782136,"s":"BNBBTC","k":{"t":1672515780000,"i":"7m","o":"1","c":"1","h":"1","l":"1","v":"1","n":1,"x":false,"q":"1","V":"1","Q":"1"}})",
            "7m"},
        Refused{"not_utf8", "{\"e\":\"trade\",\"s\":\"\xff\xfe\"}", "UTF"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(BinanceDecoder, ReportsTheVenuesOwnErrors) {
  Decoding decoding;
  const auto unknown = decoding.reply(R"({"code":-1121,"msg":"Invalid symbol."})",
                                      "/api/v3/klines?symbol=XXUSDT&interval=1m", 400);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, ErrorKind::rejected);
  EXPECT_EQ(unknown.error().message, "-1121: Invalid symbol.");
  const auto page = decoding.reply("<html>403 Forbidden</html>", "/api/v3/time", 403);
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().kind, ErrorKind::rejected);
  const auto control = decoding.stream(R"({"code":2,"msg":"Invalid request","id":1})");
  ASSERT_FALSE(control);
  EXPECT_EQ(control.error().kind, ErrorKind::rejected);
}

TEST(BinanceDecoder, LeavesItToTheClockWhichRestCandleIsFinal) {
  Decoding decoding;
  const auto events = decoding.reply(
      R"([[1499040000000,"0.1","0.8","0.1","0.2","148976.1",1499040059999,"2434.1",308,"1756.8","28.4","0"]])",
      "https://host/api/v3/klines?symbol=BNBBTC&interval=1m");
  ASSERT_TRUE(events);
  const auto& candle = std::get<Candle>(events->front());
  EXPECT_FALSE(candle.closed_is_known);
  EXPECT_FALSE(candle.is_closed);
  EXPECT_EQ(candle.source, Source::rest);
  EXPECT_EQ(candle.trade_count, 308U);
}

TEST(BinanceRequests, NameWhatIsAskedAndWhatItCosts) {
  auto catalogue = make_catalogue(binance);
  const auto* bitcoin = catalogue->find_or_infer("BTCUSDT");
  const auto target = [&](RestQuery query) {
    query.instrument = bitcoin;
    const auto request = binance.request(query);
    return fmt::format("{} {}", request->weight, request->target);
  };
  EXPECT_EQ(
      target({.kind = RestKind::candles,
              .timeframe = Timeframe::m1,
              .start = time_from_ms(60000),
              .end = time_from_ms(120000)}),
      "2 /api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=60000&endTime=119999&limit=1000");
  EXPECT_EQ(target({.kind = RestKind::depth, .limit = 5000}),
            "250 /api/v3/depth?symbol=BTCUSDT&limit=5000");
  EXPECT_EQ(target({.kind = RestKind::depth, .limit = 20}),
            "5 /api/v3/depth?symbol=BTCUSDT&limit=20");
  EXPECT_EQ(target({.kind = RestKind::historical_trades, .from_id = 7}),
            "25 /api/v3/historicalTrades?symbol=BTCUSDT&limit=1000&fromId=7");
}

TEST(BinanceSubscriptions, AreBatched) {
  auto catalogue = make_catalogue(binance);
  std::vector<Channel> channels;
  for (int i = 0; i < 250; ++i) {
    channels.push_back({.kind = ChannelKind::quotes,
                        .instrument = catalogue->find_or_infer(fmt::format("A{}USDT", i))});
  }
  EXPECT_EQ(binance.stream_url("wss://host/", channels),
            "wss://host/stream?streams=a0usdt@bookTicker");
  const Channel chinese{.kind = ChannelKind::quotes,
                        .instrument = catalogue->find_or_infer("\xE5\xB8\x81USDT")};
  EXPECT_EQ(binance.stream_url("wss://host/", {&chinese, 1}),
            "wss://host/stream?streams=%E5%B8%81usdt@bookTicker");
  const auto messages = binance.subscribe(channels, 5);
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_TRUE(messages[0].starts_with(R"({"method":"SUBSCRIBE","params":["a0usdt@bookTicker",)"));
  EXPECT_TRUE(messages[2].ends_with(R"("a249usdt@bookTicker"],"id":7})"));
}

TEST(BinanceTargets, AreReadFromUrlsOfAllKinds) {
  const auto target =
      parse_target("https://api.binance.com/api/v3/ticker/24hr?type=FULL&symbol=btcusdt");
  EXPECT_EQ(target.path, "ticker/24hr");
  EXPECT_EQ(target.symbol, "BTCUSDT");
  EXPECT_EQ(parse_target("/api/v3/klines?interval=1h&symbol=%E4%BA%BAUSDT").symbol,
            "\xE4\xBA\xBAUSDT");
  EXPECT_EQ(parse_target("https://www.binance.com/api/v1/depth?symbol=DOTUSDT&limit=1000").path,
            "depth");
  EXPECT_EQ(stream_in("wss://h/stream?streams=nknusdt@depth@100ms/x@trade"), "nknusdt");
}

TEST(BinanceRefusals, NameTheSettingToChange) {
  EXPECT_NE(binance.explain_status(451).find("BINANCE_BASE_URL"), std::string::npos);
  EXPECT_NE(binance.explain_status(403).find("BINANCE_WS_URL"), std::string::npos);
  EXPECT_NE(binance_us.explain_status(451).find("CANDLEWICK_BINANCE_US_BASE_URL"),
            std::string::npos);
}

}  // namespace
}  // namespace candlewick::exchange::binance
