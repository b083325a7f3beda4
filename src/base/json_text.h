// Writing JSON: appends to one string, as fast as the digits can be copied. What is built for
// people or third parties with nesting uses Boost.JSON instead.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/decimal.h"
#include "base/time.h"

namespace candlewick::json {

// Quoted and escaped. Bytes that are not UTF-8 are the caller's fault: input is checked at the
// door.
void append_string(std::string& out, std::string_view text);
void append(std::string& out, Decimal value);
void append(std::string& out, std::int64_t value);
void append(std::string& out, std::uint64_t value);
// Shortest digits that read back as the same double; null when not finite.
void append(std::string& out, double value);
// Quoted RFC 3339.
void append(std::string& out, Time value);

// Members in order: Members m(out); m("open", price)("id", id); m.close();
class Members {
 public:
  explicit Members(std::string& out) : out_(out) { out_ += '{'; }
  template <class T>
  Members& operator()(std::string_view key, const T& value) {
    name(key);
    if constexpr (std::is_same_v<T, bool>) {
      out_ += value ? "true" : "false";
    } else if constexpr (std::is_convertible_v<T, std::string_view>) {
      append_string(out_, value);
    } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
      append(out_, static_cast<std::int64_t>(value));
    } else if constexpr (std::is_integral_v<T>) {
      append(out_, static_cast<std::uint64_t>(value));
    } else {
      append(out_, value);
    }
    return *this;
  }
  // Null when absent.
  template <class T>
  Members& nullable(std::string_view key, const T& value) {
    if (value) return (*this)(key, *value);
    return raw(key, "null");
  }
  // Left out when absent.
  template <class T>
  Members& optional(std::string_view key, const T& value) {
    if (value) (*this)(key, *value);
    return *this;
  }
  // A value that is JSON already.
  Members& raw(std::string_view key, std::string_view json) {
    name(key);
    out_ += json;
    return *this;
  }
  // The key only; the caller appends the value.
  std::string& name(std::string_view key) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += '"';
    out_ += key;
    out_ += "\":";
    return out_;
  }
  void close() { out_ += '}'; }

 private:
  std::string& out_;
  bool first_ = true;
};

}  // namespace candlewick::json
