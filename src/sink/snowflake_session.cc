// HTTP 200 says nothing here: refusals come with it too, and are told by "success" and "code".
#include "sink/snowflake_session.h"

#include <algorithm>
#include <charconv>
#include <thread>
#include <utility>

#include "base/base64.h"
#include "base/json.h"
#include "base/json_text.h"
#include "net/url.h"
#include "sink/snowflake_error.h"
#include "sink/snowflake_jwt.h"

namespace candlewick::sink::snowflake {
namespace {

// A server assumes the abilities of the client that is named; JSON results are asked of this one by
// a parameter of its name. The application's own name is told beside it.
constexpr std::string_view client_name = "Go";
constexpr std::string_view client_version = "1.17.0";
constexpr std::string_view user_agent = "candlewick (Go/1.17.0)";

constexpr Duration request_timeout =
    std::chrono::seconds{120};  // an answer may take 45 s by design
constexpr Duration farewell_timeout = std::chrono::seconds{3};
constexpr std::size_t compressed_from_bytes = 1024;
// Locks of a session that died are given up by the server after five minutes.
constexpr std::int64_t lock_timeout_seconds = 600;

std::optional<std::string> text_or_null(json::Value value) {
  if (value.is_null()) return std::nullopt;
  if (value.type() == json::Type::string) return std::string(value.string());
  if (value.type() == json::Type::object || value.type() == json::Type::array) {
    return std::string(value.text());
  }
  return std::string(value.raw());
}

std::string text_of(json::Value value) {
  return text_or_null(value).value_or("");
}

net::Headers headers_for(std::string_view token) {
  net::Headers headers{{"Content-Type", "application/json"},
                       {"Accept", "application/json"},
                       {"User-Agent", std::string(user_agent)},
                       {"CLIENT_APP_ID", std::string(client_name)},
                       {"CLIENT_APP_VERSION", std::string(client_version)}};
  if (!token.empty()) {
    headers.add("Authorization", fmt::format("Snowflake Token=\"{}\"", token));
  }
  return headers;
}

bool is_worth_another_try(int status) {
  return status == 408 || status == 429 || status >= 500;
}

std::optional<Duration> retry_after_of(const net::HttpResponse& response) {
  const std::string_view text = response.headers.get("Retry-After");
  int seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || end != text.data() + text.size() || seconds < 0) return std::nullopt;
  return std::chrono::seconds{seconds};
}

}  // namespace

struct Session::Reply {
  bool success = false;
  int status = 200;
  std::string code;
  std::string message;
  std::string result_url;  // of a statement that goes on
  ResultSet result;
  std::string token;
  std::string master_token;
  std::string arrow;
  bool has_more = false;
  SessionFacts facts;
};

// How often one request has been sent.
struct Session::Repeat {
  int count = 0;
  int reason = 0;  // the last status; 0: no answer
  std::int64_t started_ms = 0;
};

namespace {

void read_rows(json::Value rowset, std::vector<TextRow>& rows) {
  rowset.elements([&](json::Value row) {
    TextRow cells;
    row.elements([&](json::Value cell) { cells.push_back(text_or_null(cell)); });
    rows.push_back(std::move(cells));
  });
}

void read_facts(json::Value value, SessionFacts& facts) {
  value.members([&](std::string_view key, json::Value member) {
    if (key == "databaseName") facts.database = text_of(member);
    if (key == "schemaName") facts.schema = text_of(member);
    if (key == "warehouseName") facts.warehouse = text_of(member);
    if (key == "roleName") facts.role = text_of(member);
  });
}

}  // namespace

std::int64_t ResultSet::count() const {
  std::int64_t number = 0;
  if (rows.empty() || rows.front().empty() || !rows.front().front()) return 0;
  const std::string& text = *rows.front().front();
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void Session::read_data(json::Value data, Reply& reply) {
  data.members([&](std::string_view name, json::Value member) {
    if (member.is_null()) return;
    if (name == "token" || name == "sessionToken") reply.token = text_of(member);
    if (name == "masterToken") reply.master_token = text_of(member);
    if (name == "getResultUrl") reply.result_url = text_of(member);
    if (name == "rowsetBase64") reply.arrow = text_of(member);
    if (name == "sessionInfo") read_facts(member, reply.facts);
    if (name == "rowset") read_rows(member, reply.result.rows);
    if (name == "chunks") member.elements([&](json::Value) { reply.has_more = true; });
    if (name != "rowtype") return;
    member.elements([&](json::Value column) {
      column.members([&](std::string_view what, json::Value fact) {
        if (what == "name") reply.result.columns.push_back(text_of(fact));
      });
    });
  });
}

Result<Session::Reply> Session::read_reply(const net::HttpResponse& response) const {
  Reply reply;
  reply.status = response.status;
  json::Reader reader;
  auto read = reader.read(response.body, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key == "success") reply.success = value.type() == json::Type::boolean && value.boolean();
      if (key == "code") reply.code = text_of(value);
      if (key == "message") reply.message = text_of(value);
      if (key == "data" && value.type() == json::Type::object) read_data(value, reply);
    });
  });
  const bool refused = response.status >= 300;
  if (!read && !refused) {
    return fail(ErrorKind::transient, "{}: not an answer of Snowflake's: {}", access_.base_url,
                read.error().message);
  }
  if (!read) reply = {.status = response.status};
  if (refused) reply.success = false;
  return reply;
}

Result<Session::Reply> Session::send(net::HttpRequest request, const std::string& url,
                                     Repeat& repeat) {
  request.timeout = request_timeout;
  if (request.body.size() >= compressed_from_bytes) {
    request.body = gzip(request.body);
    request.headers.add("Content-Encoding", "gzip");
  }
  const std::string host = access_.base_url;
  Duration pause = patience_.retry;
  repeat.started_ms = to_ms(clock_.now());
  for (int attempt = 0;; ++attempt, ++repeat.count) {
    // The attempt's own id; the request's is in the URL already.
    std::string attempt_url = host + url + (url.find('?') == std::string::npos ? "?" : "&") +
                              "request_guid=" + new_uuid();
    if (repeat.count > 0) {
      attempt_url += fmt::format("&clientStartTime={}&retryCount={}&retryReason={}",
                                 repeat.started_ms, repeat.count, repeat.reason);
    }
    net::HttpRequest sent = request;
    sent.url = std::move(attempt_url);
    auto response = http_.fetch(std::move(sent));
    repeat.reason = response ? response->status : 0;
    const bool again = response ? is_worth_another_try(response->status)
                                : response.error().kind == ErrorKind::transient;
    if (response) retry_after_ = retry_after_of(*response);
    // Asked to wait for long: whoever waits without holding a thread shall do so.
    if (again && attempt + 1 < patience_.tries && !retry_after_) {
      std::this_thread::sleep_for(pause);
      pause *= 2;
      continue;
    }
    if (!response) return fail(std::move(response.error()));
    return read_reply(*response);
  }
}

Error Session::failure(const Reply& reply) {
  last_code_ = reply.code;
  if (is_session_lost(reply.code)) {
    token_.clear();
    return {ErrorKind::transient, fmt::format("Snowflake {}: {}", reply.code, reply.message)};
  }
  // A refusal by HTTP alone.
  if (reply.code.empty() && reply.status >= 300) {
    const ErrorKind kind =
        is_worth_another_try(reply.status) ? ErrorKind::transient : ErrorKind::misconfigured;
    return {kind, fmt::format("{}: HTTP {}{}", access_.base_url, reply.status,
                              kind == ErrorKind::transient
                                  ? ""
                                  : ": is SNOWFLAKE_ACCOUNT (snowflake.account) right, and does a "
                                    "network policy let this machine in?")};
  }
  Error error = describe(reply.code, reply.message);
  if (reply.status >= 500) error.kind = ErrorKind::transient;
  return error;
}

Result<std::string> Session::login_body() {
  std::string body = R"({"data":)";
  {
    json::Members data(body);
    data("CLIENT_APP_ID", client_name)("CLIENT_APP_VERSION", client_version)("SVN_REVISION", "");
    data("ACCOUNT_NAME", account_claim(access_.account))("LOGIN_NAME", access_.user);
    switch (authentication_of(access_)) {
      case Authentication::key_pair: {
        const auto key = SigningKey::parse(access_.private_key);
        if (!key) return fail(key.error());
        data("AUTHENTICATOR", "SNOWFLAKE_JWT");
        data("TOKEN", make_jwt(*key, access_.account, access_.user, clock_.now()));
        break;
      }
      case Authentication::oauth:
        data("AUTHENTICATOR", "OAUTH")("TOKEN", access_.oauth_token.reveal());
        break;
      case Authentication::access_token:
        data("AUTHENTICATOR", "PROGRAMMATIC_ACCESS_TOKEN")("TOKEN", access_.password.reveal());
        break;
      case Authentication::password:
        data("AUTHENTICATOR", "SNOWFLAKE")("PASSWORD", access_.password.reveal());
        break;
    }
    json::Members parameters(data.name("SESSION_PARAMETERS"));
    parameters("AUTOCOMMIT", false)("GO_QUERY_RESULT_FORMAT", "JSON")("QUERY_TAG", "candlewick");
    // Texts that are bound must mean the same whatever the account is set to.
    parameters("TIMEZONE", "UTC")("TIMESTAMP_INPUT_FORMAT", "AUTO")("DATE_INPUT_FORMAT", "AUTO");
    parameters("LOCK_TIMEOUT", lock_timeout_seconds)("ABORT_DETACHED_QUERY", true);
    parameters("STATEMENT_TIMEOUT_IN_SECONDS",
               std::int64_t{
                   std::chrono::duration_cast<std::chrono::seconds>(patience_.statement).count()});
    parameters.close();
    json::Members environment(data.name("CLIENT_ENVIRONMENT"));
    environment("APPLICATION", "candlewick")("OS", "Linux");
    environment.close();
    data.close();
  }
  return body + "}";
}

Result<void> Session::log_in() {
  token_.clear();
  last_code_.clear();
  auto body = login_body();
  if (!body) return fail(std::move(body.error()));
  net::Query query{{"requestId", new_uuid()},
                   {"databaseName", access_.database},
                   {"schemaName", access_.schema},
                   {"warehouse", access_.warehouse},
                   {"roleName", access_.role}};
  std::erase_if(query, [](const auto& pair) { return pair.second.empty(); });
  Repeat repeat;
  auto reply = send({.method = "POST", .headers = headers_for({}), .body = std::move(*body)},
                    "/session/v1/login-request?" + net::build_query(query), repeat);
  if (!reply) return fail(std::move(reply.error()));
  if (!reply->success) return fail(failure(*reply));
  if (reply->token.empty()) {
    return fail(ErrorKind::malformed, "Snowflake: a login without a session token");
  }
  token_ = std::move(reply->token);
  master_token_ = std::move(reply->master_token);
  facts_ = std::move(reply->facts);
  statements_ = 0;
  return {};
}

void Session::log_out() {
  if (token_.empty()) return;
  static_cast<void>(
      http_.fetch({.method = "POST",
                   .url = access_.base_url + "/session?delete=true&request_guid=" + new_uuid(),
                   .headers = headers_for(token_),
                   .timeout = farewell_timeout}));
  token_.clear();
}

Result<void> Session::renew() {
  std::string body;
  json::Members members(body);
  members("oldSessionToken", token_)("requestType", "RENEW");
  members.close();
  Repeat repeat;
  auto reply = send({.method = "POST", .headers = headers_for(master_token_), .body = body},
                    "/session/token-request?requestId=" + new_uuid(), repeat);
  if (!reply) return fail(std::move(reply.error()));
  if (!reply->success || reply->token.empty()) {
    token_.clear();  // whatever is wrong with the old session, a new one is tried next
    return fail(ErrorKind::transient, "Snowflake {}: the session cannot be renewed: {}",
                reply->code, reply->message);
  }
  token_ = std::move(reply->token);
  if (!reply->master_token.empty()) master_token_ = std::move(reply->master_token);
  return {};
}

Result<Session::Reply> Session::ask(const std::string& body, const std::string& request_id) {
  Repeat repeat;
  for (int renewals = 0;; ++renewals) {
    auto reply = send({.method = "POST", .headers = headers_for(token_), .body = body},
                      "/queries/v1/query-request?requestId=" + request_id, repeat);
    if (!reply || reply->code != session_token_expired || renewals > 0) return reply;
    if (auto renewed = renew(); !renewed) return fail(std::move(renewed.error()));
    ++repeat.count;
  }
}

Result<Session::Reply> Session::await(Reply reply, const std::string& request_id) {
  const SteadyTime deadline = clock_.steady() + patience_.statement;
  Duration pause = patience_.poll;
  while (is_in_progress(reply.code)) {
    if (reply.result_url.empty() || !reply.result_url.starts_with('/')) {
      return fail(ErrorKind::malformed, "Snowflake {}: an unfinished statement without an address",
                  reply.code);
    }
    if (clock_.steady() >= deadline) {
      Repeat repeat;
      const std::string body = fmt::format(R"({{"requestId":"{}"}})", request_id);
      static_cast<void>(send({.method = "POST", .headers = headers_for(token_), .body = body},
                             "/queries/v1/abort-request?requestId=" + new_uuid(), repeat));
      return fail(ErrorKind::transient, "Snowflake: a statement took longer than {} s",
                  std::chrono::duration_cast<std::chrono::seconds>(patience_.statement).count());
    }
    std::this_thread::sleep_for(pause);
    pause = std::min<Duration>(pause * 2, patience_.longest_poll);
    const std::string url = reply.result_url;
    Repeat repeat;
    auto next = send({.headers = headers_for(token_)}, url, repeat);
    if (!next) return next;
    if (next->code == session_token_expired) {
      if (auto renewed = renew(); !renewed) return fail(std::move(renewed.error()));
      continue;  // the same address again
    }
    if (next->result_url.empty()) next->result_url = url;
    reply = std::move(*next);
  }
  return reply;
}

Result<ResultSet> Session::execute(std::string_view sql, std::span<const BoundColumn> columns) {
  last_code_.clear();
  if (token_.empty()) return fail(ErrorKind::transient, "Snowflake: no session");
  std::string body;
  json::Members members(body);
  members("sqlText", sql)("asyncExec", false)("sequenceId", ++statements_)("isInternal", false);
  if (!columns.empty()) {
    json::Members bindings(members.name("bindings"));
    for (std::size_t i = 0; i < columns.size(); ++i) {
      json::Members binding(bindings.name(std::to_string(i + 1)));
      binding("type", "TEXT");
      std::string& out = binding.name("value");
      // One value is bound as itself, several as a row each.
      const bool many = columns[i].size() != 1;
      if (many) out += '[';
      for (std::size_t r = 0; r < columns[i].size(); ++r) {
        if (r > 0) out += ',';
        if (columns[i][r]) {
          json::append_string(out, *columns[i][r]);
        } else {
          out += "null";
        }
      }
      if (many) out += ']';
      binding.close();
    }
    bindings.close();
  }
  members.close();

  const std::string request_id = new_uuid();
  auto reply = ask(body, request_id);
  if (reply) reply = await(std::move(*reply), request_id);
  if (!reply) return fail(std::move(reply.error()));
  if (!reply->success) return fail(failure(*reply));
  if (reply->has_more) {
    return fail(ErrorKind::malformed,
                "Snowflake: a result in parts, which no question of ours has");
  }
  if (!reply->arrow.empty()) {
    auto bytes = from_base64(reply->arrow);
    if (!bytes) return fail(std::move(bytes.error()));
    auto rows = read_arrow_text(*bytes);
    if (!rows) return within("Snowflake", std::move(rows.error()));
    reply->result.rows = std::move(*rows);
  }
  return std::move(reply->result);
}

}  // namespace candlewick::sink::snowflake
