// The shared parts of the tests.
#include "api/testing.h"

#include <cstdlib>

#include "pipeline/rows.h"
#include "sink/sqlite_warehouse.h"

namespace candlewick::api::testing {

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "candlewick_api_XXXXXX").string();
  EXPECT_NE(::mkdtemp(name.data()), nullptr);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Warehouse::Warehouse(const Clock& clock)
    : sink_(sink::make_sqlite_warehouse({.path = path()}, clock)) {
  const auto opened = sink_->open();
  EXPECT_TRUE(opened) << opened.error().message;
}

void Warehouse::write(std::vector<schema::Row> rows) {
  std::vector<log::Entry> entries;
  for (auto& row : rows) entries.push_back({.sequence = next_++, .row = std::move(row)});
  const auto written = sink_->write(sink::Batch("test", std::move(entries)));
  ASSERT_TRUE(written) << written.error().message;
}

std::string Answer::member(std::string_view key) const {
  const std::string name = fmt::format("\"{}\":", key);
  const auto found = body.find(name);
  if (found == std::string::npos) return {};
  const std::size_t begin = found + name.size();
  if (body[begin] == '"') return body.substr(begin + 1, body.find('"', begin + 1) - begin - 1);
  return body.substr(begin, body.find_first_of(",}]", begin) - begin);
}

ApiTest::ApiTest()
    : backend{.clock = clock, .board = board, .metrics = metrics, .observer = observer} {
  backend.feeds = [this] { return feeds; };
  backend.sinks = [this] { return sinks; };
  backend.log = [this] { return log; };
  backend.not_ready = [this] { return not_ready; };
  backend.exchanges = {"binance", "okx"};
  backend.timeframes = {"1m", "1h"};
  backend.version = "1.2.3";
  backend.limits = {.feed_silence = std::chrono::seconds{30},
                    .sink_lag = std::chrono::seconds{120}};
}

pipeline::LatestBoard::Slot& ApiTest::add(std::string_view exchange, std::string_view symbol,
                                          std::string_view exchange_symbol) {
  auto made = std::make_unique<Instrument>();
  made->exchange = exchange;
  made->symbol = symbol;
  made->exchange_symbol = exchange_symbol;
  made->base = symbol.substr(0, symbol.find('/'));
  made->quote = symbol.substr(symbol.find('/') + 1);
  made->status = ListingStatus::trading;
  made->listed = true;
  instruments.push_back(std::move(made));
  return board.add(*instruments.back());
}

Candle ApiTest::candle(std::size_t slot, Time open_time, std::string_view close,
                       bool is_closed) const {
  return {.origin = {.instrument = &instrument(slot), .exchange_time = open_time},
          .timeframe = Timeframe::m1,
          .open_time = open_time,
          .open = decimal("100"),
          .high = decimal("1000000"),
          .low = decimal("0.000000000000000001"),
          .close = decimal(close),
          .volume = decimal("1.5"),
          .is_closed = is_closed};
}

void ApiTest::start() {
  auto started = Service::start(backend, options);
  ASSERT_TRUE(started) << started.error().message;
  service = std::move(*started);
}

Answer ApiTest::send(std::string method, std::string_view target, net::Headers headers) {
  if (service == nullptr) start();
  const auto response =
      client.fetch({.method = std::move(method),
                    .url = fmt::format("http://127.0.0.1:{}{}", service->port(), target),
                    .headers = std::move(headers)});
  EXPECT_TRUE(response) << target << ": " << response.error().message;
  if (!response) return {};
  return {.status = response->status, .body = response->body, .headers = response->headers};
}

Answer ApiTest::get(std::string_view target) {
  return send("GET", target);
}

HistoryTest::HistoryTest() {
  add("binance", "BTC/USDT", "BTCUSDT");
  add("okx", "BTC/USDT", "BTC-USDT");
  backend.open_database = [this] { return warehouse::open_sqlite_for_reading(warehouse.path()); };
  warehouse.write({pipeline::instrument_row(instrument(0), noon),
                   pipeline::instrument_row(instrument(1), noon)});
}

void HistoryTest::store(std::size_t count, Time end) {
  std::vector<schema::Row> rows;
  for (std::size_t i = count; i > 0; --i) {
    const Time open_time = end - std::chrono::minutes{static_cast<std::int64_t>(i)};
    rows.push_back(pipeline::candle_row(candle(0, open_time, "50000.5", true), noon));
  }
  warehouse.write(std::move(rows));
}

std::vector<std::string> HistoryTest::times(const Answer& answer) {
  constexpr std::string_view name = "\"timestamp\":\"";
  std::vector<std::string> found;
  for (auto at = answer.body.find(name); at != std::string::npos;
       at = answer.body.find(name, at + 1)) {
    const auto begin = at + name.size();
    found.push_back(answer.body.substr(begin, answer.body.find('"', begin) - begin));
  }
  return found;
}

}  // namespace candlewick::api::testing
