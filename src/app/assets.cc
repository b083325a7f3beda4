// The catalogue's pins, the memory's ages, rows.
#include "app/assets.h"

#include "query/assets.h"
#include "warehouse/catalogue.h"

namespace candlewick::app {

Result<std::unique_ptr<Assets>> Assets::make(Parts parts, const std::vector<std::string>& assets,
                                             warehouse::Database* memory) {
  const auto catalogue = warehouse::Catalogue::built_in();
  if (!catalogue) return fail(catalogue.error());
  std::map<std::string, Time> recorded;
  if (memory != nullptr) {
    auto known = query::assets_recorded_at(*memory);
    if (!known) return fail(std::move(known.error()));
    recorded = std::move(*known);
  }
  const Time now = parts.clock.now();
  std::vector<fundamentals::Wanted> wanted;
  for (const auto& asset : assets) {
    fundamentals::Wanted one{.asset = asset, .coingecko_id = {}, .facts_age = {}};
    if (const auto* known = catalogue->find_asset(asset)) one.coingecko_id = known->coingecko_id;
    if (const auto found = recorded.find(asset); found != recorded.end())
      one.facts_age = std::max<Duration>(now - found->second, Duration{0});
    wanted.push_back(std::move(one));
  }
  std::unique_ptr<Assets> made(new Assets(std::move(parts)));
  const Config& config = made->parts_.config;
  fundamentals::CoinGeckoOptions options;
  options.base_url = config.coingecko.base_url;
  options.api_key = config.coingecko_api_key;
  options.refresh_interval = config.coingecko.refresh_interval;
  options.max_age = 3 * config.coingecko.refresh_interval;
  options.seed = static_cast<std::uint64_t>(to_ns(now));
  fundamentals::Handler& handler = *made;
  made->source_ = std::make_unique<fundamentals::CoinGecko>(std::move(options), std::move(wanted),
                                                            handler, made->parts_.observer);
  return made;
}

void Assets::start() {
  driver_ =
      std::make_unique<fundamentals::Driver>(*source_, parts_.loop, parts_.http, parts_.clock);
  driver_->start();
}

void Assets::on_market(const std::string& asset, const fundamentals::MarketFacts& facts) {
  parts_.on_market(asset, facts);
}

void Assets::on_asset(const std::string& asset, const fundamentals::AssetFacts& facts) {
  parts_.on_row(
      {&schema::assets,
       {asset, facts.name,
        facts.sector ? schema::Value{*facts.sector} : schema::Value{schema::Null{}},
        facts.launch_date ? schema::Value{*facts.launch_date} : schema::Value{schema::Null{}},
        facts.coingecko_id, parts_.clock.now()}});
}

}  // namespace candlewick::app
