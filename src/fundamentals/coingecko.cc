// What is asked next: the market when it is due, then who is meant by tickers, then single coins.
// Limits and headers: https://docs.coingecko.com (errors and rate limits, authentication), read in
// November 2026. Every request counts against the limit, refused ones too.
#include "fundamentals/coingecko.h"

#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "fundamentals/observations.h"

namespace candlewick::fundamentals {

using namespace std::chrono_literals;

namespace {

constexpr std::string_view public_url = "https://api.coingecko.com/api/v3";
constexpr std::string_view paid_host = "https://pro-api.coingecko.com";
constexpr std::size_t coins_a_page = 250;
constexpr Duration list_interval = 24h;
// After a single question that failed by itself, so that it does not hold up the market.
constexpr Duration postponed_for = 1h;
// A limit that names no time is one of a minute.
constexpr Duration rate_limit_pause = 60s;
constexpr Duration refused_key_pause = 1h;
constexpr std::size_t largest_reply = 32U << 20U;

// Seconds; a date, the other form, is not sent there.
Duration retry_after(const net::Headers& headers) {
  const auto text = headers.get("Retry-After");
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || seconds < 0) return rate_limit_pause;
  return std::chrono::seconds{std::clamp<std::int64_t>(seconds, 1, 86'400)};
}

bool is_same_ticker(std::string_view asset, std::string_view symbol) {
  return net::equal_ignoring_case(asset, symbol);
}

// Ids are put into URLs as they are: small letters, digits and few signs. Others are no ids.
bool is_plain(std::string_view id) {
  return !id.empty() && std::ranges::all_of(id, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

void append_pages(std::deque<std::vector<std::string>>& pages, const std::set<std::string>& ids) {
  for (const auto& id : ids) {
    if (pages.empty() || pages.back().size() >= coins_a_page) pages.emplace_back();
    pages.back().push_back(id);
  }
}

}  // namespace

std::string_view CoinGecko::to_text(Stage stage) {
  switch (stage) {
    case Stage::markets:
      return "markets";
    case Stage::list:
      return "list";
    case Stage::candidates:
      return "candidates";
    case Stage::coin:
      return "coin";
  }
  std::unreachable();
}

CoinGecko::CoinGecko(CoinGeckoOptions options, std::vector<Wanted> wanted, Handler& handler,
                     Observer& observer)
    : options_(std::move(options)),
      handler_(handler),
      observer_(observer),
      backoff_(options_.backoff, options_.seed),
      spacing_(60s / (options_.api_key.empty() ? options_.requests_per_minute
                                               : options_.requests_per_minute_with_key)) {
  if (options_.base_url.empty()) options_.base_url = public_url;
  for (auto& one : wanted) {
    Coin coin;
    coin.asset = std::move(one.asset);
    coin.is_pinned = one.coingecko_id && is_plain(*one.coingecko_id);
    if (coin.is_pinned) coin.id = std::move(one.coingecko_id);
    coin.facts_age = one.facts_age;
    coins_.push_back(std::move(coin));
  }
}

void CoinGecko::begin(SteadyTime now) {
  has_begun_ = true;
  not_before_ = now;
  markets_due_ = now;
  for (auto& coin : coins_) {
    if (!coin.is_pinned) list_due_ = now;
    const Duration age =
        std::min(coin.facts_age.value_or(options_.facts_lifetime), options_.facts_lifetime);
    coin.facts_due = now + (options_.facts_lifetime - age);
  }
}

void CoinGecko::take_back_old(SteadyTime now) {
  for (auto& coin : coins_) {
    if (!coin.told_at || now < *coin.told_at + options_.max_age) continue;
    coin.told_at.reset();
    handler_.on_market(coin.asset, {});
  }
}

void CoinGecko::plan_markets() {
  std::set<std::string> ids;
  for (const auto& coin : coins_) {
    if (coin.id) ids.insert(*coin.id);
  }
  append_pages(market_pages_, ids);
}

CoinGecko::Coin* CoinGecko::coin_that_is_due(SteadyTime now) {
  for (auto& coin : coins_) {
    if (coin.id && !coin.is_missing && coin.facts_due && *coin.facts_due <= now) return &coin;
  }
  return nullptr;
}

std::optional<net::HttpRequest> CoinGecko::next(SteadyTime now) {
  if (!has_begun_) begin(now);
  take_back_old(now);
  if (under_way_ || now < not_before_) return std::nullopt;
  if (market_pages_.empty() && now >= markets_due_) {
    plan_markets();
    markets_due_ = now + options_.refresh_interval;
  }
  if (!market_pages_.empty()) {
    under_way_ = Stage::markets;
  } else if (list_due_ && now >= *list_due_) {
    under_way_ = Stage::list;
  } else if (!candidate_pages_.empty()) {
    under_way_ = Stage::candidates;
  } else if ((asked_ = coin_that_is_due(now)) != nullptr) {
    under_way_ = Stage::coin;
  } else {
    return std::nullopt;
  }
  not_before_ = now + spacing_;
  return request_for(*under_way_);
}

net::HttpRequest CoinGecko::request_for(Stage stage) const {
  const auto markets_of = [](const std::vector<std::string>& ids) {
    return fmt::format("/coins/markets?vs_currency=usd&per_page={}&page=1&ids={}", coins_a_page,
                       fmt::join(ids, "%2C"));
  };
  std::string target;
  switch (stage) {
    case Stage::markets:
      target = markets_of(market_pages_.front());
      break;
    case Stage::list:
      target = "/coins/list";
      break;
    case Stage::candidates:
      target = markets_of(candidate_pages_.front());
      break;
    case Stage::coin:
      target = fmt::format(
          "/coins/{}?localization=false&tickers=false&market_data=false&community_data=false"
          "&developer_data=false&sparkline=false",
          *asked_->id);
      break;
  }
  net::HttpRequest request;
  request.url = options_.base_url + target;
  request.max_body_bytes = largest_reply;
  request.headers.add("Accept", "application/json");
  if (!options_.api_key.empty()) {
    request.headers.add(
        options_.base_url.starts_with(paid_host) ? "x-cg-pro-api-key" : "x-cg-demo-api-key",
        options_.api_key.reveal());
  }
  return request;
}

std::optional<SteadyTime> CoinGecko::next_wake() const {
  std::optional<SteadyTime> wake;
  const auto consider = [&](SteadyTime time) { wake = wake ? std::min(*wake, time) : time; };
  for (const auto& coin : coins_) {
    if (coin.told_at) consider(*coin.told_at + options_.max_age);
  }
  if (under_way_) return wake;
  if (!has_begun_) return SteadyTime{};
  SteadyTime work = markets_due_;
  if (!market_pages_.empty() || !candidate_pages_.empty()) work = not_before_;
  if (list_due_) work = std::min(work, *list_due_);
  for (const auto& coin : coins_) {
    if (coin.id && !coin.is_missing && coin.facts_due) work = std::min(work, *coin.facts_due);
  }
  consider(std::max(work, not_before_));
  return wake;
}

void CoinGecko::on_error(const Error& error, SteadyTime now) {
  if (!under_way_) return;
  failed(error, now);
  under_way_.reset();
}

void CoinGecko::on_response(const net::HttpResponse& response, SteadyTime now) {
  if (!under_way_) return;
  const Stage stage = *under_way_;
  if (response.status == 200) {
    if (auto done = read(response.body, now); !done) {
      failed(done.error(), now);
    } else {
      backoff_.reset();
    }
  } else if (response.status == 429) {
    observer_.observe(rate_limited,
                      {{"stage", to_text(stage)}, {"error", refusal_reason(response.body)}});
    not_before_ = std::max(not_before_, now + backoff_.next(retry_after(response.headers)));
  } else if (response.status == 401 || response.status == 403) {
    observer_.observe(
        key_refused,
        {{"stage", to_text(stage)},
         {"error", fmt::format("status {}: {}", response.status, refusal_reason(response.body))}});
    not_before_ = now + refused_key_pause;
  } else if (response.status == 404 && stage == Stage::coin) {
    asked_->facts_due = now + options_.facts_lifetime;
    miss(*asked_, refusal_reason(response.body));
  } else {
    const auto kind = response.status >= 500 || response.status == 408 ? ErrorKind::transient
                                                                       : ErrorKind::rejected;
    failed({kind, fmt::format("status {}: {}", response.status, refusal_reason(response.body))},
           now);
  }
  under_way_.reset();
}

// The market is asked again after a pause. Another question that is answered with nonsense waits
// for its turn, for a server may do well but for one coin.
void CoinGecko::failed(const Error& error, SteadyTime now) {
  const Stage stage = *under_way_;
  observer_.observe(request_failed, {{"stage", to_text(stage)},
                                     {"error_kind", candlewick::to_text(error.kind)},
                                     {"error", error.message}});
  if (stage != Stage::markets && error.kind != ErrorKind::transient) return postpone(stage, now);
  not_before_ = std::max(not_before_, now + backoff_.next());
}

void CoinGecko::postpone(Stage stage, SteadyTime now) {
  if (stage == Stage::coin) {
    asked_->facts_due = now + postponed_for;
    return;
  }
  list_due_ = now + postponed_for;
  candidate_pages_.clear();
  contests_.clear();
}

Result<void> CoinGecko::read(const std::string& body, SteadyTime now) {
  if (*under_way_ == Stage::list) {
    const auto coins = read_list(body);
    if (!coins) return fail(coins.error());
    list_due_ = now + list_interval;
    take_list(*coins);
    return {};
  }
  if (*under_way_ == Stage::coin) {
    const auto facts = read_coin(body);
    if (!facts) return fail(facts.error());
    if (facts->coingecko_id != *asked_->id)
      return fail(ErrorKind::malformed, "/coins/{}: is about {}", *asked_->id,
                  facts->coingecko_id.substr(0, 100));
    take_coin(*facts, now);
    return {};
  }
  const auto coins = read_markets(body);
  if (!coins) return fail(coins.error());
  if (*under_way_ == Stage::markets) {
    take_markets(*coins, now);
  } else {
    take_candidates(*coins);
  }
  return {};
}

void CoinGecko::take_markets(const std::vector<CoinMarket>& coins, SteadyTime now) {
  const std::vector<std::string> page = std::move(market_pages_.front());
  market_pages_.pop_front();
  std::map<std::string_view, const CoinMarket*> by_id;
  std::optional<Time> newest;
  for (const auto& coin : coins) {
    by_id.emplace(coin.id, &coin);
    if (coin.last_updated)
      newest = std::max(newest.value_or(*coin.last_updated), *coin.last_updated);
  }
  for (auto& coin : coins_) {
    if (!coin.id || std::ranges::find(page, *coin.id) == page.end()) continue;
    const auto found = by_id.find(*coin.id);
    if (found == by_id.end()) {
      miss(coin, fmt::format("there is no {} on the market", *coin.id));
      if (coin.told_at) handler_.on_market(coin.asset, {});
      coin.told_at.reset();
      continue;
    }
    const CoinMarket& market = *found->second;
    coin.is_missing = false;
    // Another name than before: the rest has news as well.
    if (!coin.name.empty() && coin.name != market.name) coin.facts_due = now;
    if (!market.name.empty()) coin.name = market.name;
    const bool is_old = market.last_updated && *market.last_updated + options_.max_age < *newest;
    const bool is_known = market.facts != MarketFacts{} && !is_old;
    if (is_known || coin.told_at)
      handler_.on_market(coin.asset, is_old ? MarketFacts{} : market.facts);
    coin.told_at = is_known ? std::optional(now) : std::nullopt;
  }
}

void CoinGecko::take_list(const std::vector<ListedCoin>& coins) {
  contests_.clear();
  candidate_pages_.clear();
  std::set<std::string> ids;
  for (auto& coin : coins_) {
    if (coin.is_pinned) continue;
    Contest contest{.coin = &coin, .ids = {}, .best = {}};
    for (const auto& listed : coins) {
      if (is_plain(listed.id) && is_same_ticker(coin.asset, listed.symbol))
        contest.ids.push_back(listed.id);
    }
    if (contest.ids.empty()) {
      miss(coin, "no coin has this ticker");
    } else if (contest.ids.size() == 1) {
      identify(coin, contest.ids.front());
    } else {
      ids.insert(contest.ids.begin(), contest.ids.end());
      contests_.push_back(std::move(contest));
    }
  }
  append_pages(candidate_pages_, ids);
}

void CoinGecko::take_candidates(const std::vector<CoinMarket>& coins) {
  candidate_pages_.pop_front();
  for (const auto& market : coins) {
    if (!market.facts.market_cap) continue;
    for (auto& contest : contests_) {
      if (std::ranges::find(contest.ids, market.id) == contest.ids.end()) continue;
      const auto weight = [](const CoinMarket& of) { return *of.facts.market_cap; };
      const bool wins = !contest.best || weight(market) > weight(*contest.best) ||
                        (weight(market) == weight(*contest.best) && market.id < contest.best->id);
      if (wins) contest.best = market;
    }
  }
  if (candidate_pages_.empty()) settle_contests();
}

void CoinGecko::settle_contests() {
  for (auto& contest : contests_) {
    if (contest.best) {
      identify(*contest.coin, contest.best->id);
    } else {
      miss(*contest.coin, "several coins have this ticker and none a market capitalisation");
    }
  }
  contests_.clear();
}

void CoinGecko::identify(Coin& coin, const std::string& id) {
  if (coin.id == id) return;
  if (coin.id) coin.facts_due = not_before_;
  coin.id = id;
  coin.is_missing = false;
  coin.name.clear();
  if (coin.told_at) handler_.on_market(coin.asset, {});
  coin.told_at.reset();
  // Not to wait for the next round of the market.
  if (market_pages_.empty() || market_pages_.back().size() >= coins_a_page)
    market_pages_.emplace_back();
  market_pages_.back().push_back(id);
}

void CoinGecko::take_coin(const AssetFacts& facts, SteadyTime now) {
  asked_->facts_due = now + options_.facts_lifetime;
  asked_->name = facts.name;
  handler_.on_asset(asked_->asset, facts);
}

// Told once, until it is found again.
void CoinGecko::miss(Coin& coin, std::string_view why) {
  if (coin.is_missing) return;
  coin.is_missing = true;
  observer_.observe(coin_missing, {{"instrument", coin.asset}, {"error", why}});
}

}  // namespace candlewick::fundamentals
