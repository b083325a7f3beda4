// The text form of events, to the character: scripts rely on it.
#include "market/event_json.h"

#include <gtest/gtest.h>

namespace candlewick {
namespace {

Decimal decimal(std::string_view text) {
  return *Decimal::parse(text);
}
Time at(std::string_view text) {
  return *parse_rfc3339(text);
}

const Instrument& instrument() {
  static const Instrument btc{.exchange = "binance",
                              .symbol = "BTC/USDT",
                              .exchange_symbol = "BTCUSDT",
                              .base = "BTC",
                              .quote = "USDT",
                              .status = ListingStatus::trading,
                              .tick_size = decimal("0.01"),
                              .step_size = std::nullopt,
                              .listed = true};
  return btc;
}

Origin origin() {
  return {.instrument = &instrument(),
          .exchange_time = at("2024-08-08T23:59:00.123Z"),
          .received_time = at("2024-08-08T23:59:00.123456789Z")};
}

const std::string names =
    R"("exchange":"binance","symbol":"BTC/USDT","exchange_symbol":"BTCUSDT",)";
const std::string times =
    R"("exchange_time":"2024-08-08T23:59:00.123Z","received_time":"2024-08-08T23:59:00.123456789Z"})";

TEST(EventJson, WritesTrades) {
  Trade trade{.origin = origin(),
              .id = 1,
              .taker_side = Side::sell,
              .price = decimal("60000.1"),
              .size = decimal("0.50")};
  EXPECT_EQ(to_json(trade), R"({"type":"trade",)" + names +
                                R"("id":"1","price":60000.1,"size":0.5,"taker_side":"sell",)" +
                                times);
  trade.is_aggregate = true;
  trade.first_id = 18446744073709551614U;
  trade.last_id = 18446744073709551615U;
  trade.taker_side = Side::buy;
  trade.quote_size = decimal("30000.05");
  EXPECT_EQ(to_json(trade),
            R"({"type":"trade",)" + names +
                R"("id":"1","price":60000.1,"size":0.5,"quote_size":30000.05,"taker_side":"buy",)"
                R"("first_id":"18446744073709551614","last_id":"18446744073709551615",)" +
                times);
}

TEST(EventJson, WritesCandles) {
  const Candle candle{.origin = origin(),
                      .timeframe = Timeframe::m1,
                      .open_time = at("2024-08-08T23:59:00Z"),
                      .open = decimal("1.10"),
                      .high = decimal("2"),
                      .low = decimal("0.00000001"),
                      .close = decimal("99999999999999999999.999999999999999999"),
                      .volume = decimal("0"),
                      .quote_volume = decimal("12.5"),
                      .trade_count = 7,
                      .taker_buy_volume = std::nullopt,
                      .taker_buy_quote_volume = std::nullopt,
                      .is_closed = true,
                      .source = Source::rest,
                      .revision = 2};
  EXPECT_EQ(
      to_json(candle),
      R"({"type":"candle",)" + names +
          R"("timeframe":"1m","open_time":"2024-08-08T23:59:00Z","open":1.1,"high":2,"low":0.00000001,)"
          R"("close":99999999999999999999.999999999999999999,"volume":0,"quote_volume":12.5,"trade_count":7,)"
          R"("is_closed":true,"source":"rest","revision":2,)" +
          times);
}

TEST(EventJson, WritesQuotesAndTickersWithWhatTheyHave) {
  Quote quote{.origin = origin(),
              .bid = decimal("1"),
              .bid_size = decimal("2"),
              .ask = decimal("3"),
              .ask_size = decimal("4"),
              .sequence = 9};
  EXPECT_EQ(to_json(quote), R"({"type":"quote",)" + names +
                                R"("bid":1,"bid_size":2,"ask":3,"ask_size":4,"sequence":9,)" +
                                times);
  quote.sequence = std::nullopt;
  quote.origin.exchange_time = std::nullopt;
  quote.origin.received_time = std::nullopt;
  EXPECT_EQ(to_json(quote),
            R"({"type":"quote",)" + names + R"("bid":1,"bid_size":2,"ask":3,"ask_size":4})");

  Ticker ticker;
  ticker.origin = origin();
  ticker.last = decimal("1");
  ticker.open_24h = decimal("2");
  ticker.high_24h = decimal("3");
  ticker.low_24h = decimal("4");
  ticker.volume_24h = decimal("5");
  ticker.quote_volume_24h = decimal("6");
  ticker.change_pct_24h = decimal("-7.5");
  EXPECT_EQ(to_json(ticker), R"({"type":"ticker",)" + names +
                                 R"("last":1,"open_24h":2,"high_24h":3,"low_24h":4,"volume_24h":5,)"
                                 R"("quote_volume_24h":6,"change_pct_24h":-7.5,)" +
                                 times);
}

TEST(EventJson, WritesBooksAndTheirTops) {
  BookUpdate book;
  book.origin = origin();
  book.kind = BookKind::snapshot;
  book.sequence = 17;
  book.bids = {{decimal("1.5"), decimal("2")}, {decimal("1.4"), decimal("0")}};
  EXPECT_EQ(to_json(book),
            R"({"type":"book",)" + names +
                R"("kind":"snapshot","sequence":17,"bids":[[1.5,2],[1.4,0]],"asks":[],)" + times);
  book.kind = BookKind::delta;
  book.first_sequence = 16;
  book.previous_sequence = 15;
  book.is_partial = true;
  EXPECT_EQ(to_json(book),
            R"({"type":"book",)" + names +
                R"("kind":"delta","is_partial":true,"first_sequence":16,"sequence":17,)"
                R"("previous_sequence":15,"bids":[[1.5,2],[1.4,0]],"asks":[],)" +
                times);
  const Top top{.origin = origin(),
                .sequence = 17,
                .bid = {decimal("1"), decimal("2")},
                .ask = {decimal("3"), decimal("4")}};
  EXPECT_EQ(to_json(top), R"({"type":"top",)" + names +
                              R"("sequence":17,"bid":1,"bid_size":2,"ask":3,"ask_size":4,)" +
                              times);
}

TEST(EventJson, WritesGapsAndRefusals) {
  const Gap gap{.origin = origin(),
                .stream = Stream::trades,
                .expected = "5",
                .got = "9",
                .action = GapAction::backfill};
  EXPECT_EQ(to_json(gap), R"({"type":"gap",)" + names +
                              R"("stream":"trades","expected":"5","got":"9","action":"backfill",)" +
                              times);
  const Refusal refusal{.exchange = "binance",
                        .kind = "malformed",
                        .message = "data.p: not a decimal: \"x\"",
                        .received_time = at("2024-08-08T23:59:00Z"),
                        .code = -1121};
  EXPECT_EQ(
      to_json(refusal),
      R"({"type":"error","kind":"malformed","exchange":"binance","message":"data.p: not a decimal: \"x\"",)"
      R"("code":-1121,"received_time":"2024-08-08T23:59:00Z"})");
}

TEST(EventJson, WritesWhatVenuesSayAboutThemselves) {
  EXPECT_EQ(
      to_json(Listing{.origin = origin()}),
      R"({"type":"instrument",)" + names +
          R"("base":"BTC","quote":"USDT","market":"spot","status":"trading","tick_size":0.01,)" +
          times);
  EXPECT_EQ(
      to_json(ClockReading{
          .exchange = "binance", .exchange_time = at("2024-08-08"), .received_time = std::nullopt}),
      R"({"type":"clock","exchange":"binance","exchange_time":"2024-08-08T00:00:00Z"})");
  EXPECT_EQ(
      to_json(AveragePrice{.origin = origin(), .price = decimal("9.35"), .window_minutes = 5}),
      R"({"type":"average_price",)" + names + R"("price":9.35,"window_minutes":5,)" + times);
  EXPECT_EQ(to_json(ShutdownNotice{.exchange = "binance", .exchange_time = at("2024-08-08")}),
            R"({"type":"shutdown","exchange":"binance","exchange_time":"2024-08-08T00:00:00Z"})");
  EXPECT_EQ(
      to_json(LimitNotice{.exchange = "binance",
                          .kind = "REQUEST_WEIGHT",
                          .interval = std::chrono::minutes{1},
                          .limit = 6000}),
      R"({"type":"limit","exchange":"binance","kind":"REQUEST_WEIGHT","interval_seconds":60,"limit":6000})");
}

TEST(EventJson, WritesLaddersAsPairsOfTexts) {
  const std::vector<Level> levels{{decimal("1.50"), decimal("2")},
                                  {decimal("1.4"), decimal("3")},
                                  {decimal("1.3"), decimal("4")}};
  std::string out;
  append_ladder(out, levels, 2);
  EXPECT_EQ(out, R"([["1.5","2"],["1.4","3"]])");
  out.clear();
  append_ladder(out, {}, 20);
  EXPECT_EQ(out, "[]");
}

TEST(Event, NamesAreReadAsTheyAreWritten) {
  for (const auto source : {Source::ws, Source::rest, Source::trades})
    EXPECT_EQ(parse_source(to_text(source)), source);
  EXPECT_FALSE(parse_source("file"));
  EXPECT_EQ(to_text(Stream::book), "book");
}

TEST(Candle, SameValuesLooksAtTheMarketsNumbersOnly) {
  Candle a;
  a.close = decimal("1");
  Candle b = a;
  b.source = Source::rest;
  b.revision = 5;
  b.is_closed = true;
  EXPECT_TRUE(a.same_values(b));
  b.taker_buy_volume = decimal("0");
  EXPECT_TRUE(a.same_values(b)) << "only one of them says it";
  a.taker_buy_volume = decimal("1");
  EXPECT_FALSE(a.same_values(b));
  a.timeframe = Timeframe::mo1;
  a.open_time = at("2024-02-01");
  EXPECT_EQ(a.end_time(), at("2024-03-01"));
}

}  // namespace
}  // namespace candlewick
