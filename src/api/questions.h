// What the warehouse is asked, away from the API's loop: a few threads, each with a database of its
// own, and a bounded queue before them.
#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "api/backend.h"
#include "api/call.h"
#include "base/queue.h"

namespace candlewick::api {

class Questions {
 public:
  // Answers the call, or returns why the database could not (the call is then answered with 503 and
  // the database opened anew for the next question).
  using Question = std::move_only_function<Result<void>(warehouse::Database&, Call&)>;

  Questions(const Backend& backend, std::size_t threads, std::size_t max_waiting);
  Questions(const Questions&) = delete;
  Questions& operator=(const Questions&) = delete;
  // The question in hand is finished; those that wait are answered with 503.
  ~Questions();

  // Never blocks; a full queue is the client's 503.
  void ask(Call call, Question question);
  std::size_t waiting() const { return queue_.size(); }

 private:
  struct Item {
    Call call;
    Question question;
  };

  void run();

  const Backend& backend_;
  BoundedQueue<std::unique_ptr<Item>> queue_;
  std::vector<std::jthread> threads_;
};

}  // namespace candlewick::api
