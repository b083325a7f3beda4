// What a client gets that reads too slowly.
#include "stream/outbox.h"

#include <fmt/format.h>

#include "stream/testing.h"

namespace candlewick::stream {
namespace {

using ::testing::ElementsAre;
using testing::read_told;

const StreamKey trades{.slot = 0, .channel = Channel::trade};
const StreamKey quotes{.slot = 0, .channel = Channel::quote};

class Slow : public ::testing::Test {
 protected:
  explicit Slow(Outbox::Limits limits = {.events = 3}) : outbox(limits) {
    outbox.add(trades, trade_head);
    outbox.add(quotes, quote_head);
  }
  void push(const StreamKey& key, std::uint64_t number) {
    Message message = update_message(key == trades ? trade_head : quote_head, number, "{}");
    message.is_paced = key == quotes;
    outbox.push(key, message);
  }
  // "t5", "q7", "t dropped 1-3", "t snapshot 4", "reply"
  std::vector<std::string> rest() {
    std::vector<std::string> all;
    while (const Text text = outbox.next()) {
      const auto told = read_told(*text);
      const std::string stream = told.stream.substr(0, 1);
      if (told.stream.empty()) {
        all.emplace_back("reply");
      } else if (told.type == "dropped") {
        all.push_back(fmt::format("{} dropped {}-{}", stream, told.from_seq, told.to_seq));
        EXPECT_EQ(told.count, told.to_seq - told.from_seq + 1);
      } else if (told.type == "snapshot") {
        all.push_back(fmt::format("{} snapshot {}", stream, told.seq));
      } else {
        all.push_back(fmt::format("{}{}", stream, told.seq));
      }
    }
    return all;
  }

  std::string trade_head = head_of("t");
  std::string quote_head = head_of("q");
  Outbox outbox;
};

TEST_F(Slow, GivesEverythingInOrderWithinTheLimit) {
  push(trades, 1);
  push(quotes, 1);
  push(trades, 2);
  EXPECT_THAT(rest(), ElementsAre("t1", "q1", "t2"));
  EXPECT_TRUE(outbox.is_empty());
}

TEST_F(Slow, LetsANewerQuoteTakeThePlaceOfAnOlderOne) {
  push(quotes, 1);
  push(trades, 1);
  push(trades, 2);
  push(quotes, 2);
  push(quotes, 3);
  EXPECT_THAT(rest(), ElementsAre("t1", "t2", "q dropped 1-2", "q3"));
}

TEST_F(Slow, GivesUpQuotesForTradesBeforeTrades) {
  push(trades, 1);
  push(quotes, 1);
  push(quotes, 2);
  push(trades, 2);
  push(trades, 3);
  push(trades, 4);
  push(quotes, 3);
  EXPECT_THAT(rest(), ElementsAre("t dropped 1-2", "t3", "t4", "q dropped 1-2", "q3"));
}

TEST_F(Slow, KeepsTheNewestOfAStreamAsLongAsItCan) {
  push(quotes, 1);
  for (std::uint64_t number = 1; number <= 9; ++number) push(trades, number);
  EXPECT_THAT(rest(), ElementsAre("q1", "t dropped 1-7", "t8", "t9"));
}

TEST_F(Slow, AnnouncesALostEndWhenNothingElseWaits) {
  const StreamKey books{.slot = 1, .channel = Channel::book};
  const StreamKey tickers{.slot = 1, .channel = Channel::ticker};
  const std::string book_head = head_of("b");
  const std::string ticker_head = head_of("k");
  outbox.add(books, book_head);
  outbox.add(tickers, ticker_head);
  push(trades, 4);
  push(quotes, 5);
  outbox.push(books, update_message(book_head, 6, "{}"));
  outbox.push(tickers, update_message(ticker_head, 7, "{}"));
  EXPECT_THAT(rest(), ElementsAre("q5", "b6", "k7", "t dropped 4-4"));
  EXPECT_TRUE(outbox.is_empty());
  push(trades, 5);
  EXPECT_THAT(rest(), ElementsAre("t5"));
}

TEST_F(Slow, AnnouncesEachHoleOfAStreamInItsPlace) {
  // A stream of candles: some may go, some not.
  const auto candle = [&](std::uint64_t number, bool is_forming) {
    Message message = update_message(trade_head, number, "{}");
    message.is_paced = is_forming;
    outbox.push(trades, message);
  };
  candle(1, false);
  candle(2, true);
  candle(3, false);
  candle(4, true);
  candle(5, false);
  EXPECT_THAT(rest(), ElementsAre("t1", "t dropped 2-2", "t3", "t dropped 4-4", "t5"));
}

TEST_F(Slow, NeverGivesUpSnapshotsAndReplies) {
  outbox.reply(R"({"result":null,"id":1})");
  outbox.push(trades, snapshot_message(trade_head, 7, "{}"));
  for (std::uint64_t number = 8; number <= 20; ++number) push(trades, number);
  EXPECT_EQ(outbox.events(), 3U);
  EXPECT_EQ(outbox.dropped(), 10U);
  EXPECT_THAT(rest(), ElementsAre("reply", "t snapshot 7", "t dropped 8-17", "t18", "t19", "t20"));
}

TEST_F(Slow, KeepsTheHoleInMindUntilTheNextEvent) {
  for (std::uint64_t number = 1; number <= 4; ++number) push(trades, number);
  EXPECT_EQ(read_told(*outbox.next()).type, "dropped");
  push(trades, 5);
  push(trades, 6);
  push(trades, 7);
  EXPECT_THAT(rest(), ElementsAre("t dropped 2-4", "t5", "t6", "t7"));
}

TEST_F(Slow, ForgetsWhatIsNotWantedAnyMore) {
  push(trades, 1);
  push(quotes, 1);
  outbox.push(trades, snapshot_message(trade_head, 2, "{}"));
  outbox.remove(trades);
  EXPECT_EQ(outbox.events(), 1U);
  EXPECT_THAT(rest(), ElementsAre("q1"));
}

TEST_F(Slow, CountsADroppedRunAsAllItsEvents) {
  outbox.push(trades, dropped_message(trade_head, 1, 50));
  push(trades, 51);
  push(trades, 52);
  push(trades, 53);
  EXPECT_EQ(outbox.dropped(), 50U);
  EXPECT_THAT(rest(), ElementsAre("t dropped 1-50", "t51", "t52", "t53"));
}

class Heavy : public Slow {
 protected:
  Heavy() : Slow({.events = 1000, .bytes = 300}) {}
};

TEST_F(Heavy, IsLimitedInBytesToo) {
  for (std::uint64_t number = 1; number <= 100; ++number) push(trades, number);
  EXPECT_LE(outbox.events(), 300 / trade_head.size());
  const auto told = rest();
  EXPECT_EQ(told.back(), "t100");
  EXPECT_EQ(told.front(), fmt::format("t dropped 1-{}", 101 - told.size()));
}

}  // namespace
}  // namespace candlewick::stream
