// The live streams of a service that follows a simulated venue with faults: what their clients hold
// is what the venue knows and the warehouse stores, without a hole and without a seam.
#include <atomic>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/service.h"
#include "app/warehouse_choice.h"
#include "base/json.h"
#include "net/testing.h"
#include "net/websocket_client.h"
#include "test/support/eventually.h"
#include "test/support/simulated_venue.h"
#include "test/support/stored_candles.h"
#include "test/support/temporary_folder.h"
#include "warehouse/database.h"

namespace candlewick {
namespace {

using namespace std::chrono_literals;

const Time start = time_from_ms(1'768'478'400'000);  // 2026-01-15T12:00:00Z
constexpr double speed = 60;

// A candle of the API as SimulatedVenue::true_candles() writes it.
struct CandleSeen {
  Time open_time{};
  std::int64_t revision = 0;
  bool is_closed = false;
  std::string numbers;
};

CandleSeen read_candle(json::Value candle) {
  CandleSeen seen;
  std::map<std::string, std::string, std::less<>> values;
  candle.members([&](std::string_view key, json::Value value) {
    if (key == "timestamp") {
      seen.open_time = value.time_text();
    } else if (key == "revision") {
      seen.revision = value.integer();
    } else if (key == "is_closed") {
      seen.is_closed = value.boolean();
    } else {
      values[std::string(key)] = value.raw();
    }
  });
  for (const auto* key : {"open", "high", "low", "close", "volume", "quote_volume",
                          "taker_buy_volume", "taker_buy_quote_volume"}) {
    seen.numbers += Decimal::parse(values[key]).value_or(Decimal{}).to_string() + " ";
  }
  seen.numbers += values["trade_count"];
  return seen;
}

// The newest telling of each closed candle.
struct Held {
  std::map<Time, CandleSeen> candles;

  void put(const CandleSeen& candle) {
    if (!candle.is_closed) return;
    auto& known = candles[candle.open_time];
    if (known.numbers.empty() || candle.revision >= known.revision) known = candle;
  }
  bool has_all(Time from, Time until) const {
    for (Time open = from; open < until; open += 1min) {
      if (!candles.contains(open)) return false;
    }
    return true;
  }
};

class Streams : public testing::Test {
 protected:
  Streams()
      : venue("binance", 23, start, speed,
              "drop=0.02,double=0.02,reorder=0.02,disconnect=90s,retry=1,seed=4") {
    config.exchanges = {"binance"};
    config.symbols = {"BTC/USDT"};
    config.venues["binance"] = {.base_url = venue.base_url(), .ws_url = venue.ws_url()};
    config.data_dir = folder.path().string();
    config.http.listen.port = 0;
    config.warehouse = "sqlite";
    auto started = app::Service::start(config, clock, observer, metrics);
    EXPECT_TRUE(started) << started.error().message;
    if (started) service = std::move(*started);
  }
  ~Streams() override {
    if (service) service->stop();
  }
  std::uint16_t port() const {
    const std::string address = service->api_address();
    return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  }
  void expect_the_truth(const Held& held, Time from, Time until) {
    const auto truth = venue.true_candles("BTC/USDT", from, until);
    ASSERT_EQ(truth.size(), static_cast<std::size_t>((until - from) / 1min));
    for (const auto& [open_time, numbers] : truth) {
      const auto found = held.candles.find(open_time);
      ASSERT_NE(found, held.candles.end()) << "lacks " << to_rfc3339(open_time);
      EXPECT_EQ(found->second.numbers, numbers) << to_rfc3339(open_time);
    }
  }

  test::SimulatedVenue venue;
  test::TemporaryFolder folder;
  Config config;
  RealClock clock;
  RecordingObserver observer;
  Metrics metrics;
  std::unique_ptr<app::Service> service;
};

TEST_F(Streams, TellHistoryAndThenWhatHappensAsTheWarehouseStoresIt) {
  ASSERT_NE(service, nullptr);
  const Time from = start - 2h;
  const Time until = start + 5min;
  Held held;
  std::map<std::string, int> ids;
  // From the first moment on: history is fetched while this listens.
  net::testing::RawClient client(port());
  client.write("GET /v1/candles/stream?exchange=binance&symbol=btc-usdt&timeframe=1m&start=" +
               std::to_string(to_ms(from)) + " HTTP/1.0\r\nHost: a\r\n\r\n");
  client.read_until("\r\n\r\n");
  json::Reader reader;
  const auto end = std::chrono::steady_clock::now() + 120s;
  while (!held.has_all(from, until) && std::chrono::steady_clock::now() < end) {
    const std::string event = client.read_until("\n\n");
    ASSERT_FALSE(event.empty()) << "the stream ended";
    const auto data = event.find("data: ");
    if (data == std::string::npos) continue;
    const auto read = reader.read(std::string_view(event).substr(data + 6),
                                  [&](json::Value root) { held.put(read_candle(root)); });
    ASSERT_TRUE(read) << event;
    if (event.starts_with("id: ")) ++ids[event.substr(4, event.find('\n') - 4)];
  }
  ASSERT_TRUE(held.has_all(from, until));
  for (const auto& [id, count] : ids) EXPECT_EQ(count, 1) << id;
  expect_the_truth(held, from, until);
  const auto database = warehouse::open_sqlite_for_reading(app::warehouse_path(config));
  ASSERT_TRUE(database) << database.error().message;
  ASSERT_TRUE(test::eventually([&] {
    return test::stored_candles(**database, "binance", "BTC/USDT", from, until).size() ==
           static_cast<std::size_t>((until - from) / 1min);
  }));
  for (const auto& [open_time, stored] :
       test::stored_candles(**database, "binance", "BTC/USDT", from, until)) {
    EXPECT_EQ(held.candles[open_time].numbers, test::numbers_of(stored)) << to_rfc3339(open_time);
  }
}

TEST_F(Streams, NumberEverythingWithoutAHole) {
  ASSERT_NE(service, nullptr);
  const std::vector<std::string> channels{"candle_1m", "ticker", "quote",      "trade",
                                          "book",      "tick",   "indicators", "coverage"};
  struct Seen {
    std::map<std::string, std::uint64_t> newest;
    std::map<std::string, int> updates;
    std::vector<std::string> faults;
    Held held;
    std::optional<Time> first_open;  // of what was told live
  };
  // The first snapshot waits for the whole of history: two days of candles at once are more than a
  // slow client's queue takes, and are announced as dropped then.
  ASSERT_TRUE(test::eventually([this] { return service->board().read(0).tick.has_value(); }));
  const Time until = std::chrono::floor<std::chrono::minutes>(venue.now()) + 4min;
  Guarded<Seen> seen;
  net::Loop loop{"client"};
  std::unique_ptr<net::WebSocketClient> socket;
  json::Reader reader;
  const auto hear = [&](std::string_view text) {
    std::string type;
    std::string stream;
    std::uint64_t number = 0;
    std::optional<CandleSeen> candle;
    const auto read = reader.read(text, [&](json::Value root) {
      root.members([&](std::string_view key, json::Value value) {
        if (key == "type") type = value.string();
        if (key == "stream") stream = value.string();
        if (key == "seq") number = value.unsigned_integer();
        if (key == "data" && type == "update" && stream.ends_with("@candle_1m"))
          candle = read_candle(value);
      });
    });
    seen.with([&](Seen& all) {
      if (!read || text.starts_with(R"({"error")")) all.faults.emplace_back(text);
      if (stream.empty()) return;
      const auto known = all.newest.find(stream);
      if (type == "snapshot" ? known != all.newest.end()
                             : known == all.newest.end() || known->second + 1 != number) {
        // One that is stale already says so with the snapshot's number.
        const bool is_told_again = type == "stale" && known != all.newest.end() &&
                                   known->second == number && !all.updates.contains(stream);
        if (!is_told_again) all.faults.emplace_back(text);
      }
      all.newest[stream] = number;
      if (type == "update") ++all.updates[stream];
      if (!candle) return;
      if (!all.first_open && !candle->is_closed) all.first_open = candle->open_time;
      all.held.put(*candle);
    });
  };
  loop.start();
  loop.call([&] {
    socket = std::make_unique<net::WebSocketClient>(
        loop, net::WebSocketOptions{.url = fmt::format("ws://127.0.0.1:{}/v1/stream", port())},
        net::WebSocketEvents{.on_open =
                                 [&] {
                                   std::string names;
                                   for (const auto& channel : channels) {
                                     names += fmt::format(R"({}"binance:BTC-USDT@{}")",
                                                          names.empty() ? "" : ",", channel);
                                   }
                                   socket->send(fmt::format(
                                       R"({{"method":"SUBSCRIBE","params":[{}],"id":1}})", names));
                                 },
                             .on_frame = [&](std::string_view frame, bool) { hear(frame); }});
  });
  EXPECT_TRUE(test::eventually(
      [&] {
        return seen.with([&](const Seen& all) {
          return all.updates.size() == channels.size() && all.first_open &&
                 all.held.has_all(*all.first_open, until);
        });
      },
      120s));
  loop.call([&] { socket.reset(); });
  loop.stop();
  loop.join();
  const Seen& all = seen.with([](const Seen& known) -> const Seen& { return known; });
  EXPECT_THAT(all.faults, testing::IsEmpty());
  for (const auto& channel : channels)
    EXPECT_TRUE(all.updates.contains("binance:BTC/USDT@" + channel)) << channel;
  ASSERT_TRUE(all.first_open);
  expect_the_truth(all.held, *all.first_open, until);
}

}  // namespace
}  // namespace candlewick
