// Our double of Snowflake as a program, for clients that are no C++: double [CERTIFICATE KEY]. The
// first line on standard output is its port. It runs until standard input ends, then prints the
// rows of every table that was named in the arguments after the key.
#include <cstdio>
#include <iostream>
#include <string>

#include <zstd.h>

#include "sink/snowflake_testing.h"

namespace {

std::string decode_zstd(const std::string& bytes) {
  std::string out;
  ZSTD_DStream* const stream = ZSTD_createDStream();
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  while (in.pos < in.size) {
    char chunk[65'536];
    ZSTD_outBuffer to{chunk, sizeof chunk, 0};
    if (ZSTD_isError(ZSTD_decompressStream(stream, &to, &in)) != 0U) break;
    out.append(chunk, to.pos);
  }
  ZSTD_freeDStream(stream);
  return out;
}

}  // namespace

int main(int count, char** arguments) {
  candlewick::net::ServerOptions options;
  if (count > 2) {
    options.certificate_file = arguments[1];
    options.key_file = arguments[2];
  }
  candlewick::sink::snowflake::Double server(options);
  server.with([](auto& it) { it.decode_zstd = decode_zstd; });
  std::printf("%d\n", server.port());
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
  }
  for (int i = 3; i < count; ++i) {
    for (const auto& row : server.stored(arguments[i])) std::puts(row.c_str());
  }
  return 0;
}
