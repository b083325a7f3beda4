// /v2/candles/trade:1m:tBTCUSD/hist, /v2/trades/tBTCUSD/hist, /v2/ticker/tBTCUSD, /v2/tickers,
// /v2/book/tBTCUSD/P0, /v2/conf/pub:list:pair:exchange.
//
// Sources: docs.bitfinex.com/reference (rest-public-*), read 2026-11-21.
#include "exchange/bitfinex/replies.h"

#include <algorithm>
#include <array>

#include "exchange/bitfinex/bitfinex.h"
#include "exchange/bitfinex/symbols.h"
#include "exchange/reading.h"

namespace candlewick::exchange::bitfinex {
namespace {

// Codes that pass by themselves: too much at once, not ready, too many requests, a restart,
// maintenance.
constexpr std::array<std::int64_t, 5> passing{10008, 11000, 11010, 20051, 20060};
// Unknown and generic errors, which say nothing of the request.
constexpr std::array<std::int64_t, 3> vague{0, 10000, 10001};

// Bitfinex answers with HTTP 500 also what it will never answer otherwise.
ErrorKind kind_of(std::int64_t code, int http_status) {
  const bool is_vague_failure = http_status >= 500 && std::ranges::find(vague, code) != vague.end();
  const bool passes = std::ranges::find(passing, code) != passing.end();
  return is_vague_failure || passes ? ErrorKind::transient : ErrorKind::rejected;
}

}  // namespace

struct Replies::Target {
  std::string_view what;  // "candles"
  std::string_view last;  // "hist"
  const Instrument* instrument = nullptr;
  std::optional<Timeframe> timeframe;
};

Replies::Target Replies::target_of(const Frame& frame) {
  auto path = path_of(frame.url);
  constexpr std::string_view root = "/v2/";
  const auto at = path.find(root);
  Target target;
  if (at == std::string_view::npos) return target;
  path.remove_prefix(at + root.size());
  const auto next = [&] {
    const auto part = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(part.size() + 1, path.size()));
    return part;
  };
  target.what = next();
  auto symbol = next();
  target.last = next();
  if (target.what == "candles") {
    // "trade:1m:tBTCUSD"
    symbol.remove_prefix(std::min(symbol.find(':'), symbol.size() - 1) + 1);
    const auto colon = std::min(symbol.find(':'), symbol.size());
    target.timeframe = timeframe_of(symbol.substr(0, colon));
    symbol.remove_prefix(std::min(colon + 1, symbol.size()));
  }
  target.instrument = catalogue_.find_or_infer(symbol);
  return target;
}

// A refusal is ["error",10020,"symbol: invalid"], with HTTP 500 or 400.
Result<void> Replies::decode(const Frame& frame, Events& out) {
  const auto target = target_of(frame);
  std::string message;
  std::int64_t code = 0;
  auto read = reader_.read(frame.text, [&](json::Value root) {
    if (frame.http_status < 400 && !frame.text.starts_with("[\"error\"")) {
      if (target.what == "conf") return read_pairs(root, frame, out);
      if (target.what == "tickers") return read_tickers(root, frame, out);
      return read_rows(root, rows_);
    }
    if (root.type() != json::Type::array) return;
    std::size_t place = 0;
    bool is_error = false;
    root.elements([&](json::Value part) {
      const auto at = place++;
      if (at == 0) is_error = part.type() == json::Type::string && part.raw() == "error";
      if (!is_error) return;
      if (at == 1 && part.type() == json::Type::number) code = part.integer();
      if (at == 2 && part.type() == json::Type::string) message = part.string();
    });
    if (message.empty()) message = "no reason given";
  });
  if (!read) return read;
  if (frame.http_status >= 400 && message.empty()) message = "no reason given";
  if (!message.empty()) {
    return fail(kind_of(code, frame.http_status), "HTTP {}: {} ({})", frame.http_status,
                message.substr(0, 200), code);
  }
  return interpret(target, frame, out);
}

Result<void> Replies::interpret(const Target& target, const Frame& frame, Events& out) {
  const bool is_known = target.what == "candles" || target.what == "trades" ||
                        target.what == "ticker" || target.what == "book";
  if (!is_known) return {};
  if (target.instrument == nullptr)
    return fail(ErrorKind::malformed, "asked for no pair that is known here");
  const Origin origin{target.instrument, std::nullopt, frame.received_time};
  const auto& rows = rows_.rows;
  if (target.what == "candles") {
    if (!target.timeframe)
      return fail(ErrorKind::malformed, "asked for no candle length that is known here");
    for (const auto& row : rows) {
      auto candle = candle_of(row, origin, *target.timeframe);
      if (!candle) return fail(candle.error());
      candle->source = Source::rest;
      candle->closed_is_known = false;
      out.emplace_back(std::move(*candle));
    }
  } else if (target.what == "trades") {
    const std::size_t before = out.size();
    for (const auto& row : rows) {
      auto trade = trade_of(row, origin);
      if (!trade) return fail(trade.error());
      out.emplace_back(std::move(*trade));
    }
    std::stable_sort(out.begin() + static_cast<std::ptrdiff_t>(before), out.end(),
                     [](const Event& a, const Event& b) {
                       return std::get<Trade>(a).id < std::get<Trade>(b).id;
                     });
  } else if (target.what == "ticker") {
    if (rows.size() != 1) return fail(ErrorKind::malformed, "a ticker is one row");
    auto ticker = ticker_of(rows.front(), origin);
    if (!ticker) return fail(ticker.error());
    out.emplace_back(std::move(*ticker));
  } else if (target.last == "P0") {
    BookUpdate book;
    book.origin = origin;
    book.kind = BookKind::snapshot;
    book.is_partial = true;
    for (const auto& row : rows) {
      if (auto read = add_level(row, book); !read) return read;
    }
    sort_sides(book);
    if (parameter(frame.url, "len") != "1") {
      out.emplace_back(std::move(book));
    } else if (!book.bids.empty() && !book.asks.empty()) {
      const auto& bid = book.bids.front();
      const auto& ask = book.asks.front();
      out.emplace_back(Quote{origin, bid.price, bid.size, ask.price, ask.size, std::nullopt});
    }
  }
  return {};
}

// [["AAVE:USD","BTCUSD","BTCUST",…]]: what is listed is traded. Prices have five significant
// digits, so there is no tick; sizes have eight fractional ones.
void Replies::read_pairs(json::Value root, const Frame& frame, Events& out) {
  const Decimal step = Decimal::from_count(Decimal::one / 100'000'000);
  root.elements([&](json::Value list) {
    list.elements([&](json::Value name) {
      Instrument listed;
      listed.exchange_symbol = "t" + std::string(name.string());
      auto pair = read_pair(listed.exchange_symbol);
      if (!pair) return;  // derivatives
      listed.base = std::move(pair->base);
      listed.quote = std::move(pair->quote);
      listed.symbol = listed.base + "/" + listed.quote;
      listed.market = catalogue_.market();
      listed.status = ListingStatus::trading;
      listed.step_size = step;
      listed.listed = true;
      const Instrument& stored = catalogue_.put(std::move(listed));
      out.emplace_back(Listing{.origin = {&stored, std::nullopt, frame.received_time}});
    });
  });
}

// [["tBTCUSD",29967,8.3,29976,13.3,-1674,-0.0529,29966,488.04,31887,29335],["fUSD",…],…]
void Replies::read_tickers(json::Value root, const Frame& frame, Events& out) {
  root.elements([&](json::Value part) {
    const auto named = read_named_row(part);
    // Funding, derivatives.
    const auto* instrument = catalogue_.find_or_infer(named.name);
    if (instrument == nullptr) return;
    auto ticker = ticker_of(named.row, {instrument, std::nullopt, frame.received_time});
    if (!ticker) return part.reject(ticker.error().message);
    out.emplace_back(std::move(*ticker));
  });
}

}  // namespace candlewick::exchange::bitfinex
