// Pages of a series in time: what every history resource reads from its parameters, and the links
// with which its answer ends.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/cursor.h"
#include "api/route.h"
#include "api/series.h"
#include "base/json_text.h"

namespace candlewick::api {

// Takes the question out of the cursor, if there is one, and adds it to the call's arguments.
// Returns the position; problems stick to the arguments.
std::optional<std::int64_t> take_cursor(Call& call, std::string_view route);
// The same with all that the cursor says.
std::optional<Cursor> take_whole_cursor(Call& call, std::string_view route);

// Behind which row a page ends; what the position counts is the resource's.
struct Place {
  std::int64_t position = 0;
  std::string beside{};
};
// What continues the call's question behind that place, and the address that asks so.
std::string next_cursor(const Call& call, std::string_view route, const Place& place);
std::string next_url(const Call& call, std::string_view route, std::string cursor);
// "next_cursor" and "next_url": null on the last page.
void append_next(json::Members& members, const Call& call, std::string_view route,
                 const std::optional<Place>& place);

// A question about one series: exchange, symbol, timeframe, start, end, limit, sort, cursor.
struct HistoryQuestion {
  std::string exchange;  // empty: whoever lists it first
  std::string typed;     // the symbol as typed
  Timeframe timeframe{};
  std::optional<Time> start;
  std::optional<Time> end;
  std::size_t limit = 0;
  query::Order order{};

  // The position of a page is the time of its last row; the next one begins behind it.
  void continue_after(Time last);
};
HistoryQuestion read_history_question(const Site& site, Call& call, std::string_view route);

// Finds the series and hands it to `answer` on a query thread; answers itself when there is none.
using SeriesAnswer =
    std::move_only_function<Result<void>(warehouse::Database&, Call&, const Series&)>;
void ask_about_series(const Site& site, Call call, std::string typed, std::string exchange,
                      SeriesAnswer answer);

}  // namespace candlewick::api
