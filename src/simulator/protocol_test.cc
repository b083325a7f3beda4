// The table of venues, and requests taken apart.
#include "simulator/protocol.h"

#include <set>

#include "exchange/choice.h"
#include "exchange/registry.h"
#include "simulator/testing.h"

namespace candlewick::simulator {
namespace {

using namespace testing;

TEST(Protocol, ExistsForEverySimulatedVenueAndForNoOther) {
  auto market = small_market();
  const Faults faults;
  for (const auto venue : simulated_venues()) {
    EXPECT_NE(make_protocol(venue, *market, faults), nullptr) << venue;
  }
  EXPECT_EQ(make_protocol("nowhere", *market, faults), nullptr);
}

// What a rule such as "top 50 by quote volume" goes by.
TEST(Protocol, TheTickersOfAllInstrumentsComeWhereAVenueSaysSoAndTellVolumes) {
  std::size_t asked = 0;
  for (const auto name : simulated_venues()) {
    const auto* venue = exchange::find_venue(name);
    if (venue == nullptr || venue->all_tickers == nullptr) continue;
    ++asked;
    VenueCore core({.venue = std::string(name),
                    .market = small_market(1, std::string(name)),
                    .start = start,
                    .speed = "1"});
    const auto target = venue->all_tickers().target;
    const auto reply = get(core, target);
    EXPECT_EQ(reply.status, 200) << name << ": " << reply.body;
    const auto catalogue = exchange::make_catalogue(*venue);
    Events events;
    const auto decoded = venue->make_decoder(*catalogue)
                             ->decode({.text = reply.body,
                                       .url = target,
                                       .received_time = start,
                                       .is_reply = true,
                                       .http_status = reply.status},
                                      events);
    ASSERT_TRUE(decoded) << name << ": " << decoded.error().message;
    std::set<const Instrument*> told;
    for (const auto& event : events) {
      const auto* ticker = std::get_if<Ticker>(&event);
      if (ticker != nullptr && exchange::day_volume_of(*ticker))
        told.insert(ticker->origin.instrument);
    }
    EXPECT_EQ(told.size(), 3U) << name << ": " << reply.body.substr(0, 300);
  }
  EXPECT_GE(asked, 6U);
}

TEST(Protocol, TakesTargetsApart) {
  const auto request = make_request("GET", "/ws/btcusdt%40trade?a=1&b=x%20y");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->path, "/ws/btcusdt@trade");
  EXPECT_EQ(request->parameter("b"), "x y");
  EXPECT_FALSE(request->parameter("c"));
  EXPECT_FALSE(make_request("GET", "/%zz"));
}

}  // namespace
}  // namespace candlewick::simulator
