// Runs the project's programs: to their end, or until they are stopped or killed.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "test/support/temporary_folder.h"

namespace candlewick::test {

struct Finished {
  int status = -1;  // exit status; 128 + signal when it was killed
  std::string out;
  std::string err;
};

// `variable` names the environment variable with the program's path, which CTest sets. The program
// gets the given environment on top of a small clean one, and `input` on standard input.
Finished run_program(const char* variable, const std::vector<std::string>& arguments,
                     const std::string& input = {},
                     const std::map<std::string, std::string>& environment = {});
// Another program than ours, by its path.
Finished run_program(const std::filesystem::path& program,
                     const std::vector<std::string>& arguments, const std::string& input = {},
                     const std::map<std::string, std::string>& environment = {});

// A program that runs beside the test; killed at the end if nobody did.
class Program {
 public:
  // As run_program(). A missing variable fails the test; then the program counts as ended.
  Program(const char* variable, const std::vector<std::string>& arguments,
          const std::string& input = {},
          const std::map<std::string, std::string>& environment = {});
  Program(const std::filesystem::path& program, const std::vector<std::string>& arguments,
          const std::string& input = {},
          const std::map<std::string, std::string>& environment = {});
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  bool is_running();
  pid_t process() const { return process_; }
  // SIGKILL: it gets no chance to end in order.
  void kill();
  // SIGTERM. One that has not ended after a minute is killed, which the status tells.
  Finished stop();
  // Waits for it to end by itself.
  Finished wait();
  // What it has written so far.
  std::string out() const;
  std::string err() const;

 private:
  void launch(const std::string& program, const std::vector<std::string>& arguments,
              const std::string& input, const std::map<std::string, std::string>& environment);
  void take(int status);
  Finished finished() const;

  TemporaryFolder folder_;
  pid_t process_ = -1;
  std::optional<int> status_;
};

}  // namespace candlewick::test
