// Everything that is known of one instrument at this moment, from memory only.
#include <ranges>

#include "api/json_form.h"
#include "api/resources.h"
#include "api/series.h"

namespace candlewick::api {
namespace {

constexpr std::size_t ladder_levels = 20;

void append_candles(std::string& out, const std::map<Timeframe, Candle>& candles) {
  json::Members members(out);
  for (const auto& [timeframe, candle] : candles) {
    append_candle(members.name(to_text(timeframe)), candle);
  }
  members.close();
}

void append_derivative(std::string& out, const Derivative& derivative) {
  json::Members members(out);
  members.nullable("mark_price", derivative.mark_price)
      .nullable("index_price", derivative.index_price)
      .nullable("funding_rate", derivative.funding_rate)
      .nullable("next_funding_time", derivative.next_funding_time)
      .nullable("open_interest", derivative.open_interest)
      .nullable("exchange_time", derivative.origin.exchange_time)
      .nullable("received_time", derivative.origin.received_time);
  members.close();
}

// The value's own form, or null.
template <class T, class Append>
void append_part(json::Members& members, std::string_view name, const std::optional<T>& part,
                 Append append) {
  std::string& out = members.name(name);
  if (part) {
    append(out, *part);
  } else {
    out += "null";
  }
}

void append_latest(std::string& out, const pipeline::Latest& latest, Time now) {
  json::Members members(out);
  append_names(members, *latest.instrument);
  members("stale", latest.is_stale).nullable("last_price", last_price(latest));
  append_times(members, latest.received_time, latest.exchange_time, now);
  append_part(members, "ticker", latest.ticker, append_ticker);
  append_part(members, "quote", latest.quote, append_quote);
  append_part(members, "trade", latest.trade, append_trade);
  append_part(members, "derivative", latest.derivative, append_derivative);
  // An old ladder would look like a live one: it is left out, and said since when.
  if (has_live_ladder(latest)) {
    append_book(members.name("book"), *latest.ladder, ladder_levels);
  } else {
    members.raw("book", "null");
  }
  members.nullable("book_stale_since", latest.ladder_stale_since);
  append_candles(members.name("candle"), latest.forming);
  append_candles(members.name("closed_candle"), latest.closed);
  append_part(members, "tick", latest.tick, append_columns);
  append_part(members, "indicators", latest.indicators, append_columns);
  members.close();
}

constexpr std::size_t most_symbols = 100;

// What stands for an instrument that cannot be told: the symbol as typed, and why.
void append_refusal(std::string& out, std::string_view typed, const ProblemKind& kind) {
  json::Members members(out);
  members("symbol", typed)("code", kind.code)("title", kind.title).close();
}

}  // namespace

void answer_latest(const Site& site, Call call) {
  const std::string exchange = call.arguments.text("exchange");
  if (call.captured.size() > Arguments::max_bytes) {
    return call.fail({.kind = &problems::invalid_parameter,
                      .detail = fmt::format("is {} bytes long", call.captured.size()),
                      .parameter = "symbol"});
  }
  if (!exchange.empty() && !site.instruments.has_exchange(exchange)) {
    return call.fail(unknown_exchange(site, exchange));
  }
  const auto slot = site.instruments.find(call.captured, exchange);
  if (!slot) return call.fail(unknown_symbol(site, call.captured, exchange));
  const pipeline::Latest latest = site.backend.board.read(*slot);
  if (!has_data(latest)) {
    return call.fail({.kind = &problems::no_data_yet,
                      .detail = fmt::format("nothing has come for {} on {} yet",
                                            latest.instrument->symbol, latest.instrument->exchange),
                      .retry_after_seconds = 1});
  }

  std::string out;
  out.reserve(8U << 10U);
  append_latest(out, latest, site.backend.clock.now());
  call.json(std::move(out));
}

void answer_latest_of_many(const Site& site, Call call) {
  Arguments& arguments = call.arguments;
  const std::string exchange = arguments.text("exchange");
  const std::string symbols = arguments.required("symbols");
  std::vector<std::string_view> typed;
  for (const auto part : std::views::split(std::string_view(symbols), ',')) {
    typed.emplace_back(part.begin(), part.end());
    if (typed.back().empty()) {
      arguments.refuse(problems::invalid_parameter, "symbols", "has an empty symbol in it");
    }
  }
  if (typed.size() > most_symbols) {
    arguments.refuse(problems::invalid_parameter, "symbols",
                     fmt::format("names {} symbols; at most {}", typed.size(), most_symbols));
  }
  if (const auto& problem = arguments.problem()) return call.fail(*problem);
  if (!exchange.empty() && !site.instruments.has_exchange(exchange)) {
    return call.fail(unknown_exchange(site, exchange));
  }
  std::string found = "[";
  std::string refused = "[";
  const Time now = site.backend.clock.now();
  const auto separate = [](std::string& list) {
    if (list.size() > 1) list += ',';
  };
  for (const auto symbol : typed) {
    const auto slot = site.instruments.find(symbol, exchange);
    if (!slot) {
      separate(refused);
      append_refusal(refused, symbol, problems::unknown_symbol);
      continue;
    }
    const pipeline::Latest latest = site.backend.board.read(*slot);
    if (!has_data(latest)) {
      separate(refused);
      append_refusal(refused, symbol, problems::no_data_yet);
      continue;
    }
    separate(found);
    append_latest(found, latest, now);
  }
  call.json(fmt::format(R"({{"data":{}],"errors":{}]}})", found, refused));
}

}  // namespace candlewick::api
