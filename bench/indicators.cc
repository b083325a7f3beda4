// What a closed candle costs in indicators: all of the registry, over recorded one-minute bars. The
// calculator alone, and the series that the service uses, with its history, horizon and
// checkpoints.
//
//   bench_indicators BARS.csv[.zst]     open_time,open,high,low,close,volume; times in milliseconds
#include <array>
#include <charconv>
#include <cstdio>

#include <fmt/format.h>

#include "bench/measure.h"
#include "indicator/calculator.h"
#include "indicator/series.h"

namespace candlewick::bench {
namespace {

constexpr Duration minute = std::chrono::minutes{1};

Result<std::vector<indicator::Bar>> read_bars(const std::string& path) {
  const auto lines = read_lines(path);
  if (!lines) return fail(lines.error());
  std::vector<indicator::Bar> bars;
  for (std::size_t i = 1; i < lines->size(); ++i) {
    std::array<std::string_view, 6> cells{};
    std::string_view rest = (*lines)[i];
    for (auto& cell : cells) {
      cell = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), cell.size() + 1));
    }
    std::int64_t open_ms = 0;
    std::from_chars(cells[0].data(), cells[0].data() + cells[0].size(), open_ms);
    std::array<Decimal, 5> numbers{};
    for (std::size_t column = 0; column < numbers.size(); ++column) {
      const auto number = Decimal::parse(cells[column + 1]);
      if (!number) return fail(number.error());
      numbers[column] = *number;
    }
    bars.push_back({.open_time = time_from_ms(open_ms),
                    .open = numbers[0],
                    .high = numbers[1],
                    .low = numbers[2],
                    .close = numbers[3],
                    .volume = numbers[4]});
  }
  if (bars.empty()) return fail(ErrorKind::misconfigured, "{}: no bars", path);
  return bars;
}

// Seconds for all of them.
double calculate(const std::vector<indicator::Bar>& bars) {
  indicator::Calculator calculator(minute);
  const SteadyTime start = now();
  for (const auto& bar : bars) {
    calculator.push(bar);
    keep(calculator.values());
  }
  return seconds_since(start);
}

double follow(const std::vector<indicator::Bar>& bars) {
  indicator::Series series(minute);
  const SteadyTime start = now();
  for (const auto& bar : bars) {
    series.apply(bar);
    keep(series.latest());
  }
  return seconds_since(start);
}

}  // namespace
}  // namespace candlewick::bench

int main(int argc, char** argv) {
  using namespace candlewick::bench;
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_indicators BARS.csv\n");
    return 2;
  }
  const auto bars = read_bars(argv[1]);
  if (!bars) return report(bars.error());
  const double to_ns = 1e9 / static_cast<double>(bars->size());
  print_sample("indicators/calculator", "ours", calculate(*bars) * to_ns, "ns/candle");
  print_sample("indicators/series", "ours", follow(*bars) * to_ns, "ns/candle");
  return 0;
}
