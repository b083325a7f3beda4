// Recordings, played as they were made.
#include "simulator/recorded_market.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "base/line_reader.h"
#include "simulator/testing.h"
#include "test/support/shared_data.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

std::unique_ptr<VenueCore> core_of(const std::vector<std::string>& files) {
  auto market = RecordedMarket::load("binance", files);
  EXPECT_TRUE(market) << (market ? "" : market.error().message);
  const Time at = (*market)->default_start();
  return std::make_unique<VenueCore>(
      VenueSetup{.venue = "binance", .market = *std::move(market), .start = at, .speed = "1"});
}

TEST(RecordedMarket, PlaysFramesByteForByteAtTheirPace) {
  const std::string path = ::testing::TempDir() + "sim-recording.jsonl";
  std::ofstream(path)
      << R"({"recv_ns":1700000000000000000,"dir":"open","url":"wss://x/stream?streams=a"})" << '\n'
      << R"({"recv_ns":1700000001000000000,"dir":"in","msg":{"stream":"btcusdt@trade","data":{"e":"trade","E":1700000001400,"s":"BTCUSDT","t":7,"p":"1.50","q":"2","T":1700000001400,"m":true,"M":true}}})"
      << '\n'
      << R"({"recv_ns":1700000001500000000,"dir":"in","msg":{"result":null,"id":1}})" << '\n'
      << R"({"recv_ns":1700000003000000000,"dir":"in","msg":{"stream":"btcusdt@trade","data":{"e":"trade","E":1700000003100,"s":"BTCUSDT","t":8,"p":"1.5e0", "q":"2","T":1700000003100,"m":false,"M":true}}})"
      << '\n';
  auto core = core_of({path});
  std::filesystem::remove(path);
  open(*core, "/stream?streams=btcusdt@trade");
  const auto told = core->advance_to(core->now() + 1min);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(
      *told[0].text,
      R"({"stream":"btcusdt@trade","data":{"e":"trade","E":1700000001400,"s":"BTCUSDT","t":7,"p":"1.50","q":"2","T":1700000001400,"m":true,"M":true}})");
  EXPECT_EQ(
      *told[1].text,
      R"({"stream":"btcusdt@trade","data":{"e":"trade","E":1700000003100,"s":"BTCUSDT","t":8,"p":"1.5e0", "q":"2","T":1700000003100,"m":false,"M":true}})");
  EXPECT_EQ(told[1].at - told[0].at, 2s);
  // The venue's clock is the events'.
  EXPECT_EQ(to_ms(told[0].at), 1700000001400);
}

// The venue's facts say so, not the recording.
TEST(RecordedMarket, HasRowsOfQuietMinutesWhereTheVenueHasThem) {
  const std::string path = ::testing::TempDir() + "sim-quiet.jsonl";
  std::ofstream file(path);
  int trades = 0;
  for (const int second : {0, 180, 190}) {
    const auto time = 1'700'000'040'000 + second * 1000;
    file
        << fmt::format(
               R"({{"recv_ns":{0}000000,"dir":"in","msg":{{"stream":"btcusdt@trade","data":{{"e":"trade","E":{0},"s":"BTCUSDT","t":{1},"p":"1.5","q":"2","T":{0},"m":true,"M":true}}}}}})",
               time, ++trades)
        << '\n';
  }
  file.close();
  const auto rows = [&](const std::string& exchange) {
    const auto market = RecordedMarket::load(exchange, {path});
    EXPECT_TRUE(market) << (market ? "" : market.error().message);
    const Time first = time_from_ms(1'700'000'040'000);
    return (*market)->rows(0, Timeframe::m1, first, first + 4min, first + 4min, 10, false).size();
  };
  EXPECT_EQ(rows("binance"), 4U);
  EXPECT_EQ(rows("coinbase"), 2U);
  std::filesystem::remove(path);
}

TEST(RecordedMarket, RefusesFilesWithoutStreams) {
  const std::string path = ::testing::TempDir() + "sim-empty.jsonl";
  std::ofstream(path) << R"({"dir":"in","msg":{"result":null,"id":1}})" << '\n';
  for (const std::string& file : {path, std::string("absent.jsonl")}) {
    const auto market = RecordedMarket::load("binance", {file});
    ASSERT_FALSE(market);
    EXPECT_EQ(market.error().kind, ErrorKind::misconfigured);
  }
  std::ofstream(path) << R"({"dir":"in","msg":{"stream":"btcusdt@trade","data":{"e":"trade")"
                      << '\n';
  EXPECT_FALSE(RecordedMarket::load("binance", {path}));
  std::filesystem::remove(path);
}

TEST(RecordedMarket, PlaysARealRecordingInFull) {
  REQUIRE_SHARED_DATA();
  const auto path = (test::shared_data() / "binance" / "ws" /
                     "spot-btc-eth-dot-usdt-depth-kline_1m-aggtrade-2021-04-04.jsonl.gz")
                        .string();
  std::vector<std::string> expected;
  auto reader = LineReader::open(path);
  ASSERT_TRUE(reader);
  std::string line;
  while (*reader->next(line)) {
    if (line.find(R"("dir":"in")") == std::string::npos) continue;
    const auto at = line.find(R"("msg":)") + 6;
    expected.push_back(line.substr(at, line.size() - at - 1));
  }
  auto core = core_of({path});
  std::string streams;
  for (const char* symbol : {"dotusdt", "btcusdt", "ethusdt"}) {
    for (const char* name : {"depth@100ms", "kline_1m", "aggTrade"})
      streams += fmt::format("{}@{}/", symbol, name);
  }
  open(*core, "/stream?streams=" + streams);
  auto told = frames(core->advance_to(core->now() + 5min));
  // Frames of one instant may change places between streams.
  std::ranges::sort(told);
  std::ranges::sort(expected);
  EXPECT_TRUE(told == expected);
}

TEST(RecordedMarket, RebuildsBooksAndCandlesFromARealRecording) {
  REQUIRE_SHARED_DATA();
  const auto folder = test::shared_data() / "binance" / "ws";
  auto core = core_of(
      {(folder / "spot-btcusdt-depth-bookticker-trade-2024-08-08T2354.jsonl.zst").string(),
       (folder / "spot-btcusdt-depth-bookticker-trade-2024-08-09T0000.jsonl.zst").string()});
  open(*core, "/stream?streams=btcusdt@bookTicker/btcusdt@kline_1m");
  std::map<std::uint64_t, Flat> quotes;
  int compared = 0;
  std::uint64_t closed = 0;
  for (int second = 0; second < 700; ++second) {
    for (const auto& delivery : core->advance_to(core->now() + 1s)) {
      const Flat frame(*delivery.text);
      if (frame.has("data.u")) quotes.emplace(frame.number("data.u"), frame);
      if (frame["data.k.x"] == "true") ++closed;
    }
    const Book book = core->market().book(0, core->now(), 1);
    const auto quote = quotes.find(book.sequence);
    if (quote == quotes.end()) continue;
    ++compared;
    EXPECT_EQ(quote->second.decimal("data.b"), book.bids.at(0).price);
    EXPECT_EQ(quote->second.decimal("data.A"), book.asks.at(0).size);
  }
  EXPECT_GT(compared, 20);
  // Ten whole minutes, 23:55 to 00:04, equal to the exchange's own candles.
  const auto truth = lines(get(*core, "/_sim/truth?symbol=BTCUSDT&timeframe=1m").body);
  ASSERT_EQ(truth.size(), 10U);
  EXPECT_EQ(closed, 10U);
  auto reader = LineReader::open(
      (test::shared_data() / "history" / "binance-spot-1m-BTCUSDT-2024-07-26_2024-08-25.csv.zst")
          .string());
  ASSERT_TRUE(reader);
  std::string line;
  std::map<std::string, std::string> lines_by_open;
  while (*reader->next(line))
    lines_by_open[line.substr(0, line.find(','))] = line.substr(line.find(',') + 1);
  for (const auto& text : truth) {
    const Flat candle(text);
    const auto known = lines_by_open[ms(*parse_time(candle["open_time"]))];
    EXPECT_EQ(fmt::format("{},{},{},{},{}", candle["open"], candle["high"], candle["low"],
                          candle["close"], candle["volume"]),
              known);
  }
}

}  // namespace
}  // namespace candlewick::simulator
