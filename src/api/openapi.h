// openapi.json, built into the program (embed.cmake).
#pragma once

#include <string_view>

namespace candlewick::api {

std::string_view openapi_document();

}  // namespace candlewick::api
