// Lines of recordings, and rows of the log.
#include <cstdlib>

#include "feed/recording.h"
#include "schema/table.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace candlewick;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  feed::RecordingParser parser;
  static_cast<void>(parser.parse(text));
  schema::RowReader reader;
  if (const auto row = reader.read(text)) {
    const auto again = reader.read(schema::to_json(*row));
    if (!again) std::abort();
  }
  return 0;
}
