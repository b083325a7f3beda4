// Appends lines to a plain file or, when its name ends in .zst, to a zstd archive. Each flush ends
// a zstd frame, so that whatever was flushed can be read after a crash; opening an archive that a
// crash cut drops its unfinished frame first.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace candlewick {

class LineWriter {
 public:
  // Makes the file when there is none. Errors: misconfigured when it cannot be opened, malformed
  // when an existing .zst is no zstd archive.
  static Result<LineWriter> open(const std::string& path);
  // Closes, flushing what is left; call close() to learn whether that worked.
  ~LineWriter();
  LineWriter(LineWriter&&) noexcept;
  LineWriter& operator=(LineWriter&&) noexcept;

  // Adds a line break. Error: transient when the disk refuses; the writer is then of no more use.
  Result<void> write(std::string_view line);
  // Hands everything to the system. Call it every few seconds.
  Result<void> flush();
  Result<void> close();
  // Size of the file, less what is not flushed yet.
  std::uint64_t file_bytes() const;

 private:
  struct State;
  explicit LineWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace candlewick
