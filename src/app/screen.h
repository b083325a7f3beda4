// The whole terminal for one program: alternate screen, no line editing, no echo, no cursor. It is
// given back as it was however the program ends, a crash included; only SIGKILL leaves no time.
//
// Signals arrive through wait(), as the keys do, and interrupt nothing. They are blocked from
// open() on, so open it before threads are made.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace candlewick::app {

struct ScreenSize {
  std::size_t columns = 80;
  std::size_t lines = 24;
  friend bool operator==(const ScreenSize&, const ScreenSize&) = default;
};

// What the terminal has to say.
struct ScreenNews {
  std::string typed;        // bytes, as they came
  bool is_resized = false;  // or has to be painted again for another reason
  bool is_woken = false;    // by wake()
  bool is_over = false;     // a signal to end, or the terminal is gone
};

class Screen {
 public:
  // Standard input and output are a terminal that can do this.
  static bool is_possible();
  // Error: transient.
  static Result<std::unique_ptr<Screen>> open();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  ScreenSize size() const;
  // Text with its control sequences, at once. What cannot be written is dropped: the end of the
  // terminal is told by wait().
  void write(std::string_view text) const;
  // Waits for keys, signals or wake(), at most so long. A stop from the keyboard (Ctrl-Z) happens
  // in here.
  ScreenNews wait(Duration at_most);
  // From any thread.
  void wake() const;

 private:
  Screen(int signals, int waker) : signals_(signals), waker_(waker) {}
  void enter() const;
  void leave() const;

  const int signals_;
  const int waker_;
};

}  // namespace candlewick::app
