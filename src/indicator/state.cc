// Numbers of a checkpoint, written and read.
#include "indicator/state.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace candlewick::indicator {

void StateWriter::add(std::string_view token) {
  if (!text_.empty()) text_ += ' ';
  text_ += token;
}

void StateWriter::real(double value) {
  add(fmt::format("{}", value));
}
void StateWriter::integer(std::int64_t value) {
  add(fmt::format("{}", value));
}
void StateWriter::decimal(Decimal value) {
  add(value.to_string());
}
void StateWriter::wide(const Wide& value) {
  add(value.to_text());
}

std::string_view StateReader::token() {
  if (failed_ || rest_.empty()) {
    failed_ = true;
    return {};
  }
  const std::size_t space = rest_.find(' ');
  const std::string_view token = rest_.substr(0, space);
  rest_ = space == std::string_view::npos ? std::string_view{} : rest_.substr(space + 1);
  const bool ends_in_space = space != std::string_view::npos && rest_.empty();
  if (token.empty() || ends_in_space) failed_ = true;
  return token;
}

double StateReader::real() {
  const std::string_view text = token();
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed_ || error != std::errc{} || end != text.data() + text.size() ||
      !std::isfinite(value)) {
    failed_ = true;
    return 0;
  }
  return value;
}

std::int64_t StateReader::integer() {
  const std::string_view text = token();
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed_ || error != std::errc{} || end != text.data() + text.size()) {
    failed_ = true;
    return 0;
  }
  return value;
}

std::int64_t StateReader::count(std::int64_t limit) {
  const std::int64_t value = integer();
  if (value >= 0 && value <= limit) return value;
  failed_ = true;
  return 0;
}

Decimal StateReader::decimal() {
  const std::string_view text = token();
  if (!failed_) {
    if (const auto value = Decimal::parse(text)) return *value;
  }
  failed_ = true;
  return {};
}

Wide StateReader::wide() {
  const std::string_view text = token();
  if (!failed_) {
    if (const auto value = Wide::parse(text)) return *value;
  }
  failed_ = true;
  return {};
}

}  // namespace candlewick::indicator
