// Books rebuilt from what Binance, Gate.io and KuCoin sent, held against the best prices that
// Binance sent besides; from what Kraken and Coinbase sent, held against Kraken's checksums; and
// the same with updates taken out.
#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exchange/registry.h"
#include "pipeline/book_sync.h"
#include "test/support/frames.h"
#include "test/support/shared_data.h"

namespace candlewick::pipeline {
namespace {

using Number = std::uint64_t;

struct Recording {
  std::string venue;
  std::vector<std::string> files;  // one goes on from the other
  std::size_t instruments;         // with a snapshot
  std::size_t points;              // updates with a quote of the same number, over all instruments
};

const std::vector<Recording> recordings{
    {"binance",
     {"binance/ws/spot-4alts-depth-kline_1m-bookticker-aggtrade-2021-10-12.jsonl.gz"},
     4,
     26},
    {"binance",
     {"binance/ws/spot-btc-eth-dot-usdt-depth-kline_1m-aggtrade-2021-04-04.jsonl.gz"},
     3,
     0},  // it holds no quotes
    {"binance",
     {"binance/ws/spot-btcusdt-depth-bookticker-trade-2024-08-08T2354.jsonl.zst"},
     1,
     564},
    {"binance",
     {"binance/ws/spot-btcusdt-depth-bookticker-trade-2024-08-08T2354.jsonl.zst",
      "binance/ws/spot-btcusdt-depth-bookticker-trade-2024-08-09T0000.jsonl.zst"},
     1,
     564 + 507 + 1},  // one is an update of the second with a quote of the first
    {"binance-us",
     {"binance-us/ws/spot-depth-kline_1m-bookticker-aggtrade-2021-10-12.jsonl.gz"},
     4,
     56},
    {"binance-usdm",
     {"binance-futures/ws/usdm-depth-kline_1m-bookticker-aggtrade-2021-07-22.jsonl.gz"},
     4,
     50},
    {"binance-usdm",
     {"binance-futures/ws/usdm-btcusdt-depth0ms-bookticker-trade-2024-08-08-90s.jsonl.zst"},
     1,
     160},
    {"gateio",
     {"gateio/ws/v4-spot-trades-tickers-candlesticks-order_book_update-2021-04-22.jsonl.gz"},
     10,
     0},  // these two hold no quotes
    {"kucoin", {"kucoin/ws/ticker-match-level2-candles-2021-04-25.jsonl.gz"}, 9, 0},
};

struct Market {
  std::vector<BookUpdate> updates;  // snapshots among them, as they came
  std::map<Number, Quote> quotes;
};

struct Decoded {
  std::unique_ptr<Catalogue> catalogue;
  std::map<std::string, Market> markets;
};

Decoded decode(const Recording& recording) {
  const auto& venue = *exchange::find_venue(recording.venue);
  Decoded made{.catalogue = exchange::make_catalogue(venue), .markets = {}};
  const auto decoder = venue.make_decoder(*made.catalogue);
  for (const auto& file : recording.files) {
    for (const auto& frame : test::read_frames(test::shared_data() / file)) {
      Events events;
      const auto decoded = decoder->decode({.text = frame.text,
                                            .url = frame.url,
                                            .received_time = frame.received_time,
                                            .is_reply = frame.is_reply},
                                           events);
      EXPECT_TRUE(decoded) << frame.text.substr(0, 200);
      for (const auto& event : events) {
        if (const auto* book = std::get_if<BookUpdate>(&event)) {
          made.markets[book->origin.instrument->symbol].updates.push_back(*book);
        } else if (const auto* quote = std::get_if<Quote>(&event)) {
          if (quote->sequence)
            made.markets[quote->origin.instrument->symbol].quotes[*quote->sequence] = *quote;
        }
      }
    }
  }
  return made;
}

bool has_snapshot(const Market& market) {
  return std::ranges::any_of(market.updates, [](const BookUpdate& update) {
    return update.kind == BookKind::snapshot && !update.is_partial;
  });
}

exchange::BookRule rule_of(const Recording& recording) {
  return exchange::find_venue(recording.venue)->book_rule;
}

BookSync new_sync(exchange::BookRule rule) {
  return BookSync({.rule = rule});
}

void expect_same(const Top& top, const Top& truth) {
  EXPECT_EQ(top.bid, truth.bid) << top.sequence;
  EXPECT_EQ(top.ask, truth.ask) << top.sequence;
}

class BookRecordings : public ::testing::TestWithParam<Recording> {};

TEST_P(BookRecordings, RebuildWithoutAGapAndAgreeWithEveryQuote) {
  REQUIRE_SHARED_DATA();
  const auto& [venue, files, instruments, points] = GetParam();
  EXPECT_EQ(rule_of(GetParam()),
            venue == "binance-usdm" ? exchange::BookRule::linked : exchange::BookRule::ranges);
  const auto decoded = decode(GetParam());
  std::size_t synced = 0;
  std::size_t compared = 0;
  for (const auto& [symbol, market] : decoded.markets) {
    if (!has_snapshot(market)) continue;
    BookSync sync = new_sync(rule_of(GetParam()));
    Events out;
    for (const auto& update : market.updates) {
      const auto outcome = sync.apply(update, out);
      EXPECT_FALSE(outcome.resync) << symbol;
      EXPECT_FALSE(outcome.is_too_old) << symbol;
    }
    if (sync.state() == BookState::synced) ++synced;
    EXPECT_EQ(sync.sequence(), *market.updates.back().sequence) << symbol;
    for (const auto& event : out) {
      const auto* top = std::get_if<Top>(&event);
      ASSERT_NE(top, nullptr) << symbol << ": a gap";
      EXPECT_LT(top->bid.price, top->ask.price) << symbol;
      const auto quote = market.quotes.find(top->sequence);
      // A snapshot has a top as well, but is no update.
      if (quote == market.quotes.end() || !top->origin.exchange_time) continue;
      ++compared;
      const auto& said = quote->second;
      expect_same(*top, {.sequence = top->sequence,
                         .bid = {said.bid, said.bid_size},
                         .ask = {said.ask, said.ask_size}});
    }
  }
  EXPECT_EQ(synced, instruments);
  EXPECT_EQ(compared, points);
}

// What an unbroken run says, and full snapshots as the venue would have answered after some
// updates.
struct Truth {
  std::map<Number, Top> tops;
  std::map<std::size_t, BookUpdate> snapshots;  // by the place among the updates
};

constexpr std::size_t heals_after = 5;

BookUpdate cut_snapshot(const BookSync& sync) {
  const auto& bids = sync.book()->bids();
  const auto& asks = sync.book()->asks();
  auto made = *sync.ladder(std::min(bids.known(), asks.known()));
  made.is_partial = false;
  made.origin.exchange_time.reset();
  return made;
}

Truth truth_of(const Market& market, exchange::BookRule rule, std::size_t step) {
  Truth truth;
  BookSync sync = new_sync(rule);
  Events out;
  for (std::size_t i = 0; i < market.updates.size(); ++i) {
    sync.apply(market.updates[i], out);
    if (i % step == heals_after % step && sync.ladder(1)) truth.snapshots[i] = cut_snapshot(sync);
  }
  for (const auto& event : out) {
    const auto& top = std::get<Top>(event);
    truth.tops[top.sequence] = top;
  }
  return truth;
}

// Takes one update out. Whatever is told then is true, what is missing is told, and a snapshot
// taken later heals it.
void expect_told(const Market& market, exchange::BookRule rule, std::size_t removed,
                 const Truth& truth, std::size_t& gaps_seen, std::size_t& healed) {
  const BookUpdate& lost = market.updates[removed];
  // Futures name the update before, spot the first change.
  const bool is_linked = rule == exchange::BookRule::linked;
  Number before = 0;
  std::optional<Number> after;
  Number snapshot_number = 0;
  for (std::size_t i = 0; i < market.updates.size(); ++i) {
    const auto& update = market.updates[i];
    if (update.kind == BookKind::snapshot) {
      snapshot_number = *update.sequence;
    } else if (i < removed) {
      before = *update.sequence;
    } else if (i > removed && !after) {
      after = is_linked ? update.previous_sequence : update.first_sequence;
    }
  }
  const Number expected = std::max(before, snapshot_number) + (is_linked ? 0 : 1);
  const bool must_be_told = after && *lost.sequence > snapshot_number;

  BookSync sync = new_sync(rule);
  std::size_t gaps = 0;
  bool is_healed = false;
  const auto take = [&](const BookUpdate& update) {
    Events out;
    const auto outcome = sync.apply(update, out);
    EXPECT_NE(outcome.resync, Resync::crossed);
    for (const auto& event : out) {
      if (const auto* top = std::get_if<Top>(&event)) {
        // A healed book may know less deep, and says so.
        if (!is_healed || sync.ladder(1)) expect_same(*top, truth.tops.at(top->sequence));
        continue;
      }
      ++gaps;
      const auto& gap = std::get<Gap>(event);
      EXPECT_EQ(gap.expected, std::to_string(expected));
      EXPECT_EQ(gap.got, std::to_string(*after));
    }
  };
  for (std::size_t i = 0; i < market.updates.size(); ++i) {
    if (i != removed) take(market.updates[i]);
    if (i < removed + heals_after) continue;
    if (gaps == 0 || is_healed) continue;
    const auto snapshot = truth.snapshots.find(i);
    if (sync.state() == BookState::buffering) {
      EXPECT_TRUE(sync.stale_since());
      EXPECT_FALSE(sync.ladder(1));
      EXPECT_TRUE(sync.wants_snapshot());
    }
    if (snapshot == truth.snapshots.end()) continue;
    sync.snapshot_asked();
    take(snapshot->second);
    EXPECT_EQ(sync.state(), BookState::synced);
    is_healed = true;
    ++healed;
  }
  if (must_be_told) {
    EXPECT_EQ(gaps, 1U);
  } else {
    EXPECT_LE(gaps, 1U);
  }
  gaps_seen += gaps;
  const bool is_last = !after;
  EXPECT_EQ(sync.state() == BookState::synced, gaps == 0 || is_healed);
  if (sync.state() == BookState::synced && !is_last) {
    EXPECT_EQ(sync.sequence(), *market.updates.back().sequence);
  }
}

TEST_P(BookRecordings, TellEveryUpdateThatIsTakenOut) {
  REQUIRE_SHARED_DATA();
  const auto decoded = decode(GetParam());
  std::size_t gaps_seen = 0;
  std::size_t healed = 0;
  // A snapshot, an update to lose and one that tells.
  constexpr std::size_t fewest = 3;
  for (const auto& [symbol, market] : decoded.markets) {
    if (!has_snapshot(market) || market.updates.size() < fewest) continue;
    SCOPED_TRACE(symbol);
    // All of a short recording, some thirty of a long one.
    const std::size_t step = market.updates.size() > 200 ? market.updates.size() / 30 : 1;
    const Truth truth = truth_of(market, rule_of(GetParam()), step);
    for (std::size_t removed = 0; removed < market.updates.size(); removed += step) {
      if (market.updates[removed].kind == BookKind::snapshot) continue;
      SCOPED_TRACE(removed);
      expect_told(market, rule_of(GetParam()), removed, truth, gaps_seen, healed);
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(gaps_seen, 25U);
  EXPECT_GT(healed, 5U);
}

std::string name_of(const ::testing::TestParamInfo<Recording>& row) {
  std::string name = row.param.venue + "_" + std::to_string(row.index);
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(ByRest, BookRecordings, ::testing::ValuesIn(recordings), name_of);

// Snapshots come by the stream, and the checksum is over the best ten levels of a side.
struct StreamRecording {
  const char* name;
  std::string venue;
  std::string file;
  std::size_t depth;  // as it was subscribed; 0: all
  std::size_t instruments;
  std::size_t snapshots;
  std::size_t checksums;
};

const std::vector<StreamRecording> stream_recordings{
    {"kraken_v1", "kraken", "kraken/ws/v1-book1000-2021-04-05.jsonl.zst", 1000, 10, 10, 14'496},
    {"kraken_v2", "kraken", "kraken/ws/v2-book25-resubscribe-2026-08-18.jsonl.gz", 25, 1, 2, 19},
    {"coinbase", "coinbase", "coinbase/ws/exchange-level2-ticker-matches-2021-04-17.jsonl.gz", 0, 5,
     5, 0}};

BookSync sync_of(const StreamRecording& recording) {
  const auto& venue = *exchange::find_venue(recording.venue);
  return BookSync({.rule = venue.book_rule,
                   .depth = recording.depth,
                   .checksum = venue.checksum,
                   .checksum_levels = venue.checksum_levels});
}

class StreamBookRecordings : public ::testing::TestWithParam<StreamRecording> {};

TEST_P(StreamBookRecordings, RebuildWithEveryChecksumRight) {
  REQUIRE_SHARED_DATA();
  const auto& recording = GetParam();
  const auto decoded = decode({recording.venue, {recording.file}, 0, 0});
  std::size_t snapshots = 0;
  std::size_t checksums = 0;
  for (const auto& [symbol, market] : decoded.markets) {
    if (market.updates.empty()) continue;
    SCOPED_TRACE(symbol);
    BookSync sync = sync_of(recording);
    for (const auto& update : market.updates) {
      Events out;
      const auto outcome = sync.apply(update, out);
      ASSERT_FALSE(outcome.resync);
      ASSERT_TRUE(outcome.is_applied);
      if (update.kind == BookKind::snapshot) ++snapshots;
      if (update.checksum) ++checksums;
      // The check that the sync made, made again.
      if (update.checksum) {
        ASSERT_EQ(exchange::find_venue(recording.venue)
                      ->checksum(sync.book()->bids().best(10), sync.book()->asks().best(10),
                                 update.price_digits, update.size_digits),
                  *update.checksum);
      }
    }
    EXPECT_EQ(sync.state(), BookState::synced);
  }
  EXPECT_EQ(snapshots, recording.snapshots);
  EXPECT_EQ(checksums, recording.checksums);
}

BookUpdate snapshot_of(const BookSync& sync, std::size_t depth) {
  auto made = *sync.ladder(depth);
  made.is_partial = false;
  return made;
}

// Takes one update out. What differs within the levels of the checksum is told, at the latest when
// the recording ends; a new snapshot heals it.
void expect_checksum_tells(const StreamRecording& recording, const Market& market,
                           std::size_t removed, std::size_t& told) {
  BookSync truth = sync_of(recording);
  BookSync sync = sync_of(recording);
  std::size_t gaps = 0;
  std::size_t since_gap = 0;
  bool is_healed = false;
  for (std::size_t i = 0; i < market.updates.size(); ++i) {
    Events out;
    truth.apply(market.updates[i], out);
    out.clear();
    if (i == removed) continue;
    const auto outcome = sync.apply(market.updates[i], out);
    if (outcome.resync) {
      EXPECT_FALSE(is_healed) << "told again after it was healed";
      EXPECT_EQ(sync.state(), BookState::empty);
      EXPECT_FALSE(sync.ladder(1));
      EXPECT_NE(outcome.resync, Resync::gap);
      ++gaps;
    }
    if (gaps == 0 || is_healed) continue;
    // The recording may hold the next snapshot itself.
    is_healed = sync.state() == BookState::synced;
    if (is_healed || ++since_gap < heals_after) continue;
    EXPECT_TRUE(sync.wants_subscription(*market.updates[i].origin.exchange_time +
                                        std::chrono::minutes{10}));
    sync.apply(snapshot_of(truth, recording.depth), out);
    EXPECT_EQ(sync.state(), BookState::synced);
    is_healed = true;
  }
  told += gaps;
  if (sync.state() != BookState::synced) {
    EXPECT_EQ(gaps, 1U);
    return;
  }
  constexpr std::size_t checked = 10;
  EXPECT_EQ(sync.ladder(checked)->bids, truth.ladder(checked)->bids);
  EXPECT_EQ(sync.ladder(checked)->asks, truth.ladder(checked)->asks);
}

class ChecksummedBookRecordings : public StreamBookRecordings {};

TEST_P(ChecksummedBookRecordings, TellEveryUpdateThatIsTakenOutOfTheLevelsChecked) {
  REQUIRE_SHARED_DATA();
  const auto& recording = GetParam();
  const auto decoded = decode({recording.venue, {recording.file}, 0, 0});
  EXPECT_EQ(decoded.markets.size(), recording.instruments);
  std::size_t tried = 0;
  std::size_t told = 0;
  for (const auto& [symbol, market] : decoded.markets) {
    SCOPED_TRACE(symbol);
    const std::size_t step = market.updates.size() > 100 ? market.updates.size() / 8 : 1;
    // Of the last one nothing can tell.
    for (std::size_t removed = 1; removed + 1 < market.updates.size(); removed += step) {
      SCOPED_TRACE(removed);
      if (market.updates[removed].kind == BookKind::snapshot) continue;
      ++tried;
      expect_checksum_tells(recording, market, removed, told);
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(tried, 15U);
  EXPECT_GT(told, tried / 3);
}

std::string name_of_stream(const ::testing::TestParamInfo<StreamRecording>& row) {
  return row.param.name;
}

INSTANTIATE_TEST_SUITE_P(ByStream, StreamBookRecordings, ::testing::ValuesIn(stream_recordings),
                         name_of_stream);
// Coinbase's updates have neither numbers nor checksums: nothing shows that one is missing.
INSTANTIATE_TEST_SUITE_P(ByStream, ChecksummedBookRecordings,
                         ::testing::Values(stream_recordings[0], stream_recordings[1]),
                         name_of_stream);

}  // namespace
}  // namespace candlewick::pipeline
