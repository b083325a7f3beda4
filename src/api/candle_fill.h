// Rows in the places where no candle is, for those who need every place: on purpose only, and told
// apart from candles by their source. Why a candle is not there (no trade, or a hole) is what
// /v1/coverage tells.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "market/event.h"
#include "query/candles.h"

namespace candlewick::api {

// null: without prices; previous: with the close before, and volumes of zero.
enum class Fill : unsigned char { none, null, previous };
inline constexpr std::array<std::string_view, 3> fill_names{"none", "null", "previous"};

// One row of a page: a candle, or none where one would be.
struct PlacedCandle {
  Time open_time;
  std::optional<Decimal> close;  // of rows that are filled in: the price they show
  const query::Candle* stored = nullptr;
  const Candle* live = nullptr;
};
void append_placed(std::string& out, const PlacedCandle& row);

struct FillRange {
  Fill fill = Fill::none;
  Timeframe timeframe{};
  Time begin{};                         // places from there on
  Time end{};                           // places before
  std::optional<Decimal> close_before;  // of the last candle before `begin`
};

// `candles` with the places between them, in the same order, at most `limit` rows. When
// `has_more`, candles follow that are not among these, and nothing is filled in behind the last.
std::vector<PlacedCandle> filled(std::span<const PlacedCandle> candles, const FillRange& range,
                                 query::Order order, std::size_t limit, bool has_more);

}  // namespace candlewick::api
