// A short table of live figures; everything else is found by its column.
#include "alert/figures.h"

#include <algorithm>
#include <array>
#include <set>
#include <variant>

#include "base/json.h"
#include "indicator/registry.h"
#include "schema/table.h"
#include "stream/json_form.h"

namespace candlewick::alert {
namespace {

using pipeline::Latest;
using Found = std::optional<Decimal>;

Found bid_of(const Latest& latest) {
  if (latest.quote) return latest.quote->bid;
  if (latest.ticker && latest.ticker->bid) return latest.ticker->bid;
  if (stream::has_live_ladder(latest) && !latest.ladder->bids.empty())
    return latest.ladder->bids.front().price;
  return std::nullopt;
}

Found ask_of(const Latest& latest) {
  if (latest.quote) return latest.quote->ask;
  if (latest.ticker && latest.ticker->ask) return latest.ticker->ask;
  if (stream::has_live_ladder(latest) && !latest.ladder->asks.empty())
    return latest.ladder->asks.front().price;
  return std::nullopt;
}

Found spread_of(const Latest& latest) {
  const auto bid = bid_of(latest);
  const auto ask = ask_of(latest);
  return bid && ask ? Decimal::subtract(*ask, *bid) : std::nullopt;
}

Found cell_of(const std::optional<schema::Row>& row, std::string_view column) {
  if (!row) return std::nullopt;
  const auto index = row->table->index_of(column);
  if (index == schema::Table::npos) return std::nullopt;
  const auto& value = row->values[index];
  if (const auto* exact = std::get_if<Decimal>(&value)) return *exact;
  if (const auto* number = std::get_if<double>(&value)) return Decimal::from_double(*number);
  return std::nullopt;
}

Found change_of(const Latest& latest) {
  if (latest.ticker && latest.ticker->change_pct_24h) return latest.ticker->change_pct_24h;
  return cell_of(latest.tick, "price_change_pct_24h");
}

template <auto Member>
Found derivative(const Latest& latest) {
  return latest.derivative ? (*latest.derivative).*Member : std::nullopt;
}

struct Live {
  std::string_view name;
  Found (*read)(const Latest&);
};
constexpr std::array live{
    Live{"price", stream::last_price},
    Live{"bid", bid_of},
    Live{"ask", ask_of},
    Live{"spread", spread_of},
    Live{"change_pct_24h", change_of},
    Live{"mark_price", derivative<&Derivative::mark_price>},
    Live{"index_price", derivative<&Derivative::index_price>},
    Live{"funding_rate", derivative<&Derivative::funding_rate>},
    Live{"open_interest", derivative<&Derivative::open_interest>},
};

bool is_number(const schema::Column& column) {
  return column.type == schema::ColumnType::decimal || column.type == schema::ColumnType::real;
}

// Of the row's JSON object of further indicators.
Found extra_of(const std::optional<schema::Row>& row, std::string_view figure) {
  if (!row) return std::nullopt;
  const auto* document = std::get_if<schema::Json>(&row->at("extra"));
  if (document == nullptr) return std::nullopt;
  Found found;
  json::Reader reader;
  const auto read = reader.read(document->text, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key == figure && !value.is_null()) found = Decimal::from_double(value.floating());
    });
  });
  return read ? found : std::nullopt;
}

}  // namespace

std::vector<std::string> figure_names() {
  std::vector<std::string> names;
  for (const auto& figure : live) names.emplace_back(figure.name);
  for (const auto* table : {&schema::market_ticks, &schema::technical_indicators}) {
    for (const auto& column : table->columns) {
      if (is_number(column)) names.emplace_back(column.name);
    }
  }
  const auto extra = indicator::extra_names();
  names.insert(names.end(), extra.begin(), extra.end());
  return names;
}

bool is_indicator(std::string_view figure) {
  const auto extra = indicator::extra_names();
  return std::ranges::find(indicator::columns(), figure, &indicator::Column::name) !=
             indicator::columns().end() ||
         std::ranges::find(extra, figure) != extra.end();
}

std::optional<Decimal> read_figure(const Latest& latest, std::string_view figure) {
  if (latest.is_stale) return std::nullopt;
  if (const auto found = std::ranges::find(live, figure, &Live::name); found != live.end())
    return found->read(latest);
  if (auto value = cell_of(latest.tick, figure)) return value;
  if (auto value = cell_of(latest.indicators, figure)) return value;
  return is_indicator(figure) ? extra_of(latest.indicators, figure) : std::nullopt;
}

std::optional<Decimal> read_figure(const indicator::Values& values, std::string_view figure) {
  indicator::Output output;
  for (const auto& column : indicator::columns()) {
    if (column.name == figure) output = values.*column.value;
  }
  const auto extra = indicator::extra_names();
  for (std::size_t i = 0; i < extra.size() && i < values.extra.size(); ++i) {
    if (extra[i] == figure) output = values.extra[i];
  }
  return output ? Decimal::from_double(*output) : std::nullopt;
}

}  // namespace candlewick::alert
