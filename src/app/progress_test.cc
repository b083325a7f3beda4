// The line of numbers, and when it is kept back.
#include "app/progress.h"

#include <gtest/gtest.h>

#include "app/terminal_text.h"

namespace candlewick::app {
namespace {

using namespace std::chrono_literals;

TEST(ProgressLine, ShowsShareRateAndTimeLeft) {
  EXPECT_EQ(progress_line({.task = "backfill",
                           .unit = "requests",
                           .done = 40,
                           .all = 100,
                           .note = "40000 candles",
                           .elapsed = 20s},
                          100),
            "backfill  [############..................]   40% 40/100 requests, 2/s, 30 s left, "
            "40000 candles");
}

TEST(ProgressLine, ClaimsNothingThatItCannotKnow) {
  EXPECT_EQ(progress_line({.task = "export", .unit = "rows", .done = 123'456, .elapsed = 2s}, 80),
            "export  123456 rows, 61.7k/s")
      << "how many there will be is not known";
  EXPECT_EQ(progress_line({.task = "verify", .unit = "requests", .all = 5, .elapsed = 10s}, 80),
            "verify  [..............................]    0% 0/5 requests")
      << "no rate out of nothing";
  EXPECT_EQ(progress_line({.task = "x", .unit = "rows", .done = 1, .all = 5, .elapsed = 1ms}, 60),
            "x  [######........................]   20% 1/5 rows")
      << "too early for a rate";
}

TEST(ProgressLine, IsFullOnlyWhenAllIsDone) {
  const auto almost =
      progress_line({.task = "x", .unit = "rows", .done = 999, .all = 1000, .elapsed = 1s}, 80);
  EXPECT_NE(almost.find(" 99%"), std::string::npos) << almost;
  EXPECT_NE(almost.find(".]"), std::string::npos) << almost;
  const auto done =
      progress_line({.task = "x", .unit = "rows", .done = 1000, .all = 1000, .elapsed = 1s}, 80);
  EXPECT_NE(done.find("100%"), std::string::npos) << done;
  EXPECT_EQ(done.find(".]"), std::string::npos) << done;
  EXPECT_EQ(done.find("left"), std::string::npos) << done;
  const auto none = progress_line({.task = "x", .unit = "rows", .done = 0, .all = 0}, 80);
  EXPECT_NE(none.find("100%"), std::string::npos) << none;
  // A venue gave more than was expected.
  const auto more =
      progress_line({.task = "x", .unit = "rows", .done = 7, .all = 5, .elapsed = 1s}, 80);
  EXPECT_NE(more.find("100% 7/5"), std::string::npos) << more;
}

TEST(ProgressLine, NeverTakesMoreColumnsThanThereAre) {
  const ProgressFacts facts{.task = "import BTC–1m.csv",
                            .unit = "candles",
                            .done = 123'456,
                            .all = 525'600,
                            .note = "币安人生/USDT\033[2J",
                            .elapsed = 90s};
  for (std::size_t width = 0; width < 200; ++width) {
    const auto line = progress_line(facts, width);
    EXPECT_LE(width_of(line), width) << line;
    EXPECT_EQ(line.find('\033'), std::string::npos) << line;
  }
}

TEST(ProgressLine, TellsNumbersAndTimesInShort) {
  EXPECT_EQ(short_number(0), "0");
  EXPECT_EQ(short_number(7), "7");
  EXPECT_EQ(short_number(0.25), "0.25");
  EXPECT_EQ(short_number(12.34), "12.3");
  EXPECT_EQ(short_number(999.7), "1.00k");
  EXPECT_EQ(short_number(12'345), "12.3k");
  EXPECT_EQ(short_number(4'560'000), "4.56M");
  EXPECT_EQ(short_number(-1500), "-1.50k");
  EXPECT_EQ(duration_text(900ms), "1 s");
  EXPECT_EQ(duration_text(60s), "1 min");
  EXPECT_EQ(duration_text(200s), "3 min 20 s");
  EXPECT_EQ(duration_text(2h + 5min), "2 h 5 min");
  EXPECT_EQ(duration_text(50h), "2 d 2 h");
  EXPECT_EQ(duration_text(-5s), "0 s");
}

TEST(Progress, WritesNothingWhereItIsNotShown) {
  FakeClock clock(time_from_ms(0));
  ::testing::internal::CaptureStderr();
  {
    Progress progress(clock, false);
    progress.begin("import", "candles", 10);
    progress.update(5);
    progress.update(10);
    progress.write_above("a line of the log\n");
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "a line of the log\n");
}

TEST(Progress, PaintsAtMostTenTimesASecondAndKeepsLogLinesWhole) {
  FakeClock clock(time_from_ms(0));
  ::testing::internal::CaptureStderr();
  {
    Progress progress(clock, true);
    progress.begin("import", "candles", 3);
    progress.update(1);
    clock.advance(50ms);
    progress.update(2);  // too soon
    progress.write_above("a line of the log\n");
    progress.update(3);  // the last one is always shown
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "\rimport  [##########....................]   33% 1/3 candles\033[K"
            "\r\033[Ka line of the log\n"
            "\rimport  [####################..........]   66% 2/3 candles\033[K"
            "\rimport  [##############################]  100% 3/3 candles\033[K"
            "\r\033[K");
}

}  // namespace
}  // namespace candlewick::app
