// What somebody who mistyped a name probably meant.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace candlewick {

// Edits (insert, delete, replace) between two short words.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate with the fewest edits, the first of equals; empty when none is near (more than a
// third of the word, at least two).
std::string nearest(std::string_view typed, std::span<const std::string> candidates);

// " (did you mean \"x\"?)", or nothing.
std::string did_you_mean(std::string_view typed, std::span<const std::string> candidates);

}  // namespace candlewick
