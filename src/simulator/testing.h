// What the tests of this folder share: cores over a small market, and a reader of what they send.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/check.h"
#include "base/json.h"
#include "simulator/synthetic_market.h"
#include "simulator/venue_core.h"

namespace candlewick::simulator::testing {

using namespace std::chrono_literals;

inline constexpr SteadyTime steady{1h};
// 2026-01-15T12:00:00Z
inline constexpr Time start = time_from_ms(1'768'478'400'000);

inline std::unique_ptr<SyntheticMarket> small_market(std::uint64_t seed = 1,
                                                     std::string exchange = "binance",
                                                     double activity = 1.0) {
  auto market = SyntheticMarket::make({.exchange = std::move(exchange),
                                       .seed = seed,
                                       .start = start,
                                       .symbols = {"BTCUSDT", "ETHBTC", "FARM/USDT"},
                                       .activity = activity});
  check(market.has_value(), "the symbols of the tests are good");
  return *std::move(market);
}

inline std::unique_ptr<VenueCore> small_core(std::string_view faults = "", std::uint64_t seed = 1,
                                             double activity = 1.0) {
  auto core =
      std::make_unique<VenueCore>(VenueSetup{.venue = "binance",
                                             .market = small_market(seed, "binance", activity),
                                             .start = start,
                                             .speed = "1"});
  check(core->change_faults(faults).has_value(), "the faults of the tests are good");
  return core;
}

inline Reply get(VenueCore& core, std::string_view target, SteadyTime at = steady) {
  return core.http(*make_request("GET", target), at);
}

inline Reply post(VenueCore& core, std::string_view target, std::string_view body) {
  return core.http(*make_request("POST", target, body), steady);
}

inline SessionId open(VenueCore& core, std::string_view target) {
  const auto opened = core.open(*make_request("GET", target), steady);
  EXPECT_TRUE(std::holds_alternative<SessionId>(opened)) << target;
  return std::holds_alternative<SessionId>(opened) ? std::get<SessionId>(opened) : 0;
}

inline std::vector<std::string> frames(const std::vector<Delivery>& deliveries) {
  std::vector<std::string> texts;
  for (const auto& delivery : deliveries) {
    if (delivery.kind == Delivery::Kind::frame) texts.push_back(*delivery.text);
  }
  return texts;
}

inline std::string joined(const std::vector<Delivery>& deliveries) {
  std::string all;
  for (const auto& delivery : deliveries) {
    all += std::to_string(to_ms(delivery.at)) + ' ' + std::to_string(delivery.session) + ' ' +
           (delivery.text ? *delivery.text : delivery.reason) + '\n';
  }
  return all;
}

// A flat view of a JSON document: "k.o" or "0.3" → the scalar's characters.
class Flat {
 public:
  explicit Flat(std::string_view text) {
    json::Reader reader;
    const auto read = reader.read(text, [&](json::Value root) { walk("", root); });
    EXPECT_TRUE(read) << text;
  }
  const std::string& operator[](const std::string& path) const {
    static const std::string missing = "(missing)";
    for (const auto& [key, value] : values_) {
      if (key == path) return value;
    }
    return missing;
  }
  bool has(const std::string& path) const { return (*this)[path] != "(missing)"; }
  Decimal decimal(const std::string& path) const {
    const auto value = Decimal::parse((*this)[path]);
    EXPECT_TRUE(value) << path;
    return value.value_or(Decimal{});
  }
  std::uint64_t number(const std::string& path) const { return std::stoull((*this)[path]); }

 private:
  void walk(const std::string& path, json::Value& value) {
    const auto type = value.type();
    const std::string prefix = path.empty() ? "" : path + ".";
    if (type == json::Type::object) {
      value.members(
          [&](std::string_view key, json::Value item) { walk(prefix + std::string(key), item); });
    } else if (type == json::Type::array) {
      std::size_t index = 0;
      value.elements([&](json::Value item) { walk(prefix + std::to_string(index++), item); });
    } else {
      values_.emplace_back(path, type == json::Type::boolean ? (value.boolean() ? "true" : "false")
                                                             : std::string(value.raw()));
    }
  }
  std::vector<std::pair<std::string, std::string>> values_;
};

// The elements of a JSON list, as text.
inline std::vector<std::string> elements(std::string_view text) {
  std::vector<std::string> items;
  json::Reader reader;
  const auto read = reader.read(text, [&](json::Value root) {
    root.elements([&](json::Value item) { items.emplace_back(item.text()); });
  });
  EXPECT_TRUE(read) << text.substr(0, 200);
  return items;
}

inline std::vector<std::string> lines(std::string_view text) {
  std::vector<std::string> all;
  while (!text.empty()) {
    const auto end = text.find('\n');
    all.emplace_back(text.substr(0, end));
    text = end == std::string_view::npos ? "" : text.substr(end + 1);
  }
  return all;
}

inline std::string ms(Time time) {
  return std::to_string(to_ms(time));
}

}  // namespace candlewick::simulator::testing
