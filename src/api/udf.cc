// TradingView's Universal Data Feed (its "UDF" documentation, read 2026-11-21), which charting
// clients speak: times are whole seconds, rows are columns, and a failure says "s":"error". Symbols
// are named "BINANCE:BTC/USDT"; every other spelling is taken too.
#include <algorithm>
#include <charconv>

#include "api/candle_points.h"
#include "api/json_form.h"
#include "api/paging.h"
#include "api/resources.h"
#include "query/catalogue.h"

namespace candlewick::api {
namespace {

using std::chrono::seconds;

struct Resolution {
  std::string_view name;
  Timeframe timeframe;
};

// Minutes are plain numbers.
constexpr auto resolutions = std::to_array<Resolution>({{"1S", Timeframe::s1},
                                                        {"1", Timeframe::m1},
                                                        {"3", Timeframe::m3},
                                                        {"5", Timeframe::m5},
                                                        {"15", Timeframe::m15},
                                                        {"30", Timeframe::m30},
                                                        {"60", Timeframe::h1},
                                                        {"120", Timeframe::h2},
                                                        {"240", Timeframe::h4},
                                                        {"360", Timeframe::h6},
                                                        {"480", Timeframe::h8},
                                                        {"720", Timeframe::h12},
                                                        {"1D", Timeframe::d1},
                                                        {"3D", Timeframe::d3},
                                                        {"1W", Timeframe::w1},
                                                        {"1M", Timeframe::mo1}});

// Seconds are offered where they are stored: nothing rolls up to less than a minute.
bool is_offered(const Site& site, Timeframe timeframe) {
  return timeframe != Timeframe::s1 ||
         std::ranges::find(site.backend.timeframes, to_text(Timeframe::s1)) !=
             site.backend.timeframes.end();
}

void append_resolutions(const Site& site, std::string& out) {
  out += '[';
  for (const auto& [name, timeframe] : resolutions) {
    if (!is_offered(site, timeframe)) continue;
    if (out.back() != '[') out += ',';
    json::append_string(out, name);
  }
  out += ']';
}

Timeframe read_resolution(const Site& site, Arguments& arguments) {
  std::string text = arguments.required("resolution");
  // "D" is "1D".
  if (text == "S" || text == "D" || text == "W" || text == "M") text.insert(0, "1");
  const auto found = std::ranges::find(resolutions, text, &Resolution::name);
  if (found != resolutions.end() && is_offered(site, found->timeframe)) return found->timeframe;
  std::string known;
  append_resolutions(site, known);
  arguments.refuse(problems::invalid_parameter, "resolution",
                   fmt::format("\"{}\" is none of {}", text.substr(0, 40), known));
  return Timeframe::m1;
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; });
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return out;
}

constexpr std::size_t most_countback = 1'000'000;

struct Named {
  std::string exchange;  // empty: whoever lists it first
  std::string typed;
};

// "BINANCE:BTC/USDT"; names of exchanges may hold a colon themselves ("CCXT:MEXC:BTC/USDT"). A
// swap's own colon ("BTC/USDT:USDT") is not behind an exchange.
Named read_symbol(const Site& site, Arguments& arguments) {
  const std::string text = arguments.required("symbol");
  for (auto colon = text.find(':'); colon != std::string::npos; colon = text.find(':', colon + 1)) {
    std::string exchange = lower(std::string_view(text).substr(0, colon));
    if (site.instruments.has_exchange(exchange))
      return {.exchange = std::move(exchange), .typed = text.substr(colon + 1)};
  }
  const auto colon = text.find(':');
  if (colon != std::string::npos) {
    std::string exchange = lower(std::string_view(text).substr(0, colon));
    if (text.find('/') > colon)
      return {.exchange = std::move(exchange), .typed = text.substr(colon + 1)};
  }
  return {.exchange = {}, .typed = text};
}

std::string ticker_of(std::string_view exchange, std::string_view symbol) {
  return fmt::format("{}:{}", upper(exchange), symbol);
}

std::int64_t to_seconds(Time time) {
  return std::chrono::floor<seconds>(time.time_since_epoch()).count();
}

// How many parts of one the tick has: 100 for 0.01. Prices without a known tick show eight digits.
// `tick` in those parts goes to `minmov`.
struct PriceScale {
  std::int64_t scale = 100'000'000;
  std::int64_t minmov = 1;
};
PriceScale scale_of(const std::optional<Decimal>& tick) {
  if (!tick || tick->is_zero()) return {};
  const std::string digits = tick->to_string();
  PriceScale out{.scale = 1, .minmov = 0};
  bool is_fraction = false;
  for (const char c : digits) {
    if (c == '.') {
      is_fraction = true;
      continue;
    }
    // A scale beyond this is more than a chart's double shows.
    if (out.scale >= 1'000'000'000'000 || out.minmov >= 1'000'000'000'000) return {};
    out.minmov = out.minmov * 10 + (c - '0');
    if (is_fraction) out.scale *= 10;
  }
  return out;
}

void append_symbol_info(const Site& site, std::string& out, const query::Symbol& symbol) {
  const std::string exchange = upper(*symbol.exchange);
  const std::string ticker = ticker_of(*symbol.exchange, symbol.symbol);
  const auto [scale, minmov] = scale_of(symbol.tick_size);
  const bool has_seconds = is_offered(site, Timeframe::s1);
  json::Members members(out);
  members("name", symbol.symbol)("ticker", ticker)("full_name", ticker);
  members("description", fmt::format("{} / {} on {}", symbol.base, symbol.quote, *symbol.exchange));
  members("type", "crypto")("session", "24x7")("timezone", "Etc/UTC");
  members("exchange", exchange)("listed_exchange", exchange)("currency_code", symbol.quote);
  members("format", "price")("minmov", minmov)("pricescale", scale)("volume_precision", 8);
  members("has_intraday", true)("has_seconds", has_seconds)("has_daily", true)(
      "has_weekly_and_monthly", true);
  if (has_seconds) members.raw("seconds_multipliers", R"(["1"])");
  append_resolutions(site, members.name("supported_resolutions"));
  members("data_status", "streaming").close();
}

// What the warehouse knows of that very instrument.
Result<std::optional<query::Symbol>> find_listing(warehouse::Database& database,
                                                  const Series& series) {
  auto found =
      query::symbols(database, {.exchange = series.exchange, .search = series.symbol, .limit = 50});
  if (!found) return candlewick::fail(std::move(found.error()));
  for (auto& symbol : *found) {
    if (symbol.symbol == series.symbol && symbol.exchange == series.exchange) return symbol;
  }
  return std::nullopt;
}

// Whole seconds since 1970. Charts ask for times before that, which are all alike to us.
Time read_seconds(Arguments& arguments, std::string_view name, std::string_view text) {
  constexpr std::int64_t end_of_time = 7'258'118'400;  // the year 2200
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || end != text.data() + text.size()) {
    arguments.refuse(problems::invalid_parameter, name,
                     fmt::format("\"{}\" is not a whole number of seconds", text.substr(0, 40)));
    return {};
  }
  return Time{seconds{std::clamp<std::int64_t>(count, 0, end_of_time)}};
}

// One column of all rows: "o":[…].
template <class Append>
void append_column(json::Members& members, std::string_view name,
                   const std::vector<CandlePoint>& candles, Append append) {
  std::string& out = members.name(name);
  out += '[';
  for (std::size_t i = 0; i < candles.size(); ++i) {
    if (i != 0) out += ',';
    append(out, candles[i]);
  }
  out += ']';
}

std::string columns_of(const std::vector<CandlePoint>& candles) {
  std::string out;
  out.reserve(64 + candles.size() * 80);
  json::Members members(out);
  members("s", "ok");
  append_column(members, "t", candles, [](std::string& text, const CandlePoint& candle) {
    json::append(text, to_seconds(candle.open_time));
  });
  const auto decimals = [&](std::string_view name, Decimal CandlePoint::* part) {
    append_column(members, name, candles, [part](std::string& text, const CandlePoint& candle) {
      json::append(text, candle.*part);
    });
  };
  decimals("o", &CandlePoint::open);
  decimals("h", &CandlePoint::high);
  decimals("l", &CandlePoint::low);
  decimals("c", &CandlePoint::close);
  decimals("v", &CandlePoint::volume);
  members.close();
  return out;
}

struct BarQuestion {
  Timeframe timeframe{};
  std::optional<Time> from;  // null: as far back as the count reaches
  Time to;                   // exclusive
  std::optional<std::size_t> countback;
};

Result<void> answer_bars(const Site& site, warehouse::Database& database, Call& call,
                         const Series& series, const BarQuestion& question) {
  const std::size_t limit = question.countback.value_or(site.max_rows);
  HistoryQuestion newest{.exchange = series.exchange,
                         .typed = series.symbol,
                         .timeframe = question.timeframe,
                         .start = question.from,
                         .end = question.to,
                         .limit = limit,
                         .order = query::Order::descending};
  auto candles = candle_points(site, database, series, newest);
  if (!candles) return candlewick::fail(std::move(candles.error()));
  if (candles->size() > limit) candles->resize(limit);
  std::ranges::reverse(*candles);
  if (!candles->empty()) {
    call.json(columns_of(*candles));
    return {};
  }
  std::string out;
  json::Members members(out);
  members("s", "no_data");
  if (question.from) {
    // Where the chart has to look next: the newest candle before the range.
    newest.start.reset();
    newest.end = question.from;
    newest.limit = 1;
    const auto before = candle_points(site, database, series, newest);
    if (!before) return candlewick::fail(before.error());
    if (!before->empty()) members("nextTime", to_seconds(before->front().open_time));
  }
  members.close();
  call.json(std::move(out));
  return {};
}

}  // namespace

void answer_udf_config(const Site& site, Call call) {
  std::string out;
  json::Members members(out);
  members("supports_search", true)("supports_group_request", false)("supports_marks", false)(
      "supports_timescale_marks", false)("supports_time", true);
  append_resolutions(site, members.name("supported_resolutions"));
  std::string& exchanges = members.name("exchanges");
  exchanges += R"([{"value":"","name":"All exchanges","desc":""})";
  for (const auto& exchange : site.instruments.exchanges()) {
    exchanges += ',';
    json::Members one(exchanges);
    one("value", exchange)("name", upper(exchange))("desc", exchange).close();
  }
  exchanges += ']';
  members.raw("symbols_types", R"([{"name":"Crypto","value":"crypto"}])");
  members.close();
  call.json(std::move(out));
}

void answer_udf_time(const Site& site, Call call) {
  call.send(
      {.status = 200,
       .headers = {{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}},
       .body = std::to_string(to_seconds(site.backend.clock.now()))});
}

void answer_udf_symbols(const Site& site, Call call) {
  Named named = read_symbol(site, call.arguments);
  if (const auto& problem = call.arguments.problem()) return call.fail(*problem);
  ask_about_series(
      site, std::move(call), std::move(named.typed), std::move(named.exchange),
      [&site](warehouse::Database& database, Call& asked, const Series& series) -> Result<void> {
        auto listing = find_listing(database, series);
        if (!listing) return candlewick::fail(std::move(listing.error()));
        if (!*listing) {
          // On the board, and not stored yet.
          *listing = query::Symbol{.symbol = series.symbol,
                                   .base = series.symbol,
                                   .quote = {},
                                   .exchange = series.exchange};
        }
        std::string out;
        append_symbol_info(site, out, **listing);
        asked.json(std::move(out));
        return {};
      });
}

void answer_udf_search(const Site& site, Call call) {
  Arguments& arguments = call.arguments;
  query::SymbolQuery query{.search = arguments.text("query")};
  if (arguments.has("exchange")) query.exchange = lower(arguments.text("exchange"));
  query.limit = arguments.count("limit", 30, site.max_rows);
  if (const auto& problem = arguments.problem()) return call.fail(*problem);
  const bool is_other_type = arguments.has("type") && lower(arguments.text("type")) != "crypto";
  if (is_other_type) return call.json("[]");
  site.questions.ask(
      std::move(call),
      [query = std::move(query)](warehouse::Database& database, Call& asked) -> Result<void> {
        const auto symbols = query::symbols(database, query);
        if (!symbols) return candlewick::fail(symbols.error());
        std::string out = "[";
        for (const auto& symbol : *symbols) {
          if (!symbol.exchange) continue;
          if (out.size() > 1) out += ',';
          const std::string ticker = ticker_of(*symbol.exchange, symbol.symbol);
          json::Members members(out);
          members("symbol", symbol.symbol)("full_name", ticker)("ticker", ticker);
          members("description", symbol.name ? *symbol.name : symbol.base + " / " + symbol.quote);
          members("exchange", upper(*symbol.exchange))("type", "crypto").close();
        }
        out += ']';
        asked.json(std::move(out));
        return {};
      });
}

void answer_udf_history(const Site& site, Call call) {
  Arguments& arguments = call.arguments;
  Named named = read_symbol(site, arguments);
  BarQuestion question{.timeframe = read_resolution(site, arguments)};
  if (arguments.has("countback"))
    // A wish: what one answer does not hold, the chart asks for next.
    question.countback = std::min(arguments.count("countback", 1, most_countback), site.max_rows);
  question.to = read_seconds(arguments, "to", arguments.required("to"));
  // Sent beside a count too, which wins.
  if (!question.countback || arguments.has("from"))
    question.from = read_seconds(arguments, "from", arguments.required("from"));
  if (question.countback) {
    question.from.reset();
  } else if (*question.from > question.to) {
    arguments.refuse(problems::invalid_range, "from", "is after `to`");
  }
  if (const auto& problem = arguments.problem()) return call.fail(*problem);
  ask_about_series(site, std::move(call), std::move(named.typed), std::move(named.exchange),
                   [&site, question](warehouse::Database& database, Call& asked,
                                     const Series& series) -> Result<void> {
                     return answer_bars(site, database, asked, series, question);
                   });
}

}  // namespace candlewick::api
