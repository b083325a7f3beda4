// The key is shown once; what is configured is its hash.
#include "app/key.h"

#include <cstdio>

#include <fmt/format.h>

#include "api/access.h"
#include "app/command.h"

namespace candlewick::app {

int key(const KeyOptions& options) {
  const std::string made = api::make_key();
  if (made.empty())
    return report({ErrorKind::transient, "this machine has no source of random numbers"});
  const auto entry = api::parse_access_key(
      fmt::format("{}:{}:{}", options.name, options.scope, api::sha256_hex(made)));
  if (!entry) return report(entry.error());
  fmt::print("{}\n", made);
  fmt::print(stderr,
             "It is shown this once. To let it in, add to the configuration:\n\n"
             "  [http]\n  keys = [\"{}\"]\n",
             to_text(*entry));
  return done;
}

}  // namespace candlewick::app
