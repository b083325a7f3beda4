// Children that are shells.
#include "net/child.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <functional>
#include <optional>

#include <gtest/gtest.h>

#include "test/support/eventually.h"

namespace candlewick::net {
namespace {

class ChildTest : public ::testing::Test {
 protected:
  ChildTest() { loop.start(); }
  ~ChildTest() override {
    loop.call([this] { child.reset(); });
  }
  static ChildOptions shell(const std::string& script) {
    return {.command = {"sh", "-c", script}, .environment = {}};
  }
  ChildEvents events() {
    return {.on_line = [this](std::string_view line) { lines.emplace_back(line); },
            .on_error_line = [this](std::string_view line) { errors.emplace_back(line); },
            .on_exit = [this](std::string_view how) { ended = how; }};
  }
  void start(ChildOptions options, std::optional<ChildEvents> told = {}) {
    loop.call([&] {
      auto started = Child::start(loop, std::move(options), told ? std::move(*told) : events());
      ASSERT_TRUE(started) << started.error().message;
      child = std::move(*started);
    });
  }
  bool write(std::string_view line) {
    bool taken = false;
    loop.call([&] { taken = child->write_line(line); });
    return taken;
  }
  int process() {
    int id = 0;
    loop.call([&] { id = child->process(); });
    return id;
  }
  // What the loop's thread knows.
  bool until(const std::function<bool()>& holds) {
    return test::eventually([&] {
      bool does = false;
      loop.call([&] { does = holds(); });
      return does;
    });
  }
  bool until_ended() {
    return until([this] { return ended != "not ended"; });
  }

  Loop loop{"child"};
  std::unique_ptr<Child> child;
  std::vector<std::string> lines;
  std::vector<std::string> errors;
  std::string ended = "not ended";
};

TEST_F(ChildTest, TellsLinesOfBothOutputsAndTheExitStatus) {
  // What has no break at the end is no line.
  start(shell("echo problem >&2; read go; printf 'one\\ntw'; printf 'o\\nthr'; exit 3"));
  ASSERT_TRUE(until([this] { return !errors.empty(); }));
  EXPECT_TRUE(write("go"));
  ASSERT_TRUE(until_ended());
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(errors, (std::vector<std::string>{"problem"}));
  EXPECT_EQ(ended, "exit status 3");
  EXPECT_FALSE(write("too late"));
}

TEST_F(ChildTest, TellsItsLastWordsBeforeItsEnd) {
  auto told = events();
  std::size_t known = 0;
  told.on_exit = [&](std::string_view how) {
    known = errors.size();
    ended = how;
  };
  start(shell("for i in 1 2 3 4 5 6 7 8 9; do echo word >&2; done; exit 1"), std::move(told));
  ASSERT_TRUE(until_ended());
  EXPECT_EQ(known, 9U);
}

TEST_F(ChildTest, PassesOnWhatIsWritten) {
  start(shell("while read line; do echo \"<$line>\"; done"));
  EXPECT_TRUE(write("one"));
  EXPECT_TRUE(write("two"));
  ASSERT_TRUE(until([this] { return lines.size() == 2; }));
  EXPECT_EQ(lines, (std::vector<std::string>{"<one>", "<two>"}));
}

TEST_F(ChildTest, GivesItTheEnvironmentAndAGroupOfItsOwn) {
  auto options =
      shell("echo $CANDLEWICK_CHILD; [ $$ = \"$(cut -d' ' -f5 /proc/$$/stat)\" ] && echo leads");
  options.environment = {{"CANDLEWICK_CHILD", "given"}};
  start(std::move(options));
  ASSERT_TRUE(until_ended());
  EXPECT_EQ(lines, (std::vector<std::string>{"given", "leads"}));
}

TEST_F(ChildTest, LeavesItNoneOfOurDescriptors) {
  std::array<int, 2> ours{};
  ASSERT_EQ(pipe(ours.data()), 0);  // stays open across exec, as sockets of some libraries do
  start(shell("for fd in /proc/$$/fd/*; do readlink $fd; done"));
  ASSERT_TRUE(until_ended());
  EXPECT_GE(lines.size(), 3U);
  for (const auto& line : lines) EXPECT_FALSE(line.starts_with("pipe:")) << line;
  for (const int end : ours) close(end);
}

TEST_F(ChildTest, TellsWhenItWasKilled) {
  start(shell("echo up; exec sleep 100"));
  ASSERT_TRUE(until([this] { return lines.size() == 1; }));
  ASSERT_EQ(kill(process(), SIGKILL), 0);
  ASSERT_TRUE(until_ended());
  EXPECT_EQ(ended, "killed by signal 9");
}

TEST_F(ChildTest, EndsOneThatIsStoppedWhenItGoes) {
  start(shell("echo up; exec sleep 100"));
  ASSERT_TRUE(until([this] { return lines.size() == 1; }));
  const int id = process();
  ASSERT_EQ(kill(id, SIGSTOP), 0);
  loop.call([this] { child.reset(); });
  EXPECT_EQ(kill(id, 0), -1);
  EXPECT_EQ(errno, ESRCH);
  EXPECT_EQ(ended, "not ended") << "what was wanted is not told";
}

TEST_F(ChildTest, MayBeDestroyedFromItsOwnLine) {
  auto told = events();
  told.on_line = [this](std::string_view line) {
    lines.emplace_back(line);
    child.reset();
  };
  start(shell("read go; echo one; echo two; exec sleep 100"), std::move(told));
  EXPECT_TRUE(write("go"));
  ASSERT_TRUE(until([this] { return child == nullptr; }));
  EXPECT_EQ(lines, (std::vector<std::string>{"one"}));
}

TEST_F(ChildTest, CutsOffOneThatNeverEndsItsLine) {
  auto options = shell("exec tr '\\0' x </dev/zero");
  options.max_line_bytes = 100'000;
  start(std::move(options));
  ASSERT_TRUE(until_ended());
  EXPECT_EQ(ended, "a line of its output is too long");
}

TEST_F(ChildTest, TakesNoMoreThanALimitForOneThatDoesNotRead) {
  auto options = shell("exec sleep 100");
  options.max_queued_bytes = 1 << 20;
  start(std::move(options));
  const std::string line(1000, 'x');
  std::size_t taken = 0;
  while (taken < 10'000 && write(line)) ++taken;
  EXPECT_GT(taken, 1000U);
  EXPECT_LT(taken, 10'000U);
}

TEST_F(ChildTest, SaysWhatCannotBeRun) {
  const auto none =
      Child::start(loop, {.command = {"no-such-program"}, .environment = {}}, events());
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::misconfigured);
  EXPECT_EQ(none.error().message, "cannot run \"no-such-program\": No such file or directory");
}

}  // namespace
}  // namespace candlewick::net
