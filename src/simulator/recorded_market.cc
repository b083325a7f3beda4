// Reads recordings of Binance's streams and depth snapshots. Frames that are not understood
// (control messages, other venues') are left out; a frame of a stream is played whatever is in it.
#include "simulator/recorded_market.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "base/json.h"
#include "base/line_reader.h"
#include "net/url.h"
#include "simulator/protocol.h"

namespace candlewick::simulator {
namespace {

using namespace std::chrono_literals;

struct Line {
  std::optional<Time> received;
  std::string dir;
  std::string url;
};

// What is of interest in a frame's payload, whatever its kind.
struct Payload {
  std::string event;
  std::string symbol;
  std::optional<std::int64_t> event_ms;
  std::optional<std::int64_t> trade_ms;
  std::uint64_t id = 0;
  std::uint64_t first_id = 0;
  std::uint64_t last_id = 0;
  std::uint64_t sequence = 0;
  Decimal price;
  Decimal size;
  bool buyer_is_maker = false;
  std::vector<Level> bids;
  std::vector<Level> asks;
};

std::vector<Level> read_levels(json::Value& value) {
  std::vector<Level> levels;
  value.elements([&](json::Value pair) {
    Level level;
    std::size_t at = 0;
    pair.elements([&](json::Value item) {
      if (at == 0) level.price = item.decimal();
      if (at == 1) level.size = item.decimal();
      if (at > 1) item.text();
      ++at;
    });
    levels.push_back(level);
  });
  return levels;
}

void read_member(std::string_view key, json::Value& value, Payload& out) {
  const auto type = value.type();
  const bool is_number = type == json::Type::number;
  const bool is_trade = out.event == "trade" || out.event == "aggTrade";
  const bool is_depth = out.event == "depthUpdate";
  if (key == "e" && type == json::Type::string) {
    out.event = value.string();
  } else if (key == "s" && type == json::Type::string) {
    out.symbol = value.string();
  } else if (key == "E" && is_number) {
    out.event_ms = value.integer();
  } else if (key == "T" && is_number) {
    out.trade_ms = value.integer();
  } else if (is_trade && (key == "t" || (key == "a" && out.event == "aggTrade"))) {
    out.id = value.unsigned_integer();
  } else if (is_trade && key == "f") {
    out.first_id = value.unsigned_integer();
  } else if (is_trade && key == "l") {
    out.last_id = value.unsigned_integer();
  } else if (is_trade && key == "p") {
    out.price = value.decimal();
  } else if (is_trade && key == "q") {
    out.size = value.decimal();
  } else if (is_trade && key == "m") {
    out.buyer_is_maker = value.boolean();
  } else if ((is_depth && key == "u") || key == "lastUpdateId") {
    out.sequence = value.unsigned_integer();
  } else if ((is_depth && key == "b") || key == "bids") {
    out.bids = read_levels(value);
  } else if ((is_depth && key == "a") || key == "asks") {
    out.asks = read_levels(value);
  } else {
    value.text();
  }
}

// `msg` is the last key: the frame is everything from there to the line's last brace.
std::string_view message_of(std::string_view line) {
  constexpr std::string_view key = "\"msg\":";
  const auto at = line.find(key);
  if (at == std::string_view::npos || line.back() != '}') return {};
  return line.substr(at + key.size(), line.size() - at - key.size() - 1);
}

// {"stream":"btcusdt@trade","data":{…}}: the name and what is within.
std::optional<std::pair<std::string_view, std::string_view>> unwrap(std::string_view message) {
  constexpr std::string_view begin = "{\"stream\":\"";
  constexpr std::string_view middle = "\",\"data\":";
  if (!message.starts_with(begin) || !message.ends_with('}')) return std::nullopt;
  const auto quote = message.find(middle, begin.size());
  if (quote == std::string_view::npos) return std::nullopt;
  const auto data = quote + middle.size();
  return std::pair{message.substr(begin.size(), quote - begin.size()),
                   message.substr(data, message.size() - data - 1)};
}

}  // namespace

// Gathers everything on the receiver's clock; the venue's follows when all event times are known.
struct RecordedMarket::Loader {
  RecordedMarket& market;
  const std::string& exchange;
  json::Reader reader;
  std::string raw_stream;  // of a connection to one stream, whose frames have no wrapper
  Time clock;
  Duration ahead{};
  Time first_frame = Time::max();

  Result<void> line(std::string_view text) {
    Line line;
    const auto message = message_of(text);
    const auto head = reader.read(text, [&](json::Value root) {
      root.members([&](std::string_view key, json::Value value) {
        if (key == "recv_ns") {
          line.received = time_from_ns(value.integer());
        } else if (key == "dir") {
          line.dir = value.string();
        } else if (key == "url") {
          line.url = value.string();
        } else {
          value.text();
        }
      });
    });
    if (!head) return head;
    if (line.dir == "open") {
      const auto at = line.url.find("/ws/");
      const bool is_single =
          at != std::string::npos && line.url.find('/', at + 4) == std::string::npos;
      raw_stream = is_single ? line.url.substr(at + 4, line.url.find('?', at) - at - 4) : "";
    }
    if (line.received) clock = *line.received;
    if (line.dir == "in" && !message.empty()) return frame(message, line.received.has_value());
    if (line.dir == "http" && line.url.find("/depth?") != std::string::npos) {
      return snapshot(line.url, message);
    }
    return {};
  }

  Result<Payload> read(std::string_view text) {
    Payload payload;
    const auto done = reader.read(text, [&](json::Value root) {
      if (root.type() != json::Type::object) {
        root.text();
        return;
      }
      root.members(
          [&](std::string_view key, json::Value value) { read_member(key, value, payload); });
    });
    if (!done) return fail(done.error());
    return payload;
  }

  Result<void> frame(std::string_view message, bool has_clock) {
    auto parts = unwrap(message);
    if (!parts && !raw_stream.empty()) parts = std::pair{std::string_view(raw_stream), message};
    if (!parts) return {};
    auto payload = read(parts->second);
    if (!payload) return fail(std::move(payload.error()));
    const auto event_ms = payload->event_ms ? payload->event_ms : payload->trade_ms;
    if (event_ms) {
      const Time event = time_from_ms(*event_ms);
      // Without receive times the events' own are the clock.
      if (!has_clock) clock = std::max(clock, event);
      ahead = std::max(ahead, event - clock);
    }
    first_frame = std::min(first_frame, clock);
    market.streams_[std::string(parts->first)].push_back({clock, std::string(parts->second)});
    if (payload->symbol.empty()) return {};
    Series& series = market.series_[market.list(exchange, payload->symbol)];
    if (payload->event == "depthUpdate") {
      series.changes.push_back(
          {clock, false, payload->sequence, std::move(payload->bids), std::move(payload->asks)});
    } else if ((payload->event == "trade" || payload->event == "aggTrade") && payload->trade_ms) {
      trade(series, *payload);
    }
    return {};
  }

  static void trade(Series& series, const Payload& payload) {
    const bool is_single = payload.event == "trade";
    // Both tell the same; single trades tell it best.
    if (is_single && !series.has_single_trades) series.trades.clear();
    if (!is_single && series.has_single_trades) return;
    series.has_single_trades = is_single;
    MarketTrade trade;
    trade.id = is_single ? payload.id : payload.first_id;
    trade.aggregate_id = payload.id;
    trade.matches = is_single ? 1 : payload.last_id - payload.first_id + 1;
    trade.time = time_from_ms(*payload.trade_ms);
    trade.price = payload.price;
    trade.size = payload.size;
    trade.quote_size = Decimal::multiply(payload.price, payload.size).value_or(Decimal{});
    trade.taker_is_buyer = !payload.buyer_is_maker;
    series.trades.push_back(trade);
  }

  Result<void> snapshot(const std::string& url, std::string_view message) {
    const auto query = net::parse_query(std::string_view(url).substr(url.find('?') + 1));
    if (!query) return fail(query.error());
    for (const auto& [key, value] : *query) {
      if (key != "symbol") continue;
      auto payload = read(message);
      if (!payload) return fail(std::move(payload.error()));
      market.series_[market.list(exchange, value)].changes.push_back(
          {clock, true, payload->sequence, std::move(payload->bids), std::move(payload->asks)});
    }
    return {};
  }

  void finish() {
    market.first_ = first_frame + ahead;
    market.last_ = clock + ahead;
    for (auto& [name, frames] : market.streams_) {
      for (auto& frame : frames) frame.time += ahead;
      std::ranges::stable_sort(frames, {}, &RecordedFrame::time);
    }
    for (auto& series : market.series_) {
      for (auto& change : series.changes) change.time += ahead;
      std::ranges::stable_sort(series.trades, {}, &MarketTrade::id);
      const auto twice = std::ranges::unique(series.trades, {}, &MarketTrade::id);
      series.trades.erase(twice.begin(), twice.end());
    }
  }
};

Result<std::unique_ptr<RecordedMarket>> RecordedMarket::load(
    const std::string& exchange, const std::vector<std::string>& files) {
  auto market = std::make_unique<RecordedMarket>();
  Loader loader{*market, exchange, {}, {}, {}, {}, Time::max()};
  for (const auto& file : files) {
    auto lines = LineReader::open(file);
    if (!lines) return fail(std::move(lines.error()));
    std::string line;
    while (true) {
      const auto more = lines->next(line);
      if (!more) return fail(more.error());
      if (!*more) break;
      if (line.empty()) continue;
      const auto read = loader.line(line);
      if (!read) {
        return fail(ErrorKind::misconfigured, "{}:{}: {}", file, lines->line_number(),
                    read.error().message);
      }
    }
  }
  if (market->streams_.empty()) {
    return fail(ErrorKind::misconfigured, "{}: no frames of Binance's streams in it",
                fmt::join(files, ", "));
  }
  loader.finish();
  return market;
}

bool RecordedMarket::fills_quiet_candles() const {
  return !listings_.empty() &&
         simulator::fills_quiet_candles(listings_.front().instrument.exchange);
}

std::size_t RecordedMarket::list(const std::string& exchange, std::string_view symbol) {
  if (const auto known = find(symbol)) return *known;
  candlewick::Catalogue catalogue(exchange, candlewick::Market::spot, quote_assets);
  Listing listing;
  if (const auto* instrument = catalogue.find_or_infer(symbol)) {
    listing.instrument = *instrument;
  } else {
    listing.instrument.exchange = exchange;
    listing.instrument.symbol = listing.instrument.exchange_symbol = symbol;
  }
  listing.instrument.status = ListingStatus::trading;
  listing.instrument.listed = true;
  listing.price_digits = listing.size_digits = 8;
  listing.instrument.tick_size = listing.instrument.step_size =
      Decimal::from_count(Decimal::one / 100'000'000);
  listings_.push_back(std::move(listing));
  series_.emplace_back();
  return listings_.size() - 1;
}

Time RecordedMarket::default_start() const {
  return std::chrono::floor<std::chrono::seconds>(first_) - 1s;
}

Bar RecordedMarket::bar(std::size_t listing, Time from, Time to) {
  const auto& trades = series_[listing].trades;
  Bar result;
  auto trade = std::ranges::lower_bound(trades, from, {}, &MarketTrade::time);
  for (; trade != trades.end() && trade->time < to; ++trade) result.add(*trade);
  return result;
}

std::span<const MarketTrade> RecordedMarket::minute_trades(std::size_t listing,
                                                           std::int64_t minute) {
  const auto& trades = series_[listing].trades;
  const auto first =
      std::ranges::lower_bound(trades, time_of_minute(minute), {}, &MarketTrade::time);
  const auto last =
      std::ranges::lower_bound(trades, time_of_minute(minute + 1), {}, &MarketTrade::time);
  return {first, last};
}

std::optional<std::int64_t> RecordedMarket::minute_of_trade(std::size_t listing, std::uint64_t id) {
  const auto& trades = series_[listing].trades;
  const auto found = std::ranges::lower_bound(trades, id, {}, &MarketTrade::id);
  if (found == trades.end()) return std::nullopt;
  return minute_of(found->time);
}

std::optional<std::int64_t> RecordedMarket::minute_of_aggregate(std::size_t listing,
                                                                std::uint64_t id) {
  const auto& trades = series_[listing].trades;
  const auto found = std::ranges::lower_bound(trades, id, {}, &MarketTrade::aggregate_id);
  if (found == trades.end()) return std::nullopt;
  return minute_of(found->time);
}

std::span<const RecordedFrame> RecordedMarket::recorded(std::string_view stream) {
  const auto found = streams_.find(std::string(stream));
  if (found == streams_.end()) return {};
  return found->second;
}

void RecordedMarket::Ladders::apply(const BookChange& change) {
  const auto put = [](std::map<Decimal, Decimal>& side, const std::vector<Level>& levels) {
    for (const auto& level : levels) {
      if (level.size.is_zero()) {
        side.erase(level.price);
      } else {
        side[level.price] = level.size;
      }
    }
  };
  put(bids, change.bids);
  put(asks, change.asks);
  sequence = change.sequence;
}

void RecordedMarket::advance(Series& series, Time at) {
  Ladders& ladders = series.ladders;
  if (at < ladders.at) ladders = Ladders{};
  ladders.at = at;
  const auto& changes = series.changes;
  while (ladders.next < changes.size() && changes[ladders.next].time <= at) {
    const BookChange& change = changes[ladders.next++];
    if (!change.is_snapshot) {
      if (change.sequence > ladders.sequence) ladders.apply(change);
      continue;
    }
    if (change.sequence <= ladders.sequence && ladders.has_snapshot) continue;
    // The snapshot first, then what came before it on the stream and is newer all the same.
    ladders.bids.clear();
    ladders.asks.clear();
    ladders.apply(change);
    ladders.has_snapshot = true;
    for (std::size_t i = 0; i < ladders.next; ++i) {
      if (!changes[i].is_snapshot && changes[i].sequence > ladders.sequence)
        ladders.apply(changes[i]);
    }
  }
}

Book RecordedMarket::book(std::size_t listing, Time at, std::size_t levels) {
  Series& series = series_[listing];
  const auto first = std::ranges::find(series.changes, true, &BookChange::is_snapshot);
  if (first != series.changes.end() && at < first->time) at = first->time;
  advance(series, at);
  Book book;
  const Ladders& ladders = series.ladders;
  book.sequence = ladders.sequence;
  for (auto level = ladders.bids.rbegin();
       level != ladders.bids.rend() && book.bids.size() < levels; ++level) {
    book.bids.push_back({level->first, level->second});
  }
  for (auto level = ladders.asks.begin(); level != ladders.asks.end() && book.asks.size() < levels;
       ++level) {
    book.asks.push_back({level->first, level->second});
  }
  return book;
}

}  // namespace candlewick::simulator
