// Coinbase's quirks, and its real recordings.
#include "exchange/coinbase/coinbase.h"

#include <map>

#include <gtest/gtest.h>

#include "exchange/registry.h"
#include "test/support/frames.h"
#include "test/support/shared_data.h"

namespace candlewick::exchange::coinbase {
namespace {

using namespace std::chrono_literals;

struct Decoding {
  std::unique_ptr<Catalogue> catalogue = make_catalogue(coinbase);
  std::unique_ptr<Decoder> decoder = coinbase.make_decoder(*catalogue);

  Result<Events> stream(std::string_view text) {
    return run({.text = text, .url = "wss://ws-feed.exchange.coinbase.com/", .received_time = {}});
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

TEST(CoinbaseRecordings, DecodeWithoutAnErrorAndWithEveryTradeInOrder) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  std::size_t trades = 0;
  std::size_t tickers = 0;
  std::size_t snapshots = 0;
  std::size_t updates = 0;
  std::map<const Instrument*, std::uint64_t> last;
  const auto file =
      test::shared_data() / "coinbase/ws/exchange-level2-ticker-matches-2021-04-17.jsonl.gz";
  for (const auto& frame : test::read_frames(file)) {
    const auto events = decoding.stream(frame.text);
    ASSERT_TRUE(events) << events.error().message << "\n" << frame.text.substr(0, 300);
    for (const auto& event : *events) {
      if (const auto* trade = std::get_if<Trade>(&event)) {
        auto& known = last[trade->origin.instrument];
        if (known != 0) {
          EXPECT_EQ(trade->id, known + 1);
        }
        known = trade->id;
        ++trades;
      } else if (const auto* book = std::get_if<BookUpdate>(&event)) {
        ++(book->kind == BookKind::snapshot ? snapshots : updates);
      } else if (std::holds_alternative<Ticker>(event)) {
        ++tickers;
      }
    }
  }
  EXPECT_EQ(trades, 57U + 5U);
  EXPECT_EQ(tickers, 62U);
  EXPECT_EQ(snapshots, 5U);
  EXPECT_EQ(updates, 4296U);
  EXPECT_EQ(decoding.decoder->inexact_decimals(), 0U);
}

TEST(CoinbaseRecordings, ListTheProductsOf2021WithTheirGrids) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  const auto frames =
      test::read_frames(test::shared_data() / "coinbase/rest/products-2021-04-17.jsonl.gz");
  ASSERT_EQ(frames.size(), 1U);
  const auto events = decoding.reply(frames.front().text, frames.front().url);
  ASSERT_TRUE(events) << events.error().message;
  EXPECT_EQ(events->size(), 162U);
  const auto* bitcoin = decoding.catalogue->find("BTC-GBP");
  ASSERT_NE(bitcoin, nullptr);
  EXPECT_EQ(bitcoin->symbol, "BTC/GBP");
  EXPECT_EQ(bitcoin->status, ListingStatus::trading);
  EXPECT_EQ(bitcoin->tick_size->to_string(), "0.01");
  EXPECT_EQ(bitcoin->step_size->to_string(), "0.00000001");
  EXPECT_EQ(decoding.catalogue->find("CGLD-EUR")->symbol, "CELO/EUR");
}

TEST(CoinbaseRecordings, AreAllInTheTestsAbove) {
  REQUIRE_SHARED_DATA();
  std::size_t files = 0;
  for (const auto* folder : {"coinbase/ws", "coinbase/rest"}) {
    for (const auto& entry : std::filesystem::directory_iterator(test::shared_data() / folder))
      files += entry.is_regular_file() ? 1 : 0;
  }
  EXPECT_EQ(files, 2U) << "a recording was added: decode it";
}

TEST(CoinbaseRecordings, OfSingleMessagesAllDecode) {
  REQUIRE_SHARED_DATA();
  std::size_t quiet = 0;
  const auto file = test::shared_data() / "coinbase/messages/samples-2021-2022.jsonl.gz";
  const auto frames = test::read_frames(file);
  for (const auto& frame : frames) {
    Decoding decoding;
    const auto events =
        frame.text.contains("\"auction_mode\"")
            ? decoding.reply(frame.text,
                             "https://api.exchange.coinbase.com/products/BTC-USD/book?level=2")
            : decoding.stream(frame.text);
    ASSERT_TRUE(events) << events.error().message << "\n" << frame.text;
    // Single orders are of a feed that needs a key.
    quiet += events->empty() ? 1 : 0;
    EXPECT_EQ(events->empty(), frame.text.contains("\"type\":\"open\""));
  }
  EXPECT_EQ(frames.size(), 6U);
  EXPECT_EQ(quiet, 1U);
}

TEST(CoinbaseRecordings, OfDocumentedFramesOfAdvancedTradeAllDecode) {
  REQUIRE_SHARED_DATA();
  std::size_t decoded = 0;
  const auto file = test::shared_data() / "coinbase/documented/shapes-not-recorded.jsonl.gz";
  for (const auto& frame : test::read_frames(file)) {
    if (!frame.text.contains("\"channel\"")) continue;  // replies of a REST that is not asked
    Decoding decoding;
    const auto events = decoding.stream(frame.text);
    ASSERT_TRUE(events) << events.error().message << "\n" << frame.text;
    EXPECT_EQ(events->empty(), frame.text.contains("\"subscriptions\"")) << frame.text;
    ++decoded;
  }
  EXPECT_EQ(decoded, 7U);
}

TEST(CoinbaseDecoder, SaysTheTakersSideWhereTheVenueSaysTheMakers) {
  Decoding decoding;
  const auto events = decoding.stream(
      R"({"type":"match","trade_id":10,"sequence":50,"time":"2014-11-07T08:19:27.028459Z","product_id":"BTC-USD","size":"5.23512","price":"400.23","side":"sell"})");
  ASSERT_TRUE(events);
  EXPECT_EQ(std::get<Trade>(events->front()).taker_side, Side::buy);
}

TEST(CoinbaseDecoder, TellsTheClockOnceASecondHoweverManyProductsBeat) {
  Decoding decoding;
  const auto beat = [&](const char* product, const char* time) {
    const auto events = decoding.stream(fmt::format(
        R"({{"type":"heartbeat","sequence":90,"last_trade_id":20,"product_id":"{}","time":"2014-11-07T08:19:{}Z"}})",
        product, time));
    EXPECT_TRUE(events);
    return events->size();
  };
  EXPECT_EQ(beat("BTC-USD", "28.464459"), 1U);
  EXPECT_EQ(beat("ETH-USD", "28.464470"), 0U);
  EXPECT_EQ(beat("BTC-USD", "29.464459"), 1U);
  EXPECT_EQ(beat("ETH-USD", "29.464470"), 0U);
}

TEST(CoinbaseDecoder, TakesTheYearOneForNoTime) {
  Decoding decoding;
  const auto events = decoding.stream(
      R"({"type":"l2update","product_id":"BTC-USD","changes":[["buy","1","2"]],"time":"0001-01-01T00:00:00.000000Z"})");
  ASSERT_TRUE(events) << events.error().message;
  EXPECT_FALSE(std::get<BookUpdate>(events->front()).origin.exchange_time);
}

TEST(CoinbaseDecoder, RefusesABrokenSizeThatTheFeedHasSent) {
  Decoding decoding;
  const auto events = decoding.stream(
      R"({"type":"l2update","product_id":"BTC-USD","changes":[["buy","1","0.-10000"]],"time":"2021-06-02T09:02:09.048568Z"})");
  ASSERT_FALSE(events);
  EXPECT_EQ(events.error().kind, ErrorKind::malformed);
}

TEST(CoinbaseDecoder, NamesWhatTheVenueRefuses) {
  Decoding decoding;
  const auto stream = decoding.stream(
      R"({"type":"error","message":"Failed to subscribe","reason":"NOPE-USD is not a valid product"})");
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().kind, ErrorKind::rejected);
  EXPECT_EQ(stream.error().message, "Failed to subscribe: NOPE-USD is not a valid product");
  const auto reply =
      decoding.reply(R"({"message":"NotFound"})", "/products/NOPE-USD/candles?granularity=60", 404);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, ErrorKind::rejected);
  EXPECT_EQ(reply.error().message, "HTTP 404: NotFound");
}

std::string advanced(int number) {
  return fmt::format(
      R"({{"channel":"l2_data","timestamp":"2026-04-07T14:30:00Z","sequence_num":{},"events":[{{"type":"update","product_id":"BTC-USD","updates":[{{"side":"offer","price_level":"2","new_quantity":"1"}}]}}]}})",
      number);
}

TEST(CoinbaseAdvancedTrade, TellsWhichMessageOfTheConnectionIsMissing) {
  Decoding decoding;
  EXPECT_EQ(decoding.stream(advanced(0))->size(), 1U);
  EXPECT_EQ(decoding.stream(advanced(1))->size(), 1U);
  EXPECT_TRUE(decoding.stream(advanced(1))->empty()) << "it came twice";
  const auto after = decoding.stream(advanced(3));
  ASSERT_EQ(after->size(), 2U);
  const auto& gap = std::get<ConnectionGap>(after->front());
  EXPECT_EQ(gap.exchange, "coinbase");
  EXPECT_EQ(gap.expected, "2");
  EXPECT_EQ(gap.got, "3");
  EXPECT_TRUE(decoding.stream(advanced(2))->empty()) << "it came too late";
  EXPECT_EQ(decoding.stream(advanced(4))->size(), 1U);
}

TEST(CoinbaseAdvancedTrade, CountsNoMessageThatWasRefused) {
  Decoding decoding;
  ASSERT_TRUE(decoding.stream(advanced(7)));
  EXPECT_FALSE(decoding.stream(
      R"({"channel":"market_trades","sequence_num":8,"events":[{"type":"update","trades":[{"side":"x"}]}]})"));
  const auto after = decoding.stream(advanced(9));
  ASSERT_TRUE(after);
  EXPECT_TRUE(std::holds_alternative<ConnectionGap>(after->front()));
}

TEST(CoinbaseRequests, AskForNoMorePeriodsThanTheVenueAnswers) {
  auto catalogue = make_catalogue(coinbase);
  const auto* bitcoin = catalogue->find_or_infer("BTC-USD");
  const auto target = [&](RestQuery query) {
    query.instrument = bitcoin;
    const auto request = coinbase.request(query);
    return request ? request->target : request.error().message;
  };
  const Time start = *parse_rfc3339("2026-01-15T12:00:00Z");
  EXPECT_EQ(target({.kind = RestKind::candles, .start = start}),
            "/products/BTC-USD/candles?granularity=60&start=2026-01-15T12%3A00%3A00Z"
            "&end=2026-01-15T16%3A59%3A00Z");
  EXPECT_EQ(target({.kind = RestKind::candles,
                    .timeframe = Timeframe::h1,
                    .start = start,
                    .end = start + 2h}),
            "/products/BTC-USD/candles?granularity=3600&start=2026-01-15T12%3A00%3A00Z"
            "&end=2026-01-15T13%3A59%3A59Z");
  EXPECT_EQ(target({.kind = RestKind::candles}), "/products/BTC-USD/candles?granularity=60");
  EXPECT_EQ(target({.kind = RestKind::historical_trades, .from_id = 7}),
            "/products/BTC-USD/trades?limit=1000&after=1007");
  EXPECT_EQ(target({.kind = RestKind::depth}), "/products/BTC-USD/book?level=2");
  EXPECT_EQ(coinbase.request({.kind = RestKind::instruments})->target, "/products");
  EXPECT_FALSE(coinbase.request({.kind = RestKind::derivative}));
}

TEST(CoinbaseSubscriptions, StandAloneForEachProductAndForItsBook) {
  auto catalogue = make_catalogue(coinbase);
  const auto* bitcoin = catalogue->find_or_infer("BTC-USD");
  const auto* ether = catalogue->find_or_infer("ETH-USD");
  using enum ChannelKind;
  const std::vector<Channel> wanted{{.kind = ticker, .instrument = bitcoin},
                                    {.kind = quotes, .instrument = bitcoin},
                                    {.kind = book, .instrument = bitcoin},
                                    {.kind = trades, .instrument = bitcoin},
                                    {.kind = trades, .instrument = ether}};
  const std::vector<std::string> expected{
      R"({"type":"subscribe","product_ids":["BTC-USD"],"channels":["matches","ticker","heartbeat"]})",
      R"({"type":"subscribe","product_ids":["BTC-USD"],"channels":["level2_batch"]})",
      R"({"type":"subscribe","product_ids":["ETH-USD"],"channels":["matches","heartbeat"]})"};
  EXPECT_EQ(coinbase.subscribe(wanted, 1), expected);
  EXPECT_EQ(coinbase.unsubscribe(std::span(wanted).subspan(2, 1), 1),
            std::vector<std::string>{
                R"({"type":"unsubscribe","product_ids":["BTC-USD"],"channels":["level2_batch"]})"});
}

}  // namespace
}  // namespace candlewick::exchange::coinbase
