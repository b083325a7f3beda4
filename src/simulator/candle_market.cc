// Reads CSV files as exchanges and their users keep them: times in ms, µs or RFC 3339, six or
// twelve columns. Quote volumes that a file does not tell are made up from volume and close, since
// the protocol has no way to leave them out.
#include "simulator/candle_market.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>

#include "base/line_reader.h"
#include "simulator/protocol.h"

namespace candlewick::simulator {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::string_view, 11> standard_columns{
    "open_time",  "open",         "high",  "low",          "close",      "volume",
    "close_time", "quote_volume", "count", "taker_volume", "taker_quote"};
// Spellings of columns, as files have them.
std::string_view column_name(std::string_view header) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> spellings{
      {{"timestamp", "open_time"},
       {"time", "open_time"},
       {"qav", "quote_volume"},
       {"num_trades", "count"},
       {"trades", "count"},
       {"taker_base", "taker_volume"},
       {"taker_buy_volume", "taker_volume"},
       {"taker_buy_quote_volume", "taker_quote"},
       {"quote_asset_volume", "quote_volume"}}};
  for (const auto& [spelling, name] : spellings) {
    if (spelling == header) return name;
  }
  return header;
}

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> cells;
  while (true) {
    const auto comma = line.find(',');
    cells.push_back(line.substr(0, comma));
    if (comma == std::string_view::npos) return cells;
    line = line.substr(comma + 1);
  }
}

bool looks_like_symbol(std::string_view part) {
  return part.size() >= 5 &&
         std::ranges::all_of(
             part, [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }) &&
         std::ranges::any_of(quote_assets, [&](std::string_view quote) {
           return part.size() > quote.size() && part.ends_with(quote);
         });
}

std::string symbol_of(const std::string& path) {
  const std::string name = std::filesystem::path(path).filename().string();
  std::string_view rest = name;
  while (!rest.empty()) {
    const auto end = rest.find_first_of("-_.");
    if (looks_like_symbol(rest.substr(0, end))) return std::string(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  }
  return {};
}

using Columns = std::map<std::string_view, std::size_t>;

// Fractional digits in use.
int digits_of(Decimal value) {
  const std::string text = value.to_string();
  const auto point = text.find('.');
  return point == std::string::npos ? 0 : static_cast<int>(text.size() - point - 1);
}

Decimal unit(int digits) {
  int128 count = Decimal::one;
  for (int i = 0; i < digits; ++i) count /= 10;
  return Decimal::from_count(count);
}

struct LineParser {
  Columns columns;
  bool is_detailed = false;

  Result<Row> parse(std::string_view line) const {
    const auto cells = split(line);
    const auto cell = [&](std::string_view name) -> std::string_view {
      const auto found = columns.find(name);
      return found == columns.end() || found->second >= cells.size() ? "" : cells[found->second];
    };
    Row row;
    const auto time = parse_time(cell("open_time"));
    if (!time) return fail(time.error());
    row.open_time = *time;
    row.bar.any = true;
    for (const auto& [name, target] :
         {std::pair{"open", &row.bar.open}, std::pair{"high", &row.bar.high},
          std::pair{"low", &row.bar.low}, std::pair{"close", &row.bar.close},
          std::pair{"volume", &row.bar.volume}}) {
      const auto value = Decimal::parse(cell(name));
      if (!value) return within(name, value.error());
      *target = *value;
    }
    if (!is_detailed) {
      row.bar.quote_volume = Decimal::multiply(row.bar.volume, row.bar.close).value_or(Decimal{});
      return row;
    }
    for (const auto& [name, target] : {std::pair{"quote_volume", &row.bar.quote_volume},
                                       std::pair{"taker_volume", &row.bar.taker_volume},
                                       std::pair{"taker_quote", &row.bar.taker_quote_volume}}) {
      const auto value = Decimal::parse(cell(name));
      if (!value) return within(name, value.error());
      *target = *value;
    }
    const auto count = cell("count");
    const auto read = std::from_chars(count.data(), count.data() + count.size(), row.bar.count);
    if (read.ec != std::errc{}) return fail(ErrorKind::malformed, "count: \"{}\"", count);
    return row;
  }
};

LineParser parser_for(const std::vector<std::string_view>& names) {
  LineParser parser;
  for (std::size_t i = 0; i < names.size(); ++i) {
    // Keys are literals or outlive the parser: only the standard names are kept.
    const auto* name = std::ranges::find(standard_columns, column_name(names[i]));
    if (name != standard_columns.end()) parser.columns.emplace(*name, i);
  }
  parser.is_detailed =
      std::ranges::all_of(std::array{"quote_volume", "count", "taker_volume", "taker_quote"},
                          [&](std::string_view name) { return parser.columns.contains(name); });
  return parser;
}

}  // namespace

Result<std::unique_ptr<CandleMarket>> CandleMarket::load(const std::string& exchange,
                                                         const std::vector<std::string>& files) {
  auto market = std::make_unique<CandleMarket>();
  for (const auto& file : files) {
    auto read = market->read(exchange, file);
    if (!read) return fail(std::move(read.error()));
  }
  auto finished = market->finish();
  if (!finished) return fail(std::move(finished.error()));
  return market;
}

Result<void> CandleMarket::read(const std::string& exchange, const std::string& file) {
  const auto equals = file.find('=');
  const bool is_named = equals != std::string::npos && looks_like_symbol(file.substr(0, equals));
  const std::string path = is_named ? file.substr(equals + 1) : file;
  const std::string symbol = is_named ? file.substr(0, equals) : symbol_of(path);
  if (symbol.empty()) {
    return fail(ErrorKind::misconfigured, "{}: no symbol in the file's name (write SYMBOL={})",
                path, path);
  }
  auto reader = LineReader::open(path);
  if (!reader) return fail(std::move(reader.error()));
  auto listing = resolve(symbol);
  if (!listing) {
    candlewick::Catalogue catalogue(exchange, candlewick::Market::spot, quote_assets);
    const auto* instrument = catalogue.find_or_infer(symbol);
    Listing made;
    made.instrument = *instrument;
    made.instrument.exchange_symbol = spelled(exchange, instrument->base, instrument->quote);
    made.instrument.status = ListingStatus::trading;
    made.price_digits = made.size_digits = 0;
    listing = listings_.size();
    listings_.push_back(std::move(made));
    series_.emplace_back();
  }
  Series& series = series_[*listing];
  LineParser parser = parser_for({standard_columns.begin(), standard_columns.end()});
  std::string line;
  while (true) {
    const auto more = reader->next(line);
    if (!more) return fail(more.error());
    if (!*more) break;
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) continue;
    const bool is_header = (line[0] >= 'a' && line[0] <= 'z') || (line[0] >= 'A' && line[0] <= 'Z');
    if (is_header) {
      parser = parser_for(split(line));
      continue;
    }
    auto row = parser.parse(line);
    if (!row) {
      return fail(ErrorKind::misconfigured, "{}:{}: {}", path, reader->line_number(),
                  row.error().message);
    }
    Listing& known = listings_[*listing];
    for (const auto price : {row->bar.open, row->bar.high, row->bar.low, row->bar.close}) {
      known.price_digits = std::max(known.price_digits, digits_of(price));
    }
    known.size_digits = std::max(known.size_digits, digits_of(row->bar.volume));
    series.rows.push_back(*std::move(row));
  }
  series.is_detailed = series.is_detailed && parser.is_detailed;
  return {};
}

// Sorts, keeps the last of equal times, and finds out how long a candle is.
Result<void> CandleMarket::finish() {
  Duration step{};
  for (std::size_t i = 0; i < series_.size(); ++i) {
    auto& rows = series_[i].rows;
    if (rows.size() < 2) {
      return fail(ErrorKind::misconfigured, "{}: fewer than two candles",
                  listings_[i].instrument.exchange_symbol);
    }
    std::ranges::stable_sort(rows, {}, &Row::open_time);
    std::vector<Row> kept;
    for (auto& row : rows) {
      if (!kept.empty() && kept.back().open_time == row.open_time) kept.pop_back();
      kept.push_back(row);
    }
    rows = std::move(kept);
    for (std::size_t j = 1; j < rows.size(); ++j) {
      const Duration apart = rows[j].open_time - rows[j - 1].open_time;
      if (step.count() == 0 || apart < step) step = apart;
    }
    Listing& listing = listings_[i];
    listing.instrument.tick_size = unit(listing.price_digits);
    listing.instrument.step_size = unit(listing.size_digits);
    listing.instrument.listed = true;
  }
  const auto* timeframe = std::ranges::find(all_timeframes, step, &length_of);
  if (timeframe == all_timeframes.end()) {
    return fail(ErrorKind::misconfigured, "candles {} s apart are of no known timeframe",
                std::chrono::duration_cast<std::chrono::seconds>(step).count());
  }
  shortest_ = *timeframe;
  for (auto& series : series_) {
    for (auto& row : series.rows) row.end_time = candlewick::next_open(shortest_, row.open_time);
  }
  return {};
}

Time CandleMarket::default_start() const {
  Time latest{};
  for (const auto& series : series_) latest = std::max(latest, series.rows.back().end_time);
  return latest;
}

Bar CandleMarket::bar(std::size_t listing, Time from, Time to) {
  const auto& rows = series_[listing].rows;
  Bar result;
  auto row = std::ranges::lower_bound(rows, from, {}, &Row::open_time);
  for (; row != rows.end() && row->open_time < to; ++row) {
    if (row->end_time <= to) {
      result.add(row->bar);
      continue;
    }
    // Open, then one end, then the other, then the close: a quarter of the volume each.
    const auto quarters = (to - row->open_time) * 4 / (row->end_time - row->open_time);
    const bool rises = row->bar.close >= row->bar.open;
    Bar part = row->bar;
    const auto share = [&](Decimal whole) {
      return Decimal::from_count(whole.count() / 4 * quarters);
    };
    if (quarters < 2) (rises ? part.high : part.low) = part.open;
    if (quarters < 1) (rises ? part.low : part.high) = part.open;
    part.close = quarters < 1   ? part.open
                 : quarters < 2 ? (rises ? part.low : part.high)
                                : (rises ? part.high : part.low);
    part.volume = share(part.volume);
    part.quote_volume = share(part.quote_volume);
    part.taker_volume = share(part.taker_volume);
    part.taker_quote_volume = share(part.taker_quote_volume);
    part.count = part.count / 4 * static_cast<std::uint64_t>(quarters);
    result.add(part);
  }
  return result;
}

}  // namespace candlewick::simulator
