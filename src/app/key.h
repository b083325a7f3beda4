// candlewick key: a new key for a caller of the API.
#pragma once

#include <string>

namespace candlewick::app {

struct KeyOptions {
  std::string name;
  std::string scope = "read";
};
// The key on standard output, once; how to let it in on standard error.
int key(const KeyOptions& options);

}  // namespace candlewick::app
