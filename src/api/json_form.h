// The JSON of things that several resources show: the live streams' forms, so that both say the
// same.
#pragma once

#include "stream/json_form.h"

namespace candlewick::api {

using stream::append_age;
using stream::append_book;
using stream::append_candle;
using stream::append_columns;
using stream::append_ladder_page;
using stream::append_names;
using stream::append_quote;
using stream::append_span;
using stream::append_ticker;
using stream::append_ticker_row;
using stream::append_times;
using stream::append_trade;
using stream::has_data;
using stream::has_live_ladder;
using stream::last_price;

}  // namespace candlewick::api
