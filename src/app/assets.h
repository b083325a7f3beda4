// What is known of the assets that are traded, kept current: asked of CoinGecko on the ingest
// thread, when that is switched on.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/config.h"
#include "base/observation.h"
#include "fundamentals/coingecko.h"
#include "fundamentals/driver.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "schema/table.h"
#include "warehouse/database.h"

namespace candlewick::app {

class Assets final : private fundamentals::Handler {
 public:
  struct Parts {
    const Config& config;
    const Clock& clock;
    Observer& observer;
    net::Loop& loop;
    net::HttpClient& http;
    // Called on the loop's thread.
    std::function<void(const std::string& asset, const fundamentals::MarketFacts&)> on_market;
    std::function<void(schema::Row)> on_row;
  };

  // `assets`: as exchanges write them, each once. What the memory (may be null) knows is not asked
  // again before it is a month old.
  static Result<std::unique_ptr<Assets>> make(Parts parts, const std::vector<std::string>& assets,
                                              warehouse::Database* memory);
  // On the loop's thread.
  void start();

 private:
  explicit Assets(Parts parts) : parts_(std::move(parts)) {}
  void on_market(const std::string& asset, const fundamentals::MarketFacts& facts) override;
  void on_asset(const std::string& asset, const fundamentals::AssetFacts& facts) override;

  Parts parts_;
  std::unique_ptr<fundamentals::CoinGecko> source_;
  std::unique_ptr<fundamentals::Driver> driver_;
};

}  // namespace candlewick::app
