// What USD-M futures have that spot has not, and their real recordings.
#include <gtest/gtest.h>

#include <map>

#include "exchange/binance/binance.h"
#include "exchange/registry.h"
#include "test/support/frames.h"
#include "test/support/shared_data.h"

namespace candlewick::exchange::binance {
namespace {

struct Decoding {
  std::unique_ptr<Catalogue> catalogue = make_catalogue(binance_usdm);
  std::unique_ptr<Decoder> decoder = binance_usdm.make_decoder(*catalogue);

  Events run(std::string_view text, std::string_view url = "", bool is_reply = false) {
    Events events;
    const auto decoded = decoder->decode(
        {.text = text, .url = url, .received_time = {}, .is_reply = is_reply}, events);
    EXPECT_TRUE(decoded) << decoded.error().message << "\n" << text.substr(0, 300);
    return events;
  }
};

struct Counts {
  std::size_t books = 0;
  std::size_t quotes = 0;
  std::size_t trades = 0;
  std::size_t candles = 0;
  std::size_t listings = 0;
  std::size_t others = 0;
  friend bool operator==(const Counts&, const Counts&) = default;

  void count(const Event& event) {
    if (std::holds_alternative<BookUpdate>(event)) {
      ++books;
    } else if (std::holds_alternative<Quote>(event)) {
      ++quotes;
    } else if (std::holds_alternative<Trade>(event)) {
      ++trades;
    } else if (std::holds_alternative<Candle>(event)) {
      ++candles;
    } else if (std::holds_alternative<Listing>(event)) {
      ++listings;
    } else {
      ++others;
    }
  }
};

// Each book's updates, in the order they came.
using Books = std::map<std::string, std::vector<BookUpdate>>;

Counts decode(const char* file, Books* books = nullptr) {
  Decoding decoding;
  Counts counts;
  for (const auto& frame : test::read_frames(test::shared_data() / file)) {
    for (const auto& event : decoding.run(frame.text, frame.url, frame.is_reply)) {
      counts.count(event);
      const auto* book = std::get_if<BookUpdate>(&event);
      if (book != nullptr && books != nullptr && book->kind == BookKind::delta)
        (*books)[book->origin.instrument->symbol].push_back(*book);
    }
  }
  EXPECT_EQ(decoding.decoder->inexact_decimals(), 0U);
  return counts;
}

constexpr const char* recorded_2021 =
    "binance-futures/ws/usdm-depth-kline_1m-bookticker-aggtrade-2021-07-22.jsonl.gz";
constexpr const char* recorded_2024 =
    "binance-futures/ws/usdm-btcusdt-depth0ms-bookticker-trade-2024-08-08-90s.jsonl.zst";

TEST(UsdmRecordings, DecodeWithoutAnError) {
  REQUIRE_SHARED_DATA();
  EXPECT_EQ(decode(recorded_2021),
            (Counts{.books = 768, .quotes = 613, .trades = 91, .candles = 67}));
  EXPECT_EQ(decode(recorded_2024), (Counts{.books = 1718, .quotes = 16436, .trades = 3332}));
  // The clock and three limits besides.
  EXPECT_EQ(decode("binance-futures/rest/exchangeInfo-2021-07-22.jsonl.gz"),
            (Counts{.listings = 122, .others = 4}));
}

TEST(UsdmRecordings, ChainEachBookToTheUpdateBefore) {
  REQUIRE_SHARED_DATA();
  for (const auto* file : {recorded_2021, recorded_2024}) {
    Books books;
    decode(file, &books);
    EXPECT_FALSE(books.empty());
    for (const auto& [symbol, updates] : books) {
      for (std::size_t i = 1; i < updates.size(); ++i)
        ASSERT_EQ(updates[i].previous_sequence, updates[i - 1].sequence) << symbol << " " << i;
    }
  }
}

TEST(UsdmRecordings, ListPerpetualsAndDatedContractsByTheirSettlement) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  for (const auto& frame : test::read_frames(
           test::shared_data() / "binance-futures/rest/exchangeInfo-2021-07-22.jsonl.gz"))
    decoding.run(frame.text, frame.url, true);
  const auto* bitcoin = decoding.catalogue->find("BTCUSDT");
  ASSERT_NE(bitcoin, nullptr);
  EXPECT_EQ(bitcoin->symbol, "BTC/USDT:USDT");
  EXPECT_EQ(bitcoin->exchange, "binance");
  EXPECT_EQ(bitcoin->market, Market::swap);
  EXPECT_EQ(bitcoin->tick_size->to_string(), "0.01");
  EXPECT_EQ(decoding.catalogue->resolve("BTC/USDT"), bitcoin);
  EXPECT_EQ(decoding.catalogue->resolve("BTC/USDT:USDT-210924")->exchange_symbol, "BTCUSDT_210924");
}

TEST(UsdmDecoder, TakesADepthOfTheBestLevelsForALadderAndNoChange) {
  Decoding decoding;
  const auto events = decoding.run(
      R"({"stream":"btcusdt@depth20@100ms","data":{"e":"depthUpdate","E":1700000000499,"T":1700000000498,"s":"BTCUSDT","U":7,"u":20,"pu":1,"b":[["2.1","1"]],"a":[]}})");
  const auto& ladder = std::get<BookUpdate>(events.front());
  EXPECT_EQ(ladder.kind, BookKind::snapshot);
  EXPECT_TRUE(ladder.is_partial);
  EXPECT_FALSE(ladder.previous_sequence);
}

TEST(UsdmDecoder, ReadsTheFiguresOfDerivatives) {
  Decoding decoding;
  const auto price = std::get<Derivative>(
      decoding
          .run(
              R"({"e":"markPriceUpdate","E":1700000001000,"s":"BTCUSDT","p":"37000.5","P":"0","i":"37001","r":"-0.000125","T":1700006400000})")
          .front());
  EXPECT_EQ(price.mark_price->to_string(), "37000.5");
  EXPECT_EQ(price.funding_rate->to_string(), "-0.000125");
  EXPECT_EQ(to_ms(*price.next_funding_time), 1700006400000);
  const auto interest = std::get<Derivative>(
      decoding
          .run(R"({"openInterest":"10659.509","symbol":"BTCUSDT","time":1700000001900})",
               "https://host/fapi/v1/openInterest?symbol=BTCUSDT", true)
          .front());
  EXPECT_EQ(interest.open_interest->to_string(), "10659.509");
  EXPECT_FALSE(interest.mark_price);
}

TEST(UsdmStreams, AreAskedForAtTheirTwoPaths) {
  const auto catalogue = make_catalogue(binance_usdm);
  const auto channels =
      usual_channels(binance_usdm, *catalogue->find_or_infer("BTCUSDT"), {{Timeframe::m1}}, true);
  std::map<int, std::vector<Channel>> lines;
  for (const auto& channel : channels) lines[binance_usdm.line_of(channel)].push_back(channel);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(binance_usdm.stream_url("wss://host/", lines[0]),
            "wss://host/public/stream?streams=btcusdt@bookTicker");
  EXPECT_EQ(
      binance_usdm.subscribe(lines[0], 1),
      std::vector<std::string>{
          R"({"method":"SUBSCRIBE","params":["btcusdt@bookTicker","btcusdt@depth@100ms"],"id":1})"});
  EXPECT_EQ(binance_usdm.stream_url("wss://host", lines[1]),
            "wss://host/market/stream?streams=btcusdt@kline_1m");
  EXPECT_EQ(
      binance_usdm.subscribe(lines[1], 2),
      std::vector<std::string>{
          R"({"method":"SUBSCRIBE","params":["btcusdt@kline_1m","btcusdt@ticker","btcusdt@markPrice@1s","btcusdt@aggTrade"],"id":2})"});
}

TEST(UsdmRequests, NameWhatIsAskedAndWhatItCosts) {
  const auto catalogue = make_catalogue(binance_usdm);
  const auto* bitcoin = catalogue->find_or_infer("BTCUSDT");
  const auto target = [&](RestQuery query) {
    query.instrument = bitcoin;
    const auto request = binance_usdm.request(query);
    return request ? fmt::format("{} {}", request->weight, request->target)
                   : request.error().message;
  };
  EXPECT_EQ(target({.kind = RestKind::candles, .start = time_from_ms(60000), .limit = 99}),
            "1 /fapi/v1/klines?symbol=BTCUSDT&interval=1m&startTime=60000&limit=99");
  EXPECT_EQ(target({.kind = RestKind::candles}),
            "5 /fapi/v1/klines?symbol=BTCUSDT&interval=1m&limit=1000");
  EXPECT_EQ(target({.kind = RestKind::depth, .limit = 200}),
            "10 /fapi/v1/depth?symbol=BTCUSDT&limit=500");
  EXPECT_EQ(target({.kind = RestKind::depth}), "20 /fapi/v1/depth?symbol=BTCUSDT&limit=1000");
  EXPECT_EQ(target({.kind = RestKind::derivative}), "1 /fapi/v1/openInterest?symbol=BTCUSDT");
  EXPECT_NE(target({.kind = RestKind::historical_trades}).find("key"), std::string::npos);
}

TEST(UsdmVenue, IsAMarketOfBinanceWithASettingOfItsOwn) {
  EXPECT_EQ(find_venue("binance", Market::swap), &binance_usdm);
  EXPECT_EQ(find_venue("binance-usdm"), &binance_usdm);
  EXPECT_EQ(find_venue("binance"), &binance);
  EXPECT_NE(venue_names().find("binance, binance-usdm, "), std::string::npos);
  EXPECT_NE(binance_usdm.explain_status(451).find("CANDLEWICK_BINANCE_USDM_BASE_URL"),
            std::string::npos);
}

}  // namespace
}  // namespace candlewick::exchange::binance
