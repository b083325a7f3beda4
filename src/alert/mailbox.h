// What waits for one receiver: a bounded queue, one message under way at a time, in order; tried
// again with back-off while that has a point. No clock and no I/O.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "alert/message.h"
#include "alert/receiver.h"
#include "net/backoff.h"

namespace candlewick::alert {

struct MailboxOptions {
  // Beyond it the oldest that is not under way is given up: the newest is what is true now.
  std::size_t messages = 64;
  // An attempt that fails when a message is as old as that was its last.
  Duration too_old = std::chrono::hours{1};
  net::BackoffOptions retry{.first = std::chrono::seconds{1}, .cap = std::chrono::minutes{5}};
  std::uint64_t seed = 1;
};

class Mailbox {
 public:
  explicit Mailbox(MailboxOptions options)
      : options_(options), backoff_(options.retry, options.seed) {}

  // False: another message was given up for it.
  bool put(Message message, SteadyTime now);
  // The one to send now, which is under way from then on; null when there is none, or not yet.
  const Message* take(SteadyTime now);
  // What became of the one under way.
  enum class End : unsigned char { delivered, waits, given_up };
  End answered(const Verdict& verdict, SteadyTime now);
  // When take() will have one; null while one is under way or nothing waits.
  std::optional<SteadyTime> next_send() const;

  std::size_t size() const { return waiting_.size(); }

 private:
  struct Waiting {
    Message message;
    SteadyTime put_at;
  };
  MailboxOptions options_;
  net::Backoff backoff_;
  std::deque<Waiting> waiting_;  // the front one may be under way
  bool is_under_way_ = false;
  SteadyTime not_before_{};
};

}  // namespace candlewick::alert
