// The table of venues, and requests taken apart.
#include "simulator/protocol.h"

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
