// All that belongs to one venue that is followed, on the ingest thread.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "app/bridge.h"
#include "app/ingest.h"
#include "base/selection.h"
#include "exchange/choice.h"

namespace candlewick::app {

struct Ingest::VenueLine {
  std::unique_ptr<exchange::ccxt::BridgedVenue> bridged;  // null: a native one
  const exchange::Venue* venue = nullptr;
  std::unique_ptr<Catalogue> catalogue;
  std::vector<Selection> selections;           // that mean this venue
  std::vector<const Instrument*> instruments;  // followed, in their order
  std::vector<Timeframe> timeframes;
  std::unique_ptr<feed::Recorder> recorder;
  std::unique_ptr<pipeline::VenuePipeline> pipeline;
  std::unique_ptr<feed::Link> driver;  // null before the start, and once it is followed no more
  std::unique_ptr<feed::VenueFeed> feed;
  bool knows_the_list = false;    // of its instruments, which has come once
  bool listings_checked = false;  // for what is followed now
  exchange::DayVolumes volumes;   // of the whole list, where a rule needs them
  bool awaits_volumes = false;    // they were asked for
  bool knows_volumes = false;     // of all, once
  bool is_rule_due = false;       // what its rules mean is to be looked at again

  std::string name() const { return std::string(exchange::key_of(*venue)); }
  bool has_rules() const {
    return std::ranges::any_of(selections, [](const auto& chosen) { return chosen.is_rule(); });
  }
  bool ranks() const {
    return std::ranges::any_of(selections, [](const auto& chosen) { return chosen.top > 0; });
  }
};

}  // namespace candlewick::app
