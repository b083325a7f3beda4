// What the reading of tidy takes for a comment, for code and for a function.
#include <gtest/gtest.h>

#include "tools/tree.h"

namespace candlewick::tools {
namespace {

std::vector<Line> parts_of(const std::vector<std::string>& lines) {
  return take_apart(lines);
}

TEST(TakeApart, TellsCommentsFromLiterals) {
  const auto parts = parts_of({
      R"(call("http://x", 'a'); // why)",
      R"(const auto n = 1'000'000; /* a */ next();)",
      R"(auto text = "\"// no comment";)",
      "auto raw = R\"x(",
      "// inside a raw literal",
      ")x\"; after();",
      "/* one",
      "two */ three();",
  });
  EXPECT_EQ(parts[0].code, R"(call("", ''); )");
  EXPECT_EQ(parts[0].comment, " why");
  EXPECT_FALSE(parts[0].whole_line);
  EXPECT_EQ(parts[1].code, "const auto n = 1'000'000;  next();");
  EXPECT_EQ(parts[1].comment, " a ");
  EXPECT_EQ(parts[2].code, R"(auto text = "";)");
  EXPECT_EQ(parts[4].comment, "");
  EXPECT_EQ(parts[5].code, R"("; after();)");
  EXPECT_EQ(parts[6].comment, " one");
  EXPECT_TRUE(parts[6].whole_line);
  EXPECT_EQ(parts[7].code, " three();");
}

TEST(TakeApart, FindsCodeThatWasSwitchedOff) {
  const std::vector<std::string> code{
      "  // total = sum(a, b);", "  //call(it);",       "//return x;", "  // }",
      "  // if (it.ready()) {",  "// #include <vector>"};
  const std::vector<std::string> prose{"  // Reads the rest; the first line is known.",
                                       "//   observer.observe(kind);  an example",
                                       "// return fail(ErrorKind::malformed, text);",
                                       "  // nothing (or less);",
                                       "  call();  // sum = a + b;",
                                       "  call();"};
  for (const auto& line : code) EXPECT_TRUE(looks_like_code(parts_of({line})[0], line)) << line;
  for (const auto& line : prose) EXPECT_FALSE(looks_like_code(parts_of({line})[0], line)) << line;
}

TEST(TakeApart, MeasuresFunctions) {
  File file{
      .path = "src/base/x.cc",
      .lines = {"namespace a {", "", "int declared(int);", "int one(int a,", "        int b) {",
                "  if (a) {", "  }", "  return b;", "}", "constexpr int table[] = {", "  f(1),",
                "};", "struct S {", "  void in_class() {", "  }", "};", "}  // namespace a"},
      .parts = {}};
  file.parts = take_apart(file.lines);
  const auto found = functions_in(file);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].name, "one");
  EXPECT_EQ(found[0].line, 4U);
  EXPECT_EQ(found[0].length, 6U);
}

TEST(TakeApart, FindsWholeWords) {
  EXPECT_TRUE(contains_word("a TODO here", "TODO"));
  EXPECT_TRUE(contains_word("TODO(#1): x", "TODO"));
  EXPECT_FALSE(contains_word("TODOS and TO_DO", "TODO"));
}

TEST(TakeApart, ReadsIncludesOfOurs) {
  EXPECT_EQ(own_include(R"(#include "base/time.h")"), "base/time.h");
  EXPECT_EQ(own_include("#include <vector>"), "");
}

}  // namespace
}  // namespace candlewick::tools
