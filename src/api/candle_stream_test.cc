// History, then live, without a seam: whatever the warehouse has not stored yet, and whatever
// happens while history is read.
#include "api/candle_stream.h"

#include <gmock/gmock.h>

#include <map>
#include <random>
#include <set>
#include <thread>

#include "api/testing.h"
#include "net/testing.h"
#include "pipeline/rows.h"
#include "warehouse/sqlite_warehouse.h"

namespace candlewick::api {
namespace {

using namespace std::chrono_literals;
using net::testing::RawClient;
using ::testing::AllOf;
using testing::Answer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

struct Heard {
  std::string id;  // empty: a forming candle
  std::string data;
  friend bool operator==(const Heard&, const Heard&) = default;
};

// HTTP/1.0, so that the events come without chunks.
class Listener {
 public:
  Listener(std::uint16_t port, std::string_view query, std::string_view last_id = {})
      : client_(port) {
    client_.write(fmt::format(
        "GET /v1/candles/stream?{} HTTP/1.0\r\nHost: a\r\n{}\r\n", query,
        last_id.empty() ? std::string() : fmt::format("Last-Event-ID: {}\r\n", last_id)));
    head = client_.read_until("\r\n\r\n");
    EXPECT_EQ(client_.read_until("\n\n"), "retry: 1000\n\n");
  }
  Heard next() {
    Heard heard;
    const std::string text = client_.read_until("\n\n");
    for (std::size_t at = 0; at < text.size();) {
      const auto end = text.find('\n', at);
      const std::string line = text.substr(at, end - at);
      if (line.starts_with("id: ")) heard.id = line.substr(4);
      if (line.starts_with("data: ")) heard.data = line.substr(6);
      at = end + 1;
    }
    return heard;
  }
  std::vector<std::string> ids(std::size_t count) {
    std::vector<std::string> all;
    while (all.size() < count) {
      auto heard = next();
      if (heard.data.empty()) {
        ADD_FAILURE() << "nothing came after " << all.size();
        break;
      }
      if (!heard.id.empty()) all.push_back(std::move(heard.id));
    }
    return all;
  }

  std::string head;

 private:
  RawClient client_;
};

class CandleSeam : public testing::ApiTest {
 protected:
  CandleSeam() {
    slot = &add("binance", "BTC/USDT", "BTCUSDT");
    backend.open_database = [this] { return warehouse::open_sqlite_for_reading(stored.path()); };
  }
  ~CandleSeam() override { service.reset(); }

  void begin(stream::Intake::Limits limits = stream::Intake::Limits()) {
    intake = std::make_unique<stream::Intake>(board, limits);
    backend.intake = intake.get();
    start();
  }
  static Time minute(int number) { return noon + number * 1min; }
  static std::string id(int number, int revision = 0) {
    return fmt::format("{}.{}", to_ms(minute(number)), revision);
  }
  Candle closed(int number, int revision = 0) const {
    Candle made = candle(0, minute(number), fmt::format("{}", 100 + number), true);
    made.revision = revision;
    made.origin.received_time = minute(number + 1);
    return made;
  }
  void store(const Candle& candle) {
    stored.write({pipeline::candle_row(candle, candle.origin.received_time.value_or(noon))});
  }
  Listener listen(std::string_view rest, std::string_view last_id = {}) {
    return {service->port(), fmt::format("exchange=binance&symbol=BTCUSDT{}", rest), last_id};
  }
  static std::string since(int number) { return "&start=" + std::to_string(to_ms(minute(number))); }

  pipeline::LatestBoard::Slot* slot;
  testing::Warehouse stored{clock};
  std::unique_ptr<stream::Intake> intake;
};

TEST_F(CandleSeam, IsNotThereWhenTheWarehouseIsAhead) {
  for (int i = 0; i < 5; ++i) store(closed(i));
  begin();
  auto listener = listen(since(2));
  EXPECT_THAT(listener.head,
              AllOf(StartsWith("HTTP/1.1 200 OK"), HasSubstr("Content-Type: text/event-stream\r\n"),
                    HasSubstr("Cache-Control: no-store\r\n")));
  EXPECT_THAT(listener.ids(3), ElementsAre(id(2), id(3), id(4)));
  intake->on_event(closed(5));
  const Heard heard = listener.next();
  EXPECT_EQ(heard.id, id(5));
  EXPECT_THAT(heard.data, StartsWith(R"({"timestamp":"2024-05-01T12:05:00Z","open":100,)"));
}

TEST_F(CandleSeam, IsNotThereWhenTheWarehouseIsBehind) {
  for (int i = 0; i < 3; ++i) store(closed(i));
  begin();
  // Told, and not stored yet.
  for (int i = 2; i < 6; ++i) intake->on_event(closed(i));
  auto listener = listen(since(0));
  EXPECT_THAT(listener.ids(6), ElementsAre(id(0), id(1), id(2), id(3), id(4), id(5)));
  intake->on_event(closed(6));
  EXPECT_THAT(listener.ids(1), ElementsAre(id(6)));
}

TEST_F(CandleSeam, WaitsForAWarehouseThatIsFartherBehindThanMemoryReaches) {
  store(closed(0));
  begin({.recent_candles = 2});
  for (int i = 1; i < 6; ++i) intake->on_event(closed(i));
  auto listener = listen(since(0));
  for (int i = 1; i < 5; ++i) store(closed(i));
  EXPECT_THAT(listener.ids(6), ElementsAre(id(0), id(1), id(2), id(3), id(4), id(5)));
}

TEST_F(CandleSeam, TellsOnlyWhatIsNewWithoutAStart) {
  store(closed(0));
  begin();
  intake->on_event(closed(1));
  auto listener = listen("");
  // Listened to when the answer has begun.
  intake->on_event(closed(2));
  EXPECT_THAT(listener.ids(1), ElementsAre(id(2)));
}

TEST_F(CandleSeam, GoesOnBehindTheLastEventWithTheCorrectionsMadeSince) {
  for (int i = 0; i < 6; ++i) store(closed(i));
  Candle corrected = closed(1, 1);
  corrected.origin.received_time = minute(5);  // after the third was stored
  store(corrected);
  begin();
  auto listener = listen(since(0), id(3));
  EXPECT_THAT(listener.ids(3), ElementsAre(id(1, 1), id(4), id(5)));
  intake->on_event(closed(6));
  EXPECT_THAT(listener.ids(1), ElementsAre(id(6)));
  // One whose last candle was corrected itself gets it again.
  corrected = closed(3, 1);
  corrected.origin.received_time = minute(7);
  store(corrected);
  auto again = listen("", id(3));
  EXPECT_THAT(again.ids(4), ElementsAre(id(1, 1), id(3, 1), id(4), id(5)));
}

TEST_F(CandleSeam, ShowsFormingCandlesWithoutAnId) {
  begin();
  auto listener = listen("");
  slot->with([&](pipeline::Latest& latest) {
    latest.forming.insert_or_assign(Timeframe::m1, candle(0, minute(0), "101", false));
  });
  const Heard heard = listener.next();
  EXPECT_EQ(heard.id, "");
  EXPECT_THAT(heard.data, AllOf(HasSubstr(R"("close":101,)"), HasSubstr(R"("is_closed":false,)")));
  intake->on_event(closed(0));
  EXPECT_EQ(listener.next().id, id(0));
}

TEST_F(CandleSeam, TurnsManyPages) {
  std::vector<schema::Row> rows;
  for (int i = 0; i < 3500; ++i) rows.push_back(pipeline::candle_row(closed(i), minute(i + 1)));
  stored.write(std::move(rows));
  begin();
  auto listener = listen(since(0));
  const auto ids = listener.ids(3500);
  for (int i = 0; i < 3500; ++i) ASSERT_EQ(ids.at(static_cast<std::size_t>(i)), id(i));
  intake->on_event(closed(3500));
  EXPECT_THAT(listener.ids(1), ElementsAre(id(3500)));
}

TEST_F(CandleSeam, RefusesByName) {
  begin();
  const std::vector<std::tuple<std::string, std::string, std::string>> inputs{
      {"?timeframe=1m", "missing_parameter", "symbol"},
      {"?symbol=BTCUSDT&timeframe=5m", "invalid_parameter", "timeframe"},
      {"?symbol=BTCUSDT&start=soon", "invalid_parameter", "start"},
      {"?symbol=BTCUSDT&limit=5", "unknown_parameter", "limit"},
      {"?symbol=nope", "unknown_symbol", "symbol"},
      {"?symbol=BTCUSDT&exchange=mtgox", "unknown_exchange", "exchange"}};
  for (const auto& [query, code, parameter] : inputs) {
    const Answer answer = get("/v1/candles/stream" + query);
    EXPECT_EQ(answer.member("code"), code) << query;
    EXPECT_EQ(answer.member("parameter"), parameter) << query;
  }
  for (const auto* bad : {"x", "1.", "-1.0", "9999999999999999.0"}) {
    const Answer answer =
        send("GET", "/v1/candles/stream?symbol=BTCUSDT", {{"Last-Event-ID", bad}});
    EXPECT_EQ(answer.status, 400) << bad;
    EXPECT_EQ(answer.member("parameter"), "Last-Event-ID") << bad;
  }
  EXPECT_EQ(send("HEAD", "/v1/candles/stream?symbol=BTCUSDT").status, 200);
}

TEST_F(CandleSeam, HasTheTestInstrumentWithoutHistory) {
  const RealClock real;
  Backend live{.clock = real, .board = board, .metrics = metrics, .observer = observer};
  live.timeframes = {"1m"};
  auto started = Service::start(live, options);
  ASSERT_TRUE(started) << started.error().message;
  Listener listener((*started)->port(), "exchange=test&symbol=test-usdt&start=0");
  EXPECT_THAT(listener.next().data, HasSubstr(R"("open":10)"));
  EXPECT_THAT(listener.next().data, HasSubstr(R"("open":10)"));
}

TEST_F(CandleSeam, EndsWhenTheServerDoes) {
  begin();
  RawClient raw(service->port());
  raw.write("GET /v1/candles/stream?symbol=BTCUSDT HTTP/1.1\r\nHost: a\r\n\r\n");
  raw.read_until("retry: 1000\n\n");
  service->drain();
  EXPECT_THAT(raw.read_to_end(), ::testing::EndsWith("0\r\n\r\n"));
}

// Candles close, are corrected and fill holes while clients come from anywhere; the warehouse
// follows with a lag. Each client gets each candle and each correction once.
TEST_F(CandleSeam, IsNeverThereWhateverHappensMeanwhile) {
  constexpr int stored_before = 1500;
  constexpr int live = 400;
  std::vector<schema::Row> rows;
  for (int i = 0; i < stored_before; ++i) {
    // Every tenth is a hole that is filled later.
    if (i % 10 != 9) rows.push_back(pipeline::candle_row(closed(i), minute(i + 1)));
  }
  stored.write(std::move(rows));
  begin();
  std::jthread ingest([&] {
    std::mt19937 random(5);
    std::vector<Candle> waiting;
    std::set<int> corrected;
    int hole = 9;
    for (int i = stored_before; i < stored_before + live; ++i) {
      std::vector<Candle> turn{closed(i)};
      if (random() % 3 == 0 && hole < stored_before) {
        turn.push_back(closed(hole));
        hole += 10;
      }
      // Far behind what is being read as well; each once.
      const int late = i - 1 - static_cast<int>(random() % 200);
      if (random() % 4 == 0 && corrected.insert(late).second) turn.push_back(closed(late, 1));
      for (const auto& told : turn) {
        intake->on_event(told);
        waiting.push_back(told);
      }
      if (random() % 5 != 0) continue;
      for (const auto& told : waiting) store(told);
      waiting.clear();
    }
    for (const auto& told : waiting) store(told);
    // The end: never stored, so that it comes behind all else.
    intake->on_event(closed(stored_before + live));
  });
  const std::string last = id(stored_before + live);
  std::vector<std::jthread> clients;
  std::array<std::map<std::string, int>, 6> heard;
  for (std::size_t i = 0; i < heard.size(); ++i) {
    clients.emplace_back([&, i] {
      auto listener = listen(since(0));
      while (true) {
        const Heard next = listener.next();
        if (next.data.empty()) {
          ADD_FAILURE() << "the stream ended";
          return;
        }
        if (next.id.empty()) continue;
        ++heard[i][next.id];
        if (next.id == last) return;
      }
    });
  }
  clients.clear();
  ingest.join();
  const auto database = warehouse::open_sqlite_for_reading(stored.path());
  ASSERT_TRUE(database);
  const auto truth =
      query::candles(**database, {.exchange = "binance", .symbol = "BTC/USDT", .limit = 10'000});
  ASSERT_TRUE(truth) << truth.error().message;
  for (auto& ids : heard) {
    for (const auto& candle : *truth) {
      const auto newest = fmt::format("{}.{}", to_ms(candle.timestamp), candle.revision);
      EXPECT_EQ(ids[newest], 1) << newest;
    }
    for (const auto& [told, count] : ids) EXPECT_EQ(count, 1) << told;
  }
}

}  // namespace
}  // namespace candlewick::api
