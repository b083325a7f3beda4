// The only file that includes simdjson.
#include "base/json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include <simdjson.h>

namespace candlewick::json {
namespace {

namespace od = simdjson::ondemand;

constexpr int max_depth = 64;
constexpr std::size_t min_capacity = 16'384;
constexpr std::int64_t max_epoch_ms = 9'190'000'000'000;  // the year 2261

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// A key as it stands in the text: it ends at the first quote that is not escaped.
std::string_view key_text(const od::raw_json_string& key, bool& has_escapes) {
  const char* const start = key.raw();
  const char* at = start;
  while (*at != '"') {
    if (*at == '\\') {
      has_escapes = true;
      ++at;
    }
    ++at;
  }
  return {start, static_cast<std::size_t>(at - start)};
}

// Can a number, a string, true, false or null begin so?
bool begins_scalar(char c) {
  return c == '"' || c == '-' || (c >= '0' && c <= '9') || c == 't' || c == 'f' || c == 'n';
}

bool at_end(od::document& document) {
  return document.current_location().error() == simdjson::OUT_OF_BOUNDS;
}

Type type_of(od::json_type type) {
  switch (type) {
    case od::json_type::object:
      return Type::object;
    case od::json_type::array:
      return Type::array;
    case od::json_type::string:
      return Type::string;
    case od::json_type::number:
      return Type::number;
    case od::json_type::boolean:
      return Type::boolean;
    case od::json_type::null:
      return Type::null;
  }
  return Type::null;
}

}  // namespace

// A place on the way down, for error messages: a member's key or an element's index.
struct Step {
  std::string_view key;
  std::size_t index = 0;
  bool is_key = false;
};

struct Reader::State {
  od::parser parser;
  std::unique_ptr<char[]> buffer;
  std::size_t capacity = 0;
  std::array<Step, max_depth> path{};
  int depth = 0;
  std::optional<Error> error;
  std::uint64_t inexact = 0;
};

struct Access {
  static Reader::State& state(Value& value) { return *value.reader_->state_; }
  static od::value& inner(Value& value) { return *static_cast<od::value*>(value.value_); }
  static Value make(Reader* reader, od::value* value) { return {reader, value}; }

  static std::string path(const Reader::State& state) {
    std::string text;
    for (int i = 0; i < state.depth && i < max_depth; ++i) {
      const Step& step = state.path[static_cast<std::size_t>(i)];
      if (step.is_key) {
        if (step.key.empty()) continue;
        if (!text.empty()) text += '.';
        text += step.key.substr(0, 40);
      } else {
        text += fmt::format("[{}]", step.index);
      }
    }
    return text.empty() ? "document" : text;
  }

  static void refuse(Reader::State& state, std::string_view why) {
    if (state.error) return;
    state.error = Error{ErrorKind::malformed, fmt::format("{}: {}", path(state), why)};
  }

  static void refuse(Reader::State& state, simdjson::error_code code) {
    refuse(state, simdjson::error_message(code));
  }

  static bool enter(Reader::State& state) {
    if (state.depth >= max_depth) {
      refuse(state, "nested too deeply");
      return false;
    }
    ++state.depth;
    return true;
  }
};

Type Value::type() {
  auto& state = Access::state(*this);
  if (state.error) return Type::null;
  const auto type = Access::inner(*this).type();
  if (type.error() != simdjson::SUCCESS) {
    Access::refuse(state, type.error());
    return Type::null;
  }
  // The type is told by the first character alone.
  const auto found = type_of(type.value_unsafe());
  if (found == Type::null && trimmed(Access::inner(*this).raw_json_token()) != "null") {
    Access::refuse(state, "null was expected");
  }
  return found;
}

std::string_view Value::raw() {
  auto& state = Access::state(*this);
  if (state.error) return {};
  const auto token = trimmed(Access::inner(*this).raw_json_token());
  if (token.empty() || !begins_scalar(token.front())) {
    Access::refuse(state, "a plain value was expected");
    return {};
  }
  if (token.front() != '"') return token;
  if (token.size() < 2 || token.back() != '"') {
    Access::refuse(state, "unfinished string");
    return {};
  }
  return token.substr(1, token.size() - 2);
}

std::string_view Value::string() {
  auto& state = Access::state(*this);
  if (state.error) return {};
  const auto token = trimmed(Access::inner(*this).raw_json_token());
  if (token.size() < 2 || token.front() != '"' || token.back() != '"') {
    Access::refuse(state, "a string was expected");
    return {};
  }
  if (token.find('\\') == std::string_view::npos) return token.substr(1, token.size() - 2);
  const auto text = Access::inner(*this).get_string();
  if (text.error() != simdjson::SUCCESS) {
    Access::refuse(state, text.error());
    return {};
  }
  return text.value_unsafe();
}

bool Value::boolean() {
  auto& state = Access::state(*this);
  if (state.error) return false;
  const auto token = trimmed(Access::inner(*this).raw_json_token());
  if (token == "true") return true;
  if (token != "false") Access::refuse(state, "true or false was expected");
  return false;
}

template <class Integer>
static Integer read_integer(Value& value) {
  auto& state = Access::state(value);
  const auto text = value.raw();
  if (state.error) return 0;
  Integer number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    Access::refuse(state, fmt::format("not an integer: \"{}\"", text.substr(0, 40)));
    return 0;
  }
  return number;
}

std::int64_t Value::integer() {
  return read_integer<std::int64_t>(*this);
}
std::uint64_t Value::unsigned_integer() {
  return read_integer<std::uint64_t>(*this);
}

Decimal Value::decimal() {
  auto& state = Access::state(*this);
  const auto text = raw();
  if (state.error) return {};
  bool inexact = false;
  const auto parsed = Decimal::parse(text, &inexact);
  if (!parsed) {
    Access::refuse(state, parsed.error().message);
    return {};
  }
  if (inexact) ++state.inexact;
  return *parsed;
}

double Value::floating() {
  auto& state = Access::state(*this);
  const auto text = raw();
  if (state.error) return 0;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  // from_chars also reads "inf" and "nan".
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) {
    Access::refuse(state, fmt::format("not a number: \"{}\"", text.substr(0, 40)));
    return 0;
  }
  return number;
}

Time Value::time_ms() {
  const auto ms = integer();
  if (ms > max_epoch_ms || ms < -max_epoch_ms) {
    Access::refuse(Access::state(*this), fmt::format("not a time in ms: {}", ms));
    return {};
  }
  return time_from_ms(ms);
}

Time Value::time_us() {
  const auto us = integer();
  if (us / 1000 > max_epoch_ms || us / 1000 < -max_epoch_ms) {
    Access::refuse(Access::state(*this), fmt::format("not a time in µs: {}", us));
    return {};
  }
  return time_from_us(us);
}

Time Value::time_text() {
  auto& state = Access::state(*this);
  const auto text = string();
  if (state.error) return {};
  const auto time = parse_rfc3339(text);
  if (!time) {
    Access::refuse(state, time.error().message);
    return {};
  }
  return *time;
}

void Value::members(FunctionRef<void(std::string_view, Value)> member) {
  auto& state = Access::state(*this);
  if (state.error) return;
  auto object = Access::inner(*this).get_object();
  if (object.error() != simdjson::SUCCESS) {
    Access::refuse(state, object.error() == simdjson::INCORRECT_TYPE
                              ? "an object was expected"
                              : simdjson::error_message(object.error()));
    return;
  }
  if (!Access::enter(state)) return;
  Step& step = state.path[static_cast<std::size_t>(state.depth - 1)];
  step = {.key = {}, .is_key = true};  // a key of an earlier document may be gone
  for (auto field : object.value_unsafe()) {
    if (field.error() != simdjson::SUCCESS) {
      Access::refuse(state, field.error());
      break;
    }
    auto& pair = field.value_unsafe();
    bool has_escapes = false;
    step.key = key_text(pair.key(), has_escapes);
    if (has_escapes) [[unlikely]] {
      const auto unescaped = pair.unescaped_key();
      if (unescaped.error() != simdjson::SUCCESS) {
        Access::refuse(state, unescaped.error());
        break;
      }
      step.key = unescaped.value_unsafe();
    }
    od::value& inner = pair.value();
    member(step.key, Access::make(reader_, &inner));
    if (state.error) return;  // keeps the path for the message
  }
  if (!state.error) --state.depth;
}

void Value::elements(FunctionRef<void(Value)> element) {
  auto& state = Access::state(*this);
  if (state.error) return;
  auto array = Access::inner(*this).get_array();
  if (array.error() != simdjson::SUCCESS) {
    Access::refuse(state, array.error() == simdjson::INCORRECT_TYPE
                              ? "an array was expected"
                              : simdjson::error_message(array.error()));
    return;
  }
  if (!Access::enter(state)) return;
  Step& step = state.path[static_cast<std::size_t>(state.depth - 1)];
  step = {};
  for (auto entry : array.value_unsafe()) {
    if (entry.error() != simdjson::SUCCESS) {
      Access::refuse(state, entry.error());
      break;
    }
    od::value inner = entry.value_unsafe();
    element(Access::make(reader_, &inner));
    if (state.error) return;
    ++step.index;
  }
  if (!state.error) --state.depth;
}

std::string_view Value::text() {
  auto& state = Access::state(*this);
  if (state.error) return {};
  const auto text = simdjson::to_json_string(Access::inner(*this));
  if (text.error() != simdjson::SUCCESS) {
    Access::refuse(state, text.error());
    return {};
  }
  return trimmed(text.value_unsafe());
}

void Value::reject(std::string_view why) {
  Access::refuse(Access::state(*this), why);
}

Reader::Reader() : state_(std::make_unique<State>()) {}
Reader::~Reader() = default;
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;

std::uint64_t Reader::inexact_decimals() const {
  return state_->inexact;
}

Result<void> Reader::read(std::string_view text, FunctionRef<void(Value)> root) {
  State& state = *state_;
  state.error.reset();
  state.depth = 0;
  if (text.size() > max_bytes) {
    return fail(ErrorKind::malformed, "document: {} bytes are more than {}", text.size(),
                max_bytes);
  }
  text = trimmed(text);
  if (text.empty()) return fail(ErrorKind::malformed, "document: empty");
  if (state.capacity < text.size()) {
    // Ahead of need, as frames grow and shrink; the parser's own buffers likewise.
    state.capacity = std::min(std::max(text.size() * 2, min_capacity), max_bytes);
    state.buffer =
        std::make_unique_for_overwrite<char[]>(state.capacity + simdjson::SIMDJSON_PADDING);
    if (state.parser.allocate(state.capacity) != simdjson::SUCCESS) {
      state.capacity = 0;
      return fail(ErrorKind::transient, "document: no memory for {} bytes", text.size());
    }
  }
  std::memcpy(state.buffer.get(), text.data(), text.size());
  std::memset(state.buffer.get() + text.size(), ' ', simdjson::SIMDJSON_PADDING);

  od::document document;
  auto error =
      state.parser
          .iterate(simdjson::padded_string_view(state.buffer.get(), text.size(),
                                                state.capacity + simdjson::SIMDJSON_PADDING))
          .get(document);
  if (error != simdjson::SUCCESS) {
    return fail(ErrorKind::malformed, "document: {}", simdjson::error_message(error));
  }
  od::value value;
  error = document.get_value().get(value);
  if (error != simdjson::SUCCESS) {
    return fail(ErrorKind::malformed, "document: {}", simdjson::error_message(error));
  }
  root(Access::make(this, &value));
  if (!state.error) {
    // members() and elements() walk what the callback looks into; a root that it did not enter is
    // walked here.
    if (!at_end(document)) {
      document.rewind();
      const auto whole = document.raw_json();
      if (whole.error() != simdjson::SUCCESS) {
        Access::refuse(state, whole.error());
      } else if (!at_end(document)) {
        Access::refuse(state, "more text after the end");
      }
    }
  }
  if (state.error) return fail(*state.error);
  return {};
}

}  // namespace candlewick::json
