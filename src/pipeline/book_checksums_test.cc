// Books kept in step by a stream whose updates have checksums and no numbers, as OKX sent them in
// 2022: all match, and one taken out shows.
#include <map>

#include <gtest/gtest.h>

#include "exchange/registry.h"
#include "pipeline/book_sync.h"
#include "test/support/frames.h"
#include "test/support/shared_data.h"

namespace candlewick::pipeline {
namespace {

struct Recording {
  Recording() {
    // A future and a swap are in it besides; a spot decoder reads them once they are listed.
    for (const auto* symbol : {"BTC-USD-220527", "UNI-USD-SWAP"}) {
      Instrument listed;
      listed.exchange_symbol = listed.symbol = symbol;
      listed.base = listed.quote = "X";
      catalogue->put(std::move(listed));
    }
    const auto decoder = venue.make_decoder(*catalogue);
    for (const auto& frame : test::read_frames(
             test::shared_data() / "okx/ws/v5-tickers-trades-books-2022-05-13.jsonl.gz")) {
      Events events;
      EXPECT_TRUE(decoder->decode(
          {.text = frame.text, .url = frame.url, .received_time = frame.received_time}, events));
      for (const auto& event : events) {
        if (const auto* book = std::get_if<BookUpdate>(&event)) updates.push_back(*book);
      }
    }
  }
  BookSync new_sync() const {
    return BookSync({.rule = venue.book_rule,
                     .depth = venue.book_depth,
                     .checksum = venue.checksum,
                     .checksum_levels = venue.checksum_levels});
  }

  const exchange::Venue& venue = *exchange::find_venue("okx");
  std::unique_ptr<Catalogue> catalogue = exchange::make_catalogue(venue);
  std::vector<BookUpdate> updates;
};

TEST(BookChecksums, AreAllMatched) {
  REQUIRE_SHARED_DATA();
  const Recording recording;
  std::map<const Instrument*, BookSync> books;
  std::size_t applied = 0;
  Events out;
  for (const auto& update : recording.updates) {
    auto& book = books.try_emplace(update.origin.instrument, recording.new_sync()).first->second;
    const auto outcome = book.apply(update, out);
    EXPECT_FALSE(outcome.resync);
    applied += outcome.is_applied ? 1 : 0;
  }
  EXPECT_EQ(books.size(), 3U);
  EXPECT_EQ(applied, 290U);
}

// Until a checksum tells so, the best 25 levels are what they would be with it.
TEST(BookChecksums, TellOfAnUpdateThatIsTakenOut) {
  REQUIRE_SHARED_DATA();
  const Recording recording;
  std::size_t told = 0;
  for (std::size_t lost = 0; lost < recording.updates.size(); ++lost) {
    if (recording.updates[lost].kind == BookKind::snapshot) continue;
    auto with = recording.new_sync();
    auto without = recording.new_sync();
    bool is_told = false;
    Events out;
    for (std::size_t i = 0; i < recording.updates.size() && !is_told; ++i) {
      const auto& update = recording.updates[i];
      if (update.origin.instrument != recording.updates[lost].origin.instrument) continue;
      with.apply(update, out);
      if (i == lost) continue;
      is_told = without.apply(update, out).resync == Resync::mismatch;
      if (is_told || i < lost) continue;
      const auto truth = with.ladder(25);
      const auto shown = without.ladder(25);
      ASSERT_TRUE(truth && shown);
      ASSERT_EQ(truth->bids, shown->bids);
      ASSERT_EQ(truth->asks, shown->asks);
    }
    told += is_told ? 1 : 0;
  }
  // What was lost beyond those levels need not show.
  EXPECT_GT(told, 250U);
}

}  // namespace
}  // namespace candlewick::pipeline
