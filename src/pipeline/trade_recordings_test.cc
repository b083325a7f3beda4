// Trades as Coinbase sent them: their ids prove that none is missing, and with one taken out the
// hole is told.
#include <gtest/gtest.h>

#include "exchange/registry.h"
#include "pipeline/sequence_watch.h"
#include "test/support/frames.h"
#include "test/support/shared_data.h"

namespace candlewick::pipeline {
namespace {

// In order, over all instruments. Their instruments live in the catalogue.
std::vector<Trade> trades_of(const exchange::Venue& venue, Catalogue& catalogue,
                             const std::string& file) {
  std::vector<Trade> trades;
  const auto decoder = venue.make_decoder(catalogue);
  for (const auto& frame : test::read_frames(test::shared_data() / file)) {
    Events events;
    EXPECT_TRUE(decoder->decode(
        {.text = frame.text, .url = frame.url, .received_time = frame.received_time}, events));
    for (const auto& event : events) {
      if (const auto* trade = std::get_if<Trade>(&event)) trades.push_back(*trade);
    }
  }
  return trades;
}

TEST(TradeRecordings, HaveNoHoleAndTellEveryTradeThatIsTakenOut) {
  REQUIRE_SHARED_DATA();
  const auto& venue = *exchange::find_venue("coinbase");
  const auto catalogue = exchange::make_catalogue(venue);
  const auto trades = trades_of(venue, *catalogue,
                                "coinbase/ws/exchange-level2-ticker-matches-2021-04-17.jsonl.gz");
  ASSERT_EQ(trades.size(), 62U);
  std::size_t told = 0;
  // The one behind the last: nothing is taken out.
  for (std::size_t removed = 0; removed <= trades.size(); ++removed) {
    SequenceWatch watch;
    std::size_t gaps = 0;
    bool is_between = false;
    for (std::size_t i = 0; i < trades.size(); ++i) {
      if (i == removed) continue;
      std::optional<Gap> gap;
      EXPECT_EQ(watch.check(trades[i], gap, venue.trade_ids), SequenceWatch::Verdict::progress);
      if (!gap) continue;
      ++gaps;
      EXPECT_EQ(gap->expected, std::to_string(trades[removed].id));
      EXPECT_EQ(gap->got, std::to_string(trades[removed].id + 1));
    }
    if (removed < trades.size()) {
      const auto* instrument = trades[removed].origin.instrument;
      const auto has_another = [&](std::size_t from, std::size_t to) {
        for (std::size_t i = from; i < to; ++i) {
          if (trades[i].origin.instrument == instrument) return true;
        }
        return false;
      };
      is_between = has_another(0, removed) && has_another(removed + 1, trades.size());
    }
    EXPECT_EQ(gaps, is_between ? 1U : 0U) << removed;
    told += gaps;
  }
  EXPECT_GT(told, 40U);
}

}  // namespace
}  // namespace candlewick::pipeline
