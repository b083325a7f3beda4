// fork, exec, and files for the three streams: no pipe can fill up.
#include "test/support/program.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "test/support/eventually.h"

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

Program::Program(const char* variable, const std::vector<std::string>& arguments,
                 const std::string& input, const std::map<std::string, std::string>& environment) {
  const char* program = std::getenv(variable);
  if (program == nullptr) {
    ADD_FAILURE() << variable << " does not name the program: run this by ctest";
    status_ = -1;
    return;
  }
  launch(program, arguments, input, environment);
}

Program::Program(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                 const std::string& input, const std::map<std::string, std::string>& environment) {
  launch(program.string(), arguments, input, environment);
}

void Program::launch(const std::string& program, const std::vector<std::string>& arguments,
                     const std::string& input,
                     const std::map<std::string, std::string>& environment) {
  std::ofstream(folder_.path() / "in", std::ios::binary) << input;
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

  process_ = ::fork();
  if (process_ == 0) {
    redirect(STDIN_FILENO, folder_.path() / "in", O_RDONLY);
    redirect(STDOUT_FILENO, folder_.path() / "out", O_WRONLY | O_CREAT);
    redirect(STDERR_FILENO, folder_.path() / "err", O_WRONLY | O_CREAT);
    if (::chdir(folder_.path().c_str()) == 0) ::execve(program.c_str(), argv.data(), envp.data());
    ::_exit(127);
  }
}

Program::~Program() {
  kill();
}

void Program::take(int status) {
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool Program::is_running() {
  int status = 0;
  if (!status_ && ::waitpid(process_, &status, WNOHANG) == process_) take(status);
  return !status_;
}

void Program::kill() {
  if (!is_running()) return;
  ::kill(process_, SIGKILL);
  wait();
}

Finished Program::stop() {
  if (is_running()) ::kill(process_, SIGTERM);
  eventually([this] { return !is_running(); });
  kill();
  return finished();
}

Finished Program::wait() {
  int status = 0;
  if (!status_ && ::waitpid(process_, &status, 0) == process_) take(status);
  return finished();
}

Finished Program::finished() const {
  return {.status = status_.value_or(-1), .out = out(), .err = err()};
}

std::string Program::out() const {
  return content_of(folder_.path() / "out");
}

std::string Program::err() const {
  return content_of(folder_.path() / "err");
}

Finished run_program(const char* variable, const std::vector<std::string>& arguments,
                     const std::string& input,
                     const std::map<std::string, std::string>& environment) {
  return Program(variable, arguments, input, environment).wait();
}

Finished run_program(const std::filesystem::path& program,
                     const std::vector<std::string>& arguments, const std::string& input,
                     const std::map<std::string, std::string>& environment) {
  return Program(program, arguments, input, environment).wait();
}

}  // namespace candlewick::test
