// HTX's quirks, and its real recordings.
#include "exchange/htx/htx.h"

#include <zlib.h>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "base/json.h"
#include "exchange/htx/books.h"
#include "exchange/htx/unpack.h"
#include "exchange/testing.h"

namespace candlewick::exchange::htx {
namespace {

using namespace std::chrono_literals;

struct Decoding : VenueDecoding {
  Decoding() : VenueDecoding(htx, "wss://api.huobi.pro/ws", {}) {}
};

std::string packed(std::string_view text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string bytes(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  bytes.resize(stream.total_out);
  deflateEnd(&stream);
  return bytes;
}

TEST(HtxRecordings, DecodeAsTheyCameWithEveryTradeInOrder) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  std::size_t ladders = 0;
  std::size_t trades = 0;
  std::size_t pings = 0;
  std::map<const Instrument*, std::uint64_t> last;
  const auto frames =
      test::read_frames(test::shared_data() / "htx/ws/spot-depth-trade-gzip-2021-04-17.jsonl.zst");
  EXPECT_EQ(frames.size(), 362U);
  for (const auto& frame : frames) {
    ASSERT_TRUE(is_packed(frame.text));
    const auto events = decoding.stream(frame.text);
    ASSERT_TRUE(events) << events.error().message;
    for (const auto& event : *events) {
      if (const auto* trade = std::get_if<Trade>(&event)) {
        auto& known = last[trade->origin.instrument];
        if (known != 0) {
          EXPECT_EQ(trade->id, known + 1);
        }
        known = trade->id;
        ++trades;
      } else if (const auto* book = std::get_if<BookUpdate>(&event)) {
        EXPECT_TRUE(book->is_partial);
        EXPECT_TRUE(book->sequence);
        if (!book->bids.empty() && !book->asks.empty()) {
          EXPECT_LT(book->bids.front().price, book->asks.front().price);
        }
        ++ladders;
      } else {
        EXPECT_TRUE(std::holds_alternative<ClockReading>(event));
        EXPECT_TRUE(decoding.decoder->take_answer().starts_with("{\"pong\":16186780"));
        ++pings;
      }
    }
  }
  EXPECT_EQ(ladders, 292U);
  EXPECT_EQ(pings, 6U);
  EXPECT_EQ(trades, 73U);
  EXPECT_EQ(decoding.decoder->inexact_decimals(), 0U);
}

// Nothing else in it is numbered without holes.
TEST(HtxRecordings, ShowByTheNumbersOfTradesThatALineIsMissing) {
  REQUIRE_SHARED_DATA();
  const auto frames =
      test::read_frames(test::shared_data() / "htx/ws/spot-depth-trade-gzip-2021-04-17.jsonl.zst");
  std::vector<std::vector<Trade>> told;
  Decoding decoding;
  for (const auto& frame : frames) {
    const auto events = decoding.stream(frame.text);
    ASSERT_TRUE(events);
    std::vector<Trade> trades;
    for (const auto& event : *events) {
      const auto* trade = std::get_if<Trade>(&event);
      if (trade != nullptr && trade->origin.instrument->symbol == "FIL3S/USDT")
        trades.push_back(*trade);
    }
    if (!trades.empty()) told.push_back(std::move(trades));
  }
  ASSERT_GT(told.size(), 10U);
  for (std::size_t missing = 1; missing + 1 < told.size(); ++missing)
    EXPECT_GT(told[missing + 1].front().id, told[missing - 1].back().id + 1);
}

TEST(HtxRecordings, ListTheSymbolsOf2021WithTheirGrids) {
  REQUIRE_SHARED_DATA();
  Decoding decoding;
  const auto frames =
      test::read_frames(test::shared_data() / "htx/rest/symbols-2021-04-17.jsonl.gz");
  ASSERT_EQ(frames.size(), 1U);
  const auto events = decoding.reply(frames.front().text, frames.front().url);
  ASSERT_TRUE(events) << events.error().message;
  EXPECT_EQ(events->size(), 938U);
  const auto* yee = decoding.catalogue->find("yeebtc");
  ASSERT_NE(yee, nullptr);
  EXPECT_EQ(yee->symbol, "YEE/BTC");
  EXPECT_EQ(yee->tick_size->to_string(), "0.0000000001");
  EXPECT_EQ(yee->step_size->to_string(), "0.01");
  // What is read off a symbol alone is what the listing says.
  decoding.catalogue->each([](const Instrument& listed) {
    const auto pair = read_pair(listed.exchange_symbol);
    ASSERT_TRUE(pair) << listed.exchange_symbol;
    EXPECT_EQ(pair->base + "/" + pair->quote, listed.symbol);
    EXPECT_EQ(symbol_of(listed.base, listed.quote), listed.exchange_symbol);
  });
}

TEST(HtxRecordings, AreAllInTheTestsAbove) {
  REQUIRE_SHARED_DATA();
  std::size_t files = 0;
  for (const auto* folder : {"htx/ws", "htx/rest"}) {
    for (const auto& entry : std::filesystem::directory_iterator(test::shared_data() / folder))
      files += entry.is_regular_file() ? 1 : 0;
  }
  EXPECT_EQ(files, 2U) << "a recording was added: decode it";
}

TEST(HtxRecordings, OfSingleMessagesAllOfSpotDecode) {
  REQUIRE_SHARED_DATA();
  std::size_t decoded = 0;
  std::size_t told = 0;
  const auto file = test::shared_data() / "htx/messages/samples-2021-2022.jsonl.gz";
  for (const auto& frame : test::read_frames(file)) {
    Decoding decoding;
    const bool is_of_spot = frame.text.contains("\"market.btcusdt.");
    const bool is_reply = is_of_spot && frame.text.contains("\"status\":\"ok\"");
    const auto events =
        is_reply ? decoding.reply(frame.text,
                                  "https://api.huobi.pro/market/depth?symbol=btcusdt&type=step0")
                 : decoding.stream(frame.text);
    ASSERT_TRUE(events) << events.error().message << "\n" << frame.text;
    ++decoded;
    told += events->empty() ? 0 : 1;
    // Rounded prices are passed over, and contracts.
    if (!is_reply) {
      EXPECT_EQ(events->empty(), !is_of_spot || frame.text.contains("depth.step1")) << frame.text;
    }
  }
  EXPECT_EQ(decoded, 46U);
  EXPECT_GE(told, 7U);
}

TEST(HtxDecoder, TakesACandleThatTheStreamTellsForOneThatForms) {
  Decoding decoding;
  const auto events = decoding.stream(
      R"({"ch":"market.btcusdt.kline.1min","ts":1654081322624,"tick":{"id":1654081320,"open":31545.71,"close":31545.72,"low":31545.71,"high":31545.72,"amount":0.015443758717188892,"vol":487.1844552,"count":4}})");
  ASSERT_TRUE(events);
  const auto& candle = std::get<Candle>(events->front());
  EXPECT_FALSE(candle.is_closed);
  EXPECT_TRUE(candle.closed_is_known);
  EXPECT_EQ(candle.volume.to_string(), "0.015443758717188892");
  EXPECT_EQ(candle.quote_volume->to_string(), "487.1844552");
  EXPECT_EQ(candle.origin.exchange_time, time_from_ms(1654081322624));
}

TEST(HtxDecoder, RefusesCompressedFramesThatAreCutOrDamaged) {
  const std::string whole = packed(
      R"({"ch":"market.btcusdt.bbo","ts":1654031600066,"tick":{"seqId":1,"ask":2,"askSize":1,"bid":1,"bidSize":1}})");
  EXPECT_EQ(Decoding().stream(whole)->size(), 1U);
  for (std::size_t length = 2; length < whole.size(); ++length) {
    Decoding decoding;
    const auto cut = decoding.stream(whole.substr(0, length));
    ASSERT_FALSE(cut) << length;
    EXPECT_EQ(cut.error().kind, ErrorKind::malformed);
  }
  Decoding decoding;
  EXPECT_FALSE(decoding.stream(whole + "x"));
  for (std::size_t at = 2; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x55);
    const auto events = decoding.stream(changed);
    EXPECT_TRUE(events || events.error().kind == ErrorKind::malformed);
  }
  EXPECT_TRUE(decoding.stream(whole)) << "one that was damaged harms no other";
}

TEST(HtxUnpacker, UnpacksMoreThanItHasRoomForAtFirst) {
  const std::string text(300'000, ' ');
  Unpacker unpacker;
  EXPECT_EQ(*unpacker.unpack(packed("x")), "x");
  EXPECT_EQ(*unpacker.unpack(packed(text)), text);
  EXPECT_FALSE(unpacker.unpack(packed(std::string(json::Reader::max_bytes + 1, ' '))));
  EXPECT_EQ(*unpacker.unpack(packed("")), "");
}

TEST(HtxDecoder, AnswersEveryPing) {
  Decoding decoding;
  const auto events = decoding.stream(packed(R"({"ping":1618678073643})"));
  ASSERT_TRUE(events);
  EXPECT_EQ(std::get<ClockReading>(events->front()).exchange_time, time_from_ms(1618678073643));
  EXPECT_EQ(decoding.decoder->take_answer(), R"({"pong":1618678073643})");
  EXPECT_EQ(decoding.decoder->take_answer(), "");
}

std::string change(int number, int before) {
  return fmt::format(
      R"({{"ch":"market.btcusdt.mbp.150","ts":1654031600066,"tick":{{"seqNum":{},"prevSeqNum":{},"bids":[[1,{}]],"asks":[]}}}})",
      number, before, number);
}
std::string snapshot(int number) {
  return fmt::format(
      R"({{"id":"market.btcusdt.mbp.150","rep":"market.btcusdt.mbp.150","status":"ok","data":{{"seqNum":{},"bids":[[1,5]],"asks":[[2,5]]}}}})",
      number);
}
constexpr std::string_view subscribed =
    R"({"id":"1","status":"ok","subbed":"market.btcusdt.mbp.150","ts":1654031600000})";
constexpr std::string_view question =
    R"({"req":"market.btcusdt.mbp.150","id":"market.btcusdt.mbp.150"})";

std::string numbers(const Result<Events>& events) {
  EXPECT_TRUE(events);
  std::string text;
  for (const auto& event : *events) {
    const auto& book = std::get<BookUpdate>(event);
    if (book.kind == BookKind::snapshot) {
      text += fmt::format("[{}]", *book.sequence);
    } else {
      text += fmt::format(" {}-{}", *book.previous_sequence, *book.sequence);
    }
  }
  return text;
}

TEST(HtxBooks, AskForTheirSnapshotAndKeepWhatComesBeforeIt) {
  Decoding decoding;
  EXPECT_EQ(numbers(decoding.stream(subscribed)), "");
  EXPECT_EQ(decoding.decoder->take_answer(), question);
  EXPECT_EQ(numbers(decoding.stream(change(12, 10))), "");
  EXPECT_EQ(numbers(decoding.stream(change(15, 12))), "");
  EXPECT_EQ(numbers(decoding.stream(snapshot(12))), "[12] 12-15");
  EXPECT_EQ(numbers(decoding.stream(change(16, 15))), " 15-16");
}

TEST(HtxBooks, AskAgainForASnapshotFromBeforeTheFirstChange) {
  Decoding decoding;
  EXPECT_TRUE(decoding.stream(subscribed));
  decoding.decoder->take_answer();
  EXPECT_TRUE(decoding.stream(change(12, 10)));
  for (int i = 1; i < 5; ++i) {
    EXPECT_EQ(numbers(decoding.stream(snapshot(9))), "");
    EXPECT_EQ(decoding.decoder->take_answer(), question);
  }
  EXPECT_EQ(numbers(decoding.stream(snapshot(9))), "[9] 10-12") << "the gap is shown";
  EXPECT_EQ(decoding.decoder->take_answer(), "");
}

TEST(HtxBooks, LetChangesGoWhenTheirSnapshotIsRefusedOrDoesNotCome) {
  Decoding decoding;
  EXPECT_TRUE(decoding.stream(subscribed));
  EXPECT_EQ(numbers(decoding.stream(change(2, 1))), "");
  EXPECT_FALSE(decoding.stream(
      R"({"status":"error","id":"market.btcusdt.mbp.150","err-code":"too-many-request","err-msg":"slower"})"));
  EXPECT_EQ(numbers(decoding.stream(change(3, 2))), " 2-3");
  EXPECT_TRUE(decoding.stream(subscribed));
  std::size_t told = 0;
  for (int number = 4; number < 110; ++number)
    told += decoding.stream(change(number, number - 1))->size();
  EXPECT_EQ(told, 106U);
}

TEST(HtxDecoder, TakesRowsOfAnotherTimeForAFailure) {
  Decoding decoding;
  const std::string_view rows =
      R"({"status":"ok","data":[{"id":1654081320,"open":1,"close":1,"low":1,"high":1,"amount":1,"vol":1,"count":1}]})";
  const std::string target = "/market/history/candles?symbol=btcusdt&period=1min&size=1000";
  EXPECT_EQ(decoding.reply(rows, target + "&from=1654081320&to=1654081320")->size(), 1U);
  const auto other = decoding.reply(rows, target + "&from=1654080000&to=1654081260");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::transient);
  EXPECT_TRUE(
      decoding.reply(R"({"status":"ok","data":[]})", target + "&from=1654080000&to=1654081260")
          ->empty());
}

TEST(HtxDecoder, ReadsTheTickersOfAllSymbolsButContracts) {
  Decoding decoding;
  const auto events = decoding.reply(
      R"({"data":[{"symbol":"hbcbtc","open":5.313E-5,"high":5.34E-5,"low":5.112E-5,"close":5.175E-5,"amount":1183.87,"vol":0.0618599229,"count":205,"bid":5.126E-5,"bidSize":5.25,"ask":5.214E-5,"askSize":150.0},{"symbol":"BTC-USDT","close":1},{"symbol":"gtcusdt","open":1,"high":2,"low":1,"close":2,"amount":3,"vol":4,"count":1,"bid":0,"bidSize":0,"ask":3,"askSize":1}],"status":"ok","ts":1639547261293})",
      htx.all_tickers().target);
  ASSERT_TRUE(events) << events.error().message;
  const auto tickers = of_kind<Ticker>(*events);
  ASSERT_EQ(tickers.size(), 2U);
  EXPECT_EQ(tickers[0].origin.instrument->symbol, "HBC/BTC");
  EXPECT_EQ(tickers[0].origin.exchange_time, time_from_ms(1'639'547'261'293));
  EXPECT_EQ(tickers[0].last->to_string(), "0.00005175");
  EXPECT_EQ(tickers[0].volume_24h->to_string(), "1183.87");
  EXPECT_EQ(tickers[0].quote_volume_24h->to_string(), "0.0618599229");
  EXPECT_EQ(tickers[0].bid_size->to_string(), "5.25");
  EXPECT_EQ(tickers[1].origin.instrument->symbol, "GAMECOM/USDT");
}

// A real answer of June 2020, 14 seconds after the newest minute began.
TEST(HtxDecoder, HasCandlesOfMinutesWithoutTrades) {
  Decoding decoding;
  const auto events = decoding.reply(
      R"({"status":"ok","ch":"market.ethbtc.kline.1min","ts":1591515374371,"data":[{"amount":0.0,"open":0.025095,"close":0.025095,"high":0.025095,"id":1591515360,"count":0,"low":0.025095,"vol":0.0},{"amount":1.2082,"open":0.025096,"close":0.025095,"high":0.025096,"id":1591515300,"count":6,"low":0.025095,"vol":0.0303205097}]})",
      "/market/history/candles?symbol=ethbtc&period=1min&size=2");
  ASSERT_TRUE(events) << events.error().message;
  const auto candles = of_kind<Candle>(*events);
  ASSERT_EQ(candles.size(), 2U);
  EXPECT_TRUE(candles[0].volume.is_zero());
  EXPECT_EQ(candles[0].trade_count, 0U);
  EXPECT_EQ(candles[0].open, candles[1].close);
  EXPECT_EQ(htx.quiet_periods, QuietPeriods::zero_rows);
}

TEST(HtxDecoder, NamesWhatTheVenueRefuses) {
  Decoding decoding;
  const auto stream = decoding.stream(
      R"({"status":"error","ts":1654081322624,"id":"9","err-code":"bad-request","err-msg":"invalid topic market.nope.bbo"})");
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().kind, ErrorKind::rejected);
  EXPECT_EQ(stream.error().message, "bad-request: invalid topic market.nope.bbo");
}

TEST(HtxRequests, AskForNoMorePeriodsThanTheVenueAnswers) {
  auto catalogue = make_catalogue(htx);
  const auto* bitcoin = catalogue->find_or_infer("btcusdt");
  const auto target = [&](RestQuery query) {
    query.instrument = bitcoin;
    const auto request = htx.request(query);
    return request ? request->target : request.error().message;
  };
  const Time start = *parse_rfc3339("2026-01-15T12:00:00Z");
  EXPECT_EQ(target({.kind = RestKind::candles, .start = start}),
            "/market/history/candles?symbol=btcusdt&period=1min&size=1000&from=1768478400"
            "&to=1768538340");
  EXPECT_EQ(target({.kind = RestKind::candles,
                    .timeframe = Timeframe::h1,
                    .start = start,
                    .end = start + 2h}),
            "/market/history/candles?symbol=btcusdt&period=60min&size=1000&from=1768478400"
            "&to=1768485599");
  // No range ends in the future.
  EXPECT_EQ(target({.kind = RestKind::candles, .start = start, .now = start + 90s}),
            "/market/history/candles?symbol=btcusdt&period=1min&size=1000&from=1768478400"
            "&to=1768478490");
  EXPECT_EQ(target({.kind = RestKind::candles, .start = start, .now = start - 1s}),
            "/market/history/candles?symbol=btcusdt&period=1min&size=1000&from=1768478400"
            "&to=1768478400");
  EXPECT_EQ(target({.kind = RestKind::candles}),
            "/market/history/kline?symbol=btcusdt&period=1min&size=2000");
  EXPECT_EQ(target({.kind = RestKind::depth}), "/market/depth?symbol=btcusdt&type=step0");
  EXPECT_FALSE(htx.request({.kind = RestKind::historical_trades}));
}

TEST(HtxSubscriptions, AreOneTopicAMessageAndBooksAtAPathOfTheirOwn) {
  auto catalogue = make_catalogue(htx);
  const auto* bitcoin = catalogue->find_or_infer("btcusdt");
  const std::vector<Channel> wanted{
      {.kind = ChannelKind::candles, .timeframe = Timeframe::h1, .instrument = bitcoin},
      {.kind = ChannelKind::book, .instrument = bitcoin}};
  const std::vector<std::string> expected{R"({"sub":"market.btcusdt.kline.60min","id":"5"})",
                                          R"({"sub":"market.btcusdt.mbp.150","id":"6"})"};
  EXPECT_EQ(htx.subscribe(wanted, 5), expected);
  const std::span<const Channel> all = wanted;
  EXPECT_EQ(htx.stream_url(htx.ws_url, all.first(1)), "wss://api.huobi.pro/ws");
  EXPECT_EQ(htx.stream_url(htx.ws_url, all.last(1)), "wss://api.huobi.pro/feed");
  EXPECT_NE(htx.line_of(wanted[0]), htx.line_of(wanted[1]));
}

}  // namespace
}  // namespace candlewick::exchange::htx
