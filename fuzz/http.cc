// URLs and query strings of clients.
#include <cstdlib>

#include "net/url.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace candlewick;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto url = net::parse_url(text)) {
    const auto again = net::parse_url(url->text());
    if (!again || !(*again == *url)) std::abort();
  }
  if (const auto query = net::parse_query(text)) {
    const auto again = net::parse_query(net::build_query(*query));
    if (!again || *again != *query) std::abort();
  }
  return 0;
}
