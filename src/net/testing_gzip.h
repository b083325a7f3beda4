// What a client makes of a gzip text, whole or begun.
#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <string_view>

namespace candlewick::net::testing {

// As much of the text as the bytes hold.
inline std::string gunzip(std::string_view bytes) {
  constexpr int gzip_frame = 16;
  z_stream state{};
  EXPECT_EQ(inflateInit2(&state, MAX_WBITS + gzip_frame), Z_OK);
  state.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  state.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  int result = Z_OK;
  while (result == Z_OK && (state.avail_in > 0 || state.avail_out == 0)) {
    const std::size_t before = out.size();
    out.resize(before + (16U << 10U));
    state.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    state.avail_out = 16U << 10U;
    result = inflate(&state, Z_SYNC_FLUSH);
    out.resize(out.size() - state.avail_out);
  }
  EXPECT_TRUE(result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR) << result;
  EXPECT_EQ(state.avail_in, 0U) << "something follows the text";
  inflateEnd(&state);
  return out;
}

}  // namespace candlewick::net::testing
