// Sessions on a steady clock that the tests move; no socket is near.
#include "feed/session.h"

#include <gtest/gtest.h>
// After gtest, which it needs.
#include <rapidcheck/gtest.h>

#include <set>

#include "feed/testing.h"

namespace candlewick::feed {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

std::string url_of(std::string_view ws_url, std::span<const exchange::Channel> channels) {
  return fmt::format("{}/{}", ws_url, channels.size());
}

std::vector<std::string> one_message_a_channel(std::span<const exchange::Channel> channels,
                                               std::uint64_t first_id) {
  std::vector<std::string> messages;
  for (std::size_t i = 0; i < channels.size(); ++i) {
    messages.push_back(fmt::format("subscribe {}", first_id + i));
  }
  return messages;
}

const exchange::Venue venue{.name = "test",
                            .limits = {.messages_per_second = 5},
                            .stream_url = url_of,
                            .subscribe = one_message_a_channel};

constexpr net::BackoffOptions backoff{.first = 1s, .cap = 30s, .factor = 2.0};

class SessionTest : public ::testing::Test {
 protected:
  explicit SessionTest(std::size_t channels = 1, std::uint64_t seed = 1)
      : session(venue, std::vector<exchange::Channel>(channels),
                {.ws_url = "ws:",
                 .silence_limit = 30s,
                 .handover_age = 23h,
                 .handover_patience = 60s,
                 .backoff = backoff,
                 .seed = seed},
                next_id) {}

  Lines take() { return testing::lines_of(session.take_actions()); }
  void tick(Duration by) {
    now += by;
    session.on_tick(now);
  }
  // Moves on to when the session wants to be woken.
  Duration wake() {
    const auto at = session.next_wake();
    EXPECT_TRUE(at) << "it will never wake";
    const Duration waited = std::max<Duration>(at.value_or(now) - now, 0s);
    tick(waited);
    return waited;
  }
  void lose(ConnectionId connection, std::optional<Duration> retry_after = {}) {
    session.on_closed(connection, {.reason = "lost", .retry_after = retry_after}, now);
  }
  // Makes the connection live, with data every second for a minute.
  void settle(ConnectionId connection) {
    session.on_open(connection, now);
    for (int second = 0; second < 60; ++second) {
      tick(1s);
      session.on_frame(connection, true, now);
    }
    take();
  }

  ConnectionId next_id = 1;
  SteadyTime now{100h};
  Session session;
};

class SessionOfThree : public SessionTest {
 protected:
  SessionOfThree() : SessionTest(3) {}
};

TEST_F(SessionOfThree, ConnectsOnceAndSubscribesAtTheVenuesPace) {
  EXPECT_EQ(session.next_wake(), std::nullopt);
  session.start(now);
  session.start(now);
  EXPECT_EQ(take(), Lines{"open 1 ws:/3"});
  now += 2s;
  session.on_open(1, now);
  EXPECT_EQ(take(), Lines{"send 1 subscribe 1"});
  // Five a second are allowed, and one of them is kept for pongs.
  tick(249ms);
  EXPECT_EQ(take(), Lines{});
  EXPECT_EQ(wake(), 1ms);
  EXPECT_EQ(take(), Lines{"send 1 subscribe 2"});
  EXPECT_EQ(wake(), 250ms);
  EXPECT_EQ(take(), Lines{"send 1 subscribe 3"});
  tick(5s);
  EXPECT_EQ(take(), Lines{});
}

TEST_F(SessionTest, IsLiveFromTheFirstFrameOfData) {
  session.start(now);
  EXPECT_FALSE(session.is_live());
  session.on_open(1, now);
  EXPECT_FALSE(session.on_frame(1, false, now));
  EXPECT_FALSE(session.is_live());
  EXPECT_TRUE(session.on_frame(1, true, now));
  EXPECT_TRUE(session.is_live());
  EXPECT_FALSE(session.on_frame(1, true, now));
}

TEST_F(SessionTest, KnowsNothingOfOtherConnections) {
  session.start(now);
  EXPECT_TRUE(session.owns(1));
  EXPECT_FALSE(session.owns(2));
  take();
  session.on_open(2, now);
  EXPECT_FALSE(session.on_frame(2, true, now));
  lose(2);
  session.on_shutdown_notice(2, now);
  EXPECT_EQ(take(), Lines{});
  EXPECT_EQ(session.reconnects(), 0U);
}

TEST_F(SessionTest, TakesSilenceForDeath) {
  session.start(now);
  settle(1);
  tick(29s);
  EXPECT_TRUE(session.is_live());
  EXPECT_EQ(wake(), 1s);
  EXPECT_EQ(take(), Lines{"close 1"});
  EXPECT_FALSE(session.is_live());
  EXPECT_EQ(session.reconnects(), 1U);
  EXPECT_LE(wake(), 1s);
  EXPECT_EQ(take(), Lines{"open 2 ws:/1"});
}

TEST_F(SessionTest, IsSilentTooWhenNothingComesAfterTheSubscription) {
  session.start(now);
  session.on_open(1, now);
  take();
  EXPECT_EQ(wake(), 30s);
  EXPECT_EQ(take(), Lines{"close 1"});
}

TEST_F(SessionTest, PingsDoNotHideThatABusyMarketFellSilent) {
  session.start(now);
  settle(1);
  for (int ping = 1; ping < 6; ++ping) {
    tick(5s);
    session.on_frame(1, false, now);
  }
  EXPECT_EQ(take(), Lines{});
  tick(5s);
  EXPECT_EQ(take(), Lines{"close 1"});
}

TEST_F(SessionTest, AMarketThatIsQuietByNatureCostsFewReconnects) {
  session.start(now);
  ConnectionId connection = 1;
  session.on_open(connection, now);
  // A frame of data each minute, a ping each 20 s, for six hours.
  for (int third = 0; third < 6 * 180; ++third) {
    now += 20s;
    session.on_tick(now);
    for (const auto& action : session.take_actions()) {
      if (action.kind != Session::Action::Kind::open) continue;
      connection = action.connection;
      session.on_open(connection, now);
    }
    session.on_frame(connection, third % 3 == 0, now);
  }
  EXPECT_LE(session.reconnects(), 2U);
  EXPECT_TRUE(session.is_live());
}

TEST_F(SessionTest, WaitsLongerAfterEachFailureUpToACap) {
  session.start(now);
  take();
  double wanted = 1.0;
  std::set<Duration> delays;
  for (ConnectionId connection = 1; connection <= 12; ++connection) {
    lose(connection);
    const double waited = std::chrono::duration<double>(wake()).count();
    EXPECT_GE(waited, wanted / 2.0) << connection;
    EXPECT_LE(waited, wanted) << connection;
    delays.insert(Duration{static_cast<Duration::rep>(waited * 1e9)});
    wanted = std::min(wanted * 2.0, 30.0);
    const auto lines = take();
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines.back(), fmt::format("open {} ws:/1", connection + 1));
  }
  // Seven of them lie at the cap: without jitter they would be one.
  EXPECT_EQ(delays.size(), 12U);
}

TEST_F(SessionTest, ShortLivedConnectionsDoNotEndTheBackOff) {
  session.start(now);
  Duration waited{};
  for (ConnectionId connection = 1; connection <= 8; ++connection) {
    session.on_open(connection, now);
    EXPECT_TRUE(session.on_frame(connection, true, now));
    lose(connection);
    waited = wake();
  }
  EXPECT_GE(waited, 15s);
}

TEST_F(SessionTest, AConnectionThatHeldEndsTheBackOff) {
  session.start(now);
  for (ConnectionId connection = 1; connection <= 5; ++connection) {
    lose(connection);
    wake();
  }
  settle(6);
  lose(6);
  EXPECT_LE(wake(), 1s);
}

TEST_F(SessionOfThree, SubscribesToEverythingAgainAfterALoss) {
  session.start(now);
  settle(1);
  lose(1);
  EXPECT_EQ(session.last_error(), "lost");
  wake();
  session.on_open(2, now);
  wake();
  wake();
  EXPECT_EQ(take(), (Lines{"open 2 ws:/3", "send 2 subscribe 4", "send 2 subscribe 5",
                           "send 2 subscribe 6"}));
  EXPECT_TRUE(session.on_frame(2, true, now));
}

TEST_F(SessionTest, WaitsAsLongAsTheVenueAsks) {
  session.start(now);
  lose(1, 90s);
  const Duration waited = wake();
  EXPECT_GE(waited, 90s);
  EXPECT_LE(waited, 92s);
}

TEST_F(SessionOfThree, HandsOverBeforeTheVenueCutsWithAnOverlap) {
  session.start(now);
  settle(1);
  while (session.is_live() && take().empty()) {
    // Data keeps coming, up to the hour.
    tick(15s);
    session.on_frame(1, true, now);
    ASSERT_LT(now, SteadyTime{130h});
  }
  EXPECT_EQ(now - SteadyTime{100h}, 23h);
  EXPECT_TRUE(session.owns(1));
  EXPECT_TRUE(session.owns(2));
  session.on_open(2, now);
  EXPECT_EQ(take(), Lines{"send 2 subscribe 4"});
  // While some channels are not subscribed the old connection carries on.
  EXPECT_FALSE(session.on_frame(2, true, now));
  EXPECT_EQ(take(), Lines{});
  tick(250ms);
  session.on_frame(1, true, now);
  tick(250ms);
  EXPECT_EQ(take(), (Lines{"send 2 subscribe 5", "send 2 subscribe 6"}));
  EXPECT_TRUE(session.is_live());
  EXPECT_TRUE(session.on_frame(2, true, now));
  EXPECT_EQ(take(), Lines{"close 1"});
  EXPECT_FALSE(session.owns(1));
  EXPECT_TRUE(session.owns(2));
  EXPECT_TRUE(session.is_live());
  EXPECT_EQ(session.reconnects(), 0U);
  // The next one is a day later.
  for (int minute = 0; minute < 60; ++minute) {
    tick(15s);
    session.on_frame(2, true, now);
  }
  EXPECT_EQ(take(), Lines{});
}

class HandoverTest : public SessionTest {
 protected:
  // Up to the moment when the second connection is asked for.
  void begin_handover() {
    session.start(now);
    settle(1);
    session.on_shutdown_notice(1, now);
    ASSERT_EQ(take(), Lines{"open 2 ws:/1"});
  }
  // Lets time pass while data comes on the first connection; the opens that were asked for.
  std::vector<std::pair<Duration, ConnectionId>> pass(Duration time) {
    std::vector<std::pair<Duration, ConnectionId>> opened;
    const SteadyTime begin = now;
    while (now - begin < time) {
      tick(100ms);
      session.on_frame(1, true, now);
      for (const auto& action : session.take_actions()) {
        if (action.kind == Session::Action::Kind::open) {
          opened.emplace_back(now - begin, action.connection);
        }
      }
    }
    return opened;
  }
};

TEST_F(HandoverTest, AFailedHandoverKeepsTheOldConnectionAndIsTriedAgainLaterAndLater) {
  begin_handover();
  Duration before{};
  for (ConnectionId connection = 2; connection < 8; ++connection) {
    lose(connection);
    EXPECT_TRUE(session.is_live());
    const auto opened = pass(40s);
    ASSERT_EQ(opened.size(), 1U) << connection;
    EXPECT_EQ(opened.front().second, connection + 1);
    before = opened.front().first;
  }
  EXPECT_GE(before, 15s);
  EXPECT_EQ(session.reconnects(), 0U);
}

TEST_F(HandoverTest, AReplacementThatBringsNothingIsGivenUp) {
  begin_handover();
  session.on_open(2, now);
  take();
  pass(59s);
  EXPECT_TRUE(session.owns(2));
  pass(2s);
  EXPECT_FALSE(session.owns(2));
  EXPECT_TRUE(session.owns(1));
  EXPECT_TRUE(session.is_live());
  pass(5s);
  EXPECT_TRUE(session.owns(3));
}

TEST_F(HandoverTest, AReplacementHeedsRetryAfter) {
  begin_handover();
  lose(2, 45s);
  EXPECT_TRUE(pass(44s).empty());
  EXPECT_EQ(pass(3s).size(), 1U);
}

TEST_F(HandoverTest, TheReplacementTakesOverWhenTheOldConnectionDiesMeanwhile) {
  begin_handover();
  lose(1);
  EXPECT_FALSE(session.is_live());
  EXPECT_EQ(take(), Lines{});
  session.on_open(2, now);
  EXPECT_TRUE(session.on_frame(2, true, now));
  EXPECT_TRUE(session.is_live());
  EXPECT_EQ(take(), Lines{"send 2 subscribe 2"});
  EXPECT_EQ(session.reconnects(), 1U);
}

TEST_F(HandoverTest, TheReplacementTakesOverWhenTheOldConnectionFallsSilent) {
  begin_handover();
  session.on_open(2, now);
  take();
  tick(30s);
  EXPECT_EQ(take(), Lines{"close 1"});
  EXPECT_TRUE(session.owns(2));
  EXPECT_TRUE(session.on_frame(2, true, now));
  EXPECT_EQ(take(), Lines{});
}

TEST_F(HandoverTest, ASecondNoticeStartsNothingNew) {
  begin_handover();
  session.on_shutdown_notice(1, now);
  EXPECT_EQ(take(), Lines{});
  session.on_open(2, now);
  session.on_frame(2, true, now);
  EXPECT_EQ(take(), (Lines{"send 2 subscribe 2", "close 1"}));
  // The new connection may be told the same.
  session.on_shutdown_notice(2, now);
  EXPECT_EQ(take(), Lines{"open 3 ws:/1"});
}

TEST_F(HandoverTest, StoppingClosesBothConnections) {
  begin_handover();
  session.on_open(2, now);
  take();
  session.stop();
  auto closed = take();
  std::ranges::sort(closed);
  EXPECT_EQ(closed, (Lines{"close 1", "close 2"}));
}

TEST_F(SessionTest, NothingHappensAfterStop) {
  session.start(now);
  session.on_open(1, now);
  session.on_frame(1, true, now);
  session.stop();
  take();
  EXPECT_EQ(session.next_wake(), std::nullopt);
  session.on_open(1, now);
  EXPECT_FALSE(session.on_frame(1, true, now));
  lose(1);
  session.on_shutdown_notice(1, now);
  session.start(now);
  tick(24h);
  EXPECT_EQ(take(), Lines{});
}

TEST_F(SessionTest, StoppingWhileWaitingToReconnectForgetsIt) {
  session.start(now);
  lose(1);
  take();
  session.stop();
  tick(1h);
  EXPECT_EQ(take(), Lines{});
}

// Whatever a network does: never more than two connections at once, always one wanted, and one that
// works is what is left when the trouble ends.
RC_GTEST_PROP(SessionProperty, EndsWithExactlyOneLiveConnectionWhateverHappened, ()) {
  ConnectionId next_id = 1;
  SteadyTime now{100h};
  Session session(venue, std::vector<exchange::Channel>(2),
                  {.ws_url = "ws:",
                   .silence_limit = 30s,
                   .handover_age = 10min,
                   .handover_patience = 60s,
                   .backoff = backoff,
                   .seed = *rc::gen::arbitrary<std::uint64_t>()},
                  next_id);
  std::set<ConnectionId> open;
  std::set<ConnectionId> answered;
  const auto obey = [&] {
    for (const auto& action : session.take_actions()) {
      if (action.kind == Session::Action::Kind::open) open.insert(action.connection);
      if (action.kind == Session::Action::Kind::close) RC_ASSERT(open.erase(action.connection));
    }
    RC_ASSERT(open.size() <= 2);
    RC_ASSERT(!open.empty() || session.next_wake());
  };
  const auto pick = [&](std::size_t index) {
    return open.empty()
               ? ConnectionId{0}
               : *std::next(open.begin(), static_cast<std::ptrdiff_t>(index % open.size()));
  };
  session.start(now);
  obey();
  const auto steps = *rc::gen::container<std::vector<std::tuple<int, std::size_t, int>>>(
      rc::gen::tuple(rc::gen::inRange(0, 6), rc::gen::inRange<std::size_t>(0, 2),
                     rc::gen::inRange(0, 40'000)));
  for (const auto& [what, which, ms] : steps) {
    now += std::chrono::milliseconds{ms};
    const ConnectionId connection = pick(which);
    switch (what) {
      case 0:
        if (connection != 0 && answered.insert(connection).second) session.on_open(connection, now);
        break;
      case 1:
      case 2:
        if (answered.contains(connection)) session.on_frame(connection, what == 1, now);
        break;
      case 3:
        if (connection == 0) break;
        open.erase(connection);
        session.on_closed(connection, {}, now);
        break;
      case 4:
        if (answered.contains(connection)) session.on_shutdown_notice(connection, now);
        break;
      default:
        session.on_tick(now);
    }
    obey();
  }
  // From here on all goes well.
  for (int second = 0; second < 300; ++second) {
    now += 500ms;
    session.on_tick(now);
    obey();
    for (const auto connection : std::set<ConnectionId>(open)) {
      if (answered.insert(connection).second) session.on_open(connection, now);
      session.on_frame(connection, true, now);
      obey();
    }
  }
  RC_ASSERT(session.is_live());
  RC_ASSERT(open.size() == 1U);
}

std::string heartbeat(std::uint64_t id) {
  return fmt::format("ping {}", id);
}

class HeartbeatTest : public ::testing::Test {
 protected:
  static exchange::Venue with_heartbeat() {
    exchange::Venue made = venue;
    made.heartbeat = {.interval = 20s, .text = heartbeat};
    made.unsubscribe = [](std::span<const exchange::Channel>, std::uint64_t id) {
      return std::vector<std::string>{fmt::format("unsubscribe {}", id)};
    };
    return made;
  }
  Lines take() { return testing::lines_of(session.take_actions()); }

  exchange::Venue facts = with_heartbeat();
  ConnectionId next_id = 1;
  SteadyTime now{100h};
  Session session{facts,
                  std::vector<exchange::Channel>(1),
                  {.ws_url = "ws:", .silence_limit = 60s, .handover_age = 23h, .backoff = backoff},
                  next_id};
};

TEST_F(HeartbeatTest, TheClientSpeaksAsOftenAsTheVenueWants) {
  session.start(now);
  take();
  session.on_open(1, now);
  EXPECT_EQ(take(), (Lines{"send 1 subscribe 1"}));
  ASSERT_TRUE(session.next_wake());
  EXPECT_EQ(*session.next_wake(), now + 20s);
  session.on_tick(now + 19s);
  EXPECT_EQ(take(), Lines{});
  session.on_tick(now + 20s);
  EXPECT_EQ(take(), (Lines{"send 1 ping 2"}));
  session.on_tick(now + 41s);
  EXPECT_EQ(take(), (Lines{"send 1 ping 3"}));
}

// Bitfinex ends a channel by the number that the connection gave it: there are no words for it
// here.
TEST(SessionWithoutWordsToLeave, HandsOverToAConnectionWithWhatRemains) {
  exchange::Venue facts = venue;
  facts.unsubscribe = [](std::span<const exchange::Channel>, std::uint64_t) {
    return std::vector<std::string>{};
  };
  ConnectionId next_id = 1;
  const SteadyTime now{100h};
  const exchange::Channel trades{.kind = exchange::ChannelKind::trades};
  const exchange::Channel book{.kind = exchange::ChannelKind::book};
  Session session(facts, {trades, book},
                  {.ws_url = "ws:", .silence_limit = 60s, .handover_age = 23h, .backoff = backoff},
                  next_id);
  const auto take = [&] { return testing::lines_of(session.take_actions()); };
  session.start(now);
  session.on_open(1, now);
  EXPECT_TRUE(session.on_frame(1, true, now));
  take();
  session.remove(std::span(&book, 1), now);
  EXPECT_EQ(take(), (Lines{"open 2 ws:/1"}));
  // Another change meanwhile: that one is too old as well.
  session.add({book}, now);
  session.remove(std::span(&trades, 1), now);
  const auto actions = take();
  EXPECT_EQ(actions.back(), "open 3 ws:/1");
  EXPECT_NE(std::ranges::find(actions, "close 2"), actions.end());
}

TEST_F(HeartbeatTest, AHandshakeMayWantItMoreOften) {
  session.speak_every(5s);
  session.start(now);
  session.on_open(1, now);
  take();
  EXPECT_EQ(*session.next_wake(), now + 5s);
  session.on_tick(now + 5s);
  EXPECT_EQ(take(), (Lines{"send 1 ping 2"}));
}

TEST_F(HeartbeatTest, AChannelIsTakenOffAndOnAgainAtTheVenuesPace) {
  session.start(now);
  session.on_open(1, now);
  take();
  session.subscribe_again({}, now);
  EXPECT_EQ(take(), Lines{}) << "not live yet: the subscription is under way";
  session.on_frame(1, true, now);
  session.subscribe_again({}, now + 1s);
  EXPECT_EQ(take(), (Lines{"send 1 unsubscribe 2"}));
  session.on_tick(*session.next_wake());
  EXPECT_EQ(take(), (Lines{"send 1 subscribe 3"}));
}

TEST_F(HeartbeatTest, AnAbandonedConnectionIsReplaced) {
  session.start(now);
  session.on_open(1, now);
  session.on_frame(1, true, now);
  take();
  session.abandon(1, "frames are missing", now + 1s);
  EXPECT_EQ(take(), (Lines{"close 1"}));
  EXPECT_FALSE(session.is_live());
  EXPECT_EQ(session.last_error(), "frames are missing");
  session.on_tick(*session.next_wake());
  EXPECT_EQ(take(), (Lines{"open 2 ws:/1"}));
}

}  // namespace
}  // namespace candlewick::feed
