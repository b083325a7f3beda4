// Prices are sums of smooth noise at many time scales, so that they wander like prices do and yet
// need no history. Assets share a common factor; a pair is its base's price over its quote's, so
// cross rates fit together, and two venues of one seed differ by a sliver only.
#include "simulator/synthetic_market.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "exchange/registry.h"
#include "simulator/noise.h"
#include "simulator/synthetic_book.h"

namespace candlewick::simulator {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t minutes_per_day = 1440;
// Orders are counted from here, whatever the start: 2017-01-01.
constexpr std::int64_t first_day = 17'167;
constexpr auto least_history = std::chrono::days{60};
constexpr auto foreseen = std::chrono::days{3650};
constexpr std::size_t cached_days = 256;

// Orders fall into 1, 2 or 3 trades in a fixed rhythm, which gives both numberings a closed form.
constexpr std::array<std::uint64_t, 8> rhythm{1, 1, 2, 1, 3, 1, 1, 2};
constexpr std::array<std::uint64_t, 8> rhythm_before{0, 1, 2, 4, 5, 8, 9, 10};
constexpr std::uint64_t rhythm_trades = 12;

constexpr std::uint64_t trades_before(std::uint64_t order) {
  return order / rhythm.size() * rhythm_trades + rhythm_before[order % rhythm.size()];
}

constexpr std::uint64_t order_of_trade(std::uint64_t trade) {
  std::uint64_t order = trade / rhythm_trades * rhythm.size() + rhythm.size() - 1;
  while (trades_before(order) > trade) --order;
  return order;
}

// Minutes; each octave swings by the square root of its length, as a random walk would.
constexpr std::array<double, 12> octaves{2,   5.3,  13.7, 34.9,  93.1,  241,
                                         653, 1741, 4603, 12241, 32993, 86413};
constexpr double swing_of_a_minute = 0.00042;

struct AssetRow {
  std::string_view name;
  double price;  // in US dollars
  double beta;   // how far it follows the common factor
  double own;    // how far it goes its own way
};

constexpr std::array<AssetRow, 13> asset_rows{{{"BTC", 65'000, 1.0, 0.25},
                                               {"ETH", 3'200, 1.15, 0.5},
                                               {"SOL", 150, 1.4, 0.9},
                                               {"BNB", 600, 0.9, 0.5},
                                               {"XRP", 0.6, 1.0, 0.9},
                                               {"ADA", 0.45, 1.2, 0.8},
                                               {"DOGE", 0.13, 1.4, 1.1},
                                               {"AVAX", 28, 1.4, 0.9},
                                               {"LINK", 14, 1.2, 0.8},
                                               {"LTC", 80, 1.0, 0.6},
                                               {"DOT", 6, 1.2, 0.7},
                                               {"FARM", 45, 0.8, 1.3},
                                               {"EUR", 1.08, 0.02, 0.05}}};

struct PairRow {
  std::string_view base;
  std::string_view quote;
  int price_digits;
  int size_digits;
  double orders_per_day;
  double order_dollars;
};

constexpr std::array<PairRow, 20> pair_rows{{{"BTC", "USDT", 2, 5, 50'000, 1'800},
                                             {"ETH", "USDT", 2, 4, 36'000, 1'400},
                                             {"SOL", "USDT", 2, 3, 24'000, 900},
                                             {"BNB", "USDT", 2, 3, 14'000, 800},
                                             {"XRP", "USDT", 4, 1, 14'000, 600},
                                             {"ADA", "USDT", 4, 1, 7'000, 400},
                                             {"DOGE", "USDT", 5, 0, 12'000, 500},
                                             {"AVAX", "USDT", 2, 2, 6'000, 400},
                                             {"LINK", "USDT", 2, 2, 6'000, 400},
                                             {"LTC", "USDT", 2, 3, 5'000, 500},
                                             {"DOT", "USDT", 3, 2, 5'000, 300},
                                             // the quiet one: most minutes have no trade
                                             {"FARM", "USDT", 2, 3, 240, 150},
                                             {"ETH", "BTC", 5, 3, 5'000, 700},
                                             {"BNB", "BTC", 6, 2, 2'500, 500},
                                             {"SOL", "BTC", 6, 2, 3'000, 500},
                                             {"SOL", "ETH", 5, 3, 1'500, 400},
                                             {"BNB", "ETH", 4, 3, 1'200, 400},
                                             {"BTC", "USD", 2, 5, 9'000, 900},
                                             {"ETH", "USD", 2, 4, 6'000, 700},
                                             {"SOL", "USD", 2, 3, 3'000, 400}}};

bool is_dollar(std::string_view asset) {
  return asset.ends_with("USD") || asset.starts_with("USD");
}

Decimal power_of_ten(int negative_exponent) {
  int128 count = Decimal::one;
  for (int i = 0; i < negative_exponent; ++i) count /= 10;
  return Decimal::from_count(count);
}

std::uint64_t day_key(std::size_t listing, std::int64_t day) {
  return (static_cast<std::uint64_t>(listing) << 32U) ^ static_cast<std::uint64_t>(day);
}

}  // namespace

struct SyntheticMarket::Asset {
  std::uint64_t seed = 0;
  std::uint64_t common_seed = 0;
  double log_price = 0.0;
  double beta = 0.0;
  double own = 0.0;
};

struct SyntheticMarket::Pair {
  std::uint64_t seed = 0;
  Asset base;
  Asset quote;
  double orders_per_day = 0.0;
  double mean_steps = 1.0;  // of an order
  double tick = 0.01;
  int128 tick_count = 0;
  int128 step_count = 0;
  std::vector<std::uint64_t> first_order_of_day;  // from first_day on
  std::array<Day, 4> days;
  std::array<Minute, 16> minutes;
  std::unordered_map<std::int64_t, Bar> day_bars;
  std::vector<Renumbering> renumberings;  // ascending
  // Orders before the first known minute, once asked for: each look at the book needs it.
  std::optional<std::uint64_t> unknown_orders;
  std::unique_ptr<SyntheticBook> book;
  mutable std::int64_t price_minute = -1;
  mutable double price_log = 0.0;
};

SyntheticMarket::SyntheticMarket(SyntheticOptions options) : options_(std::move(options)) {
  const Time early = options_.start - least_history;
  known_from_ = candlewick::open_of(Timeframe::mo1, early);
  known_until_ = options_.start + foreseen;
}

SyntheticMarket::~SyntheticMarket() = default;

Result<std::unique_ptr<SyntheticMarket>> SyntheticMarket::make(SyntheticOptions options) {
  if (options.start < Time{std::chrono::days{first_day}} + least_history + 31 * 24h) {
    return fail(ErrorKind::misconfigured, "a synthetic market cannot start before 2017-05-01 ({})",
                to_rfc3339(options.start));
  }
  std::unique_ptr<SyntheticMarket> market(new SyntheticMarket(std::move(options)));
  auto symbols = market->options_.symbols;
  if (symbols.empty()) {
    for (const auto& row : pair_rows) {
      if (row.quote == "USD" && market->options_.exchange != "binance-us") continue;
      symbols.push_back(fmt::format("{}/{}", row.base, row.quote));
    }
  }
  for (const auto& symbol : symbols) {
    auto listed = market->list(symbol);
    if (!listed) return fail(std::move(listed.error()));
  }
  return market;
}

Result<void> SyntheticMarket::list(const std::string& symbol) {
  const auto folded = folded_symbol(symbol);
  const auto slash = symbol.find('/');
  std::string base = slash == std::string::npos ? "" : folded_symbol(symbol.substr(0, slash));
  for (const auto quote : quote_assets) {
    if (!base.empty()) break;
    if (folded.size() > quote.size() && folded.ends_with(quote)) {
      base = folded.substr(0, folded.size() - quote.size());
    }
  }
  const std::string quote = folded.substr(base.size());
  const auto is_plain = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  if (base.empty() || quote.empty() || !std::ranges::all_of(folded, is_plain)) {
    return fail(ErrorKind::misconfigured, "cannot tell base and quote of the symbol \"{}\"",
                symbol);
  }
  if (resolve(folded)) return {};

  // Prices belong to the seed. All venues trade the same, so that one truth holds for all, but
  // for Binance.US.
  const auto asset = [&](std::string_view name) {
    Asset made;
    made.seed = mix(options_.seed, hash_text(name));
    made.common_seed = mix(options_.seed, hash_text("everything"));
    if (is_dollar(name)) return made;
    const auto* row = std::ranges::find(asset_rows, name, &AssetRow::name);
    const double price = row != asset_rows.end()
                             ? row->price
                             : std::pow(10.0, 3.5 * fraction(hash_text(name)) - 1.0);
    made.log_price = std::log(price);
    made.beta = row != asset_rows.end() ? row->beta : 1.2;
    made.own = row != asset_rows.end() ? row->own : 1.0;
    return made;
  };
  auto pair = std::make_unique<Pair>();
  pair->base = asset(base);
  pair->quote = asset(quote);
  pair->seed = mix(
      mix(options_.seed, hash_text(options_.exchange == "binance-us" ? "binance-us" : "binance")),
      hash_text(folded));
  const double price = std::exp(pair->base.log_price - pair->quote.log_price);
  const double dollars = std::exp(pair->base.log_price);

  const auto* row = std::ranges::find_if(
      pair_rows, [&](const PairRow& one) { return one.base == base && one.quote == quote; });
  const bool is_known = row != pair_rows.end();
  const int magnitude = static_cast<int>(std::floor(std::log10(price)));
  Listing listing;
  listing.price_digits = is_known ? row->price_digits : std::clamp(4 - magnitude, 0, 8);
  listing.size_digits =
      is_known ? row->size_digits : std::clamp(magnitude + 1, 0, 8 - listing.price_digits);
  const double share = options_.exchange == "binance-us" ? 0.1 : 1.0;
  const double per_day = is_known ? row->orders_per_day : 4'000;
  pair->orders_per_day =
      std::max(20.0, per_day * options_.activity * (per_day < 1000 ? 1.0 : share));
  const double order_dollars = is_known ? row->order_dollars : 400;
  pair->mean_steps = std::max(2.0, order_dollars / dollars * std::pow(10.0, listing.size_digits));
  pair->tick = std::pow(10.0, -listing.price_digits);
  pair->tick_count = power_of_ten(listing.price_digits).count();
  pair->step_count = power_of_ten(listing.size_digits).count();
  const auto* const venue = exchange::find_venue(options_.exchange);
  const auto market = venue == nullptr ? candlewick::Market::spot : venue->market;
  const bool is_spot = market == candlewick::Market::spot;
  listing.instrument = {.exchange = venue == nullptr ? options_.exchange : std::string(venue->name),
                        .symbol = base + "/" + quote + (is_spot ? "" : ":" + quote),
                        .exchange_symbol = spelled(options_.exchange, base, quote),
                        .base = base,
                        .quote = quote,
                        .market = market,
                        .status = ListingStatus::trading,
                        .tick_size = power_of_ten(listing.price_digits),
                        .step_size = power_of_ten(listing.size_digits),
                        .listed = true};
  const BookShape shape{.seed = mix(pair->seed, 0xB00C),
                        .tick = *listing.instrument.tick_size,
                        .step = *listing.instrument.step_size,
                        .price_ticks = static_cast<std::int64_t>(price / pair->tick),
                        .mean_steps = pair->mean_steps};
  pair->book = std::make_unique<SyntheticBook>(*this, listings_.size(), shape);
  listings_.push_back(std::move(listing));
  pairs_.push_back(std::move(pair));
  return {};
}

double SyntheticMarket::asset_log_price(const Asset& asset, double minutes) const {
  if (asset.own == 0.0) return 0.0;
  double wander = 0.0;
  for (std::size_t i = 0; i < octaves.size(); ++i) {
    const double at = minutes / octaves[i];
    const double amplitude = swing_of_a_minute * std::sqrt(octaves[i]);
    wander += amplitude * (asset.beta * smooth_noise(mix(asset.common_seed, i), at) +
                           asset.own * smooth_noise(mix(asset.seed, i), at));
  }
  return asset.log_price + wander;
}

double SyntheticMarket::log_price(const Pair& pair, std::int64_t minute) const {
  if (pair.price_minute != minute) {
    const auto at = static_cast<double>(minute);
    // What venues differ by.
    const double sliver = 0.00015 * smooth_noise(mix(pair.seed, 0x517), at / 7.0);
    pair.price_log = asset_log_price(pair.base, at) - asset_log_price(pair.quote, at) + sliver;
    pair.price_minute = minute;
  }
  return pair.price_log;
}

void SyntheticMarket::number_days(Pair& pair, std::int64_t until) {
  auto& first = pair.first_order_of_day;
  if (first.empty()) first.push_back(0);
  while (static_cast<std::int64_t>(first.size()) <= until - first_day + 1) {
    const auto day = static_cast<std::uint64_t>(first_day) + first.size() - 1;
    const double busy = 0.7 + 0.6 * fraction(mix(pair.seed, 0xDA1, day));
    first.push_back(first.back() + static_cast<std::uint64_t>(pair.orders_per_day * busy));
  }
}

const SyntheticMarket::Day& SyntheticMarket::day(std::size_t listing, std::int64_t day) {
  Pair& pair = *pairs_[listing];
  Day& slot = pair.days[static_cast<std::size_t>(day) % pair.days.size()];
  if (slot.day == day) return slot;
  number_days(pair, day);
  const auto index = static_cast<std::size_t>(day - first_day);
  const auto all =
      static_cast<double>(pair.first_order_of_day[index + 1] - pair.first_order_of_day[index]);
  std::array<double, minutes_per_day + 1> weight{};
  for (std::int64_t i = 0; i < minutes_per_day; ++i) {
    const std::int64_t minute = day * minutes_per_day + i;
    const std::uint64_t hash = mix(pair.seed, 0x317, static_cast<std::uint64_t>(minute));
    const double tide = 1.0 + 0.6 * smooth_noise(pair.seed, static_cast<double>(minute) / 170.0);
    const double burst = (hash & 63U) == 0 ? 4.0 : 1.0;
    const auto at = static_cast<std::size_t>(i);
    weight[at + 1] = weight[at] + tide * burst * (0.3 + 1.4 * fraction(hash));
  }
  slot.day = day;
  slot.first_order = pair.first_order_of_day[index];
  slot.before.resize(minutes_per_day + 1);
  for (std::size_t i = 0; i <= minutes_per_day; ++i) {
    slot.before[i] = static_cast<std::uint32_t>(all * (weight[i] / weight.back()));
  }
  return slot;
}

std::uint64_t SyntheticMarket::orders_before(std::size_t listing, std::int64_t minute) {
  const Day& one = day(listing, minute / minutes_per_day);
  return one.first_order + one.before[static_cast<std::size_t>(minute % minutes_per_day)];
}

void SyntheticMarket::make_orders(std::size_t listing, std::int64_t minute,
                                  std::vector<Order>& out) {
  out.clear();
  const Day& one = day(listing, minute / minutes_per_day);
  const auto in_day = static_cast<std::size_t>(minute % minutes_per_day);
  const std::uint64_t first = one.first_order + one.before[in_day];
  const std::uint32_t count = one.before[in_day + 1] - one.before[in_day];
  if (count == 0) return;
  const Pair& pair = *pairs_[listing];
  const double from = std::exp(log_price(pair, minute));
  const double to = std::exp(log_price(pair, minute + 1));
  out.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint64_t hash = mix(pair.seed, first + i);
    Order order;
    // One order in each of `count` slots keeps them sorted.
    const double at = (static_cast<double>(i) + fraction(hash)) / count;
    order.time = time_of_minute(minute) + std::chrono::milliseconds(static_cast<int>(at * 60'000));
    const double ripple =
        from * 0.00025 *
        smooth_noise(mix(pair.seed, 0x21), (static_cast<double>(minute) + at) * 12.0);
    const double middle = from + (to - from) * at + ripple * 4.0 * at * (1.0 - at);
    const std::uint64_t draw = mix(hash);
    order.spread_ticks = 1 + static_cast<std::int64_t>((draw >> 8U) % 3);
    order.taker_is_buyer = (draw & 1U) != 0;
    const auto ticks = static_cast<std::int64_t>(middle / pair.tick);
    order.price_ticks =
        std::max<std::int64_t>(10, order.taker_is_buyer ? ticks + (order.spread_ticks + 1) / 2
                                                        : ticks - order.spread_ticks / 2);
    const double luck = fraction(mix(draw));
    const double size = pair.mean_steps * (luck < 0.03 ? 8.0 : 1.0) * -std::log(1.0 - luck * 0.97);
    order.size_steps = 3 + static_cast<std::int64_t>(size);
    out.push_back(order);
  }
}

void SyntheticMarket::make_trades(std::size_t listing, std::uint64_t first_order,
                                  std::span<const Order> orders,
                                  std::vector<MarketTrade>& out) const {
  out.clear();
  const Pair& pair = *pairs_[listing];
  std::uint64_t number = first_order - 1;
  for (const auto& order : orders) {
    ++number;
    if (is_blacked_out(order.time)) continue;
    const Renumbering shift = renumbering_of(pair, number);
    const auto parts = static_cast<std::int64_t>(rhythm[number % rhythm.size()]);
    std::int64_t left = order.size_steps;
    for (std::int64_t part = 0; part < parts; ++part) {
      const std::int64_t steps = part + 1 == parts ? left : std::max<std::int64_t>(1, left / 3);
      left -= steps;
      MarketTrade trade;
      trade.id = trades_before(number) + static_cast<std::uint64_t>(part + 1 + shift.trades);
      trade.aggregate_id = number + static_cast<std::uint64_t>(1 + shift.aggregates);
      trade.time = order.time;
      trade.price = Decimal::from_count(order.price_ticks * pair.tick_count);
      trade.size = Decimal::from_count(steps * pair.step_count);
      // Ticks times steps has at most eight digits, so nothing is rounded.
      trade.quote_size = Decimal::from_count(int128{order.price_ticks} * steps *
                                             (pair.tick_count / (Decimal::one / pair.step_count)));
      trade.taker_is_buyer = order.taker_is_buyer;
      out.push_back(trade);
    }
  }
}

SyntheticMarket::Minute& SyntheticMarket::minute_slot(std::size_t listing, std::int64_t minute) {
  Pair& pair = *pairs_[listing];
  Minute& slot = pair.minutes[static_cast<std::size_t>(minute) % pair.minutes.size()];
  if (slot.minute != minute) {
    make_orders(listing, minute, slot.orders);
    slot.minute = minute;
    slot.has_trades = false;
  }
  return slot;
}

std::span<const Order> SyntheticMarket::minute_orders(std::size_t listing, std::int64_t minute) {
  return minute_slot(listing, minute).orders;
}

std::span<const MarketTrade> SyntheticMarket::minute_trades(std::size_t listing,
                                                            std::int64_t minute) {
  if (time_of_minute(minute) < known_from_ || time_of_minute(minute) >= known_until_) return {};
  Minute& slot = minute_slot(listing, minute);
  if (!slot.has_trades) {
    make_trades(listing, orders_before(listing, minute), slot.orders, slot.trades);
    slot.has_trades = true;
  }
  return slot.trades;
}

std::optional<std::int64_t> SyntheticMarket::minute_of_order(std::size_t listing,
                                                             std::uint64_t number) {
  Pair& pair = *pairs_[listing];
  if (!pair.unknown_orders) pair.unknown_orders = orders_before(listing, minute_of(known_from_));
  if (number < *pair.unknown_orders) return minute_of(known_from_);
  const std::int64_t last_day = minute_of(known_until_) / minutes_per_day;
  number_days(pair, last_day);
  const auto& first = pair.first_order_of_day;
  const auto after = std::ranges::upper_bound(first, number);
  if (after == first.end()) return std::nullopt;
  const std::int64_t in = first_day + (after - first.begin()) - 1;
  const Day& one = day(listing, in);
  const auto minute =
      std::ranges::upper_bound(one.before, static_cast<std::uint32_t>(number - one.first_order));
  return in * minutes_per_day + (minute - one.before.begin()) - 1;
}

// `order_of` tells the order that has an id under a renumbering. Ids that were jumped over stand
// for the first one behind the jump.
template <class OrderOf>
std::optional<std::int64_t> SyntheticMarket::minute_of_id(std::size_t listing, std::uint64_t id,
                                                          OrderOf order_of) {
  const auto& renumberings = pairs_[listing]->renumberings;
  std::uint64_t number = order_of(id, Renumbering{});
  for (const auto& next : renumberings) {
    if (number < next.first_order) break;
    number = std::max(next.first_order, order_of(id, next));
  }
  return minute_of_order(listing, number);
}

std::optional<std::int64_t> SyntheticMarket::minute_of_aggregate(std::size_t listing,
                                                                 std::uint64_t id) {
  return minute_of_id(listing, id, [](std::uint64_t wanted, const Renumbering& shift) {
    const auto plain = static_cast<std::int64_t>(wanted) - shift.aggregates - 1;
    return static_cast<std::uint64_t>(std::max<std::int64_t>(plain, 0));
  });
}

std::optional<std::int64_t> SyntheticMarket::minute_of_trade(std::size_t listing,
                                                             std::uint64_t id) {
  return minute_of_id(listing, id, [](std::uint64_t wanted, const Renumbering& shift) {
    const auto plain = static_cast<std::int64_t>(wanted) - shift.trades - 1;
    return order_of_trade(static_cast<std::uint64_t>(std::max<std::int64_t>(plain, 0)));
  });
}

bool SyntheticMarket::is_blacked_out(Time time) const {
  return std::ranges::any_of(blackouts_, [&](const MarketEvents::Blackout& blackout) {
    return time >= blackout.from && time < blackout.to;
  });
}

SyntheticMarket::Renumbering SyntheticMarket::renumbering_of(const Pair& pair,
                                                             std::uint64_t order) const {
  Renumbering shift;
  for (const auto& next : pair.renumberings) {
    if (order >= next.first_order) shift = next;
  }
  return shift;
}

std::uint64_t SyntheticMarket::orders_until(std::size_t listing, Time time) {
  const std::int64_t minute = minute_of(time);
  const std::uint64_t before = orders_before(listing, minute);
  const auto orders = minute_orders(listing, minute);
  return before + static_cast<std::uint64_t>(std::ranges::count_if(
                      orders, [&](const Order& order) { return order.time < time; }));
}

// Orders keep their numbers, by which they and the book are made; only what is told of them
// changes.
void SyntheticMarket::renumber(std::size_t listing, const MarketEvents& events) {
  std::vector<Renumbering> steps;  // each adds to those before
  for (const auto& jump : events.jumps) {
    const auto ids = static_cast<std::int64_t>(jump.ids);
    steps.push_back({orders_until(listing, jump.at), ids, ids});
  }
  for (const auto& blackout : blackouts_) {
    const auto from = orders_until(listing, blackout.from);
    const auto to = orders_until(listing, blackout.to);
    steps.push_back({to, static_cast<std::int64_t>(trades_before(from) - trades_before(to)),
                     static_cast<std::int64_t>(from - to)});
  }
  std::ranges::sort(steps, {}, &Renumbering::first_order);
  auto& all = pairs_[listing]->renumberings;
  all.clear();
  Renumbering sum;
  for (const auto& step : steps) {
    sum = {step.first_order, sum.trades + step.trades, sum.aggregates + step.aggregates};
    if (!all.empty() && all.back().first_order == sum.first_order) all.pop_back();
    all.push_back(sum);
  }
}

Result<void> SyntheticMarket::set_events(const MarketEvents& events) {
  // Those that overlap are one.
  auto blackouts = events.blackouts;
  std::ranges::sort(blackouts, {}, &MarketEvents::Blackout::from);
  blackouts_.clear();
  for (const auto& blackout : blackouts) {
    if (!blackouts_.empty() && blackout.from <= blackouts_.back().to) {
      blackouts_.back().to = std::max(blackouts_.back().to, blackout.to);
    } else {
      blackouts_.push_back(blackout);
    }
  }
  bars_.clear();
  ages_.clear();
  for (std::size_t listing = 0; listing < pairs_.size(); ++listing) {
    renumber(listing, events);
    pairs_[listing]->day_bars.clear();
    for (auto& slot : pairs_[listing]->minutes) slot.has_trades = false;
  }
  return {};
}

const Order& SyntheticMarket::order(std::size_t listing, std::uint64_t number) {
  const auto minute = minute_of_order(listing, number);
  check(minute.has_value(), "the order lies within the foreseen time");
  const auto orders = minute_orders(listing, *minute);
  return orders[number - orders_before(listing, *minute)];
}

const std::vector<Bar>& SyntheticMarket::minute_bars(std::size_t listing, std::int64_t day) {
  const std::uint64_t key = day_key(listing, day);
  if (const auto found = bars_.find(key); found != bars_.end()) {
    ages_.splice(ages_.begin(), ages_, found->second.age);
    return found->second.minutes;
  }
  if (bars_.size() >= cached_days) {
    bars_.erase(day_key(ages_.back().first, ages_.back().second));
    ages_.pop_back();
  }
  DayBars made;
  made.minutes.resize(minutes_per_day);
  std::vector<Order> orders;
  std::vector<MarketTrade> trades;
  for (std::int64_t i = 0; i < minutes_per_day; ++i) {
    const std::int64_t minute = day * minutes_per_day + i;
    make_orders(listing, minute, orders);
    make_trades(listing, orders_before(listing, minute), orders, trades);
    for (const auto& trade : trades) made.minutes[static_cast<std::size_t>(i)].add(trade);
  }
  ages_.emplace_front(listing, day);
  made.age = ages_.begin();
  return bars_.emplace(key, std::move(made)).first->second.minutes;
}

const Bar& SyntheticMarket::day_bar(std::size_t listing, std::int64_t day) {
  auto& known = pairs_[listing]->day_bars;
  if (const auto found = known.find(day); found != known.end()) return found->second;
  Bar whole;
  for (const auto& minute : minute_bars(listing, day)) whole.add(minute);
  return known.emplace(day, whole).first->second;
}

Bar SyntheticMarket::bar(std::size_t listing, Time from, Time to) {
  from = std::max(from, known_from_);
  to = std::min(to, known_until_);
  Bar result;
  Time at = from;
  while (at < to) {
    const std::int64_t minute = minute_of(at);
    const std::int64_t in_day = minute % minutes_per_day;
    const bool whole_minute = at == time_of_minute(minute) && time_of_minute(minute + 1) <= to;
    if (!whole_minute) {
      const Time end = std::min(time_of_minute(minute + 1), to);
      for (const auto& trade : minute_trades(listing, minute)) {
        if (trade.time >= at && trade.time < end) result.add(trade);
      }
      at = end;
    } else if (in_day == 0 && time_of_minute(minute + minutes_per_day) <= to) {
      result.add(day_bar(listing, minute / minutes_per_day));
      at = time_of_minute(minute + minutes_per_day);
    } else {
      const auto& minutes = minute_bars(listing, minute / minutes_per_day);
      const std::int64_t last =
          std::min<std::int64_t>(minutes_per_day, in_day + (to - at) / std::chrono::minutes{1});
      for (auto i = in_day; i < last; ++i) result.add(minutes[static_cast<std::size_t>(i)]);
      at = time_of_minute(minute - in_day + last);
    }
  }
  return result;
}

Book SyntheticMarket::book(std::size_t listing, Time at, std::size_t levels) {
  SyntheticBook& steps = *pairs_[listing]->book;
  return steps.book(steps.step_at(at), levels);
}

BookSteps* SyntheticMarket::book_steps(std::size_t listing) {
  return pairs_[listing]->book.get();
}

}  // namespace candlewick::simulator
