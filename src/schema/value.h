// A cell of a row. Decimals stay exact; `Json` is JSON text that is already valid.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "base/decimal.h"
#include "base/time.h"

namespace candlewick::schema {

struct Null {
  friend bool operator==(Null, Null) = default;
};
struct Json {
  std::string text;
  friend bool operator==(const Json&, const Json&) = default;
};

using Value = std::variant<Null, bool, std::int64_t, double, Decimal, Time, std::string, Json>;

inline bool is_null(const Value& value) {
  return std::holds_alternative<Null>(value);
}

}  // namespace candlewick::schema
