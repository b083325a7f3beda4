// Broken invariants of ours stop the program, in release too. Data from outside must never reach
// one: what a venue, a user or a disk can cause is a Result.
#pragma once

#include <source_location>
#include <string_view>

namespace candlewick {

[[noreturn]] void check_failed(std::string_view what, const std::source_location& where);

inline void check(bool holds, std::string_view what,
                  const std::source_location& where = std::source_location::current()) {
  if (!holds) [[unlikely]] {
    check_failed(what, where);
  }
}

}  // namespace candlewick
