// What the benches share: a clock, samples as JSON lines, and reading what bench_frames wrote.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace candlewick::bench {

SteadyTime now();
double seconds_since(SteadyTime start);

// One repetition's value: "name" is the question ("decode/trade"), "who" the one measured ("ours",
// "simdjson").
void print_sample(std::string_view name, std::string_view who, double value, std::string_view unit);

// Makes the compiler believe that the value is used.
template <class T>
void keep(const T& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

// The value that `share` (0 to 1) of them do not exceed. Not of none.
double quantile(std::vector<double> values, double share);

Result<std::vector<std::string>> read_lines(const std::string& path);

// Prints "bench: <message>" and answers the exit status of a failure.
int report(const Error& error);

}  // namespace candlewick::bench
