// Files of candles, served as they are.
#include "simulator/candle_market.h"

#include <filesystem>
#include <fstream>

#include "base/line_reader.h"
#include "simulator/testing.h"
#include "test/support/shared_data.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

// A file that is gone after the test.
class TemporaryFile {
 public:
  TemporaryFile(std::string_view name, std::string_view text)
      : path_(::testing::TempDir() + std::string(name)) {
    std::ofstream(path_) << text;
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::unique_ptr<VenueCore> core_of(const std::vector<std::string>& files) {
  auto market = CandleMarket::load("binance", files);
  EXPECT_TRUE(market) << (market ? "" : market.error().message);
  const Time at = (*market)->default_start();
  return std::make_unique<VenueCore>(
      VenueSetup{.venue = "binance", .market = *std::move(market), .start = at, .speed = "1"});
}

constexpr std::string_view three_minutes =
    "open_time,open,high,low,close,volume\n"
    "1618951320000,56738.76,56840.3,56733.23,56813.98,50.9752\n"
    "1618951380000,56813.98,56820,56800,56810.5,10\n"
    "1618951500000,56810.5,56830,56790.01,56799.99,20.5\n";

TEST(CandleMarket, ServesAFileAsKlinesAndLeavesItsHolesOut) {
  const TemporaryFile file("sim-1m-BTCUSDT-x.csv", three_minutes);
  auto core = core_of({file.path()});
  const auto rows = elements(get(*core, "/api/v3/klines?symbol=BTCUSDT&interval=1m").body);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0], R"([1618951320000,"56738.76000000","56840.30000000","56733.23000000",)"
                     R"("56813.98000000","50.97520000",1618951379999,"2896103.99329600",0,)"
                     R"("0.00000000","0.00000000","0"])");
  EXPECT_EQ(Flat(rows[2])["0"], "1618951500000");
  const auto truth = lines(get(*core, "/_sim/truth?symbol=BTC/USDT&timeframe=1m").body);
  ASSERT_EQ(truth.size(), 3U);
  EXPECT_FALSE(Flat(truth[0]).has("quote_volume"));
}

TEST(CandleMarket, ReadsHeadersAndTimesInManyForms) {
  const TemporaryFile iso(
      "iso-ETHUSDT.csv",
      "timestamp,open,high,low,close,volume\r\n"
      "2025-05-30 16:39:00+00:00,1,3,1,2,5\r\n2025-05-30 16:40:00+00:00,2,2,2,2,1\r\n");
  const TemporaryFile bare("bare.csv",
                           "1748623140000000,1,3,1,2,5,1748623199999999,10,7,2,4,0\n"
                           "1748623200000000,2,2,2,2,1,1748623259999999,2,1,0,0,0\n");
  auto core = core_of({iso.path(), "SOLUSDT=" + bare.path()});
  const auto open = Flat(get(*core, "/api/v3/klines?symbol=ETHUSDT&interval=1m&limit=2").body);
  EXPECT_EQ(open["0.0"], "1748623140000");
  const Flat detailed(get(*core, "/api/v3/klines?symbol=SOLUSDT&interval=1m&limit=2").body);
  EXPECT_EQ(detailed["0.0"], "1748623140000");
  EXPECT_EQ(detailed["0.8"], "7");
  EXPECT_EQ(detailed["0.10"], "4.00000000");
}

TEST(CandleMarket, SendsCandlesAsTimePasses) {
  const TemporaryFile file("sim-1m-BTCUSDT-x.csv", three_minutes);
  auto market = CandleMarket::load("binance", {file.path()});
  ASSERT_TRUE(market);
  VenueCore core({.venue = "binance",
                  .market = *std::move(market),
                  .start = time_from_ms(1618951320000),
                  .speed = "1"});
  open(core, "/ws/btcusdt@kline_1m");
  std::vector<std::string> closed;
  for (const auto& text : frames(core.advance_to(core.now() + 10min))) {
    const Flat frame(text);
    EXPECT_GE(frame.decimal("k.h"), frame.decimal("k.c"));
    EXPECT_LE(frame.decimal("k.l"), frame.decimal("k.o"));
    if (frame["k.x"] == "true") closed.push_back(frame["k.t"] + " " + frame["k.c"]);
  }
  EXPECT_EQ(closed, (std::vector<std::string>{"1618951320000 56813.98000000",
                                              "1618951380000 56810.50000000",
                                              "1618951500000 56799.99000000"}));
}

TEST(CandleMarket, RefusesFilesThatItCannotRead) {
  const TemporaryFile nameless("candles.csv", three_minutes);
  const TemporaryFile broken("BTCUSDT.csv", "1618951320000,1,2,x,1,5\n1618951380000,1,2,1,1,5\n");
  const TemporaryFile single("LTCUSDT.csv", "1618951320000,1,2,1,1,5,0,0,0,0,0,0\n");
  for (const auto& path :
       {nameless.path(), broken.path(), single.path(), std::string("absent-BTCUSDT.csv")}) {
    const auto market = CandleMarket::load("binance", {path});
    ASSERT_FALSE(market) << path;
    EXPECT_EQ(market.error().kind, ErrorKind::misconfigured);
  }
}

TEST(CandleMarket, ServesRecordedHistoryEqualToTheFile) {
  REQUIRE_SHARED_DATA();
  const auto path = (test::shared_data() / "history" /
                     "binance-spot-1m-12col-BTCUSDT-2025-10-29_2025-11-01.csv.zst")
                        .string();
  auto core = core_of({path});
  ASSERT_TRUE(core->change_faults("weight=1000000"));
  std::vector<std::string> served;
  std::string next = "0";
  while (true) {
    const auto page = elements(
        get(*core, "/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=1000&startTime=" + next).body);
    served.insert(served.end(), page.begin(), page.end());
    if (page.size() < 1000) break;
    next = std::to_string(Flat(page.back()).number("6") + 1);
  }
  auto reader = LineReader::open(path);
  ASSERT_TRUE(reader);
  std::string line;
  std::size_t count = 0;
  while (*reader->next(line)) {
    if (line.starts_with("open_time")) continue;
    std::vector<std::string> cells;
    for (std::size_t at = 0; at <= line.size();) {
      const auto comma = std::min(line.find(',', at), line.size());
      cells.push_back(line.substr(at, comma - at));
      at = comma + 1;
    }
    ASSERT_LT(count, served.size());
    const Flat row(served[count++]);
    EXPECT_EQ(*parse_time(row["0"]), *parse_time(cells[0]));
    for (const std::size_t column : {1U, 2U, 3U, 4U, 5U, 7U, 8U, 9U, 10U}) {
      EXPECT_EQ(row.decimal(std::to_string(column)), *Decimal::parse(cells[column]));
    }
  }
  EXPECT_EQ(count, served.size());
  EXPECT_GT(count, 4000U);
}

}  // namespace
}  // namespace candlewick::simulator
