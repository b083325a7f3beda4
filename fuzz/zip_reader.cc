// ZIP archives as import takes them. What is read to its end has been held against its checksum; a
// reader ends or refuses, whatever the sizes in it say.
#include <algorithm>
#include <cstdlib>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "app/zip_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using candlewick::app::ZipReader;
  // A file without a disk.
  static const int file = memfd_create("archive", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != static_cast<ssize_t>(size)) {
    std::abort();
  }
  static_cast<void>(ZipReader::is_zip(path));
  auto opened = ZipReader::open(path);
  if (!opened) return 0;
  std::string line;
  while (true) {
    const auto more = opened->next(line);
    if (!more || !*more) return 0;
    if (line.find('\n') != std::string::npos) std::abort();
  }
}
