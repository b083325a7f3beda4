// For tests: a double of Snowflake. Its streaming half keeps channels, tokens and rows as the REST
// reference says, and the official streaming client works with it (test/snowflake); its session
// half answers statements by script, as the server's own SQL is what fakesnow is for.
#pragma once

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <zlib.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/base64.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/json_text.h"
#include "net/loop.h"
#include "net/server.h"
#include "sink/snowflake_access.h"

namespace candlewick::sink::snowflake {

inline std::string pem_of(EVP_PKEY* key) {
  BIO* const bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  std::string pem(text, static_cast<std::size_t>(size));
  BIO_free(bio);
  return pem;
}

inline std::string gunzip(std::string_view bytes) {
  std::string out;
  z_stream stream{};
  inflateInit2(&stream, 15 + 16);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  int state = Z_OK;
  while (state == Z_OK) {
    char chunk[65'536];
    stream.next_out = reinterpret_cast<Bytef*>(chunk);
    stream.avail_out = sizeof chunk;
    state = inflate(&stream, Z_NO_FLUSH);
    out.append(chunk, sizeof chunk - stream.avail_out);
  }
  inflateEnd(&stream);
  return state == Z_STREAM_END ? out : std::string("not gzip");
}

// The text of a member of a flat object; empty when there is none.
inline std::string member_of(const std::string& document, std::string_view name) {
  std::string found;
  json::Reader reader;
  const auto read = reader.read(document, [&](json::Value root) {
    root.members([&](std::string_view key, json::Value value) {
      if (key != name) return;
      const auto type = value.type();
      if (type == json::Type::string) {
        found = value.string();
      } else if (type != json::Type::null) {
        found = value.text();
      }
    });
  });
  return read ? found : std::string{};
}

class Double final : public net::Handler {
 public:
  struct Statement {
    std::string sql;
    std::string bindings;  // JSON
    std::string request_id;
    net::Query query;
  };
  // A table's rows and channels.
  struct Channel {
    std::int64_t opened = 0;
    std::int64_t appended = 0;
    std::string token;
    std::optional<std::string> committed;
    std::vector<std::string> pending;
    std::string pending_offset;
    std::int64_t refused = 0;
  };

  explicit Double(net::ServerOptions options = {}) {
    options.max_body_bytes = 64U << 20U;
    auto made = net::Server::listen(loop_, std::move(options), *this);
    check(made.has_value(), "the double listens");
    server_ = std::move(*made);
    loop_.start();
  }
  ~Double() override {
    server_.reset();
    loop_.stop();
    loop_.join();
  }

  std::string url() const { return "http://" + server_->address(); }
  std::uint16_t port() const { return server_->port(); }

  // What a test changes. Called with the lock held, on the server's thread.
  using Reply = net::Response;
  std::function<std::optional<Reply>(const net::Request&, const std::string& body)> before;
  std::function<std::optional<Reply>(const Statement&)> on_statement;
  std::function<bool(const std::string& line)> refuses_row;
  std::function<std::string(const std::string&)> decode_zstd;
  std::chrono::seconds token_life{600};
  bool answers_in_json = false;    // host name and token; else plain text
  bool commits_when_asked = true;  // else never, until commit_all()
  const Clock* clock = nullptr;

  static Reply json(std::string body, int status = 200) {
    return {.status = status,
            .headers = {{"Content-Type", "application/json"}},
            .body = std::move(body)};
  }
  static Reply refusal(std::string_view code, std::string_view message) {
    return json(fmt::format(R"({{"data":null,"code":"{}","message":"{}","success":false}})", code,
                            message));
  }
  static Reply rows(std::string_view rowset) {
    return json(fmt::format(R"({{"data":{{"rowtype":[],"rowset":{}}},"success":true}})", rowset));
  }

  template <class F>
  auto with(F&& look) {
    const std::scoped_lock lock(mutex_);
    return look(*this);
  }
  std::vector<Statement> statements() {
    const std::scoped_lock lock(mutex_);
    return statements_;
  }
  std::vector<std::string> sql() {
    std::vector<std::string> texts;
    for (const auto& statement : statements()) texts.push_back(statement.sql);
    return texts;
  }
  std::vector<std::string> logins() {
    const std::scoped_lock lock(mutex_);
    return logins_;
  }
  std::vector<std::string> stored(const std::string& table) {
    const std::scoped_lock lock(mutex_);
    return stored_[table];
  }
  std::size_t appends() {
    const std::scoped_lock lock(mutex_);
    return appends_;
  }
  std::string token_scope() {
    const std::scoped_lock lock(mutex_);
    return scope_;
  }
  void commit_all() {
    const std::scoped_lock lock(mutex_);
    for (auto& [name, channel] : channels_) commit(name, channel);
  }
  // As if another client had opened it.
  void seize_channels() {
    const std::scoped_lock lock(mutex_);
    for (auto& [name, channel] : channels_) channel.token = "seized";
  }
  // A server that lost what it had not committed.
  void lose_pending() {
    const std::scoped_lock lock(mutex_);
    for (auto& [name, channel] : channels_) {
      channel.pending.clear();
      channel.token = "lost";
    }
  }

  void http(net::Request request, std::shared_ptr<net::Responder> responder) override {
    const std::scoped_lock lock(mutex_);
    const std::string_view encoding = request.headers.get("Content-Encoding");
    std::string body = request.body;
    if (encoding == "gzip") body = gunzip(body);
    if (encoding == "zstd" && decode_zstd) body = decode_zstd(body);
    if (before) {
      if (auto reply = before(request, body)) return responder->send(std::move(*reply));
    }
    responder->send(answer(request, body));
  }

 private:
  Reply answer(const net::Request& request, const std::string& body) {
    const std::string& path = request.path;
    if (path == "/session/v1/login-request") {
      logins_.push_back(body);
      ++sessions_;
      return json(fmt::format(
          R"({{"data":{{"token":"session{0}","masterToken":"master{0}","sessionInfo":{{"databaseName":"MARKET","schemaName":"PUBLIC","warehouseName":"LOADING","roleName":"WRITER"}}}},"success":true}})",
          sessions_));
    }
    if (path == "/session/token-request") {
      ++sessions_;
      return json(fmt::format(
          R"({{"data":{{"sessionToken":"session{0}","masterToken":"master{0}"}},"success":true}})",
          sessions_));
    }
    if (path == "/queries/v1/query-request") return run(request, body);
    if (path == "/session" || path == "/queries/v1/abort-request") {
      return json(R"({"data":null,"success":true})");
    }
    return stream(request, body);
  }

  Reply run(const net::Request& request, const std::string& body) {
    const std::string id(request.parameter("requestId").value_or(""));
    statements_.push_back({.sql = member_of(body, "sqlText"),
                           .bindings = member_of(body, "bindings"),
                           .request_id = id,
                           .query = request.query});
    if (on_statement) {
      if (auto reply = on_statement(statements_.back())) return std::move(*reply);
    }
    if (statements_.back().sql.starts_with("DESCRIBE")) return refusal("002003", "does not exist");
    return rows(R"([["1"]])");
  }

  Reply stream(const net::Request& request, const std::string& body) {
    if (request.path == "/v2/streaming/hostname") {
      return answers_in_json ? json(R"({"hostname":"127.0.0.1"})") : Reply{.body = "127.0.0.1"};
    }
    if (request.path == "/telemetry/send/sessionless")
      return json(R"({"data":null,"success":true})");
    if (request.path == "/oauth/token") return give_token(body);
    const std::string bearer(request.headers.get("Authorization"));
    if (bearer != "Bearer " + token_) return json(R"({"code":"390303","message":"expired"})", 401);
    if (clock != nullptr && clock->now() >= token_ends_) {
      return json(R"({"code":"390303","message":"expired"})", 401);
    }
    if (request.path.ends_with(":pipe-info")) return json(pipe_info());
    const std::string table = between(request.path, "/pipes/", "-STREAMING");
    if (request.path.ends_with(":bulk-channel-status")) return status(table, body);
    const std::string name = table + " " + between(request.path, "/channels/", "/");
    if (request.method == "PUT") return open(name, body);
    if (request.path.ends_with("/rows")) return append(name, request, body);
    return json(R"({"code":"404","message":"no such thing"})", 404);
  }

  Reply give_token(const std::string& body) {
    const auto form = net::parse_query(body);
    for (const auto& [key, value] : *form) {
      if (key == "scope") scope_ = value;
    }
    const Time now = clock != nullptr ? clock->now() : Time{std::chrono::seconds{1'900'000'000}};
    token_ends_ = now + token_life;
    std::string claims = to_base64(fmt::format(R"({{"exp":{}}})", to_ms(token_ends_) / 1000));
    while (claims.ends_with('=')) claims.pop_back();
    token_ = fmt::format("eyJhbGciOiJSUzI1NiJ9.{}.{:04}", claims, ++tokens_);
    return answers_in_json ? json(fmt::format(R"({{"token":"{}"}})", token_))
                           : Reply{.body = token_};
  }

  Reply open(const std::string& name, const std::string& body) {
    Channel& channel = channels_[name];
    const std::string offset = member_of(body, "offset_token");
    if (member_of(body, "fail_on_uncommitted_rows") == "true" && !channel.pending.empty()) {
      if (commits_when_asked) commit(name, channel);
      return json(R"({"code":"ERR_CHANNEL_HAS_UNCOMMITTED_DATA","message":"wait"})", 409);
    }
    channel.pending.clear();
    if (!offset.empty()) channel.committed = offset;
    ++channel.opened;
    channel.token = fmt::format("{}.{}", channel.opened, channel.appended);
    return json(fmt::format(R"({{"next_continuation_token":"{}","channel_status":{}}})",
                            channel.token, describe(name, channel)));
  }

  Reply append(const std::string& name, const net::Request& request, const std::string& body) {
    ++appends_;
    const std::string id(request.parameter("requestId").value_or(""));
    if (const auto known = answered_.find(id); known != answered_.end()) return json(known->second);
    if (request.body.size() > 4'000'000)
      return json(R"({"code":"413","message":"too large"})", 413);
    Channel& channel = channels_[name];
    if (request.parameter("continuationToken") != channel.token) {
      return json(R"({"code":"STALE_CONTINUATION_TOKEN_SEQUENCER","message":"stale"})", 400);
    }
    for (std::size_t from = 0; from < body.size();) {
      const auto end = std::min(body.find('\n', from), body.size());
      if (end > from) channel.pending.push_back(body.substr(from, end - from));
      from = end + 1;
    }
    channel.pending_offset = request.parameter("endOffsetToken").value_or("");
    ++channel.appended;
    channel.token = fmt::format("{}.{}", channel.opened, channel.appended);
    return json(answered_[id] =
                    fmt::format(R"({{"next_continuation_token":"{}"}})", channel.token));
  }

  Reply status(const std::string& table, const std::string& body) {
    std::string out = R"({"channel_statuses":{)";
    bool first = true;
    for (auto& [name, channel] : channels_) {
      const std::string own = name.substr(name.find(' ') + 1);
      if (!name.starts_with(table + " ") || body.find('"' + own + '"') == std::string::npos)
        continue;
      if (commits_when_asked) commit(name, channel);
      out += fmt::format(R"({}"{}":{})", first ? "" : ",", own, describe(name, channel));
      first = false;
    }
    return json(out + "}}");
  }

  void commit(const std::string& name, Channel& channel) {
    if (channel.pending.empty()) return;
    for (auto& line : channel.pending) {
      if (refuses_row && refuses_row(line)) {
        ++channel.refused;
      } else {
        stored_[name.substr(0, name.find(' '))].push_back(std::move(line));
      }
    }
    channel.pending.clear();
    channel.committed = channel.pending_offset;
  }

  static std::string describe(const std::string& name, const Channel& channel) {
    const auto space = name.find(' ');
    std::string out;
    json::Members members(out);
    members("database_name", "MARKET")("schema_name", "PUBLIC");
    members("pipe_name", name.substr(0, space) + "-STREAMING");
    members("channel_name", name.substr(space + 1))("channel_status_code", "SUCCESS");
    members.nullable("last_committed_offset_token", channel.committed);
    members("created_on_ms", 1)("rows_inserted", channel.appended)("rows_parsed", channel.appended);
    members("rows_errors", channel.refused)("rows_error_count", channel.refused);
    members("last_error_message", channel.refused > 0 ? "a value does not fit" : "");
    members("snowflake_avg_processing_latency_ms", 0);
    members.close();
    return out;
  }

  // What the official client asks for first: where it might put files, which it does not need for
  // few rows.
  static std::string pipe_info() {
    const std::string place =
        R"({"expiry_time_ms":4102444800000,"location_type":"S3","location":"b/p","creds":{"AWS_KEY_ID":"a","AWS_SECRET_KEY":"b","AWS_TOKEN":"c"},"path_prefix":"p/","bucket_name":"b","region":"us-west-2","storage_account":"","use_s3_regional_url":false,"end_point":"","parameters":{"max_client_lag_seconds":1,"rowset_flush_threshold_kb":1024,"max_buffered_kb_for_rowset_mode":60000,"rowset_threshold_lookback_seconds":60,"rowset_threshold_ewma_weight":50,"target_file_size_compressed_mb":16,"cpu_throttle_high_watermark_percent":100,"cpu_throttle_low_watermark_percent":99,"mem_throttle_high_watermark_percent":100,"mem_throttle_low_watermark_percent":99}})";
    return fmt::format(
        R"({{"rowset_stage_location":{0},"durable_stage_location":{0},"encryption_info":{{"pipe_key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","pipe_key_id":1,"diversifier":"AAAA"}},"parameter_overrides":{{}}}})",
        place);
  }

  static std::string between(const std::string& text, std::string_view before_it,
                             std::string_view behind_it) {
    auto from = text.find(before_it);
    if (from == std::string::npos) return {};
    from += before_it.size();
    return text.substr(from, text.find(behind_it, from) - from);
  }

  std::mutex mutex_;
  std::vector<Statement> statements_;
  std::vector<std::string> logins_;
  int sessions_ = 0;
  int tokens_ = 0;
  std::string token_;
  std::string scope_;
  Time token_ends_{};
  std::size_t appends_ = 0;
  std::map<std::string, Channel> channels_;  // "TABLE CHANNEL"
  std::map<std::string, std::string> answered_;
  std::map<std::string, std::vector<std::string>> stored_;
  net::Loop loop_{"snowflake"};
  std::unique_ptr<net::Server> server_;
};

inline Patience impatience() {
  return {.retry = std::chrono::milliseconds{1},
          .poll = std::chrono::milliseconds{1},
          .longest_poll = std::chrono::milliseconds{4}};
}

inline Access access_to(const Double& server) {
  return {.account = "myorg-account1",
          .user = "loader",
          .password = Secret("hush"),
          .role = "WRITER",
          .warehouse = "LOADING",
          .database = "MARKET",
          .schema = "PUBLIC",
          .base_url = server.url()};
}

}  // namespace candlewick::sink::snowflake
