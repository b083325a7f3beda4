// Files built into the program, as answers share them: compressed and named once, at the first
// question for each. On the API's loop thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace candlewick::api {

// The body of many answers.
struct SharedContent {
  std::shared_ptr<const std::string> plain;
  std::shared_ptr<const std::string> gzip;  // null: not worth it, or nobody has asked for it yet
  std::string etag;
};

class StaticFiles {
 public:
  // The content outlives this, and is known by its place.
  const SharedContent& of(std::string_view content, std::string_view content_type);

 private:
  std::map<const char*, SharedContent> files_;
};

// Whether a type is text that shrinks.
bool is_compressible(std::string_view content_type);
// Less is not worth a client's time: it travels in one packet anyway.
inline constexpr std::size_t least_compressed_bytes = 1024;
// Of the content, however it is encoded: weak.
std::string etag_of(std::string_view content);

}  // namespace candlewick::api
