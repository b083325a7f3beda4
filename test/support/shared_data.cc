// Finds the recordings beside the project.
#include "test/support/shared_data.h"

#include <cstdlib>

#include <gtest/gtest.h>

namespace candlewick::test {

std::filesystem::path shared_data() {
  if (const char* folder = std::getenv("CANDLEWICK_SHARED_DATA")) return folder;
  return std::filesystem::path{CANDLEWICK_PROJECT_DIR} / ".." / "shared" / "data";
}

bool have_shared_data() {
  if (std::filesystem::is_directory(shared_data())) return true;
  if (std::getenv("CI") != nullptr) {
    ADD_FAILURE() << "CI must have the recordings at " << shared_data();
  }
  return false;
}

}  // namespace candlewick::test
