// What people are told, and a condition as it is found at one look.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/time.h"

namespace candlewick::alert {

enum class Urgency : unsigned char { information, warning, critical };
constexpr std::string_view to_text(Urgency urgency) {
  switch (urgency) {
    case Urgency::information:
      return "information";
    case Urgency::warning:
      return "warning";
    case Urgency::critical:
      return "critical";
  }
  std::unreachable();
}

enum class Phase : unsigned char {
  firing,
  repeated,  // it goes on
  resolved,
};
constexpr std::string_view to_text(Phase phase) {
  switch (phase) {
    case Phase::firing:
      return "firing";
    case Phase::repeated:
      return "repeated";
    case Phase::resolved:
      return "resolved";
  }
  std::unreachable();
}

using Labels = std::map<std::string, std::string>;

struct Message {
  std::string name;  // of the condition: "feed_dead"
  Urgency urgency = Urgency::warning;
  Phase phase = Phase::firing;
  std::string summary;  // one sentence
  Labels labels;        // which of its kind: {"exchange", "okx"}
  Time at;
  Time since;  // when the condition was first seen
};

// What was found out about one thing at one look.
enum class Finding : unsigned char {
  holds,
  near,  // it does not hold, but so nearly that it may again at the next look
  clear,
  unknown,  // nothing can be said now; whatever was told stays so
};

// Its name and labels say which it is from look to look.
struct Condition {
  std::string name;
  Urgency urgency = Urgency::warning;
  Labels labels;
  Finding finding = Finding::clear;
  std::string summary;   // of what is wrong, with the numbers of this look
  std::string resolved;  // of what is well again
  Duration patience{};   // it must hold for so long before anybody is told
  Duration calm{};       // and must have been near or clear for so long to be over; clear
                         // alone ends it at once where this is zero
};

}  // namespace candlewick::alert
