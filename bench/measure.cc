// Plain means: steady clock, printf, whole files.
#include "bench/measure.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/clock.h"
#include "base/json_text.h"
#include "base/line_reader.h"

namespace candlewick::bench {

SteadyTime now() {
  return RealClock{}.steady();
}

double seconds_since(SteadyTime start) {
  return std::chrono::duration<double>(now() - start).count();
}

void print_sample(std::string_view name, std::string_view who, double value,
                  std::string_view unit) {
  std::string line;
  json::Members members(line);
  members("name", name)("who", who)("value", value)("unit", unit);
  members.close();
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

double quantile(std::vector<double> values, double share) {
  const auto count = static_cast<double>(values.size());
  const auto rank = static_cast<std::size_t>(std::max(0.0, std::ceil(share * count) - 1));
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(std::min(rank, values.size() - 1));
  std::ranges::nth_element(values, at);
  return *at;
}

Result<std::vector<std::string>> read_lines(const std::string& path) {
  auto reader = LineReader::open(path);
  if (!reader) return fail(reader.error());
  std::vector<std::string> lines;
  std::string line;
  while (true) {
    const auto more = reader->next(line);
    if (!more) return fail(more.error());
    if (!*more) return lines;
    if (!line.empty()) lines.push_back(line);
  }
}

int report(const Error& error) {
  std::fprintf(stderr, "bench: %s\n", error.message.c_str());
  return 1;
}

}  // namespace candlewick::bench
