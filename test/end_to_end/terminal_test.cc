// The program as people see it: on a terminal, which is a pseudo-terminal of the test's own, and
// with the completions of a real shell.
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "app/service.h"
#include "test/support/eventually.h"
#include "test/support/program.h"
#include "test/support/simulated_venue.h"
#include "test/support/temporary_folder.h"

namespace candlewick {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

const Time start = time_from_ms(1'768'478'400'000);  // 2026-01-15T12:00:00Z

constexpr std::string_view entered = "\033[?1049h";
constexpr std::string_view left = "\033[?1049l";

// A program on a terminal of 30 lines and 110 columns.
class OnTerminal {
 public:
  OnTerminal(const std::vector<std::string>& arguments,
             const std::map<std::string, std::string>& environment,
             const std::string& kind = "xterm") {
    const char* program = std::getenv("CANDLEWICK");
    if (program == nullptr) {
      ADD_FAILURE() << "CANDLEWICK does not name the program: run this by ctest";
      return;
    }
    std::vector<std::string> words{program};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<std::string> settings{"PATH=/usr/bin:/bin", "TERM=" + kind};
    for (const char* kept : {"ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS", "TMPDIR"}) {
      if (const char* value = std::getenv(kept))
        settings.push_back(std::string(kept) + "=" + value);
    }
    for (const auto& [name, value] : environment) settings.push_back(name + "=" + value);
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    std::vector<char*> envp;
    for (auto& setting : settings) envp.push_back(setting.data());
    envp.push_back(nullptr);
    int slave = -1;
    winsize size{.ws_row = 30, .ws_col = 110, .ws_xpixel = 0, .ws_ypixel = 0};
    if (openpty(&master_, &slave, nullptr, nullptr, &size) != 0) {
      ADD_FAILURE() << "no pseudo-terminal";
      return;
    }
    // Kept open: the terminal's mode can be read after the program has ended.
    slave_ = slave;
    tcgetattr(slave_, &before_);
    process_ = ::fork();
    if (process_ == 0) {
      ::close(master_);
      login_tty(slave);
      // The service's own sockets among them: a port is closed only when nobody has it.
      ::close_range(3, ~0U, 0);
      if (::chdir(folder_.path().c_str()) == 0) ::execve(program, argv.data(), envp.data());
      ::_exit(127);
    }
    ::fcntl(master_, F_SETFL, O_NONBLOCK);
  }
  ~OnTerminal() {
    if (process_ > 0 && !status_) {
      ::kill(process_, SIGKILL);
      ::waitpid(process_, nullptr, 0);
    }
    ::close(master_);
    ::close(slave_);
  }
  OnTerminal(const OnTerminal&) = delete;
  OnTerminal& operator=(const OnTerminal&) = delete;

  void type(std::string_view keys) const {
    EXPECT_EQ(::write(master_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  void resize(unsigned short lines, unsigned short columns) const {
    winsize size{.ws_row = lines, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    EXPECT_EQ(ioctl(master_, TIOCSWINSZ, &size), 0);
  }
  void signal(int number) const { ::kill(process_, number); }

  // Whatever was written since the last time that something was waited for.
  bool shows(std::string_view text) {
    const bool is_there = test::eventually([&] {
      read_more();
      return unseen_.find(text) != std::string::npos;
    });
    if (!is_there) ADD_FAILURE() << "\"" << text << "\" did not come:\n" << unseen_;
    unseen_.clear();
    return is_there;
  }
  const std::string& all() const { return all_; }
  bool is_stopped() const {
    return test::eventually([&] {
      int status = 0;
      return ::waitpid(process_, &status, WNOHANG | WUNTRACED) == process_ && WIFSTOPPED(status);
    });
  }
  int wait() {
    int status = 0;
    const bool has_ended = test::eventually([&] {
      read_more();
      return ::waitpid(process_, &status, WNOHANG) == process_;
    });
    EXPECT_TRUE(has_ended);
    if (!has_ended) return -1;
    read_more();
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return *status_;
  }
  // Editing, echo and all else as before.
  void expect_restored() {
    termios now{};
    ASSERT_EQ(tcgetattr(slave_, &now), 0);
    EXPECT_EQ(now.c_lflag, before_.c_lflag);
    EXPECT_EQ(now.c_iflag, before_.c_iflag);
    EXPECT_EQ(now.c_oflag, before_.c_oflag);
    EXPECT_EQ(now.c_cc[VMIN], before_.c_cc[VMIN]);
    const auto last_left = all_.rfind(left);
    ASSERT_NE(last_left, std::string::npos) << "the first screen did not come back";
    EXPECT_GT(last_left, all_.rfind(entered));
    EXPECT_THAT(all_.substr(all_.rfind("\033[?25")), HasSubstr("\033[?25h")) << "no cursor";
  }
  bool is_raw() const {
    termios now{};
    return tcgetattr(slave_, &now) == 0 && (now.c_lflag & (ICANON | ECHO)) == 0;
  }

 private:
  void read_more() {
    std::array<char, 4096> bytes{};
    for (;;) {
      const auto got = ::read(master_, bytes.data(), bytes.size());
      if (got <= 0) return;
      all_.append(bytes.data(), static_cast<std::size_t>(got));
      unseen_.append(bytes.data(), static_cast<std::size_t>(got));
    }
  }

  test::TemporaryFolder folder_;
  int master_ = -1;
  int slave_ = -1;
  pid_t process_ = -1;
  termios before_{};
  std::optional<int> status_;
  std::string all_;
  std::string unseen_;
};

// A service in this process, for `top` to look at.
class Top : public testing::Test {
 protected:
  Top() {
    config.exchanges = {"binance"};
    config.venues["binance"] = {.base_url = venue.base_url(), .ws_url = venue.ws_url()};
    config.data_dir = folder.path().string();
    config.http.listen.port = 0;
    config.warehouse = "sqlite";
    auto started = app::Service::start(config, clock, observer, metrics);
    EXPECT_TRUE(started) << started.error().message;
    if (!started) return;
    service = std::move(*started);
    const std::string address = service->api_address();
    url = "http://127.0.0.1" + address.substr(address.rfind(':'));
    EXPECT_TRUE(test::eventually([&] {
      const auto feeds = service->feeds();
      return !feeds.empty() && feeds.front().connected;
    }));
  }
  ~Top() override {
    if (service) service->stop();
  }
  std::vector<std::string> top() const { return {"top", "--url", url, "--interval", "0.1"}; }

  test::SimulatedVenue venue{"binance", 51, start, 30};
  test::TemporaryFolder folder;
  Config config;
  RealClock clock;
  RecordingObserver observer;
  Metrics metrics;
  std::unique_ptr<app::Service> service;
  std::string url;
};

TEST_F(Top, DrawsFollowsKeysAndGivesTheTerminalBack) {
  OnTerminal terminal(top(), {});
  terminal.shows(entered);
  EXPECT_TRUE(terminal.is_raw());
  EXPECT_TRUE(terminal.shows("BTC/USDT"));
  terminal.type("3");
  EXPECT_TRUE(terminal.shows("[3 sinks]"));
  EXPECT_TRUE(terminal.shows("sqlite"));
  terminal.type("\t");
  EXPECT_TRUE(terminal.shows("[4 coverage]"));
  terminal.type("\033[Z\033[Z");
  EXPECT_TRUE(terminal.shows("[2 instruments]"));
  terminal.type("/eth\r");
  EXPECT_TRUE(terminal.shows("1–1 of 1"));
  terminal.type("\033ss");
  EXPECT_TRUE(terminal.shows("symbol↑"));
  terminal.resize(12, 60);
  EXPECT_TRUE(terminal.shows("[2 instruments]"));
  EXPECT_TRUE(terminal.shows("1–4 of 4"));
  // A stop from the keyboard gives the terminal back until the program goes on.
  terminal.type("\x1A");
  EXPECT_TRUE(terminal.shows(left));
  EXPECT_TRUE(terminal.is_stopped());
  EXPECT_FALSE(terminal.is_raw());
  terminal.signal(SIGCONT);
  EXPECT_TRUE(terminal.shows(entered));
  EXPECT_TRUE(terminal.shows("BTC/USDT"));
  terminal.type("q");
  EXPECT_EQ(terminal.wait(), 0);
  terminal.expect_restored();
  EXPECT_THAT(terminal.all(), HasSubstr("\033[7m")) << "the headings stand out";
}

TEST_F(Top, GivesTheTerminalBackAtEverySignal) {
  struct Case {
    int signal;
    int status;
  };
  // Those that ask it to end, and those of a crash, which are told to whoever waits.
  for (const auto& [signal, status] : std::vector<Case>{{SIGINT, 0},
                                                        {SIGTERM, 0},
                                                        {SIGHUP, 0},
                                                        {SIGQUIT, 0},
                                                        {SIGABRT, 128 + SIGABRT},
                                                        {SIGSEGV, 128 + SIGSEGV}}) {
    OnTerminal terminal(top(), {});
    terminal.shows("BTC/USDT");
    terminal.signal(signal);
    EXPECT_EQ(terminal.wait(), status) << "signal " << signal;
    terminal.expect_restored();
  }
}

TEST_F(Top, KeepsOnTryingWhileTheServiceIsGone) {
  OnTerminal terminal(top(), {{"NO_COLOR", "1"}});
  EXPECT_TRUE(terminal.shows("BTC/USDT"));
  service->stop();
  service.reset();
  EXPECT_TRUE(terminal.shows("not reached"));
  EXPECT_TRUE(terminal.shows("BTC/USDT")) << "the last that was known stays";
  terminal.type("q");
  EXPECT_EQ(terminal.wait(), 0);
  terminal.expect_restored();
  EXPECT_EQ(terminal.all().find("\033[3"), std::string::npos) << "NO_COLOR is set";
  // A script learns of it.
  const auto printed = test::run_program("CANDLEWICK", top());
  EXPECT_EQ(printed.status, 1);
  EXPECT_EQ(printed.out, "");
  EXPECT_THAT(printed.err, HasSubstr(url));
}

TEST_F(Top, PrintsOneSnapshotWhereThereIsNoTerminal) {
  const auto printed = test::run_program("CANDLEWICK", top());
  EXPECT_EQ(printed.status, 0) << printed.err;
  EXPECT_EQ(printed.err, "");
  for (const auto* part : {"feeds\n", "binance live 1/1", "instruments\n", "BTC/USDT", "ETH/USDT",
                           "sinks\n", "sqlite", "coverage\n", "log "}) {
    EXPECT_THAT(printed.out, HasSubstr(part));
  }
  EXPECT_THAT(printed.out, Not(HasSubstr("\033")));
  // The same on a terminal, where it is asked for; and on one that cannot be drawn on.
  auto once = top();
  once.emplace_back("--once");
  OnTerminal terminal(once, {});
  EXPECT_EQ(terminal.wait(), 0);
  EXPECT_THAT(terminal.all(), HasSubstr("\033[1mfeeds\033[0m"));
  EXPECT_THAT(terminal.all(), Not(HasSubstr(entered)));
  OnTerminal dumb(top(), {}, "dumb");
  EXPECT_EQ(dumb.wait(), 0);
  EXPECT_THAT(dumb.all(), Not(HasSubstr("\033")));
}

TEST(TopAddress, IsRefusedWithOneClearLine) {
  for (const auto& [flags, mentions] :
       std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"--url", "http://example.com"}, "--url"},
           {{"--url", "ws://127.0.0.1:1"}, "--url"},
           {{"--url", "nonsense"}, "--url"},
           {{"--key-file", "no-such-file"}, "--key-file"},
           {{"--key", "two\nlines"}, "--key"},
           {{"--interval", "0"}, "--interval"},
           {{"--http-listen", "127.0.0.1:0"}, "--url"}}) {
    std::vector<std::string> arguments{"top"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    const auto ended = test::run_program("CANDLEWICK", arguments);
    EXPECT_EQ(ended.status, 2) << flags.front() << ended.err;
    EXPECT_THAT(ended.err, HasSubstr(mentions));
    EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
  }
}

TEST(LongWork, ShowsItsProgressOnATerminalOnly) {
  test::SimulatedVenue venue("binance", 42, start, 1);
  test::TemporaryFolder folder;
  const std::map<std::string, std::string> environment{
      {"BINANCE_BASE_URL", venue.base_url()},
      {"BINANCE_WS_URL", venue.ws_url()},
      {"CANDLEWICK_DATA_DIR", folder.path() / "data"}};
  const std::vector<std::string> series{"--exchange", "binance",     "--symbol",
                                        "BTC/USDT",   "--timeframe", "1m"};
  const auto with = [&](std::vector<std::string> words, const std::vector<std::string>& more) {
    words.insert(words.end(), series.begin(), series.end());
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  const auto fill = with({"backfill"}, {"--start", "2026-01-12", "--end", "2026-01-15"});
  OnTerminal filling(fill, environment);
  EXPECT_EQ(filling.wait(), 0) << filling.all();
  EXPECT_THAT(filling.all(), HasSubstr("\rbackfill  ["));
  EXPECT_THAT(filling.all(), HasSubstr("100% 5/5 requests"));
  // The line is taken away before the last word.
  EXPECT_THAT(filling.all(), HasSubstr("\r\033[Kcandlewick: 4320 candles"));

  const auto exported = folder.path() / "candles.csv";
  OnTerminal exporting(with({"export"}, {"--to", "csv", "--output", exported}), environment);
  EXPECT_EQ(exporting.wait(), 0) << exporting.all();
  EXPECT_THAT(exporting.all(), HasSubstr("\rexport  "));
  EXPECT_THAT(exporting.all(), HasSubstr("\r\033[Kcandlewick: 4320 rows"));
  // Rows on the same terminal are progress enough.
  OnTerminal reading(with({"export"}, {"--to", "csv"}), environment);
  EXPECT_EQ(reading.wait(), 0);
  EXPECT_THAT(reading.all(), Not(HasSubstr("export  ")));

  auto elsewhere = environment;
  elsewhere["CANDLEWICK_DATA_DIR"] = folder.path() / "elsewhere";
  OnTerminal importing(with({"import", exported}, {}), elsewhere);
  EXPECT_EQ(importing.wait(), 0) << importing.all();
  EXPECT_THAT(importing.all(), HasSubstr("100% 4320/4320 candles"));

  const auto check = with({"verify"}, {"--since", "2026-01-12", "--until", "2026-01-15"});
  OnTerminal verifying(check, environment, "dumb");
  EXPECT_EQ(verifying.wait(), 0) << verifying.all();
  EXPECT_THAT(verifying.all(), Not(HasSubstr("\033"))) << "a terminal that cannot paint over";
  for (const auto& command : {fill, check}) {
    const auto quiet = test::run_program("CANDLEWICK", command, {}, environment);
    EXPECT_EQ(quiet.status, 0) << quiet.err;
    EXPECT_EQ(std::ranges::count(quiet.err, '\n'), 1) << quiet.err;
    EXPECT_THAT(quiet.err, Not(HasSubstr("\r")));
  }
}

TEST(Tables, HaveColourOnlyOnATerminalThatWantsIt) {
  test::TemporaryFolder folder;
  std::map<std::string, std::string> environment{{"CANDLEWICK_DATA_DIR", folder.path() / "data"},
                                                 {"CANDLEWICK_EXCHANGES", "binance"},
                                                 {"BINANCE_BASE_URL", "http://127.0.0.1:1"},
                                                 {"BINANCE_WS_URL", "ws://127.0.0.1:1"}};
  OnTerminal coloured({"doctor"}, environment);
  EXPECT_EQ(coloured.wait(), 1);
  EXPECT_THAT(coloured.all(), HasSubstr("\033[32m✓ ok\033[0m"));
  EXPECT_THAT(coloured.all(), HasSubstr("\033[31m✗ failed\033[0m"));
  OnTerminal sinks({"sinks"}, environment);
  EXPECT_EQ(sinks.wait(), 0);
  EXPECT_THAT(sinks.all(), HasSubstr("\033[33mnot running\033[0m"));
  environment["NO_COLOR"] = "1";
  OnTerminal plain({"doctor"}, environment);
  EXPECT_EQ(plain.wait(), 1);
  EXPECT_THAT(plain.all(), HasSubstr("✓ ok"));
  EXPECT_THAT(plain.all(), Not(HasSubstr("\033")));
  const auto csv = test::run_program("CANDLEWICK", {"doctor", "--format", "csv"}, {}, environment);
  EXPECT_THAT(csv.out, ::testing::StartsWith("verdict,check,detail,advice\nok,configuration,"));
  EXPECT_THAT(csv.out, HasSubstr("\nfailed,binance REST,"));
}

// What bash offers for the last of these words.
std::string completed(const std::filesystem::path& script, const std::string& words) {
  const auto asked = test::run_program(
      std::filesystem::path("/bin/bash"),
      {"-c", fmt::format("source {}; COMP_WORDS=({}); COMP_CWORD=$((${{#COMP_WORDS[@]}}-1)); "
                         "complete -p candlewick >/dev/null && _candlewick; "
                         "echo \"${{COMPREPLY[*]}}\"",
                         script.string(), words)});
  EXPECT_EQ(asked.err, "");
  return asked.out.substr(0, asked.out.find('\n'));
}

TEST(Completion, IsWhatARealBashOffers) {
  test::TemporaryFolder folder;
  const auto script = folder.path() / "candlewick.bash";
  const auto made = test::run_program("CANDLEWICK", {"completion", "bash"});
  ASSERT_EQ(made.status, 0) << made.err;
  std::ofstream(script) << made.out;
  std::ofstream(folder.path() / "one file.csv") << "x";
  EXPECT_EQ(completed(script, "candlewick cand"), "candles");
  EXPECT_EQ(completed(script, "candlewick --ver"), "--version");
  EXPECT_EQ(completed(script, "candlewick candles --form"), "--format");
  EXPECT_EQ(completed(script, "candlewick candles --format ''"), "table csv jsonl");
  EXPECT_EQ(completed(script, "candlewick candles --format = j"), "jsonl")
      << "bash takes --format=j apart";
  EXPECT_EQ(completed(script, "candlewick backfill --symbol BTC/USDT --exchange krak"), "kraken");
  EXPECT_EQ(completed(script, "candlewick verify --timeframe 15"), "15m");
  EXPECT_EQ(completed(script, "candlewick export --to p"), "parquet");
  EXPECT_EQ(completed(script, "candlewick dead-letters re"), "resend");
  EXPECT_EQ(completed(script, "candlewick run --http-list"), "--http-listen");
  EXPECT_EQ(completed(script, "candlewick run --http-listen ''"), "") << "nobody knows";
  EXPECT_EQ(completed(script, "candlewick completion ''"), "bash zsh fish");
  const auto prefix = (folder.path() / "one").string();
  EXPECT_EQ(completed(script, "candlewick import " + prefix), prefix + " file.csv");
  EXPECT_EQ(completed(script, "candlewick run --config " + prefix), prefix + " file.csv");
}

// Whether the shell can read what is made for it; their own answers need them to be installed.
TEST(Completion, IsGoodSyntaxForTheOtherShells) {
  test::TemporaryFolder folder;
  for (const std::string shell : {"zsh", "fish"}) {
    const auto made = test::run_program("CANDLEWICK", {"completion", shell});
    ASSERT_EQ(made.status, 0) << made.err;
    for (const auto* part : {"dead-letters", "--format", "table csv jsonl", "binance-usdm"}) {
      if (shell == "fish" && std::string_view(part) == "--format") continue;
      EXPECT_THAT(made.out, HasSubstr(part)) << shell;
    }
    const auto path = std::filesystem::path("/usr/bin") / shell;
    if (!std::filesystem::exists(path)) continue;
    const auto script = folder.path() / shell;
    std::ofstream(script) << made.out;
    const auto read = test::run_program(path, {"-n", script.string()});
    EXPECT_EQ(read.status, 0) << read.err;
  }
}

}  // namespace
}  // namespace candlewick
