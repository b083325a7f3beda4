// Which sinks the configuration asks for, with what each is told and how it is written.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/config.h"
#include "sink/delivery.h"
#include "sink/registry.h"
#include "sink/sink.h"

namespace candlewick::app {

struct ConfiguredSink {
  std::string_view name;  // its kind's
  sink::Settings settings;
  sink::DeliveryOptions options;
  // It is the warehouse that the service itself reads.
  bool is_warehouse = false;
};

// The warehouse first; the others as far as their address is set. Error: misconfigured (sink.since
// is no time).
Result<std::vector<ConfiguredSink>> configured_sinks(const Config& config, const Clock& clock);

// What a kind of sink is told, whether its address is set or not. Error: misconfigured (there is no
// such kind).
Result<sink::Settings> sink_settings(std::string_view name, const Config& config,
                                     const Clock& clock);

// Error: misconfigured, naming the setting.
Result<std::unique_ptr<sink::Sink>> make_sink(const ConfiguredSink& configured);

// The same sink from a configuration that is read again; for one whose login or address was wrong.
using ReadConfig = std::function<Result<Config>()>;
sink::DeliveryOptions::Remake remake_sink(std::string_view name, ReadConfig read,
                                          const Clock& clock);

// The text with stars for every secret in it.
std::string without(std::string text, std::span<const std::string> secrets);

}  // namespace candlewick::app
