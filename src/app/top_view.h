// How `candlewick top` looks: a state and what the user has chosen, as lines for a width and a
// height. Plain functions, so that what is drawn can be tested without a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "app/terminal_text.h"
#include "app/top_grid.h"
#include "app/top_state.h"

namespace candlewick::app {

// Where the user is. Each panel keeps its own order; the filter is for all.
struct TopView {
  TopPanel panel = TopPanel::instruments;
  std::size_t first_row = 0;
  std::string filter;
  bool is_typing = false;  // of the filter
  std::vector<TopOrder> orders = std::vector<TopOrder>(top_panels);
  bool is_over = false;
};

enum class Key : unsigned char {
  character,
  up,
  down,
  page_up,
  page_down,
  home,
  end,
  tab,
  back_tab,
  enter,
  escape,
  backspace,
};
struct KeyPress {
  Key key = Key::character;
  std::string text;  // of a character
  friend bool operator==(const KeyPress&, const KeyPress&) = default;
};
// Bytes of a terminal to keys. What may be the beginning of a sequence stays in `typed`; sequences
// of other keys are dropped.
std::vector<KeyPress> take_keys(std::string& typed);

// `page_rows`: how many rows fit, as top_screen() told.
void press(TopView& view, const KeyPress& key, std::size_t page_rows);

struct TopScreen {
  // Each at most as wide as the screen, with colour where it was asked for.
  std::vector<std::string> lines;
  std::size_t page_rows = 0;
  // Positions in the state of the instruments that are shown.
  std::vector<std::size_t> instruments;
};
// Never more lines than the height. The view's first row is moved to where there are rows.
TopScreen top_screen(const TopState& state, TopView& view, std::size_t width, std::size_t height,
                     bool colour);

// Everything at once, for pipes and scripts.
std::string top_snapshot(const TopState& state, bool colour);

}  // namespace candlewick::app
