// Text as a terminal shows it: how many columns it takes, cut or filled up to a width, coloured.
// What others sent (symbols, error messages) goes through printable() before it reaches a terminal:
// a control sequence in it would be obeyed.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace candlewick::app {

// The descriptor is a terminal that understands control sequences.
bool is_capable_terminal(int descriptor);
// Colour is for such terminals only, and for nobody who has set NO_COLOR (no-color.org).
bool uses_colour(int descriptor);

// Control characters become "?", what is not UTF-8 becomes U+FFFD.
std::string printable(std::string_view text);

// Columns: two for East Asian wide characters, none for what joins the character before.
std::size_t width_of(std::string_view text);

enum class Side : unsigned char { left, right };
// Exactly so many columns; what is too long ends in "…".
std::string fitted(std::string_view text, std::size_t width, Side side = Side::left);
// At most so many columns, without filling up.
std::string shortened(std::string_view text, std::size_t width);

enum class Tone : unsigned char { plain, good, warning, bad, dim, strong, reversed };
// As it is without colour; nothing is said by colour alone.
std::string toned(std::string_view text, Tone tone, bool colour);

}  // namespace candlewick::app
