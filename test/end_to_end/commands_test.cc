// The program as scripts see it: arguments, standard streams, exit status.
#include <algorithm>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include <fmt/format.h>

#include "base/line_reader.h"
#include "test/support/program.h"
#include "test/support/shared_data.h"
#include "test/support/simulated_venue.h"
#include "test/support/temporary_folder.h"

namespace candlewick {
namespace {

using namespace std::chrono_literals;
using test::Finished;

const Time start = time_from_ms(1'768'478'400'000);  // 2026-01-15T12:00:00Z

Finished candlewick_(const std::vector<std::string>& arguments, const std::string& input = {},
                     const std::map<std::string, std::string>& environment = {}) {
  return test::run_program("CANDLEWICK", arguments, input, environment);
}

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

std::string text_of(const std::filesystem::path& path) {
  auto reader = LineReader::open(path.string());
  std::string all;
  std::string line;
  while (reader && *reader->next(line)) all += line + "\n";
  return all;
}

TEST(Commands, ExplainThemselves) {
  for (const auto* command :
       {"run", "backfill", "candles", "decode", "replay", "record", "indicators", "doctor",
        "check-config", "exchanges", "symbols", "coverage", "verify", "export", "import", "migrate",
        "copy", "sinks", "dead-letters"}) {
    const auto help = candlewick_({command, "--help"});
    EXPECT_EQ(help.status, 0) << command;
    EXPECT_NE(help.out.find(command), std::string::npos) << command;
  }
}

struct Misuse {
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;
  std::string mentions;
};

TEST(Commands, EndWithTwoAndOneClearLineWhenUsedWrongly) {
  const std::vector<Misuse> misuses{
      {{}, {}, "subcommand"},
      {{"nonsense"}, {}, "nonsense"},
      {{"decode"}, {}, "--exchange"},
      {{"decode", "--exchange", "mtgox"}, {}, "mtgox"},
      {{"decode", "--exchange", "kraken", "--market", "swap"}, {}, "swap"},
      {{"candles", "--exchange", "kraken", "--symbol", "BTC/USDT:USDT", "--timeframe", "1m"},
       {},
       "no spot symbol"},
      {{"replay", "--exchange", "binance", "--input", "no-such-file"}, {}, "no-such-file"},
      {{"replay", "--exchange", "binance", "--input", "x", "--emit", "gold"}, {}, "gold"},
      {{"indicators", "--timeframe", "7m"}, {}, "7m"},
      {{"candles", "--exchange", "binance", "--symbol", "BTC/USDT", "--timeframe", "1m", "--start",
        "yesterday"},
       {},
       "yesterday"},
      {{"candles", "--exchange", "binance", "--symbol", "NOSUCHTHING", "--timeframe", "1m"},
       {},
       "NOSUCHTHING"},
      {{"backfill", "--exchange", "binance", "--symbol", "BTC/USDT", "--timeframe", "1m", "--start",
        "2026-01-02", "--end", "2026-01-01"},
       {},
       "--end"},
      {{"verify", "--exchange", "binance", "--symbol", "BTC/USDT", "--since", "lately"},
       {},
       "--since"},
      {{"verify", "--exchange", "binance", "--symbol", "BTC/USDT", "--since", "2026-01-02",
        "--until", "2026-01-01"},
       {},
       "--until"},
      {{"coverage", "--exchange", "mtgox"}, {}, "mtgox"},
      {{"coverage", "--timeframe", "7m"}, {}, "7m"},
      {{"coverage", "--symbol", "NOSUCHTHING"}, {}, "NOSUCHTHING"},
      {{"check-config", "--http-listen", "nowhere"}, {}, "http"},
      {{"check-config"}, {{"CANDLEWICK_HTTP_LISTEN", "127.0.0.1:99999"}}, "CANDLEWICK_HTTP_LISTEN"},
      {{"check-config"}, {{"SYMBOLS", "BTC//USDT"}}, "SYMBOLS"},
      {{"check-config"}, {{"CANDLEWICK_NO_SUCH_KEY", "1"}}, "CANDLEWICK_NO_SUCH_KEY"},
      {{"check-config"}, {{"BINANCE_BASE_URL", "http://example.com"}}, "BINANCE_BASE_URL"},
      {{"check-config", "--config", "no-such.toml"}, {}, "no-such.toml"},
      {{"run"}, {{"CANDLEWICK_EXCHANGES", "mtgox"}}, "mtgox"},
  };
  for (const auto& misuse : misuses) {
    const auto ended = candlewick_(misuse.arguments, {}, misuse.environment);
    const auto shown = misuse.arguments.empty()
                           ? "(nothing)"
                           : misuse.arguments.front() + " … " + misuse.arguments.back();
    EXPECT_EQ(ended.status, 2) << shown << "\n" << ended.out << ended.err;
    EXPECT_EQ(lines_in(ended.err), 1U) << shown << "\n" << ended.err;
    EXPECT_NE(ended.err.find(misuse.mentions), std::string::npos) << shown << "\n" << ended.err;
    EXPECT_TRUE(ended.out.empty()) << shown << "\n" << ended.out;
  }
}

TEST(Commands, ThePageOfExchangesIsMadeOfTheirFacts) {
  const auto made = candlewick_({"exchanges", "--format", "markdown"});
  EXPECT_EQ(made.status, 0);
  EXPECT_EQ(made.out, text_of("docs/exchanges.md"))
      << "candlewick exchanges --format markdown >docs/exchanges.md";
}

TEST(CheckConfig, ShowsTheOriginOfEveryValueAndNoSecret) {
  const auto shown =
      candlewick_({"check-config", "--format", "jsonl", "--http-listen", "127.0.0.1:8123"}, {},
                  {{"FETCH_INTERVAL_SECONDS", "3"},
                   {"SUPABASE_URL", "https://abc.supabase.co"},
                   {"SUPABASE_SERVICE_ROLE_KEY", "sb_secret_do_not_show_me"}});
  ASSERT_EQ(shown.status, 0) << shown.err;
  EXPECT_NE(shown.out.find("FETCH_INTERVAL_SECONDS"), std::string::npos);
  EXPECT_NE(shown.out.find("127.0.0.1:8123"), std::string::npos);
  EXPECT_NE(shown.err.find("warning"), std::string::npos)
      << "an interval below 10 s is raised with a warning";
  EXPECT_EQ((shown.out + shown.err).find("do_not_show_me"), std::string::npos);
}

TEST(Decode, MakesTheSameEventsOfTheSameFrames) {
  const std::string input = text_of("src/exchange/binance/fixtures/frames.jsonl");
  const auto decoded = candlewick_({"decode", "--exchange", "binance"}, input);
  EXPECT_EQ(decoded.status, 0) << decoded.err;
  EXPECT_EQ(decoded.out, text_of("src/exchange/binance/fixtures/events.jsonl"));
}

TEST(Decode, ReadsTheSwapsOfAnExchangeByTheirMarketOrSetting) {
  const std::string input = text_of("src/exchange/binance/fixtures/swap/frames.jsonl");
  const std::string events = text_of("src/exchange/binance/fixtures/swap/events.jsonl");
  EXPECT_EQ(candlewick_({"decode", "--exchange", "binance", "--market", "swap"}, input).out,
            events);
  EXPECT_EQ(candlewick_({"decode", "--exchange", "binance-usdm"}, input).out, events);
}

TEST(Decode, ReportsWhatItRefusesAndGoesOn) {
  const auto decoded =
      candlewick_({"decode", "--exchange", "binance"},
                  "{\"dir\":\"in\",\"msg\":{\"e\":\"trade\",\"E\":1700000000099,\"s\":\"BNBUS}\n"
                  "not json at all\n"
                  "{\"dir\":\"in\",\"msg\":{\"e\":\"trade\",\"E\":1700000000099,\"s\":\"BNBUSDT\","
                  "\"t\":1,\"p\":\"0.-10000\",\"q\":\"1\",\"T\":1700000000098,\"m\":true}}\n"
                  "{\"dir\":\"in\",\"msg\":{\"e\":\"trade\",\"E\":1700000000099,\"s\":\"BNBUSDT\","
                  "\"t\":2,\"p\":\"0.1\",\"q\":\"1\",\"T\":1700000000098,\"m\":true}}\n");
  EXPECT_EQ(decoded.status, 0);
  ASSERT_EQ(lines_in(decoded.out), 4U) << decoded.out;
  EXPECT_EQ(decoded.out.find(R"({"type":"error","kind":"malformed")"), 0U);
  EXPECT_NE(decoded.out.find(R"("id":"2")"), std::string::npos);
}

TEST(Replay, RebuildsTheCandlesOfTheRecordingsFromTheirTrades) {
  REQUIRE_SHARED_DATA();
  const auto folder = std::filesystem::absolute(test::shared_data() / "binance" / "ws");
  const std::vector<std::string> arguments{
      "replay",
      "--exchange",
      "binance",
      "--input",
      folder / "spot-btcusdt-depth-bookticker-trade-2024-08-08T2354.jsonl.zst",
      folder / "spot-btcusdt-depth-bookticker-trade-2024-08-09T0000.jsonl.zst",
      "--emit",
      "candles",
      "--candles-from",
      "trades"};
  const auto first = candlewick_(arguments);
  ASSERT_EQ(first.status, 0) << first.err;
  EXPECT_EQ(lines_in(first.out), 10U) << first.out;
  // The exchange's own candles, digit for digit.
  std::map<std::string, std::string> history;
  std::istringstream rows(text_of(test::shared_data() / "history" /
                                  "binance-spot-1m-BTCUSDT-2024-07-26_2024-08-25.csv.zst"));
  for (std::string row; std::getline(rows, row);)
    history[row.substr(0, row.find(','))] = row.substr(row.find(',') + 1);
  std::istringstream lines(first.out);
  const auto field = [](const std::string& line, const std::string& name) {
    const auto at = line.find("\"" + name + "\":") + name.size() + 3;
    return line.substr(at, line.find_first_of(",}", at) - at);
  };
  for (std::string line; std::getline(lines, line);) {
    auto time = field(line, "open_time");
    const auto open = parse_rfc3339(time.substr(1, time.size() - 2));
    ASSERT_TRUE(open);
    const std::string row = field(line, "open") + "," + field(line, "high") + "," +
                            field(line, "low") + "," + field(line, "close") + "," +
                            field(line, "volume");
    EXPECT_EQ(row, history[std::to_string(to_ms(*open))]) << time;
  }
  EXPECT_EQ(candlewick_(arguments).out, first.out) << "the same input must give the same bytes";
}

TEST(Indicators, AreOneObjectACandle) {
  std::string csv = "timestamp,open,high,low,close,volume\n";
  for (int i = 0; i < 50; ++i)
    csv += fmt::format("2024-01-01T00:{:02}:00Z,1{},2{},0.{},1{}.5,{}\n", i, i, i, i + 10, i, i);
  const auto computed = candlewick_({"indicators", "--timeframe", "1m"}, csv);
  ASSERT_EQ(computed.status, 0) << computed.err;
  EXPECT_EQ(lines_in(computed.out), 50U);
  EXPECT_NE(computed.out.find("\"moving_average_7\":null"), std::string::npos);
  const auto wrong = candlewick_({"indicators", "--timeframe", "1m"},
                                 "timestamp,open,high,low,close,volume\n2024-01-01,1,2,x,1,1\n");
  EXPECT_EQ(wrong.status, 1);
  EXPECT_NE(wrong.err.find("line 2"), std::string::npos) << wrong.err;
}

class AgainstAVenue : public testing::Test {
 protected:
  test::SimulatedVenue venue{"binance", 42, start, 1};
  test::TemporaryFolder folder;
  std::map<std::string, std::string> environment{{"BINANCE_BASE_URL", venue.base_url()},
                                                 {"BINANCE_WS_URL", venue.ws_url()},
                                                 {"CANDLEWICK_DATA_DIR", folder.path() / "data"}};
};

TEST_F(AgainstAVenue, BackfillStoresHistoryOnceAndCandlesShowsIt) {
  const std::vector<std::string> fill{"backfill",
                                      "--exchange",
                                      "binance",
                                      "--symbol",
                                      "btc-usdt",
                                      "--timeframe",
                                      "1m",
                                      "--start",
                                      "2026-01-14T00:00:00Z",
                                      "--end",
                                      "2026-01-15T11:55:00Z"};
  const auto filled = candlewick_(fill, {}, environment);
  ASSERT_EQ(filled.status, 0) << filled.err;
  EXPECT_NE(filled.err.find("2155 candles"), std::string::npos) << filled.err;
  const auto again = candlewick_(fill, {}, environment);
  ASSERT_EQ(again.status, 0) << again.err;
  EXPECT_NE(again.err.find("0 candles of binance BTC/USDT 1m from 0 requests"), std::string::npos)
      << again.err;

  const auto shown = candlewick_({"candles", "--exchange", "binance", "--symbol", "BTC/USDT",
                                  "--timeframe", "1m", "--format", "csv"},
                                 {}, environment);
  ASSERT_EQ(shown.status, 0) << shown.err;
  EXPECT_EQ(lines_in(shown.out), 2156U);
  const std::string truth = venue.truth("BTCUSDT", "1m", start - 36h, start - 5min);
  EXPECT_EQ(lines_in(truth), 2155U);
  std::istringstream rows(shown.out);
  std::istringstream expected(truth);
  std::string row;
  std::getline(rows, row);
  for (std::string line; std::getline(expected, line) && std::getline(rows, row);) {
    const auto number = [&](const std::string& name) {
      const auto at = line.find("\"" + name + "\":") + name.size() + 3;
      return line.substr(at, line.find_first_of(",}", at) - at);
    };
    const std::string values = number("open") + "," + number("high") + "," + number("low") + "," +
                               number("close") + "," + number("volume") + "," +
                               number("quote_volume") + "," + number("trade_count");
    ASSERT_NE(row.find(values), std::string::npos) << row << "\n" << line;
  }
  // Exact roll-up of the same candles.
  const auto hours = candlewick_({"candles", "--exchange", "binance", "--symbol", "BTC/USDT",
                                  "--timeframe", "1h", "--format", "jsonl"},
                                 {}, environment);
  EXPECT_EQ(lines_in(hours.out), 36U) << hours.out.substr(0, 500);
}

TEST_F(AgainstAVenue, RecordKeepsFramesThatDecode) {
  const auto file = (folder.path() / "frames.jsonl.zst").string();
  const auto recorded = candlewick_({"record", "--exchange", "binance", "--symbol", "BTC/USDT",
                                     "ETH/USDT", "--output", file, "--for", "4s"},
                                    {}, environment);
  ASSERT_EQ(recorded.status, 0) << recorded.err;
  const auto decoded = candlewick_({"decode", "--exchange", "binance"}, text_of(file));
  EXPECT_EQ(decoded.status, 0);
  EXPECT_GT(lines_in(decoded.out), 20U);
  EXPECT_EQ(decoded.out.find("\"type\":\"error\""), std::string::npos);
  EXPECT_NE(decoded.out.find("\"kind\":\"snapshot\""), std::string::npos)
      << "a book needs its snapshot";
  const auto replayed =
      candlewick_({"replay", "--exchange", "binance", "--input", file, "--emit", "events"});
  EXPECT_EQ(replayed.status, 0);
  EXPECT_EQ(replayed.out.find("\"type\":\"gap\""), std::string::npos)
      << replayed.out.substr(0, 500);
}

TEST_F(AgainstAVenue, DoctorFindsWhatIsWrong) {
  const auto well = candlewick_({"doctor", "--format", "jsonl"}, {}, environment);
  EXPECT_EQ(well.status, 0) << well.out << well.err;
  auto unreachable = environment;
  unreachable["BINANCE_BASE_URL"] = "http://127.0.0.1:1";
  const auto ill = candlewick_({"doctor", "--format", "jsonl"}, {}, unreachable);
  EXPECT_EQ(ill.status, 1);
  EXPECT_NE(ill.out.find("\"verdict\":\"failed\""), std::string::npos) << ill.out;
}

TEST_F(AgainstAVenue, SymbolsListsWhatTheVenueLists) {
  const auto listed =
      candlewick_({"symbols", "--exchange", "binance", "--search", "btc", "--format", "jsonl"}, {},
                  environment);
  ASSERT_EQ(listed.status, 0) << listed.err;
  EXPECT_NE(listed.out.find("\"BTC/USDT\""), std::string::npos);
  EXPECT_NE(listed.out.find("\"status\":\"trading\""), std::string::npos);
}

TEST_F(AgainstAVenue, RunServesAndEndsCleanly) {
  const auto ran = candlewick_(
      {"run", "--demo", "--demo-seconds", "3", "--http-listen", "127.0.0.1:0"}, {}, environment);
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_NE(ran.out.find("BTC/USDT"), std::string::npos);
  EXPECT_NE(ran.out.find("stopped"), std::string::npos);
}

}  // namespace
}  // namespace candlewick
