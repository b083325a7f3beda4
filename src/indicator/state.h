// The text form of what recursive indicators remember: numbers with a space between them, doubles
// in the shortest digits that read back as the same bits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/decimal.h"
#include "indicator/exact.h"

namespace candlewick::indicator {

class StateWriter {
 public:
  void real(double value);
  void integer(std::int64_t value);
  void decimal(Decimal value);
  void wide(const Wide& value);

  const std::string& text() const { return text_; }

 private:
  void add(std::string_view token);

  std::string text_;
};

// The first error sticks: read everything, then ask finished() once.
class StateReader {
 public:
  explicit StateReader(std::string_view text) : rest_(text) {}

  double real();
  std::int64_t integer();
  // Rejects what is outside [0, limit].
  std::int64_t count(std::int64_t limit);
  Decimal decimal();
  Wide wide();

  // For what the numbers mean together.
  void fail() { failed_ = true; }
  bool failed() const { return failed_; }
  // Everything was understood and nothing is left.
  bool finished() const { return !failed_ && rest_.empty(); }

 private:
  std::string_view token();

  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace candlewick::indicator
