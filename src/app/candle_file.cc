// A header is told from a row by its first field, which has a letter and no digit at its start.
//
// Binance's columns: https://github.com/binance/binance-public-data (Klines, read 2026-11-21):
//    1769904000000,10.1130,10.1300,10.1090,10.1280,38521,1769904059999,389800.3310,1077,28754,…,0
#include "app/candle_file.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <variant>

#include "app/zip_reader.h"
#include "base/line_reader.h"

namespace candlewick::app {
namespace {

enum class Field : unsigned char {
  open_time,
  open,
  high,
  low,
  close,
  volume,
  close_time,
  quote_volume,
  trade_count,
  taker_buy_volume,
  taker_buy_quote_volume,
  is_closed,
  source,
  revision,
  symbol,
  exchange,
  timeframe,
};
constexpr std::size_t field_count = static_cast<std::size_t>(Field::timeframe) + 1;
constexpr std::size_t absent = std::numeric_limits<std::size_t>::max();
constexpr std::size_t binance_columns = 12;

// How a field is called; the first name is the one for messages.
struct Names {
  Field field;
  std::array<std::string_view, 5> names;
};
constexpr std::array<Names, field_count> names{{
    {Field::open_time, {"open_time", "timestamp", "time", "date", "open time"}},
    {Field::open, {"open"}},
    {Field::high, {"high"}},
    {Field::low, {"low"}},
    {Field::close, {"close"}},
    {Field::volume, {"volume"}},
    {Field::close_time, {"close_time", "close time"}},
    {Field::quote_volume, {"quote_volume", "qav", "quote_asset_volume", "quote asset volume"}},
    {Field::trade_count, {"trade_count", "count", "num_trades", "number_of_trades", "trades"}},
    {Field::taker_buy_volume,
     {"taker_buy_volume", "taker_base", "taker_buy_base_asset_volume", "taker_buy_base_volume"}},
    {Field::taker_buy_quote_volume,
     {"taker_buy_quote_volume", "taker_quote", "taker_buy_quote_asset_volume"}},
    {Field::is_closed, {"is_closed"}},
    {Field::source, {"source"}},
    {Field::revision, {"revision"}},
    {Field::symbol, {"symbol"}},
    {Field::exchange, {"exchange"}},
    {Field::timeframe, {"timeframe"}},
}};
// Of rows without a header: the twelfth is unused.
constexpr std::array<Field, binance_columns - 1> binance_order{Field::open_time,
                                                               Field::open,
                                                               Field::high,
                                                               Field::low,
                                                               Field::close,
                                                               Field::volume,
                                                               Field::close_time,
                                                               Field::quote_volume,
                                                               Field::trade_count,
                                                               Field::taker_buy_volume,
                                                               Field::taker_buy_quote_volume};
constexpr std::array<Field, 6> required{Field::open_time, Field::open,  Field::high,
                                        Field::low,       Field::close, Field::volume};

constexpr std::size_t index_of(Field field) {
  return static_cast<std::size_t>(field);
}
constexpr std::string_view name_of(Field field) {
  return names[index_of(field)].names.front();
}

// Fields of these files hold no line breaks; quotes may stand around one.
Result<void> split(std::string_view line, std::vector<std::string>& fields) {
  fields.clear();
  while (true) {
    std::string field;
    if (line.starts_with('"')) {
      line.remove_prefix(1);
      while (true) {
        const auto quote = line.find('"');
        if (quote == std::string_view::npos)
          return fail(ErrorKind::malformed, "a quote is not closed");
        field += line.substr(0, quote);
        line.remove_prefix(quote + 1);
        if (!line.starts_with('"')) break;
        field += '"';
        line.remove_prefix(1);
      }
      if (!line.empty() && line.front() != ',')
        return fail(ErrorKind::malformed, "a quote ends inside a field");
    } else {
      const auto comma = std::min(line.find(','), line.size());
      field = line.substr(0, comma);
      line.remove_prefix(comma);
    }
    fields.push_back(std::move(field));
    if (line.empty()) return {};
    line.remove_prefix(1);
  }
}

bool is_header(std::string_view line) {
  const auto first = line.substr(0, line.find(','));
  return !first.empty() && (first.front() < '0' || first.front() > '9') && first.front() != '-' &&
         first.front() != '+';
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

class Lines {
 public:
  static Result<Lines> open(const std::string& path) {
    if (ZipReader::is_zip(path)) {
      auto zip = ZipReader::open(path);
      if (!zip) return fail(std::move(zip.error()));
      return Lines(std::move(*zip));
    }
    auto plain = LineReader::open(path);
    if (!plain) return fail(std::move(plain.error()));
    return Lines(std::move(*plain));
  }
  Result<bool> next(std::string& line) {
    return std::visit([&line](auto& reader) { return reader.next(line); }, reader_);
  }

 private:
  explicit Lines(std::variant<LineReader, ZipReader> reader) : reader_(std::move(reader)) {}
  std::variant<LineReader, ZipReader> reader_;
};

}  // namespace

struct CandleFile::State {
  State(std::string name, const CandleFileSeries& asked, Lines opened)
      : path(std::move(name)), series(asked), lines(std::move(opened)) {
    columns.fill(absent);
  }

  const std::string path;
  const CandleFileSeries series;
  Lines lines;
  std::string line;
  std::size_t line_number = 0;
  std::vector<std::string> fields;
  std::array<std::size_t, field_count> columns{};
  std::size_t width = 0;  // fields of a row; 0: not known yet
  std::optional<Time> last;
  std::uint64_t skipped = 0;

  std::unexpected<Error> refuse(std::string_view why) const {
    return fail(ErrorKind::malformed, "{}: line {}: {}", path, line_number, why);
  }
  std::unexpected<Error> refuse(Field field, std::string_view why) const {
    return fail(ErrorKind::malformed, "{}: line {}: column {} ({}): {}", path, line_number,
                columns[index_of(field)] + 1, name_of(field), why);
  }
  // Null when the file has no such column, or nothing stands there.
  const std::string* text_of(Field field) const {
    const std::size_t column = columns[index_of(field)];
    return column == absent || fields[column].empty() ? nullptr : &fields[column];
  }

  Result<void> read_header();
  void expect_binance();
  Result<std::optional<Candle>> read_row();
  Result<void> check_series() const;
  Result<Time> moment(Field field) const;
  Result<Decimal> amount(Field field) const;
  Result<std::optional<Decimal>> optional_amount(Field field) const;
  Result<std::optional<std::uint64_t>> count(Field field) const;
  Result<void> read_numbers(Candle& candle) const;
  Result<void> check_times(const Candle& candle) const;
};

Result<void> CandleFile::State::read_header() {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::string name = lower(fields[i]);
    for (const auto& known : names) {
      if (std::ranges::find(known.names, name) == known.names.end() || name.empty()) continue;
      if (columns[index_of(known.field)] != absent)
        return refuse(fmt::format("two columns are called {}", name_of(known.field)));
      columns[index_of(known.field)] = i;
    }
  }
  for (const Field field : required) {
    if (columns[index_of(field)] == absent)
      return refuse(fmt::format("the header has no column {}", name_of(field)));
  }
  width = fields.size();
  return {};
}

void CandleFile::State::expect_binance() {
  for (std::size_t i = 0; i < binance_order.size(); ++i) columns[index_of(binance_order[i])] = i;
  width = binance_columns;
}

Result<Time> CandleFile::State::moment(Field field) const {
  const auto* text = text_of(field);
  if (text == nullptr) return refuse(field, "is empty");
  const auto time = parse_time(*text);
  if (!time) return refuse(field, time.error().message);
  return *time;
}

Result<Decimal> CandleFile::State::amount(Field field) const {
  const auto* text = text_of(field);
  if (text == nullptr) return refuse(field, "is empty");
  bool is_inexact = false;
  const auto number = Decimal::parse(*text, &is_inexact);
  if (!number) return refuse(field, number.error().message);
  if (is_inexact) return refuse(field, fmt::format("{} has more than 18 decimals", *text));
  if (number->is_negative()) return refuse(field, fmt::format("{} is negative", *text));
  return *number;
}

Result<std::optional<Decimal>> CandleFile::State::optional_amount(Field field) const {
  if (text_of(field) == nullptr) return std::optional<Decimal>{};
  const auto number = amount(field);
  if (!number) return fail(number.error());
  return std::optional(*number);
}

Result<std::optional<std::uint64_t>> CandleFile::State::count(Field field) const {
  const auto* text = text_of(field);
  if (text == nullptr) return std::optional<std::uint64_t>{};
  std::uint64_t number = 0;
  const char* const end = text->data() + text->size();
  const auto read = std::from_chars(text->data(), end, number);
  if (read.ec != std::errc{} || read.ptr != end ||
      number > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
    return refuse(field, fmt::format("\"{}\" is no count", *text));
  }
  return std::optional(number);
}

// A file of another series than the one it was said to be.
Result<void> CandleFile::State::check_series() const {
  const auto& instrument = *series.instrument;
  if (const auto* symbol = text_of(Field::symbol);
      symbol != nullptr && folded_symbol(*symbol) != folded_symbol(instrument.symbol) &&
      folded_symbol(*symbol) != folded_symbol(instrument.exchange_symbol)) {
    return refuse(Field::symbol, fmt::format("{} is not {}", *symbol, instrument.symbol));
  }
  if (const auto* exchange = text_of(Field::exchange);
      exchange != nullptr && *exchange != instrument.exchange) {
    return refuse(Field::exchange, fmt::format("{} is not {}", *exchange, instrument.exchange));
  }
  if (const auto* timeframe = text_of(Field::timeframe);
      timeframe != nullptr && *timeframe != to_text(series.timeframe)) {
    return refuse(Field::timeframe,
                  fmt::format("{} is not {}", *timeframe, to_text(series.timeframe)));
  }
  return {};
}

Result<void> CandleFile::State::read_numbers(Candle& candle) const {
  struct Part {
    Field field;
    Decimal& to;
  };
  const std::array<Part, 5> parts{{{Field::open, candle.open},
                                   {Field::high, candle.high},
                                   {Field::low, candle.low},
                                   {Field::close, candle.close},
                                   {Field::volume, candle.volume}}};
  for (const auto& part : parts) {
    const auto number = amount(part.field);
    if (!number) return fail(number.error());
    part.to = *number;
  }
  if (candle.high < std::max({candle.open, candle.close, candle.low}))
    return refuse(Field::high, "is below another price of the row");
  if (candle.low > std::min(candle.open, candle.close))
    return refuse(Field::low, "is above another price of the row");
  struct OptionalPart {
    Field field;
    std::optional<Decimal>& to;
  };
  const std::array<OptionalPart, 3> optional_parts{
      {{Field::quote_volume, candle.quote_volume},
       {Field::taker_buy_volume, candle.taker_buy_volume},
       {Field::taker_buy_quote_volume, candle.taker_buy_quote_volume}}};
  for (const auto& part : optional_parts) {
    const auto number = optional_amount(part.field);
    if (!number) return fail(number.error());
    part.to = *number;
  }
  const auto trades = count(Field::trade_count);
  if (!trades) return fail(trades.error());
  candle.trade_count = *trades;
  return {};
}

Result<void> CandleFile::State::check_times(const Candle& candle) const {
  if (open_of(series.timeframe, candle.open_time) != candle.open_time) {
    return refuse(Field::open_time,
                  fmt::format("{} is no open of a {} candle", to_rfc3339(candle.open_time),
                              to_text(series.timeframe)));
  }
  if (last && candle.open_time <= *last)
    return refuse(Field::open_time, "is not after the row before");
  if (candle.end_time() > series.now)
    return refuse(Field::open_time,
                  fmt::format("the candle of {} has not ended yet", to_rfc3339(candle.open_time)));
  if (text_of(Field::close_time) == nullptr) return {};
  const auto close = moment(Field::close_time);
  if (!close) return fail(close.error());
  // Cut short by an outage it may be; longer means another timeframe.
  if (*close <= candle.open_time || *close > candle.end_time()) {
    return refuse(Field::close_time,
                  fmt::format("{} is not within the {} candle of {}", to_rfc3339(*close),
                              to_text(series.timeframe), to_rfc3339(candle.open_time)));
  }
  return {};
}

// Null for a row that is not closed.
Result<std::optional<Candle>> CandleFile::State::read_row() {
  if (fields.size() != width) {
    return refuse(fmt::format("{} columns, where {} are expected", fields.size(), width));
  }
  if (auto same = check_series(); !same) return fail(std::move(same.error()));
  Candle candle{.origin = {series.instrument, {}, {}}, .timeframe = series.timeframe};
  const auto opened = moment(Field::open_time);
  if (!opened) return fail(opened.error());
  candle.open_time = *opened;
  if (auto read = read_numbers(candle); !read) return fail(std::move(read.error()));
  if (const auto* closed = text_of(Field::is_closed)) {
    if (*closed != "true" && *closed != "false")
      return refuse(Field::is_closed, "is neither true nor false");
    if (*closed == "false") return std::optional<Candle>{};
  }
  if (auto checked = check_times(candle); !checked) return fail(std::move(checked.error()));
  candle.is_closed = true;
  candle.source = Source::rest;
  if (const auto* source = text_of(Field::source)) {
    const auto known = parse_source(*source);
    if (!known) return refuse(Field::source, fmt::format("\"{}\" is no source", *source));
    candle.source = *known;
  }
  const auto revision = count(Field::revision);
  if (!revision) return fail(revision.error());
  if (revision->value_or(0) > std::uint64_t{std::numeric_limits<std::int32_t>::max()})
    return refuse(Field::revision, "is too large");
  candle.revision = static_cast<std::int32_t>(revision->value_or(0));
  last = candle.open_time;
  return std::optional(candle);
}

CandleFile::CandleFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
CandleFile::~CandleFile() = default;
CandleFile::CandleFile(CandleFile&&) noexcept = default;
CandleFile& CandleFile::operator=(CandleFile&&) noexcept = default;

Result<CandleFile> CandleFile::open(const std::string& path, const CandleFileSeries& series) {
  auto lines = Lines::open(path);
  if (!lines) return fail(std::move(lines.error()));
  return CandleFile(std::make_unique<State>(path, series, std::move(*lines)));
}

Result<std::optional<Candle>> CandleFile::next() {
  State& state = *state_;
  while (true) {
    const auto is_there = state.lines.next(state.line);
    if (!is_there) return fail(is_there.error());
    if (!*is_there) return std::optional<Candle>{};
    ++state.line_number;
    if (state.line_number == 1 && state.line.starts_with("\xEF\xBB\xBF")) state.line.erase(0, 3);
    if (state.line.ends_with('\r')) state.line.pop_back();
    if (state.line.empty()) continue;
    if (auto done = split(state.line, state.fields); !done)
      return state.refuse(done.error().message);
    if (state.width == 0) {
      if (is_header(state.line)) {
        if (auto read = state.read_header(); !read) return fail(std::move(read.error()));
        continue;
      }
      state.expect_binance();
    }
    auto candle = state.read_row();
    if (!candle || *candle) return candle;
    ++state.skipped;
  }
}

std::uint64_t CandleFile::skipped() const {
  return state_->skipped;
}

}  // namespace candlewick::app
