// The checksums in a recording of Bitget's retired v1, whose books were written as today's.
#include <gtest/gtest.h>

#include <map>

#include "exchange/bitget/testing.h"

namespace candlewick::exchange::bitget {
namespace {

// The books of v1 in the words of v2: what lies in them is written alike.
std::vector<BookUpdate> recorded_books() {
  Decoding decoding;
  std::vector<BookUpdate> books;
  for (const auto& frame : test::read_frames(test::shared_data() / recorded_v1)) {
    std::string text = frame.text;
    const auto type = text.find(R"("instType":"sp","channel":"books")");
    if (type == std::string::npos || text.find("\"data\"") == std::string::npos) continue;
    text.replace(type, 15, R"("instType":"SPOT")");
    const auto events = decoding.stream(text);
    EXPECT_TRUE(events) << text.substr(0, 200);
    if (!events) continue;
    for (const auto& event : *events) books.push_back(std::get<BookUpdate>(event));
  }
  return books;
}

// A book as simple as can be, apart from the product's own.
struct PlainBook {
  std::map<Decimal, Decimal, std::greater<>> bids;
  std::map<Decimal, Decimal> asks;

  static void apply(auto& side, const std::vector<Level>& levels) {
    for (const auto& level : levels) {
      if (level.size.is_zero()) {
        side.erase(level.price);
      } else {
        side[level.price] = level.size;
      }
    }
  }
  static std::vector<Level> best(const auto& side) {
    std::vector<Level> levels;
    for (const auto& [price, size] : side) {
      if (levels.size() == bitget.checksum_levels) break;
      levels.push_back({price, size});
    }
    return levels;
  }
  bool matches_after(const BookUpdate& update) {
    if (update.kind == BookKind::snapshot) *this = {};
    apply(bids, update.bids);
    apply(asks, update.asks);
    return bitget.checksum(best(bids), best(asks), update.price_digits, update.size_digits) ==
           *update.checksum;
  }
};

TEST(BitgetRecording, AllChecksumsOfItsBooksMatch) {
  REQUIRE_SHARED_DATA();
  std::map<const Instrument*, PlainBook> books;
  std::size_t matching = 0;
  const auto updates = recorded_books();
  // The catalogue that they point into is gone: they are told apart by its addresses only.
  for (const auto& update : updates)
    matching += books[update.origin.instrument].matches_after(update) ? 1 : 0;
  EXPECT_EQ(updates.size(), 460U);
  EXPECT_EQ(matching, 460U);
}

TEST(BitgetRecording, EveryUpdateThatIsTakenOutShowsInAChecksum) {
  REQUIRE_SHARED_DATA();
  const auto updates = recorded_books();
  std::size_t tried = 0;
  std::size_t seen = 0;
  for (std::size_t lost = 0; lost < updates.size(); ++lost) {
    if (updates[lost].kind == BookKind::snapshot) continue;
    PlainBook book;
    bool matters = false;
    bool has_next = false;
    bool is_seen = false;
    for (std::size_t i = 0; i < updates.size() && !has_next; ++i) {
      if (updates[i].origin.instrument != updates[lost].origin.instrument) continue;
      if (i == lost) {
        auto with = book;
        with.matches_after(updates[i]);
        matters = PlainBook::best(with.bids) != PlainBook::best(book.bids) ||
                  PlainBook::best(with.asks) != PlainBook::best(book.asks);
        continue;
      }
      const bool matches = book.matches_after(updates[i]);
      has_next = i > lost;
      if (has_next) {
        // Levels that the next one writes anew were lost to no harm.
        PlainBook whole;
        for (std::size_t k = 0; k <= i; ++k) {
          if (updates[k].origin.instrument == updates[lost].origin.instrument)
            whole.matches_after(updates[k]);
        }
        matters = matters && (PlainBook::best(whole.bids) != PlainBook::best(book.bids) ||
                              PlainBook::best(whole.asks) != PlainBook::best(book.asks));
        is_seen = !matches;
      }
    }
    if (!has_next || !matters) continue;
    ++tried;
    seen += is_seen ? 1 : 0;
  }
  EXPECT_GT(tried, 100U);
  EXPECT_EQ(seen, tried);
}

}  // namespace
}  // namespace candlewick::exchange::bitget
