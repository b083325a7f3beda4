// Bitstamp's quirks, and its real recordings.
#include "exchange/bitstamp/bitstamp.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "exchange/testing.h"

namespace candlewick::exchange::bitstamp {
namespace {

using namespace std::chrono_literals;

struct Decoding : VenueDecoding {
  Decoding() : VenueDecoding(bitstamp, "wss://ws.bitstamp.net/", {}) {}
};

// The snapshots in it are from before its changes.
TEST(BitstampRecordings, DecodeWithoutAnErrorAndInOrder) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  std::size_t trades = 0;
  std::size_t updates = 0;
  std::size_t snapshots = 0;
  std::map<const Instrument*, std::uint64_t> last_trade;
  std::map<const Instrument*, std::uint64_t> last_update;
  const auto file =
      test::shared_data() / "bitstamp/ws/diff_order_book-live_trades-2022-01-05.jsonl.gz";
  for (const auto& frame : test::read_frames(file)) {
    const auto events =
        frame.is_reply ? decoding.reply(frame.text, frame.url) : decoding.stream(frame.text);
    ASSERT_TRUE(events) << events.error().message << "\n" << frame.text.substr(0, 300);
    for (const auto& event : *events) {
      if (const auto* trade = std::get_if<Trade>(&event)) {
        EXPECT_GT(trade->id, last_trade[trade->origin.instrument]);
        last_trade[trade->origin.instrument] = trade->id;
        EXPECT_FALSE(trade->size.is_zero());
        ++trades;
      } else if (const auto* book = std::get_if<BookUpdate>(&event)) {
        if (book->kind == BookKind::snapshot) {
          EXPECT_LT(book->bids.front().price, book->asks.front().price);
          ++snapshots;
          continue;
        }
        EXPECT_GT(*book->sequence, last_update[book->origin.instrument]);
        last_update[book->origin.instrument] = *book->sequence;
        ++updates;
      }
    }
  }
  EXPECT_EQ(trades, 10U);
  EXPECT_EQ(updates, 717U);
  EXPECT_EQ(snapshots, 10U);
}

TEST(BitstampRecordings, OfRepliesDecode) {
  REQUIRE_SHARED_DATA();
  std::map<std::string, std::size_t> events_of;
  for (const auto& frame : test::read_frames(
           test::shared_data() / "bitstamp/rest/ticker-book-transactions-2020.jsonl.gz")) {
    Decoding decoding;
    const auto events = decoding.reply(frame.text, frame.url);
    ASSERT_TRUE(events) << events.error().message;
    EXPECT_FALSE(events->empty());
    for (const auto& event : *events) {
      if (std::holds_alternative<Trade>(event)) ++events_of["trade"];
      if (std::holds_alternative<Ticker>(event)) ++events_of["ticker"];
      if (std::holds_alternative<BookUpdate>(event)) ++events_of["book"];
    }
  }
  EXPECT_GT(events_of["trade"], 10U);
  EXPECT_EQ(events_of["ticker"], 1U);
  EXPECT_EQ(events_of["book"], 1U);
}

TEST(BitstampRecordings, ListThePairsOf2022WithTheirGrids) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  const auto frames =
      test::read_frames(test::shared_data() / "bitstamp/rest/trading-pairs-2022-01-05.jsonl.gz");
  ASSERT_EQ(frames.size(), 1U);
  const auto events = decoding.reply(frames.front().text, frames.front().url);
  ASSERT_TRUE(events) << events.error().message;
  EXPECT_GT(events->size(), 100U);
  const auto* bitcoin = decoding.catalogue->find("btcusd");
  ASSERT_NE(bitcoin, nullptr);
  EXPECT_EQ(bitcoin->symbol, "BTC/USD");
  EXPECT_EQ(bitcoin->status, ListingStatus::trading);
  EXPECT_EQ(bitcoin->tick_size->to_string(), "0.01");
  EXPECT_EQ(bitcoin->step_size->to_string(), "0.00000001");
  // What is read off a symbol alone is what the listing says.
  decoding.catalogue->each([](const Instrument& listed) {
    const auto pair = read_pair(listed.exchange_symbol);
    ASSERT_TRUE(pair) << listed.exchange_symbol;
    EXPECT_EQ(pair->base + "/" + pair->quote, listed.symbol);
    EXPECT_EQ(symbol_of(listed.base, listed.quote), listed.exchange_symbol);
  });
}

TEST(BitstampRecordings, AreAllInTheTestsAbove) {
  REQUIRE_SHARED_DATA();
  std::size_t files = 0;
  for (const auto* folder : {"bitstamp/ws", "bitstamp/rest"}) {
    for (const auto& entry : std::filesystem::directory_iterator(test::shared_data() / folder))
      files += entry.is_regular_file() ? 1 : 0;
  }
  EXPECT_EQ(files, 3U) << "a recording was added: decode it";
}

TEST(BitstampRecordings, OfSingleMessagesAllDecode) {
  REQUIRE_SHARED_DATA();
  std::size_t decoded = 0;
  const auto file = test::shared_data() / "bitstamp/messages/samples-2021-2022.jsonl.gz";
  for (const auto& frame : test::read_frames(file)) {
    Decoding decoding;
    const bool is_reply = !frame.text.contains("\"channel\"");
    const auto events =
        is_reply ? decoding.reply(frame.text, "https://www.bitstamp.net/api/v2/order_book/btcusd/")
                 : decoding.stream(frame.text);
    ASSERT_TRUE(events) << events.error().message << "\n" << frame.text;
    // Single orders are not read.
    EXPECT_EQ(events->empty(), frame.text.contains("live_orders_")) << frame.text;
    ++decoded;
  }
  EXPECT_EQ(decoded, 5U);
}

TEST(BitstampDecoder, TakesTheDigitsAndNotTheFloatingPoint) {
  for (const auto* members :
       {R"("amount":1e-08,"amount_str":"1.25E-8","price":57748.8,"price_str":"57748.80")",
        R"("price_str":"57748.80","amount_str":"1.25E-8","price":0.1,"amount":0.1)"}) {
    Decoding decoding;
    const auto events = decoding.stream(fmt::format(
        R"({{"channel":"live_trades_btcusd","event":"trade","data":{{"id":158457579,{},"microtimestamp":"1616297318187000","type":0}}}})",
        members));
    ASSERT_TRUE(events) << events.error().message;
    const auto& trade = std::get<Trade>(events->front());
    EXPECT_EQ(trade.size.to_string(), "0.0000000125");
    EXPECT_EQ(trade.price.to_string(), "57748.8");
    EXPECT_EQ(trade.taker_side, Side::buy);
    EXPECT_EQ(trade.origin.exchange_time, time_from_ms(1616297318187));
  }
}

TEST(BitstampDecoder, TakesRowsOfAnotherTimeForAFailure) {
  Decoding decoding;
  const std::string_view rows =
      R"({"data":{"pair":"BTC/USD","ohlc":[{"timestamp":"1654081320","open":"1","high":"1","low":"1","close":"1","volume":"0.5"}]}})";
  const std::string target = "/api/v2/ohlc/btcusd/?step=60&limit=1000";
  const auto right = decoding.reply(rows, target + "&start=1654081320&end=1654081380");
  ASSERT_EQ(right->size(), 1U);
  const auto& candle = std::get<Candle>(right->front());
  EXPECT_FALSE(candle.closed_is_known) << "the newest row may be running";
  EXPECT_EQ(candle.timeframe, Timeframe::m1);
  const auto other = decoding.reply(rows, target + "&start=1654080000&end=1654081260");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::transient);
  EXPECT_TRUE(decoding
                  .reply(R"({"data":{"pair":"BTC/USD","ohlc":[]}})",
                         target + "&start=1654080000&end=1654081260")
                  ->empty());
  EXPECT_FALSE(decoding.reply(R"({"data":{"pair":"BTC/USD"}})", target));
}

TEST(BitstampDecoder, ReadsTheTickersOfAllPairsButDerivatives) {
  Decoding decoding;
  const auto events = decoding.reply(
      R"([{"timestamp":"1686068944","high":"26252","last":"26216","bid":"26208","vwap":"25681","volume":"3563.13819902","low":"25350","ask":"26211","open":"25730","open_24":"25895","percent_change_24":"1.24","pair":"BTC/USD"},{"timestamp":"1686068944","last":"26216","volume":"1","pair":"BTC/USD-PERP"},{"pair":"UST/EUR","last":"0.9","volume":"0","timestamp":"1686068944"}])",
      bitstamp.all_tickers().target);
  ASSERT_TRUE(events) << events.error().message;
  const auto tickers = of_kind<Ticker>(*events);
  ASSERT_EQ(tickers.size(), 2U);
  EXPECT_EQ(tickers[0].origin.instrument, decoding.catalogue->find("btcusd"));
  EXPECT_EQ(tickers[0].origin.exchange_time, time_from_ms(1'686'068'944'000));
  EXPECT_EQ(tickers[0].last->to_string(), "26216");
  EXPECT_EQ(tickers[0].volume_24h->to_string(), "3563.13819902");
  EXPECT_EQ(tickers[0].open_24h->to_string(), "25895");
  EXPECT_EQ(tickers[1].origin.instrument->symbol, "USTC/EUR");
}

TEST(BitstampDecoder, NamesWhatTheVenueRefuses) {
  Decoding decoding;
  const auto stream = decoding.stream(
      R"({"event":"bts:error","channel":"order_book_nope","data":{"code":4001,"message":"Unknown channel."}})");
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().kind, ErrorKind::rejected);
  EXPECT_EQ(stream.error().message, "order_book_nope: Unknown channel. (4001)");
  const auto reply = decoding.reply("<html>", "/api/v2/ticker/nope/", 404);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, ErrorKind::rejected);
}

TEST(BitstampDecoder, TellsTheTimeByTheFiguresOfTheLastHour) {
  Decoding decoding;
  const auto target = bitstamp.request({.kind = RestKind::server_time})->target;
  const auto events = decoding.reply(R"({"timestamp":"1643640186","last":"2211.00"})", target);
  ASSERT_TRUE(events) << events.error().message;
  ASSERT_EQ(events->size(), 1U);
  EXPECT_EQ(std::get<ClockReading>(events->front()).exchange_time, time_from_ms(1'643'640'186'000));
}

TEST(BitstampRequests, AskForOnePeriodLessThanFits) {
  auto catalogue = make_catalogue(bitstamp);
  const auto* bitcoin = catalogue->find_or_infer("btcusd");
  const auto target = [&](RestQuery query) {
    query.instrument = bitcoin;
    const auto request = bitstamp.request(query);
    return request ? request->target : request.error().message;
  };
  const Time start = *parse_rfc3339("2026-01-15T12:00:00Z");
  EXPECT_EQ(target({.kind = RestKind::candles, .start = start}),
            "/api/v2/ohlc/btcusd/?step=60&limit=1000&start=1768478400&end=1768538340");
  EXPECT_EQ(target({.kind = RestKind::candles,
                    .timeframe = Timeframe::h1,
                    .start = start,
                    .end = start + 2h}),
            "/api/v2/ohlc/btcusd/?step=3600&limit=1000&start=1768478400&end=1768485600");
  EXPECT_EQ(target({.kind = RestKind::candles}), "/api/v2/ohlc/btcusd/?step=60&limit=1000");
  EXPECT_EQ(target({.kind = RestKind::depth}), "/api/v2/order_book/btcusd/");
  EXPECT_FALSE(bitstamp.request({.kind = RestKind::historical_trades}));
}

TEST(BitstampSubscriptions, AreOneChannelAMessage) {
  auto catalogue = make_catalogue(bitstamp);
  const auto* bitcoin = catalogue->find_or_infer("btcusd");
  const std::vector<Channel> wanted{{.kind = ChannelKind::trades, .instrument = bitcoin},
                                    {.kind = ChannelKind::ladder, .instrument = bitcoin},
                                    {.kind = ChannelKind::book, .instrument = bitcoin}};
  const std::vector<std::string> expected{
      R"({"event":"bts:subscribe","data":{"channel":"live_trades_btcusd"}})",
      R"({"event":"bts:subscribe","data":{"channel":"order_book_btcusd"}})"};
  EXPECT_EQ(bitstamp.subscribe(wanted, 1), expected);
  EXPECT_EQ(bitstamp.unsubscribe(std::span(wanted).first(1), 1),
            std::vector<std::string>{
                R"({"event":"bts:unsubscribe","data":{"channel":"live_trades_btcusd"}})"});
}

}  // namespace
}  // namespace candlewick::exchange::bitstamp
