// What waits is let go as soon as there is no hope that the snapshot comes: whoever keeps the book
// sees changes without one then, and subscribes again.
#include "exchange/htx/books.h"

#include <fmt/format.h>

namespace candlewick::exchange::htx {
namespace {

// Ten seconds of them.
constexpr std::size_t most_changes = 100;
constexpr int most_questions = 5;

// The topic is the answer's id too, so that a refusal tells what was refused.
std::string question(std::string_view topic) {
  return fmt::format(R"({{"req":"{}","id":"{}"}})", topic, topic);
}

}  // namespace

std::string WaitingBooks::begin(const Instrument& instrument, std::string_view topic) {
  waiting_.insert_or_assign(&instrument, Waiting{std::string(topic), {}, 1});
  return question(topic);
}

void WaitingBooks::change(BookUpdate update, Events& out) {
  const auto waiting = waiting_.find(update.origin.instrument);
  if (waiting == waiting_.end()) {
    out.emplace_back(std::move(update));
    return;
  }
  auto& changes = waiting->second.changes;
  changes.push_back(std::move(update));
  if (changes.size() <= most_changes) return;
  for (auto& change : changes) out.emplace_back(std::move(change));
  waiting_.erase(waiting);
}

std::string WaitingBooks::snapshot(BookUpdate update, Events& out) {
  const auto found = waiting_.find(update.origin.instrument);
  if (found == waiting_.end()) {
    out.emplace_back(std::move(update));
    return {};
  }
  auto& waiting = found->second;
  const bool is_too_old =
      !waiting.changes.empty() && waiting.changes.front().previous_sequence > update.sequence;
  if (is_too_old && waiting.asked < most_questions) {
    ++waiting.asked;
    return question(waiting.topic);
  }
  const auto number = update.sequence;
  out.emplace_back(std::move(update));
  for (auto& change : waiting.changes) {
    if (change.sequence > number) out.emplace_back(std::move(change));
  }
  waiting_.erase(found);
  return {};
}

void WaitingBooks::give_up(std::string_view topic) {
  std::erase_if(waiting_, [&](const auto& entry) { return entry.second.topic == topic; });
}

}  // namespace candlewick::exchange::htx
