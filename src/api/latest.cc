// Everything that is known of one instrument at this moment, from memory only.
#include <ranges>

#include "api/json_form.h"
#include "api/latest_pages.h"
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

// Returns the place behind the age.
std::size_t append_latest(std::string& out, const pipeline::Latest& latest, Time now) {
  json::Members members(out);
  append_names(members, *latest.instrument);
  members("stale", latest.is_stale).nullable("last_price", last_price(latest));
  append_times(members, latest.received_time, latest.exchange_time, now);
  const std::size_t behind_age = out.size();
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
  return behind_age;
}

LatestPages::Page make_page(const pipeline::Latest& latest, std::uint64_t version) {
  std::string text;
  text.reserve(8U << 10U);
  // Received now: its age is one digit.
  const std::size_t behind_age = append_latest(text, latest, latest.received_time.value_or(Time{}));
  const std::string_view age = latest.received_time ? "0" : "null";
  return {.version = version,
          .before = text.substr(0, behind_age - age.size()),
          .after = text.substr(behind_age),
          .received_time = latest.received_time};
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
  // Before the values are read: what changes meanwhile makes the page one that is not found again.
  const std::uint64_t version = site.backend.board.version_of(*slot);
  const Time now = site.backend.clock.now();
  if (const auto* page = site.latest_pages.find(*slot, version)) return call.json(page->at(now));
  const pipeline::Latest latest = site.backend.board.read(*slot);
  if (!has_data(latest)) {
    return call.fail({.kind = &problems::no_data_yet,
                      .detail = fmt::format("nothing has come for {} on {} yet",
                                            latest.instrument->symbol, latest.instrument->exchange),
                      .retry_after_seconds = 1});
  }
  call.json(site.latest_pages.keep(*slot, make_page(latest, version)).at(now));
}

void answer_latest_of_many(const Site& site, Call call) {
  Arguments& arguments = call.arguments;
  const std::string exchange = arguments.text("exchange");
  const std::string symbols = arguments.required("symbols");
  std::vector<std::string_view> typed;
  for (const auto part : std::views::split(std::string_view(symbols), ',')) {
    const std::string_view one(part.begin(), part.end());
    if (std::ranges::find(typed, one) != typed.end()) continue;
    typed.push_back(one);
    if (one.empty()) {
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
