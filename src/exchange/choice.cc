// Filter, value, order.
#include "exchange/choice.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace candlewick::exchange {
namespace {

// Worth a dollar, as far as an order of volumes goes.
constexpr std::array<std::string_view, 11> dollars{"USD",  "USDT", "USDC", "FDUSD", "TUSD", "DAI",
                                                   "USDP", "BUSD", "USD1", "USDE",  "PYUSD"};

bool is_dollar(std::string_view asset) {
  return std::ranges::find(dollars, asset) != dollars.end();
}

// What one unit of each quote asset is worth, as the venue trades it against a dollar.
std::unordered_map<std::string_view, double> dollar_prices(const DayVolumes& volumes) {
  struct Price {
    double price = 0;
    double volume = -1;
  };
  std::unordered_map<std::string_view, Price> best;
  for (const auto& [instrument, day] : volumes) {
    const bool is_direct = is_dollar(instrument->quote);
    const bool is_inverse = is_dollar(instrument->base) && day.last > 0;
    if (!is_direct && !is_inverse) continue;
    const double price = is_direct ? day.last : 1 / day.last;
    const double volume = is_direct ? day.quote_volume : day.quote_volume * price;
    Price& known = best[is_direct ? instrument->base : instrument->quote];
    if (volume > known.volume) known = {price, volume};
  }
  std::unordered_map<std::string_view, double> prices;
  for (const auto& [asset, price] : best) prices[asset] = price.price;
  for (const auto asset : dollars) prices[asset] = 1;
  return prices;
}

}  // namespace

std::optional<DayVolume> day_volume_of(const Ticker& ticker) {
  if (!ticker.last) return std::nullopt;
  DayVolume day{.last = ticker.last->to_double()};
  if (ticker.quote_volume_24h) {
    day.quote_volume = ticker.quote_volume_24h->to_double();
  } else if (ticker.volume_24h) {
    day.quote_volume = ticker.volume_24h->to_double() * day.last;
  } else {
    return std::nullopt;
  }
  return day;
}

std::vector<const Instrument*> instruments_of_rule(const Selection& rule,
                                                   const Catalogue& catalogue,
                                                   const DayVolumes& volumes) {
  struct Candidate {
    const Instrument* instrument;
    double dollars;
  };
  const auto prices = rule.top > 0 ? dollar_prices(volumes) : decltype(dollar_prices(volumes)){};
  std::vector<Candidate> candidates;
  catalogue.each([&](const Instrument& instrument) {
    const bool is_closed =
        instrument.status == ListingStatus::halted || instrument.status == ListingStatus::delisted;
    if (!instrument.listed || is_closed) return;
    if (!rule.quote.empty() && instrument.quote != rule.quote) return;
    double worth = 0;
    if (rule.top > 0) {
      const auto day = volumes.find(&instrument);
      const auto price = prices.find(instrument.quote);
      // Within one quote asset the order needs no price.
      const double unit = price != prices.end() ? price->second : rule.quote.empty() ? 0 : 1;
      if (day == volumes.end() || unit == 0) return;
      worth = day->second.quote_volume * unit;
    }
    candidates.push_back({&instrument, worth});
  });
  std::ranges::sort(candidates, [](const Candidate& a, const Candidate& b) {
    return a.dollars != b.dollars ? a.dollars > b.dollars
                                  : a.instrument->symbol < b.instrument->symbol;
  });
  if (rule.top > 0 && candidates.size() > rule.top) candidates.resize(rule.top);
  std::vector<const Instrument*> chosen;
  for (const auto& candidate : candidates) chosen.push_back(candidate.instrument);
  return chosen;
}

}  // namespace candlewick::exchange
