// A line a receiver: its mailbox says when, its form says what.
#include "alert/notifier.h"

#include <utility>

#include "alert/observations.h"

namespace candlewick::alert {

Notifier::Notifier(net::Loop& loop, net::HttpClient& http, const Clock& clock, Observer& observer,
                   std::vector<Receiver> receivers, const MailboxOptions& options)
    : loop_(loop), http_(http), clock_(clock), observer_(observer) {
  MailboxOptions each = options;
  for (auto& receiver : receivers) {
    lines_.push_back(std::make_unique<Line>(std::move(receiver), each));
    ++each.seed;
  }
}

Notifier::~Notifier() {
  *alive_ = false;
  for (const auto& line : lines_) {
    if (line->mailbox.size() > 0) give_up(*line, "the service stops");
  }
}

void Notifier::give_up(const Line& line, const std::string& why) {
  observer_.observe(message_given_up, {{"channel", line.receiver.name}, {"error", why}});
}

void Notifier::tell(const Message& message) {
  for (auto& line : lines_) {
    if (!line->mailbox.put(message, clock_.steady())) give_up(*line, "too many messages wait");
    send(*line);
  }
}

void Notifier::send(Line& line) {
  const SteadyTime now = clock_.steady();
  if (const auto* message = line.mailbox.take(now)) {
    http_.send(line.receiver.request(*message), loop_,
               [this, &line, alive = alive_](Result<net::HttpResponse> answer) {
                 if (*alive) answered(line, answer);
               });
    return;
  }
  const auto next = line.mailbox.next_send();
  if (!next || line.timer.armed()) return;
  line.timer = loop_.after(std::max<Duration>(*next - now, Duration::zero()), [this, &line] {
    line.timer = {};
    send(line);
  });
}

void Notifier::answered(Line& line, const Result<net::HttpResponse>& answer) {
  const Verdict verdict = judge(answer);
  const std::string problem = line.receiver.redact(verdict.problem);
  switch (line.mailbox.answered(verdict, clock_.steady())) {
    case Mailbox::End::delivered:
      observer_.observe(message_delivered, {{"channel", line.receiver.name}});
      break;
    case Mailbox::End::waits:
      observer_.observe(message_delayed, {{"channel", line.receiver.name}, {"error", problem}});
      break;
    case Mailbox::End::given_up:
      give_up(line, problem);
      break;
  }
  send(line);
}

std::map<std::string, std::size_t> Notifier::waiting() const {
  std::map<std::string, std::size_t> waiting;
  for (const auto& line : lines_) waiting.emplace(line->receiver.name, line->mailbox.size());
  return waiting;
}

}  // namespace candlewick::alert
