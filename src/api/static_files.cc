// A tag is half a SHA-256: nobody makes two contents with the same one.
#include "api/static_files.h"

#include <algorithm>
#include <array>

#include "api/access.h"
#include "net/gzip.h"
#include "net/headers.h"

namespace candlewick::api {
namespace {

constexpr std::size_t large_bytes = 512U << 10U;

}  // namespace

bool is_compressible(std::string_view content_type) {
  constexpr std::array<std::string_view, 4> known{"application/json", "application/problem+json",
                                                  "application/javascript", "image/svg+xml"};
  const auto type = content_type.substr(0, content_type.find_first_of("; "));
  if (net::equal_ignoring_case(type.substr(0, 5), "text/")) {
    return !net::equal_ignoring_case(type, "text/event-stream");
  }
  return std::ranges::any_of(
      known, [&](std::string_view one) { return net::equal_ignoring_case(type, one); });
}

std::string etag_of(std::string_view content) {
  constexpr std::size_t digits = 32;
  return "W/\"" + sha256_hex(content).substr(0, digits) + '"';
}

const SharedContent& StaticFiles::of(std::string_view content, std::string_view content_type) {
  const auto found = files_.find(content.data());
  if (found != files_.end()) return found->second;
  SharedContent file{.plain = std::make_shared<const std::string>(content),
                     .etag = etag_of(content)};
  if (content.size() >= least_compressed_bytes && is_compressible(content_type)) {
    // The loop waits for this, once a file: 10 ms at most.
    std::string compressed =
        content.size() > large_bytes ? net::gzip(content) : net::gzip_well(content);
    if (!compressed.empty() && compressed.size() < content.size()) {
      file.gzip = std::make_shared<const std::string>(std::move(compressed));
    }
  }
  return files_.emplace(content.data(), std::move(file)).first->second;
}

}  // namespace candlewick::api
