// Frames of Gemini to events. A stream's frame has a type, a reply is told apart by the path it was
// asked at.
//
// Sources: docs.gemini.com (REST market data, WebSocket market data v2), read 2026-11-21.
#include <algorithm>

#include "base/json.h"
#include "exchange/gemini/gemini.h"
#include "exchange/gemini/rows.h"
#include "exchange/reading.h"

namespace candlewick::exchange::gemini {
namespace {

enum class Kind : unsigned char { nothing, candles, trades, book, ticker, symbols, details };

// "/v2/candles/btcusd/1hr"
struct Target {
  Kind kind = Kind::nothing;
  std::string symbol{};
  std::string_view rest{};
};
Target target_of(std::string_view url) {
  auto path = path_of(url);
  const auto is_of = [&](std::string_view root) {
    if (!path.starts_with(root)) return false;
    path.remove_prefix(root.size());
    return true;
  };
  if (path == "/v1/symbols") return {Kind::symbols};
  if (is_of("/v1/symbols/details/")) return {Kind::details};
  const Kind kind = is_of("/v2/candles/")                             ? Kind::candles
                    : is_of("/v1/trades/")                            ? Kind::trades
                    : is_of("/v1/book/")                              ? Kind::book
                    : is_of("/v1/pubticker/") || is_of("/v2/ticker/") ? Kind::ticker
                                                                      : Kind::nothing;
  const auto slash = path.find('/');
  return {kind, upper(path.substr(0, slash)),
          slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1)};
}

class GeminiDecoder final : public Decoder {
 public:
  explicit GeminiDecoder(Catalogue& catalogue) : catalogue_(catalogue) {}

  std::uint64_t inexact_decimals() const override {
    return reader_.inexact_decimals() + part_reader_.inexact_decimals();
  }

  Result<void> decode(const Frame& frame, Events& out) override {
    const std::size_t before = out.size();
    received_ = frame.received_time;
    auto decoded = frame.is_reply ? decode_reply(frame, out) : decode_stream(frame, out);
    if (!decoded) out.resize(before);
    return decoded;
  }

 private:
  // {"type":"l2_updates","symbol":"BTCUSD","changes":[…]}, the first with "trades" and
  // "auction_events"; {"type":"candles_1m_updates","symbol":"BTCUSD","changes":[…]};
  // {"type":"heartbeat","timestamp":1624493666869};
  // {"result":"error","reason":"InvalidSymbol","message":"…"}
  Result<void> decode_stream(const Frame& frame, Events& out) {
    Parts parts;
    if (auto read = read_parts(frame.text, parts); !read) return read;
    if (parts.result == "error") return fail(ErrorKind::rejected, "{}", parts.words());
    if (parts.type == "heartbeat") {
      if (parts.timestamp)
        out.emplace_back(ClockReading{catalogue_.exchange(), *parts.timestamp, received_});
      return {};
    }
    if (parts.type == "trade") return stream_trade(frame.text, out);
    if (parts.type == "l2_updates") return book_update(parts, out);
    if (parts.type.starts_with("candles_")) return stream_candles(parts, out);
    return {};
  }

  struct Parts {
    std::string type{};
    std::string symbol{};
    std::string result{};
    std::string reason{};
    std::string message{};
    std::optional<Time> timestamp{};
    std::string_view changes{};
    std::string_view trades{};
    bool is_first = false;

    std::string words() const {
      return reason + (message.empty() || message == reason ? "" : ": " + message);
    }
  };

  Result<void> read_parts(std::string_view text, Parts& parts) {
    return reader_.read(text, [&](json::Value root) {
      if (root.type() != json::Type::object) return;
      root.members([&](std::string_view key, json::Value value) {
        if (key == "type") parts.type = value.string();
        if (key == "symbol") parts.symbol = value.string();
        if (key == "result") parts.result = value.string();
        if (key == "reason") parts.reason = value.string();
        if (key == "message") parts.message = value.string();
        if (key == "timestamp") parts.timestamp = epoch(value);
        if (key == "changes") parts.changes = value.text();
        if (key == "trades") parts.trades = value.text();
        if (key == "trades" || key == "auction_events") parts.is_first = true;
      });
    });
  }

  Result<const Instrument*> instrument(std::string_view symbol) {
    const auto* known = catalogue_.find_or_infer(symbol);
    if (known == nullptr)
      return fail(ErrorKind::malformed, "unknown symbol \"{}\"", symbol.substr(0, 40));
    return known;
  }

  // Without "trades" and "auction_events" it is an update. Nothing numbers them.
  Result<void> book_update(const Parts& parts, Events& out) {
    const auto known = instrument(parts.symbol);
    if (!known) return fail(known.error());
    if (parts.changes.empty()) return fail(ErrorKind::malformed, "changes are missing");
    BookUpdate book;
    book.kind = parts.is_first ? BookKind::snapshot : BookKind::delta;
    book.origin = {*known, std::nullopt, received_};
    auto read =
        part_reader_.read(parts.changes, [&](json::Value root) { read_changes(root, book); });
    if (!read) return read;
    out.emplace_back(std::move(book));
    if (parts.trades.empty()) return {};
    // The last ones before, in no order that is kept to: what a lost connection kept back is among
    // them.
    const auto before = static_cast<std::ptrdiff_t>(out.size());
    read = part_reader_.read(parts.trades, [&](json::Value root) {
      root.elements([&](json::Value row) { put_trade(row, *known, out); });
    });
    std::ranges::sort(out.begin() + before, out.end(), {},
                      [](const Event& event) { return std::get<Trade>(event).id; });
    return read;
  }

  Result<void> stream_trade(std::string_view text, Events& out) {
    std::optional<Error> error;
    auto read = reader_.read(text, [&](json::Value root) {
      Trade trade;
      bool is_match = false;
      const auto symbol = read_trade(root, trade, is_match);
      const auto known = instrument(symbol);
      if (!known) {
        error = known.error();
      } else if (is_match) {
        trade.origin.instrument = *known;
        trade.origin.received_time = received_;
        out.emplace_back(std::move(trade));
      }
    });
    if (!read) return read;
    if (error) return fail(*std::move(error));
    return {};
  }

  void put_trade(json::Value& row, const Instrument* known, Events& out) {
    Trade trade;
    bool is_match = false;
    read_trade(row, trade, is_match);
    if (!is_match) return;
    trade.origin.instrument = known;
    trade.origin.received_time = received_;
    out.emplace_back(std::move(trade));
  }

  // The first message repeats candles that are over; REST tells which of them are final, so only
  // its newest counts. An update may have the one that ended and the one that began.
  Result<void> stream_candles(const Parts& parts, Events& out) {
    auto name = std::string_view(parts.type).substr(8);
    constexpr std::string_view tail = "_updates";
    if (!name.ends_with(tail)) return {};
    name.remove_suffix(tail.size());
    const auto timeframe = timeframe_of(name);
    if (!timeframe) return {};
    const auto known = instrument(parts.symbol);
    if (!known) return fail(known.error());
    if (parts.changes.empty()) return fail(ErrorKind::malformed, "changes are missing");
    std::vector<Candle> candles;
    auto read = part_reader_.read(parts.changes, [&](json::Value root) {
      root.elements([&](json::Value row) {
        Candle& candle = candles.emplace_back();
        candle.origin = {*known, std::nullopt, received_};
        candle.timeframe = *timeframe;
        candle.source = Source::ws;
        read_candle(row, candle);
      });
    });
    if (!read) return read;
    std::ranges::sort(candles, {}, &Candle::open_time);
    constexpr std::size_t most_of_an_update = 2;
    if (candles.size() > most_of_an_update) candles.erase(candles.begin(), candles.end() - 1);
    for (auto& candle : candles) out.emplace_back(std::move(candle));
    return {};
  }

  Result<void> decode_reply(const Frame& frame, Events& out) {
    if (frame.http_status >= 400) return refusal(frame);
    const auto target = target_of(frame.url);
    const Instrument* known = nullptr;
    const bool is_of_one = target.kind == Kind::candles || target.kind == Kind::trades ||
                           target.kind == Kind::book || target.kind == Kind::ticker;
    if (is_of_one) {
      const auto found = instrument(target.symbol);
      if (!found) return fail(found.error());
      known = *found;
    }
    return reader_.read(frame.text,
                        [&](json::Value root) { read_reply(root, target, known, out); });
  }

  void read_reply(json::Value& root, const Target& target, const Instrument* known, Events& out) {
    switch (target.kind) {
      case Kind::candles:
        return rest_candles(root, target, known, out);
      case Kind::trades:
        return root.elements([&](json::Value row) { put_trade(row, known, out); });
      case Kind::book: {
        BookUpdate book;
        book.kind = BookKind::snapshot;
        book.is_partial = true;
        book.origin = {known, std::nullopt, received_};
        read_book(root, book);
        return static_cast<void>(out.emplace_back(std::move(book)));
      }
      case Kind::ticker: {
        Ticker ticker;
        ticker.origin = {known, std::nullopt, received_};
        read_ticker(root, *known, ticker);
        return static_cast<void>(out.emplace_back(std::move(ticker)));
      }
      case Kind::symbols:
        return symbols(root, out);
      case Kind::details:
        if (auto details = read_details(root)) {
          const Instrument& stored = catalogue_.put(*std::move(details));
          out.emplace_back(Listing{.origin = {&stored, std::nullopt, received_}});
        }
        return;
      case Kind::nothing:
        return;
    }
  }

  void rest_candles(json::Value& root, const Target& target, const Instrument* known, Events& out) {
    const auto timeframe = timeframe_of(target.rest);
    if (!timeframe) return;
    root.elements([&](json::Value row) {
      Candle candle;
      candle.origin = {known, std::nullopt, received_};
      candle.timeframe = *timeframe;
      candle.source = Source::rest;
      candle.closed_is_known = false;
      read_candle(row, candle);
      out.emplace_back(std::move(candle));
    });
  }

  // ["btcusd","ethbtc",…]: what a name means shows among the others.
  void symbols(json::Value& root, Events& out) {
    std::vector<std::string> all;
    root.elements([&](json::Value name) { all.push_back(upper(name.string())); });
    std::vector<std::string> sorted = all;
    std::ranges::sort(sorted);
    for (const auto& symbol : all) listed(symbol, sorted, out);
  }

  // A name alone says that there is such a pair, and nothing against what is known of it.
  void listed(const std::string& symbol, std::span<const std::string> all, Events& out) {
    const auto* known = catalogue_.find(symbol);
    if (known == nullptr || !known->listed) {
      auto pair = read_pair_among(symbol, all);
      if (!pair) return;
      Instrument made;
      made.exchange_symbol = symbol;
      made.symbol = pair->base + "/" + pair->quote;
      made.base = std::move(pair->base);
      made.quote = std::move(pair->quote);
      made.listed = true;
      known = &catalogue_.put(std::move(made));
    }
    out.emplace_back(Listing{.origin = {known, std::nullopt, received_}});
  }

  // {"result":"error","reason":"InvalidSymbol","message":"Supplied value 'x' is not a valid
  // symbol"}
  Result<void> refusal(const Frame& frame) {
    const auto kind = frame.http_status >= 500 || frame.http_status == 429 ? ErrorKind::transient
                                                                           : ErrorKind::rejected;
    Parts parts;
    if (!read_parts(frame.text, parts) || parts.reason.empty())
      return fail(kind, "HTTP {}: {}", frame.http_status, frame.text.substr(0, 200));
    return fail(kind, "{}", parts.words());
  }

  Catalogue& catalogue_;
  json::Reader reader_;
  json::Reader part_reader_;
  std::optional<Time> received_;
};

}  // namespace

std::unique_ptr<Decoder> make_decoder(Catalogue& catalogue) {
  return std::make_unique<GeminiDecoder>(catalogue);
}

}  // namespace candlewick::exchange::gemini
