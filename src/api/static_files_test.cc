// Files are compressed once and known by their content.
#include "api/static_files.h"

#include <gtest/gtest.h>

#include "net/gzip.h"

namespace candlewick::api {
namespace {

TEST(StaticFiles, AreMadeOnceAndCompressedWhereThatHelps) {
  StaticFiles files;
  const std::string text(5000, 'x');
  const auto& file = files.of(text, "text/css; charset=utf-8");
  EXPECT_EQ(*file.plain, text);
  ASSERT_NE(file.gzip, nullptr);
  EXPECT_EQ(*file.gzip, net::gzip_well(text));
  EXPECT_EQ(file.etag, etag_of(text));
  EXPECT_EQ(&files.of(text, "text/css; charset=utf-8"), &file);
  const std::string little(least_compressed_bytes - 1, 'x');
  EXPECT_EQ(files.of(little, "text/css").gzip, nullptr);
  const std::string picture(5000, 'y');
  EXPECT_EQ(files.of(picture, "image/png").gzip, nullptr);
}

TEST(StaticFiles, AreTextOrAreLeftAlone) {
  for (const std::string_view text :
       {"text/html; charset=utf-8", "text/csv", "Text/Plain; version=0.0.4", "application/json",
        "application/problem+json", "image/svg+xml", "application/json;charset=utf-8"}) {
    EXPECT_TRUE(is_compressible(text)) << text;
  }
  for (const std::string_view other :
       {"", "image/png", "application/octet-stream", "text/event-stream", "font/woff2", "json"}) {
    EXPECT_FALSE(is_compressible(other)) << other;
  }
}

TEST(StaticFiles, HaveTagsThatTellContentsApart) {
  EXPECT_EQ(etag_of("abc"), "W/\"ba7816bf8f01cfea414140de5dae2223\"");
  EXPECT_NE(etag_of("abc"), etag_of("abd"));
}

}  // namespace
}  // namespace candlewick::api
