// Lines of a file that may be plain, gzip or zstd: told apart by the first bytes, never by the
// name, so that a pipe works too. Archives of several members or frames are read through to the
// end.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/result.h"

namespace candlewick {

class LineReader {
 public:
  // "-" is standard input. Error: misconfigured when it cannot be opened.
  static Result<LineReader> open(const std::string& path);
  static LineReader from_stdin();
  ~LineReader();
  LineReader(LineReader&&) noexcept;
  LineReader& operator=(LineReader&&) noexcept;

  // The next line without its line break; false at the end. A last line needs no break. Errors name
  // the file: malformed for a damaged or cut archive and for a line over max_line_bytes; transient
  // when the disk fails. What came before an error has been handed out.
  Result<bool> next(std::string& line);
  // Lines handed out so far, for messages.
  std::size_t line_number() const;
  const std::string& name() const;

  static constexpr std::size_t max_line_bytes = std::size_t{64} << 20;

 private:
  struct State;
  explicit LineReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace candlewick
