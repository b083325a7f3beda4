// The only file that includes prometheus-cpp.
#include "base/metrics.h"

#include <algorithm>
#include <exception>
#include <set>
#include <utility>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "base/check.h"
#include "base/guarded.h"

namespace candlewick {
namespace {

constexpr std::string_view prefix = "candlewick_";

bool is_metric_name(std::string_view name) {
  if (!name.starts_with(prefix)) return false;
  for (const char c : name) {
    if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_') return false;
  }
  return true;
}

// The library throws for names it dislikes and for one name in two kinds; both are our mistakes.
template <class Builder>
auto& registered(Builder builder, prometheus::Registry& registry, const std::string& name,
                 const std::string& help) {
  try {
    return builder.Name(name).Help(help).Register(registry);
  } catch (const std::exception& error) {
    check_failed(name + ": " + error.what(), std::source_location::current());
  }
}

}  // namespace

struct Metrics::State {
  using SeriesName = std::pair<std::string, Labels>;
  struct Histogram {
    prometheus::Family<prometheus::Histogram>* family = nullptr;
    prometheus::Histogram* histogram = nullptr;
    Delays known;  // what it has of them
  };
  struct Gauge {
    prometheus::Family<prometheus::Gauge>* family = nullptr;
    prometheus::Gauge* gauge = nullptr;
  };
  struct Page {
    std::map<SeriesName, Gauge> gauges;
    std::map<SeriesName, Histogram> histograms;
  };

  prometheus::Registry registry;
  Guarded<std::map<std::string, Page>> pages;
  Guarded<std::vector<std::function<void()>>> refreshers;
};

void Counter::add(double amount) {
  counter_->Increment(amount);
}
double Counter::value() const {
  return counter_->Value();
}
void Gauge::set(double value) {
  gauge_->Set(value);
}
void Gauge::add(double amount) {
  gauge_->Increment(amount);
}
double Gauge::value() const {
  return gauge_->Value();
}
void Histogram::observe(double value) {
  histogram_->Observe(value);
}

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

Counter Metrics::counter(const std::string& name, const std::string& help, const Labels& labels) {
  check(is_metric_name(name) && name.ends_with("_total"), "a counter is candlewick_…_total");
  auto& family = registered(prometheus::BuildCounter(), state_->registry, name, help);
  return Counter(&family.Add(labels));
}

Gauge Metrics::gauge(const std::string& name, const std::string& help, const Labels& labels) {
  check(is_metric_name(name) && !name.ends_with("_total"), "a gauge is candlewick_…_<unit>");
  auto& family = registered(prometheus::BuildGauge(), state_->registry, name, help);
  return Gauge(&family.Add(labels));
}

Histogram Metrics::histogram(const std::string& name, const std::string& help,
                             const std::vector<double>& buckets, const Labels& labels) {
  check(is_metric_name(name) && !name.ends_with("_total"), "a histogram is candlewick_…_<unit>");
  auto& family = registered(prometheus::BuildHistogram(), state_->registry, name, help);
  return Histogram(&family.Add(labels, buckets));
}

namespace {

// Removes the series of `known` that `is_told` does not name.
template <class Series, class Keep>
void forget(Series& known, const Keep& is_told, auto metric) {
  std::erase_if(known, [&](const auto& entry) {
    if (is_told.contains(entry.first)) return false;
    entry.second.family->Remove(entry.second.*metric);
    return true;
  });
}

// Counts only grow, but for those of something that began again: then all of them are new.
std::pair<std::vector<double>, double> growth(const Delays& from, const Delays& to) {
  const bool began_again =
      !std::ranges::equal(from.counts(), to.counts(), std::ranges::less_equal{});
  const Delays& base = began_again ? Delays{} : from;
  std::vector<double> counts;
  for (std::size_t i = 0; i < to.counts().size(); ++i)
    counts.push_back(static_cast<double>(to.counts()[i] - base.counts()[i]));
  return {std::move(counts), to.sum_seconds() - base.sum_seconds()};
}

}  // namespace

void Metrics::tell(const std::string& name, const std::vector<Told>& gauges,
                   const std::vector<ToldDelays>& delays) {
  auto& registry = state_->registry;
  state_->pages.with([&](auto& pages) {
    State::Page& page = pages[name];
    std::set<State::SeriesName> told;
    for (const auto& [metric, help, labels, value] : gauges) {
      auto& known = page.gauges[{metric, labels}];
      if (known.gauge == nullptr) {
        check(is_metric_name(metric) && !metric.ends_with("_total"),
              "a gauge is candlewick_…_<unit>");
        known.family = &registered(prometheus::BuildGauge(), registry, metric, help);
        known.gauge = &known.family->Add(labels);
      }
      known.gauge->Set(value);
      told.emplace(metric, labels);
    }
    forget(page.gauges, told, &State::Gauge::gauge);
    told.clear();
    for (const auto& [metric, help, labels, all] : delays) {
      auto& known = page.histograms[{metric, labels}];
      if (known.histogram == nullptr) {
        check(is_metric_name(metric) && metric.ends_with("_seconds"), "delays are in seconds");
        known.family = &registered(prometheus::BuildHistogram(), registry, metric, help);
        known.histogram = &known.family->Add(
            labels, std::vector<double>(Delays::bounds.begin(), Delays::bounds.end()));
      }
      const auto [counts, sum] = growth(known.known, all);
      known.histogram->ObserveMultiple(counts, sum);
      known.known = all;
      told.emplace(metric, labels);
    }
    forget(page.histograms, told, &State::Histogram::histogram);
  });
}

void Metrics::on_scrape(std::function<void()> refresh) {
  state_->refreshers.with([&](auto& refreshers) { refreshers.push_back(std::move(refresh)); });
}

std::string Metrics::text() {
  // Copied, so that a refresher may register metrics and even refreshers.
  const auto refreshers = state_->refreshers.with([](const auto& known) { return known; });
  for (const auto& refresh : refreshers) refresh();
  return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

}  // namespace candlewick
