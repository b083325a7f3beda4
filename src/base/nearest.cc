// Edit distance by one row at a time.
#include "base/nearest.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace candlewick {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      const std::size_t replace = diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U);
      row[j] = std::min({above + 1, row[j - 1] + 1, replace});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string nearest(std::string_view typed, std::span<const std::string> candidates) {
  constexpr std::size_t longest = 60;
  typed = typed.substr(0, longest);
  std::size_t best = std::max<std::size_t>(2, typed.size() / 3) + 1;
  std::string found;
  for (const auto& candidate : candidates) {
    const auto edits = edit_distance(typed, candidate);
    if (edits >= best || edits >= candidate.size()) continue;
    best = edits;
    found = candidate;
  }
  return found;
}

std::string did_you_mean(std::string_view typed, std::span<const std::string> candidates) {
  const auto found = nearest(typed, candidates);
  return found.empty() ? "" : fmt::format(" (did you mean \"{}\"?)", found);
}

}  // namespace candlewick
