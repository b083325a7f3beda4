// The functions behind the routes, by the file that has them.
#pragma once

#include "api/route.h"

namespace candlewick::api {

// health.cc
void answer_health(const Site& site, Call call);
void answer_livez(const Site& site, Call call);
void answer_readyz(const Site& site, Call call);
// latest.cc
void answer_latest(const Site& site, Call call);
void answer_latest_of_many(const Site& site, Call call);
// candles.cc
void answer_candles(const Site& site, Call call);
// candle_stream.cc
void answer_candle_stream(const Site& site, Call call);
// streams.cc
void answer_stream(const Site& site, Call call);
// snapshots.cc
void answer_ticks(const Site& site, Call call);
void answer_indicators(const Site& site, Call call);
// tickers.cc
void answer_tickers(const Site& site, Call call);
// trades.cc
void answer_trades(const Site& site, Call call);
// orderbook.cc
void answer_orderbook(const Site& site, Call call);
// catalogue.cc
void answer_exchanges(const Site& site, Call call);
void answer_subscriptions(const Site& site, Call call);
void put_subscriptions(const Site& site, Call call);
void answer_symbols(const Site& site, Call call);
// coverage.cc
void answer_coverage(const Site& site, Call call);
// quality.cc
void answer_quality(const Site& site, Call call);
// sinks.cc
void answer_sinks(const Site& site, Call call);
// metrics_page.cc
void answer_metrics(const Site& site, Call call);
// udf.cc
void answer_udf_config(const Site& site, Call call);
void answer_udf_history(const Site& site, Call call);
void answer_udf_search(const Site& site, Call call);
void answer_udf_symbols(const Site& site, Call call);
void answer_udf_time(const Site& site, Call call);
// pages.cc
void answer_start_page(const Site& site, Call call);
void answer_asset(const Site& site, Call call);
void answer_openapi(const Site& site, Call call);
void answer_docs(const Site& site, Call call);
void answer_redoc(const Site& site, Call call);

}  // namespace candlewick::api
