// What the tests of api/ share: a service on loopback over a board and statistics that the test
// sets.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "api/service.h"
#include "net/http_client.h"
#include "sink/sink.h"

namespace candlewick::api::testing {

inline Decimal decimal(std::string_view text) {
  return *Decimal::parse(text);
}

// A folder that goes with the test.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// A SQLite warehouse that rows are written to as a sink would.
class Warehouse {
 public:
  explicit Warehouse(const Clock& clock);
  void write(std::vector<schema::Row> rows);
  std::filesystem::path path() const { return folder_.path() / "warehouse.db"; }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<sink::Sink> sink_;
  log::Sequence next_ = 1;
};

struct Answer {
  int status = 0;
  std::string body;
  net::Headers headers;

  // The string, number or word behind `"key":`, the first one in the text; empty when there is
  // none.
  std::string member(std::string_view key) const;
};

class ApiTest : public ::testing::Test {
 protected:
  ApiTest();

  // Adds it to the board: before the first request.
  pipeline::LatestBoard::Slot& add(std::string_view exchange, std::string_view symbol,
                                   std::string_view exchange_symbol);
  const Instrument& instrument(std::size_t slot) const { return *board.instruments()[slot]; }
  Candle candle(std::size_t slot, Time open_time, std::string_view close, bool is_closed) const;

  // Starts the service if it does not run yet.
  Answer get(std::string_view target);
  Answer send(std::string method, std::string_view target, net::Headers headers = {});
  void start();

  static constexpr Time noon =
      std::chrono::sys_days{std::chrono::year{2024} / 5 / 1} + std::chrono::hours{12};

  FakeClock clock{noon};
  Metrics metrics;
  RecordingObserver observer;
  std::vector<std::unique_ptr<Instrument>> instruments;
  pipeline::LatestBoard board;
  Backend backend;
  Options options;
  std::vector<feed::FeedStatus> feeds;
  std::vector<sink::SinkStatistics> sinks;
  std::optional<log::WriterStatistics> log;
  std::string not_ready;
  std::unique_ptr<Service> service;
  net::HttpClient client;
};

// The same over a warehouse with two venues' listings.
class HistoryTest : public ApiTest {
 protected:
  HistoryTest();

  // Closed minutes of the first instrument, the last one just before `end`.
  void store(std::size_t count, Time end = noon);
  // The timestamps of an answer's rows.
  static std::vector<std::string> times(const Answer& answer);

  testing::Warehouse warehouse{clock};
};

}  // namespace candlewick::api::testing
