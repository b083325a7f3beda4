// The documentation and the servers differ in small things (plain text or JSON for host name and
// token, two names for a count), so both forms are read.
#include "sink/snowflake_ingest.h"

#include <algorithm>
#include <charconv>
#include <thread>
#include <utility>

#include "base/base64.h"
#include "base/json.h"
#include "base/json_text.h"
#include "net/url.h"
#include "sink/snowflake_jwt.h"

namespace candlewick::sink::snowflake {
namespace {

constexpr Duration request_timeout = std::chrono::seconds{60};
constexpr Duration renew_before = std::chrono::seconds{60};
// Where a token does not say when it ends.
constexpr Duration assumed_token_life = std::chrono::minutes{9};
constexpr std::string_view user_agent = "candlewick/1 (REST)";

bool is_worth_another_try(int status) {
  return status == 408 || status == 429 || status >= 500;
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view edges = " \t\r\n\"";
  const auto first = text.find_first_not_of(edges);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(edges) - first + 1));
}

// A bare text, or the member of an object that has one of the names.
std::string text_or_member(const std::string& body, std::initializer_list<std::string_view> names) {
  if (body.find('{') == std::string::npos) return trimmed(body);
  std::string found;
  json::Reader reader;
  const auto read = reader.read(body, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (std::ranges::find(names, key) != names.end() && value.type() == json::Type::string) {
        found = value.string();
      }
    });
  });
  return read ? found : std::string{};
}

// The "exp" of a JSON Web Token; null when it is none.
std::optional<Time> end_of_token(std::string_view token) {
  const auto first = token.find('.');
  const auto second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  std::string claims(token.substr(first + 1, second - first - 1));
  std::ranges::replace(claims, '-', '+');
  std::ranges::replace(claims, '_', '/');
  claims.append((4 - claims.size() % 4) % 4, '=');
  const auto text = from_base64(claims);
  if (!text) return std::nullopt;
  std::optional<Time> ends;
  json::Reader reader;
  const auto read = reader.read(*text, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key == "exp" && value.type() == json::Type::number) {
        ends = time_from_ms(value.integer() * 1000);
      }
    });
  });
  return read ? ends : std::nullopt;
}

void read_status(json::Value value, ChannelStatus& status) {
  value.members([&](std::string_view key, json::Value member) {
    const auto type = member.type();
    const bool is_text = type == json::Type::string;
    if (key == "channel_status_code" && is_text) status.code = member.string();
    if (key == "last_committed_offset_token" && is_text) status.committed = member.string();
    if (key == "last_error_message" && is_text) status.last_error = member.string();
    if ((key == "rows_errors" || key == "rows_error_count") && type == json::Type::number) {
      status.refused_rows = member.integer();
    }
  });
}

}  // namespace

struct Ingest::Call {
  std::string what;  // for messages
  std::string method = "POST";
  std::string url{};
  net::Query query{};
  std::string content_type = "application/json";
  std::string body{};
  bool is_compressed = false;
  std::size_t uncompressed_bytes = 0;
  bool with_scoped_token = true;
};

struct Ingest::Answer {
  int status = 0;
  std::string body;
};

Error Ingest::failure(const Call& call, const Answer& answer) {
  std::string code;
  std::string message;
  json::Reader reader;
  // Not JSON: the status says it.
  const auto read = reader.read(answer.body, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (value.type() != json::Type::string && value.type() != json::Type::number) return;
      if (key == "code" || key == "status_code") code = value.raw();
      if (key == "message") message = value.raw();
    });
  });
  if (!read) message = answer.body.substr(0, 200);
  Error error{ErrorKind::transient, fmt::format("Snowpipe Streaming, {}: HTTP {} {} {}", call.what,
                                                answer.status, code, message)};
  trouble_ = Trouble::other;
  if (answer.status == 409 && code == "ERR_CHANNEL_HAS_UNCOMMITTED_DATA") {
    trouble_ = Trouble::uncommitted;
  } else if (answer.status == 409 || code.find("STALE_CONTINUATION_TOKEN") != std::string::npos ||
             code.find("CHANNEL_MUST_BE_REOPENED") != std::string::npos ||
             code.find("SEQUENCER") != std::string::npos) {
    trouble_ = Trouble::reopen;
  } else if (answer.status == 401 || answer.status == 403) {
    error.kind = ErrorKind::misconfigured;
    error.message +=
        " (the credentials are refused: compare snowflake.account, snowflake.user and the "
        "user's RSA_PUBLIC_KEY_FP, the role's grants, and this machine's clock)";
  } else if (answer.status == 404) {
    trouble_ = Trouble::reopen;
    error.kind = ErrorKind::misconfigured;
    error.message +=
        " (is the table there, in snowflake.database and snowflake.schema, and granted "
        "to the role?)";
  } else if (answer.status == 413) {
    error.kind = ErrorKind::rejected;
  } else if (answer.status < 500 && !is_worth_another_try(answer.status)) {
    error.kind = ErrorKind::misconfigured;
  }
  return error;
}

Result<Ingest::Answer> Ingest::send_once(const Call& call, const std::string& request_id,
                                         int retries) {
  net::Query query = call.query;
  query.emplace_back("requestId", request_id);
  query.emplace_back("retryCount", std::to_string(retries));
  net::HttpRequest request{
      .method = call.method,
      .url = call.url + "?" + net::build_query(query),
      .headers = {{"Accept", "application/json"}, {"User-Agent", std::string(user_agent)}},
      .body = call.body,
      .timeout = request_timeout};
  if (!call.body.empty()) request.headers.add("Content-Type", call.content_type);
  if (call.is_compressed) {
    request.headers.add("Content-Encoding", "gzip");
    request.headers.add("X-Snowflake-Uncompressed-Content-Length",
                        std::to_string(call.uncompressed_bytes));
  }
  if (call.with_scoped_token) {
    request.headers.add("Authorization", "Bearer " + token_);
    request.headers.add("X-Snowflake-Authorization-Token-Type", token_type_);
  } else {
    const auto key = SigningKey::parse(access_.private_key);
    if (!key) return fail(key.error());
    request.headers.add("Authorization",
                        "Bearer " + make_jwt(*key, access_.account, access_.user, clock_.now()));
    request.headers.add("X-Snowflake-Authorization-Token-Type", "KEYPAIR_JWT");
  }
  auto response = http_.fetch(std::move(request));
  if (!response) return fail(std::move(response.error()));
  retry_after_.reset();
  const std::string_view wait = response->headers.get("Retry-After");
  int seconds = 0;
  if (std::from_chars(wait.data(), wait.data() + wait.size(), seconds).ec == std::errc{} &&
      seconds >= 0) {
    retry_after_ = std::chrono::seconds{seconds};
  }
  return Answer{.status = response->status, .body = std::move(response->body)};
}

// The same request id each time, so that the server takes rows once.
Result<Ingest::Answer> Ingest::send(Call call) {
  trouble_ = Trouble::other;
  if (call.with_scoped_token && token_ends_ && clock_.now() + renew_before >= *token_ends_) {
    if (auto fresh = refresh_token(); !fresh) return fail(std::move(fresh.error()));
  }
  const std::string request_id = new_uuid();
  Duration pause = patience_.retry;
  bool refreshed = false;
  for (int tries = 0;; ++tries) {
    auto answer = send_once(call, request_id, tries);
    if (answer && answer->status < 300) {
      trouble_ = Trouble::none;
      return answer;
    }
    if (answer && call.with_scoped_token && !refreshed &&
        (answer->status == 401 || answer->status == 403)) {
      refreshed = true;
      if (auto fresh = refresh_token(); !fresh) return fail(std::move(fresh.error()));
      continue;
    }
    const bool again = answer ? is_worth_another_try(answer->status) && !retry_after_
                              : answer.error().kind == ErrorKind::transient;
    if (!again || tries + 1 >= patience_.tries) {
      if (!answer) return fail(std::move(answer.error()));
      return fail(failure(call, *answer));
    }
    std::this_thread::sleep_for(pause);
    pause *= 2;
  }
}

// A key pair is exchanged for a token of the ingest host; other tokens are good there themselves.
Result<void> Ingest::refresh_token() {
  switch (authentication_of(access_)) {
    case Authentication::oauth:
      token_ = access_.oauth_token.reveal();
      token_type_ = "OAUTH";
      return {};
    case Authentication::access_token:
      token_ = access_.password.reveal();
      token_type_ = "PROGRAMMATIC_ACCESS_TOKEN";
      return {};
    case Authentication::password:
      return fail(ErrorKind::misconfigured,
                  "Snowpipe Streaming takes no password: use a key pair "
                  "(SNOWFLAKE_PRIVATE_KEY_FILE) or a token");
    case Authentication::key_pair:
      break;
  }
  auto answer =
      send({.what = "token",
            .url = access_.base_url + "/oauth/token",
            .content_type = "application/x-www-form-urlencoded",
            .body = net::build_query({{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"},
                                      {"scope", ingest_host_}}),
            .with_scoped_token = false});
  if (!answer) return fail(std::move(answer.error()));
  token_ = text_or_member(answer->body, {"token", "access_token"});
  token_type_ = "OAUTH";
  if (token_.empty())
    return fail(ErrorKind::transient, "Snowpipe Streaming: no token in the answer");
  token_ends_ = end_of_token(token_).value_or(clock_.now() + assumed_token_life);
  return {};
}

Result<void> Ingest::connect() {
  token_ends_.reset();
  Call call{
      .what = "host name", .method = "GET", .url = access_.base_url + "/v2/streaming/hostname"};
  call.with_scoped_token = authentication_of(access_) != Authentication::key_pair;
  if (call.with_scoped_token) {
    if (auto known = refresh_token(); !known) return known;
  }
  auto answer = send(std::move(call));
  if (!answer) return fail(std::move(answer.error()));
  std::string host = text_or_member(answer->body, {"hostname"});
  const auto account = net::parse_url(access_.base_url + "/");
  if (!account) return fail(account.error());
  if (host.find("://") == std::string::npos) host = account->scheme + "://" + host;
  auto url = net::parse_url(host + "/");
  if (!url) return within("Snowpipe Streaming: host name", std::move(url.error()));
  // The account's port, unless another one is said.
  if (host.find(':', host.find("://") + 3) == std::string::npos) url->port = account->port;
  std::ranges::replace(url->host, '_', '-');
  url->target = "/";
  ingest_host_ = url->host;
  ingest_url_ = url->text();
  ingest_url_.pop_back();
  return refresh_token();
}

std::string Ingest::place(std::string_view table) const {
  const auto in_url = [](std::string_view name) { return net::percent_encode(name); };
  return fmt::format("/databases/{}/schemas/{}/pipes/{}-STREAMING", in_url(access_.database),
                     in_url(access_.schema), in_url(table));
}

Result<Ingest::Opened> Ingest::open(std::string_view table, std::string_view channel,
                                    const std::optional<std::string>& offset_token) {
  std::string body;
  json::Members members(body);
  if (offset_token) {
    members("offset_token", *offset_token);
  } else {
    members("fail_on_uncommitted_rows", true);
  }
  members.close();
  auto answer = send({.what = fmt::format("open channel of {}", table),
                      .method = "PUT",
                      .url = ingest_url_ + "/v2/streaming" + place(table) + "/channels/" +
                             net::percent_encode(channel),
                      .body = body});
  if (!answer) return fail(std::move(answer.error()));
  Opened opened;
  json::Reader reader;
  auto read = reader.read(answer->body, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key == "next_continuation_token" && value.type() == json::Type::string) {
        opened.continuation_token = value.string();
      }
      if (key == "channel_status" && value.type() == json::Type::object) {
        read_status(value, opened.status);
      }
    });
  });
  if (!read) return within("Snowpipe Streaming, open channel", std::move(read.error()));
  if (opened.continuation_token.empty()) {
    return fail(ErrorKind::transient,
                "Snowpipe Streaming, open channel of {}: no continuation token", table);
  }
  return opened;
}

Result<std::string> Ingest::append(const Rows& rows, std::string_view lines) {
  auto answer = send({.what = fmt::format("append to {}", rows.table),
                      .url = ingest_url_ + "/v2/streaming/data" + place(rows.table) + "/channels/" +
                             net::percent_encode(rows.channel) + "/rows",
                      .query = {{"continuationToken", std::string(rows.continuation_token)},
                                {"startOffsetToken", std::string(rows.start_offset)},
                                {"endOffsetToken", std::string(rows.end_offset)}},
                      .content_type = "application/x-ndjson",
                      .body = gzip(lines),
                      .is_compressed = true,
                      .uncompressed_bytes = lines.size()});
  if (!answer) return fail(std::move(answer.error()));
  std::string token = text_or_member(answer->body, {"next_continuation_token"});
  if (token.empty()) {
    trouble_ = Trouble::reopen;
    return fail(ErrorKind::transient, "Snowpipe Streaming, append to {}: no continuation token",
                rows.table);
  }
  return token;
}

Result<ChannelStatus> Ingest::status(std::string_view table, std::string_view channel) {
  std::string names;
  json::append_string(names, channel);
  auto answer = send({.what = fmt::format("status of {}", table),
                      .url = ingest_url_ + "/v2/streaming" + place(table) + ":bulk-channel-status",
                      .body = fmt::format(R"({{"channel_names":[{}]}})", names)});
  if (!answer) return fail(std::move(answer.error()));
  std::optional<ChannelStatus> status;
  json::Reader reader;
  auto read = reader.read(answer->body, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key != "channel_statuses" || value.type() != json::Type::object) return;
      value.members([&](std::string_view name, json::Value member) {
        if (name == channel) read_status(member, status.emplace());
      });
    });
  });
  if (!read) return within("Snowpipe Streaming, channel status", std::move(read.error()));
  if (!status) {
    trouble_ = Trouble::reopen;
    return fail(ErrorKind::transient, "Snowpipe Streaming: the channel of {} is gone", table);
  }
  return *status;
}

}  // namespace candlewick::sink::snowflake
