// A string that must not be seen: passwords, tokens, connection strings. It prints as stars
// everywhere; the one place that needs the characters asks for them by name.
#pragma once

#include <algorithm>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

namespace candlewick {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}

  // For the wire only: never into a message, a log line or a URL that is told to anybody.
  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }
  // What is shown instead: "***", or nothing when nothing is set.
  std::string_view masked() const { return value_.empty() ? "" : "***"; }

  friend bool operator==(const Secret&, const Secret&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Secret& secret) {
    return out << secret.masked();
  }

 private:
  std::string value_;
};

}  // namespace candlewick

template <>
struct fmt::formatter<candlewick::Secret> {
  constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
  template <class Context>
  auto format(const candlewick::Secret& secret, Context& context) const {
    return std::ranges::copy(secret.masked(), context.out()).out;
  }
};
