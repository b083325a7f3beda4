// The snapshot of a book must be asked for, once its changes come, and may be older than the first
// of them. So changes wait here for it, those of each book for its own.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "market/event.h"

namespace candlewick::exchange::htx {

class WaitingBooks {
 public:
  // The book's changes have been subscribed to at this topic: answers what to ask.
  std::string begin(const Instrument& instrument, std::string_view topic);
  // A change, handed on unless it is to wait.
  void change(BookUpdate update, Events& out);
  // The answer, and the changes that it lacks; if it is from before the first one, it is asked for
  // again: what to ask then.
  std::string snapshot(BookUpdate update, Events& out);
  // It was refused: changes are handed on as they come, so that all begins anew.
  void give_up(std::string_view topic);

 private:
  struct Waiting {
    std::string topic;
    std::deque<BookUpdate> changes;
    int asked = 1;
  };
  std::unordered_map<const Instrument*, Waiting> waiting_;
};

}  // namespace candlewick::exchange::htx
