// REST under /v2/.
#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "exchange/bitfinex/bitfinex.h"
#include "simulator/bitfinex/bitfinex.h"
#include "simulator/feeds.h"

namespace candlewick::simulator::bitfinex {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t most_rows = 10'000;
constexpr std::array<std::int64_t, 4> book_lengths{1, 25, 100, 250};

struct Call {
  const Context& context;
  const Request& request;
  const RestView& view;
  std::size_t index = 0;  // of the listing in the path
};

Reply json_reply(std::string body) {
  return {.status = 200,
          .headers = {{"Content-Type", "application/json; charset=utf-8"}},
          .body = std::move(body)};
}

template <class Items, class Write>
std::string list(const Items& items, Write write) {
  std::string out = "[";
  for (const auto& item : items) {
    if (out.size() > 1) out += ',';
    out += write(item);
  }
  return out + "]";
}

std::optional<std::int64_t> number(const Request& request, std::string_view name) {
  const auto text = request.parameter(name);
  std::int64_t value = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), value).ptr !=
                   text->data() + text->size()) {
    return std::nullopt;
  }
  return value;
}

// Several lists at once: /v2/conf/pub:info:pair,pub:list:pair:margin
Reply configuration(const Context& context, std::string_view labels) {
  std::vector<std::string> pairs;
  for (const auto& listing : context.market.listings()) {
    const auto& symbol = listing.instrument.exchange_symbol;
    if (!context.faults.has_vanished(symbol)) pairs.push_back(symbol.substr(1));
  }
  std::string out = "[";
  while (!labels.empty()) {
    const auto label = labels.substr(0, labels.find(','));
    labels.remove_prefix(std::min(label.size() + 1, labels.size()));
    if (out.size() > 1) out += ',';
    if (label == "pub:list:pair:exchange") {
      out += list(pairs, [](const auto& pair) { return fmt::format(R"("{}")", pair); });
    } else if (label == "pub:info:pair") {
      out += list(pairs, [](const auto& pair) {
        return fmt::format(
            R"(["{}",[null,null,null,"0.00004","2000.0",null,null,null,null,null,null,null]])",
            pair);
      });
    } else {
      out += "[]";
    }
  }
  return json_reply(out + "]");
}

// What is asked for by start, end, limit and sort. Without a start the newest come in any order.
struct Wanted {
  Time start;
  Time end;  // not included
  std::size_t limit = 0;
  bool oldest_first = false;
  bool has_start = false;
};
std::optional<Wanted> wanted_of(const Call& call, std::int64_t usual_limit) {
  const auto limit = number(call.request, "limit").value_or(usual_limit);
  if (limit < 1 || limit > most_rows) return std::nullopt;
  Wanted wanted;
  wanted.limit = static_cast<std::size_t>(limit);
  wanted.oldest_first = number(call.request, "sort") == 1;
  wanted.start = Time{};
  wanted.end = call.view.as_of + 1ns;
  if (const auto start = number(call.request, "start")) {
    wanted.start = time_from_ms(*start);
    wanted.has_start = true;
  }
  if (const auto end = number(call.request, "end"))
    wanted.end = std::min(wanted.end, time_from_ms(*end) + 1ns);
  return wanted;
}

// /v2/candles/trade:1m:tBTCUSD/hist
Reply candles(const Call& call, Timeframe timeframe) {
  const auto wanted = wanted_of(call, 120);
  if (!wanted) return error(500, 10020, "limit: invalid");
  const bool newest = !wanted->has_start || !wanted->oldest_first;
  // No further back than anybody waits for.
  constexpr std::int64_t least_periods = 5000;
  Time start = wanted->start;
  if (newest) {
    const auto periods = std::max(least_periods, 20 * static_cast<std::int64_t>(wanted->limit));
    start = std::max(start, wanted->end - periods * length_of(timeframe));
  }
  auto rows = rest_rows(call.context.market, call.index, timeframe, start, wanted->end,
                        wanted->limit, newest, call.view);
  if (!wanted->oldest_first) std::ranges::reverse(rows);
  return json_reply(list(rows, candle_text));
}

Reply trades(const Call& call) {
  const auto wanted = wanted_of(call, 120);
  if (!wanted) return error(500, 10020, "limit: invalid");
  const bool newest = !wanted->has_start || !wanted->oldest_first;
  Market& market = call.context.market;
  const Time start = std::max(wanted->start, market.known_from(call.index));
  auto found = market.trades(call.index, std::max(start, call.view.as_of - 24h), wanted->end - 1ns,
                             wanted->limit, newest);
  if (!wanted->oldest_first) std::ranges::reverse(found);
  return json_reply(list(found, trade_text));
}

// /v2/book/tBTCUSD/P0, or R0 for single orders: here each level is one.
Reply book(const Call& call, std::string_view precision) {
  const auto length = number(call.request, "len").value_or(25);
  if (std::ranges::find(book_lengths, length) == book_lengths.end())
    return error(500, 10020, "len: invalid");
  const Book shown =
      rest_book(call.context.market, call.index, static_cast<std::size_t>(length), call.view);
  if (precision == "P0") return json_reply("[" + book_text(shown) + "]");
  if (precision != "R0") return error(500, 10020, "precision: invalid");
  std::string out = "[";
  std::int64_t order = 100'000'000'000;
  const auto side = [&](const std::vector<Level>& levels, bool is_bid) {
    for (const auto& level : levels) {
      if (out.size() > 1) out += ',';
      out += fmt::format("[{},{},{}]", ++order, level.price.to_string(),
                         (is_bid ? level.size : -level.size).to_string());
    }
  };
  side(shown.bids, true);
  side(shown.asks, false);
  return json_reply(out + "]");
}

// /v2/tickers?symbols=ALL, or some of them; those that there are not are left out.
Reply tickers(const Context& context, const Request& request, const RestView& view) {
  auto symbols = request.parameter("symbols").value_or("");
  if (symbols.empty()) return error(500, 10020, "symbols: invalid");
  std::vector<std::size_t> wanted;
  for (std::size_t i = 0; i < context.market.listings().size(); ++i) {
    const auto& symbol = context.market.listings()[i].instrument.exchange_symbol;
    const bool is_named = fmt::format(",{},", symbols).contains(fmt::format(",{},", symbol));
    if ((symbols == "ALL" || is_named) && !context.faults.has_vanished(symbol)) wanted.push_back(i);
  }
  return json_reply(list(wanted, [&](std::size_t i) {
    const auto row = ticker_text(day_figures(context.market, i, view.as_of));
    return fmt::format(R"(["{}",{})", context.market.listings()[i].instrument.exchange_symbol,
                       row.substr(1));
  }));
}

}  // namespace

Reply answer(const Context& context, const Request& request, const RestView& view) {
  std::string_view path = request.path;
  const auto next = [&] {
    const auto part = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(part.size() + 1, path.size()));
    return part;
  };
  next();  // before the first slash
  if (next() != "v2") return error(404, 10000, "not found");
  const auto what = next();
  auto symbol = next();
  if (what == "conf") return configuration(context, symbol);
  if (what == "platform") return json_reply("[1]");
  if (what == "tickers") return tickers(context, request, view);
  std::optional<Timeframe> timeframe;
  if (what == "candles") {
    constexpr std::string_view kind = "trade:";
    if (!symbol.starts_with(kind)) return error(500, 10020, "key: invalid");
    symbol.remove_prefix(kind.size());
    const auto colon = std::min(symbol.find(':'), symbol.size());
    timeframe = exchange::bitfinex::timeframe_of(symbol.substr(0, colon));
    if (!timeframe) return error(500, 10020, "time_interval: invalid");
    symbol.remove_prefix(std::min(colon + 1, symbol.size()));
  }
  const auto listing = context.market.find(symbol);
  if (!listing || context.faults.has_vanished(symbol)) return error(500, 10020, "symbol: invalid");
  const Call call{context, request, view, *listing};
  if (what == "candles") return candles(call, *timeframe);
  if (what == "trades") return trades(call);
  if (what == "book") return book(call, next());
  if (what == "ticker")
    return json_reply(ticker_text(day_figures(context.market, *listing, view.as_of)));
  return error(404, 10000, "not found");
}

}  // namespace candlewick::simulator::bitfinex
