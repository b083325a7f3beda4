// What can fail returns Result<T>. The kind of an error is the policy for it, so callers never
// read messages: transient → retry with back-off; malformed → drop, count, keep the frame;
// rejected → set aside; misconfigured → do not start.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

namespace candlewick {

enum class ErrorKind { transient, malformed, rejected, misconfigured };

constexpr std::string_view to_text(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::transient:
      return "transient";
    case ErrorKind::malformed:
      return "malformed";
    case ErrorKind::rejected:
      return "rejected";
    case ErrorKind::misconfigured:
      return "misconfigured";
  }
  std::unreachable();
}

struct Error {
  ErrorKind kind{};
  std::string message;

  friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
struct [[nodiscard]] Result : std::expected<T, Error> {
  using std::expected<T, Error>::expected;
};

// return fail(ErrorKind::malformed, "{} is not a number", text);
template <class... Args>
std::unexpected<Error> fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(Error{kind, fmt::format(format, std::forward<Args>(args)...)});
}

inline std::unexpected<Error> fail(Error error) {
  return std::unexpected(std::move(error));
}

// The same error with where it happened in front: "depth: bids: not a decimal".
inline std::unexpected<Error> within(std::string_view place, Error error) {
  error.message.insert(0, fmt::format("{}: ", place));
  return std::unexpected(std::move(error));
}

}  // namespace candlewick
