// The only file that includes prometheus-cpp.
#include "base/metrics.h"

#include <exception>

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
  prometheus::Registry registry;
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
