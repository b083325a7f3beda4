// Frames of Bitget v2 to events. A stream's frame names its channel in `arg`, a reply is told apart
// by the path it was asked at; what either carries in `data` is read by the same functions.
//
// Source: Bitget API v2 documentation, read 2026-11-21.
#include <algorithm>
#include <array>
#include <map>

#include "exchange/bitget/bitget.h"
#include "exchange/bitget/rows.h"

namespace candlewick::exchange::bitget {
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

// Errors that mend themselves: time-outs, busy, maintenance, too many requests.
bool is_passing(std::string_view code) {
  constexpr std::array<std::string_view, 6> codes{"429",   "40010", "40015",
                                                  "40725", "40808", "45001"};
  return std::ranges::find(codes, code) != codes.end();
}

class BitgetDecoder final : public Decoder {
 public:
  explicit BitgetDecoder(Catalogue& catalogue) : catalogue_(catalogue) {}

  std::uint64_t inexact_decimals() const override {
    return reader_.inexact_decimals() + data_reader_.inexact_decimals();
  }

  Result<void> decode(const Frame& frame, Events& out) override {
    if (!frame.is_reply && frame.text == "pong") return {};
    const std::size_t before = out.size();
    received_ = frame.received_time;
    told_.reset();
    auto decoded = frame.is_reply ? decode_reply(frame, out) : decode_stream(frame, out);
    if (!decoded) out.resize(before);
    return decoded;
  }

 private:
  // {"action":"snapshot","arg":{"instType":"SPOT","channel":"ticker","instId":"BTCUSDT"},
  //  "data":[…],"ts":1701842994341};
  // {"event":"subscribe","arg":{…}};
  // {"event":"error","arg":{…},"code":30001,"msg":"…","op":"subscribe"}
  Result<void> decode_stream(const Frame& frame, Events& out) {
    for (auto* text : {&type_, &channel_, &symbol_, &action_, &event_, &code_, &message_})
      text->clear();
    std::string_view data;
    auto read = reader_.read(frame.text, [&](json::Value root) {
      root.members([&](std::string_view key, json::Value value) {
        if (key == "arg") {
          value.members([&](std::string_view name, json::Value part) {
            if (name == "instType") type_ = part.string();
            if (name == "channel") channel_ = part.string();
            if (name == "instId") symbol_ = part.string();
          });
        } else if (key == "data") {
          data = value.text();
        } else if (key == "ts") {
          told_ = epoch(value);
        } else {
          text_member(key, value);
        }
      });
    });
    if (!read) return read;
    if (event_ == "error") {
      return fail(ErrorKind::rejected, "{}: {} ({} {})", code_, message_, channel_, symbol_);
    }
    // Of v1, which is switched off ("sp"), or of another market.
    if (data.empty() || type_ != "SPOT") return {};
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

  Result<const Instrument*> instrument(std::string_view symbol) {
    const auto* known = catalogue_.find_or_infer(symbol);
    if (known == nullptr)
      return fail(ErrorKind::malformed, "unknown symbol \"{}\"", symbol.substr(0, 40));
    return known;
  }

  Result<Topic> topic_of_channel() {
    Topic topic;
    if (channel_.starts_with("candle")) {
      const auto timeframe = timeframe_of_channel(std::string_view(channel_).substr(6));
      if (!timeframe) return topic;
      topic.kind = Kind::candles;
      topic.timeframe = *timeframe;
    } else if (channel_ == "trade") {
      topic.kind = Kind::trades;
    } else if (channel_ == "ticker") {
      topic.kind = Kind::ticker;
    } else if (channel_ == "books1") {
      topic.kind = Kind::quote;
    } else if (channel_ == "books5" || channel_ == "books15") {
      topic.kind = Kind::ladder;
    } else if (channel_ == "books") {
      topic.kind = Kind::book;
    } else {
      return topic;
    }
    if (action_ != "snapshot" && action_ != "update")
      return fail(ErrorKind::malformed, "{}: action is \"{}\"", channel_, action_);
    const auto known = instrument(symbol_);
    if (!known) return fail(known.error());
    topic.instrument = *known;
    return topic;
  }

  // {"code":"00000","msg":"success","requestTime":1695865274510,"data":[…]}
  Result<void> decode_reply(const Frame& frame, Events& out) {
    for (auto* text : {&code_, &message_, &action_, &event_}) text->clear();
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
      // A front end may answer with a page. What begins as the venue's own words was cut on its
      // way.
      const bool is_cut = frame.text.empty() || frame.text.starts_with('{');
      const auto kind = frame.http_status < 400 ? ErrorKind::malformed
                        : is_cut                ? ErrorKind::transient
                                                : ErrorKind::rejected;
      return fail(kind, "HTTP {}: {}", frame.http_status, frame.text.substr(0, 200));
    }
    if (code_ != "00000") {
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
    constexpr std::string_view root = "/api/v2/";
    if (!path.starts_with(root)) return topic;
    path.remove_prefix(root.size());
    if (path == "public/time") topic.kind = Kind::time;
    if (path == "spot/public/symbols") topic.kind = Kind::listings;
    if (path == "spot/market/tickers") topic.kind = Kind::ticker;
    if (path == "spot/market/orderbook") topic.kind = Kind::depth;
    if (path == "spot/market/fills" || path == "spot/market/fills-history")
      topic.kind = Kind::trades;
    if (path == "spot/market/candles" || path == "spot/market/history-candles") {
      const auto timeframe = timeframe_of_granularity(parameter(url, "granularity"));
      if (!timeframe) return Topic{};
      topic.kind = Kind::candles;
      topic.timeframe = *timeframe;
    }
    const bool is_of_one =
        topic.kind == Kind::depth || topic.kind == Kind::trades || topic.kind == Kind::candles;
    if (!is_of_one) return topic;
    const auto known = instrument(parameter(url, "symbol"));
    if (!known) return fail(known.error());
    topic.instrument = *known;
    return topic;
  }

  Result<void> read_data(std::string_view data, const Topic& topic, Events& out) {
    if (topic.kind == Kind::nothing) return {};
    std::optional<Error> error;
    const std::size_t before = out.size();
    auto read = data_reader_.read(data, [&](json::Value root) {
      const auto one = [&](json::Value row) {
        if (auto done = read_row(row, topic, out); !done && !error) error = done.error();
      };
      if (root.type() == json::Type::array) return root.elements(one);
      one(root);
    });
    if (!read) return read;
    if (error) return fail(*std::move(error));
    // A new subscription is told of hours that have passed: those are REST's to tell, which says
    // whether it tells them whole.
    if (topic.kind == Kind::candles && topic.source == Source::ws && action_ == "snapshot")
      keep_newest(out, before);
    // The newest trade comes first.
    if (topic.kind == Kind::trades) {
      std::stable_sort(out.begin() + static_cast<std::ptrdiff_t>(before), out.end(),
                       [](const Event& a, const Event& b) {
                         return std::get<Trade>(a).id < std::get<Trade>(b).id;
                       });
    }
    return {};
  }

  static void keep_newest(Events& out, std::size_t before) {
    if (out.size() <= before + 1) return;
    const auto first = out.begin() + static_cast<std::ptrdiff_t>(before);
    const auto newest = std::max_element(first, out.end(), [](const Event& a, const Event& b) {
      return std::get<Candle>(a).open_time < std::get<Candle>(b).open_time;
    });
    std::iter_swap(first, newest);
    out.resize(before + 1);
  }

  Result<void> read_row(json::Value& row, const Topic& topic, Events& out) {
    switch (topic.kind) {
      case Kind::candles:
        out.emplace_back(candle(row, topic));
        return {};
      case Kind::trades: {
        Trade trade;
        trade.origin = {topic.instrument, std::nullopt, received_};
        read_trade(row, trade);
        out.emplace_back(std::move(trade));
        return {};
      }
      case Kind::ticker:
        ticker(row, topic, out);
        return {};
      case Kind::quote:
      case Kind::ladder:
      case Kind::book:
      case Kind::depth:
        levels(row, topic, out);
        return {};
      case Kind::time:
        row.members([&](std::string_view key, json::Value value) {
          if (key == "serverTime")
            out.emplace_back(ClockReading{catalogue_.exchange(), epoch(value), received_});
        });
        return {};
      case Kind::listings: {
        auto listed = read_listing(row);
        if (listed.exchange_symbol.empty()) return {};
        const Instrument& stored = catalogue_.put(std::move(listed));
        out.emplace_back(Listing{.origin = {&stored, std::nullopt, received_}});
        return {};
      }
      case Kind::nothing:
        break;
    }
    return {};
  }

  // Nothing ever says that a candle is final.
  Candle candle(json::Value& row, const Topic& topic) {
    Candle candle;
    candle.origin = {topic.instrument, topic.source == Source::ws ? told_ : std::nullopt,
                     received_};
    candle.timeframe = topic.timeframe;
    candle.source = topic.source;
    candle.closed_is_known = topic.source == Source::ws;
    read_candle(row, candle);
    return candle;
  }

  void ticker(json::Value& row, const Topic& topic, Events& out) {
    Ticker ticker;
    ticker.origin.received_time = received_;
    const auto symbol = read_ticker(row, ticker);
    ticker.origin.instrument = topic.instrument;
    if (topic.instrument == nullptr) {
      // In a list of all there may be some that are quoted in what we do not know.
      ticker.origin.instrument = catalogue_.find_or_infer(symbol);
      if (ticker.origin.instrument == nullptr) return;
    }
    out.emplace_back(std::move(ticker));
  }

  void levels(json::Value& row, const Topic& topic, Events& out) {
    BookUpdate book;
    book.origin = {topic.instrument, std::nullopt, received_};
    const bool is_update = topic.kind == Kind::book && action_ == "update";
    book.kind = is_update ? BookKind::delta : BookKind::snapshot;
    book.is_partial = topic.kind != Kind::book;
    read_book(row, book, digits_[topic.instrument]);
    if (topic.kind != Kind::quote) return static_cast<void>(out.emplace_back(std::move(book)));
    // An empty side makes no quote.
    if (book.bids.empty() || book.asks.empty()) return;
    out.emplace_back(Quote{book.origin, book.bids[0].price, book.bids[0].size, book.asks[0].price,
                           book.asks[0].size, book.sequence});
  }

  Catalogue& catalogue_;
  json::Reader reader_;
  json::Reader data_reader_;
  std::map<const Instrument*, LevelDigits> digits_;
  std::optional<Time> received_;
  std::optional<Time> told_;  // when the venue sent it
  std::string type_;
  std::string channel_;
  std::string symbol_;
  std::string action_;
  std::string event_;
  std::string code_;
  std::string message_;
};

}  // namespace

std::unique_ptr<Decoder> make_decoder(Catalogue& catalogue) {
  return std::make_unique<BitgetDecoder>(catalogue);
}

}  // namespace candlewick::exchange::bitget
