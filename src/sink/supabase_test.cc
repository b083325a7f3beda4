// The sink against a server that says what a test tells it to. Real PostgreSQL and the official
// client judge it in test/supabase.
#include "sink/supabase.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "net/testing.h"
#include "sink/testing.h"

namespace candlewick::sink {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* secret_key = "sb_secret_abcdefghij";
// {"role":"service_role","exp":1700000000}
constexpr const char* service_token =
    "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIiwiZXhwIjoxNzAwMDAwMDAwfQ.c2ln";
// {"role":"anon"}
constexpr const char* anonymous_token = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiJ9.c2ln";
constexpr std::string_view guarded_setup =
    R"({"tables":{"market_ticks":{"guard":false},"technical_indicators":{"guard":true},)"
    R"("market_latest":{"guard":true},"fact_ohlcv":{"guard":true}}})";

class SupabaseSink : public net::testing::ServerTest {
 protected:
  SupabaseSink() {
    handler.on_http = [this](const net::Request& request,
                             const std::shared_ptr<net::Responder>& responder) {
      seen_.tell(request);
      if (auto answer = answer_(request)) responder->send(std::move(*answer));
    };
    listen();
    options_.location = {.url = url("http", ""), .key = Secret(secret_key)};
  }

  static net::Response setup_or_ok(const net::Request& request) {
    if (request.path.ends_with("/rpc/candlewick_setup")) {
      return {.body = std::string(guarded_setup)};
    }
    return {.status = request.method == "POST" ? 201 : 200,
            .body = request.method == "GET" ? "[]" : ""};
  }
  // Answers writes so, and all else well.
  void answer_writes(net::Response response) {
    answer_ = [response](const net::Request& request) -> std::optional<net::Response> {
      return request.method == "POST" ? response : setup_or_ok(request);
    };
  }

  std::unique_ptr<Sink> make() { return make_supabase(options_, clock_); }
  static Batch batch_of(std::vector<schema::Row> rows) {
    std::vector<log::Entry> entries;
    for (auto& row : rows) {
      entries.push_back(
          {.sequence = static_cast<log::Sequence>(entries.size()) + 1, .row = std::move(row)});
    }
    return {"log", std::move(entries)};
  }
  static std::vector<schema::Row> ticks(std::int64_t count) {
    std::vector<schema::Row> rows;
    for (std::int64_t minute = 0; minute < count; ++minute) {
      rows.push_back(tick_row("1"));
      rows.back().values[schema::market_ticks.index_of("exchange_ts")] = at_minute(minute);
    }
    return rows;
  }
  // The requests so far: "POST market_ticks".
  std::vector<std::string> asked() {
    std::vector<std::string> lines;
    for (const auto& request : seen_.wait_for(0)) {
      constexpr std::string_view base = "/rest/v1/";
      const std::string_view path = request.path;
      lines.push_back(request.method + " " +
                      std::string(path.starts_with(base) ? path.substr(base.size()) : path));
    }
    return lines;
  }
  std::vector<net::Request> writes() {
    auto all = seen_.wait_for(0);
    std::erase_if(all, [](const auto& request) { return request.method != "POST"; });
    return all;
  }
  static std::size_t rows_in(const net::Request& request) {
    std::size_t count = 0;
    json::Reader reader;
    const auto read = reader.read(
        request.body, [&](json::Value root) { root.elements([&](json::Value) { ++count; }); });
    EXPECT_TRUE(read);
    return count;
  }

  SupabaseSinkOptions options_;
  FakeClock clock_{at_minute(10'000)};
  net::testing::Told<net::Request> seen_;
  std::function<std::optional<net::Response>(const net::Request&)> answer_ = setup_or_ok;
};

TEST_F(SupabaseSink, WritesEachTableAsItsRowsAre) {
  options_.tables.candles = true;
  const auto sink = make();
  const auto written =
      sink->write(batch_of({indicator_row(1, 0), tick_row("1"), candle_row({}), tick_row("1")}));
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_THAT(asked(), ElementsAre("GET rpc/candlewick_setup", "GET market_ticks",
                                   "GET technical_indicators", "GET fact_ohlcv", "POST fact_ohlcv",
                                   "POST market_ticks", "POST technical_indicators",
                                   "POST market_latest", "POST market_latest"));
  const auto sent = writes();
  EXPECT_EQ(sent[1].headers.get("Prefer"), "return=minimal,resolution=ignore-duplicates");
  EXPECT_EQ(sent[1].parameter("on_conflict"), "exchange,symbol,window_interval,exchange_ts");
  EXPECT_THAT(std::string(*sent[1].parameter("columns")), StartsWith("symbol,exchange,"));
  EXPECT_EQ(sent[2].headers.get("Prefer"), "return=minimal,resolution=merge-duplicates");
  EXPECT_EQ(sent[3].parameter("on_conflict"), "exchange,symbol");
  for (const auto& request : sent) {
    EXPECT_EQ(request.headers.get("Content-Profile"), "public");
    EXPECT_EQ(request.headers.get("Content-Type"), "application/json");
    EXPECT_FALSE(request.headers.has("Content-Encoding"));
    EXPECT_EQ(rows_in(request), 1U);
  }
}

TEST_F(SupabaseSink, PutsEachKeyIntoItsOwnHeaders) {
  ASSERT_TRUE(make()->open());
  options_.location.key = Secret(service_token);
  ASSERT_TRUE(make()->open());
  const auto requests = seen_.wait_for(6);
  EXPECT_EQ(requests.front().headers.get("apikey"), secret_key);
  EXPECT_FALSE(requests.front().headers.has("Authorization"));
  EXPECT_EQ(requests.back().headers.get("apikey"), service_token);
  EXPECT_EQ(requests.back().headers.get("Authorization"), fmt::format("Bearer {}", service_token));
  for (const auto& request : requests) {
    EXPECT_THAT(std::string(request.headers.get("User-Agent")), StartsWith("candlewick/"));
  }
}

TEST_F(SupabaseSink, KeepsRequestsWithinTheirBounds) {
  options_.tables.latest = false;
  options_.max_request_rows = 40;
  ASSERT_TRUE(make()->write(batch_of(ticks(100))));
  std::vector<std::size_t> counts;
  for (const auto& request : writes()) counts.push_back(rows_in(request));
  EXPECT_THAT(counts, ElementsAre(40, 40, 20));
}

TEST_F(SupabaseSink, KeepsBodiesWithinTheirBounds) {
  options_.tables.latest = false;
  options_.max_request_bytes = 2000;
  ASSERT_TRUE(make()->write(batch_of(ticks(50))));
  std::size_t rows = 0;
  for (const auto& request : writes()) {
    EXPECT_LE(request.body.size(), 2000U);
    rows += rows_in(request);
  }
  EXPECT_EQ(rows, 50U);
}

TEST_F(SupabaseSink, SendsWhatIsTooLargeInHalvesAndRemembers) {
  options_.tables.latest = false;
  answer_ = [](const net::Request& request) -> std::optional<net::Response> {
    if (request.method == "POST" && request.body.size() > 12'000)
      return net::Response{.status = 413};
    return setup_or_ok(request);
  };
  const auto sink = make();
  ASSERT_TRUE(sink->write(batch_of(ticks(64))));
  const auto refused = [this] {
    return std::ranges::count_if(writes(),
                                 [](const auto& each) { return each.body.size() > 12'000; });
  };
  const auto before = refused();
  EXPECT_GT(before, 0);
  ASSERT_TRUE(sink->write(batch_of(ticks(64))));
  EXPECT_EQ(refused(), before);
}

TEST_F(SupabaseSink, OneRowThatIsTooLargeIsRefused) {
  answer_writes({.status = 413});
  const auto written = make()->write(batch_of(ticks(3)));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::rejected);
}

TEST_F(SupabaseSink, TakesARowThatIsThereAlreadyForWritten) {
  options_.tables.latest = false;
  // A server that ignores the preference: each row that it has is a violation.
  answer_ = [](const net::Request& request) -> std::optional<net::Response> {
    if (request.method != "POST" ||
        request.body.find(to_rfc3339(at_minute(1))) == std::string::npos) {
      return setup_or_ok(request);
    }
    return net::Response{
        .status = 409,
        .body = R"({"code":"23505","message":"duplicate key","details":)"
                R"("Key (exchange, symbol, window_interval, exchange_ts)=(a, b, c, d) exists."})"};
  };
  const auto written = make()->write(batch_of(ticks(8)));
  ASSERT_TRUE(written) << written.error().message;
  std::size_t stored = 0;
  for (const auto& request : writes()) {
    if (request.body.find(to_rfc3339(at_minute(1))) == std::string::npos)
      stored += rows_in(request);
  }
  EXPECT_EQ(stored, 7U);
}

TEST_F(SupabaseSink, TellsHowLongTheProjectWantsToBeLeftAlone) {
  answer_writes({.status = 429, .headers = {{"Retry-After", "7"}}});
  const auto sink = make();
  const auto written = sink->write(batch_of(ticks(1)));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::transient);
  EXPECT_EQ(sink->retry_after(), std::chrono::seconds{7});
  answer_ = setup_or_ok;
  ASSERT_TRUE(sink->write(batch_of(ticks(1))));
  EXPECT_EQ(sink->retry_after(), std::nullopt);
}

TEST_F(SupabaseSink, ABrokenConnectionIsPassing) {
  handler.on_http = [](const net::Request& request,
                       const std::shared_ptr<net::Responder>& responder) {
    if (request.method != "POST") return responder->send(setup_or_ok(request));
    // Begun and not finished: the connection is cut in the middle of the answer.
    responder->begin(201, {});
    static_cast<void>(responder->write(R"([{"half)"));
  };
  const auto written = make()->write(batch_of(ticks(1)));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::transient) << written.error().message;
}

TEST_F(SupabaseSink, NobodyThereIsPassing) {
  options_.location.url = "http://127.0.0.1:1";
  const auto opened = make()->open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::transient);
}

TEST_F(SupabaseSink, DoesNotOpenWithoutItsTable) {
  answer_ = [](const net::Request& request) -> std::optional<net::Response> {
    if (!request.path.ends_with("/technical_indicators")) return setup_or_ok(request);
    return net::Response{.status = 404,
                         .body = R"({"code":"PGRST205","message":"Could not find the table"})"};
  };
  const auto opened = make()->open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::misconfigured);
  EXPECT_THAT(opened.error().message, HasSubstr("table public.technical_indicators"));
}

TEST_F(SupabaseSink, NeverTellsItsKey) {
  for (const int status : {400, 401, 403, 404, 413, 429, 500}) {
    for (const char* key : {secret_key, service_token}) {
      options_.location.key = Secret(key);
      answer_ = [=](const net::Request&) {
        return net::Response{.status = status, .body = R"({"message":"JWT expired"})"};
      };
      const auto sink = make();
      const auto written = sink->write(batch_of(ticks(1)));
      ASSERT_FALSE(written);
      EXPECT_THAT(written.error().message, Not(HasSubstr(key)));
      for (const auto& finding : sink->examine()) {
        EXPECT_THAT(finding.what + finding.advice, Not(HasSubstr(key)));
      }
    }
  }
}

TEST_F(SupabaseSink, SaysUntilWhenAnExpiredKeyWasValid) {
  options_.location.key = Secret(service_token);
  answer_ = [](const net::Request&) {
    return net::Response{.status = 401, .body = R"({"code":"PGRST303","message":"JWT expired"})"};
  };
  const auto opened = make()->open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::misconfigured);
  EXPECT_THAT(opened.error().message, HasSubstr("valid until 2023-11-14T22:13:20Z"));
}

TEST_F(SupabaseSink, RefusesKeysThatMayOnlyRead) {
  for (const char* key : {"sb_publishable_abc", anonymous_token}) {
    options_.location.key = Secret(key);
    const auto opened = make()->open();
    ASSERT_FALSE(opened) << key;
    EXPECT_EQ(opened.error().kind, ErrorKind::misconfigured);
  }
  EXPECT_EQ(seen_.count(), 0U);
}

TEST_F(SupabaseSink, AsksForNewerRowsWhereNoTriggerKeepsThem) {
  const std::string key =
      fmt::format(R"("exchange":"x","symbol":"x","window_interval":"x","exchange_ts":"{}")",
                  to_rfc3339(at_minute(1)));
  answer_ = [&](const net::Request& request) -> std::optional<net::Response> {
    if (request.path.find("/rpc/") != std::string::npos) {
      return net::Response{.status = 404, .body = R"({"code":"PGRST202","message":"no function"})"};
    }
    if (request.parameter("revision") == "gt.1" && request.parameter("offset") == "0") {
      return net::Response{.body = fmt::format(R"([{{{},"revision":2}}])", key)};
    }
    return setup_or_ok(request);
  };
  const auto sink = make();
  ASSERT_TRUE(sink->write(batch_of({indicator_row(1, 1)})));
  EXPECT_EQ(writes().size(), 0U);
  ASSERT_TRUE(sink->write(batch_of({indicator_row(3, 3)})));
  EXPECT_EQ(writes().size(), 1U);
}

TEST_F(SupabaseSink, BroadcastsNewsAndBearsItsRefusal) {
  options_.tables.latest = false;
  options_.tables.broadcast = true;
  clock_ = FakeClock(at_minute(3));
  answer_ = [](const net::Request& request) -> std::optional<net::Response> {
    if (request.path == "/realtime/v1/api/broadcast") return net::Response{.status = 429};
    return setup_or_ok(request);
  };
  ASSERT_TRUE(make()->write(batch_of(ticks(4))));
  const auto sent = writes();
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_THAT(sent[1].body, StartsWith(R"({"messages":[{"topic":"market_ticks","event":"tick")"));
  EXPECT_THAT(sent[1].body, HasSubstr(to_rfc3339(at_minute(3))));
  EXPECT_THAT(sent[1].body, Not(HasSubstr(to_rfc3339(at_minute(0)))));
}

TEST_F(SupabaseSink, RetiresLaddersADayAtATimeAndSeldom) {
  options_.tables.latest = false;
  options_.ladders = std::chrono::hours{24};
  answer_ = [](const net::Request& request) -> std::optional<net::Response> {
    if (request.parameter("order") == "exchange_ts.asc") {
      return net::Response{.body = R"([{"exchange_ts":"2023-03-29T02:41:00.5+00:00"}])"};
    }
    return setup_or_ok(request);
  };
  const auto sink = make();
  const auto retired = [&] {
    auto all = seen_.wait_for(0);
    std::erase_if(all, [](const auto& request) { return request.method != "PATCH"; });
    return all;
  };
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(sink->write(batch_of(ticks(1))));
  ASSERT_EQ(retired().size(), 1U);
  EXPECT_EQ(retired()[0].body, R"({"bid_depth":null,"ask_depth":null})");
  EXPECT_EQ(retired()[0].query[0].second, "gte.20230329T024100Z");
  EXPECT_EQ(retired()[0].query[1].second, "lt.20230330T024100Z");
  clock_.advance(std::chrono::minutes{2});
  ASSERT_TRUE(sink->write(batch_of(ticks(1))));
  EXPECT_EQ(retired().size(), 2U);
}

TEST(SupabaseSettings, AreReadAndRefusedByName) {
  const FakeClock clock{at_minute(0)};
  const auto make = [&](std::map<std::string, std::string, std::less<>> values) {
    values.emplace("url", "https://abc.supabase.co/rest/v1/");
    values.emplace("service_role_key", secret_key);
    return make_supabase_from({.clock = &clock, .values = std::move(values)});
  };
  EXPECT_TRUE(make({}));
  EXPECT_TRUE(make({{"candles", "true"}, {"ladder_days", "30"}, {"symbol_style", "exchange"}}));
  const std::pair<const char*, const char*> bad[] = {{"url", ""},
                                                     {"url", "nonsense"},
                                                     {"url", "http://abc.supabase.co"},
                                                     {"url", "ws://[::1]"},
                                                     {"schema", "a b"},
                                                     {"candles", "yes"},
                                                     {"latest", "1"},
                                                     {"ladder_days", "99999"},
                                                     {"broadcast", ""},
                                                     {"ladder_days", "-1"},
                                                     {"ladder_days", "x"},
                                                     {"symbol_style", "x"},
                                                     {"service_role_key", ""}};
  for (const auto& [key, value] : bad) {
    const auto made = make({{key, value}});
    ASSERT_FALSE(made) << key << "=" << value;
    EXPECT_EQ(made.error().kind, ErrorKind::misconfigured);
  }
}

}  // namespace
}  // namespace candlewick::sink
