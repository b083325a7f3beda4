// OKX's quirks, its recording, and the checksums in it.
#include "exchange/okx/okx.h"

#include <gtest/gtest.h>

#include <map>

#include "exchange/registry.h"
#include "market/event_json.h"
#include "test/support/frames.h"
#include "test/support/shared_data.h"

namespace candlewick::exchange::okx {
namespace {

struct Decoding {
  std::unique_ptr<Catalogue> catalogue = make_catalogue(okx);
  std::unique_ptr<Decoder> decoder = okx.make_decoder(*catalogue);

  Result<Events> stream(std::string_view text) {
    return run({.text = text, .url = okx.ws_url, .received_time = {}});
  }
  Result<Events> reply(std::string_view text, std::string_view path, int status = 200) {
    const std::string url = std::string(okx.rest_url) + "/api/v5/" + std::string(path);
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

std::vector<BookUpdate> books_of_the_recording(Decoding& decoding) {
  // The recording holds a future and a swap too, which a spot decoder reads once they are listed.
  for (const auto* symbol : {"BTC-USD-220527", "UNI-USD-SWAP"}) {
    Instrument listed;
    listed.exchange_symbol = listed.symbol = symbol;
    listed.base = listed.quote = "X";
    decoding.catalogue->put(std::move(listed));
  }
  std::vector<BookUpdate> books;
  std::size_t trades = 0;
  std::size_t tickers = 0;
  for (const auto& frame : test::read_frames(
           test::shared_data() / "okx/ws/v5-tickers-trades-books-2022-05-13.jsonl.gz")) {
    const auto events =
        decoding.run({.text = frame.text, .url = frame.url, .received_time = frame.received_time});
    EXPECT_TRUE(events) << frame.text.substr(0, 200);
    if (!events) continue;
    for (const auto& event : *events) {
      if (const auto* book = std::get_if<BookUpdate>(&event)) books.push_back(*book);
      trades += std::holds_alternative<Trade>(event) ? 1 : 0;
      tickers += std::holds_alternative<Ticker>(event) ? 1 : 0;
    }
  }
  EXPECT_EQ(trades, 74U);
  EXPECT_EQ(tickers, 28U);
  return books;
}

// A book as simple as can be, apart from the product's own.
struct PlainBook {
  std::map<Decimal, Decimal, std::greater<>> bids;
  std::map<Decimal, Decimal> asks;

  static void apply(auto& side, const std::vector<Level>& levels) {
    for (const auto& level : levels) {
      if (level.size.is_zero()) {
        side.erase(level.price);
      } else {
        side[level.price] = level.size;
      }
    }
  }
  static std::vector<Level> best(const auto& side) {
    std::vector<Level> levels;
    for (const auto& [price, size] : side) {
      if (levels.size() == okx.checksum_levels) break;
      levels.push_back({price, size});
    }
    return levels;
  }
  bool matches_after(const BookUpdate& update) {
    if (update.kind == BookKind::snapshot) *this = {};
    apply(bids, update.bids);
    apply(asks, update.asks);
    return okx.checksum(best(bids), best(asks), update.price_digits, update.size_digits) ==
           *update.checksum;
  }
};

TEST(OkxRecording, AllItsChecksumsMatch) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  std::map<const Instrument*, PlainBook> books;
  std::size_t matching = 0;
  const auto updates = books_of_the_recording(decoding);
  for (const auto& update : updates)
    matching += books[update.origin.instrument].matches_after(update) ? 1 : 0;
  EXPECT_EQ(updates.size(), 290U);
  EXPECT_EQ(matching, 290U);
}

TEST(OkxRecording, EveryUpdateThatIsTakenOutShowsInAChecksum) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  const auto updates = books_of_the_recording(decoding);
  std::size_t seen = 0;
  std::size_t tried = 0;
  for (std::size_t lost = 1; lost < updates.size(); lost += 7) {
    if (updates[lost].kind == BookKind::snapshot) continue;
    // Beyond the best 25 levels nothing is summed up, and what follows may heal it.
    std::map<const Instrument*, PlainBook> books;
    bool is_seen = false;
    bool matters = false;
    for (std::size_t i = 0; i < updates.size() && !is_seen; ++i) {
      if (updates[i].origin.instrument != updates[lost].origin.instrument) continue;
      auto& book = books[updates[i].origin.instrument];
      if (i == lost) {
        auto with = book;
        with.matches_after(updates[i]);
        matters = PlainBook::best(with.bids) != PlainBook::best(book.bids) ||
                  PlainBook::best(with.asks) != PlainBook::best(book.asks);
        continue;
      }
      is_seen = !book.matches_after(updates[i]);
    }
    const bool is_last = lost + 3 >= updates.size();
    if (!matters || is_last) continue;
    ++tried;
    seen += is_seen ? 1 : 0;
  }
  EXPECT_GT(tried, 20U);
  EXPECT_EQ(seen, tried);
}

TEST(OkxRecording, ListsTheInstrumentsOf2022) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  const auto frames =
      test::read_frames(test::shared_data() / "okx/rest/instruments-spot-2022-05-13.jsonl.gz");
  ASSERT_EQ(frames.size(), 5U);
  for (const auto& frame : frames) {
    ASSERT_TRUE(decoding.run({.text = frame.text,
                              .url = frame.url,
                              .received_time = frame.received_time,
                              .is_reply = true}));
  }
  const auto* bitcoin = decoding.catalogue->find("BTC-USDT");
  ASSERT_NE(bitcoin, nullptr);
  EXPECT_TRUE(bitcoin->listed);
  EXPECT_EQ(bitcoin->symbol, "BTC/USDT");
  EXPECT_EQ(bitcoin->status, ListingStatus::trading);
  EXPECT_EQ(bitcoin->tick_size->to_string(), "0.1");
  EXPECT_EQ(bitcoin->step_size->to_string(), "0.00000001");
  EXPECT_GT(decoding.catalogue->size(), 500U);
}

std::string instrument_in(const std::string& text) {
  const auto at = text.find("\"instId\":\"");
  return at == std::string::npos ? "" : text.substr(at + 10, text.find('"', at + 10) - at - 10);
}

// Of other markets nothing comes; "spot/depth5" is of v3, which OKX has switched off.
TEST(OkxMessages, OfSpotDecodeAndOthersArePassedOver) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  std::size_t of_spot = 0;
  for (const auto& frame :
       test::read_frames(test::shared_data() / "okx/messages/samples-2021-2022.jsonl.gz")) {
    const bool is_reply = frame.text.starts_with("{\"code\"");
    const auto events = is_reply ? decoding.reply(frame.text, "market/books?instId=BTC-USDT")
                                 : decoding.stream(frame.text);
    if (is_reply && frame.text.find("\"oi\"") != std::string::npos) continue;
    ASSERT_TRUE(events) << events.error().message << frame.text.substr(0, 200);
    const auto symbol = instrument_in(frame.text);
    const bool is_spot = is_reply || std::ranges::count(symbol, '-') == 1;
    EXPECT_EQ(events->size(), is_spot ? 1U : 0U) << frame.text.substr(0, 200);
    of_spot += is_spot ? 1 : 0;
  }
  EXPECT_EQ(of_spot, 13U);
}

TEST(OkxMessages, DocumentedOnesDecodeToo) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  const std::map<std::string, std::string> paths{
      {"[[\"1625097600000\"", "market/candles?instId=BTC-USDT&bar=1m"},
      {"[[\"1747094040000\"", "market/candles?instId=BTC-USDT"},
      {"\"lotSz\"", "public/instruments?instType=SPOT"},
      {"\"asks\"", "market/books?instId=BTC-USDT"},
      {"\"tradeId\"", "market/trades?instId=BTC-USDT"}};
  std::size_t events_seen = 0;
  for (const auto& frame :
       test::read_frames(test::shared_data() / "okx/documented/shapes-not-recorded.jsonl.gz")) {
    Result<Events> events = Events{};
    if (frame.text.starts_with("{\"code\"")) {
      for (const auto& [mark, path] : paths) {
        if (frame.text.find(mark) != std::string::npos) events = decoding.reply(frame.text, path);
      }
    } else {
      events = decoding.stream(frame.text);
    }
    ASSERT_TRUE(events) << events.error().message << frame.text.substr(0, 200);
    events_seen += events->size();
  }
  EXPECT_GT(events_seen, 12U);
}

TEST(OkxDecoder, HearsPongsAndAcknowledgementsInSilence) {
  Decoding decoding;
  for (const auto* text :
       {"pong", R"({"event":"subscribe","arg":{"channel":"books","instId":"A-B"},"connId":"x"})",
        R"({"event":"channel-conn-count","channel":"orders","connCount":"2","connId":"x"})",
        R"({"arg":{"channel":"status"},"data":[{"title":"maintenance"}]})",
        R"({"arg":{"channel":"candle3Dutc","instId":"A-B"},"data":[["1654154580000"]]})"}) {
    const auto events = decoding.stream(text);
    ASSERT_TRUE(events) << text << events.error().message;
    EXPECT_TRUE(events->empty()) << text;
  }
}

TEST(OkxDecoder, CountsTheMatchesThatATradeStandsFor) {
  Decoding decoding;
  const auto events = decoding.stream(
      R"({"arg":{"channel":"trades","instId":"BTC-USD"},"data":[{"instId":"BTC-USD","tradeId":"130639474","px":"42219.9","sz":"0.12060306","side":"buy","ts":"1630048897897","count":"3"}]})");
  ASSERT_TRUE(events);
  const auto& trade = std::get<Trade>(events->front());
  EXPECT_TRUE(trade.is_aggregate);
  EXPECT_EQ(trade.first_id, 130639472U);
  EXPECT_EQ(trade.last_id, 130639474U);
}

TEST(OkxDecoder, TakesAnyInstrumentApartByItsDash) {
  Decoding decoding;
  const auto events = decoding.stream(
      R"({"arg":{"channel":"bbo-tbt","instId":"LUNC-XYZ"},"data":[{"asks":[["2","1","0","1"]],"bids":[["1","1","0","1"]],"ts":"1654032991947"}]})");
  ASSERT_TRUE(events);
  EXPECT_EQ(std::get<Quote>(events->front()).origin.instrument->symbol, "LUNC/XYZ");
  EXPECT_FALSE(decoding.stream(
      R"({"arg":{"channel":"bbo-tbt","instId":"LUNCXYZ"},"data":[{"asks":[],"bids":[]}]})"));
}

TEST(OkxDecoder, TellsErrorsThatPassFromThoseThatStay) {
  Decoding decoding;
  const auto kind_of = [&](std::string_view text, int status) {
    const auto events = decoding.reply(text, "public/time", status);
    EXPECT_FALSE(events);
    return events ? ErrorKind::misconfigured : events.error().kind;
  };
  EXPECT_EQ(kind_of(R"({"code":"50011","msg":"Too Many Requests","data":[]})", 200),
            ErrorKind::transient);
  EXPECT_EQ(kind_of(R"({"code":"50004","msg":"timeout","data":[]})", 400), ErrorKind::transient);
  EXPECT_EQ(kind_of(R"({"code":"51001","msg":"no such instrument","data":[]})", 200),
            ErrorKind::rejected);
  EXPECT_EQ(kind_of(R"({"code":"50004","ms)", 400), ErrorKind::transient) << "cut on its way";
  EXPECT_EQ(kind_of("<html>", 403), ErrorKind::rejected);
  EXPECT_EQ(kind_of("<html>", 200), ErrorKind::malformed);
  EXPECT_EQ(kind_of(R"({"code":"0","msg":""})", 200), ErrorKind::malformed);
}

struct Refused {
  const char* name;
  const char* text;
  const char* mentions;
};
class AbsurdOkxFrames : public testing::TestWithParam<Refused> {};

TEST_P(AbsurdOkxFrames, AreRefusedWhole) {
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
    OkxDecoder, AbsurdOkxFrames,
    testing::Values(
        Refused{
            "side",
            R"({"arg":{"channel":"trades","instId":"A-B"},"data":[{"instId":"A-B","tradeId":"1","px":"1","sz":"1","side":"up","ts":"1654032991947"}]})",
            "neither buy nor sell"},
        Refused{
            "missing_price",
            R"({"arg":{"channel":"trades","instId":"A-B"},"data":[{"instId":"A-B","tradeId":"1","sz":"1","side":"buy","ts":"1654032991947"}]})",
            "a trade has"},
        Refused{
            "negative",
            R"({"arg":{"channel":"tickers","instId":"A-B"},"data":[{"instId":"A-B","last":"-1"}]})",
            "negative"},
        Refused{
            "time",
            R"({"arg":{"channel":"candle1m","instId":"A-B"},"data":[["12","1","1","1","1","1","1"]]})",
            "not a time"},
        Refused{
            "short_candle",
            R"({"arg":{"channel":"candle1m","instId":"A-B"},"data":[["1654154580000","1","1","1","1"]]})",
            "7 columns"},
        Refused{
            "one_side",
            R"({"arg":{"channel":"books","instId":"A-B"},"action":"update","data":[{"bids":[],"ts":"1654032991947"}]})",
            "bids and asks"},
        Refused{"action", R"({"arg":{"channel":"books","instId":"A-B"},"data":[{}]})", "action"}),
    name_of);

TEST(OkxRequests, CutARangeToWhatOneAnswerHolds) {
  auto catalogue = make_catalogue(okx);
  const auto* bitcoin = catalogue->find_or_infer("BTC-USDT");
  const auto target = [&](RestQuery query) {
    query.instrument = bitcoin;
    const auto request = okx.request(query);
    return request ? request->target : request.error().message;
  };
  const Time start = time_from_ms(1'763'726'400'000);
  EXPECT_EQ(target({.kind = RestKind::candles, .start = start}),
            "/api/v5/market/history-candles?instId=BTC-USDT&bar=1m&before=1763726399999"
            "&after=1763744400000&limit=300");
  // A start inside a minute asks for those that open after it.
  EXPECT_EQ(target({.kind = RestKind::candles,
                    .start = start + Duration{1},
                    .end = start + std::chrono::minutes{3}}),
            "/api/v5/market/history-candles?instId=BTC-USDT&bar=1m&before=1763726399999"
            "&after=1763726580000&limit=300");
  EXPECT_EQ(target({.kind = RestKind::candles, .timeframe = Timeframe::d1, .limit = 5}),
            "/api/v5/market/candles?instId=BTC-USDT&bar=1Dutc&limit=5");
  const auto path = [&](Duration age) {
    const auto asked = target({.kind = RestKind::candles, .start = start, .now = start + age});
    return asked.substr(0, asked.find('?'));
  };
  EXPECT_EQ(path(std::chrono::hours{23}), "/api/v5/market/candles");
  EXPECT_EQ(path(std::chrono::hours{24}), "/api/v5/market/history-candles");
  EXPECT_EQ(target({.kind = RestKind::candles, .timeframe = Timeframe::h8}),
            "OKX has no candles of 8h");
  EXPECT_EQ(target({.kind = RestKind::depth, .limit = 1000}),
            "/api/v5/market/books?instId=BTC-USDT&sz=400");
}

TEST(OkxSubscriptions, GoOneByOneToThePathOfTheirKind) {
  auto catalogue = make_catalogue(okx);
  const auto* bitcoin = catalogue->find_or_infer("BTC-USDT");
  const Channel candles{.kind = ChannelKind::candles, .instrument = bitcoin};
  const Channel book{.kind = ChannelKind::book, .instrument = bitcoin};
  EXPECT_NE(okx.line_of(candles), okx.line_of(book));
  EXPECT_EQ(okx.stream_url("wss://host/", {&candles, 1}), "wss://host/ws/v5/business");
  EXPECT_EQ(okx.stream_url("wss://host", {&book, 1}), "wss://host/ws/v5/public");
  const std::vector<Channel> both{book, {.kind = ChannelKind::ticker, .instrument = bitcoin}};
  EXPECT_EQ(
      okx.subscribe(both, 5),
      (std::vector<std::string>{
          R"({"id":"5","op":"subscribe","args":[{"channel":"books","instId":"BTC-USDT"}]})",
          R"({"id":"6","op":"subscribe","args":[{"channel":"tickers","instId":"BTC-USDT"}]})"}));
  EXPECT_EQ(okx.unsubscribe({&candles, 1}, 7).front(),
            R"({"id":"7","op":"unsubscribe","args":[{"channel":"candle1m","instId":"BTC-USDT"}]})");
}

TEST(OkxRefusals, NameTheSettingToChange) {
  EXPECT_NE(okx.explain_status(403).find("CANDLEWICK_OKX_BASE_URL"), std::string::npos);
  EXPECT_NE(okx.explain_status(429), "");
  EXPECT_EQ(okx.explain_status(200), "");
}

}  // namespace
}  // namespace candlewick::exchange::okx
