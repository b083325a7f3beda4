// Fault specifications and their draws.
#include "simulator/faults.h"

#include <gtest/gtest.h>

namespace candlewick::simulator {
namespace {

using namespace std::chrono_literals;

TEST(Faults, ReadsASpecification) {
  Faults faults;
  ASSERT_TRUE(
      faults.change("drop=0.01,double=0.02,delay=200ms:0.05,disconnect=30s,silent=0.001,"
                    "429=0.1,5xx=0.2,lag=5s,unclosed=1,skew=-2s,vanish=BTCUSDT+ETHUSDT,"
                    "outage=60s+30s,weight=600,retry=3,seed=7"));
  const auto& settings = faults.settings();
  EXPECT_EQ(settings.chance[static_cast<std::size_t>(Fault::drop)], 0.01);
  EXPECT_EQ(settings.chance[static_cast<std::size_t>(Fault::twice)], 0.02);
  EXPECT_EQ(settings.chance[static_cast<std::size_t>(Fault::delay)], 0.05);
  EXPECT_EQ(settings.chance[static_cast<std::size_t>(Fault::status_5xx)], 0.2);
  EXPECT_EQ(settings.delay, 200ms);
  EXPECT_EQ(settings.disconnect, 30s);
  EXPECT_EQ(settings.lag, 5s);
  EXPECT_EQ(settings.skew, -2s);
  EXPECT_TRUE(faults.has_vanished("ETHUSDT"));
  EXPECT_FALSE(faults.has_vanished("ETHBTC"));
  EXPECT_FALSE(faults.in_outage(59s));
  EXPECT_TRUE(faults.in_outage(60s));
  EXPECT_FALSE(faults.in_outage(90s));
  EXPECT_EQ(settings.weight_per_minute, 600);
  EXPECT_EQ(settings.retry_after_seconds, 3);
  EXPECT_EQ(settings.seed, 7U);
}

TEST(Faults, ReadsTheSameKeysFromJson) {
  Faults words;
  Faults json;
  ASSERT_TRUE(words.change("drop=0.5,lag=5s,unclosed=1,vanish=A+B"));
  ASSERT_TRUE(json.change(R"({"drop":0.5,"lag":"5s","unclosed":true,"vanish":"A+B"})"));
  EXPECT_EQ(words.settings_json(), json.settings_json());
}

TEST(Faults, LeavesOtherKeysAloneAndClearsThemWithNone) {
  Faults faults;
  ASSERT_TRUE(faults.change("drop=0.5"));
  ASSERT_TRUE(faults.change("double=0.25"));
  EXPECT_EQ(faults.settings_json(), R"({"drop":0.5,"double":0.25,"retry":1,"seed":1})");
  ASSERT_TRUE(faults.change("none,double=0.125"));
  EXPECT_EQ(faults.settings_json(), R"({"double":0.125,"retry":1,"seed":1})");
  ASSERT_TRUE(faults.change(R"({"none":true})"));
  EXPECT_EQ(faults.settings_json(), R"({"retry":1,"seed":1})");
}

TEST(Faults, ReadsWhatHappensToTheMarketItself) {
  Faults faults;
  ASSERT_TRUE(faults.change("blackout=60s+1h,jump=90s+1000,jump=2m+5,unfinal=4s:0.5"));
  const auto& settings = faults.settings();
  EXPECT_EQ(settings.blackouts, (std::vector<Outage>{{.start = 60s, .length = 1h}}));
  EXPECT_EQ(settings.jumps, (std::vector<IdJump>{{90s, 1000}, {120s, 5}}));
  EXPECT_EQ(settings.unfinal, 4s);
  EXPECT_EQ(settings.chance[static_cast<std::size_t>(Fault::unfinal)], 0.5);
  EXPECT_EQ(faults.settings_json(),
            R"({"unfinal":0.5,"unfinal_ms":4000,"blackouts":1,"jumps":2,"retry":1,"seed":1})");
}

TEST(Faults, CannotUndoOrMakeUpHistory) {
  Faults faults;
  ASSERT_TRUE(faults.change("blackout=60s+10s,blackout=5m+10s,jump=30s+7,jump=6m+7"));
  ASSERT_TRUE(faults.change("none,drop=0.5", 100s));
  EXPECT_EQ(faults.settings().blackouts, (std::vector<Outage>{{.start = 60s, .length = 10s}}));
  EXPECT_EQ(faults.settings().jumps, (std::vector<IdJump>{{30s, 7}}));
  for (const char* spec : {"blackout=99s+1h", "jump=0+5", "none,jump=99s+5"}) {
    const auto changed = faults.change(spec, 100s);
    ASSERT_FALSE(changed) << spec;
    EXPECT_EQ(changed.error().kind, ErrorKind::misconfigured);
    EXPECT_NE(changed.error().message.find("past"), std::string::npos) << spec;
  }
  EXPECT_TRUE(faults.change("blackout=100s+1h", 100s));
}

TEST(Faults, RefusesWhatItDoesNotUnderstandAndChangesNothing) {
  for (const char* spec : {"drop",
                           "drop=",
                           "drop=2",
                           "drop=-1",
                           "drop=x",
                           "drop=nan",
                           "unknown=1",
                           "delay=1",
                           "lag=-5s",
                           "outage=5s",
                           "seed=-1",
                           "blackout=5s",
                           "blackout=x+5s",
                           "jump=5s",
                           "jump=5s+",
                           "jump=5s+-1",
                           "unfinal=1",
                           "unfinal=1s:2",
                           "double=0.1,drop=7",
                           R"({"drop":)",
                           R"({"drop":7})",
                           R"({"double":0.1,"lag":[]x})"}) {
    Faults faults;
    const auto before = faults.settings_json();
    const auto changed = faults.change(spec);
    ASSERT_FALSE(changed) << spec;
    EXPECT_EQ(changed.error().kind, ErrorKind::misconfigured);
    EXPECT_EQ(faults.settings_json(), before) << spec;
  }
}

TEST(Faults, DrawsTheSameForTheSameSeedAndAboutAsOftenAsAsked) {
  Faults faults;
  Faults same;
  Faults other;
  ASSERT_TRUE(faults.change("drop=0.1,seed=5"));
  ASSERT_TRUE(same.change("drop=0.1,seed=5"));
  ASSERT_TRUE(other.change("drop=0.1,seed=6"));
  int differences = 0;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    const bool happens = faults.happens(Fault::drop, 1, i);
    EXPECT_EQ(happens, same.happens(Fault::drop, 1, i));
    differences += happens != other.happens(Fault::drop, 1, i) ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(faults.count(Fault::drop)), 2000.0, 200.0);
  EXPECT_GT(differences, 1000);
  EXPECT_EQ(faults.count(Fault::twice), 0U);
}

}  // namespace
}  // namespace candlewick::simulator
