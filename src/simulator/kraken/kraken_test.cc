// What is particular to Kraken's protocol as it is simulated.
#include "simulator/kraken/kraken.h"

#include <zlib.h>

#include <map>

#include "simulator/testing.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

std::unique_ptr<VenueCore> kraken_core(std::string_view faults = "", double activity = 1.0) {
  auto market = SyntheticMarket::make({.exchange = "kraken",
                                       .seed = 1,
                                       .start = start,
                                       .symbols = {"BTCUSD", "BTCUSDT", "ETHBTC", "FARM/USDT"},
                                       .activity = activity});
  check(market.has_value(), "the symbols of the tests are good");
  auto core = std::make_unique<VenueCore>(
      VenueSetup{.venue = "kraken", .market = *std::move(market), .start = start, .speed = "1"});
  check(core->change_faults(faults).has_value(), "the faults of the tests are good");
  return core;
}

std::vector<std::string> of_channel(const std::vector<std::string>& texts,
                                    std::string_view channel) {
  std::vector<std::string> found;
  for (const auto& text : texts) {
    if (text.starts_with(fmt::format(R"({{"channel":"{}")", channel))) found.push_back(text);
  }
  return found;
}

constexpr std::string_view subscribe_book =
    R"({"method":"subscribe","params":{"channel":"book","depth":10,"symbol":["BTC/USDT"]},"req_id":5})";

TEST(SimulatedKraken, AnswersEachSymbolByItself) {
  auto core = kraken_core();
  const auto session = open(*core, "/v2");
  EXPECT_EQ(of_channel(frames(core->advance_to(start)), "status").size(), 1U);
  const auto answers = frames(core->receive(
      session,
      R"({"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USD","NO/SUCH","ETH/BTC"]},"req_id":3})",
      steady));
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_EQ(Flat(answers[0])["success"], "true");
  EXPECT_EQ(Flat(answers[0])["result.symbol"], "BTC/USD");
  EXPECT_EQ(Flat(answers[0])["req_id"], "3");
  EXPECT_EQ(Flat(answers[1])["success"], "false");
  EXPECT_EQ(Flat(answers[1])["error"], "Currency pair not supported NO/SUCH");
  EXPECT_EQ(Flat(answers[2])["result.symbol"], "ETH/BTC");
  const auto again = frames(core->receive(
      session, R"({"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USD"]}})",
      steady));
  EXPECT_EQ(Flat(again.at(0))["error"], "Already subscribed");
  const auto wrong = frames(core->receive(session, "{", steady));
  EXPECT_EQ(Flat(wrong.at(0))["error"], "Malformed request");
  const auto deep = frames(core->receive(
      session,
      R"({"method":"subscribe","params":{"channel":"book","depth":7,"symbol":["BTC/USD"]}})",
      steady));
  EXPECT_EQ(Flat(deep.at(0))["error"], "Subscription depth not supported");
}

TEST(SimulatedKraken, BeatsEverySecondOnceAnythingIsSubscribedAndAnswersPings) {
  auto core = kraken_core();
  const auto session = open(*core, "/v2");
  EXPECT_TRUE(of_channel(frames(core->advance_to(start + 10s)), "heartbeat").empty());
  core->receive(session,
                R"({"method":"subscribe","params":{"channel":"trade","symbol":["ETH/BTC"]}})",
                steady);
  EXPECT_EQ(of_channel(frames(core->advance_to(start + 20s)), "heartbeat").size(), 10U);
  const auto pong = frames(core->receive(session, R"({"method":"ping","req_id":8})", steady));
  EXPECT_EQ(Flat(pong.at(0))["method"], "pong");
  EXPECT_EQ(Flat(pong.at(0))["req_id"], "8");
  EXPECT_EQ(Flat(pong.at(0))["time_out"], to_rfc3339(start + 20s));
}

// The checksum by the documentation's words, over the text of the frames.
struct TextBook {
  std::map<std::string, std::string> sides[2];  // by price as written, of one width; bids, asks

  static std::string significant(std::string text) {
    std::erase(text, '.');
    return text.substr(std::min(text.find_first_not_of('0'), text.size()));
  }
  void take(const Flat& frame, std::size_t depth) {
    for (const int side : {0, 1}) {
      for (int i = 0;; ++i) {
        const auto level = fmt::format("data.0.{}.{}", side == 0 ? "bids" : "asks", i);
        if (!frame.has(level + ".price")) break;
        const auto& size = frame[level + ".qty"];
        if (size == "0.00000000") {
          sides[side].erase(frame[level + ".price"]);
        } else {
          sides[side][frame[level + ".price"]] = size;
        }
      }
      while (sides[side].size() > depth)
        sides[side].erase(side == 0 ? sides[side].begin() : std::prev(sides[side].end()));
    }
  }
  std::uint64_t checksum() const {
    std::string text;
    int count = 0;
    for (auto at = sides[1].begin(); at != sides[1].end() && count < 10; ++at, ++count)
      text += significant(at->first) + significant(at->second);
    count = 0;
    for (auto at = sides[0].rbegin(); at != sides[0].rend() && count < 10; ++at, ++count)
      text += significant(at->first) + significant(at->second);
    return crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()));
  }
};

TEST(SimulatedKraken, SendsBooksWhoseChecksumsAreRight) {
  auto core = kraken_core();
  const auto session = open(*core, "/v2");
  core->advance_to(start + 1234ms);
  const auto answers = frames(core->receive(session, subscribe_book, steady));
  ASSERT_EQ(answers.size(), 2U);
  TextBook book;
  const Flat snapshot(answers[1]);
  EXPECT_EQ(snapshot["type"], "snapshot");
  EXPECT_EQ(snapshot["data.0.timestamp"], to_rfc3339(start + 1200ms));
  book.take(snapshot, 10);
  EXPECT_EQ(book.sides[0].size(), 10U);
  EXPECT_EQ(book.checksum(), snapshot.number("data.0.checksum"));
  const auto updates = of_channel(frames(core->advance_to(start + 2min)), "book");
  EXPECT_GT(updates.size(), 50U);
  for (const auto& text : updates) {
    const Flat update(text);
    EXPECT_EQ(update["type"], "update");
    book.take(update, 10);
    ASSERT_EQ(book.checksum(), update.number("data.0.checksum")) << text;
  }
  // A new subscription brings a new snapshot that later updates go on from.
  core->receive(
      session,
      R"({"method":"unsubscribe","params":{"channel":"book","depth":10,"symbol":["BTC/USDT"]}})",
      steady);
  EXPECT_TRUE(of_channel(frames(core->advance_to(start + 3min)), "book").empty());
  const auto anew = frames(core->receive(session, subscribe_book, steady));
  TextBook second;
  second.take(Flat(anew.at(1)), 10);
  for (const auto& text : of_channel(frames(core->advance_to(start + 4min)), "book")) {
    second.take(Flat(text), 10);
    ASSERT_EQ(second.checksum(), Flat(text).number("data.0.checksum"));
  }
}

TEST(SimulatedKraken, SaysNothingOfMinutesWithoutTradesButHasRowsForThem) {
  auto core = kraken_core("", 0.8);
  const auto session = open(*core, "/v2");
  core->receive(
      session,
      R"({"method":"subscribe","params":{"channel":"ohlc","interval":1,"symbol":["FARM/USDT"],"snapshot":false}})",
      steady);
  std::map<std::string, std::string> told;
  for (const auto& text : of_channel(frames(core->advance_to(start + 1h)), "ohlc")) {
    const Flat frame(text);
    EXPECT_NE(frame["data.0.trades"], "0") << text;
    told[frame["data.0.interval_begin"]] = frame["data.0.volume"];
  }
  EXPECT_GT(told.size(), 2U);
  EXPECT_LT(told.size(), 55U);
  const auto reply = get(*core, "/0/public/OHLC?pair=FARMUSDT&interval=1&since=" +
                                    std::to_string(to_ms(start) / 1000 - 60));
  const auto result = Flat(reply.body);
  std::size_t quiet = 0;
  for (int i = 0; i < 60; ++i) {
    const auto row = fmt::format("result.FARMUSDT.{}", i);
    const Time open_time{std::chrono::seconds{result.number(row + ".0")}};
    EXPECT_EQ(open_time, start + i * 1min);
    const auto frame = told.find(to_rfc3339(open_time));
    if (frame == told.end()) {
      EXPECT_EQ(result[row + ".7"], "0");
      ++quiet;
    } else {
      EXPECT_EQ(result[row + ".6"], frame->second);
    }
  }
  EXPECT_EQ(quiet + told.size(), 60U);
}

TEST(SimulatedKraken, ShowsItsNewestCandlesOnlyAndWhichIsRunning) {
  auto core = kraken_core();
  core->advance_to(start + 30s);
  const Flat reply(get(*core, "/0/public/OHLC?pair=XXBTZUSD&interval=5&since=0").body);
  EXPECT_EQ(reply["result.XXBTZUSD.0.0"], std::to_string(to_ms(start - 720 * 5min) / 1000));
  EXPECT_EQ(reply["result.XXBTZUSD.720.0"], std::to_string(to_ms(start) / 1000));
  EXPECT_FALSE(reply.has("result.XXBTZUSD.721.0"));
  EXPECT_EQ(reply["result.last"], std::to_string(to_ms(start - 5min) / 1000));
  EXPECT_EQ(get(*core, "/0/public/OHLC?pair=XBTUSD&interval=7").body,
            R"({"error":["EGeneral:Invalid arguments"]})");
}

TEST(SimulatedKraken, KnowsPairsByAllTheirNamesAndRefusesWithStatus200) {
  auto core = kraken_core();
  for (const auto* name : {"XXBTZUSD", "XBTUSD", "XBT%2FUSD", "BTC%2FUSD"}) {
    const auto reply = get(*core, std::string("/0/public/Ticker?pair=") + name);
    EXPECT_TRUE(Flat(reply.body).has("result.XXBTZUSD.c.0")) << name;
  }
  const auto pairs = Flat(get(*core, "/0/public/AssetPairs").body);
  EXPECT_EQ(pairs["result.XETHXXBT.wsname"], "ETH/XBT");
  EXPECT_EQ(pairs["result.FARMUSDT.altname"], "FARMUSDT");
  const auto refused = get(*core, "/0/public/Depth?pair=NOSUCH");
  EXPECT_EQ(refused.status, 200);
  EXPECT_EQ(refused.body, R"({"error":["EQuery:Unknown asset pair"]})");
  auto strict = kraken_core("429=1");
  EXPECT_EQ(get(*strict, "/0/public/Time").body, R"({"error":["EAPI:Rate limit exceeded"]})");
  EXPECT_EQ(
      get(*core, "/0/public/Time").body,
      R"({"error":[],"result":{"unixtime":1768478400,"rfc1123":"Thu, 15 Jan 26 12:00:00 +0000"}})");
}

TEST(SimulatedKraken, PagesThroughTradesWithoutLosingOne) {
  auto core = kraken_core();
  core->advance_to(start + 10min);
  std::string since = std::to_string(to_ns(start) - 1);
  std::vector<std::uint64_t> ids;
  for (int page = 0; page < 100; ++page) {
    const Flat reply(get(*core, "/0/public/Trades?pair=XBTUSD&count=50&since=" + since).body);
    for (int i = 0; reply.has(fmt::format("result.XXBTZUSD.{}.6", i)); ++i)
      ids.push_back(reply.number(fmt::format("result.XXBTZUSD.{}.6", i)));
    if (reply["result.last"] == since) break;
    since = reply["result.last"];
  }
  const auto listing = *core->market().find("BTC/USD");
  const auto bar = core->market().bar(listing, start, start + 10min + 1ns);
  ASSERT_EQ(ids.size(), bar.count);
  EXPECT_EQ(ids.front(), bar.first_id);
  EXPECT_EQ(ids.back(), bar.last_id);
}

}  // namespace
}  // namespace candlewick::simulator
