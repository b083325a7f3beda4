// Times to and from text, with the calendar's corners.
#include "base/time.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace candlewick {
namespace {

using namespace std::chrono_literals;

TEST(Time, WritesAsFewFractionalDigitsAsHoldTheValue) {
  EXPECT_EQ(to_rfc3339(time_from_ns(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(to_rfc3339(time_from_ms(1723161540123)), "2024-08-08T23:59:00.123Z");
  EXPECT_EQ(to_rfc3339(time_from_us(1723161540123400)), "2024-08-08T23:59:00.123400Z");
  EXPECT_EQ(to_rfc3339(time_from_ns(1)), "1970-01-01T00:00:00.000000001Z");
  EXPECT_EQ(to_rfc3339(time_from_ns(-1)), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(to_rfc3339(Time::min()), "1677-09-21T00:12:43.145224192Z");
  EXPECT_EQ(to_rfc3339(Time::max()), "2262-04-11T23:47:16.854775807Z");
}

TEST(Time, ReadsRfc3339) {
  struct Row {
    std::string_view text;
    std::string_view canonical;
  };
  for (const auto& [text, canonical] : std::initializer_list<Row>{
           {"2024-08-08T23:59:00Z", "2024-08-08T23:59:00Z"},
           {"2024-08-08t23:59:00z", "2024-08-08T23:59:00Z"},
           {"2024-08-08 23:59:00Z", "2024-08-08T23:59:00Z"},
           {"2024-08-08", "2024-08-08T00:00:00Z"},
           {"2024-08-08T23:59:00.1Z", "2024-08-08T23:59:00.100Z"},
           {"2024-08-08T23:59:00.123456789Z", "2024-08-08T23:59:00.123456789Z"},
           {"2024-08-08T23:59:00.000000000Z", "2024-08-08T23:59:00Z"},
           {"2024-08-08T23:59:00+02:00", "2024-08-08T21:59:00Z"},
           {"2024-08-08T23:59:00-0530", "2024-08-09T05:29:00Z"},
           {"2024-01-01T00:30:00+01:00", "2023-12-31T23:30:00Z"},
           {"2024-02-29T12:00:00Z", "2024-02-29T12:00:00Z"},
           {"2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z"},
           {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"},
           {"1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500Z"},
           {"1678-01-01T00:00:00Z", "1678-01-01T00:00:00Z"},
           {"2261-12-31T23:59:59Z", "2261-12-31T23:59:59Z"},
       }) {
    const auto time = parse_rfc3339(text);
    ASSERT_TRUE(time) << text;
    EXPECT_EQ(to_rfc3339(*time), canonical) << text;
  }
}

TEST(Time, RefusesWhatIsNoTime) {
  for (const std::string_view text : {"",
                                      "2024",
                                      "2024-8-8",
                                      "2024-13-01",
                                      "2024-00-01",
                                      "2024-02-30",
                                      "2023-02-29T00:00:00Z",
                                      "1900-02-29",
                                      "2024-08-08T",
                                      "2024-08-08T23:59",
                                      "2024-08-08T23:59Z",
                                      "2024-08-08T23:59:00",
                                      "2024-08-08T24:00:00Z",
                                      "2024-08-08T23:60:00Z",
                                      "2024-08-08T23:59:61Z",
                                      "2024-08-08X23:59:00Z",
                                      "2024-08-08T23-59-00Z",
                                      "2024-08-08T23:59:00.Z",
                                      "2024-08-08T23:59:00.1234567890Z",
                                      "2024-08-08T23:59:00+2",
                                      "2024-08-08T23:59:00+24:00",
                                      "2024-08-08T23:59:00+02:60",
                                      "2024-08-08T23:59:00Zx",
                                      "2024-08-08T23:59:00 02:00",
                                      "0001-01-01T00:00:00Z",
                                      "0000-01-01",
                                      "1677-12-31T23:59:59Z",
                                      "2262-01-01",
                                      "9999-12-31T23:59:59Z",
                                      "-024-08-08",
                                      "2024/08/08",
                                      "2024-08-08T23:59:00.123"}) {
    const auto time = parse_rfc3339(text);
    ASSERT_FALSE(time) << text;
    EXPECT_EQ(time.error().kind, ErrorKind::malformed);
  }
}

TEST(Time, TellsTheUnitOfAnEpochByItsSize) {
  for (const std::string_view text : {"1723161540", "1723161540000", "1723161540000000",
                                      "1723161540000000000", "2024-08-08T23:59:00Z"}) {
    EXPECT_EQ(to_rfc3339(*parse_time(text)), "2024-08-08T23:59:00Z") << text;
  }
  EXPECT_EQ(to_rfc3339(*parse_time("-1")), "1969-12-31T23:59:59Z");
  EXPECT_EQ(to_rfc3339(*parse_time("0")), "1970-01-01T00:00:00Z");
}

TEST(Time, RefusesEpochsOutsideTheRangeOfNanoseconds) {
  for (const std::string_view text :
       {"99999999999", "-99999999999", "99999999999999", "99999999999999999",
        "99999999999999999999", "-9223372036854775809", "12:30", "", "1.5"}) {
    EXPECT_FALSE(parse_time(text)) << text;
  }
  EXPECT_EQ(*parse_time("-9223372036854775808"), Time::min());
  EXPECT_EQ(time_from_epoch_of_any_unit(99'999'999'999), Time::max());
  EXPECT_EQ(time_from_epoch_of_any_unit(-99'999'999'999), Time::min());
  EXPECT_EQ(time_from_epoch_of_any_unit(std::numeric_limits<std::int64_t>::min()), Time::min());
}

TEST(Time, RoundsTowardsThePast) {
  EXPECT_EQ(to_ms(time_from_ns(1'999'999)), 1);
  EXPECT_EQ(to_ms(time_from_ns(-1)), -1);
  EXPECT_EQ(to_us(time_from_ns(-1001)), -2);
}

TEST(Time, ReadsDurations) {
  EXPECT_EQ(*parse_duration("90s"), 90s);
  EXPECT_EQ(*parse_duration("5m"), 5min);
  EXPECT_EQ(*parse_duration("250ms"), 250ms);
  EXPECT_EQ(*parse_duration("2h"), 2h);
  EXPECT_EQ(*parse_duration("1d"), 24h);
  EXPECT_EQ(*parse_duration("2w"), 336h);
  for (const std::string_view text :
       {"", "s", "5", "5 s", "1.5h", "5M", "999999999w", "99999999999999999999s", "5mm"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

RC_GTEST_PROP(TimeProperties, WhatIsWrittenReadsBackTheSame, ()) {
  // 1678 to 2261, the years that text may have.
  const auto ns =
      *rc::gen::inRange<std::int64_t>(-9'214'560'000'000'000'000, 9'214'646'400'000'000'000);
  const auto unit = *rc::gen::element<std::int64_t>(1, 1000, 1'000'000, 1'000'000'000);
  const Time time = time_from_ns(ns / unit * unit);
  const auto back = parse_rfc3339(to_rfc3339(time));
  RC_ASSERT(back);
  RC_ASSERT(*back == time);
}

}  // namespace
}  // namespace candlewick
