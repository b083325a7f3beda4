// A child process that speaks lines: its standard input and output are one socket, its standard
// error another, both read on a loop's thread. It is killed, not asked, when its Child goes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "net/loop.h"

namespace candlewick::net {

struct ChildOptions {
  std::vector<std::string> command;  // the program, found by PATH, and its arguments
  std::vector<std::pair<std::string, std::string>> environment;  // on top of our own
  std::size_t max_line_bytes = std::size_t{64} << 20;
  std::size_t max_queued_bytes = std::size_t{16} << 20;  // written and not yet read by it
};

struct ChildEvents {
  std::function<void(std::string_view line)> on_line;
  std::function<void(std::string_view line)> on_error_line;  // of its standard error
  // It has ended, or closed its output, or sent a line that is too long. Nothing comes after it.
  std::function<void(std::string_view how)> on_exit;
};

// Make, use and destroy it on the loop's thread (or while the loop does not run); the loop outlives
// it. Callbacks never come from within start() or write_line(); they may destroy the Child.
class Child {
 public:
  // Error: misconfigured when the program cannot be run.
  static Result<std::unique_ptr<Child>> start(Loop& loop, ChildOptions options, ChildEvents events);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // The break is added. False when it has ended or does not read.
  bool write_line(std::string_view line);
  int process() const;

 private:
  struct Impl;
  explicit Child(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace candlewick::net
