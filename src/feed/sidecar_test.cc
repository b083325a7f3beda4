// A feed whose sidecar is a shell script.
#include "feed/sidecar.h"

#include <csignal>

#include <gmock/gmock.h>

#include "exchange/ccxt/ccxt.h"
#include "feed/observations.h"
#include "feed/testing.h"
#include "test/support/eventually.h"

namespace candlewick::feed {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view ready =
    R"({"ready":{"name":"acme","version":"1","has_candles":true,"has_time":true,"timeframes":["1m"],)"
    R"("max_candles":500,"requests_per_minute":600,)"
    R"("channels":{"candles":"stream","ticker":"stream","ladder":"poll","trades":null}}})";

std::unique_ptr<exchange::ccxt::BridgedVenue> acme() {
  auto made = exchange::ccxt::make_venue("ccxt:acme", ready);
  return made ? std::move(*made) : nullptr;
}

class SidecarTest : public ::testing::Test {
 protected:
  // The script's part after it has said that it is ready; `line` is what it last read.
  void start(const std::string& then, std::string first = {}) {
    if (first.empty()) first = fmt::format("echo '{}'", ready);
    SidecarOptions options;
    options.venue = "ccxt:acme";
    options.child.command = {"sh", "-c", first + "\n" + then};
    options.restart = {.first = 1ms, .cap = 1ms, .factor = 2.0};
    options.silence_limit = silence_limit;
    options.start_limit = start_limit;
    options.watch_interval = 20ms;
    loop.call([&] { make(options); });
  }
  void make(const SidecarOptions& options) {
    sidecar = std::make_unique<Sidecar>(loop, clock, observer, options);
    FeedOptions feed_options;
    feed_options.time_silence = Duration::zero();
    feed_options.reconnect_backoff = {.first = 1ms, .cap = 1ms, .factor = 2.0};
    feed_options.request_backoff = {.first = 1ms, .cap = 1ms, .factor = 2.0};
    feed = std::make_unique<VenueFeed>(bridged->venue(), *catalogue, feed_options, *sidecar,
                                       handler, observer);
    sidecar->attach(*feed);
  }
  SidecarTest() { loop.start(); }
  ~SidecarTest() override {
    loop.call([this] {
      if (feed) feed->stop();
      sidecar.reset();
    });
  }
  void subscribe(const std::vector<exchange::Channel>& wanted) {
    loop.call([&] { feed->subscribe(wanted, sidecar->now()); });
  }
  void ask(exchange::RestKind kind, const char* symbol) {
    loop.call([&] {
      const auto* instrument = catalogue->find_or_infer(symbol);
      EXPECT_TRUE(feed->ask({.kind = kind, .instrument = instrument, .start = testing::noon},
                            Priority::live, sidecar->now()));
      sidecar->rearm();
    });
  }
  void signal(int number) {
    loop.call([&] { ASSERT_EQ(kill(sidecar->process(), number), 0); });
  }
  FeedStatus status() {
    FeedStatus now;
    loop.call([&] { now = feed->status(sidecar->now()); });
    return now;
  }
  std::vector<exchange::Channel> channels() {
    return {{.kind = exchange::ChannelKind::ticker,
             .instrument = catalogue->find_or_infer("BTC/USDT")}};
  }
  // What the loop's thread knows.
  bool until(const std::function<bool()>& holds) {
    return test::eventually([&] {
      bool does = false;
      loop.call([&] { does = holds(); });
      return does;
    });
  }

  RealClock clock;
  net::Loop loop{"sidecar"};
  RecordingObserver observer;
  std::unique_ptr<exchange::ccxt::BridgedVenue> bridged = acme();
  std::unique_ptr<Catalogue> catalogue = exchange::make_catalogue(bridged->venue());
  testing::FakeHandler handler;
  Duration silence_limit = 10s;
  Duration start_limit = 60s;
  std::unique_ptr<Sidecar> sidecar;
  std::unique_ptr<VenueFeed> feed;
};

// Answers every subscription with a ticker on that connection.
constexpr const char* ticks = R"(
while read -r line; do
  case "$line" in
    *subscribe*)
      connection=${line#*:}; connection=${connection%%,*}
      echo '{"connection":'$connection',"frame":{"type":"ticker","symbol":"BTC/USDT","data":{"symbol":"BTC/USDT","timestamp":1714564800000,"last":"60000.10"}}}';;
  esac
done)";

TEST_F(SidecarTest, CarriesSubscriptionsThereAndFramesBack) {
  start(ticks);
  subscribe(channels());
  ASSERT_TRUE(until([&] { return !handler.events.empty(); }));
  const auto& ticker = std::get<Ticker>(handler.events.front());
  EXPECT_EQ(ticker.last->to_string(), "60000.1");
  EXPECT_TRUE(status().connected);
}

TEST_F(SidecarTest, CarriesRequestsThereAndAnswersBack) {
  start(R"(
read -r line
echo '{"id":1,"result":[["1714564800000","1","2","0.5","1.5","10"]],"limit":500}'
read -r line)");
  ask(exchange::RestKind::candles, "BTC/USDT");
  ASSERT_TRUE(until([&] { return !handler.replies.empty(); }));
  ASSERT_EQ(handler.replies.front().second.size(), 1U);
  EXPECT_EQ(std::get<Candle>(handler.replies.front().second.front()).open_time, testing::noon);
}

TEST_F(SidecarTest, TellsARefusalOfARequestAsOne) {
  start(R"(
read -r line
echo '{"id":1,"error":{"kind":"rejected","message":"acme does not have market symbol X/USDT"}}'
read -r line)");
  ask(exchange::RestKind::candles, "X/USDT");
  ASSERT_TRUE(until([&] { return !handler.refused.empty(); }));
  EXPECT_EQ(handler.refused.front().second, "acme does not have market symbol X/USDT");
}

TEST_F(SidecarTest, AsksAgainWhatFailedInPassing) {
  start(R"(
read -r line
echo '{"id":1,"error":{"kind":"transient","message":"acme request timed out"}}'
read -r line
echo '{"id":1,"result":{"time":1714564800000}}'
read -r line)");
  ask(exchange::RestKind::server_time, "BTC/USDT");
  ASSERT_TRUE(until([&] { return !handler.replies.empty(); }));
  EXPECT_EQ(observer.count(request_failed.name), 1U);
}

TEST_F(SidecarTest, WaitsAsLongAsTheVenueSaysBeforeItAsksAgain) {
  start(R"(
read -r line
echo '{"id":1,"error":{"kind":"transient","message":"too many","retry_after_ms":60000}}'
read -r line)");
  ask(exchange::RestKind::server_time, "BTC/USDT");
  ASSERT_TRUE(until([&] { return observer.count(rate_limited.name) == 1; }));
  EXPECT_TRUE(until([this] { return *feed->next_wake() > clock.steady() + 50s; }));
}

TEST_F(SidecarTest, IsStartedAgainWhenItIsKilledAndItsChannelsGoOn) {
  start(std::string(ticks));
  subscribe(channels());
  ASSERT_TRUE(until([&] { return handler.events.size() == 1; }));
  signal(SIGKILL);
  ASSERT_TRUE(until([&] { return handler.events.size() >= 2; }));
  EXPECT_EQ(handler.story,
            (std::vector<std::string>{"live 1", "down 1 the sidecar ended: killed by signal 9",
                                      "live 1"}));
  EXPECT_EQ(status().reconnects, 1U);
  EXPECT_EQ(observer.count(sidecar_lost.name), 1U);
}

TEST_F(SidecarTest, IsStartedAgainWhenItHangs) {
  silence_limit = 500ms;
  start(std::string(ticks));
  subscribe(channels());
  ASSERT_TRUE(until([&] { return handler.events.size() == 1; }));
  signal(SIGSTOP);
  ASSERT_TRUE(until([&] { return handler.events.size() >= 2; }));
  EXPECT_EQ(handler.story.at(1), "down 1 silence: the sidecar gives no sign of life");
}

TEST_F(SidecarTest, LivesAsLongAsItBeats) {
  silence_limit = 1s;
  start("while sleep 0.1; do echo '{\"heartbeat\":1}'; done");
  const auto enough = clock.steady() + 1500ms;
  ASSERT_TRUE(until([&] { return clock.steady() > enough; }));
  EXPECT_EQ(observer.count(sidecar_lost.name), 0U);
  EXPECT_EQ(observer.count(sidecar_ready.name), 1U);
}

TEST_F(SidecarTest, IsStartedAgainWhenItNeverGetsReady) {
  start_limit = 100ms;
  start("read -r line", ": silence");
  ASSERT_TRUE(until([&] { return observer.count(sidecar_lost.name) >= 1; }));
}

TEST_F(SidecarTest, SaysWhatItSaidOfItsOwnEnd) {
  start("exit 1", R"(echo '{"fatal":{"kind":"misconfigured","message":"run npm ci"}}')");
  ASSERT_TRUE(until([&] { return observer.count(sidecar_lost.name) >= 1; }));
  EXPECT_THAT(observer.lines(), ::testing::Contains(::testing::HasSubstr("run npm ci")));
}

TEST_F(SidecarTest, TakesALineThatIsNoneForItsEnd) {
  start("echo 'Debugger attached.'; exec sleep 100");
  ASSERT_TRUE(until([&] { return observer.count(sidecar_lost.name) >= 1; }));
}

TEST_F(SidecarTest, ClosesOnlyTheConnectionThatItSaysIsClosed) {
  start(R"(
while read -r line; do
  case "$line" in
    *subscribe*ladder*)
      echo '{"connection":2,"closed":{"kind":"transient","message":"a poll failed"}}';;
    *subscribe*)
      echo '{"connection":1,"frame":{"type":"ticker","symbol":"BTC/USDT","data":{"last":"1"}}}';;
  esac
done)");
  auto both = channels();
  both.push_back({.kind = exchange::ChannelKind::ladder, .instrument = both.front().instrument});
  // By line the ladder comes first: number the connections so that the script can tell.
  std::ranges::stable_sort(both, [](const auto& a, const auto& b) { return a.kind > b.kind; });
  subscribe({both.begin(), both.begin() + 1});
  subscribe({both.begin() + 1, both.end()});
  ASSERT_TRUE(
      until([&] { return observer.count(connection_lost.name) >= 1 && !handler.events.empty(); }));
  EXPECT_EQ(status().live_sessions, 1U);
}

TEST(DescribeSidecar, AnswersItsFirstLine) {
  const auto line =
      describe_sidecar({.command = {"sh", "-c", "echo \"{\\\"ready\\\":\\\"$0\\\"}\""}});
  ASSERT_TRUE(line) << line.error().message;
  EXPECT_EQ(*line, R"({"ready":"--describe"})");
}

TEST(DescribeSidecar, SaysWhatIsMissing) {
  struct Case {
    std::vector<std::string> command;
    ErrorKind kind;
    std::string message;
  };
  const std::vector<Case> cases{
      {{"no-such-node", "main.mjs"},
       ErrorKind::misconfigured,
       "cannot run \"no-such-node\": No such file or directory"},
      {{"sh", "-c", R"(echo '{"fatal":{"kind":"misconfigured","message":"no ccxt"}}')"},
       ErrorKind::misconfigured,
       "no ccxt"},
      {{"sh", "-c", "echo 'SyntaxError: no import' >&2; echo 'v1' >&2; exit 1"},
       ErrorKind::transient,
       "the sidecar ended: exit status 1: SyntaxError: no import"}};
  for (const auto& [command, kind, message] : cases) {
    const auto line = describe_sidecar({.command = command});
    ASSERT_FALSE(line);
    EXPECT_EQ(line.error().kind, kind);
    EXPECT_EQ(line.error().message, message);
  }
}

}  // namespace
}  // namespace candlewick::feed
