// For tests: a market made of a seed. Prices walk and sometimes stand still, so that ties occur.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "indicator/bar.h"

namespace candlewick::indicator::random_bars {

inline Bar next(std::mt19937_64& random, Time open_time, std::int64_t& cents) {
  const auto step = [&](std::uint64_t most) {
    return static_cast<std::int64_t>(random() % (most + 1));
  };
  const auto price = [](std::int64_t count) {
    return Decimal::from_count(int128{count} * (Decimal::one / 100));
  };
  const std::int64_t before = cents;
  if (random() % 4 != 0) cents = std::max<std::int64_t>(100, cents + step(400) - 200);
  return {.open_time = open_time,
          .open = price(before),
          .high = price(std::max(before, cents) + step(50)),
          .low = price(std::min(before, cents) - step(50)),
          .close = price(cents),
          .volume = price(step(100'000))};
}

// `count` bars of `length`; about one in `hole_every` is missing (none when 0).
inline std::vector<Bar> make(std::uint64_t seed, std::size_t count, Duration length,
                             std::uint64_t hole_every = 0) {
  std::mt19937_64 random(seed);
  std::int64_t cents = 6'000'000;
  std::vector<Bar> bars;
  Time open_time = Time{std::chrono::hours{450'000}};
  while (bars.size() < count) {
    const Bar bar = next(random, open_time, cents);
    open_time += length;
    if (hole_every == 0 || random() % hole_every != 0) bars.push_back(bar);
  }
  return bars;
}

}  // namespace candlewick::indicator::random_bars
