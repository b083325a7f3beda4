// Named places at which test builds can be told to die: CANDLEWICK_FAULT_POINT=NAME[:N] kills the
// process (SIGKILL) when it comes to NAME for the Nth time. Without the build option
// CANDLEWICK_FAULT_POINTS this does nothing.
#pragma once

#include <string_view>

namespace candlewick {

void fault_point(std::string_view name);

}  // namespace candlewick
