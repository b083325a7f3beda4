// Until when something is good: certificates in a file, and tokens that say it themselves.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace candlewick::alert {

// The earliest end of those in a PEM file. Errors: misconfigured (no such file, nothing in it).
Result<Time> certificate_expiry(const std::string& path);

// The `exp` of a JSON Web Token; null for one without, and for what is no such token. Nothing of it
// is verified.
std::optional<Time> token_expiry(std::string_view token);

}  // namespace candlewick::alert
