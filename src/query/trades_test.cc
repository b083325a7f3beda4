// Kept trades, out of every kind of warehouse: their order, their pages.
#include "query/trades.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "query/testing.h"

namespace candlewick::query {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Trades : public QueryTest {
 protected:
  void keep(const std::string& id, std::string_view time, std::int64_t symbol = 1) {
    insert(
        "fact_trade (exchange_id, crypto_id, exchange_time, trade_id, price, size, quote_size, "
        "taker_side, ingested_at)",
        {std::int64_t{1}, symbol, at(time), id, digits("60000.10"), digits("0.5"), schema::Null{},
         std::string("sell"), at("2024-05-01T13:00:00Z")});
  }
  std::vector<std::string> ids(const TradeQuery& query) {
    const auto found = trades(*database, query);
    EXPECT_TRUE(found) << found.error().message;
    std::vector<std::string> ids;
    if (found) {
      for (const auto& trade : *found) ids.push_back(trade.trade_id);
    }
    return ids;
  }
  const TradeQuery all{.exchange = "binance", .symbol = "BTC/USDT"};
};

TEST_P(Trades, AreOneSeriesAndExact) {
  keep("7", "2024-05-01T12:00:00.123456Z");
  keep("8", "2024-05-01T12:00:00.123456Z", 2);
  const auto found = trades(*database, all);
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->size(), 1U);
  const Trade& trade = found->front();
  EXPECT_EQ(trade.trade_id, "7");
  EXPECT_EQ(trade.exchange_time, at("2024-05-01T12:00:00.123456Z"));
  EXPECT_EQ(trade.price, digits("60000.1"));
  EXPECT_EQ(trade.size, digits("0.5"));
  EXPECT_FALSE(trade.quote_size);
  EXPECT_EQ(trade.taker_side, "sell");
  EXPECT_EQ(trade.ingested_at, at("2024-05-01T13:00:00Z"));
}

TEST_P(Trades, OfOneMomentComeInTheOrderOfTheirNumbers) {
  for (const auto* id : {"100", "9", "10", "99"}) keep(id, "2024-05-01T12:00:01Z");
  keep("101", "2024-05-01T12:00:00Z");
  keep("6085c09769bc506996295e36", "2024-05-01T12:00:02Z");
  EXPECT_THAT(ids(all), ElementsAre("101", "9", "10", "99", "100", "6085c09769bc506996295e36"));
  TradeQuery newest = all;
  newest.order = Order::descending;
  newest.limit = 3;
  EXPECT_THAT(ids(newest), ElementsAre("6085c09769bc506996295e36", "100", "99"));
}

TEST_P(Trades, StartIsInclusiveAndEndIsNot) {
  keep("1", "2024-05-01T12:00:00Z");
  keep("2", "2024-05-01T12:00:01Z");
  keep("3", "2024-05-01T12:00:02Z");
  TradeQuery middle = all;
  middle.start = at("2024-05-01T12:00:01Z");
  middle.end = at("2024-05-01T12:00:02Z");
  EXPECT_THAT(ids(middle), ElementsAre("2"));
  middle.exchange = "kraken";
  EXPECT_THAT(ids(middle), IsEmpty());
}

// However a page ends, also amid trades of one moment and beside one that comes late.
TEST_P(Trades, AreEachOnOnePage) {
  std::vector<std::string> wanted;
  for (int i = 95; i < 107; ++i) {
    wanted.push_back(std::to_string(i));
    keep(wanted.back(), i < 98 ? "2024-05-01T12:00:00Z" : "2024-05-01T12:00:00.000001Z");
  }
  for (const auto order : {Order::ascending, Order::descending}) {
    for (std::size_t limit = 1; limit < 6; ++limit) {
      TradeQuery query = all;
      query.order = order;
      query.limit = limit;
      std::vector<std::string> told;
      while (true) {
        const auto page = trades(*database, query);
        ASSERT_TRUE(page) << page.error().message;
        for (const auto& trade : *page) told.push_back(trade.trade_id);
        if (page->size() < limit) break;
        query.after = {page->back().exchange_time, page->back().trade_id};
      }
      if (order == Order::descending) std::ranges::reverse(told);
      EXPECT_EQ(told, wanted) << limit;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Trades, test::all_warehouse_kinds(), test::warehouse_kind_name);

}  // namespace
}  // namespace candlewick::query
