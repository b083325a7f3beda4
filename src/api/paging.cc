// A cursor continues behind the last row that was told, so rows that arrive meanwhile shift
// nothing.
#include "api/paging.h"

namespace candlewick::api {
namespace {

constexpr std::size_t default_limit = 1000;
// Warehouses keep microseconds: anything less would ask for the same row again.
constexpr Duration stored_unit = std::chrono::microseconds{1};

}  // namespace

std::optional<std::int64_t> take_cursor(Call& call, std::string_view route) {
  const auto cursor = take_whole_cursor(call, route);
  return cursor ? std::optional(cursor->position) : std::nullopt;
}

std::optional<Cursor> take_whole_cursor(Call& call, std::string_view route) {
  Arguments& arguments = call.arguments;
  if (!arguments.has("cursor")) return std::nullopt;
  auto cursor = parse_cursor(arguments.text("cursor"));
  if (!cursor) {
    arguments.refuse(problems::invalid_cursor, "cursor", cursor.error().message);
    return std::nullopt;
  }
  if (cursor->route != route) {
    arguments.refuse(problems::cursor_mismatch, "cursor",
                     fmt::format("belongs to {}", cursor->route.substr(0, 64)));
    return std::nullopt;
  }
  arguments.adopt(cursor->parameters, "limit");
  return std::move(*cursor);
}

std::string next_cursor(const Call& call, std::string_view route, const Place& place) {
  return to_text(Cursor{.route = std::string(route),
                        .position = place.position,
                        .parameters = call.arguments.without("cursor"),
                        .beside = place.beside});
}

std::string next_url(const Call& call, std::string_view route, std::string cursor) {
  net::Query parameters = call.arguments.without("cursor");
  parameters.emplace_back("cursor", std::move(cursor));
  return fmt::format("{}?{}", route, net::build_query(parameters));
}

void append_next(json::Members& members, const Call& call, std::string_view route,
                 const std::optional<Place>& place) {
  if (!place) {
    members.raw("next_cursor", "null").raw("next_url", "null");
    return;
  }
  std::string cursor = next_cursor(call, route, *place);
  members("next_cursor", cursor);
  members("next_url", next_url(call, route, std::move(cursor)));
}

void HistoryQuestion::continue_after(Time last) {
  if (order == query::Order::ascending) {
    start = last + stored_unit;
  } else {
    end = last;
  }
}

HistoryQuestion read_history_question(const Site& site, Call& call, std::string_view route) {
  Arguments& arguments = call.arguments;
  const auto position = take_cursor(call, route);
  const auto& configured = site.backend.timeframes;
  auto first = parse_timeframe(configured.empty() ? "1m" : configured.front());
  HistoryQuestion question{
      .exchange = arguments.text("exchange"),
      .typed = arguments.required("symbol"),
      .timeframe = arguments.timeframe("timeframe", first ? *first : Timeframe::m1),
      .start = arguments.time("start"),
      .end = arguments.time("end"),
      .limit = arguments.count("limit", default_limit, site.max_rows),
      .order = arguments.order("sort")};
  arguments.check_range(question.start, question.end);
  if (position) question.continue_after(time_from_ns(*position));
  return question;
}

void ask_about_series(const Site& site, Call call, std::string typed, std::string exchange,
                      SeriesAnswer answer) {
  site.questions.ask(
      std::move(call),
      [&site, typed = std::move(typed), exchange = std::move(exchange), answer = std::move(answer)](
          warehouse::Database& database, Call& asked) mutable -> Result<void> {
        const auto series = find_series(site, database, typed, exchange);
        if (!series) return candlewick::fail(series.error());
        if (*series) return answer(database, asked, **series);
        if (!exchange.empty()) {
          const auto is_known = knows_exchange(site, database, exchange);
          if (!is_known) return candlewick::fail(is_known.error());
          if (!*is_known) {
            asked.fail(unknown_exchange(site, exchange));
            return {};
          }
        }
        asked.fail(unknown_symbol(site, typed, exchange));
        return {};
      });
}

}  // namespace candlewick::api
