// Gemini's quirks, and what the recording of 2021 holds.
#include "exchange/gemini/gemini.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "exchange/testing.h"

namespace candlewick::exchange::gemini {
namespace {

struct Decoding : VenueDecoding {
  Decoding() : VenueDecoding(gemini, {}, std::string(gemini.rest_url)) {}
};

Events events_of_the_recording(Decoding& decoding) {
  return decoding.events_of("gemini/ws/v2-l2-trades-2021-06-24.jsonl.gz");
}

// A book as simple as can be, apart from the product's own.
struct PlainBook {
  std::map<Decimal, Decimal> bids;
  std::map<Decimal, Decimal> asks;

  static void apply(std::map<Decimal, Decimal>& side, const std::vector<Level>& levels) {
    for (const auto& level : levels) {
      if (level.size.is_zero()) {
        side.erase(level.price);
      } else {
        side[level.price] = level.size;
      }
    }
  }
  bool is_crossed() const {
    return !bids.empty() && !asks.empty() && bids.rbegin()->first >= asks.begin()->first;
  }
};

TEST(GeminiRecording, BeginsEachBookWithAllOfItAndNeverCrossesIt) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  const auto updates = of_kind<BookUpdate>(events_of_the_recording(decoding));
  EXPECT_EQ(updates.size(), 655U);
  std::map<const Instrument*, PlainBook> books;
  std::size_t snapshots = 0;
  for (const auto& update : updates) {
    const bool is_known = books.contains(update.origin.instrument);
    EXPECT_EQ(update.kind == BookKind::snapshot, !is_known);
    snapshots += is_known ? 0 : 1;
    auto& book = books[update.origin.instrument];
    if (!is_known) {
      EXPECT_TRUE(std::ranges::is_sorted(update.bids, std::greater{}, &Level::price));
      EXPECT_TRUE(std::ranges::is_sorted(update.asks, std::less{}, &Level::price));
    }
    PlainBook::apply(book.bids, update.bids);
    PlainBook::apply(book.asks, update.asks);
    EXPECT_FALSE(book.is_crossed()) << update.origin.instrument->symbol;
  }
  EXPECT_EQ(snapshots, 10U);
}

TEST(GeminiRecording, HasTradesFromBeforeInOrderThenNewOnesAndTheTime) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  const auto events = events_of_the_recording(decoding);
  std::map<const Instrument*, std::uint64_t> newest;
  std::size_t live = 0;
  for (const auto& trade : of_kind<Trade>(events)) {
    auto& id = newest[trade.origin.instrument];
    EXPECT_GT(trade.id, id) << trade.origin.instrument->symbol;
    id = trade.id;
    live += *trade.origin.exchange_time >= time_from_ms(1'624'493'666'000) ? 1 : 0;
  }
  EXPECT_EQ(live, 16U);
  const auto clocks = of_kind<ClockReading>(events);
  ASSERT_EQ(clocks.size(), 7U);
  EXPECT_EQ(to_rfc3339(clocks.front().exchange_time), "2021-06-24T00:14:26.869Z");
}

TEST(GeminiRecording, ListsTheSymbolsOf2021) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  for (const auto& frame :
       test::read_frames(test::shared_data() / "gemini/rest/symbols-2021-06-24.jsonl.gz")) {
    ASSERT_TRUE(
        decoding.run({.text = frame.text, .url = frame.url, .received_time = {}, .is_reply = true}))
        << frame.text.substr(0, 200);
  }
  const auto* bitcoin = decoding.catalogue->find("BTCUSD");
  ASSERT_NE(bitcoin, nullptr);
  EXPECT_TRUE(bitcoin->listed);
  EXPECT_EQ(bitcoin->symbol, "BTC/USD");
  EXPECT_EQ(bitcoin->status, ListingStatus::trading);
  EXPECT_EQ(bitcoin->tick_size->to_string(), "0.01");
  EXPECT_EQ(bitcoin->step_size->to_string(), "0.00000001");
  EXPECT_EQ(decoding.catalogue->find("BTCGUSD")->status, ListingStatus::halted);
  // What the names alone were read as is what their details say.
  std::size_t count = 0;
  decoding.catalogue->each([&](const Instrument& instrument) {
    const auto pair = read_pair(instrument.exchange_symbol);
    ASSERT_TRUE(pair) << instrument.exchange_symbol;
    EXPECT_EQ(pair->base + "/" + pair->quote, instrument.symbol);
    ++count;
  });
  EXPECT_GT(count, 65U);
}

TEST(GeminiSymbols, AreTakenApartByTheirQuoteAsset) {
  const auto symbol = [](std::string_view text) {
    const auto pair = read_pair(text);
    return pair ? pair->base + "/" + pair->quote : "";
  };
  EXPECT_EQ(symbol("btcusd"), "BTC/USD");
  EXPECT_EQ(symbol("BTCGUSD"), "BTC/GUSD");
  EXPECT_EQ(symbol("PAXGUSD"), "PAXG/USD");
  EXPECT_EQ(symbol("1INCHUSD"), "1INCH/USD");
  EXPECT_EQ(symbol("GUSDUSD"), "GUSD/USD");
  EXPECT_EQ(symbol("ETHGUSD"), "ETH/GUSD");
  EXPECT_EQ(symbol("MOODENGUSD"), "MOODENG/USD");
  EXPECT_EQ(symbol("JITOSOLSOL"), "JITOSOL/SOL");
  EXPECT_EQ(symbol("SOLUSD"), "SOL/USD");
  EXPECT_EQ(symbol("BTCGUSDPERP"), "");
  EXPECT_EQ(symbol("USD"), "");
  EXPECT_EQ(symbol("BTC-USD"), "");
}

// What is quoted in dollars as well is an asset of its own.
TEST(GeminiSymbols, AreReadByTheOthersInTheList) {
  Decoding decoding;
  ASSERT_TRUE(
      decoding.reply(R"(["xrpusd","xrpgusd","moodengusd","paxgusd","btcgusd"])", "/v1/symbols"));
  EXPECT_EQ(decoding.catalogue->find("XRPGUSD")->symbol, "XRP/GUSD");
  EXPECT_EQ(decoding.catalogue->find("MOODENGUSD")->symbol, "MOODENG/USD");
  EXPECT_EQ(decoding.catalogue->find("PAXGUSD")->symbol, "PAXG/USD");
  EXPECT_EQ(decoding.catalogue->find("BTCGUSD")->symbol, "BTC/GUSD");
}

TEST(GeminiSymbols, AreWhatTheirDetailsSay) {
  Decoding decoding;
  const auto details = [&](std::string_view symbol, std::string_view base, std::string_view quote) {
    const auto events = decoding.reply(
        fmt::format(
            R"({{"symbol":"{}","base_currency":"{}","quote_currency":"{}","tick_size":1E-6,"quote_increment":0.01,"status":"open"}})",
            symbol, base, quote),
        fmt::format("/v1/symbols/details/{}", symbol));
    return events && !events->empty();
  };
  // Read wrong where the details had not come, as nothing told better.
  EXPECT_EQ(decoding.catalogue->find_or_infer("ABCGUSD")->symbol, "ABCG/USD");
  EXPECT_TRUE(details("ABCGUSD", "ABC", "GUSD"));
  EXPECT_EQ(decoding.catalogue->find("ABCGUSD")->symbol, "ABC/GUSD");
  ASSERT_TRUE(decoding.reply(R"(["abcgusd"])", "/v1/symbols"));
  EXPECT_EQ(decoding.catalogue->find("ABCGUSD")->symbol, "ABC/GUSD");
  EXPECT_TRUE(details("XYZQQQ", "XYZ", "QQQ")) << "a quote asset that is new";
  EXPECT_EQ(decoding.catalogue->find("XYZQQQ")->symbol, "XYZ/QQQ");
  EXPECT_FALSE(details("BTCGUSDPERP", "BTC", "GUSD"));
}

TEST(GeminiDecoder, ANameAloneTakesNothingFromWhatIsKnown) {
  Decoding decoding;
  ASSERT_TRUE(decoding.reply(
      R"({"symbol":"SOLUSD","base_currency":"SOL","quote_currency":"USD","tick_size":1E-6,"quote_increment":0.01,"status":"open"})",
      "/v1/symbols/details/solusd"));
  const auto events = decoding.reply(R"(["solusd","newusd","btcgusdperp"])", "/v1/symbols");
  ASSERT_TRUE(events);
  ASSERT_EQ(events->size(), 2U);
  EXPECT_EQ(decoding.catalogue->find("SOLUSD")->status, ListingStatus::trading);
  EXPECT_EQ(decoding.catalogue->find("NEWUSD")->status, ListingStatus::unknown);
  EXPECT_TRUE(decoding.catalogue->find("NEWUSD")->listed);
}

TEST(GeminiDecoder, OfTheFirstCandlesOnlyTheNewestCounts) {
  Decoding decoding;
  const auto candles = [&](std::string_view rows) {
    const auto events = decoding.stream(
        fmt::format(R"({{"type":"candles_1m_updates","symbol":"SOLUSD","changes":{}}})", rows));
    EXPECT_TRUE(events);
    return of_kind<Candle>(events ? *events : Events{});
  };
  const auto first =
      candles("[[1763726400000,1,2,1,2,3],[1763726340000,1,1,1,1,0],[1763726280000,1,1,1,1,0]]");
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].open_time, time_from_ms(1'763'726'400'000));
  EXPECT_FALSE(first[0].is_closed);
  // At a minute's turn the one that ended comes with the one that began.
  const auto both = candles("[[1763726460000,2,2,2,2,0],[1763726400000,1,2,1,2,4]]");
  ASSERT_EQ(both.size(), 2U);
  EXPECT_LT(both[0].open_time, both[1].open_time);
  EXPECT_TRUE(candles("[]").empty());
}

TEST(GeminiDecoder, TellsErrorsThatPassFromThoseThatStay) {
  Decoding decoding;
  const auto kind_of = [&](std::string_view text, int status) {
    const auto events = decoding.reply(text, "/v1/pubticker/btcusd", status);
    EXPECT_FALSE(events);
    return events ? ErrorKind::misconfigured : events.error().kind;
  };
  EXPECT_EQ(kind_of(R"({"result":"error","reason":"RateLimit","message":"slower"})", 429),
            ErrorKind::transient);
  EXPECT_EQ(kind_of(R"({"result":"error","reason":"Maintenance","message":"back soon"})", 503),
            ErrorKind::transient);
  EXPECT_EQ(kind_of(R"({"result":"error","reason":"InvalidSymbol","message":"no"})", 400),
            ErrorKind::rejected);
  EXPECT_EQ(kind_of("<html>", 403), ErrorKind::rejected);
  EXPECT_EQ(kind_of("<html>", 200), ErrorKind::malformed);
  const auto refused = decoding.stream(
      R"({"result":"error","reason":"InvalidSymbol","message":"Supplied value 'X' is not a valid symbol"})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::rejected);
  EXPECT_EQ(refused.error().message, "InvalidSymbol: Supplied value 'X' is not a valid symbol");
}

struct Refused {
  const char* name;
  const char* text;
  const char* mentions;
};
class AbsurdGeminiFrames : public testing::TestWithParam<Refused> {};

TEST_P(AbsurdGeminiFrames, AreRefusedWhole) {
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
    GeminiDecoder, AbsurdGeminiFrames,
    testing::Values(
        Refused{
            "side",
            R"({"type":"trade","symbol":"BTCUSD","event_id":1,"timestamp":1624493670759,"price":"1","quantity":"1","side":"up"})",
            "neither buy nor sell"},
        Refused{
            "missing_price",
            R"({"type":"trade","symbol":"BTCUSD","event_id":1,"timestamp":1624493670759,"quantity":"1","side":"buy"})",
            "a trade has"},
        Refused{"negative",
                R"({"type":"l2_updates","symbol":"BTCUSD","changes":[["buy","-1","1"]]})",
                "negative"},
        Refused{"side_of_a_change",
                R"({"type":"l2_updates","symbol":"BTCUSD","changes":[["bid","1","1"]]})",
                "neither buy nor sell"},
        Refused{"short_change",
                R"({"type":"l2_updates","symbol":"BTCUSD","changes":[["buy","1"]]})",
                "a change has"},
        Refused{"no_changes", R"({"type":"l2_updates","symbol":"BTCUSD"})", "changes are missing"},
        Refused{"time", R"({"type":"heartbeat","timestamp":12})", "not a time"},
        Refused{"short_candle",
                R"({"type":"candles_1m_updates","symbol":"BTCUSD","changes":[[1763726400000,1]]})",
                "6 columns"},
        Refused{"symbol", R"({"type":"l2_updates","symbol":"B-U","changes":[]})",
                "unknown symbol"}),
    name_of);

TEST(GeminiRequests, AskForTheNewestCandlesAsThereAreNoOthers) {
  auto catalogue = make_catalogue(gemini);
  const auto* bitcoin = catalogue->find_or_infer("BTCUSD");
  const auto target = [&](RestQuery query) {
    query.instrument = bitcoin;
    const auto request = gemini.request(query);
    return request ? request->target : request.error().message;
  };
  const Time start = time_from_ms(1'763'726'400'000);
  EXPECT_EQ(target({.kind = RestKind::candles, .start = start}), "/v2/candles/btcusd/1m");
  EXPECT_EQ(target({.kind = RestKind::candles, .timeframe = Timeframe::h1}),
            "/v2/candles/btcusd/1hr");
  EXPECT_EQ(target({.kind = RestKind::candles, .timeframe = Timeframe::d1}),
            "Gemini has no candles of 1d");
  EXPECT_EQ(target({.kind = RestKind::depth, .limit = 5}),
            "/v1/book/btcusd?limit_bids=5&limit_asks=5");
  EXPECT_FALSE(gemini.request({.kind = RestKind::server_time}));
  // History reaches no further back than one answer.
  EXPECT_LT(gemini.limits.history_candles, gemini.limits.max_candles);
}

TEST(GeminiSubscriptions, AskOnceForEachInstrument) {
  auto catalogue = make_catalogue(gemini);
  const auto* bitcoin = catalogue->find_or_infer("BTCUSD");
  const auto* ether = catalogue->find_or_infer("ETHBTC");
  const std::vector<Channel> wanted{{.kind = ChannelKind::candles, .instrument = bitcoin},
                                    {.kind = ChannelKind::trades, .instrument = bitcoin},
                                    {.kind = ChannelKind::book, .instrument = bitcoin},
                                    {.kind = ChannelKind::book, .instrument = ether}};
  EXPECT_EQ(
      gemini.subscribe(wanted, 1),
      (std::vector<std::string>{
          R"({"type":"subscribe","subscriptions":[{"name":"candles_1m","symbols":["BTCUSD"]},{"name":"l2","symbols":["BTCUSD"]}]})",
          R"({"type":"subscribe","subscriptions":[{"name":"l2","symbols":["ETHBTC"]}]})"}));
  EXPECT_EQ(gemini.unsubscribe({&wanted[2], 1}, 1).front(),
            R"({"type":"unsubscribe","subscriptions":[{"name":"l2","symbols":["BTCUSD"]}]})");
  EXPECT_EQ(gemini.stream_url("ws://host:1/", wanted), "ws://host:1/v2/marketdata");
}

}  // namespace
}  // namespace candlewick::exchange::gemini
