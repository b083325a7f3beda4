// The front of the queue is the one under way.
#include "alert/mailbox.h"

#include <algorithm>

#include "base/check.h"

namespace candlewick::alert {

bool Mailbox::put(Message message, SteadyTime now) {
  waiting_.push_back({std::move(message), now});
  if (waiting_.size() <= options_.messages) return true;
  waiting_.erase(waiting_.begin() + (is_under_way_ ? 1 : 0));
  return false;
}

const Message* Mailbox::take(SteadyTime now) {
  if (is_under_way_ || waiting_.empty() || now < not_before_) return nullptr;
  is_under_way_ = true;
  return &waiting_.front().message;
}

Mailbox::End Mailbox::answered(const Verdict& verdict, SteadyTime now) {
  check(is_under_way_, "an answer is to a message that was sent");
  is_under_way_ = false;
  const bool is_too_old = now - waiting_.front().put_at >= options_.too_old;
  if (verdict.kind == Verdict::Kind::retry && !is_too_old) {
    not_before_ = now + backoff_.next(verdict.at_least.value_or(Duration::zero()));
    return End::waits;
  }
  waiting_.pop_front();
  if (verdict.kind == Verdict::Kind::retry) {
    // The next one has waited for the same receiver; it is no better than before.
    not_before_ = now + backoff_.next(verdict.at_least.value_or(Duration::zero()));
    return End::given_up;
  }
  backoff_.reset();
  not_before_ = now;
  return verdict.kind == Verdict::Kind::delivered ? End::delivered : End::given_up;
}

std::optional<SteadyTime> Mailbox::next_send() const {
  if (is_under_way_ || waiting_.empty()) return std::nullopt;
  return not_before_;
}

}  // namespace candlewick::alert
