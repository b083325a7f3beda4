// Every table is rows of typed cells under a list of columns; a format is a way to write those.
#include "app/export.h"

#include <array>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "app/command.h"
#include "app/output_file.h"
#include "app/parquet.h"
#include "app/progress.h"
#include "app/warehouse_choice.h"
#include "base/clock.h"
#include "base/csv_text.h"
#include "base/json_text.h"
#include "exchange/registry.h"
#include "query/candles.h"
#include "query/coverage.h"
#include "query/snapshots.h"
#include "query/trades.h"

namespace candlewick::app {
namespace {

using enum schema::ColumnType;
using schema::Column;
using schema::Value;
using warehouse::Values;

constexpr std::size_t page_rows = 10'000;

// As the warehouse has them, and what a query adds.
constexpr std::array<Column, 19> candle_columns{{{"exchange", text, false},
                                                 {"symbol", text, false},
                                                 {"timeframe", text, false},
                                                 {"timestamp", time, false},
                                                 {"open", decimal, false},
                                                 {"high", decimal, false},
                                                 {"low", decimal, false},
                                                 {"close", decimal, false},
                                                 {"volume", decimal, false},
                                                 {"quote_volume", decimal},
                                                 {"trade_count", integer},
                                                 {"taker_buy_volume", decimal},
                                                 {"taker_buy_quote_volume", decimal},
                                                 {"is_closed", boolean, false},
                                                 {"source", text, false},
                                                 {"revision", integer, false},
                                                 {"ingested_at", time, false},
                                                 {"bars", integer},
                                                 {"is_complete", boolean, false}}};

template <class T>
Value optional(const std::optional<T>& value) {
  return value ? Value{*value} : Value{};
}

struct Asked {
  warehouse::Database& database;
  std::string exchange;
  std::string symbol;
  std::string exchange_symbol;
  Timeframe timeframe = Timeframe::m1;
  std::optional<Time> start;
  std::optional<Time> end;
};
using Take = std::function<Result<void>(std::span<const Value>)>;

Result<void> each_candle(const Asked& asked, const Take& take) {
  query::CandleQuery query{.exchange = asked.exchange,
                           .symbol = asked.symbol,
                           .timeframe = asked.timeframe,
                           .start = asked.start,
                           .end = asked.end,
                           .limit = page_rows};
  while (true) {
    const auto page = query::candles(asked.database, query);
    if (!page) return fail(page.error());
    for (const auto& candle : *page) {
      const std::array<Value, candle_columns.size()> row{asked.exchange,
                                                         asked.symbol,
                                                         std::string(to_text(asked.timeframe)),
                                                         candle.timestamp,
                                                         candle.open,
                                                         candle.high,
                                                         candle.low,
                                                         candle.close,
                                                         candle.volume,
                                                         optional(candle.quote_volume),
                                                         optional(candle.trade_count),
                                                         optional(candle.taker_buy_volume),
                                                         optional(candle.taker_buy_quote_volume),
                                                         candle.is_closed,
                                                         candle.source,
                                                         candle.revision,
                                                         candle.ingested_at,
                                                         optional(candle.bars),
                                                         candle.is_complete};
      if (auto taken = take(row); !taken) return taken;
    }
    if (page->size() < query.limit) return {};
    query.start = next_open(asked.timeframe, page->back().timestamp);
  }
}

// One series has one row at a moment, so the next page begins just behind the last row. The venue's
// spelling is the one that a row has in any style of symbols.
Result<void> each_snapshot(const Asked& asked, const schema::Table& table, const Take& take) {
  query::SnapshotQuery query{.exchange = asked.exchange,
                             .symbol = asked.exchange_symbol,
                             .window_interval = std::string(to_text(asked.timeframe)),
                             .start = asked.start,
                             .end = asked.end,
                             .limit = page_rows};
  const std::size_t moment = table.index_of("exchange_ts");
  while (true) {
    const auto page = &table == &schema::market_ticks ? query::ticks(asked.database, query)
                                                      : query::indicators(asked.database, query);
    if (!page) return fail(page.error());
    for (const auto& row : *page) {
      if (auto taken = take(row.values); !taken) return taken;
    }
    if (page->size() < query.limit) return {};
    query.start = std::get<Time>(page->back().values[moment]) + std::chrono::microseconds{1};
  }
}

// The timeframe does not matter.
Result<void> each_trade(const Asked& asked, const Take& take) {
  query::TradeQuery query{.exchange = asked.exchange,
                          .symbol = asked.symbol,
                          .start = asked.start,
                          .end = asked.end,
                          .after = {},
                          .limit = page_rows};
  while (true) {
    const auto page = query::trades(asked.database, query);
    if (!page) return fail(page.error());
    for (const auto& trade : *page) {
      const std::array<Value, 9> row{
          asked.exchange,   asked.symbol, trade.exchange_time,        trade.trade_id,
          trade.price,      trade.size,   optional(trade.quote_size), trade.taker_side,
          trade.ingested_at};
      if (auto taken = take(row); !taken) return taken;
    }
    if (page->size() < query.limit) return {};
    query.after = {page->back().exchange_time, page->back().trade_id};
  }
}

// What holds now: as many rows as things have happened, which fits into memory.
Result<void> each_span(const Asked& asked, const Take& take) {
  const auto spans =
      query::coverage(asked.database, {.exchange = asked.exchange,
                                       .symbol = asked.symbol,
                                       .timeframe = std::string(to_text(asked.timeframe)),
                                       .start = asked.start,
                                       .end = asked.end,
                                       .limit = std::numeric_limits<std::size_t>::max()});
  if (!spans) return fail(spans.error());
  for (const auto& span : *spans) {
    const std::array<Value, 11> row{span.exchange,
                                    span.symbol,
                                    span.timeframe,
                                    span.stream,
                                    span.from,
                                    span.to,
                                    span.state,
                                    optional(span.cause),
                                    optional(span.evidence),
                                    span.recorded_at,
                                    span.seq};
    if (auto taken = take(row); !taken) return taken;
  }
  return {};
}

struct Source {
  std::string_view name;
  std::span<const Column> columns;
  Result<void> (*each)(const Asked& asked, const Take& take);
};

std::array<Source, 5> sources() {
  return {{{"candles", candle_columns, each_candle},
           {"market_ticks", schema::market_ticks.columns,
            [](const Asked& asked, const Take& take) {
              return each_snapshot(asked, schema::market_ticks, take);
            }},
           {"technical_indicators", schema::technical_indicators.columns,
            [](const Asked& asked, const Take& take) {
              return each_snapshot(asked, schema::technical_indicators, take);
            }},
           {"trades", schema::fact_trade.columns, each_trade},
           {"coverage", schema::coverage.columns, each_span}}};
}

class Writer {
 public:
  virtual ~Writer() = default;
  virtual Result<void> add(std::span<const Value> values) = 0;
  virtual Result<void> finish() = 0;
};

// RFC 4180; absent values are empty.
class CsvWriter final : public Writer {
 public:
  CsvWriter(std::span<const Column> columns, OutputFile& file) : file_(file) {
    for (const auto& column : columns) cell(column.name);
    buffer_.back() = '\n';
  }
  Result<void> add(std::span<const Value> values) override {
    for (const auto& value : values) std::visit(*this, value);
    buffer_.back() = '\n';
    return buffer_.size() >= flush_bytes ? flush() : Result<void>{};
  }
  Result<void> finish() override { return flush(); }

  void operator()(schema::Null) { cell({}); }
  void operator()(bool flag) { cell(flag ? "true" : "false"); }
  void operator()(std::int64_t number) { cell(std::to_string(number)); }
  void operator()(double number) {
    std::string digits;
    json::append(digits, number);
    cell(digits);
  }
  void operator()(Decimal number) { cell(number.to_string()); }
  void operator()(Time moment) { cell(to_rfc3339(moment)); }
  void operator()(const std::string& words) { cell(words); }
  void operator()(const schema::Json& document) { cell(document.text); }

 private:
  static constexpr std::size_t flush_bytes = 1 << 16;

  void cell(std::string_view content) {
    csv::append_cell(buffer_, content);
    buffer_ += ',';
  }
  Result<void> flush() {
    auto written = file_.write(buffer_);
    buffer_.clear();
    return written;
  }

  OutputFile& file_;
  std::string buffer_;
};

class JsonLinesWriter final : public Writer {
 public:
  JsonLinesWriter(std::span<const Column> columns, OutputFile& file)
      : columns_(columns), file_(file) {}
  Result<void> add(std::span<const Value> values) override {
    line_.clear();
    json::Members members(line_);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      std::visit(
          [&](const auto& value) {
            using Type = std::decay_t<decltype(value)>;
            if constexpr (std::is_same_v<Type, schema::Null>) {
              members.raw(columns_[i].name, "null");
            } else if constexpr (std::is_same_v<Type, schema::Json>) {
              members.raw(columns_[i].name, value.text);
            } else {
              members(columns_[i].name, value);
            }
          },
          values[i]);
    }
    members.close();
    line_ += '\n';
    return file_.write(line_);
  }
  Result<void> finish() override { return {}; }

 private:
  const std::span<const Column> columns_;
  OutputFile& file_;
  std::string line_;
};

class ParquetFile final : public Writer {
 public:
  ParquetFile(std::span<const Column> columns, OutputFile& file)
      : writer_(columns, [&file](std::string_view bytes) { return file.write(bytes); }) {}
  Result<void> add(std::span<const Value> values) override { return writer_.add(values); }
  Result<void> finish() override { return writer_.finish(); }

 private:
  ParquetWriter writer_;
};

Result<std::unique_ptr<Writer>> make_writer(std::string_view format,
                                            std::span<const Column> columns, OutputFile& file) {
  if (format == "csv") return std::unique_ptr<Writer>(std::make_unique<CsvWriter>(columns, file));
  if (format == "jsonl")
    return std::unique_ptr<Writer>(std::make_unique<JsonLinesWriter>(columns, file));
  if (format == "parquet")
    return std::unique_ptr<Writer>(std::make_unique<ParquetFile>(columns, file));
  return fail(ErrorKind::misconfigured, "--to: \"{}\" is none of csv, jsonl and parquet", format);
}

Result<std::uint64_t> write_all(const Source& source, const Asked& asked,
                                const ExportOptions& options) {
  auto file = OutputFile::open(options.output);
  if (!file) return fail(std::move(file.error()));
  const auto writer = make_writer(options.to, source.columns, **file);
  if (!writer) return fail(writer.error());
  std::uint64_t rows = 0;
  const RealClock clock;
  // Rows on the same terminal show well enough that something happens.
  const bool is_shown = Progress::on_terminal() && !(options.output.empty() && is_terminal());
  Progress progress(clock, is_shown);
  progress.begin("export", "rows");
  constexpr std::uint64_t between_updates = 1'000;
  const auto written = source.each(asked, [&](std::span<const Value> values) {
    if (++rows % between_updates == 0) progress.update(rows);
    return (*writer)->add(values);
  });
  if (!written) return fail(written.error());
  if (auto finished = (*writer)->finish(); !finished) return fail(std::move(finished.error()));
  if (auto finished = (*file)->finish(); !finished) return fail(std::move(finished.error()));
  return rows;
}

}  // namespace

int export_rows(const LoadedConfig& loaded, const ExportOptions& options) {
  const auto all_sources = sources();
  const Source* source = nullptr;
  for (const auto& known : all_sources) {
    if (known.name == options.table) source = &known;
  }
  if (source == nullptr) {
    return report(
        {ErrorKind::misconfigured, fmt::format("--table: \"{}\" is none of candles, market_ticks, "
                                               "technical_indicators, trades and coverage",
                                               options.table)});
  }
  if (options.to == "parquet" && options.output.empty() && is_terminal()) {
    return report({ErrorKind::misconfigured, "--output: a Parquet file is nothing for a terminal"});
  }
  const auto venue = venue_of(options.exchange, options.symbol);
  if (!venue) return report(venue.error());
  const auto catalogue = exchange::make_catalogue(**venue);
  const auto instrument = instrument_named(**venue, *catalogue, options.symbol);
  if (!instrument) return report(instrument.error());
  const auto timeframe = parse_timeframe(options.timeframe);
  if (!timeframe)
    return report({ErrorKind::misconfigured, "--timeframe: " + timeframe.error().message});
  const auto start = optional_time("--start", options.start);
  if (!start) return report(start.error());
  const auto end = optional_time("--end", options.end);
  if (!end) return report(end.error());
  const auto database = open_for_reading(loaded.config);
  if (!database) return report(database.error());
  const auto rows = write_all(*source,
                              {.database = **database,
                               .exchange = (*instrument)->exchange,
                               .symbol = (*instrument)->symbol,
                               .exchange_symbol = (*instrument)->exchange_symbol,
                               .timeframe = *timeframe,
                               .start = *start,
                               .end = *end},
                              options);
  if (!rows) return report(rows.error());
  fmt::print(stderr, "candlewick: {} rows\n", *rows);
  return done;
}

}  // namespace candlewick::app
