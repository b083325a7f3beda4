// Secrets of every kind, against targets that refuse them and say so in the worst way: with the
// secret in their answer. Nothing that the program prints, serves or stores may hold one.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <fmt/format.h>

#include "net/http_client.h"
#include "net/loop.h"
#include "net/server.h"
#include "test/support/eventually.h"
#include "test/support/postgres_server.h"
#include "test/support/program.h"
#include "test/support/simulated_venue.h"
#include "test/support/temporary_folder.h"

namespace candlewick {
namespace {

using namespace std::chrono_literals;

const Time start = time_from_ms(1'768'478'400'000);  // 2026-01-15T12:00:00Z

// Answers 401 with all that it was sent.
class EchoingTarget final : public net::Handler {
 public:
  EchoingTarget() {
    auto listening = net::Server::listen(loop_, {}, *this);
    EXPECT_TRUE(listening);
    if (listening) server_ = std::move(*listening);
    loop_.start();
  }
  ~EchoingTarget() override {
    server_.reset();
    loop_.stop();
    loop_.join();
  }
  void http(net::Request request, std::shared_ptr<net::Responder> responder) override {
    std::string said = request.target + " " + request.body;
    for (const auto& header : request.headers) said += " " + header.value;
    ++requests_;
    responder->send(
        {.status = 401,
         .headers = {{"Content-Type", "application/json"}},
         .body = fmt::format(R"({{"success":false,"code":"390100","message":"no: {}"}})",
                             escaped(said))});
  }
  std::string url() const { return "http://" + server_->address(); }
  int requests() const { return requests_; }

 private:
  static std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
      if (c == '"' || c == '\\') out += '\\';
      if (c >= ' ') out += c;
    }
    return out;
  }

  net::Loop loop_{"echo"};
  std::atomic<int> requests_ = 0;
  std::unique_ptr<net::Server> server_;
};

std::string content_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

class Secrets : public testing::Test {
 protected:
  void look(const std::string& where, const std::string& text) {
    ++looked_at_;
    for (const auto& secret : secrets) {
      const auto at = text.find(secret);
      EXPECT_EQ(at, std::string::npos) << where << " holds " << secret << ": "
                                       << text.substr(at < 200 ? 0 : at - 200, secret.size() + 300);
    }
  }
  test::Finished run(const std::vector<std::string>& arguments) {
    const auto finished = test::run_program("CANDLEWICK", arguments, "", environment);
    look(arguments.front() + " stdout", finished.out);
    look(arguments.front() + " stderr", finished.err);
    return finished;
  }

  EchoingTarget target;
  test::SimulatedVenue venue{"binance", 3, start, 60};
  test::TemporaryFolder folder;
  const std::vector<std::string> secrets{
      "sb_secret_q8Jw2kVfT0aYz7", "hunter2-of-snowflake",      "oauth-ver1-77AbCdEfGh",
      "hook-shared-secret-51",    "wrong-pg-password",         "CG-demo-key-31337",
      "T0AB/B0CD/slackhook4711",  "5551:AAtelegram-bot_token", "alert-hook-key-0815"};
  std::map<std::string, std::string> environment{
      {"BINANCE_BASE_URL", venue.base_url()},
      {"BINANCE_WS_URL", venue.ws_url()},
      {"SYMBOLS", "BTC"},
      {"CANDLEWICK_DATA_DIR", folder.path().string()},
      {"CANDLEWICK_WAREHOUSE", "sqlite"},
      {"CANDLEWICK_LOG_LEVEL", "debug"},
      {"SUPABASE_URL", target.url()},
      {"SUPABASE_SERVICE_ROLE_KEY", secrets[0]},
      {"SNOWFLAKE_ACCOUNT", "acme-test"},
      {"SNOWFLAKE_BASE_URL", target.url()},
      {"SNOWFLAKE_USER", "LOADER"},
      {"SNOWFLAKE_DATABASE", "MARKET"},
      {"SNOWFLAKE_PASSWORD", secrets[1]},
      {"CANDLEWICK_SNOWFLAKE_FLUSH_SECONDS", "1"},
      {"CANDLEWICK_WEBHOOK_URL", target.url() + "/rows"},
      {"CANDLEWICK_WEBHOOK_SECRET", secrets[3]},
      {"DATABASE_URL", "postgres://candlewick:" + secrets[4] + "@127.0.0.1:1/market"},
      {"COINGECKO_API_KEY", secrets[5]},
      {"CANDLEWICK_ALERTS_SLACK_URL", target.url() + "/services/" + secrets[6]},
      {"CANDLEWICK_ALERTS_TELEGRAM_TOKEN", secrets[7]},
      {"CANDLEWICK_ALERTS_TELEGRAM_CHAT", "5"},
      {"CANDLEWICK_ALERTS_TELEGRAM_BASE_URL", target.url()},
      {"CANDLEWICK_ALERTS_WEBHOOK_URL", target.url() + "/hook?key=" + secrets[8]},
      {"CANDLEWICK_ALERTS_WHEN", "BTC/USDT price > 1"}};
  int looked_at_ = 0;
};

TEST_F(Secrets, AreInNothingThatTheServicePrintsServesOrStores) {
  environment["CANDLEWICK_HTTP_LISTEN"] = "127.0.0.1:0";
  test::Program service("CANDLEWICK", {"run"}, "", environment);
  std::string address;
  ASSERT_TRUE(test::eventually([&] {
    const std::string said = service.err();
    const auto at = said.find("serving on http://");
    if (at == std::string::npos) return !service.is_running();
    address = said.substr(at + 11, said.find('\n', at) - at - 11);
    return true;
  }));
  ASSERT_NE(address, "") << service.err();
  net::HttpClient http;
  const auto get = [&](const std::string& path) {
    const auto reply = http.fetch({.url = address + path});
    EXPECT_TRUE(reply) << reply.error().message;
    return reply ? reply->body : std::string{};
  };
  // Every target has refused its secret.
  const auto stopped = [](const std::string& health) {
    std::size_t count = 0;
    for (auto at = health.find(": stopped: "); at != std::string::npos;
         at = health.find(": stopped: ", at + 1)) {
      ++count;
    }
    return count;
  };
  EXPECT_TRUE(test::eventually([&] { return stopped(get("/health")) >= 3; }, 30s))
      << get("/health");
  for (const auto* receiver : {"slack", "telegram", "webhook"}) {
    const auto refused =
        fmt::format("candlewick_alert_given_up_total{{channel=\"{}\"}} 0\n", receiver);
    EXPECT_TRUE(test::eventually([&] { return !get("/metrics").contains(refused); })) << receiver;
  }
  for (const auto* path : {"/health", "/v1/sinks", "/metrics", "/readyz", "/livez", "/v1/exchanges",
                           "/openapi.json"}) {
    look(path, get(path));
  }
  const auto limits = content_of(fmt::format("/proc/{}/limits", service.process()));
#if !defined(__SANITIZE_ADDRESS__)
  EXPECT_NE(limits.find("Max core file size        0                    0"), std::string::npos)
      << "a core dump would hold them: " << limits;
#endif
  const auto finished = service.stop();
  EXPECT_EQ(finished.status, 0) << finished.err;
  look("run stdout", finished.out);
  look("run stderr", finished.err);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
    if (entry.is_regular_file()) look(entry.path().filename(), content_of(entry.path()));
  }
  EXPECT_GE(target.requests(), 3);
  EXPECT_GE(looked_at_, 11);
}

TEST_F(Secrets, AreInNothingThatTheCommandsPrint) {
  const auto config = run({"check-config"});
  EXPECT_EQ(config.status, 0) << config.err;
  EXPECT_NE(config.out.find("***"), std::string::npos);
  const auto doctor = run({"doctor", "--format", "jsonl"});
  EXPECT_EQ(doctor.status, 1) << doctor.out;
  EXPECT_NE(doctor.out.find(R"("check":"sink webhook","verdict":"failed")"), std::string::npos)
      << doctor.out;
  EXPECT_GE(target.requests(), 1);
  EXPECT_EQ(run({"alerts", "--test"}).status, 1);
  run({"sinks"});
  run({"dead-letters"});
  run({"migrate", "supabase", "--print"});
  run({"--help"});
  environment.erase("SNOWFLAKE_PASSWORD");
  environment["SNOWFLAKE_OAUTH_TOKEN"] = secrets[2];
  run({"check-config"});
  run({"doctor"});
}

TEST_F(Secrets, OfADatabaseThatRefusesItsPasswordAreNotTold) {
  test::PostgresServer server({.passwords = true});
  ASSERT_EQ(server.problem(), "");
  environment["CANDLEWICK_WAREHOUSE"] = "postgres";
  environment["DATABASE_URL"] =
      fmt::format("postgres://candlewick:{}@127.0.0.1:{}/postgres", secrets[4], server.port());
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"doctor"}, {"migrate"}, {"run"}, {"check-config"}}) {
    const auto finished = run(command);
    EXPECT_EQ(finished.status == 0, command.front() == "check-config")
        << command.front() << finished.out << finished.err;
  }
}

}  // namespace
}  // namespace candlewick
