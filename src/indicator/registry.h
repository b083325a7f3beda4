// The indicators that the service computes: one row each. Adding one is its own pair of files and a
// row here; everything else (series, checkpoints, output) follows from the table.
#pragma once

#include <algorithm>
#include <array>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "indicator/indicator.h"

namespace candlewick::indicator {

// A column of technical_indicators.
struct Column {
  std::string_view name;
  Output Values::* value;
};

// In the order of the table.
std::span<const Column> columns();

// Names of Values::extra, in its order.
std::span<const std::string_view> extra_names();
// The further indicators as the JSON object of the column `extra`.
void append_extra(std::string& out, const Values& values);

inline constexpr std::size_t max_outputs = 3;

struct Row {
  // Null where the indicator has no meaning for bars of this length.
  using Make = std::unique_ptr<Indicator> (*)(Duration bar_length);

  constexpr Row(std::initializer_list<std::string_view> outputs, Make maker) : make(maker) {
    names.fill("");  // g++ 12 makes no constant of default ones
    std::ranges::copy(outputs, names.begin());
  }

  // Its outputs by name: a column of the table, or else an entry of `extra`. Unused ones are empty.
  std::array<std::string_view, max_outputs> names{};
  Make make;
};

std::span<const Row> registry();

// How many bars fill `window`; nullopt when that is no whole number.
std::optional<std::size_t> bars_in(Duration window, Duration bar_length);

}  // namespace candlewick::indicator
