// fork, exec, and files for the three streams: no pipe can fill up.
#include "test/support/program.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "test/support/temporary_folder.h"

namespace candlewick::test {
namespace {

std::string content_of(const std::filesystem::path& path) {
  const std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void redirect(int stream, const std::filesystem::path& path, int flags) {
  const int file = ::open(path.c_str(), flags, 0600);
  ::dup2(file, stream);
  ::close(file);
}

}  // namespace

Finished run_program(const char* variable, const std::vector<std::string>& arguments,
                     const std::string& input,
                     const std::map<std::string, std::string>& environment) {
  Finished finished;
  const char* program = std::getenv(variable);
  if (program == nullptr) {
    ADD_FAILURE() << variable << " does not name the program: run this by ctest";
    return finished;
  }
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "in", std::ios::binary) << input;
  std::vector<std::string> words{program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> settings{"PATH=/usr/bin:/bin"};
  for (const char* kept : {"ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS", "TMPDIR"}) {
    if (const char* value = std::getenv(kept)) settings.push_back(std::string(kept) + "=" + value);
  }
  for (const auto& [name, value] : environment) settings.push_back(name + "=" + value);
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::vector<char*> envp;
  for (auto& setting : settings) envp.push_back(setting.data());
  envp.push_back(nullptr);

  const pid_t child = ::fork();
  if (child == 0) {
    redirect(STDIN_FILENO, folder.path() / "in", O_RDONLY);
    redirect(STDOUT_FILENO, folder.path() / "out", O_WRONLY | O_CREAT);
    redirect(STDERR_FILENO, folder.path() / "err", O_WRONLY | O_CREAT);
    if (::chdir(folder.path().c_str()) == 0) ::execve(program, argv.data(), envp.data());
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  finished.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  finished.out = content_of(folder.path() / "out");
  finished.err = content_of(folder.path() / "err");
  return finished;
}

}  // namespace candlewick::test
