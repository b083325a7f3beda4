// Bitfinex's quirks, and its real recordings.
#include "exchange/bitfinex/bitfinex.h"

#include <zlib.h>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "exchange/bitfinex/symbols.h"
#include "exchange/testing.h"

namespace candlewick::exchange::bitfinex {
namespace {

using namespace std::chrono_literals;

struct Decoding : VenueDecoding {
  Decoding() : VenueDecoding(bitfinex, "wss://api-pub.bitfinex.com/ws/2", {}) {}
  void subscribed(std::string_view fields, int number = 7) {
    const auto events =
        stream(fmt::format(R"({{"event":"subscribed","chanId":{},{}}})", number, fields));
    EXPECT_TRUE(events) << events.error().message;
  }
};

std::vector<test::RecordedFrame> recording() {
  return test::read_frames(test::shared_data() /
                           "bitfinex/ws/v2-ticker-trades-book-2021-04-17.jsonl.gz");
}

TEST(BitfinexRecordings, DecodeWithoutAnErrorOrAGapToBooksThatNeverCross) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  std::map<const Instrument*, std::pair<std::map<Decimal, Decimal>, std::map<Decimal, Decimal>>>
      books;
  std::size_t trades = 0;
  std::size_t tickers = 0;
  std::size_t snapshots = 0;
  std::size_t updates = 0;
  for (const auto& frame : recording()) {
    const auto events = decoding.stream(frame.text);
    ASSERT_TRUE(events) << events.error().message << "\n" << frame.text.substr(0, 300);
    for (const auto& event : *events) {
      ASSERT_FALSE(std::holds_alternative<ConnectionGap>(event)) << frame.text;
      trades += std::holds_alternative<Trade>(event) ? 1 : 0;
      tickers += std::holds_alternative<Ticker>(event) ? 1 : 0;
      const auto* book = std::get_if<BookUpdate>(&event);
      if (book == nullptr) continue;
      ++(book->kind == BookKind::snapshot ? snapshots : updates);
      auto& [bids, asks] = books[book->origin.instrument];
      const auto apply = [](auto& side, const std::vector<Level>& levels) {
        for (const auto& level : levels) {
          if (level.size.is_zero()) {
            side.erase(level.price);
          } else {
            side[level.price] = level.size;
          }
        }
      };
      apply(bids, book->bids);
      apply(asks, book->asks);
      if (!bids.empty() && !asks.empty()) {
        ASSERT_LT(bids.rbegin()->first, asks.begin()->first) << frame.text;
      }
      EXPECT_LE(bids.size(), bitfinex.book_depth);
    }
  }
  EXPECT_EQ(snapshots, 7U);
  EXPECT_EQ(updates, 1600U - 7U);
  EXPECT_EQ(tickers, 21U);
  EXPECT_EQ(trades, 7U * 30U);
}

TEST(BitfinexRecordings, ShowWhichOneLineIsMissing) {
  REQUIRE_SHARED_DATA();
  const auto frames = recording();
  for (const std::size_t missing : {100U, 700U, 1500U}) {
    ASSERT_TRUE(frames[missing].text.starts_with('['));
    Decoding decoding;
    std::size_t gaps = 0;
    std::size_t seen_at = 0;
    for (std::size_t i = 0; i < frames.size(); ++i) {
      if (i == missing) continue;
      const auto events = decoding.stream(frames[i].text);
      for (const auto& event : *events) {
        if (!std::holds_alternative<ConnectionGap>(event)) continue;
        ++gaps;
        seen_at = i;
      }
    }
    EXPECT_EQ(gaps, 1U);
    EXPECT_EQ(seen_at, missing + 1);
  }
}

TEST(BitfinexRecordings, ListThePairsOf2021) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  std::size_t listed = 0;
  for (const auto& frame :
       test::read_frames(test::shared_data() / "bitfinex/rest/symbols-2021-04-17.jsonl.gz")) {
    // The list of currencies is not asked for.
    if (frame.url.ends_with("currency")) continue;
    const auto events = decoding.reply(frame.text, frame.url);
    ASSERT_TRUE(events) << events.error().message;
    EXPECT_EQ(events->empty(), frame.url.ends_with("future")) << "derivatives are passed over";
    listed += events->size();
  }
  EXPECT_GT(listed, 200U);
  EXPECT_EQ(decoding.catalogue->find("tBTCUST")->symbol, "BTC/USDT");
  EXPECT_EQ(decoding.catalogue->find("tAAVE:UST")->symbol, "AAVE/USDT");
  EXPECT_EQ(decoding.catalogue->find("tIOTETH")->symbol, "IOTA/ETH");
}

TEST(BitfinexRecordings, AreAllInTheTestsAbove) {
  REQUIRE_SHARED_DATA();
  std::size_t files = 0;
  for (const auto* folder : {"bitfinex/ws", "bitfinex/rest"}) {
    for (const auto& entry : std::filesystem::directory_iterator(test::shared_data() / folder))
      files += entry.is_regular_file() ? 1 : 0;
  }
  EXPECT_EQ(files, 2U) << "a recording was added: decode it";
}

// Whoever kept them has put what was subscribed in the place of the channel's number.
TEST(BitfinexRecordings, OfSingleMessagesAllOfSpotDecode) {
  REQUIRE_SHARED_DATA();
  std::size_t decoded = 0;
  std::size_t told = 0;
  const auto file = test::shared_data() / "bitfinex/messages/samples-2021-2022.jsonl.gz";
  for (const auto& frame : test::read_frames(file)) {
    Decoding decoding;
    const std::string& text = frame.text;
    Result<Events> events = Events{};
    const auto end = text.find('}');
    if (end == std::string::npos) {
      events = decoding.reply(text, "https://api-pub.bitfinex.com/v2/book/tBTCUST/P0?len=25");
    } else {
      decoding.subscribed(text.substr(2, end - 2));
      events = decoding.stream("[7" + text.substr(end + 1));
    }
    ASSERT_TRUE(events) << events.error().message << "\n" << text;
    ++decoded;
    told += events->empty() ? 0 : 1;
    const bool is_passed_over =
        text.contains("F0:USTF0") || text.contains("\"R0\"") || text.contains("\"tu\"");
    EXPECT_EQ(events->empty(), is_passed_over) << text;
  }
  EXPECT_EQ(decoded, 22U);
  EXPECT_EQ(told, 9U);
}

TEST(BitfinexDecoder, TakesACandleThatTheStreamTellsForOneThatForms) {
  Decoding decoding;
  decoding.subscribed(R"("channel":"candles","key":"trade:1m:tBTCUST")");
  const auto events =
      decoding.stream("[7,[1654075080000,31619,31620,31625,31610,0.00843875],1,1654075089123]");
  ASSERT_TRUE(events);
  const auto& candle = std::get<Candle>(events->back());
  EXPECT_FALSE(candle.is_closed);
  EXPECT_TRUE(candle.closed_is_known);
  EXPECT_EQ(candle.close.to_string(), "31620");
  EXPECT_EQ(candle.high.to_string(), "31625");
  EXPECT_EQ(candle.low.to_string(), "31610");
  EXPECT_EQ(candle.origin.exchange_time, time_from_ms(1654075089123));
  const auto rows = decoding.reply("[[1654075080000,31619,31620,31625,31610,0.00843875]]",
                                   "/v2/candles/trade:1m:tBTCUST/hist");
  ASSERT_TRUE(rows);
  EXPECT_FALSE(std::get<Candle>(rows->back()).closed_is_known);
}

TEST(BitfinexDecoder, CountsAFrameThatWasCutAsMissing) {
  Decoding decoding;
  decoding.subscribed(R"("channel":"trades","symbol":"tBTCUSD")");
  EXPECT_TRUE(decoding.stream(R"([7,"hb",1])"));
  EXPECT_FALSE(decoding.stream(R"([7,"te",[5,1654075080000,1,2],2)"));
  const auto after = decoding.stream(R"([7,"hb",3])");
  ASSERT_TRUE(after);
  const auto& gap = std::get<ConnectionGap>(after->front());
  EXPECT_EQ(gap.expected, "2");
  EXPECT_EQ(gap.got, "3");
  EXPECT_TRUE(decoding.stream(R"([7,"te",[5,1654075080000,1,2],2])")->empty()) << "too late";
}

TEST(BitfinexDecoder, CountsAFrameWithABadRowAsOneThatHasCome) {
  for (const auto* row :
       {"[5,1654075080000,0]", "[5,1654075080000,1,-2]", R"([5,"yesterday",1,2])",
        "[5,1654075080000,1,1e999]", "[5,1654075080000,1,12345678901234567890123456789012345]"}) {
    Decoding decoding;
    decoding.subscribed(R"("channel":"trades","symbol":"tBTCUSD")");
    EXPECT_TRUE(decoding.stream(R"([7,"hb",1])"));
    const auto refused = decoding.stream(fmt::format(R"([7,"te",{},2])", row));
    ASSERT_FALSE(refused) << row;
    EXPECT_EQ(refused.error().kind, ErrorKind::malformed);
    const auto after = decoding.stream(R"([7,"te",[6,1654075080001,1,2],3])");
    ASSERT_TRUE(after) << row;
    ASSERT_EQ(after->size(), 1U) << row;
    EXPECT_EQ(std::get<Trade>(after->front()).id, 6U);
  }
}

TEST(BitfinexDecoder, TellsAHoleThatShowsInAFrameWithABadRow) {
  Decoding decoding;
  decoding.subscribed(R"("channel":"trades","symbol":"tBTCUSD")");
  EXPECT_TRUE(decoding.stream(R"([7,"hb",1])"));
  const auto events = decoding.stream(R"([7,"te",[5,1654075080000,0],3])");
  ASSERT_TRUE(events);
  EXPECT_EQ(std::get<ConnectionGap>(events->front()).expected, "2");
}

TEST(BitfinexDecoder, ABookWithARefusedFrameNamesItUntilItsNextSnapshot) {
  Decoding decoding;
  decoding.subscribed(R"("channel":"book","symbol":"tBTCUSD","prec":"P0")");
  decoding.subscribed(R"("channel":"book","symbol":"tETHUSD","prec":"P0")", 8);
  const auto book = [&](std::string_view text) {
    const auto events = decoding.stream(text);
    EXPECT_TRUE(events) << text;
    return std::get<BookUpdate>(events->back());
  };
  EXPECT_EQ(book("[7,[[34668,1,0.5],[34669,1,-0.5]],1]").previous_sequence, std::nullopt);
  EXPECT_FALSE(decoding.stream("[7,[-34668,1,0.5],2]"));
  EXPECT_EQ(book("[8,[2000,1,0.5],3]").previous_sequence, std::nullopt) << "of another";
  EXPECT_EQ(book("[7,[34667,1,0.5],4]").previous_sequence, 2U);
  EXPECT_EQ(book(R"([7,"cs",-1398012347,5])").previous_sequence, 2U);
  EXPECT_EQ(book("[7,[[34668,1,0.5],[34669,1,-0.5]],6]").previous_sequence, std::nullopt);
  EXPECT_EQ(book("[7,[34667,1,0.5],7]").previous_sequence, std::nullopt);
}

TEST(BitfinexDecoder, ATickerMayLackWhatIsNull) {
  Decoding decoding;
  const auto ticker = [&](std::string_view row) {
    return decoding.reply(row, "https://api-pub.bitfinex.com/v2/ticker/tBTCUSD");
  };
  const auto quiet = ticker("[1.5,10,1.6,12,null,null,null,null,null,null]");
  ASSERT_TRUE(quiet) << quiet.error().message;
  const auto& told = std::get<Ticker>(quiet->front());
  EXPECT_EQ(told.bid, *Decimal::parse("1.5"));
  EXPECT_EQ(told.ask, *Decimal::parse("1.6"));
  for (const auto& absent :
       {told.last, told.volume_24h, told.high_24h, told.low_24h, told.change_pct_24h})
    EXPECT_FALSE(absent);
  EXPECT_TRUE(ticker("[null,null,null,null,0,0,5,0,5,5]"));
  EXPECT_FALSE(ticker("[1.5,10,1.6,12,0,0,5,0,5]")) << "cut";
  EXPECT_FALSE(ticker(R"([1.5,10,1.6,12,0,0,"5",0,5,5])"));
  EXPECT_FALSE(ticker("[1.5,10,1.6,12,0,0,-5,0,5,5]"));
}

TEST(BitfinexDecoder, TakesThePairsOfSpotFromTheListOfAllTickers) {
  Decoding decoding;
  const auto list = [&](std::string_view rows) {
    return decoding.reply(rows, "https://api-pub.bitfinex.com" + bitfinex.all_tickers().target);
  };
  const auto events = list(
      R"([["tBTCUSD",29967,8.3,29976,13.3,-1674,-0.0529,29966,488.04,31887,29335],)"
      R"(["fUSD",0.0005,0.0004,120,1000,0.0003,2,500,0,0,0.0004,1e7,0.001,0.0001,null,null,5e6],)"
      R"(["tBTCF0:USTF0",29967,8.3,29976,13.3,-1674,-0.0529,29966,488.04,31887,29335],)"
      R"(["tDOGE:UST",null,null,null,null,null,null,null,null,null,null]])");
  ASSERT_TRUE(events) << events.error().message;
  const auto tickers = of_kind<Ticker>(*events);
  ASSERT_EQ(tickers.size(), 2U);
  EXPECT_EQ(tickers[0].origin.instrument->symbol, "BTC/USD");
  EXPECT_EQ(tickers[0].last, Decimal{29966});
  EXPECT_EQ(tickers[0].volume_24h, *Decimal::parse("488.04"));
  EXPECT_EQ(tickers[0].low_24h, Decimal{29335});
  EXPECT_FALSE(tickers[0].quote_volume_24h) << "the venue tells none";
  EXPECT_EQ(tickers[1].origin.instrument->symbol, "DOGE/USDT");
  EXPECT_FALSE(tickers[1].last);
  EXPECT_FALSE(list(R"([["tBTCUSD",29967,8.3]])"));
}

TEST(BitfinexDecoder, TellsNumberAndTimeApartInAnyOrder) {
  for (const auto* tail : {"4,1654075080000", "1654075080000,4"}) {
    Decoding decoding;
    decoding.subscribed(R"("channel":"book","symbol":"tBTCUSD","prec":"P0")");
    const auto events = decoding.stream(fmt::format("[7,[34668,1,-0.5],{}]", tail));
    ASSERT_TRUE(events);
    const auto& book = std::get<BookUpdate>(events->back());
    EXPECT_EQ(book.sequence, 4U);
    EXPECT_EQ(book.origin.exchange_time, time_from_ms(1654075080000));
    EXPECT_EQ(book.asks.size(), 1U);
  }
}

TEST(BitfinexDecoder, RenewsAChannelThatIsSubscribedToTwice) {
  Decoding decoding;
  decoding.subscribed(R"("channel":"book","symbol":"tBTCUST","prec":"P0","freq":"F0","len":"100")");
  const auto refused = decoding.stream(
      R"({"channel":"book","symbol":"tBTCUST","prec":"P0","freq":"F0","len":"100","event":"error","msg":"subscribe: dup","code":10301})");
  EXPECT_TRUE(refused);
  EXPECT_EQ(decoding.decoder->take_answer(), R"({"event":"unsubscribe","chanId":7})");
  EXPECT_TRUE(decoding.stream(R"({"event":"unsubscribed","status":"OK","chanId":7})"));
  EXPECT_EQ(
      decoding.decoder->take_answer(),
      subscription({.kind = ChannelKind::book, .instrument = decoding.catalogue->find("tBTCUST")}));
  EXPECT_EQ(decoding.decoder->take_answer(), "");
  const auto another = decoding.stream(
      R"({"channel":"book","symbol":"tETHUST","prec":"P0","event":"error","msg":"subscribe: dup","code":10301})");
  EXPECT_FALSE(another) << "it is known to nobody";
}

TEST(BitfinexDecoder, NamesWhatTheVenueRefuses) {
  Decoding decoding;
  const auto stream = decoding.stream(
      R"({"event":"error","msg":"symbol: invalid","code":10300,"channel":"trades","symbol":"tNOPE"})");
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().kind, ErrorKind::rejected);
  EXPECT_EQ(stream.error().message, "trades tNOPE: symbol: invalid (10300)");
  const auto unknown = decoding.reply(R"(["error",10020,"symbol: invalid"])", "/v2/ticker/tX", 400);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, ErrorKind::rejected);
  const auto busy = decoding.reply(R"(["error",11010,"ratelimit: error"])", "/v2/ticker/tBTCUSD");
  ASSERT_FALSE(busy);
  EXPECT_EQ(busy.error().kind, ErrorKind::transient);
}

TEST(BitfinexDecoder, TellsRefusalsFromFailuresThoughBothComeWithHttp500) {
  EXPECT_TRUE(bitfinex.explains_failures);
  Decoding decoding;
  const auto kind = [&](std::string_view text, int status) {
    const auto events = decoding.reply(text, "/v2/ticker/tBTCUSD", status);
    return events ? std::string("none") : std::string(to_text(events.error().kind));
  };
  EXPECT_EQ(kind(R"(["error",10020,"symbol: invalid"])", 500), "rejected");
  EXPECT_EQ(kind(R"(["error",10050,"no such thing"])", 500), "rejected");
  EXPECT_EQ(kind(R"(["error",10001,"something"])", 400), "rejected");
  for (const auto* text : {R"(["error",10000,"unknown"])", R"(["error",10001,"unknown error"])",
                           R"(["error",20060,"maintenance"])", R"(["error",11000,"not ready"])",
                           R"({"code":503,"error":"temporarily_unavailable"})", "[]", "[1,2,3]"}) {
    EXPECT_EQ(kind(text, 500), "transient") << text;
  }
  EXPECT_EQ(kind("<html>502</html>", 502), "malformed");
}

TEST(BitfinexChecksum, IsTakenOfNumbersAsJavaScriptWritesThem) {
  const auto level = [](std::string_view price, std::string_view size) {
    return Level{*Decimal::parse(price), *Decimal::parse(size)};
  };
  const std::vector<Level> bids{level("6000", "1"), level("0.000001", "0.5")};
  const std::vector<Level> asks{level("6001.5", "0.00000025"), level("6002", "0.0000001"),
                                level("6003", "2.27726294")};
  const std::string_view text = "6000:1:6001.5:-2.5e-7:0.000001:0.5:6002:-1e-7:6003:-2.27726294";
  const auto expected =
      ::crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()));
  EXPECT_EQ(checksum(bids, asks, 0, 0), expected);
}

TEST(BitfinexSymbols, AreReadAndSpelledInBothForms) {
  for (const auto& [symbol, base, quote] :
       {std::tuple{"tBTCUSD", "BTC", "USD"}, std::tuple{"tBTCUST", "BTC", "USDT"},
        std::tuple{"tDOGE:UST", "DOGE", "USDT"}, std::tuple{"tLUNA2:USD", "LUNA", "USD"},
        std::tuple{"tDSHBTC", "DASH", "BTC"}, std::tuple{"tORSUSD", "ORS Group", "USD"}}) {
    const auto pair = read_pair(symbol);
    ASSERT_TRUE(pair) << symbol;
    EXPECT_EQ(pair->base, base);
    EXPECT_EQ(pair->quote, quote);
    EXPECT_EQ(symbol_of(base, quote), symbol);
  }
  for (const auto* symbol :
       {"", "t", "BTCUSD", "fUSD", "tBTCF0:USTF0", "tBTCUSDT", "tBTC:", "t:USD"})
    EXPECT_FALSE(read_pair(symbol)) << symbol;
}

TEST(BitfinexRequests, PageThroughHistoryFromTheOldestOn) {
  auto catalogue = make_catalogue(bitfinex);
  const auto* bitcoin = catalogue->find_or_infer("tBTCUST");
  const auto target = [&](RestQuery query) {
    query.instrument = bitcoin;
    const auto request = bitfinex.request(query);
    return request ? request->target : request.error().message;
  };
  const Time start = *parse_rfc3339("2026-01-15T12:00:00Z");
  EXPECT_EQ(target({.kind = RestKind::candles, .start = start}),
            "/v2/candles/trade:1m:tBTCUST/hist?limit=10000&sort=1&start=1768478400000");
  EXPECT_EQ(target({.kind = RestKind::candles,
                    .timeframe = Timeframe::d1,
                    .start = start,
                    .end = start + 1h,
                    .limit = 5}),
            "/v2/candles/trade:1D:tBTCUST/hist?limit=5&sort=1&start=1768478400000"
            "&end=1768481999999");
  EXPECT_EQ(target({.kind = RestKind::candles}),
            "/v2/candles/trade:1m:tBTCUST/hist?limit=10000&sort=-1");
  EXPECT_EQ(target({.kind = RestKind::depth}), "/v2/book/tBTCUST/P0?len=100");
  EXPECT_FALSE(bitfinex.request({.kind = RestKind::server_time}));
  EXPECT_FALSE(bitfinex.request({.kind = RestKind::historical_trades, .from_id = 7}));
}

TEST(BitfinexSubscriptions, AreOneChannelAMessageBehindTheFlags) {
  auto catalogue = make_catalogue(bitfinex);
  const auto* bitcoin = catalogue->find_or_infer("tBTCUST");
  const std::vector<Channel> wanted{
      {.kind = ChannelKind::candles, .timeframe = Timeframe::m1, .instrument = bitcoin},
      {.kind = ChannelKind::book, .instrument = bitcoin},
      {.kind = ChannelKind::quotes, .instrument = bitcoin}};
  const std::vector<std::string> expected{
      R"({"event":"conf","flags":229376})",
      R"({"event":"subscribe","channel":"candles","key":"trade:1m:tBTCUST"})",
      R"({"event":"subscribe","channel":"book","symbol":"tBTCUST","prec":"P0","freq":"F0","len":"100"})"};
  EXPECT_EQ(bitfinex.subscribe(wanted, 1), expected);
}

}  // namespace
}  // namespace candlewick::exchange::bitfinex
