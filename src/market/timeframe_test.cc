// Borders of candles, with the calendar's corners and times before the epoch.
#include "market/timeframe.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "base/config.h"

namespace candlewick {
namespace {

Time at(std::string_view text) {
  return *parse_rfc3339(text);
}

TEST(Timeframe, OpensWhereTheVenuesDo) {
  struct Row {
    Timeframe timeframe;
    std::string_view time;
    std::string_view open;
    std::string_view next;
  };
  for (const auto& [timeframe, time, open, next] : std::initializer_list<Row>{
           {Timeframe::s1, "2024-08-08T23:59:59.999Z", "2024-08-08T23:59:59Z", "2024-08-09"},
           {Timeframe::m1, "2024-08-08T23:59:59.999Z", "2024-08-08T23:59:00Z", "2024-08-09"},
           {Timeframe::m3, "2024-08-08T23:59:00Z", "2024-08-08T23:57:00Z", "2024-08-09"},
           {Timeframe::m15, "2024-08-08T23:44:00Z", "2024-08-08T23:30:00Z", "2024-08-08T23:45:00Z"},
           {Timeframe::h1, "2024-08-08T23:00:00Z", "2024-08-08T23:00:00Z", "2024-08-09"},
           {Timeframe::h4, "2024-08-08T15:59:00Z", "2024-08-08T12:00:00Z", "2024-08-08T16:00:00Z"},
           {Timeframe::h12, "2024-08-08T12:00:00Z", "2024-08-08T12:00:00Z", "2024-08-09"},
           {Timeframe::d1, "2024-08-08T23:59:59Z", "2024-08-08", "2024-08-09"},
           // A Sunday and the Monday after it.
           {Timeframe::w1, "2024-08-11T23:59:59Z", "2024-08-05", "2024-08-12"},
           {Timeframe::w1, "2024-08-12T00:00:00Z", "2024-08-12", "2024-08-19"},
           {Timeframe::w1, "1970-01-01", "1969-12-29", "1970-01-05"},
           {Timeframe::d3, "1970-01-03T23:00:00Z", "1970-01-01", "1970-01-04"},
           {Timeframe::d3, "2024-08-08", "2024-08-06", "2024-08-09"},
           {Timeframe::mo1, "2024-02-29T12:00:00Z", "2024-02-01", "2024-03-01"},
           {Timeframe::mo1, "2023-12-31T23:59:59Z", "2023-12-01", "2024-01-01"},
           // Before the epoch borders lie earlier, not nearer to it.
           {Timeframe::m1, "1969-12-31T23:59:59.999999999Z", "1969-12-31T23:59:00Z", "1970-01-01"},
           {Timeframe::d3, "1969-12-31T12:00:00Z", "1969-12-29", "1970-01-01"},
           {Timeframe::w1, "1969-12-28T12:00:00Z", "1969-12-22", "1969-12-29"},
           {Timeframe::mo1, "1969-12-31T12:00:00Z", "1969-12-01", "1970-01-01"},
       }) {
    const Time found = open_of(timeframe, at(time));
    EXPECT_EQ(to_rfc3339(found), to_rfc3339(at(open))) << to_text(timeframe) << " " << time;
    EXPECT_EQ(to_rfc3339(next_open(timeframe, found)), to_rfc3339(at(next)))
        << to_text(timeframe) << " " << time;
    EXPECT_EQ(previous_open(timeframe, next_open(timeframe, found)), found)
        << to_text(timeframe) << " " << time;
  }
}

TEST(Timeframe, IsReadFromTheTextItIsWrittenAs) {
  for (const auto timeframe : all_timeframes)
    EXPECT_EQ(*parse_timeframe(to_text(timeframe)), timeframe);
  EXPECT_EQ(*parse_timeframe("1M"), Timeframe::mo1);
  EXPECT_EQ(*parse_timeframe("1m"), Timeframe::m1);
  for (const std::string_view text : {"", "1", "m", "1D", "60m", "2m", " 1m", "1m "}) {
    const auto timeframe = parse_timeframe(text);
    ASSERT_FALSE(timeframe) << text;
    EXPECT_NE(timeframe.error().message.find("1s 1m 3m"), std::string::npos);
  }
}

TEST(Timeframe, EveryOneMayBeConfigured) {
  for (const auto timeframe : all_timeframes) {
    Sources sources;
    sources.flags = {{"timeframes", std::string(to_text(timeframe))}};
    EXPECT_TRUE(load_config(sources)) << to_text(timeframe);
  }
}

RC_GTEST_PROP(TimeframeProperties, EveryTimeLiesInExactlyOneCandle, ()) {
  const auto timeframe = *rc::gen::elementOf(all_timeframes);
  // 1700 to 2240
  const Time time = time_from_ns(
      *rc::gen::inRange<std::int64_t>(-8'520'336'000'000'000'000, 8'520'336'000'000'000'000));
  const Time open = open_of(timeframe, time);
  RC_ASSERT(open <= time);
  RC_ASSERT(time < next_open(timeframe, open));
  RC_ASSERT(open_of(timeframe, open) == open);
  RC_ASSERT(open_of(timeframe, open - Duration{1}) == previous_open(timeframe, open));
}

}  // namespace
}  // namespace candlewick
