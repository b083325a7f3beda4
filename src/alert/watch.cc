// Everything here is on the loop's thread once it runs.
#include "alert/watch.h"

#include <utility>

#include "alert/observations.h"
#include "base/zero_counters.h"

namespace candlewick::alert {

Result<Plan> read_plan(const Config::Alerts& config) {
  auto receivers = make_receivers(config);
  if (!receivers) return fail(std::move(receivers.error()));
  Plan plan{.receivers = std::move(*receivers), .thresholds = {}};
  for (const auto& text : config.when) {
    auto threshold = parse_threshold(text);
    if (!threshold) {
      return fail(ErrorKind::misconfigured, "alerts.when: {}", threshold.error().message);
    }
    plan.thresholds.push_back(std::move(*threshold));
  }
  return plan;
}

Watch::Watch(Plan plan, Parts parts)
    : parts_(std::move(parts)),
      evaluator_({.thresholds = std::move(plan.thresholds),
                  .repeat_interval = parts_.repeat_interval,
                  .limits = parts_.limits,
                  .read_bars = parts_.read_bars,
                  .stop = stopping_.get_token()},
                 parts_.observer),
      http_(std::make_unique<net::HttpClient>(
          net::HttpClientOptions{.ca_file = parts_.ca_file, .user_agent = "candlewick/0.1.0"})) {
  for (const auto& [name, count] : evaluator_.firing())
    begin_at_zero(parts_.metrics, alert_told, {{"stage", name}});
  for (const auto& receiver : plan.receivers) {
    for (const auto* kind : {&message_delivered, &message_delayed, &message_given_up})
      begin_at_zero(parts_.metrics, *kind, {{"channel", receiver.name}});
  }
  notifier_ = std::make_unique<Notifier>(loop_, *http_, parts_.clock, parts_.observer,
                                         std::move(plan.receivers));
  loop_.start();
  loop_.post([this] { look(); });
}

Watch::~Watch() {
  stopping_.request_stop();
  loop_.stop();
  loop_.join();
  timer_.cancel();
  // Its answers would come to those that are gone.
  http_.reset();
  notifier_.reset();
}

void Watch::look() {
  const Moment now{parts_.clock.steady(), parts_.clock.now()};
  for (const auto& message : evaluator_.look(parts_.take_snapshot(), parts_.board, now)) {
    parts_.observer.observe(alert_told, {{"stage", message.name}, {"error", to_line(message)}});
    notifier_->tell(message);
  }
  std::vector<Metrics::Told> told;
  for (const auto& [name, count] : evaluator_.firing()) {
    told.push_back({"candlewick_alert_firing",
                    "Alerts that are firing, by condition",
                    {{"stage", name}},
                    static_cast<double>(count)});
  }
  for (const auto& [name, count] : notifier_->waiting()) {
    told.push_back({"candlewick_alert_waiting_messages",
                    "Messages that a receiver lacks",
                    {{"channel", name}},
                    static_cast<double>(count)});
  }
  parts_.metrics.tell("alerts", told);
  timer_ = loop_.after(parts_.interval, [this] { look(); });
}

}  // namespace candlewick::alert
