// What it means that a venue's answer has no row for a period: asked further until it is proven, by
// the evidence that is right for the venue, that there is nothing.
#pragma once

#include <vector>

#include "app/history.h"
#include "market/event.h"
#include "pipeline/span_set.h"

namespace candlewick::app {

struct Absence {
  std::vector<pipeline::Assertion> assertions;  // what is proven
  std::vector<Candle> found;                    // came in a second answer after all
  pipeline::SpanSet open;                       // neither: asking later may tell
};

// `absent`: periods between rows of a first answer, or before its first row, that have none.
Result<Absence> judge_absent(History& history, const pipeline::SpanSet& absent);

}  // namespace candlewick::app
