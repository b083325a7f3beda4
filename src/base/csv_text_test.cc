// Which cells are quoted.
#include "base/csv_text.h"

#include <gtest/gtest.h>

namespace candlewick::csv {
namespace {

std::string cell(std::string_view content) {
  std::string out = "a,";
  append_cell(out, content);
  return out;
}

TEST(CsvCell, IsQuotedOnlyWhereItsContentNeedsIt) {
  EXPECT_EQ(cell(""), "a,");
  EXPECT_EQ(cell("60000.10"), "a,60000.10");
  EXPECT_EQ(cell("two words"), "a,two words");
  EXPECT_EQ(cell("x,y"), "a,\"x,y\"");
  EXPECT_EQ(cell("say \"hi\""), "a,\"say \"\"hi\"\"\"");
  EXPECT_EQ(cell("a\nb"), "a,\"a\nb\"");
  EXPECT_EQ(cell("a\rb"), "a,\"a\rb\"");
}

}  // namespace
}  // namespace candlewick::csv
