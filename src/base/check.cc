// The last words of a program that found itself inconsistent.
#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace candlewick {

void check_failed(std::string_view what, const std::source_location& where) {
  std::fprintf(stderr, "%s:%u: broken invariant: %.*s\n", where.file_name(),
               static_cast<unsigned>(where.line()), static_cast<int>(what.size()), what.data());
  std::abort();
}

}  // namespace candlewick
