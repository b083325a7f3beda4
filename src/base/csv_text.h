// Writing CSV as RFC 4180 has it, but for lines, which end with a line feed alone.
#pragma once

#include <string>
#include <string_view>

namespace candlewick::csv {

// One cell, in quotes where its content needs them.
void append_cell(std::string& out, std::string_view content);

}  // namespace candlewick::csv
