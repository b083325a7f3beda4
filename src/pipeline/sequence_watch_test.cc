// Gaps and repeats of trades, books, quotes and ladders.
#include "pipeline/sequence_watch.h"

#include <gtest/gtest.h>

#include "pipeline/testing.h"

namespace candlewick::pipeline {
namespace {

using testing::bitcoin;
using enum SequenceWatch::Verdict;

const Instrument ether{.exchange = "binance", .symbol = "ETH/USDT", .exchange_symbol = "ETHUSDT"};

// "progress", "repeat" or "gap 3 5" (expected and got).
std::string told(SequenceWatch::Verdict verdict, const std::optional<Gap>& gap) {
  if (!gap) return verdict == repeat ? "repeat" : "progress";
  EXPECT_EQ(verdict, progress);
  return "gap " + gap->expected + " " + gap->got;
}

std::string trade(SequenceWatch& watch, std::uint64_t id, bool is_aggregate = false,
                  const Instrument& of = bitcoin()) {
  std::optional<Gap> gap;
  Trade event{.origin = {.instrument = &of}, .id = id, .is_aggregate = is_aggregate};
  const auto verdict = watch.check(event, gap);
  if (gap) {
    EXPECT_EQ(gap->stream, Stream::trades);
    EXPECT_EQ(gap->action, GapAction::backfill);
    EXPECT_EQ(gap->origin.instrument, &of);
  }
  return told(verdict, gap);
}

std::string delta(SequenceWatch& watch, std::uint64_t first, std::uint64_t last,
                  std::optional<std::uint64_t> previous = {}) {
  std::optional<Gap> gap;
  const BookUpdate event{.origin = {.instrument = &bitcoin()},
                         .kind = BookKind::delta,
                         .first_sequence = first,
                         .sequence = last,
                         .previous_sequence = previous};
  const auto verdict = watch.check(event, gap);
  if (gap) {
    EXPECT_EQ(gap->stream, Stream::book);
    EXPECT_EQ(gap->action, GapAction::resync);
  }
  return told(verdict, gap);
}

std::string ladder(SequenceWatch& watch, std::optional<std::uint64_t> sequence) {
  std::optional<Gap> gap;
  const BookUpdate event{.origin = {.instrument = &bitcoin()},
                         .kind = BookKind::snapshot,
                         .is_partial = true,
                         .sequence = sequence};
  const auto verdict = watch.check(event, gap);
  return told(verdict, gap);
}

TEST(SequenceWatch, TradesFollowOneAnother) {
  SequenceWatch watch;
  EXPECT_EQ(trade(watch, 10), "progress");
  EXPECT_EQ(trade(watch, 11), "progress");
  EXPECT_EQ(trade(watch, 14), "gap 12 14");
  EXPECT_EQ(trade(watch, 15), "progress");
}

TEST(SequenceWatch, TradesOfAnOverlapAreRepeats) {
  SequenceWatch watch;
  trade(watch, 10);
  trade(watch, 11);
  EXPECT_EQ(trade(watch, 10), "repeat");
  EXPECT_EQ(trade(watch, 11), "repeat");
  EXPECT_EQ(trade(watch, 12), "progress");
}

// KuCoin's ids of 2021 were hexadecimal, and none is before another.
TEST(SequenceWatch, IdsThatAreTextsAreNoRepeatsOfOneAnother) {
  SequenceWatch watch;
  for (const auto* id : {"6085c09769bc506996295e36", "6085c09769bc506996295e35"}) {
    std::optional<Gap> gap;
    const Trade event{.origin = {.instrument = &bitcoin()}, .text_id = id};
    EXPECT_EQ(told(watch.check(event, gap, exchange::TradeIds::ascending), gap), "progress") << id;
  }
  EXPECT_EQ(trade(watch, 10), "progress");
  EXPECT_EQ(trade(watch, 11), "progress");
}

TEST(SequenceWatch, KindsAndInstrumentsAreCountedApart) {
  SequenceWatch watch;
  trade(watch, 10);
  EXPECT_EQ(trade(watch, 500, true), "progress");
  EXPECT_EQ(trade(watch, 7, false, ether), "progress");
  EXPECT_EQ(trade(watch, 11), "progress");
  EXPECT_EQ(trade(watch, 501, true), "progress");
  EXPECT_EQ(trade(watch, 9, false, ether), "gap 8 9");
}

TEST(SequenceWatch, BooksFollowByTheirFirstChange) {
  SequenceWatch watch;
  EXPECT_EQ(delta(watch, 10, 12), "progress");
  EXPECT_EQ(delta(watch, 13, 13), "progress");
  EXPECT_EQ(delta(watch, 15, 17), "gap 14 15");
  EXPECT_EQ(delta(watch, 15, 17), "repeat");
  // An update that overlaps the one before brings something new.
  EXPECT_EQ(delta(watch, 16, 19), "progress");
}

TEST(SequenceWatch, BooksFollowByTheUpdateBeforeWhereItIsNamed) {
  SequenceWatch watch;
  EXPECT_EQ(delta(watch, 10, 12, 8), "progress");
  EXPECT_EQ(delta(watch, 20, 25, 12), "progress");
  EXPECT_EQ(delta(watch, 30, 33, 27), "gap 25 27");
}

TEST(SequenceWatch, WholeSnapshotsPass) {
  SequenceWatch watch;
  delta(watch, 10, 12);
  std::optional<Gap> gap;
  const BookUpdate snapshot{
      .origin = {.instrument = &bitcoin()}, .kind = BookKind::snapshot, .sequence = 5};
  EXPECT_EQ(watch.check(snapshot, gap), progress);
  EXPECT_FALSE(gap);
  EXPECT_EQ(delta(watch, 13, 14), "progress");
}

TEST(SequenceWatch, AnOlderLadderIsHeldBackUntilTheVenueMayHaveBegunAnew) {
  SequenceWatch watch;
  EXPECT_EQ(ladder(watch, 100), "progress");
  EXPECT_EQ(ladder(watch, 250), "progress");
  EXPECT_EQ(ladder(watch, 100), "repeat");
  EXPECT_EQ(ladder(watch, 250), "repeat");
  EXPECT_EQ(ladder(watch, std::nullopt), "progress");
  watch.restart_books(bitcoin());
  EXPECT_EQ(ladder(watch, 1), "progress");
}

TEST(SequenceWatch, QuotesOnlyGoForward) {
  SequenceWatch watch;
  const auto quote = [&](std::optional<std::uint64_t> sequence) {
    return watch.check(Quote{.origin = {.instrument = &bitcoin()}, .sequence = sequence});
  };
  EXPECT_EQ(quote(10), progress);
  EXPECT_EQ(quote(15), progress);
  EXPECT_EQ(quote(15), repeat);
  EXPECT_EQ(quote(12), repeat);
  EXPECT_EQ(quote(std::nullopt), progress);
  watch.restart_books(bitcoin());
  EXPECT_EQ(quote(3), progress);
}

}  // namespace
}  // namespace candlewick::pipeline
