// The kinds of observations whose counters alerts ask by how much they grew.
#include "app/counters.h"

#include "app/observations.h"
#include "base/zero_counters.h"
#include "exchange/ccxt/ccxt.h"
#include "feed/observations.h"
#include "fundamentals/observations.h"
#include "sink/observations.h"

namespace candlewick::app {

void begin_counters(Metrics& metrics, const Config& config, std::span<const std::string> sinks) {
  for (const auto* kind :
       {&rule_failed, &order_not_kept, &config_not_reloaded, &log_refuses, &rows_dropped,
        &ingest_stopped, &log_failing, &warehouse_unreachable, &maintenance_failed}) {
    begin_at_zero(metrics, *kind);
  }
  for (const auto& sink : sinks) {
    for (const auto* kind :
         {&sink::sink_failing, &sink::sink_stopped, &sink::row_set_aside, &sink::rows_given_up}) {
      begin_at_zero(metrics, *kind, {{"sink", sink}});
    }
  }
  if (config.coingecko.enabled) begin_at_zero(metrics, fundamentals::coin_missing);
}

void begin_venue_counters(Metrics& metrics, std::span<const std::string> venues) {
  for (const auto& venue : venues) {
    const Labels labels{{"venue", venue}};
    for (const auto* kind : {&feed::connection_opened, &feed::connection_lost, &feed::frame_refused,
                             &feed::request_failed, &feed::request_refused, &feed::rate_limited}) {
      begin_at_zero(metrics, *kind, labels);
    }
    if (exchange::ccxt::is_bridged(venue)) begin_at_zero(metrics, feed::sidecar_lost, labels);
  }
}

}  // namespace candlewick::app
