// Frames of KuCoin to events. A stream's frame names its topic, a reply is told apart by the path
// it was asked at; what either carries in `data` is read by the same functions.
//
// Sources: www.kucoin.com/docs-new (spot market data), read 2026-11-21.
#include <algorithm>

#include "base/json.h"
#include "exchange/kucoin/kucoin.h"
#include "exchange/kucoin/rows.h"
#include "exchange/reading.h"

namespace candlewick::exchange::kucoin {
namespace {

enum class Kind : unsigned char {
  nothing,
  candle,   // one, of a stream
  candles,  // rows of REST
  trade,
  trades,
  ticker,
  tickers,  // of all symbols
  day,      // the ticker stands in another `data`
  quote,
  ladder,
  book,
  depth,
  time,
  listing,
  listings
};

struct Topic {
  Kind kind = Kind::nothing;
  std::string symbol{};
  Timeframe timeframe = Timeframe::m1;
};

// "/market/candles:BTC-USDT_1min". Of contracts and of single orders nothing is read.
Topic topic_of(std::string_view text, std::string_view subject) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return {};
  const auto name = text.substr(0, colon);
  const auto rest = text.substr(colon + 1);
  const std::string symbol(rest);
  if (name == "/market/match") return {Kind::trade, symbol};
  if (name == "/market/level2") return {Kind::book, symbol};
  if (name == "/spotMarket/level1") return {Kind::quote, symbol};
  if (name == "/spotMarket/level2Depth5" || name == "/spotMarket/level2Depth50")
    return {Kind::ladder, symbol};
  if (name == "/market/snapshot") return {Kind::day, symbol};
  if (name == "/market/ticker")
    return {Kind::ticker, rest == "all" ? std::string(subject) : symbol};
  if (name != "/market/candles") return {};
  const auto line = rest.rfind('_');
  const auto timeframe =
      line == std::string_view::npos ? std::nullopt : timeframe_of(rest.substr(line + 1));
  if (!timeframe) return {};
  return {Kind::candle, std::string(rest.substr(0, line)), *timeframe};
}

Topic topic_of_url(std::string_view url) {
  const auto path = path_of(url);
  const auto symbol = parameter(url, "symbol");
  if (path.ends_with("/timestamp")) return {Kind::time};
  if (path.ends_with("/symbols")) return {Kind::listings};
  if (path.ends_with("/market/allTickers")) return {Kind::tickers};
  if (path.contains("/symbols/")) return {Kind::listing};
  if (path.ends_with("/market/stats") || path.ends_with("/orderbook/level1"))
    return {Kind::ticker, symbol};
  if (path.contains("/market/orderbook/level2")) return {Kind::depth, symbol};
  if (path.ends_with("/market/histories")) return {Kind::trades, symbol};
  if (!path.ends_with("/market/candles")) return {};
  const auto timeframe = timeframe_of(parameter(url, "type"));
  if (!timeframe) return {};
  return {Kind::candles, symbol, *timeframe};
}

// Errors that mend themselves: too many requests, and the venue's own.
bool is_passing(std::string_view code) {
  return code == "429000" || (code.size() == 6 && code.front() == '5');
}

class KucoinDecoder final : public Decoder {
 public:
  explicit KucoinDecoder(Catalogue& catalogue) : catalogue_(catalogue) {}

  std::uint64_t inexact_decimals() const override {
    return reader_.inexact_decimals() + data_reader_.inexact_decimals();
  }

  Result<void> decode(const Frame& frame, Events& out) override {
    const std::size_t before = out.size();
    received_ = frame.received_time;
    source_ = frame.is_reply ? Source::rest : Source::ws;
    auto decoded = frame.is_reply ? decode_reply(frame, out) : decode_stream(frame, out);
    if (!decoded) out.resize(before);
    return decoded;
  }

 private:
  // {"topic":"/market/match:BTC-USDT","type":"message","subject":"trade.l3match","data":{…}};
  // {"id":"hQvf8jkno","type":"welcome"}; {"id":"7","type":"ack"};
  // {"id":"8","type":"error","code":404,"data":"topic /market/x:BTC-USDT is not found"}
  Result<void> decode_stream(const Frame& frame, Events& out) {
    if (auto read = read_envelope(frame.text); !read) return read;
    if (type_ == "error") return fail(ErrorKind::rejected, "{}: {}", code_, message_);
    if (type_ != "message" || data_.empty()) return {};
    return read_data(topic_of(topic_, subject_), out);
  }

  // {"code":"200000","data":…}; {"code":"400100","msg":"Param. 'symbol' should not be empty"}
  Result<void> decode_reply(const Frame& frame, Events& out) {
    auto read = read_envelope(frame.text);
    if (!read && frame.http_status < 400) return read;
    if (!read || code_.empty()) {
      // A front end may answer with a page.
      const bool is_passing_status = frame.http_status >= 500 || frame.http_status == 429;
      const auto kind = frame.http_status < 400 ? ErrorKind::malformed
                        : is_passing_status     ? ErrorKind::transient
                                                : ErrorKind::rejected;
      return fail(kind, "HTTP {}: {}", frame.http_status, frame.text.substr(0, 200));
    }
    if (code_ != "200000") {
      const auto kind = is_passing(code_) ? ErrorKind::transient : ErrorKind::rejected;
      return fail(kind, "{}: {}", code_, message_);
    }
    const auto topic = topic_of_url(frame.url);
    if (topic.kind == Kind::time) {
      if (!clock_) return fail(ErrorKind::malformed, "data: a time was expected");
      out.emplace_back(ClockReading{catalogue_.exchange(), *clock_, received_});
      return {};
    }
    if (topic.kind != Kind::nothing && data_.empty())
      return fail(ErrorKind::malformed, "data is missing");
    return read_data(topic, out);
  }

  Result<void> read_envelope(std::string_view text) {
    type_.clear();
    topic_.clear();
    subject_.clear();
    code_.clear();
    message_.clear();
    data_ = {};
    clock_.reset();
    return reader_.read(text, [&](json::Value root) {
      root.members([&](std::string_view key, json::Value value) {
        if (key == "type") type_ = value.string();
        if (key == "topic") topic_ = value.string();
        if (key == "subject") subject_ = value.string();
        if (key == "code") code_ = value.raw();
        if (key == "msg") message_ = value.string();
        if (key == "data") keep(value);
      });
    });
  }

  // An error's words stand there as well, and the venue's time.
  void keep(json::Value& value) {
    const auto type = value.type();
    if (type == json::Type::object || type == json::Type::array) data_ = value.text();
    if (type == json::Type::string) message_ = value.string();
    if (type == json::Type::number) clock_ = time_of_epoch(value.integer());
  }

  Result<void> read_data(const Topic& topic, Events& out) {
    if (topic.kind == Kind::nothing) return {};
    return data_reader_.read(data_, [&](json::Value root) {
      switch (topic.kind) {
        case Kind::candles:
        case Kind::trades:
          root.elements([&](json::Value row) { read_row(row, topic, out); });
          break;
        case Kind::listings:
          root.elements([&](json::Value row) { listing(row, out); });
          break;
        case Kind::listing:
          listing(root, out);
          break;
        case Kind::day:
          day(root, topic, out);
          break;
        case Kind::tickers:
          tickers(root, out);
          break;
        default:
          read_row(root, topic, out);
      }
    });
  }

  void read_row(json::Value& row, const Topic& topic, Events& out) {
    switch (topic.kind) {
      case Kind::candle:
        return stream_candle(row, topic, out);
      case Kind::candles:
        return candle(row, topic, std::nullopt, out);
      case Kind::trade:
      case Kind::trades:
        return trade(row, topic, out);
      case Kind::ticker:
        return ticker(row, topic.symbol, out);
      case Kind::quote:
        return quote(row, topic, out);
      case Kind::ladder:
      case Kind::book:
      case Kind::depth:
        return levels(row, topic, out);
      default:
        return;
    }
  }

  const Instrument* instrument(json::Value& row, std::string_view symbol) {
    const auto* known = catalogue_.find_or_infer(symbol);
    if (known == nullptr)
      row.reject("unknown symbol \"" + std::string(symbol.substr(0, 40)) + "\"");
    return known;
  }

  // {"symbol":"BTC-USDT","candles":["1729839600",…],"time":1729842192785164840}
  void stream_candle(json::Value& row, const Topic& topic, Events& out) {
    Candle told;
    bool has_candle = false;
    row.members([&](std::string_view key, json::Value value) {
      if (key == "time") told.origin.exchange_time = epoch(value);
      if (key != "candles") return;
      read_candle(value, told);
      has_candle = true;
    });
    if (!has_candle) return row.reject("candles are missing");
    put(row, topic, std::move(told), out);
  }
  void candle(json::Value& row, const Topic& topic, std::optional<Time> time, Events& out) {
    Candle told;
    told.origin.exchange_time = time;
    read_candle(row, told);
    put(row, topic, std::move(told), out);
  }
  // Nothing says that a candle is final.
  void put(json::Value& row, const Topic& topic, Candle told, Events& out) {
    told.origin.instrument = instrument(row, topic.symbol);
    told.origin.received_time = received_;
    told.timeframe = topic.timeframe;
    told.source = source_;
    told.closed_is_known = source_ == Source::ws;
    out.emplace_back(std::move(told));
  }

  void trade(json::Value& row, const Topic& topic, Events& out) {
    Trade told;
    const auto symbol = read_trade(row, told);
    told.origin.instrument = instrument(row, symbol.empty() ? topic.symbol : symbol);
    told.origin.received_time = received_;
    out.emplace_back(std::move(told));
  }

  void ticker(json::Value& row, const std::string& asked, Events& out) {
    Ticker told;
    const auto symbol = read_ticker(row, told);
    told.origin.instrument = instrument(row, symbol.empty() ? asked : symbol);
    told.origin.received_time = received_;
    out.emplace_back(std::move(told));
  }

  // {"sequence":"5701753771","data":{…}}; of a whole market it is a list.
  void day(json::Value& row, const Topic& topic, Events& out) {
    row.members([&](std::string_view key, json::Value value) {
      if (key != "data") return;
      if (value.type() != json::Type::array) return ticker(value, topic.symbol, out);
      value.elements([&](json::Value one) { ticker(one, topic.symbol, out); });
    });
  }

  // {"time":1602832092060,"ticker":[{"symbol":"BTC-USDT","buy":"11328.9",…},…]}
  void tickers(json::Value& root, Events& out) {
    const std::size_t before = out.size();
    std::optional<Time> time;
    bool has_list = false;
    root.members([&](std::string_view key, json::Value value) {
      if (key == "time") time = epoch(value);
      if (key != "ticker") return;
      has_list = true;
      value.elements([&](json::Value row) { ticker(row, {}, out); });
    });
    if (!has_list) return root.reject("ticker is missing");
    for (std::size_t i = before; i < out.size(); ++i)
      std::get<Ticker>(out[i]).origin.exchange_time = time;
  }

  void quote(json::Value& row, const Topic& topic, Events& out) {
    auto told = read_best(row);
    if (!told) return;
    told->origin.instrument = instrument(row, topic.symbol);
    told->origin.received_time = received_;
    out.emplace_back(*std::move(told));
  }

  void levels(json::Value& row, const Topic& topic, Events& out) {
    BookUpdate book;
    book.kind = topic.kind == Kind::book ? BookKind::delta : BookKind::snapshot;
    book.is_partial = topic.kind == Kind::ladder;
    if (topic.kind == Kind::book) {
      read_changes(row, book);
    } else {
      read_levels_of(row, book);
    }
    book.origin.instrument = instrument(row, topic.symbol);
    book.origin.received_time = received_;
    out.emplace_back(std::move(book));
  }

  void listing(json::Value& row, Events& out) {
    auto listed = read_symbol(row);
    if (!listed) return;
    const Instrument& stored = catalogue_.put(*std::move(listed));
    out.emplace_back(Listing{.origin = {&stored, std::nullopt, received_}});
  }

  Catalogue& catalogue_;
  json::Reader reader_;
  json::Reader data_reader_;
  std::optional<Time> received_;
  Source source_ = Source::ws;
  std::string type_;
  std::string topic_;
  std::string subject_;
  std::string code_;
  std::string message_;
  std::string_view data_;  // of the frame at hand
  std::optional<Time> clock_;
};

}  // namespace

std::unique_ptr<Decoder> make_decoder(Catalogue& catalogue) {
  return std::make_unique<KucoinDecoder>(catalogue);
}

}  // namespace candlewick::exchange::kucoin
