// Reads the reference files (reference_data.h), and checks that reading them means something.
#include "indicator/reference_data.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/line_reader.h"
#include "test/support/shared_data.h"

namespace candlewick::indicator::reference {
namespace {

std::string read_gzip(const std::string& name) {
  std::string text;
  auto lines = LineReader::open((test::shared_data() / "ta" / name).string());
  if (!lines) {
    ADD_FAILURE() << lines.error().message;
    return text;
  }
  std::string line;
  auto more = lines->next(line);
  for (; more && *more; more = lines->next(line)) text.append(line).append("\n");
  EXPECT_TRUE(more) << name;
  return text;
}

// JSON with its numbers as they are written.
struct Json {
  std::string text;
  std::vector<Json> items;
  std::map<std::string, Json> members;
};

class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  Json read() {
    Json value;
    switch (peek()) {
      case '[':
        for (bool more = !opens_and_closes(']'); more; more = comma_or(']')) {
          value.items.push_back(read());
        }
        break;
      case '{':
        for (bool more = !opens_and_closes('}'); more; more = comma_or('}')) {
          std::string key = read().text;
          peek();
          ++at_;  // the colon
          value.members.emplace(std::move(key), read());
        }
        break;
      case '"':
        while (text_.at(++at_) != '"') value.text += text_[at_];
        ++at_;
        break;
      default:
        while (at_ < text_.size() &&
               std::string_view(",]} \n").find(text_[at_]) == std::string_view::npos) {
          value.text += text_[at_++];
        }
    }
    return value;
  }

 private:
  char peek() {
    while (std::isspace(static_cast<unsigned char>(text_.at(at_))) != 0) ++at_;
    return text_[at_];
  }
  bool opens_and_closes(char end) {
    ++at_;
    if (peek() != end) return false;
    ++at_;
    return true;
  }
  bool comma_or(char end) {
    const char c = peek();
    ++at_;
    return c != end;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

Json read_json(const std::string& name) {
  const std::string text = read_gzip(name);
  return text.empty() ? Json{} : JsonReader(text).read();
}

std::vector<std::string> texts(const Json& array) {
  std::vector<std::string> result;
  for (const auto& item : array.items) result.push_back(item.text);
  return result;
}

std::vector<Bar> bars_of(const std::map<std::string, Json>& series) {
  const auto row = [&](const char* name) { return texts(series.at(name)); };
  const auto high = row("high"), low = row("low"), close = row("close"), volume = row("volume"),
             open = row("open");
  return bars({.open = &open, .high = &high, .low = &low, .close = &close, .volume = &volume});
}

// TA-Lib checks its tables to 0.01 only, so these stand in them with a wrong last digit or two: the
// deviation 1.075 is 1.5 times another row's 0.7144, 24.0128 is 24.0122, 0.8764 (MACDFIX) is
// 0.8768, and the two percentages are off by 10^-5.
constexpr double talibs_tolerance = 0.01;
constexpr std::array<std::string_view, 6> misprints{
    "1.075", "24.0128", "0.8764", "(0.8764)-(1.3533)", "-0.02813", "-0.21191"};

// sum := product (("+"|"-") product)*, product := atom ("*" atom)*
class Expression {
 public:
  explicit Expression(std::string_view text) : text_(text) {}

  Expected sum() {
    Expected total = product();
    while (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) {
      const double sign = text_[at_++] == '-' ? -1 : 1;
      const Expected next = product();
      total = {total.value + sign * next.value, total.tolerance + next.tolerance};
    }
    return total;
  }

 private:
  Expected product() {
    Expected total = atom();
    while (at_ < text_.size() && text_[at_] == '*') {
      ++at_;
      total.value *= atom().value;
    }
    return total;
  }
  Expected atom() {
    if (text_.at(at_) == '(') {
      ++at_;
      const Expected inner = sum();
      ++at_;
      return inner;
    }
    const std::size_t first = at_;
    if (text_[at_] == '-') ++at_;
    while (at_ < text_.size() &&
           (std::isdigit(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '.'))
      ++at_;
    const std::string number(text_.substr(first, at_ - first));
    const std::size_t point = number.find('.');
    const auto digits =
        point == std::string::npos ? 0.0 : static_cast<double>(number.size() - point - 1);
    return {std::strtod(number.c_str(), nullptr), 0.5 * std::pow(10.0, -digits)};
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Expected evaluate(std::string_view text) {
  return Expression(text).sum();
}
long integer(std::string_view text) {
  return std::lround(evaluate(text).value);
}

testing::AssertionResult agrees(Output actual, std::string_view printed) {
  if (!actual) return testing::AssertionFailure() << printed << " is expected, there is no value";
  const Expected expected = evaluate(printed);
  const double off = *actual - expected.value;
  // A tie may have been rounded the other way, hence a little more than a half.
  const double half = expected.tolerance * (1 + 1e-6);
  const bool cut_towards_zero = off * expected.value >= 0 && std::fabs(off) < 2 * half;
  if (std::fabs(off) <= std::max(half, 1e-9 * std::fabs(expected.value)) || cut_towards_zero) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure()
         << printed << " is expected, not " << fmt::format("{}", *actual);
}

bool TalibRow::has_values() const {
  return fields.at("expectedRetCode") == "TA_SUCCESS" && number("expectedNbElement") > 0;
}

bool TalibRow::is_metastock() const {
  return fields.at("compatibility") == "TA_COMPATIBILITY_METASTOCK";
}

std::vector<Bar> talib_bars() {
  const Json root = read_json("talib-0.4.0-regtest.json.gz");
  return root.members.empty() ? std::vector<Bar>{} : bars_of(root.members.at("series").members);
}

std::vector<TalibRow> talib_rows(const std::string& table) {
  const Json root = read_json("talib-0.4.0-regtest.json.gz");
  std::vector<TalibRow> rows;
  if (root.members.empty()) return rows;
  const Json& found = root.members.at("tables").members.at(table);
  const auto names = texts(found.members.at("fields"));
  for (const auto& row : found.members.at("rows").items) {
    TalibRow read;
    for (std::size_t i = 0; i < names.size(); ++i) read.fields[names[i]] = row.items.at(i).text;
    rows.push_back(std::move(read));
  }
  return rows;
}

testing::AssertionResult agrees_at(const TalibRow& row, const Run& run, const std::string& index,
                                   const std::string& value) {
  const auto at = static_cast<std::size_t>(row.number("expectedBegIdx") + integer(index));
  if (at < run.size() && run[at] && std::ranges::find(misprints, value) != misprints.end()) {
    EXPECT_NEAR(*run[at], evaluate(value).value, talibs_tolerance);
    return testing::AssertionSuccess();
  }
  if (at >= run.size()) return testing::AssertionFailure() << "no bar " << at;
  return agrees(run[at], value);
}

std::vector<TulipCase> tulip_cases(std::string_view name) {
  std::vector<TulipCase> cases;
  for (const char* file : {"tulip-atoz.txt.gz", "tulip-extra.txt.gz", "tulip-untest.txt.gz"}) {
    std::istringstream lines(read_gzip(file));
    bool wanted = false;
    for (std::string line; std::getline(lines, line);) {
      std::erase(line, '\r');
      if (line.empty() || line.starts_with('#')) continue;
      if (!line.starts_with('{')) {
        std::istringstream words(line);
        TulipCase next;
        words >> next.name;
        for (double option = 0; words >> option;) next.options.push_back(option);
        wanted = next.name == name;
        if (wanted) cases.push_back(std::move(next));
        continue;
      }
      if (!wanted) continue;
      std::vector<std::string> row;
      std::istringstream numbers(line.substr(1, line.find('}') - 1));
      for (std::string number; std::getline(numbers, number, ',');) row.push_back(number);
      cases.back().rows.push_back(std::move(row));
    }
  }
  return cases;
}

std::size_t compare_tulip(const TulipCase& test, const std::vector<std::string>& printed,
                          const Run& run) {
  EXPECT_LE(printed.size(), run.size());
  for (std::size_t i = 0; i < printed.size() && printed.size() <= run.size(); ++i) {
    const Output ours = run[run.size() - printed.size() + i];
    EXPECT_TRUE(agrees(ours, printed[i])) << test.name << ", output " << i;
  }
  return printed.size();
}

std::vector<Decimal> decimals(const std::vector<std::string>& texts) {
  std::vector<Decimal> result;
  for (const auto& text : texts) {
    const auto value = Decimal::parse(text);
    EXPECT_TRUE(value) << text;
    result.push_back(value ? *value : Decimal{});
  }
  return result;
}

std::vector<Bar> bars(const BarRows& rows) {
  std::vector<Bar> result;
  const auto fill = [&](const std::vector<std::string>* texts, Decimal Bar::* field) {
    if (texts == nullptr) return;
    const auto values = decimals(*texts);
    result.resize(std::max(result.size(), values.size()));
    for (std::size_t i = 0; i < values.size(); ++i) result[i].*field = values[i];
  };
  fill(rows.open, &Bar::open);
  fill(rows.high, &Bar::high);
  fill(rows.low, &Bar::low);
  fill(rows.close, &Bar::close);
  fill(rows.volume, &Bar::volume);
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i].open_time = Time{std::chrono::minutes{i}};
  }
  return result;
}

std::vector<Bar> talipp_bars() {
  const Json root = read_json("talipp-expected.json.gz");
  return root.members.empty() ? std::vector<Bar>{} : bars_of(root.members.at("ohlcv").members);
}

std::vector<TalippValue> talipp_values(const std::string& indicator) {
  const Json root = read_json("talipp-expected.json.gz");
  std::vector<TalippValue> values;
  if (root.members.empty()) return values;
  for (const auto& call : root.members.at("expected").members.at(indicator).items) {
    for (const auto& value : call.members.at("expected").items) {
      values.push_back({.index = integer(value.members.at("index").text),
                        .field = value.members.at("field").text,
                        .value = value.members.at("value").text});
    }
  }
  return values;
}

std::size_t compare_talipp(const std::string& indicator, const std::string& field, const Run& run) {
  std::size_t compared = 0;
  for (const auto& expected : talipp_values(indicator)) {
    if (expected.field != field) continue;
    ++compared;
    const long at =
        expected.index < 0 ? static_cast<long>(run.size()) + expected.index : expected.index;
    const Output ours = run.at(static_cast<std::size_t>(at));
    EXPECT_TRUE(agrees(ours, expected.value))
        << indicator << " " << field << " at " << expected.index;
  }
  return compared;
}

TEST(ReferenceData, ReadsNumbersWithTheirDigits) {
  EXPECT_EQ(integer("252-((13*2)+2+1)"), 223);
  EXPECT_NEAR(evaluate("(-1.9738)-(-2.7071)").value, 0.7333, 1e-12);
  EXPECT_NEAR(evaluate("(-1.9738)-(-2.7071)").tolerance, 1e-4, 1e-12);
  EXPECT_TRUE(agrees(49.144, "49.14"));
  EXPECT_TRUE(agrees(49.149, "49.14"));
  EXPECT_FALSE(agrees(49.151, "49.14"));
  EXPECT_FALSE(agrees(49.134, "49.14"));
  EXPECT_FALSE(agrees(std::nullopt, "49.14"));
}

TEST(ReferenceData, FindsAllOfTheFiles) {
  REQUIRE_SHARED_DATA();
  EXPECT_EQ(talib_bars().size(), 252u);
  EXPECT_EQ(talib_bars()[1].close, *Decimal::parse("94.815"));
  EXPECT_EQ(talib_rows("test_rsi").size(), 41u);
  EXPECT_EQ(talipp_bars().size(), 50u);
  EXPECT_EQ(talipp_values("MACD").size(), 9u);
  ASSERT_EQ(tulip_cases("macd").size(), 2u);
  EXPECT_EQ(tulip_cases("macd")[0].options, (std::vector<double>{12, 26, 9}));
  EXPECT_EQ(tulip_cases("macd")[0].rows.size(), 4u);
}

}  // namespace candlewick::indicator::reference
