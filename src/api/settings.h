// The [http] part of the configuration as the API's options.
#pragma once

#include <string>
#include <vector>

#include "api/access.h"
#include "api/service.h"
#include "base/config.h"

namespace candlewick::api {

// Errors: misconfigured, with the key.
Result<Options> options_of(const Config::Http& http);
Result<std::vector<AccessKey>> keys_of(const Config::Http& http);

// What somebody should know who opens the API to other machines; empty: nothing.
std::vector<std::string> exposure_warnings(const Config::Http& http);

}  // namespace candlewick::api
