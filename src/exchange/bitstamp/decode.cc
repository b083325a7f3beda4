// Frames of the stream are {"event":…,"channel":"live_trades_btcusd","data":…}, in any order of
// members. What a reply of REST is about is told by the URL that it was asked at.
//
// Sources: www.bitstamp.net/api and /websocket/v2, read 2026-11-21.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "exchange/bitstamp/bitstamp.h"
#include "exchange/bitstamp/rows.h"
#include "exchange/reading.h"

namespace candlewick::exchange::bitstamp {
namespace {

// "/api/v2/ohlc/btcusd/" → "ohlc" and "btcusd".
struct Target {
  std::string_view what;
  std::string_view symbol;
};
Target target_of(std::string_view url) {
  auto path = path_of(url);
  constexpr std::string_view root = "/api/v2/";
  const auto at = path.find(root);
  if (at == std::string_view::npos) return {};
  path.remove_prefix(at + root.size());
  const auto slash = std::min(path.find('/'), path.size());
  Target target{path.substr(0, slash), path.substr(std::min(slash + 1, path.size()))};
  while (target.symbol.ends_with('/')) target.symbol.remove_suffix(1);
  return target;
}

std::optional<Time> border(std::string_view url, std::string_view name) {
  const auto text = parameter(url, name);
  std::int64_t seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return time_of_epoch(seconds);
}

class BitstampDecoder final : public Decoder {
 public:
  explicit BitstampDecoder(Catalogue& catalogue) : catalogue_(catalogue) {}

  Result<void> decode(const Frame& frame, Events& out) override {
    const std::size_t before = out.size();
    auto decoded = frame.is_reply ? decode_reply(frame, out) : decode_stream(frame, out);
    if (!decoded) out.resize(before);
    return decoded;
  }
  std::uint64_t inexact_decimals() const override {
    return reader_.inexact_decimals() + data_reader_.inexact_decimals();
  }

 private:
  Result<void> decode_stream(const Frame& frame, Events& out);
  Result<void> decode_error(std::string_view channel, std::string_view data);
  Result<void> decode_reply(const Frame& frame, Events& out);
  Result<void> decode_refusal(const Frame& frame);
  Result<void> decode_candles(const Origin& origin, const Frame& frame, Events& out);
  void read_markets(json::Value root, const Frame& frame, Events& out);
  void read_all_tickers(json::Value root, const Frame& frame, Events& out);
  static void read_transactions(json::Value root, const Origin& origin, Events& out);

  Catalogue& catalogue_;
  json::Reader reader_;
  json::Reader data_reader_;
};

Result<void> BitstampDecoder::decode_stream(const Frame& frame, Events& out) {
  std::string_view event;
  std::string_view channel;
  std::string_view data;
  auto read = reader_.read(frame.text, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key == "event") event = value.raw();
      if (key == "channel") channel = value.raw();
      if (key == "data") data = value.text();
    });
  });
  if (!read) return read;
  if (event == "bts:error") return decode_error(channel, data);
  if (event == "bts:request_reconnect") {
    out.emplace_back(ShutdownNotice{catalogue_.exchange(), std::nullopt});
    return {};
  }
  const auto last = channel.rfind('_');
  if (last == std::string_view::npos || data.empty()) return {};
  const auto kind = channel.substr(0, last);
  const bool is_trade = kind == "live_trades" && event == "trade";
  const bool is_ladder = kind == "order_book" && event == "data";
  const bool is_change = kind == "diff_order_book" && event == "data";
  // Single orders, and what tells of subscriptions.
  if (!is_trade && !is_ladder && !is_change) return {};
  const auto* instrument = catalogue_.find_or_infer(channel.substr(last + 1));
  if (instrument == nullptr) return {};  // derivatives
  const Origin origin{instrument, std::nullopt, frame.received_time};
  return data_reader_.read(data, [&](json::Value value) {
    if (is_trade) {
      Trade trade;
      trade.origin = origin;
      read_trade(value, trade);
      out.emplace_back(std::move(trade));
      return;
    }
    BookUpdate book;
    book.origin = origin;
    read_book(value, book);
    if (is_ladder) {
      book.kind = BookKind::snapshot;
      book.is_partial = true;
    }
    out.emplace_back(std::move(book));
  });
}

// {"event":"bts:error","channel":"","data":{"code":null,"message":"Bad subscription string."}}
Result<void> BitstampDecoder::decode_error(std::string_view channel, std::string_view data) {
  std::string message;
  std::string code;
  auto read = data_reader_.read(data, [&](json::Value root) {
    if (root.type() != json::Type::object) return;
    root.members([&](std::string_view key, json::Value value) {
      if (key == "message" && value.type() == json::Type::string) message = value.string();
      const bool is_code = key == "code" && value.type() == json::Type::number;
      if (is_code) code = fmt::format(" ({})", value.raw());
    });
  });
  if (!read) return read;
  return fail(ErrorKind::rejected, "{}{}{}{}", channel.substr(0, 60), channel.empty() ? "" : ": ",
              message.substr(0, 200), code);
}

// {"status":"error","reason":"…","code":"…"}, {"code":404,"error":"Not found"} and pages that are
// no JSON.
Result<void> BitstampDecoder::decode_refusal(const Frame& frame) {
  std::string message;
  const auto read = reader_.read(frame.text, [&](json::Value root) {
    if (root.type() != json::Type::object) return;
    root.members([&](std::string_view key, json::Value value) {
      const bool is_reason = key == "reason" || key == "error" || key == "message";
      if (is_reason && value.type() == json::Type::string) message = value.string();
    });
  });
  if (!read || message.empty()) message = "no reason given";
  return fail(ErrorKind::rejected, "HTTP {}: {}", frame.http_status, message.substr(0, 200));
}

Result<void> BitstampDecoder::decode_reply(const Frame& frame, Events& out) {
  if (frame.http_status >= 400) return decode_refusal(frame);
  const auto target = target_of(frame.url);
  if (target.what == "markets" || target.what == "trading-pairs-info")
    return reader_.read(frame.text, [&](json::Value root) { read_markets(root, frame, out); });
  if (target.what == "ticker_hour") {
    return reader_.read(frame.text, [&](json::Value root) {
      Ticker figures;
      read_ticker(root, figures);
      if (!figures.origin.exchange_time) return root.reject("timestamp is missing");
      out.emplace_back(
          ClockReading{catalogue_.exchange(), *figures.origin.exchange_time, frame.received_time});
    });
  }
  if (target.what == "ticker" && target.symbol.empty())
    return reader_.read(frame.text, [&](json::Value root) { read_all_tickers(root, frame, out); });
  const bool is_known = target.what == "ohlc" || target.what == "order_book" ||
                        target.what == "transactions" || target.what == "ticker";
  if (!is_known) return reader_.read(frame.text, [](json::Value) {});
  const auto* instrument = catalogue_.find_or_infer(target.symbol);
  if (instrument == nullptr)
    return fail(ErrorKind::malformed, "asked for no pair that is known here");
  const Origin origin{instrument, std::nullopt, frame.received_time};
  if (target.what == "ohlc") return decode_candles(origin, frame, out);
  return reader_.read(frame.text, [&](json::Value root) {
    if (target.what == "transactions") {
      read_transactions(root, origin, out);
    } else if (target.what == "ticker") {
      Ticker ticker;
      ticker.origin = origin;
      read_ticker(root, ticker);
      out.emplace_back(std::move(ticker));
    } else {
      BookUpdate book;
      book.origin = origin;
      book.kind = BookKind::snapshot;
      book.is_partial = true;
      read_book(root, book);
      out.emplace_back(std::move(book));
    }
  });
}

// {"data":{"pair":"BTC/USD","ohlc":[{…},…]}}
Result<void> BitstampDecoder::decode_candles(const Origin& origin, const Frame& frame,
                                             Events& out) {
  const auto timeframe = timeframe_of_seconds(parameter(frame.url, "step"));
  if (!timeframe)
    return fail(ErrorKind::malformed, "asked for no candle length that is known here");
  // Rows of another time would be taken for the lack of those asked for.
  const auto from = border(frame.url, "start");
  const auto to = border(frame.url, "end");
  std::size_t rows = 0;
  bool has_list = false;
  const std::size_t before = out.size();
  const auto read_row = [&](json::Value row) {
    Candle candle;
    candle.origin = origin;
    candle.timeframe = *timeframe;
    candle.source = Source::rest;
    candle.closed_is_known = false;
    read_candle(row, candle);
    ++rows;
    if ((from && candle.open_time < *from) || (to && candle.open_time > *to)) return;
    out.emplace_back(std::move(candle));
  };
  auto read = reader_.read(frame.text, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value data) {
      if (key != "data") return;
      data.members([&](std::string_view name, json::Value list) {
        if (name != "ohlc") return;
        has_list = true;
        list.elements(read_row);
      });
    });
    if (!has_list) root.reject("data.ohlc is missing");
  });
  if (!read) return read;
  if (rows > 0 && out.size() == before)
    return fail(ErrorKind::transient, "{} candles came, none of the time asked for", rows);
  return {};
}

// The newest come first.
void BitstampDecoder::read_transactions(json::Value root, const Origin& origin, Events& out) {
  const std::size_t before = out.size();
  root.elements([&](json::Value row) {
    Trade trade;
    trade.origin = origin;
    read_transaction(row, trade);
    out.emplace_back(std::move(trade));
  });
  std::stable_sort(
      out.begin() + static_cast<std::ptrdiff_t>(before), out.end(),
      [](const Event& a, const Event& b) { return std::get<Trade>(a).id < std::get<Trade>(b).id; });
}

// Derivatives are pairs that none is made of: "BTC/USD-PERP".
void BitstampDecoder::read_all_tickers(json::Value root, const Frame& frame, Events& out) {
  root.elements([&](json::Value row) {
    Ticker ticker;
    std::string symbol = lower(read_ticker(row, ticker));
    std::erase(symbol, '/');
    const auto* instrument = catalogue_.find_or_infer(symbol);
    if (instrument == nullptr) return;
    ticker.origin.instrument = instrument;
    ticker.origin.received_time = frame.received_time;
    out.emplace_back(std::move(ticker));
  });
}

void BitstampDecoder::read_markets(json::Value root, const Frame& frame, Events& out) {
  root.elements([&](json::Value row) {
    auto listed = read_listing(row);
    if (listed.base.empty()) return;
    listed.market = catalogue_.market();
    const Instrument& stored = catalogue_.put(std::move(listed));
    out.emplace_back(Listing{.origin = {&stored, std::nullopt, frame.received_time}});
  });
}

}  // namespace

std::unique_ptr<Decoder> make_decoder(Catalogue& catalogue) {
  return std::make_unique<BitstampDecoder>(catalogue);
}

}  // namespace candlewick::exchange::bitstamp
