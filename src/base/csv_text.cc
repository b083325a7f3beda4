// Quotes cost readers time, so only cells that need them have them.
#include "base/csv_text.h"

namespace candlewick::csv {

void append_cell(std::string& out, std::string_view content) {
  if (content.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += content;
    return;
  }
  out += '"';
  for (const char c : content) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace candlewick::csv
