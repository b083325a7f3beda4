// The JSON reader: what it refuses matters more than what it reads.
#include "base/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/json_text.h"

namespace candlewick::json {
namespace {

// Looks at every value, as deep as there is.
void walk(Value value, std::string& out) {
  switch (value.type()) {
    case Type::object:
      out += '{';
      value.members([&](std::string_view key, Value member) {
        out.append(key).append(":");
        walk(member, out);
      });
      out += '}';
      break;
    case Type::array:
      out += '[';
      value.elements([&](Value element) { walk(element, out); });
      out += ']';
      break;
    default:
      out.append(value.raw()).append(" ");
  }
}

Result<std::string> walked(std::string_view text) {
  Reader reader;
  std::string out;
  auto read = reader.read(text, [&](Value root) { walk(root, out); });
  if (!read) return fail(std::move(read.error()));
  return out;
}

// Reads {"v": …} by the given accessor.
template <class Get>
auto value_of(std::string_view json, Get get) -> Result<decltype(get(std::declval<Value&>()))> {
  Reader reader;
  decltype(get(std::declval<Value&>())) result{};
  const std::string text = "{\"v\":" + std::string(json) + "}";
  auto read = reader.read(text, [&](Value root) {
    root.members([&](std::string_view, Value value) { result = get(value); });
  });
  if (!read) return fail(std::move(read.error()));
  return result;
}

constexpr std::string_view kline =
    R"({"stream":"btcusdt@kline_1m","data":{"e":"kline","E":1723161600012,"s":"BTCUSDT","k":{"t":1723161540000,)"
    R"("o":"61700.01000000","n":100,"x":false,"q":"61.7","B":null,"l":[[1,"2"],[],{}],"u":"\u00e9\n\"x\""}}})";

constexpr std::string_view documents[] = {
    kline,
    R"([[1499040000000,"0.01634790","148976.11427815"],[1499040000001,"1","2"]])",
    R"({"a":[{"b":1},{"c":2}],"d":3})",
    R"({"lastUpdateId":1027024,"bids":[["4.00000000","431.00000000"]],"asks":[]})",
    R"([])",
    R"({})",
    R"({"a":"ends with brace }"})",
    R"(["}","]"])",
};

TEST(Json, WalksWholeDocuments) {
  EXPECT_EQ(*walked(R"({"a":1,"b":[true,null,"x"],"c":{"d":-1.50}})"),
            "{a:1 b:[true null x ]c:{d:-1.50 }}");
  EXPECT_EQ(*walked(" \n[ 1 , 2 ] \t\r\n"), "[1 2 ]");
}

TEST(Json, RefusesEveryTruncationWhetherReadOrNot) {
  Reader reader;
  for (const auto document : documents) {
    ASSERT_TRUE(walked(document)) << document;
    for (std::size_t length = 0; length < document.size(); ++length) {
      const auto cut = document.substr(0, length);
      const auto deep = walked(cut);
      ASSERT_FALSE(deep) << cut;
      EXPECT_EQ(deep.error().kind, ErrorKind::malformed);
      EXPECT_FALSE(reader.read(cut, [](Value) {})) << "not looked at: " << cut;
      EXPECT_FALSE(reader.read(cut,
                               [](Value root) {
                                 if (root.type() == Type::object)
                                   root.members([](std::string_view, Value) {});
                                 if (root.type() == Type::array) root.elements([](Value) {});
                               }))
          << "looked at one level: " << cut;
      EXPECT_FALSE(reader.read(cut, [](Value root) { (void)root.text(); }))
          << "taken as text: " << cut;
    }
  }
}

TEST(Json, RefusesGarbageAfterTheEnd) {
  Reader reader;
  for (const std::string_view text : {"{} x", "{}{}", "[] []", "{\"a\":1}}", "[1]]", "{},",
                                      "[1],[2]", "{}\"x\"", "{\"a\":1} 2"}) {
    EXPECT_FALSE(walked(text)) << text;
    EXPECT_FALSE(reader.read(text, [](Value) {})) << text;
  }
}

TEST(Json, RefusesWhatIsNoJson) {
  for (const std::string_view text : {"",
                                      " ",
                                      "nonsense",
                                      "<html>",
                                      "{",
                                      "}",
                                      "[",
                                      "]",
                                      "{]",
                                      "[}",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "{\"a\":,\"b\":1}",
                                      "{\"a\" 1}",
                                      "{a:1}",
                                      "{1:2}",
                                      "{'a':1}",
                                      "[1 2]",
                                      "[1,]",
                                      "[,1]",
                                      "{\"a\":1,}",
                                      "{,}",
                                      "[1}",
                                      "{\"a\":[1}",
                                      "[\"a]",
                                      "[tru]",
                                      "[nul]",
                                      "[nulll]",
                                      "[\"\x01\"]",
                                      "\"text\"",
                                      "12",
                                      "null",
                                      "[\"a\"b]"}) {
    std::string out;
    Reader reader;
    const auto read = reader.read(text, [&](Value root) {
      // Each scalar is read as what it looks like, so that its letters count.
      const auto visit = [&](auto&& self, Value value) -> void {
        switch (value.type()) {
          case Type::object:
            value.members([&](std::string_view, Value v) { self(self, v); });
            break;
          case Type::array:
            value.elements([&](Value v) { self(self, v); });
            break;
          case Type::string:
            (void)value.string();
            break;
          case Type::number:
            (void)value.decimal();
            break;
          case Type::boolean:
            (void)value.boolean();
            break;
          case Type::null:
            break;
        }
      };
      visit(visit, root);
    });
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().kind, ErrorKind::malformed) << text;
    EXPECT_FALSE(read.error().message.empty());
  }
}

TEST(Json, RawValuesAreScalarsOnly) {
  const auto raw = [](Value& value) { return std::string(value.raw()); };
  EXPECT_EQ(*value_of("1.50", raw), "1.50");
  EXPECT_EQ(*value_of("\"1.50\"", raw), "1.50");
  EXPECT_EQ(*value_of("\"a\\n\" ", raw), "a\\n");
  EXPECT_EQ(*value_of("true", raw), "true");
  for (const std::string_view json : {"", ",\"b\":1", "{}", "[]", ":", "}"}) {
    EXPECT_FALSE(value_of(json, raw)) << json;
  }
}

TEST(Json, RefusesBytesThatAreNotUtf8) {
  for (const std::string_view text :
       {"[\"\xff\"]", "[\"\xc3\"]", "{\"\xed\xa0\x80\":1}", "[\"\xf8\x88\x80\x80\x80\"]"}) {
    EXPECT_FALSE(walked(text));
    Reader reader;
    EXPECT_FALSE(reader.read(text, [](Value) {}));
  }
  EXPECT_EQ(*walked("[\"é€😀\"]"), "[é€😀 ]");
}

TEST(Json, RefusesToLookDeeperThanSixtyFour) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(walked(nested(64)));
  const auto deep = walked(nested(65));
  ASSERT_FALSE(deep);
  EXPECT_NE(deep.error().message.find("nested too deeply"), std::string::npos)
      << deep.error().message;
  EXPECT_FALSE(walked(nested(100'000)));
  EXPECT_FALSE(walked(std::string(100'000, '[')));
}

TEST(Json, NamesThePlaceOfAWrongValue) {
  Reader reader;
  const auto error_of = [&](std::string_view text, auto read_price) {
    const auto read = reader.read(text, [&](Value root) {
      root.members([&](std::string_view key, Value value) {
        if (key != "data") return;
        value.elements([&](Value row) {
          row.members([&](std::string_view name, Value field) {
            if (name == "price") read_price(field);
          });
        });
      });
    });
    return read ? std::string() : read.error().message;
  };
  const auto decimal = [](Value& value) { (void)value.decimal(); };
  EXPECT_EQ(error_of(R"({"x":{},"data":[{"price":1},{"size":2,"price":"abc"}]})", decimal),
            "data[1].price: not a decimal: \"abc\"");
  EXPECT_EQ(error_of(R"({"data":[{"price":{}}]})", decimal),
            "data[0].price: a plain value was expected");
  EXPECT_EQ(error_of(R"({"data":7})", decimal), "data: an array was expected");
  EXPECT_EQ(error_of(R"({"data":[[]]})", decimal), "data[0]: an object was expected");
  EXPECT_EQ(
      error_of(R"({"data":[{"price":5}]})", [](Value& value) { value.reject("must be even"); }),
      "data[0].price: must be even");
  EXPECT_EQ(error_of(R"({"data":[{"price":5}]})", [](Value& value) { (void)value.string(); }),
            "data[0].price: a string was expected");
  EXPECT_EQ(error_of(R"({"data":[{"price":5}]})", decimal), "")
      << "an error does not stick to the reader";
}

TEST(Json, KeepsTheFirstErrorAndAnswersEmptyValuesAfterIt) {
  Reader reader;
  int seen = 0;
  const auto read = reader.read(R"([1,"a",3])", [&](Value root) {
    root.elements([&](Value element) {
      ++seen;
      (void)element.integer();
      element.reject("a later error");
      EXPECT_EQ(element.raw(), "");
      EXPECT_EQ(element.type(), Type::null);
    });
  });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, "[0]: a later error");
  EXPECT_EQ(seen, 1);
}

TEST(Json, DoesNotTellKeysOfEarlierDocuments) {
  Reader reader;
  ASSERT_TRUE(
      reader.read(R"({"an_earlier_key":1})", [](Value root) { root.members([](auto, Value) {}); }));
  // Large enough for a new buffer: the earlier key's characters are gone.
  const std::string text = "{1:\"" + std::string(100'000, 'x') + "\"}";
  const auto read = reader.read(text, [](Value root) { root.members([](auto, Value) {}); });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message.find("an_earlier_key"), std::string::npos) << read.error().message;
  EXPECT_TRUE(read.error().message.starts_with("document: ")) << read.error().message;
}

TEST(Json, UnescapesStringsAndKeys) {
  const auto string = [](Value& value) { return std::string(value.string()); };
  EXPECT_EQ(*value_of(R"("a\"b\\c\/\n\u00e9\ud83d\ude00")", string), "a\"b\\c/\né😀");
  EXPECT_FALSE(value_of(R"("\x")", string));
  EXPECT_FALSE(value_of(R"("\u12")", string));
  Reader reader;
  std::vector<std::string> keys;
  ASSERT_TRUE(reader.read(R"({"\u0061\"":1,"b":2,"c\\":3})", [&](Value root) {
    root.members([&](std::string_view key, Value value) {
      keys.emplace_back(key);
      (void)value.integer();
    });
  }));
  EXPECT_EQ(keys, (std::vector<std::string>{"a\"", "b", "c\\"}));
  EXPECT_FALSE(reader.read(R"({"\q":1})", [](Value root) { root.members([](auto, Value) {}); }));
}

TEST(Json, ReadsNumbersExactlyOrRefusesThem) {
  const auto integer = [](Value& value) { return value.integer(); };
  EXPECT_EQ(*value_of("9223372036854775807", integer), INT64_MAX);
  EXPECT_EQ(*value_of("\"-9223372036854775808\"", integer), INT64_MIN);
  for (const std::string_view json :
       {"9223372036854775808", "1.0", "1e3", "\"\"", "\" 1\"", "true", "\"1x\"", "null", "+1"}) {
    EXPECT_FALSE(value_of(json, integer)) << json;
  }
  const auto natural = [](Value& value) { return value.unsigned_integer(); };
  EXPECT_EQ(*value_of("18446744073709551615", natural), UINT64_MAX);
  EXPECT_FALSE(value_of("-1", natural));
  EXPECT_FALSE(value_of("18446744073709551616", natural));

  const auto decimal = [](Value& value) { return value.decimal(); };
  EXPECT_EQ(value_of("61700.01000000", decimal)->to_string(), "61700.01");
  EXPECT_EQ(value_of("\"1e-8\"", decimal)->to_string(), "0.00000001");
  EXPECT_EQ(value_of("99999999999999999999.5", decimal)->to_string(), "99999999999999999999.5");
  EXPECT_FALSE(value_of("1e40", decimal));
  EXPECT_FALSE(value_of("null", decimal));
  EXPECT_FALSE(value_of("\"\"", decimal));

  const auto floating = [](Value& value) { return value.floating(); };
  EXPECT_EQ(*value_of("-1.5e300", floating), -1.5e300);
  for (const std::string_view json : {"\"inf\"", "\"nan\"", "1e999", "\"abc\"", "false"}) {
    EXPECT_FALSE(value_of(json, floating)) << json;
  }
  const auto boolean = [](Value& value) { return value.boolean(); };
  EXPECT_TRUE(*value_of("true", boolean));
  EXPECT_FALSE(*value_of("false ", boolean));
  EXPECT_FALSE(value_of("\"true\"", boolean));
  EXPECT_FALSE(value_of("truth", boolean));
}

TEST(Json, CountsDecimalsThatLostDigits) {
  Reader reader;
  ASSERT_TRUE(reader.read("[1e-30, 1.5, 0.12345678901234567890]",
                          [](Value root) { root.elements([](Value v) { (void)v.decimal(); }); }));
  EXPECT_EQ(reader.inexact_decimals(), 2U);
}

TEST(Json, ReadsTimesWithinRange) {
  const auto ms = [](Value& value) { return value.time_ms(); };
  const auto us = [](Value& value) { return value.time_us(); };
  const auto text = [](Value& value) { return value.time_text(); };
  EXPECT_EQ(to_rfc3339(*value_of("1723161540000", ms)), "2024-08-08T23:59:00Z");
  EXPECT_EQ(to_rfc3339(*value_of("\"1723161540000001\"", us)), "2024-08-08T23:59:00.000001Z");
  EXPECT_EQ(to_rfc3339(*value_of("\"2024-08-08T23:59:00Z\"", text)), "2024-08-08T23:59:00Z");
  EXPECT_FALSE(value_of("9223372036854775807", ms));
  EXPECT_FALSE(value_of("-9223372036854775807", us));
  EXPECT_FALSE(value_of("\"yesterday\"", text));
  EXPECT_FALSE(value_of("1723161540000", text));
}

TEST(Json, SkipsWhatIsNotRead) {
  Reader reader;
  std::int64_t last = 0;
  ASSERT_TRUE(
      reader.read(R"({"skipped":{"deep":[1,{"x":[]},"}"]},"also":"\"","z":7})", [&](Value root) {
        root.members([&](std::string_view key, Value value) {
          if (key == "z") last = value.integer();
        });
      }));
  EXPECT_EQ(last, 7);
}

TEST(Json, LooksAtAValueAndStopsHalfway) {
  // The inner loops are left by their own errors only, so a value may also be asked and not walked.
  Reader reader;
  std::string types;
  ASSERT_TRUE(reader.read(R"([{"a":1},[2],"s",3,true,null])", [&](Value root) {
    root.elements([&](Value value) { types += std::to_string(static_cast<int>(value.type())); });
  }));
  EXPECT_EQ(types, "012345");
}

TEST(Json, KeepsTheTextOfWholeValues) {
  const auto text = [](Value& value) { return std::string(value.text()); };
  EXPECT_EQ(*value_of(R"([ ["1","2"] , {} ] )", text), R"([ ["1","2"] , {} ])");
  EXPECT_EQ(*value_of(R"("a\"b" )", text), R"("a\"b")");
  EXPECT_EQ(*value_of("12.50 ", text), "12.50");
}

TEST(Json, HandsOutPlainMembersApartFromOthers) {
  constexpr std::string_view document =
      R"({"a":"1","b" : -2.5 ,"c":null,"d":[3],"\u0065":"x" , "f":true,"g":{"h":"i"},"j":""})";
  Reader reader;
  std::string plain;
  std::string others;
  const auto look = [&](std::string_view text) {
    plain.clear();
    others.clear();
    return reader.read(text, [&](Value root) {
      root.members([&](std::string_view key,
                       std::string_view raw) { plain.append(key).append("=").append(raw) += ' '; },
                   [&](std::string_view key, Value value) {
                     others.append(key).append(":");
                     walk(value, others);
                   });
    });
  };
  ASSERT_TRUE(look(document));
  EXPECT_EQ(plain, "a=1 b=-2.5 e=x j= ");
  EXPECT_EQ(others, "c:null d:[3 ]f:true g:{h:i }");
  EXPECT_TRUE(look("{}"));
  for (std::size_t length = 0; length < document.size(); ++length) {
    EXPECT_FALSE(look(document.substr(0, length))) << document.substr(0, length);
  }
  for (const std::string_view text :
       {"{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":1 2}", "{\"a\":1]", "{\"a\" 1}", "{1:2}",
        "{\"a\":\"b\"\"c\"}", "{\"a\":1}}", "[1]", "{\"\\q\":1}"}) {
    EXPECT_FALSE(look(text)) << text;
  }
}

TEST(Json, ReadsPairsOfPaddedDecimalsAndHandsOutTheRest) {
  Reader reader;
  std::string seen;
  const auto look = [&](std::string_view text) {
    seen.clear();
    return reader.read(text, [&](Value root) {
      root.padded_pairs(
          [&](Decimal first, Decimal second) {
            seen += first.to_string() + "|" + second.to_string() + " ";
          },
          [&](Value other) { walk(other, seen); });
    });
  };
  ASSERT_TRUE(look(R"([["61837.63000000","0.02000000"],["1.00000000","99999999.99999999"]])"));
  EXPECT_EQ(seen, "61837.63|0.02 1|99999999.99999999 ");
  ASSERT_TRUE(look(R"([["1.00000000","2.00000000"],["1.5","2"],["3.00000000","4.00000000"]])"));
  EXPECT_EQ(seen, "1|2 [1.5 2 ][3.00000000 4.00000000 ]");
  ASSERT_TRUE(look(R"([ ["1.00000000" ,"2.00000000"], 5 ])"));
  EXPECT_EQ(seen, "[1.00000000 2.00000000 ]5 ");
  EXPECT_TRUE(look("[]"));
  constexpr std::string_view document =
      R"([["1.00000000","2.00000000"],["3.00000000","4.00000000"]])";
  for (std::size_t length = 0; length < document.size(); ++length) {
    EXPECT_FALSE(look(document.substr(0, length))) << document.substr(0, length);
  }
  for (const std::string_view text :
       {R"([["1.00000000","2.00000000"],])", R"([["1.00000000","2.00000000"]}})",
        R"([["1.00000000","2.00000000"]["1.00000000","2.00000000"]])",
        R"([["1.00000000","2.00000000"]],)", R"({"a":1})"}) {
    EXPECT_FALSE(look(text)) << text;
  }
}

TEST(Json, TellsAbsentMembersFromNulls) {
  Reader reader;
  bool is_null = false;
  bool seen = false;
  ASSERT_TRUE(reader.read(R"({"present":null})", [&](Value root) {
    root.members([&](std::string_view key, Value value) {
      if (key == "present") is_null = value.is_null();
      if (key == "absent") seen = true;
    });
  }));
  EXPECT_TRUE(is_null);
  EXPECT_FALSE(seen);
}

TEST(Json, ReadsDocumentsOfGrowingAndShrinkingSize) {
  Reader reader;
  for (const std::size_t count : {1UL, 100'000UL, 3UL, 400'000UL, 2UL}) {
    std::string text = "[";
    for (std::size_t i = 0; i < count; ++i) text += std::to_string(i) + ",";
    text += "0]";
    std::size_t seen = 0;
    ASSERT_TRUE(reader.read(text, [&](Value root) {
      root.elements([&](Value value) {
        (void)value.integer();
        ++seen;
      });
    }));
    EXPECT_EQ(seen, count + 1);
  }
}

TEST(Json, RefusesDocumentsOverTheLimit) {
  Reader reader;
  const std::string text = "[\"" + std::string(Reader::max_bytes, 'x') + "\"]";
  const auto read = reader.read(text, [](Value) {});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::malformed);
}

TEST(JsonText, EscapesStringsAndMendsBrokenOnes) {
  const auto quoted = [](std::string_view text) {
    std::string out;
    append_string(out, text);
    return out;
  };
  EXPECT_EQ(quoted("plain é€😀"), "\"plain é€😀\"");
  EXPECT_EQ(quoted("a\"b\\c\n\r\t\x01\x1f"), R"("a\"b\\c\n\r\t\u0001\u001f")");
  EXPECT_EQ(quoted(std::string_view("\0", 1)), R"("\u0000")");
  for (const std::string_view broken :
       {"\xff", "\xc3", "\xe2\x82", "\xed\xa0\x80", "\xc0\x80", "\xf4\x90\x80\x80"}) {
    const auto text = "[" + quoted(broken) + "]";
    EXPECT_TRUE(walked(text)) << text;
    EXPECT_NE(text.find("\xEF\xBF\xBD"), std::string::npos);
  }
}

TEST(JsonText, WritesScalarsThatReadBack) {
  std::string out;
  Members members(out);
  members("decimal", *Decimal::parse("-0.10"))("int", -5)("big", UINT64_MAX)("flag", true)(
      "real", 0.1)("nan", std::nan(""))("text", "x")("time", time_from_ms(1500));
  members.optional("left_out", std::optional<int>())
      .nullable("null", std::optional<int>())
      .raw("raw", "[1]");
  members.close();
  EXPECT_EQ(
      out,
      R"({"decimal":-0.1,"int":-5,"big":18446744073709551615,"flag":true,"real":0.1,"nan":null,"text":"x",)"
      R"("time":"1970-01-01T00:00:01.500Z","null":null,"raw":[1]})");
  EXPECT_TRUE(walked(out));
}

}  // namespace
}  // namespace candlewick::json
