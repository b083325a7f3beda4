// candlewick decode: recorded frames on standard input, events on standard output. Pure: the same
// input gives the same bytes; what is refused becomes an error event and does not end it.
#pragma once

#include <string>

namespace candlewick::app {

struct DecodeOptions {
  std::string exchange;
  std::string market = "spot";
};
int decode(const DecodeOptions& options);

}  // namespace candlewick::app
