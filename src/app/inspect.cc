// Questions from the command line.
#include "app/inspect.h"

#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

#include "alert/watch.h"
#include "app/bridge.h"
#include "app/command.h"
#include "app/exchange_matrix.h"
#include "app/table.h"
#include "app/warehouse_choice.h"
#include "base/json_text.h"
#include "exchange/registry.h"
#include "market/event_json.h"
#include "net/http_client.h"
#include "query/candles.h"
#include "simulator/protocol.h"
#include "warehouse/database.h"

namespace candlewick::app {
namespace {

std::string text_of(const std::optional<Decimal>& value) {
  return value ? value->to_string() : "";
}

std::string text_of(const std::optional<std::int64_t>& value) {
  return value ? fmt::format("{}", *value) : "";
}

std::string candle_line(const query::Candle& candle, const query::CandleQuery& query) {
  std::string line;
  json::Members members(line);
  members("exchange", query.exchange)("symbol", query.symbol)(
      "timeframe", to_text(query.timeframe))("timestamp", candle.timestamp)("open", candle.open)(
      "high", candle.high)("low", candle.low)("close", candle.close)("volume", candle.volume);
  members.nullable("quote_volume", candle.quote_volume)
      .nullable("trade_count", candle.trade_count)
      .nullable("taker_buy_volume", candle.taker_buy_volume)
      .nullable("taker_buy_quote_volume", candle.taker_buy_quote_volume);
  members("is_closed", candle.is_closed)("source", candle.source)("revision", candle.revision);
  members.nullable("bars", candle.bars);
  members("is_complete", candle.is_complete)("ingested_at", candle.ingested_at);
  members.close();
  return line;
}

}  // namespace

int check_config(const LoadedConfig& loaded, const std::string& format_text) {
  const auto format = parse_format(format_text);
  if (!format) return report(format.error());
  Table table({"key", "value", "origin"});
  std::vector<std::string> lines;
  for (const auto& setting : loaded.settings) {
    table.add({setting.key, setting.value, setting.origin});
    std::string line;
    json::Members members(line);
    members("key", setting.key)("value", setting.value)("origin", setting.origin).close();
    lines.push_back(std::move(line));
  }
  print(table, *format, lines);
  for (const auto& warning : loaded.warnings)
    fmt::print(stderr, "candlewick: warning: {}\n", warning);
  if (const auto plan = alert::read_plan(loaded.config.alerts); !plan) return report(plan.error());
  for (const auto& name : loaded.config.exchanges) {
    if (!exchange::ccxt::is_bridged(name)) continue;
    if (const auto sidecar = sidecar_of(loaded.config, name); !sidecar)
      return report(sidecar.error());
  }
  return done;
}

int exchanges(const std::string& format_text) {
  if (format_text == "markdown") {
    fmt::print("{}", exchange_matrix());
    return done;
  }
  const auto format = parse_format(format_text);
  if (!format) return report(format.error());
  Table table({"exchange", "market", "rest_url", "ws_url", "timeframes", "weight_per_minute"});
  std::vector<std::string> lines;
  const auto simulated = simulator::simulated_venues();
  for (const auto* venue : exchange::all_venues()) {
    std::string timeframes;
    for (const auto timeframe : venue->timeframes)
      timeframes += (timeframes.empty() ? "" : " ") + std::string(to_text(timeframe));
    const auto key = exchange::key_of(*venue);
    table.add({std::string(key), std::string(to_text(venue->market)), std::string(venue->rest_url),
               std::string(venue->ws_url), timeframes,
               fmt::format("{}", venue->limits.weight_per_minute)});
    std::string line;
    json::Members members(line);
    members("exchange", key)("market", to_text(venue->market))("rest_url", venue->rest_url)(
        "ws_url", venue->ws_url)("timeframes", timeframes)("weight_per_minute",
                                                           venue->limits.weight_per_minute);
    members("ccxt", venue->ccxt_id)("simulated",
                                    std::ranges::find(simulated, key) != simulated.end());
    members.close();
    lines.push_back(std::move(line));
  }
  print(table, *format, lines);
  if (*format == Format::table)
    fmt::print(stderr, "candlewick: and every other that CCXT knows, as ccxt:NAME\n");
  return done;
}

int symbols(const LoadedConfig& loaded, const std::string& exchange, const std::string& search,
            const std::string& format_text) {
  const auto format = parse_format(format_text);
  if (!format) return report(format.error());
  const auto venue = venue_named(exchange);
  if (!venue) return report(venue.error());
  const auto catalogue = exchange::make_catalogue(**venue);
  const auto request = (*venue)->request({.kind = exchange::RestKind::instruments});
  if (!request) return report(request.error());
  const auto urls = loaded.config.venues.find(exchange::key_of(**venue));
  const bool elsewhere = urls != loaded.config.venues.end() && !urls->second.base_url.empty();
  const std::string url =
      (elsewhere ? urls->second.base_url : std::string((*venue)->rest_url)) + request->target;
  net::HttpClient http({.ca_file = loaded.config.ca_file});
  const auto reply = http.fetch({.url = url});
  if (!reply) return report(reply.error());
  if (const auto words = (*venue)->explain_status(reply->status); !words.empty())
    return report({ErrorKind::transient, words});
  Events events;
  const auto decoder = (*venue)->make_decoder(*catalogue);
  const auto decoded = decoder->decode({.text = reply->body,
                                        .url = url,
                                        .received_time = {},
                                        .is_reply = true,
                                        .http_status = reply->status},
                                       events);
  if (!decoded) return report(decoded.error());
  Table table({"symbol", "exchange_symbol", "base", "quote", "status", "tick_size", "step_size"});
  std::vector<std::string> lines;
  const auto wanted = folded_symbol(search);
  catalogue->each([&](const Instrument& instrument) {
    if (!wanted.empty() && !folded_symbol(instrument.symbol).contains(wanted)) return;
    table.add({instrument.symbol, instrument.exchange_symbol, instrument.base, instrument.quote,
               std::string(to_text(instrument.status)), text_of(instrument.tick_size),
               text_of(instrument.step_size)});
    lines.push_back(to_json(Listing{.origin = {&instrument, {}, {}}}));
  });
  print(table, *format, lines);
  return done;
}

int candles(const LoadedConfig& loaded, const CandlesOptions& options) {
  const auto format = parse_format(options.format);
  if (!format) return report(format.error());
  const auto name = stored_name(options.exchange, options.symbol);
  if (!name) return report(name.error());
  const auto timeframe = parse_timeframe(options.timeframe);
  if (!timeframe)
    return report({ErrorKind::misconfigured, "--timeframe: " + timeframe.error().message});
  query::CandleQuery query{
      .exchange = name->exchange, .symbol = name->symbol, .timeframe = *timeframe};
  const auto start = optional_time("--start", options.start);
  const auto end = optional_time("--end", options.end);
  const auto as_of = optional_time("--as-of", options.as_of);
  for (const auto* time : {&start, &end, &as_of}) {
    if (!*time) return report(time->error());
  }
  query.start = *start;
  query.end = *end;
  query.as_of = *as_of;
  query.limit = 10'000;
  auto database = open_for_reading(loaded.config);
  if (!database) return report(database.error());
  std::vector<std::string> header{"timestamp", "open",   "high",         "low",
                                  "close",     "volume", "quote_volume", "trade_count",
                                  "is_closed", "source", "revision"};
  // People have no room for these.
  if (*format == Format::csv) {
    header.insert(header.end(), {"taker_buy_volume", "taker_buy_quote_volume", "bars",
                                 "is_complete", "ingested_at"});
  }
  LineOutput output;
  std::optional<Table> above;
  for (;;) {
    const auto page = query::candles(**database, query);
    if (!page) return report(page.error());
    Table table(header);
    table.colour("is_closed", [](std::string_view cell) {
      return cell == "false" ? Tone::warning : Tone::plain;
    });
    if (above) table.continue_below(*above);
    for (const auto& candle : *page) {
      if (*format == Format::jsonl) {
        output.text() += candle_line(candle, query);
        output.end_line();
        continue;
      }
      std::vector<std::string> row{to_rfc3339(candle.timestamp),
                                   candle.open.to_string(),
                                   candle.high.to_string(),
                                   candle.low.to_string(),
                                   candle.close.to_string(),
                                   candle.volume.to_string(),
                                   text_of(candle.quote_volume),
                                   text_of(candle.trade_count),
                                   candle.is_closed ? "true" : "false",
                                   candle.source,
                                   fmt::format("{}", candle.revision)};
      if (*format == Format::csv) {
        row.insert(row.end(),
                   {text_of(candle.taker_buy_volume), text_of(candle.taker_buy_quote_volume),
                    text_of(candle.bars), candle.is_complete ? "true" : "false",
                    to_rfc3339(candle.ingested_at)});
      }
      table.add(std::move(row));
    }
    // The header once.
    if (*format == Format::table) output.text() += table.text(uses_colour(STDOUT_FILENO), !above);
    if (*format == Format::csv) output.text() += table.csv(!above);
    output.flush();
    above = std::move(table);
    if (page->size() < query.limit) return done;
    query.start = next_open(*timeframe, page->back().timestamp);
  }
}

}  // namespace candlewick::app
