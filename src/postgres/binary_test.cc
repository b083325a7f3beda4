// The bytes, one by one and there and back. connection_test.cc has the server read them.
#include "postgres/binary.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <array>
#include <utility>

namespace candlewick::postgres {
namespace {

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}
Decimal digits(std::string_view text) {
  return Decimal::parse(text).value();
}
std::string numeric_bytes(std::string_view text) {
  std::string bytes;
  append_numeric(bytes, digits(text));
  return bytes;
}

TEST(Numeric, HasTheServersBytes) {
  // Digits, weight, sign, scale, then groups of four digits: as numeric_send of PostgreSQL 15.
  EXPECT_EQ(hex(numeric_bytes("0")), "0000000000000000");
  EXPECT_EQ(hex(numeric_bytes("1")), "00010000000000000001");
  EXPECT_EQ(hex(numeric_bytes("-12345.678")),
            "000300014000000300010929"
            "1a7c");
  EXPECT_EQ(hex(numeric_bytes("0.0001")), "0001ffff000000040001");
  EXPECT_EQ(hex(numeric_bytes("10000")), "00010001000000000001");
  EXPECT_EQ(hex(numeric_bytes("0.000000000000000001")), "0001fffb000000120064");
}

TEST(Numeric, ComesBackExactly) {
  for (const auto* text :
       {"0", "1", "-1", "0.1", "10000.0001", "99999999999999999999.999999999999999999",
        "-99999999999999999999.999999999999999999", "0.000000000000000001", "100000000",
        "18446744073709551616", "0.00010001", "60000.1"}) {
    EXPECT_EQ(read_numeric(numeric_bytes(text)).value(), digits(text)) << text;
  }
  ASSERT_TRUE(rc::check([] {
    const auto high = *rc::gen::arbitrary<std::int64_t>();
    const auto low = *rc::gen::arbitrary<std::uint64_t>();
    const auto shift = *rc::gen::inRange(0, 127);
    const auto number = Decimal::from_count(
        static_cast<int128>((uint128{static_cast<std::uint64_t>(high)} << 64) | low) >> shift);
    std::string bytes;
    append_numeric(bytes, number);
    RC_ASSERT(read_numeric(bytes).value() == number);
  }));
}

TEST(Numeric, OfMoreDigitsIsRoundedHalfToEvenOrRefused) {
  const auto made = [](std::initializer_list<int> words) {
    std::string bytes;
    for (const int word : words) append_int16(bytes, static_cast<std::int16_t>(word));
    return bytes;
  };
  const auto count = [&](std::initializer_list<int> words) {
    return static_cast<std::int64_t>(read_numeric(made(words)).value().count());
  };
  // One group at 10^-20: its last two digits are beyond the 18th.
  EXPECT_EQ(count({1, -5, 0, 20, 149}), 1);
  EXPECT_EQ(count({1, -5, 0, 20, 150}), 2);
  EXPECT_EQ(count({1, -5, 0, 20, 250}), 2);
  EXPECT_EQ(count({2, -5, 0, 24, 250, 1}), 3);
  EXPECT_EQ(read_numeric(made({1, 5, 0, 0, 2})).error().kind, ErrorKind::rejected);
  EXPECT_EQ(read_numeric(made({1, 6, 0, 0, 1})).error().kind, ErrorKind::rejected);
  EXPECT_EQ(read_numeric(made({0, 0, 0xC000 - 0x10000, 0})).error().kind, ErrorKind::rejected);
  for (const auto& broken : {made({1, 0, 0, 0}), made({1, 0, 0, 0, 10'000}), std::string("abc")}) {
    EXPECT_EQ(read_numeric(broken).error().kind, ErrorKind::malformed);
  }
}

TEST(Fields, OfAnotherTypeThanTheColumnsAreRefused) {
  const schema::Column count{"trade_count", schema::ColumnType::integer, true};
  const schema::Column name{"symbol", schema::ColumnType::text, false};
  std::string bytes;
  EXPECT_EQ(append_field(bytes, std::string("12345678"), count).error().kind, ErrorKind::rejected);
  EXPECT_EQ(append_field(bytes, schema::Null{}, name).error().kind, ErrorKind::rejected);
  EXPECT_TRUE(bytes.empty());
  ASSERT_TRUE(append_field(bytes, schema::Null{}, count));
  ASSERT_TRUE(append_field(bytes, std::string("ab"), name));
  EXPECT_EQ(hex(bytes), "ffffffff000000026162");
}

TEST(Cells, AreReadAsWhatIsWanted) {
  using enum schema::ColumnType;
  std::string seven;
  append_int64(seven, 7);
  EXPECT_EQ(read_value(seven, type::int8, integer).value(), schema::Value{std::int64_t{7}});
  EXPECT_EQ(read_value(seven, type::int8, decimal).value(), schema::Value{digits("7")});
  EXPECT_EQ(read_value(seven, type::int8, real).value(), schema::Value{7.0});
  EXPECT_EQ(read_value(numeric_bytes("12"), type::numeric, integer).value(),
            schema::Value{std::int64_t{12}});
  EXPECT_FALSE(read_value(numeric_bytes("12.5"), type::numeric, integer));
  EXPECT_EQ(read_value(std::string("\x01[1, \"a b\"]"), type::jsonb, json).value(),
            schema::Value{schema::Json{"[1,\"a b\"]"}});
  std::string endless;
  append_int64(endless, std::numeric_limits<std::int64_t>::max());
  EXPECT_FALSE(read_value(endless, type::timestamptz, time)) << "infinity";
  for (const auto wanted : {integer, real, time, decimal, boolean}) {
    EXPECT_FALSE(read_value("abc", type::int8, wanted));
  }
}

TEST(CompactJson, LosesSpacesOutsideOfTextsOnly) {
  EXPECT_EQ(compact_json(R"({"a b": [1, "x \" y", {}]})"), R"({"a b":[1,"x \" y",{}]})");
}

}  // namespace
}  // namespace candlewick::postgres
