// Texts come back as they were, and clients get gzip only where they asked for it.
#include "net/gzip.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "net/testing_gzip.h"

namespace candlewick::net {
namespace {

using testing::gunzip;

// Digits that compress about as well as prices do.
std::string prices(std::size_t bytes) {
  std::string text;
  for (unsigned n = 1; text.size() < bytes; n = n * 1664525U + 1013904223U) {
    text += std::to_string(60'000 + n % 977) + ".";
  }
  text.resize(bytes);
  return text;
}

TEST(Gzip, KeepsEveryTextWhatever) {
  for (const std::size_t bytes : {0U, 1U, 511U, 512U, 1024U, 40'000U, 300'000U, 3'000'000U}) {
    const std::string text = prices(bytes);
    EXPECT_EQ(gunzip(gzip(text)), text) << bytes;
    EXPECT_EQ(gunzip(gzip_well(text)), text) << bytes;
  }
  const std::string page = prices(100'000);
  EXPECT_LT(gzip(page).size(), page.size() / 2);
  EXPECT_LT(gzip_well(page).size(), gzip(page).size());
}

TEST(Gzip, StreamsChunksThatCanBeReadWithoutThoseToCome) {
  const auto stream = GzipStream::make();
  ASSERT_NE(stream, nullptr);
  std::string compressed;
  std::string text;
  for (const std::size_t bytes : {1U, 100'000U, 17U, 400'000U}) {
    const std::string chunk = prices(bytes);
    const std::string part = stream->compress(chunk);
    EXPECT_FALSE(part.empty());
    compressed += part;
    text += chunk;
    ASSERT_EQ(gunzip(compressed), text);
  }
  EXPECT_LT(compressed.size(), text.size() / 2);
  compressed += stream->finish();
  EXPECT_EQ(gunzip(compressed), text);
}

TEST(Gzip, IsSentToWhoeverTakesItAndLikesItNoLess) {
  const std::vector<std::pair<std::string, bool>> inputs{
      {"gzip", true},
      {"GZIP", true},
      {"x-gzip", true},
      {"deflate, gzip;q=1.0, *;q=0.5", true},
      {"br;q=1.0, gzip;q=0.8", true},
      {"gzip ; q=0.001", true},
      {"*", true},
      {"*;q=0.1", true},
      {"gzip;q=0.5, identity;q=0.5", true},
      {"identity;q=0, gzip", true},
      {"gzip;Q=1", true},
      {"", false},
      {"identity", false},
      {"br, deflate", false},
      {"gzip;q=0", false},
      {"gzip;q=0.000", false},
      {"*, gzip;q=0", false},
      {"*;q=0", false},
      {"gzip;q=0.5, identity;q=0.6", false},
      {"gzip;q=2", false},
      {"gzip;q=1.5", false},
      {"gzip;q=-1", false},
      {"gzip;q=", false},
      {"gzip;q=0.12345", false},
      {"gzip;q=high", false},
      {"gzipped", false},
      {";;,,;q=1", false},
  };
  for (const auto& [value, is_taken] : inputs) {
    EXPECT_EQ(accepts_gzip({{"Accept-Encoding", value}}), is_taken) << value;
  }
  EXPECT_FALSE(accepts_gzip({}));
  EXPECT_TRUE(accepts_gzip({{"accept-encoding", "br"}, {"Accept-Encoding", "gzip"}}));
}

}  // namespace
}  // namespace candlewick::net
