// Where the real recordings lie. They are not part of the project: a clone without them skips the
// tests that need them with a clear line, but in CI their absence is a failure.
#pragma once

#include <filesystem>
#include <string_view>

namespace candlewick::test {

// ../shared/data beside the project, or the folder named by CANDLEWICK_SHARED_DATA.
std::filesystem::path shared_data();

// True when the folder is there. Else fails the test when CI is set, and prints why.
bool have_shared_data();

}  // namespace candlewick::test

// First line of a test that reads recordings.
#define REQUIRE_SHARED_DATA()                                                             \
  if (!::candlewick::test::have_shared_data()) {                                          \
    GTEST_SKIP() << "the recordings are not here: " << ::candlewick::test::shared_data(); \
  }                                                                                       \
  static_assert(true)
