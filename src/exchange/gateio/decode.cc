// Frames of Gate.io to events. A stream's frame names its channel, a reply is told apart by the
// path it was asked at; the rows of both are read in rows.cc.
//
// Sources: www.gate.io/docs/developers/apiv4 (REST and WebSocket of spot), read 2026-11-21.
#include "base/json.h"
#include "exchange/gateio/gateio.h"
#include "exchange/gateio/rows.h"
#include "exchange/reading.h"

namespace candlewick::exchange::gateio {
namespace {

enum class Kind : unsigned char {
  nothing,
  candle,
  candles,
  trade,
  trades,
  ticker,
  tickers,
  quote,
  ladder,
  book,
  depth,
  time,
  listing,
  listings
};

Kind kind_of_channel(std::string_view channel) {
  if (channel == "spot.candlesticks") return Kind::candle;
  if (channel == "spot.trades") return Kind::trade;
  if (channel == "spot.tickers") return Kind::ticker;
  if (channel == "spot.book_ticker") return Kind::quote;
  if (channel == "spot.order_book") return Kind::ladder;
  if (channel == "spot.order_book_update") return Kind::book;
  return Kind::nothing;  // of other markets, pongs, and what there may be one day
}

Kind kind_of_path(std::string_view path) {
  const auto at = path.find("/spot/");
  if (at == std::string_view::npos) return Kind::nothing;
  path.remove_prefix(at + 6);
  if (path == "candlesticks") return Kind::candles;
  if (path == "trades") return Kind::trades;
  if (path == "tickers") return Kind::tickers;
  if (path == "order_book") return Kind::depth;
  if (path == "time") return Kind::time;
  if (path == "currency_pairs") return Kind::listings;
  return path.starts_with("currency_pairs/") ? Kind::listing : Kind::nothing;
}

bool is_passing(int http_status, std::string_view label) {
  return http_status >= 500 || http_status == 429 || label == "TOO_MANY_REQUESTS" ||
         label == "SERVER_ERROR" || label == "TOO_BUSY" || label == "INTERNAL";
}

class GateioDecoder final : public Decoder {
 public:
  explicit GateioDecoder(Catalogue& catalogue) : catalogue_(catalogue) {}

  std::uint64_t inexact_decimals() const override {
    return reader_.inexact_decimals() + data_reader_.inexact_decimals();
  }

  Result<void> decode(const Frame& frame, Events& out) override {
    const std::size_t before = out.size();
    received_ = frame.received_time;
    told_.reset();
    auto decoded = frame.is_reply ? decode_reply(frame, out) : decode_stream(frame, out);
    if (!decoded) out.resize(before);
    return decoded;
  }

 private:
  // {"time":1606292218,"time_ms":1606292218231,"channel":"spot.trades","event":"update",
  //  "result":{…}}; {…,"event":"subscribe","error":{"code":2,"message":"unknown currency pair
  //  GIBBERISH_USD"},"result":null}; {"time":1545404023,"channel":"spot.pong","event":"",…}
  Result<void> decode_stream(const Frame& frame, Events& out) {
    channel_.clear();
    event_.clear();
    code_.clear();
    message_.clear();
    std::string_view result;
    std::optional<Time> seconds;
    auto read = reader_.read(frame.text, [&](json::Value root) {
      root.members([&](std::string_view key, json::Value value) {
        if (key == "channel") channel_ = value.string();
        if (key == "event") event_ = value.string();
        if (key == "time_ms") told_ = epoch(value);
        if (key == "time") seconds = epoch(value);
        if (key == "error" && value.type() == json::Type::object) read_error(value);
        if (key == "result" && value.type() == json::Type::object) result = value.text();
      });
    });
    if (!read) return read;
    if (!message_.empty())
      return fail(ErrorKind::rejected, "{}: {}: {}", channel_, code_, message_);
    if (!told_) told_ = seconds;
    if (event_ != "update" || result.empty()) return {};
    const auto kind = kind_of_channel(channel_);
    if (kind == Kind::nothing) return {};
    return data_reader_.read(result, [&](json::Value row) { read_row(row, kind, frame, out); });
  }

  void read_error(json::Value& error) {
    error.members([&](std::string_view key, json::Value value) {
      if (key == "code") code_ = value.raw();
      if (key == "message") message_ = value.string();
    });
    if (message_.empty()) message_ = "no reason given";
  }

  // An answer has no envelope; {"label":"INVALID_CURRENCY","message":"Invalid currency"} refuses.
  Result<void> decode_reply(const Frame& frame, Events& out) {
    const auto kind = kind_of_path(path_of(frame.url));
    if (frame.http_status >= 400) return refusal(frame);
    if (kind == Kind::nothing) return {};
    return reader_.read(frame.text, [&](json::Value root) {
      const bool is_list = kind == Kind::candles || kind == Kind::trades || kind == Kind::tickers ||
                           kind == Kind::listings;
      if (!is_list) return read_row(root, kind, frame, out);
      root.elements([&](json::Value row) { read_row(row, kind, frame, out); });
    });
  }

  Result<void> refusal(const Frame& frame) {
    std::string label;
    message_.clear();
    const auto read = reader_.read(frame.text, [&](json::Value root) {
      root.members([&](std::string_view key, json::Value value) {
        if (key == "label") label = value.string();
        if (key == "message" || key == "detail") message_ = value.string();
      });
    });
    const auto kind =
        is_passing(frame.http_status, label) ? ErrorKind::transient : ErrorKind::rejected;
    if (!read || label.empty())
      return fail(kind, "HTTP {}: {}", frame.http_status, frame.text.substr(0, 200));
    return fail(kind, "{}: {}", label, message_);
  }

  void read_row(json::Value& row, Kind kind, const Frame& frame, Events& out) {
    switch (kind) {
      case Kind::candle:
        return stream_candle(row, out);
      case Kind::candles:
        return candle_row(row, frame, out);
      case Kind::trade:
      case Kind::trades:
        return trade(row, frame, out);
      case Kind::ticker:
      case Kind::tickers:
        return ticker(row, out);
      case Kind::quote:
        return quote(row, out);
      case Kind::ladder:
      case Kind::book:
      case Kind::depth:
        return levels(row, kind, frame, out);
      case Kind::time:
        return time(row, out);
      case Kind::listing:
      case Kind::listings:
        return listing(row, out);
      case Kind::nothing:
        break;
    }
  }

  const Instrument* instrument(json::Value& row, std::string_view symbol) {
    const auto* known = catalogue_.find_or_infer(symbol);
    if (known == nullptr)
      row.reject("unknown currency pair \"" + std::string(symbol.substr(0, 40)) + "\"");
    return known;
  }
  static std::string asked(const Frame& frame) { return parameter(frame.url, "currency_pair"); }

  void stream_candle(json::Value& row, Events& out) {
    Candle told;
    told.source = Source::ws;
    const auto name = read_candle(row, told);
    const auto line = name.find('_');
    if (line == std::string::npos) return;
    const auto timeframe = timeframe_of(std::string_view(name).substr(0, line));
    if (!timeframe) return;
    told.timeframe = *timeframe;
    told.origin = {instrument(row, std::string_view(name).substr(line + 1)), told_, received_};
    out.emplace_back(std::move(told));
  }

  void candle_row(json::Value& row, const Frame& frame, Events& out) {
    const auto timeframe = timeframe_of(parameter(frame.url, "interval"));
    if (!timeframe) return;
    Candle told;
    told.timeframe = *timeframe;
    told.source = Source::rest;
    told.closed_is_known = false;
    read_candle_row(row, told);
    told.origin = {instrument(row, asked(frame)), std::nullopt, received_};
    out.emplace_back(std::move(told));
  }

  void trade(json::Value& row, const Frame& frame, Events& out) {
    Trade told;
    const auto symbol = read_trade(row, told);
    told.origin.instrument = instrument(row, symbol.empty() ? asked(frame) : symbol);
    told.origin.received_time = received_;
    out.emplace_back(std::move(told));
  }

  void ticker(json::Value& row, Events& out) {
    Ticker told;
    told.origin.instrument = instrument(row, read_ticker(row, told));
    told.origin.exchange_time = told_;
    told.origin.received_time = received_;
    out.emplace_back(std::move(told));
  }

  void quote(json::Value& row, Events& out) {
    std::optional<Quote> told;
    const auto symbol = read_best(row, told);
    if (!told) return;
    told->origin.instrument = instrument(row, symbol);
    told->origin.received_time = received_;
    out.emplace_back(*std::move(told));
  }

  void levels(json::Value& row, Kind kind, const Frame& frame, Events& out) {
    BookUpdate book;
    book.kind = kind == Kind::book ? BookKind::delta : BookKind::snapshot;
    book.is_partial = kind == Kind::ladder;
    const auto symbol = read_book(row, book, kind == Kind::book);
    book.origin.instrument = instrument(row, kind == Kind::depth ? asked(frame) : symbol);
    book.origin.received_time = received_;
    out.emplace_back(std::move(book));
  }

  // {"server_time":1597026383085}
  void time(json::Value& row, Events& out) {
    row.members([&](std::string_view key, json::Value value) {
      if (key == "server_time")
        out.emplace_back(ClockReading{catalogue_.exchange(), epoch(value), received_});
    });
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
  std::optional<Time> told_;  // by the frame's envelope
  std::string channel_;
  std::string event_;
  std::string code_;
  std::string message_;
};

}  // namespace

std::unique_ptr<Decoder> make_decoder(Catalogue& catalogue) {
  return std::make_unique<GateioDecoder>(catalogue);
}

}  // namespace candlewick::exchange::gateio
