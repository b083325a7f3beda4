// Reading JSON at wire speed. simdjson finds where every value, key and bracket begins and checks
// UTF-8 and quotes; the walk over those places is here, in the header, so that a decoder's
// callbacks are compiled into it. It always goes to the document's very end, so a frame that was
// cut anywhere is refused whole, and a callback's results must be thrown away when read() fails.
//
// A value that nobody reads is checked as far as UTF-8, quotes and the balance of brackets go.
//
// Values are looked at once, in the order of the text. Errors stick to the reader: after the first
// one every accessor answers an empty value and read() returns the error with the path to it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/decimal.h"
#include "base/result.h"
#include "base/time.h"

namespace candlewick::json {

enum class Type { object, array, string, number, boolean, null };

// Where a walk through one document is. Only Reader and Value have business with it.
class Walk {
 public:
  static constexpr int max_depth = 64;

 private:
  friend class Reader;
  friend class Value;

  static constexpr std::array<bool, 256> value_begins = [] {
    std::array<bool, 256> table{};
    for (const unsigned char c : {'{', '[', '"', '-', 't', 'f', 'n'}) table[c] = true;
    for (unsigned char c = '0'; c <= '9'; ++c) table[c] = true;
    return table;
  }();
  char at(const std::uint32_t* mark) const { return text[*mark]; }
  static bool is_space(char c) {
    if (c > ' ') return false;
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
  }
  // From a mark to the next one, without the space between.
  [[gnu::always_inline]] std::string_view token(const std::uint32_t* mark) const {
    const char* const begun = text + mark[0];
    const char* last = text + mark[1];
    while (is_space(last[-1])) [[unlikely]]
      --last;  // the first is no space
    return {begun, static_cast<std::size_t>(last - begun)};
  }
  [[gnu::always_inline]] static bool begins_value(char c) {
    return value_begins[static_cast<unsigned char>(c)];
  }
  // Keys are short: a loop beats memchr.
  [[gnu::always_inline]] static bool has_escapes(std::string_view key) {
    for (const char c : key) {
      if (c == '\\') return true;
    }
    return false;
  }
  // The mark behind the value at `mark`; null, and refused, when the document ends inside.
  [[gnu::always_inline]] const std::uint32_t* behind(const std::uint32_t* mark) {
    const char c = at(mark);
    return c == '{' || c == '[' ? behind_brackets(mark) : mark + 1;
  }
  const std::uint32_t* behind_brackets(const std::uint32_t* mark);
  std::string_view unescaped(const std::uint32_t* string);
  // At the value that begins there.
  void refuse(const std::uint32_t* mark, std::string_view why);
  // "data[1].price": found by walking there again, so that the way costs nothing while all is well.
  std::string path(const std::uint32_t* mark) const;

  const char* text = nullptr;
  // Where values, keys, brackets, colons and commas begin, in order; `end` marks the text's end,
  // where a space stands, so one may always look at the mark behind another.
  const std::uint32_t* first = nullptr;
  const std::uint32_t* next = nullptr;
  const std::uint32_t* end = nullptr;
  bool failed = false;
  int depth = 0;
  std::uint64_t inexact = 0;
  std::optional<Error> error;
  struct Unescaper;
  Unescaper* unescaper = nullptr;
};

class Reader;

// One value, seen in passing: valid until its callback returns or the next value is taken.
class Value {
 public:
  [[gnu::always_inline]] Type type() {
    if (walk_->failed) return Type::null;
    switch (text_[*mark_]) {
      case '{':
        return Type::object;
      case '[':
        return Type::array;
      case '"':
        return Type::string;
      case 't':
      case 'f':
        return Type::boolean;
      case 'n':
        return null();
      default:
        return Type::number;
    }
  }
  bool is_null() { return type() == Type::null; }

  // A scalar's own characters: a number's digits as sent, a string's content between the quotes
  // with escapes left as they are. What decimals and ids are read from.
  [[gnu::always_inline]] std::string_view raw() {
    if (walk_->failed) return {};
    const auto token = walk_->token(mark_);
    if (token.front() == '"') {
      if (token.size() >= 2 && token.back() == '"') [[likely]] {
        return {token.data() + 1, token.size() - 2};  // what substr() checks is known
      }
      return refused("unfinished string");
    }
    if (token.front() == '{' || token.front() == '[') return refused("a plain value was expected");
    return token;
  }
  // A string, unescaped. Error when it is not one. Valid until the reader reads again.
  std::string_view string();
  bool boolean();
  // A number or a string of digits. Errors: fractions, more than 64 bits.
  std::int64_t integer();
  std::uint64_t unsigned_integer();
  // A number or a string holding one, exactly as sent. Rounded digits are counted by the reader.
  Decimal decimal() {
    Decimal padded;
    if (Decimal::parse_padded(raw(), padded)) return padded;
    return any_decimal();
  }
  double floating();
  // An epoch in that unit, within the years 1678 to 2261.
  Time time_ms();
  Time time_us();
  // RFC 3339 text.
  Time time_text();

  // Each member or element in order, to a callable of (std::string_view key, Value) or (Value). On
  // another type: an error.
  template <class F>
  void members(F&& member);
  template <class F>
  void elements(F&& element) {
    elements_from(mark_ + 1, element);
  }
  // Each member: strings and numbers as raw() gives them, to a callable of (std::string_view key,
  // std::string_view raw); all else to one of (std::string_view key, Value). The quickest way
  // through flat objects.
  template <class F, class G>
  void members(F&& plain, G&& other);
  // The elements as long as they are ["61837.63000000","0.02000000"], to a callable of (Decimal,
  // Decimal), and from the first one that is written otherwise to a callable of (Value).
  template <class F, class G>
  void padded_pairs(F&& pair, G&& other);
  // The whole value's text, for what is kept rather than read.
  std::string_view text();

  // Refuses the document: "field: why (value)".
  void reject(std::string_view why);

 private:
  friend class Reader;
  [[gnu::always_inline]] Value(Walk& walk, const char* text, const std::uint32_t* mark)
      : walk_(&walk), text_(text), mark_(mark) {}
  bool begin(char bracket, std::string_view what);
  Type null();
  std::string_view refused(std::string_view why) {
    walk_->refuse(mark_, why);
    return {};
  }
  Decimal any_decimal();
  // From that element on; at the first one of all the array may also end.
  template <class F>
  void elements_from(const std::uint32_t* mark, F&& element);
  template <class Integer>
  Integer number();

  Walk* walk_;
  const char* text_;  // the walk's, at hand
  const std::uint32_t* mark_;
};

// Owns the parser and its buffers; reuse one per connection or thread. Not thread-safe.
class Reader {
 public:
  Reader();
  ~Reader();
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;

  // Calls `root`, a callable of (Value), once with the document, an object or an array. Errors are
  // malformed, with place and reason; documents over max_bytes are refused, and so is looking into
  // more than 64 nested values.
  template <class F>
  Result<void> read(std::string_view text, F&& root) {
    if (auto begun = begin(text); !begun) return begun;
    root(Value(*walk_, walk_->text, walk_->next));
    return finish();
  }

  // How many decimals lost digits past the 18th since the reader was made.
  std::uint64_t inexact_decimals() const { return walk_->inexact; }

  static constexpr std::size_t max_bytes = std::size_t{64} << 20;

 private:
  Result<void> begin(std::string_view text);
  Result<void> finish();

  struct Buffers;
  std::unique_ptr<Buffers> buffers_;
  std::unique_ptr<Walk> walk_;
};

template <class F>
void Value::members(F&& member) {
  Walk& walk = *walk_;
  if (!begin('{', "an object was expected")) return;
  const char* const text = text_;
  const std::uint32_t* mark = mark_ + 1;
  if (text[*mark] != '}') {
    while (true) {
      const char* const quote = text + mark[0];
      const char* last = text + mark[1];
      if (*quote != '"') return walk.refuse(mark, "a key was expected");
      if (*last != ':') return walk.refuse(mark, "a colon was expected");
      do --last;
      while (*last != '"');
      std::string_view key(quote + 1, static_cast<std::size_t>(last - quote - 1));
      // One character cannot be an escape.
      if (key.size() != 1 && Walk::has_escapes(key)) [[unlikely]] {
        key = walk.unescaped(mark);
        if (walk.failed) return;
      }
      mark += 2;
      if (!Walk::begins_value(text[*mark])) return walk.refuse(mark, "a value was expected");
      walk.next = mark;
      member(key, Value(walk, text, mark));
      if (walk.failed) [[unlikely]]
        return;
      mark = walk.next == mark ? walk.behind(mark) : walk.next;
      if (mark == nullptr) return;
      const char c = text[*mark];
      if (c == '}') break;
      if (c != ',') return walk.refuse(mark, "a comma or the end of an object was expected");
      ++mark;
    }
  }
  walk.next = mark + 1;
  --walk.depth;
}

template <class F>
void Value::elements_from(const std::uint32_t* mark, F&& element) {
  Walk& walk = *walk_;
  if (!begin('[', "an array was expected")) return;
  const char* const text = text_;
  if (text[*mark] != ']' || mark != mark_ + 1) {
    while (true) {
      if (!Walk::begins_value(text[*mark])) return walk.refuse(mark, "a value was expected");
      walk.next = mark;
      element(Value(walk, text, mark));
      if (walk.failed) [[unlikely]]
        return;
      mark = walk.next == mark ? walk.behind(mark) : walk.next;
      if (mark == nullptr) return;
      const char c = text[*mark];
      if (c == ']') break;
      if (c != ',') return walk.refuse(mark, "a comma or the end of an array was expected");
      ++mark;
    }
  }
  walk.next = mark + 1;
  --walk.depth;
}

template <class F, class G>
void Value::members(F&& plain, G&& other) {
  Walk& walk = *walk_;
  if (!begin('{', "an object was expected")) return;
  const char* const text = text_;
  const std::uint32_t* mark = mark_ + 1;
  if (text[*mark] == '}') {
    walk.next = mark + 1;
    --walk.depth;
    return;
  }
  while (true) {
    const char* const quote = text + mark[0];
    const char* last = text + mark[1];
    if (*quote != '"') return walk.refuse(mark, "a key was expected");
    if (*last != ':') return walk.refuse(mark, "a colon was expected");
    do --last;
    while (*last != '"');
    std::string_view key(quote + 1, static_cast<std::size_t>(last - quote - 1));
    if (key.size() != 1 && Walk::has_escapes(key)) [[unlikely]] {
      key = walk.unescaped(mark);
      if (walk.failed) return;
    }
    mark += 2;
    const char* const begun = text + mark[0];
    const char c = *begun;
    if (c == '"') {
      const char* end = text + mark[1] - 1;
      while (*end != '"') [[unlikely]]
        --end;  // it is there: stage 1 has seen it
      plain(key, std::string_view(begun + 1, static_cast<std::size_t>(end - begun - 1)));
      ++mark;
    } else if ((c >= '0' && c <= '9') || c == '-') {
      plain(key, walk.token(mark));
      ++mark;
    } else {
      if (!Walk::begins_value(c)) return walk.refuse(mark, "a value was expected");
      walk.next = mark;
      other(key, Value(walk, text, mark));
      if (walk.failed) [[unlikely]]
        return;
      mark = walk.next == mark ? walk.behind(mark) : walk.next;
      if (mark == nullptr) return;
    }
    const char after = text[*mark];
    if (after != ',') {
      if (after != '}') return walk.refuse(mark, "a comma or the end of an object was expected");
      walk.next = mark + 1;
      --walk.depth;
      return;
    }
    ++mark;
  }
}

template <class F, class G>
void Value::padded_pairs(F&& pair, G&& other) {
  const char* const text = text_;
  Walk& walk = *walk_;
  const std::uint32_t* mark = mark_ + 1;
  if (walk.failed || text[*mark_] != '[' || walk.next != mark_) return elements(other);
  // A pair and what is behind it take six marks.
  while (walk.end - mark >= 6 && text[mark[0]] == '[' && text[mark[1]] == '"' &&
         text[mark[2]] == ',' && text[mark[3]] == '"' && text[mark[4]] == ']') {
    // With space behind a quote it is none of ours.
    const char* const a = text + mark[1] + 1;
    const char* const b = text + mark[3] + 1;
    const char* const a_end = text + mark[2] - 1;
    const char* const b_end = text + mark[4] - 1;
    Decimal first;
    Decimal second;
    if (*a_end != '"' || *b_end != '"' ||
        !Decimal::parse_padded({a, static_cast<std::size_t>(a_end - a)}, first) ||
        !Decimal::parse_padded({b, static_cast<std::size_t>(b_end - b)}, second)) {
      break;
    }
    pair(first, second);
    const char after = text[mark[5]];
    mark += 6;
    if (after == ',') continue;
    if (after != ']') return walk.refuse(mark - 1, "a comma or the end of an array was expected");
    walk.next = mark;
    return;
  }
  elements_from(mark, other);
}

[[gnu::always_inline]] inline bool Value::begin(char bracket, std::string_view what) {
  Walk& walk = *walk_;
  if (walk.failed) return false;
  if (walk.at(mark_) == bracket && walk.next == mark_ && walk.depth < Walk::max_depth) [[likely]] {
    ++walk.depth;
    return true;
  }
  if (walk.at(mark_) != bracket) {
    refused(what);
  } else if (walk.next != mark_) {
    refused("looked into twice, or too late");
  } else {
    refused("nested too deeply");
  }
  return false;
}

}  // namespace candlewick::json
