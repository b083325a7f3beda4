// A cursor continues behind the last row that was told, so rows that arrive meanwhile shift
// nothing.
#include "api/paging.h"

#include "api/cursor.h"

namespace candlewick::api {
namespace {

constexpr std::size_t default_limit = 1000;
// Warehouses keep microseconds: anything less would ask for the same row again.
constexpr Duration stored_unit = std::chrono::microseconds{1};

}  // namespace

std::optional<std::int64_t> take_cursor(Call& call, std::string_view route) {
  Arguments& arguments = call.arguments;
  if (!arguments.has("cursor")) return std::nullopt;
  const auto cursor = parse_cursor(arguments.text("cursor"));
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
  return cursor->position;
}

void append_next(json::Members& members, const Call& call, std::string_view route,
                 std::optional<std::int64_t> position) {
  if (!position) {
    members.raw("next_cursor", "null").raw("next_url", "null");
    return;
  }
  net::Query parameters = call.arguments.without("cursor");
  const std::string text =
      to_text(Cursor{.route = std::string(route), .position = *position, .parameters = parameters});
  parameters.emplace_back("cursor", text);
  members("next_cursor", text);
  members("next_url", fmt::format("{}?{}", route, net::build_query(parameters)));
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
