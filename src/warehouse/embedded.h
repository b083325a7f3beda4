// The files of sql/ and the tables beside this file, built into the program.
#pragma once

#include <span>
#include <string_view>

namespace candlewick::warehouse {

struct EmbeddedFile {
  std::string_view
      path;  // "warehouse/sqlite/0001_star_schema.sql" below sql/, "warehouse/assets.csv"
  std::string_view text;
};

// Sorted by path.
std::span<const EmbeddedFile> embedded_files();

}  // namespace candlewick::warehouse
