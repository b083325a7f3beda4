// Thresholds over a board whose values the test writes, from crossing to crossing.
#include "alert/evaluator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alert/receiver.h"
#include "base/clock.h"

namespace candlewick::alert {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Evaluating : public ::testing::Test {
 protected:
  void make(const std::vector<std::string>& texts) {
    Evaluator::Options options;
    for (const auto& text : texts) options.thresholds.push_back(parse_threshold(text).value());
    options.repeat_interval = 4h;
    options.stop = stop.get_token();
    options.read_bars = [this](const BarQuery& query) -> Result<std::vector<indicator::Bar>> {
      ++reads;
      if (ends_while_reading) stop.request_stop();
      std::vector<indicator::Bar> bars;
      for (int i = 30; i > 0; --i) {
        const Decimal price(hourly_falls ? 1000 + i : 1000 - i);
        bars.push_back({.open_time = query.end - i * 1h,
                        .open = price,
                        .high = price,
                        .low = price,
                        .close = price,
                        .volume = Decimal(1)});
      }
      return bars;
    };
    evaluator.emplace(std::move(options), observer);
  }
  std::vector<std::string> look(Duration later = 1s) {
    clock.advance(later);
    std::vector<std::string> lines;
    for (const auto& message : evaluator->look(snapshot, board, {clock.steady(), clock.now()}))
      lines.push_back(to_line(message));
    return lines;
  }
  std::vector<std::string> look_at_price(std::string_view price, Duration later = 1s) {
    slot->with([&](pipeline::Latest& latest) {
      Trade trade;
      trade.origin = {&instrument, clock.now(), clock.now()};
      trade.price = Decimal::parse(price).value();
      latest.trade = trade;
    });
    return look(later);
  }

  FakeClock clock{time_from_ms(1'768'478'400'000)};
  RecordingObserver observer;
  const Instrument instrument{
      .exchange = "binance", .symbol = "BTC/USDT", .base = "BTC", .quote = "USDT"};
  pipeline::LatestBoard board;
  pipeline::LatestBoard::Slot* slot = nullptr;
  Snapshot snapshot;
  bool hourly_falls = true;
  std::stop_source stop;
  bool ends_while_reading = false;
  int reads = 0;
  std::optional<Evaluator> evaluator;
};

TEST_F(Evaluating, AnAlertACrossing) {
  slot = &board.add(instrument);
  make({"BTC/USDT price > 70000"});
  EXPECT_THAT(look(), IsEmpty()) << "nothing is known";
  EXPECT_THAT(look_at_price("69000"), IsEmpty());
  EXPECT_THAT(
      look_at_price("70000.01"),
      ElementsAre("FIRING threshold (warning): BTC/USDT at binance: price is 70000.01, > "
                  "70000 [exchange=binance, symbol=BTC/USDT, when=BTC/USDT price > 70000]"));
  // It dances.
  for (int i = 0; i < 100; ++i)
    EXPECT_THAT(look_at_price(i % 2 == 0 ? "69999" : "70001"), IsEmpty());
  EXPECT_EQ(evaluator->firing().at("threshold"), 1U);
  EXPECT_THAT(look_at_price("69600"), ElementsAre(::testing::StartsWith(
                                          "RESOLVED threshold (warning): BTC/USDT at binance: "
                                          "price is 69600, not > 70000 any more")));
  EXPECT_THAT(look_at_price("69999"), IsEmpty());
  EXPECT_THAT(look_at_price("70001"), ::testing::SizeIs(1));
  EXPECT_THAT(look_at_price("70001", 4h), ElementsAre(::testing::StartsWith("STILL FIRING")));
  EXPECT_THAT(look_at_price("69999"), IsEmpty());
  EXPECT_THAT(look_at_price("69998", 5min), ElementsAre(::testing::StartsWith("RESOLVED")))
      << "on the good side for five minutes";
}

TEST_F(Evaluating, IndicatorsOfLongerCandlesAreMadeOfThem) {
  slot = &board.add(instrument);
  make({"BTC/USDT@1h rsi_14 < 30"});
  EXPECT_THAT(look(), IsEmpty());
  const auto close_minute = [&](Time open) {
    slot->with([&](pipeline::Latest& latest) {
      Candle candle;
      candle.open_time = open;
      latest.closed[Timeframe::m1] = candle;
    });
  };
  close_minute(clock.now() - 1h);
  EXPECT_THAT(look(),
              ElementsAre(::testing::StartsWith(
                  "FIRING threshold (warning): BTC/USDT (1h) at binance: rsi_14 is 0, < 30")));
  hourly_falls = false;
  EXPECT_THAT(look(1min), IsEmpty()) << "the same hour";
  close_minute(clock.now() + 1h);
  EXPECT_THAT(look(), ElementsAre(::testing::StartsWith("RESOLVED")));
}

TEST_F(Evaluating, ReadsNothingMoreOnceItIsToEnd) {
  slot = &board.add(instrument);
  slot->with([&](pipeline::Latest& latest) {
    latest.closed[Timeframe::m1] = Candle{.open_time = clock.now() - 1h};
  });
  ends_while_reading = true;
  make({"BTC/USDT@1h rsi_14 < 30", "BTC/USDT@4h rsi_14 < 30", "BTC/USDT@1d rsi_14 < 30"});
  EXPECT_THAT(look(), ::testing::SizeIs(1));
  EXPECT_EQ(reads, 1);
}

TEST_F(Evaluating, SaysOnceThatNothingFollowedIsMeant) {
  make({"BTC/USDT price > 70000", "kraken:BTC/USDT price > 70000"});
  EXPECT_THAT(look(), IsEmpty());
  EXPECT_EQ(observer.count("alert_without_subject"), 0U) << "rules take a while";
  look(2min);
  look(1h);
  EXPECT_EQ(observer.count("alert_without_subject"), 2U);
  // It joins, fires and leaves.
  slot = &board.add(instrument);
  EXPECT_THAT(look_at_price("80000"), ::testing::SizeIs(1));
  board.retire(instrument);
  EXPECT_THAT(look(), ElementsAre(::testing::HasSubstr("not looked at any more")));
}

TEST_F(Evaluating, LooksAtTheServiceAsWell) {
  make({});
  snapshot.log.is_failing = true;
  EXPECT_THAT(look(), IsEmpty());
  EXPECT_THAT(look(10s), ElementsAre("FIRING log_failing (critical): the log cannot be written"));
  EXPECT_EQ(evaluator->firing().at("log_failing"), 1U);
  EXPECT_EQ(evaluator->firing().at("feed_dead"), 0U) << "all there are";
}

}  // namespace
}  // namespace candlewick::alert
