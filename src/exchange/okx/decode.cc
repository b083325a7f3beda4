// Frames of OKX v5 to events. A stream's frame names its channel in `arg`, a reply is told apart by
// the path it was asked at; what either carries in `data` is read by the same functions.
//
// Source: OKX API v5 documentation (docs-v5), copy of 2026-06-27, read 2026-11-21.
#include <algorithm>
#include <array>

#include "base/json.h"
#include "exchange/okx/okx.h"
#include "exchange/okx/rows.h"
#include "exchange/reading.h"

namespace candlewick::exchange::okx {
namespace {

enum class Kind : unsigned char {
  nothing,
  candles,
  trades,
  ticker,
  quote,
  ladder,
  book,
  depth,
  time,
  listings
};

struct Topic {
  Kind kind = Kind::nothing;
  const Instrument* instrument = nullptr;
  Timeframe timeframe = Timeframe::m1;
  Source source = Source::ws;
};

// "BTC-USDT", not "BTC-USDT-SWAP" or "BTC-USD-220527".
bool is_spot(std::string_view symbol) {
  return std::ranges::count(symbol, '-') == 1;
}

// Errors that mend themselves: service unavailable, time-out, too many requests, busy, internal.
bool is_passing(std::string_view code) {
  constexpr std::array<std::string_view, 5> codes{"50001", "50004", "50011", "50013", "50026"};
  return std::ranges::find(codes, code) != codes.end();
}

class OkxDecoder final : public Decoder {
 public:
  explicit OkxDecoder(Catalogue& catalogue) : catalogue_(catalogue) {}

  std::uint64_t inexact_decimals() const override {
    return reader_.inexact_decimals() + data_reader_.inexact_decimals();
  }

  Result<void> decode(const Frame& frame, Events& out) override {
    if (!frame.is_reply && frame.text == "pong") return {};
    const std::size_t before = out.size();
    received_ = frame.received_time;
    auto decoded = frame.is_reply ? decode_reply(frame, out) : decode_stream(frame, out);
    if (!decoded) out.resize(before);
    return decoded;
  }

 private:
  // {"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[…]}, with "action" for books;
  // {"event":"subscribe","arg":{…},"connId":"a4d3ae55"};
  // {"id":"7","event":"error","code":"60018","msg":"…","connId":"a4d3ae55"}
  Result<void> decode_stream(const Frame& frame, Events& out) {
    channel_.clear();
    symbol_.clear();
    action_.clear();
    event_.clear();
    code_.clear();
    message_.clear();
    std::string_view data;
    auto read = reader_.read(frame.text, [&](json::Value root) {
      root.members([&](std::string_view key, json::Value value) {
        if (key == "arg") {
          value.members([&](std::string_view name, json::Value part) {
            if (name == "channel") channel_ = part.string();
            if (name == "instId") symbol_ = part.string();
          });
        } else if (key == "data") {
          data = value.text();
        } else {
          text_member(key, value);
        }
      });
    });
    if (!read) return read;
    if (event_ == "error") {
      return fail(ErrorKind::rejected, "{}: {}{}{}", code_, message_, symbol_.empty() ? "" : " ",
                  symbol_);
    }
    // A service upgrade: the connection goes down a minute later.
    if (event_ == "notice" && code_ == "64008") {
      out.emplace_back(ShutdownNotice{catalogue_.exchange(), std::nullopt});
      return {};
    }
    if (data.empty()) return {};
    const auto topic = topic_of_channel();
    if (!topic) return fail(topic.error());
    return read_data(data, *topic, out);
  }

  void text_member(std::string_view key, json::Value& value) {
    if (key == "action") action_ = value.string();
    if (key == "event") event_ = value.string();
    if (key == "code") code_ = value.raw();
    if (key == "msg") message_ = value.string();
  }

  // Instruments that are no spot are left to those who have listed them.
  Result<const Instrument*> instrument(const std::string& symbol) {
    const auto* known =
        is_spot(symbol) ? catalogue_.find_or_infer(symbol) : catalogue_.find(symbol);
    if (known == nullptr && symbol.find('-') == std::string::npos)
      return fail(ErrorKind::malformed, "unknown instId \"{}\"", symbol.substr(0, 40));
    return known;
  }

  Result<Topic> topic_of_channel() {
    Topic topic;
    if (channel_.starts_with("candle")) {
      const auto timeframe = timeframe_of(std::string_view(channel_).substr(6));
      if (!timeframe) return topic;
      topic.kind = Kind::candles;
      topic.timeframe = *timeframe;
    } else if (channel_ == "trades" || channel_ == "trades-all") {
      topic.kind = Kind::trades;
    } else if (channel_ == "tickers") {
      topic.kind = Kind::ticker;
    } else if (channel_ == "bbo-tbt") {
      topic.kind = Kind::quote;
    } else if (channel_ == "books5") {
      topic.kind = Kind::ladder;
    } else if (channel_ == "books" || channel_ == "books-l2-tbt" || channel_ == "books50-l2-tbt") {
      topic.kind = Kind::book;
      if (action_ != "snapshot" && action_ != "update")
        return fail(ErrorKind::malformed, "{}: action is \"{}\"", channel_, action_);
    } else {
      return topic;
    }
    auto known = instrument(symbol_);
    if (!known) return fail(known.error());
    topic.instrument = *known;
    if (*known == nullptr) topic.kind = Kind::nothing;
    return topic;
  }

  // {"code":"0","msg":"","data":[…]}
  Result<void> decode_reply(const Frame& frame, Events& out) {
    code_.clear();
    message_.clear();
    std::string_view data;
    auto read = reader_.read(frame.text, [&](json::Value root) {
      root.members([&](std::string_view key, json::Value value) {
        if (key == "data") {
          data = value.text();
        } else {
          text_member(key, value);
        }
      });
    });
    if (!read && frame.http_status < 400) return read;
    if (!read || code_.empty()) {
      // A front end or a proxy may answer with a page. What begins as the venue's own words was cut
      // on its way: time-outs come with HTTP 400.
      const bool is_cut = frame.text.empty() || frame.text.starts_with('{');
      const auto kind = frame.http_status < 400 ? ErrorKind::malformed
                        : is_cut                ? ErrorKind::transient
                                                : ErrorKind::rejected;
      return fail(kind, "HTTP {}: {}", frame.http_status, frame.text.substr(0, 200));
    }
    if (code_ != "0") {
      const auto kind = is_passing(code_) ? ErrorKind::transient : ErrorKind::rejected;
      return fail(kind, "{}: {}", code_, message_);
    }
    const auto topic = topic_of_path(frame.url);
    if (!topic) return fail(topic.error());
    if (data.empty()) return fail(ErrorKind::malformed, "data is missing");
    return read_data(data, *topic, out);
  }

  Result<Topic> topic_of_path(std::string_view url) {
    auto path = path_of(url);
    Topic topic;
    topic.source = Source::rest;
    constexpr std::string_view root = "/api/v5/";
    if (!path.starts_with(root)) return topic;
    path.remove_prefix(root.size());
    if (path == "public/time") topic.kind = Kind::time;
    if (path == "public/instruments") topic.kind = Kind::listings;
    if (path == "market/ticker" || path == "market/tickers") topic.kind = Kind::ticker;
    if (path == "market/books" || path == "market/books-full") topic.kind = Kind::depth;
    if (path == "market/trades" || path == "market/history-trades") topic.kind = Kind::trades;
    if (path == "market/candles" || path == "market/history-candles") topic.kind = Kind::candles;
    if (topic.kind != Kind::depth && topic.kind != Kind::candles) return topic;
    const auto symbol = parameter(url, "instId");
    const auto known = instrument(symbol);
    if (!known) return fail(known.error());
    if (*known == nullptr) return Topic{};
    topic.instrument = *known;
    if (topic.kind == Kind::depth) return topic;
    const auto bar = parameter(url, "bar");
    const auto timeframe = timeframe_of(bar.empty() ? "1m" : bar);
    if (!timeframe) return Topic{};
    topic.timeframe = *timeframe;
    return topic;
  }

  Result<void> read_data(std::string_view data, const Topic& topic, Events& out) {
    if (topic.kind == Kind::nothing) return {};
    std::optional<Error> error;
    auto read = data_reader_.read(data, [&](json::Value root) {
      root.elements([&](json::Value row) {
        if (auto done = read_row(row, topic, out); !done && !error) error = done.error();
      });
    });
    if (!read) return read;
    if (error) return fail(*std::move(error));
    return {};
  }

  Result<void> read_row(json::Value& row, const Topic& topic, Events& out) {
    switch (topic.kind) {
      case Kind::candles:
        out.emplace_back(candle(row, topic));
        return {};
      case Kind::trades:
        return trade(row, out);
      case Kind::ticker:
        return ticker(row, out);
      case Kind::quote:
      case Kind::ladder:
      case Kind::book:
      case Kind::depth:
        levels(row, topic, out);
        return {};
      case Kind::time:
        row.members([&](std::string_view key, json::Value value) {
          if (key == "ts")
            out.emplace_back(ClockReading{catalogue_.exchange(), epoch(value), received_});
        });
        return {};
      case Kind::listings:
        listing(row, out);
        return {};
      case Kind::nothing:
        break;
    }
    return {};
  }

  Candle candle(json::Value& row, const Topic& topic) {
    Candle candle;
    candle.origin = {topic.instrument, std::nullopt, received_};
    candle.timeframe = topic.timeframe;
    candle.source = topic.source;
    candle.closed_is_known = topic.source == Source::ws;
    read_candle(row, candle);
    return candle;
  }

  Result<void> trade(json::Value& row, Events& out) {
    Trade trade;
    trade.origin.received_time = received_;
    const auto known = instrument(read_trade(row, trade));
    if (!known) return fail(known.error());
    trade.origin.instrument = *known;
    if (*known != nullptr) out.emplace_back(std::move(trade));
    return {};
  }

  Result<void> ticker(json::Value& row, Events& out) {
    Ticker ticker;
    ticker.origin.received_time = received_;
    const auto known = instrument(read_ticker(row, ticker));
    if (!known) return fail(known.error());
    ticker.origin.instrument = *known;
    if (*known != nullptr) out.emplace_back(std::move(ticker));
    return {};
  }

  void levels(json::Value& row, const Topic& topic, Events& out) {
    BookUpdate book;
    book.origin = {topic.instrument, std::nullopt, received_};
    const bool is_update = topic.kind == Kind::book && action_ == "update";
    book.kind = is_update ? BookKind::delta : BookKind::snapshot;
    book.is_partial = topic.kind == Kind::ladder || topic.kind == Kind::depth;
    read_book(row, book, topic.kind == Kind::book);
    if (topic.kind != Kind::quote) return static_cast<void>(out.emplace_back(std::move(book)));
    // An empty side makes no quote.
    if (book.bids.empty() || book.asks.empty()) return;
    out.emplace_back(Quote{book.origin, book.bids[0].price, book.bids[0].size, book.asks[0].price,
                           book.asks[0].size, std::nullopt});
  }

  void listing(json::Value& row, Events& out) {
    auto listed = read_listing(row);
    if (!listed) return;
    const Instrument& stored = catalogue_.put(*std::move(listed));
    out.emplace_back(Listing{.origin = {&stored, std::nullopt, received_}});
  }

  Catalogue& catalogue_;
  json::Reader reader_;
  json::Reader data_reader_;
  std::optional<Time> received_;
  std::string channel_;
  std::string symbol_;
  std::string action_;
  std::string event_;
  std::string code_;
  std::string message_;
};

}  // namespace

std::unique_ptr<Decoder> make_decoder(Catalogue& catalogue) {
  return std::make_unique<OkxDecoder>(catalogue);
}

}  // namespace candlewick::exchange::okx
