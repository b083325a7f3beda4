// Columns that people can read down, and the same as CSV.
#include "app/table.h"

#include <gtest/gtest.h>

namespace candlewick::app {
namespace {

TEST(Table, AlignsNumbersAtTheirPoint) {
  Table table({"symbol", "price", "n"});
  table.add({"BTC/USDT", "64410.5", "7"});
  table.add({"ETH", "3.25", ""});
  table.add({"币安", "100", "12345"});
  EXPECT_EQ(table.text(false),
            "symbol       price      n\n"
            "BTC/USDT  64410.5       7\n"
            "ETH           3.25\n"
            "币安        100     12345\n");
}

TEST(Table, KeepsWordsToTheLeftAndNoSpaceBehindThem) {
  Table table({"a", "b"});
  table.add({"1", "x"});
  table.add({"none", ""});
  EXPECT_EQ(table.text(false), "a     b\n1     x\nnone\n");
  EXPECT_EQ(Table({"only", "header"}).text(false), "only  header\n");
}

TEST(Table, ColoursWhatAColumnSaysAndNothingWithoutColour) {
  Table table({"state", "lost"});
  table.colour("state", tone_of_state);
  table.colour("lost", tone_of_loss);
  table.add({"live", "0"});
  table.add({"missing", "3"});
  EXPECT_EQ(table.text(true),
            "\033[1mstate\033[0m    \033[1mlost\033[0m\n"
            "\033[32mlive\033[0m        0\n"
            "\033[31mmissing\033[0m     \033[31m3\033[0m\n");
  EXPECT_EQ(table.text(false).find('\033'), std::string::npos);
}

TEST(Table, PassesOnNoControlSequence) {
  Table table({"last_error"});
  table.add({"\033[2Jgone\nx"});
  EXPECT_EQ(table.text(true), "\033[1mlast_error\033[0m\n?[2Jgone?x\n");
  EXPECT_EQ(table.csv(), "last_error\n\"\033[2Jgone\nx\"\n") << "CSV is for programs: it is exact";
}

TEST(Table, GoesOnBelowAnotherInTheSameColumns) {
  Table first({"time", "price"});
  first.add({"12:00", "64410.25"});
  const auto above = first.text(false);
  Table second({"time", "price"});
  second.continue_below(first);
  second.add({"12:01", "7.5"});
  EXPECT_EQ(above + second.text(false, false),
            "time      price\n"
            "12:00  64410.25\n"
            "12:01      7.5\n");
  EXPECT_EQ(second.csv(false), "12:01,7.5\n");
}

TEST(Format, IsOneOfThree) {
  EXPECT_EQ(parse_format("csv").value(), Format::csv);
  EXPECT_EQ(parse_format("jsonl").value(), Format::jsonl);
  EXPECT_EQ(parse_format("table").value(), Format::table);
  const auto wrong = parse_format("xml");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().kind, ErrorKind::misconfigured);
}

}  // namespace
}  // namespace candlewick::app
