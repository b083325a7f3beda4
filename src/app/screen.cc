// Signals come as bytes from a signalfd. A handler exists only for crashes, which cannot wait; what
// it restores is kept outside of any object, because a handler is given nothing.
#include "app/screen.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <string>
#include <system_error>

#include "app/terminal_text.h"

namespace candlewick::app {
namespace {

// Alternate screen, no cursor, no wrapping behind the last column; and back.
constexpr std::string_view entering = "\033[?1049h\033[?25l\033[?7l\033[2J";
constexpr std::string_view leaving = "\033[0m\033[?7h\033[?25h\033[?1049l";

constexpr std::array<int, 5> crashes{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

struct Kept {
  termios mode{};
  volatile std::sig_atomic_t is_entered = 0;
};
constinit Kept kept;

void write_all(std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

// Only what a signal handler may call.
void restore() {
  if (kept.is_entered == 0) return;
  kept.is_entered = 0;
  write_all(leaving);
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &kept.mode);
}

extern "C" void on_crash(int signal) {
  restore();
  // The handler is gone by now: this time it ends the program, and whoever waits learns of what.
  std::raise(signal);
}

std::string last_error() {
  return std::error_code(errno, std::generic_category()).message();
}

sigset_t watched_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH, SIGCONT})
    sigaddset(&signals, signal);
  return signals;
}

}  // namespace

bool Screen::is_possible() {
  return is_capable_terminal(STDIN_FILENO) && is_capable_terminal(STDOUT_FILENO);
}

Result<std::unique_ptr<Screen>> Screen::open() {
  if (tcgetattr(STDIN_FILENO, &kept.mode) != 0)
    return fail(ErrorKind::transient, "the terminal cannot be set: {}", last_error());
  const sigset_t watched = watched_signals();
  pthread_sigmask(SIG_BLOCK, &watched, nullptr);
  const int signals = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
  const int waker = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  std::unique_ptr<Screen> screen(new Screen(signals, waker));
  if (signals < 0 || waker < 0)
    return fail(ErrorKind::transient, "no descriptors: {}", last_error());
  struct sigaction action{};
  action.sa_handler = on_crash;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
  for (const int crash : crashes) sigaction(crash, &action, nullptr);
  screen->enter();
  return screen;
}

Screen::~Screen() {
  leave();
  for (const int crash : crashes) std::signal(crash, SIG_DFL);
  if (signals_ >= 0) ::close(signals_);
  if (waker_ >= 0) ::close(waker_);
}

void Screen::enter() const {
  termios raw = kept.mode;
  // Keys at once and unseen; the interrupt keys still make signals.
  raw.c_lflag &= static_cast<tcflag_t>(~(ICANON | ECHO | IEXTEN));
  raw.c_iflag &= static_cast<tcflag_t>(~(IXON | ICRNL));
  raw.c_cc[VMIN] = 0;
  raw.c_cc[VTIME] = 0;
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
  kept.is_entered = 1;
  write_all(entering);
}

void Screen::leave() const {
  restore();
}

ScreenSize Screen::size() const {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
    return {};
  return {.columns = size.ws_col, .lines = size.ws_row};
}

void Screen::write(std::string_view text) const {
  write_all(text);
}

void Screen::wake() const {
  const std::uint64_t one = 1;
  // Full means that it is awake already.
  [[maybe_unused]] const auto written = ::write(waker_, &one, sizeof one);
}

ScreenNews Screen::wait(Duration at_most) {
  ScreenNews news;
  std::array<pollfd, 3> waiting{{{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
                                 {.fd = signals_, .events = POLLIN, .revents = 0},
                                 {.fd = waker_, .events = POLLIN, .revents = 0}}};
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(at_most).count();
  if (::poll(waiting.data(), waiting.size(), static_cast<int>(ms)) <= 0) return news;
  if (waiting[2].revents != 0) {
    std::uint64_t times = 0;
    news.is_woken = ::read(waker_, &times, sizeof times) == sizeof times;
  }
  signalfd_siginfo told{};
  while (waiting[1].revents != 0 && ::read(signals_, &told, sizeof told) == sizeof told) {
    if (told.ssi_signo == SIGTSTP) {
      leave();
      std::raise(SIGSTOP);  // until somebody says to go on
      enter();
      news.is_resized = true;
    } else if (told.ssi_signo == SIGWINCH || told.ssi_signo == SIGCONT) {
      news.is_resized = true;
    } else {
      news.is_over = true;
    }
  }
  if (waiting[0].revents != 0) {
    std::array<char, 256> bytes{};
    const auto got = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    if (got > 0) {
      news.typed.assign(bytes.data(), static_cast<std::size_t>(got));
    } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
      news.is_over = true;
    }
  }
  return news;
}

}  // namespace candlewick::app
