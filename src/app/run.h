// candlewick run: the service until a signal. With --demo a simulated venue in the same process and
// a live table on a terminal.
#pragma once

#include <optional>
#include <string>

#include "app/sinks.h"
#include "base/config.h"

namespace candlewick::app {

struct RunOptions {
  bool demo = false;
  double demo_speed = 10;  // virtual seconds a second
  Duration demo_for{};     // zero: until a signal
  ReadConfig read_config;  // reads the configuration again
};
int run(const LoadedConfig& loaded, const RunOptions& options);

}  // namespace candlewick::app
