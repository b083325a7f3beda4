// Randomness without state: every number is a hash of what it is for, so any part of a synthetic
// market can be worked out by itself, in any order, and comes out the same.
#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>

namespace candlewick::simulator {

constexpr std::uint64_t mix(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15ULL;
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31U);
}

constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  return mix(a ^ (mix(b) + b));
}
constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  return mix(mix(a, b), c);
}

constexpr std::uint64_t hash_text(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return mix(hash);
}

// In [0, 1).
constexpr double fraction(std::uint64_t hash) {
  return static_cast<double>(hash >> 11U) * 0x1p-53;
}

// Smooth noise in [-1, 1]: random heights one unit apart, joined by curves that are flat there.
inline double smooth_noise(std::uint64_t seed, double at) {
  const double floor = std::floor(at);
  const double into = at - floor;
  const auto cell = static_cast<std::uint64_t>(static_cast<std::int64_t>(floor));
  const double left = fraction(mix(seed, cell));
  const double right = fraction(mix(seed, cell + 1));
  const double weight = into * into * (3.0 - 2.0 * into);
  return 2.0 * (left + (right - left) * weight) - 1.0;
}

}  // namespace candlewick::simulator
