// Runs one of the project's programs to its end.
#pragma once

#include <map>
#include <string>
#include <vector>

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

}  // namespace candlewick::test
