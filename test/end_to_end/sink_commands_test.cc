// The commands that look after sinks, on a log that a test has filled, and what a new sink is given
// of the past.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "app/past_rows.h"
#include "log/testing.h"
#include "sink/delivery.h"
#include "sink/testing.h"
#include "test/support/program.h"
#include "test/support/temporary_folder.h"
#include "warehouse/database.h"

namespace candlewick {
namespace {

using log::at_minute;
using log::candle_row;
using log::candle_rows;
using ::testing::HasSubstr;
using ::testing::Not;

class SinkCommands : public testing::Test {
 protected:
  test::Finished run(std::vector<std::string> arguments, const std::string& input = {}) {
    return test::run_program("CANDLEWICK", arguments, input, environment);
  }
  test::TemporaryFolder folder;
  std::map<std::string, std::string> environment{
      {"CANDLEWICK_DATA_DIR", folder.path().string()},
      {"CANDLEWICK_HTTP_LISTEN", "127.0.0.1:0"},
      {"CANDLEWICK_WEBHOOK_URL", "http://127.0.0.1:1/rows"}};
};

TEST_F(SinkCommands, ListShowMendResendAndDropDeadLetters) {
  EXPECT_EQ(run({"dead-letters"}).status, 2) << "there is no log yet";
  auto log = log::open_log(folder.path() / "log.db");
  ASSERT_TRUE(log->append(candle_rows(0, 3)));
  std::vector<log::DeadLetter> letters;
  for (std::int64_t i = 1; i <= 3; ++i) {
    letters.push_back({.sink = i == 3 ? "supabase" : "webhook",
                       .sequence = i,
                       .text = schema::to_json(candle_rows(i - 1, 1).front()),
                       .kind = ErrorKind::rejected,
                       .reason = fmt::format("number {} is \"bad\"", i),
                       .recorded_at = at_minute(9)});
  }
  ASSERT_TRUE(log->add_dead_letters(letters));

  const auto listed = run({"dead-letters", "--format", "csv"});
  EXPECT_EQ(listed.status, 0) << listed.err;
  EXPECT_THAT(listed.out, HasSubstr("webhook,1,fact_ohlcv,rejected,"));
  EXPECT_THAT(listed.out, HasSubstr("supabase,3,"));
  const auto one_sink = run({"dead-letters", "list", "--sink", "webhook", "--limit", "1"});
  EXPECT_THAT(one_sink.out, HasSubstr(R"("reason":"number 1 is \"bad\"")"));
  EXPECT_THAT(one_sink.out, Not(HasSubstr("number 2")));
  EXPECT_THAT(one_sink.err, HasSubstr("1 of 2 are shown"));
  EXPECT_EQ(run({"dead-letters", "show", "--sink", "webhook", "--sequence", "2"}).out,
            letters[1].text + "\n");

  for (const std::vector<std::string>& wrong :
       {std::vector<std::string>{"dead-letters", "resend"},
        {"dead-letters", "drop", "--sequence", "2"},
        {"dead-letters", "resend", "--sink", "webhook", "--sequence", "7"},
        {"dead-letters", "resend", "--all", "--row", "-"},
        {"dead-letters", "burn"}}) {
    EXPECT_EQ(run(wrong).status, 2) << wrong.back();
  }
  EXPECT_EQ(run({"dead-letters", "resend", "--sink", "webhook", "--sequence", "1", "--row", "-"},
                R"({"table":"paper"})")
                .status,
            2);
  EXPECT_EQ(log->count_dead_letters("").value(), 3) << "nothing was done so far";

  const auto mended = candle_row({.close = "42"});
  const auto sent =
      run({"dead-letters", "resend", "--sink", "webhook", "--sequence", "1", "--row", "-"},
          schema::to_json(mended));
  EXPECT_EQ(sent.status, 0) << sent.err;
  EXPECT_EQ(sent.out, "sink webhook: 1 goes out again as 4\n");
  EXPECT_EQ(run({"dead-letters", "resend", "--sink", "webhook", "--all"}).status, 0);
  EXPECT_EQ(run({"dead-letters", "drop", "--all"}).out, "1 dropped\n");
  EXPECT_EQ(log->count_dead_letters("").value(), 0);
  const auto again = log->read_for("webhook", 3, 10, 10'000);
  ASSERT_EQ(again->entries.size(), 2U);
  EXPECT_EQ(again->entries[0].row, mended);
  EXPECT_EQ(again->entries[1].row, candle_rows(1, 1).front());
  EXPECT_TRUE(log->read_for("supabase", 3, 10, 10'000)->entries.empty());
}

TEST_F(SinkCommands, TellHowFarEachSinkIsAndForgetThoseThatAreGone) {
  const auto before = run({"sinks", "--format", "csv"});
  EXPECT_EQ(before.status, 0) << before.err;
  EXPECT_THAT(before.out, HasSubstr("sqlite,not running,,0,"));
  auto log = log::open_log(folder.path() / "log.db");
  ASSERT_TRUE(log->append(candle_rows(0, 10)));
  ASSERT_TRUE(log->set_cursor("sqlite", 10));
  ASSERT_TRUE(log->set_cursor("webhook", 3));
  ASSERT_TRUE(log->set_cursor("supabase", 1));
  const auto listed = run({"sinks", "--format", "csv"});
  EXPECT_THAT(listed.out, HasSubstr("sqlite,not running,10,0,0.0,"));
  EXPECT_THAT(listed.out, HasSubstr("webhook,not running,3,7,"));
  EXPECT_THAT(listed.out, HasSubstr("supabase,not configured,1,9,"));
  EXPECT_EQ(run({"sinks", "--forget", "webhook"}).status, 2) << "it is configured";
  EXPECT_EQ(run({"sinks", "--forget", "paper"}).status, 2);
  EXPECT_EQ(run({"sinks", "--forget", "supabase"}).status, 0);
  EXPECT_EQ(log->cursor("supabase").value(), std::nullopt);
}

TEST_F(SinkCommands, PrintNoSqlForSinksThatNeedNone) {
  EXPECT_EQ(run({"migrate", "webhook", "--print"}).status, 2);
  EXPECT_EQ(run({"migrate", "paper", "--print"}).status, 2);
  EXPECT_EQ(run({"migrate", "--print"}).status, 2);
}

TEST_F(SinkCommands, DoctorNamesATargetThatDoesNotAnswer) {
  const auto examined = run({"doctor", "--format", "jsonl"});
  EXPECT_EQ(examined.status, 1);
  EXPECT_THAT(examined.out, HasSubstr(R"({"check":"sink webhook","verdict":"failed",)"));
  EXPECT_THAT(examined.out, HasSubstr("signed with an empty secret"));
  EXPECT_THAT(examined.out, HasSubstr(R"("advice":"set webhook.secret)"));
}

// Keeps what it is given, in order.
class KeepingSink final : public sink::Sink {
 public:
  explicit KeepingSink(std::vector<schema::Row>& rows) : rows_(rows) {}
  std::string_view name() const override { return "keeping"; }
  Result<void> open() override { return {}; }
  Result<std::optional<log::Sequence>> position(std::string_view) override {
    return std::optional<log::Sequence>{};
  }
  Result<void> write(const sink::Batch& batch) override {
    for (const auto& entry : batch.entries()) rows_.push_back(entry.row);
    return {};
  }

 private:
  std::vector<schema::Row>& rows_;
};

TEST(NewSink, HasEveryRowFromItsInstantOnOutOfTheWarehouseAndTheLog) {
  const RealClock clock;
  sink::SqliteTestWarehouse warehouse;
  const test::TemporaryFolder folder;
  const auto log_path = folder.path() / "log.db";
  auto log = log::open_log(log_path);
  constexpr std::int64_t count = 9'000;
  for (const char* symbol : {"BTC/USDT", "ETH/USDT"}) {
    std::vector<schema::Row> rows;
    for (std::int64_t minute = 0; minute < count; ++minute)
      rows.push_back(candle_row({.symbol = symbol, .timestamp = at_minute(minute)}));
    ASSERT_TRUE(log->append(rows));
  }
  ASSERT_TRUE(log->append(std::vector{sink::tick_row("7"), sink::indicator_row(50, 1)}));
  sink::Delivery stored(warehouse.make_sink(clock, false), log::open_log(log_path), clock);
  ASSERT_TRUE(stored.drain());
  ASSERT_TRUE(log->trim(count + 500)) << "the warehouse has them";
  const auto first = log->read(0, 1, 1)->entries.front().sequence;
  ASSERT_GT(first, count);

  for (const std::int64_t since : {0, 1, 4'321, 8'999}) {
    ASSERT_TRUE(log->remove_cursor("keeping"));
    std::vector<schema::Row> rows;
    sink::Delivery delivery(
        std::make_unique<KeepingSink>(rows), log::open_log(log_path), clock,
        {.since = at_minute(since),
         .open_past = [&](Time from) -> Result<std::unique_ptr<sink::PastRows>> {
           return app::past_rows(
               [&] { return warehouse::open_sqlite_for_reading(warehouse.path()); }, from);
         }});
    ASSERT_TRUE(delivery.drain());
    std::map<std::string, std::set<Time>> minutes;
    std::set<std::string> tables;
    for (const auto& row : rows) {
      tables.insert(std::string(row.table->name));
      if (row.table != &schema::fact_ohlcv) continue;
      minutes[std::get<std::string>(row.at("symbol"))].insert(std::get<Time>(row.at("timestamp")));
    }
    for (const char* symbol : {"BTC/USDT", "ETH/USDT"}) {
      const auto& had = minutes[symbol];
      ASSERT_FALSE(had.empty()) << symbol << " since " << since;
      EXPECT_EQ(*had.begin(), at_minute(since)) << symbol;
      EXPECT_EQ(std::ssize(had), count - since) << symbol << ": each minute from there on";
    }
    EXPECT_EQ(tables.contains("market_ticks"), true);
    EXPECT_EQ(tables.contains("technical_indicators"), true);
    EXPECT_EQ(log->find_cursor("keeping").value()->past_since, std::nullopt);
  }
}

}  // namespace
}  // namespace candlewick
