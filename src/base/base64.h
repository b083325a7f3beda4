// Base64 with its usual alphabet and padding (RFC 4648).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace candlewick {

std::string to_base64(std::string_view bytes);
// Error: malformed, for anything that to_base64() would not write.
Result<std::string> from_base64(std::string_view text);

}  // namespace candlewick
