// candlewick doctor: looks at everything that the service needs and says what is wrong and what to
// do.
#pragma once

#include <string>

#include "base/config.h"

namespace candlewick::app {

int doctor(const LoadedConfig& loaded, const std::string& format);

}  // namespace candlewick::app
