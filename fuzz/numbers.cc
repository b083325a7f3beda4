// Decimals, times and durations: what is read is written and read again to the same value.
#include <cstdlib>

#include "base/decimal.h"
#include "base/time.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace candlewick;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto number = Decimal::parse(text)) {
    const auto again = Decimal::parse(number->to_string());
    if (!again || *again != *number) std::abort();
  }
  if (const auto time = parse_rfc3339(text)) {
    const auto again = parse_rfc3339(to_rfc3339(*time));
    if (!again || *again != *time) std::abort();
  }
  static_cast<void>(parse_time(text));
  static_cast<void>(parse_duration(text));
  return 0;
}
