// Every kind of sink that is built in; adding one is a row in registry.cc.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "sink/sink.h"

namespace candlewick::sink {

// What a sink is told, by the names of its configuration keys without their section ("url" of
// supabase.url); lists are joined by commas, durations are seconds, booleans true or false.
struct Settings {
  const Clock* clock = nullptr;
  std::map<std::string, std::string, std::less<>> values;

  std::string_view get(std::string_view key, std::string_view otherwise = {}) const {
    const auto found = values.find(key);
    return found == values.end() ? otherwise : std::string_view(found->second);
  }
};

struct Kind {
  std::string_view name;
  std::string_view purpose;  // for --help and docs
  Result<std::unique_ptr<Sink>> (*make)(const Settings& settings);
  // The SQL that makes its tables, or brings those of the original services up to date, to be run
  // by their owner; null for a sink that needs none or makes them by itself.
  std::string (*setup_sql)(const Settings& settings) = nullptr;
};

// Sorted by name.
std::span<const Kind> all_sinks();
const Kind* find_sink(std::string_view name);
std::string sink_names();

}  // namespace candlewick::sink
