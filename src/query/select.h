// Building a question: conditions that are there only when asked for, parameters numbered by
// themselves, and cells read back as plain values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "schema/value.h"

namespace candlewick::query {

class Conditions {
 public:
  // "$3", for a value that is used once or more.
  std::string parameter(schema::Value value) {
    parameters_.push_back(std::move(value));
    return fmt::format("${}", parameters_.size());
  }
  // `test` has {} where the parameter goes: "c.symbol = {}".
  void add(std::string_view test, schema::Value value) {
    const std::string place = parameter(std::move(value));
    add_plain(fmt::format(fmt::runtime(test), place));
  }
  template <class T>
  void add_if(std::string_view test, const std::optional<T>& value) {
    if (value) add(test, *value);
  }
  void add_plain(std::string_view test) {
    text_ += text_.empty() ? " WHERE " : " AND ";
    text_ += test;
  }
  // " WHERE a AND b", or nothing.
  const std::string& text() const { return text_; }
  const std::vector<schema::Value>& parameters() const { return parameters_; }

 private:
  std::string text_;
  std::vector<schema::Value> parameters_;
};

// Facts name their instrument by id.
inline void add_instrument(Conditions& conditions, std::string_view exchange,
                           std::string_view symbol) {
  conditions.add("exchange_id = (SELECT exchange_id FROM dim_exchange WHERE name = {})",
                 std::string(exchange));
  conditions.add("crypto_id = (SELECT crypto_id FROM dim_cryptocurrency WHERE symbol = {})",
                 std::string(symbol));
}

// The cell as T; select() has already made it that type, or Null.
template <class T>
std::optional<T> cell(schema::Value& value) {
  auto* held = std::get_if<T>(&value);
  return held == nullptr ? std::nullopt : std::optional<T>(std::move(*held));
}
template <class T>
T cell_or(schema::Value& value, T otherwise) {
  auto* held = std::get_if<T>(&value);
  return held == nullptr ? std::move(otherwise) : std::move(*held);
}

}  // namespace candlewick::query
