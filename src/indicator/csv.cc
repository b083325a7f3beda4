// CSV of candles to JSON Lines of indicators.
#include "indicator/csv.h"

#include <array>
#include <istream>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/json_text.h"
#include "indicator/calculator.h"
#include "indicator/registry.h"

namespace candlewick::indicator {
namespace {

enum Field : std::size_t { timestamp, open, high, low, close, volume };
constexpr std::array<std::string_view, 6> field_names{"timestamp", "open",  "high",
                                                      "low",       "close", "volume"};

struct Line {
  std::uint64_t number;
  std::vector<std::string_view> cells;
};

std::string_view trimmed(std::string_view cell) {
  constexpr std::string_view blank = " \t\r";
  const std::size_t first = cell.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  cell = cell.substr(first, cell.find_last_not_of(blank) - first + 1);
  if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"') {
    cell = cell.substr(1, cell.size() - 2);
  }
  return cell;
}

void split(std::string_view text, std::vector<std::string_view>& cells) {
  cells.clear();
  while (true) {
    const std::size_t comma = text.find(',');
    cells.push_back(trimmed(text.substr(0, comma)));
    if (comma == std::string_view::npos) return;
    text.remove_prefix(comma + 1);
  }
}

// Which cell holds which field.
using Places = std::array<std::size_t, field_names.size()>;

Result<Places> read_header(const std::vector<std::string_view>& cells) {
  Places places{};
  for (std::size_t field = 0; field < field_names.size(); ++field) {
    std::optional<std::size_t> place;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const bool matches =
          cells[i] == field_names[field] || (field == timestamp && cells[i] == "open_time");
      if (!matches) continue;
      if (place) {
        return fail(ErrorKind::malformed, "line 1, column {}: named twice in the header",
                    field_names[field]);
      }
      place = i;
    }
    if (!place) {
      return fail(ErrorKind::malformed, "line 1, column {}: not in the header", field_names[field]);
    }
    places[field] = *place;
  }
  return places;
}

class RowReader {
 public:
  RowReader(const Line& line, const Places& places) : line_(line), places_(places) {}

  Result<Bar> read() {
    for (std::size_t field = 0; field < field_names.size(); ++field) {
      if (places_[field] >= line_.cells.size()) return bad(field, "missing");
    }
    Bar bar;
    const auto time = parse_time(cell(timestamp));
    if (!time) return bad(timestamp, time.error().message);
    bar.open_time = *time;
    const std::array<Decimal*, 5> numbers{&bar.open, &bar.high, &bar.low, &bar.close, &bar.volume};
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const auto value = Decimal::parse(cell(open + i));
      if (!value) return bad(open + i, value.error().message);
      if (value->is_negative()) return bad(open + i, "negative");
      *numbers[i] = *value;
    }
    if (bar.high < bar.low) return bad(high, "lower than low");
    return bar;
  }

  std::unexpected<Error> bad(std::size_t field, std::string_view why) const {
    return fail(ErrorKind::malformed, "line {}, column {}: {}", line_.number, field_names[field],
                why);
  }

 private:
  std::string_view cell(std::size_t field) const { return line_.cells[places_[field]]; }

  const Line& line_;
  const Places& places_;
};

void append_json(std::string& out, const Values& values) {
  json::Members members(out);
  members("timestamp", values.open_time);
  for (const auto& column : columns()) members.nullable(column.name, values.*(column.value));
  append_extra(members.name("extra"), values);
  members.close();
  out += '\n';
}

}  // namespace

Result<std::uint64_t> write_indicators(Duration bar_length, std::istream& csv, std::ostream& json) {
  Calculator calculator(bar_length);
  std::string text;
  std::string out;
  Line line{.number = 1, .cells = {}};
  if (!std::getline(csv, text)) return fail(ErrorKind::malformed, "line 1: there is no header");
  std::string_view header = text;
  if (header.starts_with("\xEF\xBB\xBF")) header.remove_prefix(3);
  split(header, line.cells);
  const auto places = read_header(line.cells);
  if (!places) return fail(places.error());

  std::uint64_t candles = 0;
  while (std::getline(csv, text)) {
    ++line.number;
    if (trimmed(text).empty()) continue;
    split(text, line.cells);
    RowReader row(line, *places);
    const auto bar = row.read();
    if (!bar) return fail(bar.error());
    if (candles > 0 && bar->open_time <= calculator.last_open()) {
      return row.bad(timestamp, "not later than the row before");
    }
    calculator.push_consecutive(*bar);
    ++candles;
    out.clear();
    append_json(out, calculator.values());
    if (!json.write(out.data(), static_cast<std::streamsize>(out.size()))) {
      return fail(ErrorKind::transient, "line {}: the output cannot be written", line.number);
    }
  }
  return candles;
}

}  // namespace candlewick::indicator
