// The panels of `candlewick top` as grids: headings, and rows of cells that know how they are
// sorted.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "app/terminal_text.h"
#include "app/top_state.h"

namespace candlewick::app {

enum class TopPanel : unsigned char { feeds, instruments, sinks, coverage };
inline constexpr std::size_t top_panels = 4;

// Of a panel's rows.
struct TopOrder {
  std::size_t column = 0;  // 0: as the service tells; else the column before it
  bool is_reversed = false;
};

struct Cell {
  std::string text;
  double rank = 0;  // of a column of numbers
  Tone tone = Tone::plain;
};
struct Heading {
  std::string_view title;
  bool is_number = false;
};
struct Grid {
  std::vector<Heading> headings;
  std::vector<std::vector<Cell>> rows;
  std::vector<std::size_t> positions;  // of the rows, in the state
};

Grid grid_of(const TopState& state, TopPanel panel);
// Rows in which some cell of words contains the filter, in any case of letters.
void keep_matching(Grid& grid, const std::string& filter);
// Numbers from the largest, words from A; equals stay in their order.
void sort(Grid& grid, const TopOrder& order);

}  // namespace candlewick::app
