// Trades that are kept: their rows, the questions for those that were missed, and what the ledger
// says of their minutes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "pipeline/testing.h"
#include "pipeline/venue_pipeline.h"

namespace candlewick::pipeline {
namespace {

using namespace std::chrono_literals;
using exchange::Channel;
using exchange::ChannelKind;
using exchange::RestKind;
using testing::bitcoin;
using testing::decimal;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Line;
using testing::newest_of;
using testing::noon;
using testing::said_of;

Time minute(int count) {
  return noon + count * 1min;
}

Trade trade(std::uint64_t id, Time time) {
  return {.origin = {.instrument = &bitcoin(), .exchange_time = time, .received_time = time + 5ms},
          .id = id,
          .first_id = id,
          .last_id = id,
          .taker_side = Side::sell,
          .price = decimal("100.5"),
          .size = decimal("0.25")};
}

class VenueTrades : public ::testing::Test {
 protected:
  VenueTrades() { begin(line); }
  static PipelineOptions options(exchange::TradeIds ids = exchange::TradeIds::consecutive) {
    return {.history = 1h, .trade_ids = ids, .keep_trades = true};
  }
  void begin(Line& started) {
    started.start();
    started->on_live(channels);
  }
  // A trade every ten seconds from the first minute on.
  void flow(std::uint64_t from, std::uint64_t to) {
    for (auto id = from; id < to; ++id) line.say(trade(id, at(id)));
  }
  static Time at(std::uint64_t id) { return minute(1) + id * 10s; }
  static std::vector<std::string> ids(const Line& of) {
    std::vector<std::string> found;
    for (const auto& row : of.output.of(schema::fact_trade))
      found.push_back(std::get<std::string>(row.at("trade_id")));
    return found;
  }
  // The question for old trades that waits, taken out.
  std::optional<testing::Asked> question() {
    const auto found = std::ranges::find(line.asked, RestKind::historical_trades,
                                         [](const auto& asked) { return asked.query.kind; });
    if (found == line.asked.end()) return std::nullopt;
    auto asked = *found;
    line.asked.erase(found);
    return asked;
  }

  const std::vector<Channel> channels{{.kind = ChannelKind::trades, .instrument = &bitcoin()}};
  Line line{options()};
};

TEST_F(VenueTrades, BecomeRowsInTheirOrderEachOnce) {
  line.say(trade(1, at(1)));
  Trade second = trade(2, at(2));
  second.quote_size = decimal("25.125");
  line->on_events({trade(1, at(1)), second, trade(3, at(3))});
  line.say(trade(2, at(2)));
  EXPECT_THAT(ids(line), ElementsAre("1", "2", "3"));
  const auto rows = line.output.of(schema::fact_trade);
  EXPECT_EQ(schema::to_json(rows[1]),
            R"({"table":"fact_trade","exchange":"binance","symbol":"BTC/USDT",)"
            R"("exchange_time":"2024-05-01T12:01:20Z","trade_id":"2","price":100.5,"size":0.25,)"
            R"("quote_size":25.125,"taker_side":"sell","ingested_at":"2024-05-01T12:01:20.005Z"})");
}

TEST_F(VenueTrades, AreNoRowsUnlessTheyAreKept) {
  Line other{PipelineOptions{.history = 1h}};
  begin(other);
  other.say(trade(1, at(1)));
  other.say(trade(5, at(5)));
  EXPECT_THAT(ids(other), IsEmpty());
  EXPECT_EQ(std::ranges::count(other.all_asked, RestKind::historical_trades,
                               [](const auto& asked) { return asked.query.kind; }),
            0);
}

TEST_F(VenueTrades, ThatAStreamLeftOutAreAskedForAndTheirMinutesBackfilled) {
  flow(1, 10);
  flow(13, 20);
  line.clock(at(19) + 1s);
  EXPECT_THAT(newest_of(line, minute(1), minute(4), "trades"),
              ElementsAre("live", "missing sequence_gap", "missing sequence_gap"));
  const auto asked = question();
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->query.from_id, 10U);
  EXPECT_EQ(asked->query.start, at(9));
  EXPECT_EQ(asked->priority, feed::Priority::history);
  Events reply;
  for (std::uint64_t id = 10; id < 18; ++id) reply.emplace_back(trade(id, at(id)));
  line->on_reply(asked->id, reply);
  EXPECT_THAT(newest_of(line, minute(1), minute(4), "trades"),
              ElementsAre("live", "backfilled sequence_gap", "backfilled sequence_gap"));
  line.clock(at(30));
  EXPECT_FALSE(question());
  auto kept = ids(line);
  EXPECT_EQ(kept.size(), 19U);
  EXPECT_EQ((std::set<std::string>(kept.begin(), kept.end()).size()), 19U);
}

TEST_F(VenueTrades, ThatCannotBeHadAreAHoleThatTheLedgerTells) {
  flow(1, 10);
  flow(13, 20);
  line.clock(at(19) + 1s);
  const auto asked = question();
  ASSERT_TRUE(asked);
  line->on_request_refused(asked->id, {ErrorKind::rejected, "a key is needed"});
  line.clock(at(20));
  EXPECT_THAT(newest_of(line, minute(2), minute(4), "trades"),
              ElementsAre("unrecoverable sequence_gap", "unrecoverable sequence_gap"));
  line.has_requests = false;
  line.say(trade(25, at(25)));
  line.clock(minute(6) + 1s);
  EXPECT_THAT(newest_of(line, minute(4), minute(6), "trades"),
              ElementsAre("unrecoverable sequence_gap", "unrecoverable sequence_gap"));
}

TEST_F(VenueTrades, AreAskedForAgainLaterWhenTheVenueHasThemNotYet) {
  flow(1, 10);
  flow(13, 20);
  Time now = at(19) + 1s;
  line.clock(now);
  const auto said_before = testing::ledger_of(line.output, "trades").size();
  for (const auto pause : {2s, 4s}) {
    const auto asked = question();
    ASSERT_TRUE(asked);
    EXPECT_EQ(asked->query.from_id, 10U);
    line->on_reply(asked->id, {trade(8, at(8)), trade(9, at(9))});
    EXPECT_FALSE(question()) << "not at once";
    line.clock(now + pause - 1s);
    EXPECT_FALSE(question());
    line.clock(now += pause);
  }
  const auto asked = question();
  ASSERT_TRUE(asked);
  EXPECT_THAT(newest_of(line, minute(2), minute(4), "trades"),
              ::testing::Each("missing sequence_gap"));
  line->on_reply(asked->id, {trade(10, at(10)), trade(11, at(11)), trade(12, at(12))});
  EXPECT_THAT(newest_of(line, minute(2), minute(4), "trades"),
              ::testing::Each("backfilled sequence_gap"));
  const auto all = testing::ledger_of(line.output, "trades");
  for (std::size_t i = said_before; i < all.size(); ++i) EXPECT_NE(all[i].state, "unrecoverable");
}

// Kraken goes by time alone, a thousand trades at once.
TEST_F(VenueTrades, OfTwoHolesFarApartAreBothFilledByAVenueThatGoesByTime) {
  Line next{options()};
  const auto time_of = [](std::uint64_t id) { return minute(-15) + id * 100ms; };
  ASSERT_TRUE(next->remember(
      bitcoin(), Timeframe::m1,
      {.newest_trade = Memory::KeptTrade{.id = 4000, .time = time_of(4000)},
       .missed_trades = {{.span = {minute(-15), minute(-9)},
                          .ids = {{11, 13, time_of(10)}, {3001, 3003, time_of(3000)}}}}}));
  next.clock(noon + 30s);
  for (int i = 0; i < 20; ++i) {
    for (const auto& asked : std::exchange(next.asked, {})) {
      if (asked.query.kind != RestKind::historical_trades) continue;
      Events reply;
      for (std::uint64_t id = 1; id <= 4000 && reply.size() < 1000; ++id) {
        if (time_of(id) >= *asked.query.start) reply.emplace_back(trade(id, time_of(id)));
      }
      next->on_reply(asked.id, reply);
    }
    next.clock(noon + 31s + i * 30s);
  }
  EXPECT_THAT(ids(next), ElementsAre("11", "12", "3001", "3002"));
  EXPECT_THAT(said_of(next.output, minute(-12), "trades").back(), "backfilled process_down");
}

TEST_F(VenueTrades, AreWholeThroughADisconnectThatIdsProveHarmless) {
  flow(1, 10);
  line->on_down(channels, "closed by the venue");
  line.clock(minute(3) + 1s);
  EXPECT_THAT(said_of(line.output, minute(2), "trades").back(), "unrecoverable disconnect");
  line->on_live(channels);
  line.say(trade(10, minute(3) + 20s));
  line.say(trade(11, minute(4) + 1s));
  EXPECT_THAT(newest_of(line, minute(2), minute(4), "trades"),
              ElementsAre("backfilled disconnect", "backfilled disconnect"));
  line.say(trade(12, minute(5) + 1s));
  EXPECT_THAT(said_of(line.output, minute(4), "trades"), ElementsAre("live"));
}

TEST_F(VenueTrades, GoOnAfterARestartFromTheNewestThatWasStored) {
  Line next{options()};
  const auto remembered = next->remember(
      bitcoin(), Timeframe::m1,
      {.newest_trade = Memory::KeptTrade{.id = 100, .time = minute(-9) + 5s},
       .missed_trades = {{.span = {minute(-15), minute(-14)}, .ids = {{90, 92, minute(-15) + 1s}}},
                         {.span = {minute(-12), minute(-11)}, .ids = {}}},
       .lost_trades = {{minute(-20), minute(-19)}},
       .trades_spoken_until = minute(-8)});
  ASSERT_TRUE(remembered);
  // Its history is not answered: the questions are to be seen.
  next.clock(noon + 30s);
  next->on_live(channels);
  next.say(trade(103, minute(1) + 1s));
  next.clock(minute(1) + 3s);
  EXPECT_THAT(said_of(next.output, minute(-20), "trades"),
              ElementsAre("unrecoverable process_down"));
  EXPECT_THAT(said_of(next.output, minute(-15), "trades"), ElementsAre("missing process_down"));
  EXPECT_THAT(said_of(next.output, minute(-12), "trades"), ElementsAre("backfilled process_down"));
  EXPECT_THAT(newest_of(next, minute(-9), minute(1), "trades"),
              ::testing::Each("missing process_down"));
  const auto question_of = [&] {
    const auto asked = std::ranges::find(next.asked, RestKind::historical_trades,
                                         [](const auto& one) { return one.query.kind; });
    EXPECT_NE(asked, next.asked.end());
    auto taken = *asked;
    next.asked.erase(asked);
    return taken;
  };
  const auto older = question_of();
  EXPECT_EQ(older.query.from_id, 90U);
  EXPECT_EQ(older.query.start, minute(-15) + 1s);
  next->on_reply(older.id, {trade(90, minute(-15) + 2s), trade(91, minute(-15) + 3s)});
  EXPECT_THAT(said_of(next.output, minute(-15), "trades").back(), "backfilled process_down");
  const auto asked = question_of();
  EXPECT_EQ(asked.query.from_id, 101U);
  EXPECT_EQ(asked.query.start, minute(-9) + 5s);
  next->on_reply(asked.id, {trade(101, minute(-5)), trade(102, minute(-4))});
  EXPECT_THAT(newest_of(next, minute(-9), minute(1), "trades"),
              ::testing::Each("backfilled process_down"));
  EXPECT_THAT(ids(next), ElementsAre("103", "90", "91", "101", "102"));
}

TEST_F(VenueTrades, WhoseRowsWereLostAreFetchedAgain) {
  flow(1, 10);
  const auto rows = line.output.of(schema::fact_trade);
  line->forget(rows[4]);
  line->forget(rows[5]);
  line.clock(at(10));
  EXPECT_THAT(said_of(line.output, minute(1), "trades").back(), "missing ingest_paused");
  const auto asked = question();
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->query.from_id, 5U);
  line->on_reply(asked->id, {trade(5, at(5)), trade(6, at(6)), trade(7, at(7))});
  EXPECT_THAT(ids(line), ElementsAre("1", "2", "3", "4", "5", "6", "7", "8", "9", "5", "6"));
}

TEST_F(VenueTrades, AreKeptUnderTheIdsThatVenuesHave) {
  Line other{options(exchange::TradeIds::ascending)};
  begin(other);
  Trade named = trade(0, at(1));
  named.text_id = "6085c09769bc506996295e36";
  other.say(named);
  named.text_id = "6085c09769bc506996295e37";
  other.say(named);
  other->on_events({trade(0, at(2)), trade(0, at(2))});
  other.say(trade(0, at(2)));
  EXPECT_THAT(ids(other), ElementsAre("6085c09769bc506996295e36", "6085c09769bc506996295e37",
                                      "@1714564880000000-100.5-0.25-sell-0",
                                      "@1714564880000000-100.5-0.25-sell-1",
                                      "@1714564880000000-100.5-0.25-sell-0"))
      << "the last one has its key, so that the warehouse keeps one";
}

// The stream began within it, so what came before is unknown, whatever ids prove of the rest.
TEST_F(VenueTrades, ProveNothingOfTheMinuteInWhichTheStreamBegan) {
  line.say(trade(1, noon + 40s));
  line.say(trade(3, noon + 50s));
  line.clock(noon + 52s);
  const auto asked = question();
  ASSERT_TRUE(asked);
  line->on_reply(asked->id, {trade(2, noon + 45s)});
  line.clock(minute(1) + 1s);
  line.clock(minute(2) + 1s);
  EXPECT_THAT(newest_of(line, minute(0), minute(2), "trades"),
              ElementsAre("unrecoverable sequence_gap", "live"));
}

TEST_F(VenueTrades, OfTwoStreamsAreThoseOfTheFirst) {
  Trade aggregate = trade(1, at(1));
  aggregate.is_aggregate = true;
  line->on_events({trade(7, at(1)), aggregate, trade(8, at(2))});
  EXPECT_THAT(ids(line), ElementsAre("7", "8"));
}

}  // namespace
}  // namespace candlewick::pipeline
