// The session protocol that Snowflake's drivers speak: log in, statements with bound values,
// answers that come later, tokens that are renewed. One session, one statement at a time; calls
// block.
//
// The protocol has no public description: its facts are those of the open drivers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "net/http_client.h"
#include "sink/snowflake_access.h"
#include "sink/snowflake_arrow.h"

namespace candlewick::sink::snowflake {

// The values of one placeholder, all as text: one a row.
using BoundColumn = std::vector<std::optional<std::string>>;

struct ResultSet {
  std::vector<std::string> columns;
  std::vector<TextRow> rows;
  // The first cell as a number, as answers to INSERT and UPDATE hold it; 0 when there is none.
  std::int64_t count() const;
};

// What the server says the session is set to; empty: it has none. Null: it did not say.
struct SessionFacts {
  std::optional<std::string> database;
  std::optional<std::string> schema;
  std::optional<std::string> warehouse;
  std::optional<std::string> role;
};

class Session {
 public:
  Session(net::HttpClient& http, const Access& access, const Clock& clock, Patience patience)
      : http_(http), access_(access), clock_(clock), patience_(patience) {}

  // A new session. AUTOCOMMIT is off: a transaction begins with BEGIN and ends with COMMIT.
  Result<void> log_in();
  // Ends the session, if there is one, and with it its transaction. Best effort.
  void log_out();
  bool is_open() const { return !token_.empty(); }
  const SessionFacts& facts() const { return facts_; }

  // Repeats what got no answer, with the same request id, so that the server runs it once. Errors
  // carry Snowflake's code; after one that says that the session is gone, is_open() is false.
  Result<ResultSet> execute(std::string_view sql, std::span<const BoundColumn> columns = {});
  // The code of the last failure: "002003"; empty when it was no answer of Snowflake's.
  const std::string& last_code() const { return last_code_; }
  std::optional<Duration> retry_after() const { return retry_after_; }

 private:
  struct Reply;
  struct Repeat;
  Result<std::string> login_body();
  Result<void> renew();
  static void read_data(json::Value data, Reply& reply);
  Result<Reply> read_reply(const net::HttpResponse& response) const;
  Result<Reply> send(net::HttpRequest request, const std::string& url, Repeat& repeat);
  Result<Reply> ask(const std::string& body, const std::string& request_id);
  Result<Reply> await(Reply reply, const std::string& request_id);
  Error failure(const Reply& reply);

  net::HttpClient& http_;
  const Access& access_;
  const Clock& clock_;
  const Patience patience_;
  std::string token_;
  std::string master_token_;
  SessionFacts facts_;
  std::int64_t statements_ = 0;
  std::string last_code_;
  std::optional<Duration> retry_after_;
};

}  // namespace candlewick::sink::snowflake
