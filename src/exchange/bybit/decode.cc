// Frames of Bybit v5 to events. A stream's frame has a topic, "orderbook.200.BTCUSDT"; the order of
// its members differs from topic to topic, so `data` is read last. Replies are told apart by the
// path they were asked at.
//
// Source: bybit-exchange/docs at 072c197d0 (2026-07-24), docs/v5, read 2026-11-21.
#include <algorithm>
#include <array>

#include "base/json.h"
#include "exchange/bybit/bybit.h"
#include "exchange/bybit/rows.h"
#include "exchange/reading.h"

namespace candlewick::exchange::bybit {
namespace {

// Errors that mend themselves: time-out, too many visits, server error, rate of the address,
// protection of the system.
bool is_passing(std::int64_t code) {
  constexpr std::array<std::int64_t, 5> codes{10000, 10006, 10016, 10018, 10429};
  return std::ranges::find(codes, code) != codes.end();
}

class BybitDecoder final : public Decoder {
 public:
  explicit BybitDecoder(Catalogue& catalogue) : catalogue_(catalogue) {}

  std::uint64_t inexact_decimals() const override {
    return reader_.inexact_decimals() + data_reader_.inexact_decimals();
  }

  Result<void> decode(const Frame& frame, Events& out) override {
    const std::size_t before = out.size();
    received_ = frame.received_time;
    auto decoded = frame.is_reply ? decode_reply(frame, out) : decode_stream(frame, out);
    if (!decoded) out.resize(before);
    return decoded;
  }

 private:
  // {"topic":"kline.1.BTCUSDT","type":"snapshot","ts":1672304486868,"data":…};
  // {"success":true,"ret_msg":"subscribe","conn_id":"…","req_id":"…","op":"subscribe"}
  Result<void> decode_stream(const Frame& frame, Events& out) {
    std::string_view data;
    std::optional<bool> success;
    std::string reason;
    std::string id;
    topic_.clear();
    type_.clear();
    ts_.reset();
    cts_.reset();
    auto read = reader_.read(frame.text, [&](json::Value root) {
      root.members([&](std::string_view key, json::Value value) {
        if (key == "topic") topic_ = value.string();
        if (key == "type") type_ = value.string();
        if (key == "ts") ts_ = value.integer();
        if (key == "cts") cts_ = value.integer();
        if (key == "data") data = value.text();
        if (key == "success") success = value.boolean();
        if (key == "ret_msg") reason = value.string();
        if (key == "req_id") id = value.string();
      });
    });
    if (!read) return read;
    if (success == false) return fail(ErrorKind::rejected, "{}: {}", id, reason);
    if (topic_.empty()) return {};
    const std::string_view topic = topic_;
    const auto dot = topic.rfind('.');
    if (dot == std::string_view::npos) return {};
    symbol_ = topic.substr(dot + 1);
    const auto first = topic.substr(0, topic.find('.'));
    const auto middle = first.size() < dot ? topic.substr(first.size() + 1, dot - first.size() - 1)
                                           : std::string_view{};
    using Step =
        Result<void> (BybitDecoder::*)(json::Value& root, std::string_view middle, Events& out);
    const Step step = first == "kline"         ? &BybitDecoder::klines
                      : first == "publicTrade" ? &BybitDecoder::trades
                      : first == "tickers"     ? &BybitDecoder::ticker
                      : first == "orderbook"   ? &BybitDecoder::book
                                               : nullptr;
    // Of spot, a ticker is always whole; a difference to the one before is of another market.
    if (step == nullptr || (first == "tickers" && type_ == "delta")) return {};
    time_ = ts_ ? time_of_epoch(*ts_) : std::nullopt;
    if (!time_) return fail(ErrorKind::malformed, "{}: ts is missing or no time", topic_);
    if (data.empty()) return fail(ErrorKind::malformed, "{}: data is missing", topic_);
    std::optional<Error> error;
    read = data_reader_.read(data, [&](json::Value root) {
      if (auto done = (this->*step)(root, middle, out); !done) error = done.error();
    });
    if (!read) return read;
    if (error) return fail(*std::move(error));
    return {};
  }

  Result<const Instrument*> instrument(std::string_view symbol) {
    const auto* known = catalogue_.find_or_infer(symbol);
    if (known == nullptr)
      return fail(ErrorKind::malformed, "unknown symbol \"{}\"", symbol.substr(0, 40));
    return known;
  }

  Result<void> klines(json::Value& root, std::string_view interval, Events& out) {
    const auto timeframe = timeframe_of(interval);
    if (!timeframe) return {};
    const auto known = instrument(symbol_);
    if (!known) return fail(known.error());
    root.elements([&](json::Value row) {
      Candle candle;
      candle.origin = {*known, time_, received_};
      candle.timeframe = *timeframe;
      read_kline(row, candle);
      out.emplace_back(std::move(candle));
    });
    return {};
  }

  Result<void> trades(json::Value& root, std::string_view /*middle*/, Events& out) {
    const auto known = instrument(symbol_);
    if (!known) return fail(known.error());
    root.elements([&](json::Value row) {
      Trade trade;
      trade.origin = {*known, std::nullopt, received_};
      read_trade(row, trade);
      out.emplace_back(std::move(trade));
    });
    return {};
  }

  Result<void> ticker(json::Value& root, std::string_view /*middle*/, Events& out) {
    Ticker ticker;
    const auto known = instrument(read_ticker(root, ticker));
    if (!known) return fail(known.error());
    ticker.origin = {*known, time_, received_};
    out.emplace_back(std::move(ticker));
    return {};
  }

  // `u` goes up by one a frame, and begins anew at 1 when the service was restarted: then, as with
  // any "snapshot", the book is replaced.
  Result<void> book(json::Value& root, std::string_view depth, Events& out) {
    const auto known = instrument(symbol_);
    if (!known) return fail(known.error());
    BookUpdate book;
    const auto matched = cts_ ? time_of_epoch(*cts_) : std::nullopt;
    book.origin = {*known, matched ? matched : time_, received_};
    const auto seq = read_book(root, book);
    book.kind = type_ == "snapshot" || book.sequence == 1 ? BookKind::snapshot : BookKind::delta;
    if (depth != "1") {
      out.emplace_back(std::move(book));
      return {};
    }
    // Best bid and ask came as differences until 2023; by themselves those are no quote.
    if (book.kind != BookKind::snapshot || book.bids.empty() || book.asks.empty()) return {};
    out.emplace_back(Quote{book.origin, book.bids[0].price, book.bids[0].size, book.asks[0].price,
                           book.asks[0].size, seq});
    return {};
  }

  // {"retCode":0,"retMsg":"OK","result":{…},"retExtInfo":{},"time":1672712468011}
  Result<void> decode_reply(const Frame& frame, Events& out) {
    std::optional<std::int64_t> code;
    std::string message;
    std::string_view result;
    auto read = reader_.read(frame.text, [&](json::Value root) {
      root.members([&](std::string_view key, json::Value value) {
        if (key == "retCode") code = value.integer();
        if (key == "retMsg") message = value.string();
        if (key == "result") result = value.text();
      });
    });
    if (!read && frame.http_status < 400) return read;
    if (!read || !code) {
      // A front end or a proxy may answer with a page.
      const auto kind = frame.http_status < 400 ? ErrorKind::malformed : ErrorKind::rejected;
      return fail(kind, "HTTP {}: {}", frame.http_status, frame.text.substr(0, 200));
    }
    if (*code != 0) {
      const auto kind = is_passing(*code) ? ErrorKind::transient : ErrorKind::rejected;
      return fail(kind, "{}: {}", *code, message);
    }
    if (result.empty()) return fail(ErrorKind::malformed, "result is missing");
    return read_result(frame, result, out);
  }

  Result<void> read_result(const Frame& frame, std::string_view result, Events& out) {
    auto path = path_of(frame.url);
    constexpr std::string_view root_path = "/v5/market/";
    if (!path.starts_with(root_path)) return {};
    path.remove_prefix(root_path.size());
    time_.reset();
    cts_.reset();
    symbol_ = parameter(frame.url, "symbol");
    if (path == "orderbook") return depth(result, out);
    if (path == "time") return server_time(result, out);
    using Row = Result<void> (BybitDecoder::*)(json::Value& row, const Frame& frame, Events& out);
    const Row row = path == "kline"              ? &BybitDecoder::kline_row
                    : path == "recent-trade"     ? &BybitDecoder::trade_row
                    : path == "tickers"          ? &BybitDecoder::ticker_row
                    : path == "instruments-info" ? &BybitDecoder::listing_row
                                                 : nullptr;
    if (row == nullptr) return {};
    std::optional<Error> error;
    bool is_listed = false;
    auto read = data_reader_.read(result, [&](json::Value root) {
      root.members([&](std::string_view key, json::Value value) {
        if (key != "list") return;
        is_listed = true;
        value.elements([&](json::Value element) {
          if (auto done = (this->*row)(element, frame, out); !done && !error) error = done.error();
        });
      });
    });
    if (!read) return read;
    if (error) return fail(*std::move(error));
    if (!is_listed) return fail(ErrorKind::malformed, "list is missing");
    return {};
  }

  // Newest first.
  Result<void> kline_row(json::Value& row, const Frame& frame, Events& out) {
    const auto timeframe = timeframe_of(parameter(frame.url, "interval"));
    const auto known = instrument(symbol_);
    if (!known) return fail(known.error());
    if (!timeframe) return fail(ErrorKind::malformed, "kline: unknown interval");
    Candle candle;
    candle.origin = {*known, std::nullopt, received_};
    candle.timeframe = *timeframe;
    candle.source = Source::rest;
    candle.closed_is_known = false;
    read_kline_columns(row, candle);
    out.emplace_back(std::move(candle));
    return {};
  }

  Result<void> trade_row(json::Value& row, const Frame& /*frame*/, Events& out) {
    Trade trade;
    trade.origin.received_time = received_;
    const auto known = instrument(read_recent_trade(row, trade));
    if (!known) return fail(known.error());
    trade.origin.instrument = *known;
    out.emplace_back(std::move(trade));
    return {};
  }

  Result<void> ticker_row(json::Value& row, const Frame& /*frame*/, Events& out) {
    return ticker(row, {}, out);
  }

  Result<void> listing_row(json::Value& row, const Frame& frame, Events& out) {
    if (parameter(frame.url, "category") != "spot") return {};
    auto listed = read_listing(row);
    if (listed.exchange_symbol.empty() || listed.base.empty() || listed.quote.empty()) return {};
    const Instrument& stored = catalogue_.put(std::move(listed));
    out.emplace_back(Listing{.origin = {&stored, std::nullopt, received_}});
    return {};
  }

  // A ladder: the book's own snapshots come by the stream.
  Result<void> depth(std::string_view result, Events& out) {
    const auto known = instrument(symbol_);
    if (!known) return fail(known.error());
    BookUpdate book;
    book.origin = {*known, std::nullopt, received_};
    book.kind = BookKind::snapshot;
    book.is_partial = true;
    auto read = data_reader_.read(result, [&](json::Value root) { read_book(root, book); });
    if (!read) return read;
    // Numbers may begin anew, which nothing tells of a ladder.
    book.sequence.reset();
    out.emplace_back(std::move(book));
    return {};
  }

  // {"timeSecond":"1688639403","timeNano":"1688639403423213947"}
  Result<void> server_time(std::string_view result, Events& out) {
    std::optional<Time> time;
    auto read = data_reader_.read(result, [&](json::Value root) {
      root.members([&](std::string_view key, json::Value value) {
        if (key == "timeNano") time = epoch(value);
      });
    });
    if (!read) return read;
    if (!time) return fail(ErrorKind::malformed, "timeNano is missing");
    out.emplace_back(ClockReading{catalogue_.exchange(), *time, received_});
    return {};
  }

  Catalogue& catalogue_;
  json::Reader reader_;
  json::Reader data_reader_;
  std::optional<Time> received_;
  std::string topic_;
  std::string type_;
  std::string symbol_;
  std::optional<std::int64_t> ts_;
  std::optional<std::int64_t> cts_;
  std::optional<Time> time_;  // of the frame
};

}  // namespace

std::unique_ptr<Decoder> make_decoder(Catalogue& catalogue) {
  return std::make_unique<BybitDecoder>(catalogue);
}

}  // namespace candlewick::exchange::bybit
