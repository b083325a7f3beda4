// What every request meets before its resource: routes, methods, ids, strict parameters, and the
// description of it all.
#include "api/handler.h"

#include <map>
#include <set>
#include <tuple>

#include "api/dashboard.h"
#include "api/openapi.h"
#include "api/testing.h"
#include "base/json.h"

namespace candlewick::api {
namespace {

using ::testing::AllOf;
using testing::Answer;
using ::testing::AnyOf;
using ::testing::HasSubstr;

class Http : public testing::ApiTest {
 protected:
  Http() {
    add("binance", "BTC/USDT", "BTCUSDT");
    backend.open_database = []() -> Result<std::unique_ptr<warehouse::Database>> {
      return candlewick::fail(ErrorKind::transient, "secret/place is locked");
    };
  }
};

TEST_F(Http, RefusesEveryBadParameterByItsName) {
  const std::string long_text(300, 'x');
  const std::string huge_cursor(3000, 'A');
  const std::vector<std::tuple<std::string, std::string, std::string>> inputs{
      {"/v1/candles", "missing_parameter", "symbol"},
      {"/v1/candles?symbol=", "invalid_parameter", "symbol"},
      {"/v1/candles?symbol=BTCUSDT&symbol=BTCUSDT", "repeated_parameter", "symbol"},
      {"/v1/candles?symbol=" + long_text, "invalid_parameter", "symbol"},
      {"/v1/candles?symbol=BTCUSDT&Symbol=x", "unknown_parameter", "Symbol"},
      {"/v1/candles?symbol=BTCUSDT&interval=1m", "unknown_parameter", "interval"},
      {"/v1/candles?symbol=BTCUSDT&=1", "unknown_parameter", ""},
      {"/v1/candles?symbol=BTCUSDT&exchange=", "invalid_parameter", "exchange"},
      {"/v1/candles?symbol=BTCUSDT&timeframe=7m", "invalid_parameter", "timeframe"},
      {"/v1/candles?symbol=BTCUSDT&timeframe=1Min", "invalid_parameter", "timeframe"},
      {"/v1/candles?symbol=BTCUSDT&timeframe=", "invalid_parameter", "timeframe"},
      {"/v1/candles?symbol=BTCUSDT&limit=0", "invalid_parameter", "limit"},
      {"/v1/candles?symbol=BTCUSDT&limit=-1", "invalid_parameter", "limit"},
      {"/v1/candles?symbol=BTCUSDT&limit=10001", "invalid_parameter", "limit"},
      {"/v1/candles?symbol=BTCUSDT&limit=1e3", "invalid_parameter", "limit"},
      {"/v1/candles?symbol=BTCUSDT&limit=%201", "invalid_parameter", "limit"},
      {"/v1/candles?symbol=BTCUSDT&limit=99999999999999999999999", "invalid_parameter", "limit"},
      {"/v1/candles?symbol=BTCUSDT&limit=ten", "invalid_parameter", "limit"},
      {"/v1/candles?symbol=BTCUSDT&start=yesterday", "invalid_parameter", "start"},
      {"/v1/candles?symbol=BTCUSDT&start=-1", "invalid_parameter", "start"},
      {"/v1/candles?symbol=BTCUSDT&start=1969-12-31T23:59:59Z", "invalid_parameter", "start"},
      {"/v1/candles?symbol=BTCUSDT&start=2024-13-01", "invalid_parameter", "start"},
      {"/v1/candles?symbol=BTCUSDT&start=2024-02-30", "invalid_parameter", "start"},
      {"/v1/candles?symbol=BTCUSDT&start=2024-01-01T00:00:00+02:00", "invalid_parameter", "start"},
      {"/v1/candles?symbol=BTCUSDT&start=99999999999999999999", "invalid_parameter", "start"},
      {"/v1/candles?symbol=BTCUSDT&end=NaN", "invalid_parameter", "end"},
      {"/v1/candles?symbol=BTCUSDT&end=2200-01-01", "invalid_parameter", "end"},
      {"/v1/candles?symbol=BTCUSDT&start=2024-01-02&end=2024-01-01", "invalid_range", "start"},
      {"/v1/candles?symbol=BTCUSDT&start=1714564800000&end=1714564799999", "invalid_range",
       "start"},
      {"/v1/candles?symbol=BTCUSDT&sort=up", "invalid_parameter", "sort"},
      {"/v1/candles?symbol=BTCUSDT&sort=DESC", "invalid_parameter", "sort"},
      {"/v1/candles?symbol=BTCUSDT&as_of=now", "invalid_parameter", "as_of"},
      {"/v1/candles?symbol=BTCUSDT&closed_only=1", "invalid_parameter", "closed_only"},
      {"/v1/candles?cursor=!!", "invalid_cursor", "cursor"},
      {"/v1/candles?cursor=A", "invalid_cursor", "cursor"},
      {"/v1/candles?cursor=bm90IGEgY3Vyc29y", "invalid_cursor", "cursor"},
      {"/v1/candles?cursor=" + huge_cursor, "invalid_cursor", "cursor"},
      {"/v1/indicators", "missing_parameter", "symbol"},
      {"/v1/indicators?symbol=BTCUSDT&closed_only=true", "unknown_parameter", "closed_only"},
      {"/v1/ticks?symbol=BTCUSDT&limit=0", "invalid_parameter", "limit"},
      {"/v1/ticks?symbol=BTCUSDT&as_of=2024-01-01", "unknown_parameter", "as_of"},
      {"/v1/orderbook", "missing_parameter", "symbol"},
      {"/v1/orderbook?symbol=BTCUSDT&depth=0", "invalid_parameter", "depth"},
      {"/v1/orderbook?symbol=BTCUSDT&depth=5001", "invalid_parameter", "depth"},
      {"/v1/tickers?limit=1", "unknown_parameter", "limit"},
      {"/v1/symbols?listed_only=yes", "invalid_parameter", "listed_only"},
      {"/v1/symbols?limit=0", "invalid_parameter", "limit"},
      {"/v1/symbols?cursor=x", "invalid_cursor", "cursor"},
      {"/v1/coverage?stream=quotes", "invalid_parameter", "stream"},
      {"/v1/coverage?state=live,fine", "invalid_parameter", "state"},
      {"/v1/coverage?state=live,", "invalid_parameter", "state"},
      {"/v1/coverage?state=unknown", "invalid_parameter", "state"},
      {"/v1/coverage?history=yes", "invalid_parameter", "history"},
      {"/v1/quality?since=lately", "invalid_parameter", "since"},
      {"/v1/quality?limit=0", "invalid_parameter", "limit"},
      {"/v1/quality?end=2024-01-01", "unknown_parameter", "end"},
      {"/v1/coverage?timeframe=2m", "invalid_parameter", "timeframe"},
      {"/v1/coverage?start=2024-01-02&end=2024-01-01", "invalid_range", "start"},
      {"/v1/exchanges?x=1", "unknown_parameter", "x"},
      {"/health?verbose=1", "unknown_parameter", "verbose"},
      {"/metrics?name=x", "unknown_parameter", "name"},
      {"/latest/BTCUSDT?venue=binance", "unknown_parameter", "venue"},
      {"/latest/" + long_text, "invalid_parameter", "symbol"},
  };
  EXPECT_GE(inputs.size(), 40U);
  for (const auto& [target, code, parameter] : inputs) {
    const Answer answer = get(target);
    EXPECT_EQ(answer.status, 400) << target;
    EXPECT_EQ(answer.member("code"), code) << target << answer.body;
    EXPECT_EQ(answer.member("parameter"), parameter) << target;
    EXPECT_EQ(answer.headers.get("Content-Type"), "application/problem+json") << target;
  }
}

TEST_F(Http, DescribesAProblemInOneForm) {
  const Answer answer = send("GET", "/v1/candles?limt=5", {{"X-Request-Id", "my-id.7"}});
  EXPECT_EQ(answer.body,
            "{\"type\":\"urn:candlewick:problem:unknown_parameter\",\"title\":\"Unknown "
            "parameter\",\"status\":400,\"code\":\"unknown_parameter\",\"detail\":\"there is no "
            "parameter \\\"limt\\\" here (did you mean \\\"limit\\\"?); known: exchange, symbol, "
            "timeframe, start, end, limit, sort, cursor, as_of, closed_only, fill, "
            "format\",\"parameter\":\"limt\","
            "\"request_id\":\"my-id.7\"}\n");
}

TEST_F(Http, GivesEveryAnswerAnId) {
  std::set<std::string> seen;
  for (const std::string_view target : {"/livez", "/livez", "/nowhere", "/metrics", "/"}) {
    const Answer answer = get(target);
    const std::string id(answer.headers.get("X-Request-Id"));
    EXPECT_GE(id.size(), 10U);
    EXPECT_TRUE(seen.insert(id).second) << id;
  }
  EXPECT_EQ(send("GET", "/livez", {{"X-Request-Id", "abc"}}).headers.get("X-Request-Id"), "abc");
  for (const std::string& bad :
       {std::string("a b"), std::string(65, 'a'), std::string("<script>")}) {
    EXPECT_NE(send("GET", "/livez", {{"X-Request-Id", bad}}).headers.get("X-Request-Id"), bad);
  }
}

TEST_F(Http, RefusesUnknownPagesAndOtherMethods) {
  for (const std::string_view target :
       {"/v2/candles", "/v1", "/v1/", "/health/", "/latest/", "/LIVEZ", "//livez"}) {
    const Answer answer = get(target);
    EXPECT_EQ(answer.status, 404) << target;
    EXPECT_EQ(answer.member("code"), "unknown_route") << target;
  }
  for (const std::string method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "QUERY", "BREW"}) {
    const Answer answer = send(method, "/livez");
    EXPECT_EQ(answer.status, 405) << method;
    EXPECT_EQ(answer.headers.get("Allow"), "GET, HEAD") << method;
    EXPECT_EQ(answer.member("code"), "method_not_allowed") << method;
  }
}

TEST_F(Http, AnswersHeadLikeGetWithoutABody) {
  for (const std::string_view target : {"/", "/livez", "/openapi.json", "/nowhere"}) {
    const Answer whole = get(target);
    const Answer head = send("HEAD", target);
    EXPECT_EQ(head.status, whole.status) << target;
    EXPECT_TRUE(head.body.empty()) << target;
    EXPECT_EQ(head.headers.get("Content-Type"), whole.headers.get("Content-Type")) << target;
    EXPECT_TRUE(head.headers.has("X-Request-Id")) << target;
  }
}

TEST_F(Http, AnswersProblemsOfTheServerItselfInTheSameForm) {
  const Answer answer = get("/livez?%zz");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.member("code"), "invalid_request");
  EXPECT_TRUE(answer.headers.has("X-Request-Id"));
  const Answer large = get("/livez?" + std::string(20'000, 'x'));
  EXPECT_EQ(large.status, 431);
  EXPECT_EQ(large.member("code"), "request_header_fields_too_large");
  const net::Headers upgrade{{"Upgrade", "websocket"},
                             {"Connection", "Upgrade"},
                             {"Sec-WebSocket-Version", "13"},
                             {"Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="}};
  const Answer socket = send("GET", "/nowhere", upgrade);
  EXPECT_EQ(socket.status, 404);
  EXPECT_EQ(socket.member("code"), "unknown_route");
}

TEST_F(Http, KeepsReasonsOfTheWarehouseInTheLog) {
  for (const std::string_view target : {"/v1/candles?symbol=BTCUSDT", "/v1/exchanges",
                                        "/v1/symbols", "/v1/coverage", "/v1/ticks?symbol=nope"}) {
    const Answer answer = get(target);
    EXPECT_EQ(answer.status, 503) << target;
    EXPECT_EQ(answer.member("code"), "warehouse_unavailable") << target;
    EXPECT_EQ(answer.headers.get("Retry-After"), "2") << target;
    EXPECT_THAT(answer.body, ::testing::Not(HasSubstr("secret"))) << target;
  }
  EXPECT_EQ(observer.count("query_failed"), 5U);
  EXPECT_THAT(observer.lines().front(), HasSubstr("secret/place is locked"));
  EXPECT_EQ(get("/livez").status, 200);
}

TEST_F(Http, LeadsFromTheDocsToTheDescription) {
  const Answer docs = get("/docs");
  if (dashboard_files().empty()) {
    EXPECT_EQ(docs.status, 307);
    EXPECT_EQ(docs.headers.get("Location"), "/openapi.json");
  } else {
    EXPECT_EQ(docs.status, 200);
    EXPECT_THAT(docs.body, HasSubstr("<title>Candlewick: the API</title>"));
    EXPECT_THAT(std::string(docs.headers.get("Content-Security-Policy")),
                AllOf(HasSubstr("script-src 'self';"), ::testing::Not(HasSubstr("unsafe"))));
  }
  EXPECT_EQ(get("/redoc").headers.get("Location"), "/docs");
  EXPECT_EQ(get("/openapi.json").body, openapi_document());
}

TEST_F(Http, ServesTheDashboardIfItWasBuilt) {
  const Answer page = get("/");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, HasSubstr("<title>Candlewick</title>"));
  EXPECT_EQ(page.headers.get("Content-Type"), "text/html; charset=utf-8");
  EXPECT_THAT(std::string(page.headers.get("Content-Security-Policy")),
              AllOf(HasSubstr("default-src 'none'"), HasSubstr("frame-ancestors 'none'")));
  EXPECT_EQ(get("/assets/none.js").status, 404);
  EXPECT_EQ(get("/assets/../index.html").status, 404);
  if (dashboard_files().empty()) {
    EXPECT_THAT(page.body, HasSubstr("<a href=\"/health\">"));
    return;
  }
  EXPECT_EQ(page.headers.get("Cache-Control"), "no-cache");
  for (const auto& file : dashboard_files()) {
    if (!file.path.starts_with("/assets/")) continue;
    EXPECT_THAT(page.body + get("/docs").body, HasSubstr(std::string(file.path)));
    const Answer answer = get(file.path);
    EXPECT_EQ(answer.body, file.content) << file.path;
    EXPECT_EQ(answer.headers.get("Cache-Control"), "public, max-age=31536000, immutable");
    EXPECT_THAT(
        std::string(answer.headers.get("Content-Type")),
        AnyOf("text/javascript; charset=utf-8", "text/css; charset=utf-8", "image/svg+xml"));
  }
}

// "#/components/parameters/start" → the name that the parameter has, and where it is.
struct Parameter {
  std::string name;
  std::string place;
};

TEST(Openapi, DescribesEveryRouteAndItsParametersAndNoOther) {
  std::map<std::string, Parameter> parameters;
  std::map<std::string, std::vector<std::string>> paths;
  std::set<std::string> codes;
  std::set<std::string> changeable;
  json::Reader reader;
  const auto read = reader.read(openapi_document(), [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key == "paths") {
        value.members([&](std::string_view path, json::Value methods) {
          auto& named = paths[std::string(path)];
          methods.members([&](std::string_view method, json::Value operation) {
            if (method == "put") {
              changeable.emplace(path);
              return;
            }
            EXPECT_EQ(method, "get") << path;
            operation.members([&](std::string_view part, json::Value content) {
              if (part != "parameters") return;
              content.elements([&](json::Value element) {
                element.members([&](std::string_view, json::Value target) {
                  const std::string whole(target.string());
                  named.push_back(whole.substr(whole.rfind('/') + 1));
                });
              });
            });
          });
        });
      } else if (key == "components") {
        value.members([&](std::string_view kind, json::Value parts) {
          parts.members([&](std::string_view name, json::Value part) {
            if (kind == "parameters") {
              Parameter& parameter = parameters[std::string(name)];
              part.members([&](std::string_view field, json::Value text) {
                if (field == "name") parameter.name = text.string();
                if (field == "in") parameter.place = text.string();
              });
            } else if (kind == "schemas" && name == "Problem") {
              part.members([&](std::string_view field, json::Value properties) {
                if (field != "properties") return;
                properties.members([&](std::string_view property, json::Value schema) {
                  if (property != "code") return;
                  schema.members([&](std::string_view item, json::Value list) {
                    if (item != "enum") return;
                    list.elements([&](json::Value code) { codes.emplace(code.string()); });
                  });
                });
              });
            }
          });
        });
      }
    });
  });
  ASSERT_TRUE(read) << read.error().message;
  std::set<std::string> routes;
  for (const auto& route : all_routes()) {
    routes.emplace(route.path);
    EXPECT_EQ(changeable.contains(std::string(route.path)), route.put != nullptr) << route.path;
    const auto described = paths.find(std::string(route.path));
    ASSERT_NE(described, paths.end()) << route.path;
    std::set<std::string> expected(route.parameters.begin(), route.parameters.end());
    std::set<std::string> in_query;
    std::set<std::string> in_path;
    for (const auto& reference : described->second) {
      ASSERT_TRUE(parameters.contains(reference)) << reference;
      const Parameter& parameter = parameters[reference];
      (parameter.place == "path" ? in_path : in_query).insert(parameter.name);
    }
    EXPECT_EQ(in_query, expected) << route.path;
    const auto brace = route.path.find('{');
    std::set<std::string> captured;
    if (brace != std::string_view::npos) {
      captured.emplace(route.path.substr(brace + 1, route.path.size() - brace - 2));
    }
    EXPECT_EQ(in_path, captured) << route.path;
  }
  EXPECT_EQ(paths.size(), routes.size());
  std::set<std::string> known;
  for (const auto* kind : all_problems()) known.emplace(kind->code);
  EXPECT_EQ(codes, known);
}

}  // namespace
}  // namespace candlewick::api
