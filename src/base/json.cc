// The only file that includes simdjson. Of it, stage 1 is used: the list of the places where
// something begins, which its documentation calls private; a newer release may need a look here.
#include "base/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <deque>
#include <vector>

#include <simdjson.h>

namespace candlewick::json {
namespace {

constexpr std::size_t min_capacity = 16'384;
constexpr std::int64_t max_epoch_ms = 9'190'000'000'000;  // the year 2261

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; };
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

// Escapes are rare; what was read stays until the next document.
struct Walk::Unescaper {
  simdjson::dom::parser parser;
  std::deque<std::string> texts;
};

struct Reader::Buffers {
  simdjson::dom::parser parser;
  std::unique_ptr<char[]> text;
  std::size_t capacity = 0;
  Walk::Unescaper unescaper;
};

const std::uint32_t* Walk::behind_brackets(const std::uint32_t* mark) {
  std::size_t open = 0;
  const std::uint32_t* const begun = mark;
  for (; mark != end; ++mark) {
    const char c = at(mark);
    if (c == '{' || c == '[') {
      ++open;
    } else if ((c == '}' || c == ']') && --open == 0) {
      return mark + 1;
    }
  }
  refuse(begun, "ends too early");
  return nullptr;
}

std::string_view Walk::unescaped(const std::uint32_t* string) {
  const auto quoted = token(string);
  std::string_view plain;
  const auto outcome = unescaper->parser.parse(quoted.data(), quoted.size()).get(plain);
  if (outcome != simdjson::SUCCESS) {
    refuse(string, simdjson::error_message(outcome));
    return {};
  }
  return unescaper->texts.emplace_back(plain);
}

// What stands before `mark` has been walked, so it is well-formed as far as it matters here.
std::string Walk::path(const std::uint32_t* mark) const {
  struct Step {
    bool is_key = false;
    std::string_view key;
    std::size_t index = 0;
  };
  std::vector<Step> steps;
  for (const std::uint32_t* at_mark = first; at_mark < mark; ++at_mark) {
    const char c = at(at_mark);
    if (c == '{' || c == '[') {
      steps.push_back({.is_key = c == '{'});
    } else if ((c == '}' || c == ']') && !steps.empty()) {
      steps.pop_back();
    } else if (c == ',' && !steps.empty()) {
      ++steps.back().index;
    } else if (c == '"' && at(at_mark + 1) == ':' && !steps.empty()) {
      const auto quoted = token(at_mark);
      steps.back().key = quoted.substr(1, quoted.size() - 2);
    }
  }
  std::string place;
  for (const Step& step : steps) {
    if (!step.is_key) {
      place += fmt::format("[{}]", step.index);
    } else if (!step.key.empty()) {
      if (!place.empty()) place += '.';
      place += step.key.substr(0, 40);
    }
  }
  return place.empty() ? "document" : place;
}

void Walk::refuse(const std::uint32_t* mark, std::string_view why) {
  if (failed) return;
  failed = true;
  error = Error{ErrorKind::malformed, fmt::format("{}: {}", path(mark), why)};
}

// The type is told by the first character alone.
Type Value::null() {
  if (walk_->token(mark_) != "null") walk_->refuse(mark_, "null was expected");
  return Type::null;
}

std::string_view Value::string() {
  if (walk_->failed) return {};
  const auto token = walk_->token(mark_);
  if (token.size() < 2 || token.front() != '"' || token.back() != '"') {
    return refused("a string was expected");
  }
  if (token.find('\\') == std::string_view::npos) return token.substr(1, token.size() - 2);
  return walk_->unescaped(mark_);
}

bool Value::boolean() {
  if (walk_->failed) return false;
  const auto token = walk_->token(mark_);
  if (token == "true") return true;
  if (token != "false") walk_->refuse(mark_, "true or false was expected");
  return false;
}

template <class Integer>
Integer Value::number() {
  const auto text = raw();
  if (walk_->failed) return 0;
  Integer value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    walk_->refuse(mark_, fmt::format("not an integer: \"{}\"", text.substr(0, 40)));
    return 0;
  }
  return value;
}

std::int64_t Value::integer() {
  return number<std::int64_t>();
}
std::uint64_t Value::unsigned_integer() {
  return number<std::uint64_t>();
}

Decimal Value::any_decimal() {
  const auto text = raw();
  if (walk_->failed) return {};
  bool inexact = false;
  const auto parsed = Decimal::parse(text, &inexact);
  if (!parsed) {
    walk_->refuse(mark_, parsed.error().message);
    return {};
  }
  if (inexact) ++walk_->inexact;
  return *parsed;
}

double Value::floating() {
  const auto text = raw();
  if (walk_->failed) return 0;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  // from_chars also reads "inf" and "nan".
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) {
    walk_->refuse(mark_, fmt::format("not a number: \"{}\"", text.substr(0, 40)));
    return 0;
  }
  return value;
}

Time Value::time_ms() {
  const auto ms = integer();
  if (ms > max_epoch_ms || ms < -max_epoch_ms) {
    walk_->refuse(mark_, fmt::format("not a time in ms: {}", ms));
    return {};
  }
  return time_from_ms(ms);
}

Time Value::time_us() {
  const auto us = integer();
  if (us / 1000 > max_epoch_ms || us / 1000 < -max_epoch_ms) {
    walk_->refuse(mark_, fmt::format("not a time in µs: {}", us));
    return {};
  }
  return time_from_us(us);
}

Time Value::time_text() {
  const auto text = string();
  if (walk_->failed) return {};
  const auto time = parse_rfc3339(text);
  if (!time) {
    walk_->refuse(mark_, time.error().message);
    return {};
  }
  return *time;
}

std::string_view Value::text() {
  if (walk_->failed) return {};
  const auto* behind = walk_->behind(mark_);
  if (behind == nullptr) return {};
  const char* const first = walk_->text + *mark_;
  return trimmed({first, static_cast<std::size_t>(walk_->text + *behind - first)});
}

void Value::reject(std::string_view why) {
  walk_->refuse(mark_, why);
}

Reader::Reader() : buffers_(std::make_unique<Buffers>()), walk_(std::make_unique<Walk>()) {
  walk_->unescaper = &buffers_->unescaper;
}
Reader::~Reader() = default;
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;

Result<void> Reader::begin(std::string_view text) {
  Buffers& buffers = *buffers_;
  if (text.size() > max_bytes) {
    return fail(ErrorKind::malformed, "document: {} bytes are more than {}", text.size(),
                max_bytes);
  }
  text = trimmed(text);
  if (text.empty()) return fail(ErrorKind::malformed, "document: empty");
  if (buffers.capacity < text.size()) {
    // Ahead of need, as frames grow and shrink; the parser's own buffers likewise.
    const auto capacity = std::min(std::max(text.size() * 2, min_capacity), max_bytes);
    buffers.capacity = 0;
    buffers.text = std::make_unique_for_overwrite<char[]>(capacity + simdjson::SIMDJSON_PADDING);
    if (buffers.parser.allocate(capacity) != simdjson::SUCCESS) {
      return fail(ErrorKind::transient, "document: no memory for {} bytes", text.size());
    }
    buffers.capacity = capacity;
  }
  std::memcpy(buffers.text.get(), text.data(), text.size());
  std::memset(buffers.text.get() + text.size(), ' ', simdjson::SIMDJSON_PADDING);
  auto& parser = *buffers.parser.implementation;
  const auto error = parser.stage1(reinterpret_cast<const std::uint8_t*>(buffers.text.get()),
                                   text.size(), simdjson::stage1_mode::regular);
  if (error != simdjson::SUCCESS) {
    return fail(ErrorKind::malformed, "document: {}", simdjson::error_message(error));
  }
  if (!buffers.unescaper.texts.empty()) buffers.unescaper.texts.clear();
  Walk& walk = *walk_;
  walk.text = buffers.text.get();
  walk.first = walk.next = parser.structural_indexes.get();
  walk.end = walk.first + parser.n_structural_indexes;
  walk.failed = false;
  walk.depth = 0;
  if (walk.error) walk.error.reset();
  const char first = walk.at(walk.next);
  if (first != '{' && first != '[') {
    return fail(ErrorKind::malformed, "document: an object or an array was expected");
  }
  return {};
}

Result<void> Reader::finish() {
  Walk& walk = *walk_;
  if (!walk.failed) {
    // A root that the callback did not look into is walked here.
    const auto* const last = walk.next == walk.first ? walk.behind(walk.first) : walk.next;
    if (last != nullptr && last != walk.end) walk.refuse(last, "more text after the end");
  }
  if (walk.failed) return fail(*walk.error);
  return {};
}

}  // namespace candlewick::json
