// For tests: the inputs and expected outputs of TA-Lib, Tulip Indicators and talipp, read from the
// recordings beside the project. Numbers stay text, because the digits printed say how exact they
// are.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "indicator/indicator.h"

namespace candlewick::indicator::reference {

// An expected number, or a sum or product of numbers as TA-Lib's tables have them ("252-(14+1)").
struct Expected {
  double value;
  double tolerance;  // half of the last digit printed, of all numbers in it
};
Expected evaluate(std::string_view text);
long integer(std::string_view text);

// Within the printed digits, or 1e-9 of the value if that is more. The digits may be rounded or, as
// often in TA-Lib's and talipp's tables, cut.
testing::AssertionResult agrees(Output actual, std::string_view printed);

struct TalibRow {
  std::map<std::string, std::string> fields;
  const std::string& operator[](const std::string& name) const { return fields.at(name); }
  long number(const std::string& name) const { return integer(fields.at(name)); }
  // A call that gave values (others test refusals and empty ranges).
  bool has_values() const;
  bool is_metastock() const;
};
std::vector<Bar> talib_bars();
std::vector<TalibRow> talib_rows(const std::string& table);

// What an indicator says after each of the bars.
using Run = std::vector<Output>;

// The expected value number `index` of a row against a run over all bars. In TA-Lib's tables output
// 0 belongs to the bar "expectedBegIdx".
testing::AssertionResult agrees_at(const TalibRow& row, const Run& run, const std::string& index,
                                   const std::string& value);

struct TulipCase {
  std::string name;
  std::vector<double> options;
  std::vector<std::vector<std::string>> rows;  // inputs, then outputs
};
// All cases of an indicator in the three files.
std::vector<TulipCase> tulip_cases(std::string_view name);
// An output row belongs to the last bars of the run. Returns how many numbers were compared.
std::size_t compare_tulip(const TulipCase& test, const std::vector<std::string>& printed,
                          const Run& run);
std::vector<Decimal> decimals(const std::vector<std::string>& texts);
// Bars from Tulip's rows; rows that are not given are zero.
struct BarRows {
  const std::vector<std::string>* open = nullptr;
  const std::vector<std::string>* high = nullptr;
  const std::vector<std::string>* low = nullptr;
  const std::vector<std::string>* close = nullptr;
  const std::vector<std::string>* volume = nullptr;
};
std::vector<Bar> bars(const BarRows& rows);

struct TalippValue {
  long index;  // counted from the end when negative
  std::string field;
  std::string value;
};
std::vector<Bar> talipp_bars();
std::vector<TalippValue> talipp_values(const std::string& indicator);
// How many were compared: those of one field.
std::size_t compare_talipp(const std::string& indicator, const std::string& field, const Run& run);

// Pushes bars one by one; `read` gives the value after each.
template <class T, class Items, class Push, class Read>
Run run(T indicator, const Items& items, Push push, Read read) {
  Run result;
  for (const auto& item : items) {
    push(indicator, item);
    result.push_back(read(indicator));
  }
  return result;
}

template <class T, class Items, class Push>
Run run(T indicator, const Items& items, Push push) {
  return run(std::move(indicator), items, push, [](const T& after) { return after.value(); });
}

}  // namespace candlewick::indicator::reference
