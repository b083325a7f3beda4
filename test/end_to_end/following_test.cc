// What is followed changes while the service runs: by an order through the API, by SIGHUP, by a
// rule; and what is followed all along notices nothing.
#include <csignal>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/access.h"
#include "app/service.h"
#include "app/warehouse_choice.h"
#include "base/json.h"
#include "query/snapshots.h"
#include "test/support/eventually.h"
#include "test/support/program.h"
#include "test/support/simulated_venue.h"
#include "test/support/stored_candles.h"
#include "test/support/temporary_folder.h"

namespace candlewick {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Time start = time_from_ms(1'768'478'400'000);  // 2026-01-15T12:00:00Z
constexpr double speed = 60;

class Following : public testing::Test {
 protected:
  void SetUp() override {
    config.exchanges = {"binance"};
    config.symbols = {"BTC/USDT"};
    for (auto* venue : {&binance, &okx}) {
      config.venues[venue == &binance ? "binance" : "okx"] = {.base_url = venue->base_url(),
                                                              .ws_url = venue->ws_url()};
    }
    config.data_dir = folder.path().string();
    config.http.listen.port = 0;
    config.warehouse = "sqlite";
    config.feed.audit = false;
  }
  void launch() {
    auto started = app::Service::start(config, clock, observer, metrics);
    ASSERT_TRUE(started) << started.error().message;
    service = std::move(*started);
  }
  net::HttpResponse send(net::HttpRequest request) {
    request.url = fmt::format("http://{}{}", service->api_address(), request.url);
    auto reply = http.fetch(request);
    EXPECT_TRUE(reply) << reply.error().message;
    return reply ? *reply : net::HttpResponse{};
  }
  std::string get(const std::string& target) { return send({.url = target}).body; }
  net::HttpResponse put(const std::string& body, const std::string& key) {
    net::HttpRequest request{.method = "PUT", .url = "/v1/subscriptions", .body = body};
    if (!key.empty()) request.headers.add("Authorization", "Bearer " + key);
    return send(std::move(request));
  }
  std::size_t stored(const std::string& exchange, const std::string& symbol, Time from) {
    auto database = app::open_for_reading(config);
    if (!database) return 0;  // not made yet
    return test::stored_candles(**database, exchange, symbol, from, from + 24h).size();
  }
  // Live candles come and are stored.
  bool flows(const std::string& exchange, const std::string& symbol, Time since) {
    return test::eventually([&] { return stored(exchange, symbol, since) >= 2; });
  }
  std::vector<std::string> venues() {
    std::vector<std::string> names;
    for (const auto& feed : service->feeds()) names.push_back(feed.venue);
    return names;
  }

  test::SimulatedVenue binance{"binance", 41, start + 30s, speed};
  test::SimulatedVenue okx{"okx", 42, start + 30s, speed};
  test::TemporaryFolder folder;
  RealClock clock;
  RecordingObserver observer;
  Metrics metrics;
  Config config;
  std::unique_ptr<app::Service> service;
  net::HttpClient http;
};

TEST_F(Following, JoinsAndLeavesVenuesAndInstrumentsWithoutDisturbingTheRest) {
  ASSERT_NO_FATAL_FAILURE(launch());
  ASSERT_TRUE(flows("binance", "BTC/USDT", start));
  const Time changed = binance.now();
  // One that no venue lists does not hold the others up.
  auto followed = service->follow({{"binance", "okx"}, {"BTC/USDT", "ETH/USDT", "NOPE/USDT"}});
  ASSERT_TRUE(followed) << followed.error().message;
  EXPECT_TRUE(flows("binance", "ETH/USDT", changed));
  EXPECT_TRUE(flows("okx", "BTC/USDT", changed));
  EXPECT_TRUE(flows("okx", "ETH/USDT", changed));
  EXPECT_THAT(venues(), ElementsAre("binance", "okx"));
  EXPECT_TRUE(test::eventually([&] {
    return get("/v1/subscriptions").find(R"("not_listed":["NOPE/USDT"])") != std::string::npos;
  })) << get("/v1/subscriptions");
  EXPECT_THAT(get("/latest/ETH-USDT?exchange=okx"), HasSubstr(R"("exchange":"okx")"));
  EXPECT_THAT(get("/v1/symbols?exchange=okx&limit=100"), HasSubstr("ETH/USDT"));
  // The day before it joined is there as well.
  EXPECT_TRUE(test::eventually([&] {
    auto database = app::open_for_reading(config);
    return test::stored_candles(**database, "binance", "ETH/USDT", changed - 24h, changed).size() >
           1400;
  }));

  for (const auto& feed : service->feeds()) EXPECT_EQ(feed.reconnects, 0U) << feed.venue;

  EXPECT_THAT(get("/metrics"), HasSubstr("candlewick_feed_connected{venue=\"binance\"} 1\n"));
  EXPECT_THAT(get("/metrics"), HasSubstr("candlewick_feed_rate_limited_total{venue=\"okx\"} 0\n"));
  followed = service->follow({{"okx"}, {"ETH/USDT"}});
  ASSERT_TRUE(followed) << followed.error().message;
  const Time left = binance.now();
  EXPECT_TRUE(test::eventually([&] { return venues() == std::vector<std::string>{"okx"}; }));
  EXPECT_EQ(get("/metrics").find("candlewick_feed_connected{venue=\"binance\"}"), std::string::npos)
      << "of what was left no gauge stays";
  EXPECT_TRUE(flows("okx", "ETH/USDT", okx.now()));
  EXPECT_EQ(stored("binance", "BTC/USDT", left + 1min), 0U) << "it was left";
  EXPECT_EQ(stored("okx", "BTC/USDT", left + 1min), 0U);
  EXPECT_EQ(send({.url = "/latest/BTC-USDT"}).status, 404);
  // The order outlives the service, and what was left is taken up where it was.
  service.reset();
  ASSERT_NO_FATAL_FAILURE(launch());
  EXPECT_TRUE(test::eventually([&] { return venues() == std::vector<std::string>{"okx"}; }));
  followed = service->follow_configuration(config);
  ASSERT_TRUE(followed) << followed.error().message;
  EXPECT_TRUE(test::eventually([&] { return venues() == std::vector<std::string>{"binance"}; }));
  const Time back = binance.now();
  ASSERT_TRUE(flows("binance", "BTC/USDT", back));
  const Time until = std::chrono::floor<std::chrono::minutes>(back);
  EXPECT_TRUE(test::eventually([&] {
    auto database = app::open_for_reading(config);
    return test::stored_candles(**database, "binance", "BTC/USDT", start, until).size() ==
           static_cast<std::size_t>((until - start) / 1min);
  }));
  service->stop();
  auto database = app::open_for_reading(config);
  ASSERT_TRUE(database);
  test::expect_the_truth(binance, **database, "BTC/USDT", start, until);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "subscriptions.json"));
}

TEST_F(Following, ObeysOrdersOfThoseWhoMayGiveThemAndRefusesWrongOnesWhole) {
  const auto made = test::run_program("CANDLEWICK", {"key", "--name", "ops", "--scope", "admin"});
  ASSERT_EQ(made.status, 0) << made.err;
  const std::string admin = made.out.substr(0, made.out.find('\n'));
  const auto quote = made.err.find('"');
  const std::string entry = made.err.substr(quote + 1, made.err.rfind('"') - quote - 1);
  const std::string reader = api::make_key();
  ASSERT_NO_FATAL_FAILURE(launch());
  EXPECT_EQ(put("{}", admin).status, 403) << "nobody may, without http.keys";
  service.reset();
  config.http.keys = {entry, "grafana:read:" + api::sha256_hex(reader)};
  ASSERT_NO_FATAL_FAILURE(launch());
  const std::string both = R"({"exchanges":["binance"],"symbols":["BTC/USDT","ETH/USDT"]})";
  EXPECT_EQ(put(both, "").status, 401);
  EXPECT_EQ(put(both, "cw_wrong").status, 401);
  const auto refused = put(both, reader);
  EXPECT_EQ(refused.status, 403);
  EXPECT_THAT(refused.body, HasSubstr("the key of grafana has the scope read"));
  const std::string before = get("/v1/subscriptions");
  const auto told = [&](const std::string& body) {
    const auto reply = put(body, admin);
    EXPECT_EQ(reply.status, 400) << body;
    EXPECT_THAT(reply.body, HasSubstr(R"("code":"invalid_body")"));
    return reply.body;
  };
  EXPECT_THAT(told("{"), HasSubstr("detail"));
  EXPECT_THAT(told(R"({"exchanges":["binance"]})"), HasSubstr("are needed"));
  EXPECT_THAT(told(R"({"exchanges":["binance"],"symbols":["BTC"],"more":1})"), HasSubstr("only"));
  EXPECT_THAT(told(R"({"exchanges":["binanse"],"symbols":["BTC/USDT"]})"),
              HasSubstr("there is no venue"));
  EXPECT_THAT(told(R"({"exchanges":["binance"],"symbols":["okx:BTC/USDT"]})"),
              HasSubstr("not in exchanges"));
  EXPECT_THAT(told(R"({"exchanges":["binance","coinbase"],"symbols":["top 5 by quote volume"]})"),
              HasSubstr("does not tell the volumes"));
  EXPECT_EQ(get("/v1/subscriptions"), before);
  const auto done = put(both, admin);
  EXPECT_EQ(done.status, 200) << done.body;
  EXPECT_THAT(done.body, HasSubstr(R"("symbols":["BTC/USDT","ETH/USDT"])"));
  EXPECT_TRUE(flows("binance", "ETH/USDT", binance.now()));
}

TEST_F(Following, FollowsWhatARuleMeansAndSaysSoWhileItIsNotKnown) {
  config.symbols = {"top 2 by quote volume and quote = USDT", "BTC/USDT", "NOPE/USDT"};
  ASSERT_NO_FATAL_FAILURE(launch());
  const auto symbols = [&] {
    std::vector<std::string> found;
    json::Reader reader;
    const auto read = reader.read(get("/v1/subscriptions"), [&](json::Value root) {
      root.members([&](std::string_view, json::Value data) {
        data.elements([&](json::Value venue) {
          venue.members([&](std::string_view name, json::Value value) {
            if (name != "symbols") return;
            value.elements([&](json::Value symbol) { found.emplace_back(symbol.string()); });
          });
        });
      });
    });
    EXPECT_TRUE(read);
    return found;
  };
  ASSERT_TRUE(test::eventually([&] {
    return get("/v1/subscriptions").find(R"("pending":[])") != std::string::npos &&
           symbols().size() >= 3;
  })) << get("/v1/subscriptions");
  for (const auto& symbol : symbols()) {
    EXPECT_THAT(symbol, ::testing::EndsWith("/USDT"));
    if (symbol == "NOPE/USDT") continue;
    EXPECT_TRUE(flows("binance", symbol, start)) << symbol;
  }
  EXPECT_THAT(symbols(), SizeIs(::testing::AllOf(::testing::Ge(3U), ::testing::Le(4U))));
  // A look an hour, not at every look at the status.
  const Time now = binance.now();
  ASSERT_TRUE(test::eventually([&] { return binance.now() >= now + 3min; }));
  EXPECT_LE(observer.count("symbol_not_listed"), 3U);
}

TEST_F(Following, ReadsItsConfigurationAgainAtSighup) {
  const auto file = folder.path() / "candlewick.toml";
  const auto write = [&](std::string_view symbols) {
    std::ofstream(file) << fmt::format("symbols = [{}]\n", symbols);
  };
  write(R"("BTC/USDT")");
  test::Program program("CANDLEWICK", {"run", "--config", file.string()}, "",
                        {{"BINANCE_BASE_URL", binance.base_url()},
                         {"BINANCE_WS_URL", binance.ws_url()},
                         {"CANDLEWICK_DATA_DIR", config.data_dir},
                         {"CANDLEWICK_HTTP_LISTEN", "127.0.0.1:0"}});
  ASSERT_TRUE(flows("binance", "BTC/USDT", start)) << program.err();
  write(R"("BTC/USDT", "ETH/USDT")");
  ASSERT_EQ(::kill(program.process(), SIGHUP), 0);
  EXPECT_TRUE(flows("binance", "ETH/USDT", start)) << program.err();
  write(R"("BTC USDT")");
  ASSERT_EQ(::kill(program.process(), SIGHUP), 0);
  EXPECT_TRUE(test::eventually([&] {
    return program.err().find("config_not_reloaded") != std::string::npos;
  })) << program.err();
  EXPECT_TRUE(flows("binance", "ETH/USDT", binance.now())) << "it goes on as before";
  EXPECT_EQ(program.stop().status, 0);
}

}  // namespace
}  // namespace candlewick
