// The configuration as a command line gives it: --config, a flag for every key, the environment.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/config.h"

namespace CLI {
class App;
}

namespace candlewick::app {

class SettingFlags {
 public:
  // Adds --config and one flag a key to a command; must outlive its parsing.
  void add_to(CLI::App& command);
  // Error: misconfigured, one line that names the key, the value and where it came from.
  Result<LoadedConfig> load() const;

 private:
  std::optional<std::string> file_;
  struct Value {
    std::string key;
    std::optional<std::string> text;
  };
  std::vector<std::unique_ptr<Value>> values_;
};

}  // namespace candlewick::app
