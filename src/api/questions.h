// What the warehouse is asked, away from the API's loop: a few threads, each with a database of its
// own, and a bounded queue before them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "api/backend.h"
#include "api/call.h"
#include "api/kept_pages.h"
#include "base/queue.h"

namespace candlewick::api {

class Questions {
 public:
  // Answers the call, or returns why the database could not (the call is then answered with 503 and
  // the database opened anew for the next question).
  using Question = std::move_only_function<Result<void>(warehouse::Database&, Call&)>;

  // The same without a call behind it; null when no database could be opened.
  using Read = std::move_only_function<Result<void>(warehouse::Database*)>;

  Questions(const Backend& backend, std::size_t threads, std::size_t max_waiting);
  Questions(const Questions&) = delete;
  Questions& operator=(const Questions&) = delete;
  ~Questions() { stop(); }
  // The question in hand is finished; those that wait are answered with 503, as are all that come.
  // What answers are made of must live until then.
  void stop();

  // Never blocks; a full queue is the client's 503.
  void ask(Call call, Question question);
  // False, and never called: the queue is full, or there is no warehouse. One that waits when this
  // ends is not called either.
  bool read(Read read);
  std::size_t waiting() const { return queue_.size(); }
  // For questions, on their threads.
  KeptPages& kept_pages() { return kept_pages_; }

 private:
  struct Item {
    std::optional<Call> call;  // null: `read`
    Question question;
    Read read;
  };

  void run();
  Result<void> answer(Item& item, std::unique_ptr<warehouse::Database>& database);

  const Backend& backend_;
  KeptPages kept_pages_;
  BoundedQueue<std::unique_ptr<Item>> queue_;
  std::vector<std::jthread> threads_;
};

}  // namespace candlewick::api
