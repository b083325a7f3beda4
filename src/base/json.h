// Reading JSON at wire speed: simdjson On-Demand behind plain types, so that no caller pays for its
// headers. On-Demand is lazy; this reader always walks a document to its very end, so a frame that
// was cut anywhere is refused whole, and a callback's results must be thrown away when read()
// fails.
//
// A value that nobody reads is checked as far as UTF-8, quotes and the balance of brackets go.
//
// Values are looked at once, in the order of the text. Errors stick to the reader: after the first
// one every accessor answers an empty value and read() returns the error with the path to it.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/decimal.h"
#include "base/result.h"
#include "base/time.h"

namespace candlewick::json {

enum class Type { object, array, string, number, boolean, null };

// Two pointers to a callable; costs no allocation and must not outlive the call it is passed to.
template <class Signature>
class FunctionRef;
template <class... Args>
class FunctionRef<void(Args...)> {
 public:
  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, FunctionRef> && std::invocable<F&, Args...>)
  FunctionRef(F&& f)  // NOLINT(google-explicit-constructor): a lambda is passed as it is
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(f)))),
        call_([](void* object, Args... args) {
          (*static_cast<std::remove_reference_t<F>*>(object))(std::forward<Args>(args)...);
        }) {}
  void operator()(Args... args) const { call_(object_, std::forward<Args>(args)...); }

 private:
  void* object_;
  void (*call_)(void*, Args...);
};

class Reader;

// One value, seen in passing: valid until its callback returns or the next value is taken.
class Value {
 public:
  Type type();
  bool is_null() { return type() == Type::null; }

  // A scalar's own characters: a number's digits as sent, a string's content between the quotes
  // with escapes left as they are. What decimals and ids are read from.
  std::string_view raw();
  // A string, unescaped. Error when it is not one. Valid until the reader reads again.
  std::string_view string();
  bool boolean();
  // A number or a string of digits. Errors: fractions, more than 64 bits.
  std::int64_t integer();
  std::uint64_t unsigned_integer();
  // A number or a string holding one, exactly as sent. Rounded digits are counted by the reader.
  Decimal decimal();
  double floating();
  // An epoch in that unit, within the years 1678 to 2261.
  Time time_ms();
  Time time_us();
  // RFC 3339 text.
  Time time_text();

  // Each member or element in order. On another type: an error.
  void members(FunctionRef<void(std::string_view key, Value value)> member);
  void elements(FunctionRef<void(Value element)> element);
  // The whole value's text, for what is kept rather than read.
  std::string_view text();

  // Refuses the document: "field: why (value)".
  void reject(std::string_view why);

 private:
  friend class Reader;
  friend struct Access;
  Value(Reader* reader, void* value) : reader_(reader), value_(value) {}
  Reader* reader_;
  void* value_;
};

// Owns the parser and its buffers; reuse one per connection or thread. Not thread-safe.
class Reader {
 public:
  Reader();
  ~Reader();
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;

  // Calls `root` once with the document, an object or an array. Errors are malformed, with place
  // and reason; documents over max_bytes are refused, and so is looking into more than 64 nested
  // values.
  Result<void> read(std::string_view text, FunctionRef<void(Value root)> root);

  // How many decimals lost digits past the 18th since the reader was made.
  std::uint64_t inexact_decimals() const;

  static constexpr std::size_t max_bytes = std::size_t{64} << 20;

 private:
  friend class Value;
  friend struct Access;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace candlewick::json
