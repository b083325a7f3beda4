// CoinGecko: market capitalisation and supply of all assets in one request for each 250 coins,
// again and again; name, sector and launch date one coin at a time, slowly, once a month. Which
// coin a ticker means is pinned where it is known; elsewhere, of the coins that share it, the one
// with the largest market capitalisation.
//
// Requests keep a distance that holds the public limit whatever is asked. All times are steady
// ones.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "base/observation.h"
#include "base/secret.h"
#include "fundamentals/coingecko_reply.h"
#include "fundamentals/fundamentals.h"
#include "net/backoff.h"

namespace candlewick::fundamentals {

struct CoinGeckoOptions {
  std::string base_url;  // empty: the public one
  Secret api_key;        // empty: none is sent
  Duration refresh_interval = std::chrono::minutes{5};
  // Values that were told longer ago are taken back, and so are those whose own stamp lies so far
  // behind the newest one of their reply.
  Duration max_age = std::chrono::minutes{15};
  Duration facts_lifetime = std::chrono::days{30};
  // The public limit is said to lie between 5 and 15 and to change with the traffic; a demo key's
  // is at least 30.
  int requests_per_minute = 5;
  int requests_per_minute_with_key = 30;
  net::BackoffOptions backoff{.first = std::chrono::seconds{10}, .cap = std::chrono::minutes{10}};
  std::uint64_t seed = 0;
};

class CoinGecko final : public Source {
 public:
  CoinGecko(CoinGeckoOptions options, std::vector<Wanted> wanted, Handler& handler,
            Observer& observer);

  std::optional<net::HttpRequest> next(SteadyTime now) override;
  void on_response(const net::HttpResponse& response, SteadyTime now) override;
  void on_error(const Error& error, SteadyTime now) override;
  std::optional<SteadyTime> next_wake() const override;

 private:
  enum class Stage : unsigned char { markets, list, candidates, coin };
  struct Coin {
    std::string asset;
    std::optional<std::string> id;
    bool is_pinned = false;
    bool is_missing = false;  // and that was told
    std::string name;
    std::optional<SteadyTime> told_at;  // while values are out that may have to be taken back
    std::optional<Duration> facts_age;  // at the start
    std::optional<SteadyTime> facts_due;
  };
  // Coins that share a ticker, and the best so far.
  struct Contest {
    Coin* coin = nullptr;
    std::vector<std::string> ids;
    std::optional<CoinMarket> best;
  };
  static std::string_view to_text(Stage stage);

  void begin(SteadyTime now);
  void take_back_old(SteadyTime now);
  void plan_markets();
  Coin* coin_that_is_due(SteadyTime now);
  net::HttpRequest request_for(Stage stage) const;
  Result<void> read(const std::string& body, SteadyTime now);
  void take_markets(const std::vector<CoinMarket>& coins, SteadyTime now);
  void take_list(const std::vector<ListedCoin>& coins);
  void take_candidates(const std::vector<CoinMarket>& coins);
  void settle_contests();
  void take_coin(const AssetFacts& facts, SteadyTime now);
  void identify(Coin& coin, const std::string& id);
  void miss(Coin& coin, std::string_view why);
  void failed(const Error& error, SteadyTime now);
  void postpone(Stage stage, SteadyTime now);

  CoinGeckoOptions options_;
  Handler& handler_;
  Observer& observer_;
  std::vector<Coin> coins_;
  net::Backoff backoff_;
  Duration spacing_;
  bool has_begun_ = false;
  SteadyTime not_before_{};
  SteadyTime markets_due_{};
  std::optional<SteadyTime> list_due_;
  std::deque<std::vector<std::string>> market_pages_;
  std::deque<std::vector<std::string>> candidate_pages_;
  std::vector<Contest> contests_;
  std::optional<Stage> under_way_;
  Coin* asked_ = nullptr;  // by a request of the stage `coin`
};

}  // namespace candlewick::fundamentals
