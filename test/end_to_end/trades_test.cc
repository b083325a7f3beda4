// Kept trades of the whole service against a simulated venue with faults, at many times its speed:
// the stored trades of every minute must make the venue's own candle, digit by digit.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <fmt/format.h>

#include "app/service.h"
#include "app/warehouse_choice.h"
#include "base/json.h"
#include "net/http_client.h"
#include "query/coverage.h"
#include "query/trades.h"
#include "sqlite/database.h"
#include "test/support/eventually.h"
#include "test/support/simulated_venue.h"
#include "test/support/temporary_folder.h"
#include "warehouse/database.h"

namespace candlewick {
namespace {

using namespace std::chrono_literals;

const Time start = time_from_ms(1'768'478'400'000);  // 2026-01-15T12:00:00Z
const std::string symbol = "BTC/USDT";

class KeptTrades : public ::testing::Test {
 protected:
  KeptTrades() {
    config.exchanges = {"binance"};
    config.symbols = {symbol};
    config.venues["binance"] = {.base_url = venue.base_url(), .ws_url = venue.ws_url()};
    config.data_dir = folder.path().string();
    config.http.listen.port = 0;
    config.warehouse = "sqlite";
    config.pipeline.keep_trades = true;
  }
  void launch() {
    auto started = app::Service::start(config, clock, observer, metrics);
    ASSERT_TRUE(started) << started.error().message;
    service = std::move(*started);
  }
  bool has_reached(Time time) const {
    return std::ranges::any_of(service->feeds(),
                               [&](const auto& feed) { return feed.venue_time >= time; });
  }
  std::unique_ptr<warehouse::Database> open() const {
    auto database = warehouse::open_sqlite_for_reading(app::warehouse_path(config));
    EXPECT_TRUE(database) << database.error().message;
    return database ? std::move(*database) : nullptr;
  }
  static std::vector<query::Trade> trades(warehouse::Database& database, Time from, Time until) {
    auto found = query::trades(
        database,
        {.exchange = "binance", .symbol = symbol, .start = from, .end = until, .limit = 1'000'000});
    EXPECT_TRUE(found) << found.error().message;
    return found ? std::move(*found) : std::vector<query::Trade>{};
  }
  void lose_some_of_the_last() const {
    const auto file = sqlite::Database::open({.path = app::warehouse_path(config)});
    ASSERT_TRUE(file) << file.error().message;
    const auto done = (*file)->execute(
        "DELETE FROM fact_trade WHERE trade_id IN (SELECT trade_id FROM fact_trade ORDER BY "
        "exchange_time DESC, length(trade_id) DESC, trade_id DESC LIMIT 3 OFFSET 2)");
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ((*file)->changes(), 3);
  }
  // The ledger's word on each minute of trades.
  static std::map<Time, std::string> said(warehouse::Database& database, Time from, Time until) {
    std::map<Time, std::string> minutes;
    const auto spans = query::coverage(database, {.exchange = "binance",
                                                  .symbol = symbol,
                                                  .timeframe = "1m",
                                                  .stream = "trades",
                                                  .start = from,
                                                  .end = until});
    EXPECT_TRUE(spans) << spans.error().message;
    if (!spans) return minutes;
    for (const auto& span : *spans) {
      for (Time minute = std::max(span.from, from); minute < std::min(span.to, until);
           minute += 1min) {
        minutes[minute] = span.state;
      }
    }
    return minutes;
  }

  test::SimulatedVenue venue{
      "binance", 31, start + 30s, 60.0,
      "drop=0.02,double=0.05,reorder=0.05,truncate=0.01,disconnect=50s,5xx=0.05,seed=7"};
  test::TemporaryFolder folder;
  Config config;
  RealClock clock;
  RecordingObserver observer;
  Metrics metrics;
  std::unique_ptr<app::Service> service;
};

// In the form of true_candles(), which has no value of them in common with the candles' own path.
std::map<Time, std::string> candles_of(const std::vector<query::Trade>& trades) {
  struct Sums {
    Decimal open, high, low, close, volume;
    std::int64_t count = 0;
  };
  std::map<Time, Sums> minutes;
  for (const auto& trade : trades) {
    Sums& sums = minutes[open_of(Timeframe::m1, trade.exchange_time)];
    if (sums.count++ == 0) sums.open = sums.high = sums.low = trade.price;
    sums.high = std::max(sums.high, trade.price);
    sums.low = std::min(sums.low, trade.price);
    sums.close = trade.price;
    sums.volume = Decimal::from_count(sums.volume.count() + trade.size.count());
  }
  std::map<Time, std::string> candles;
  for (const auto& [minute, sums] : minutes) {
    candles[minute] = fmt::format("{} {} {} {} {} {}", sums.open.to_string(), sums.high.to_string(),
                                  sums.low.to_string(), sums.close.to_string(),
                                  sums.volume.to_string(), sums.count);
  }
  return candles;
}

// Without the values that single trades do not tell.
std::map<Time, std::string> without_values(std::map<Time, std::string> truth) {
  for (auto& [minute, text] : truth) {
    std::vector<std::string> words;
    for (std::size_t at = 0; at <= text.size();) {
      const auto end = std::min(text.find(' ', at), text.size());
      words.push_back(text.substr(at, end - at));
      at = end + 1;
    }
    EXPECT_EQ(words.size(), 9U) << text;
    words.erase(words.begin() + 5, words.end() - 1);
    text = fmt::format("{}", fmt::join(words, " "));
  }
  return truth;
}

TEST_F(KeptTrades, AreTheVenuesOwnThroughFaultsAndARestart) {
  launch();
  ASSERT_TRUE(test::eventually([&] { return has_reached(start + 4min + 20s); }, 60s));
  service.reset();
  // As if they had been asked for when it ended, and not come yet.
  lose_some_of_the_last();
  ASSERT_TRUE(test::eventually([&] { return venue.now() >= start + 6min; }, 60s));
  launch();
  ASSERT_TRUE(test::eventually([&] { return has_reached(start + 9min + 30s); }, 60s));
  venue.change_faults("none");
  const Time from = start + 1min;  // the first minute was under way when it began
  const Time until = start + 10min;
  const auto database = open();
  ASSERT_NE(database, nullptr);
  const auto is_settled = [&] {
    const auto minutes = said(*database, from, until);
    return minutes.size() == 9 && std::ranges::none_of(minutes, [](const auto& minute) {
             return minute.second == "missing";
           });
  };
  EXPECT_TRUE(test::eventually(is_settled, 60s));
  const auto stored = trades(*database, from, until);
  std::set<std::string> ids;
  for (const auto& trade : stored)
    EXPECT_TRUE(ids.insert(trade.trade_id).second) << trade.trade_id << " is stored twice";
  const auto built = candles_of(stored);
  const auto truth = without_values(venue.true_candles(symbol, from, until));
  EXPECT_EQ(truth.size(), 9U);
  std::size_t backfilled = 0;
  for (const auto& [minute, state] : said(*database, from, until)) {
    EXPECT_TRUE(state == "live" || state == "backfilled") << to_rfc3339(minute) << " " << state;
    backfilled += state == "backfilled" ? 1U : 0U;
  }
  EXPECT_GT(backfilled, 0U) << "no fault was seen: the schedule proves nothing";
  EXPECT_EQ(built, truth);

  // The same by the API, page by page.
  net::HttpClient client;
  std::string path = fmt::format("/v1/trades?symbol=BTC-USDT&limit=700&start={}&end={}",
                                 to_ms(from), to_ms(until));
  std::vector<std::string> told;
  json::Reader reader;
  while (!path.empty()) {
    const auto reply =
        client.fetch({.url = fmt::format("http://{}{}", service->api_address(), path)});
    ASSERT_TRUE(reply) << reply.error().message;
    ASSERT_EQ(reply->status, 200) << reply->body;
    path.clear();
    const auto read = reader.read(reply->body, [&](json::Value root) {
      root.members([&](std::string_view key, json::Value value) {
        if (key == "next_url" && !value.is_null()) path = value.string();
        if (key != "data") return;
        value.elements([&](json::Value trade) {
          trade.members([&](std::string_view name, json::Value cell) {
            if (name == "id") told.emplace_back(cell.string());
          });
        });
      });
    });
    ASSERT_TRUE(read) << reply->body;
  }
  std::vector<std::string> wanted;
  for (const auto& trade : stored) wanted.push_back(trade.trade_id);
  EXPECT_EQ(told, wanted);
}

}  // namespace
}  // namespace candlewick
