// Snowpipe Streaming, high-performance architecture, over REST: named channels into the default
// pipe of a table. Calls block. Facts: the REST reference and tutorial of Snowflake's
// documentation.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "net/http_client.h"
#include "sink/snowflake_access.h"

namespace candlewick::sink::snowflake {

// Of one request, compressed; a little below the server's 4 MB.
inline constexpr std::size_t max_append_bytes = 3'800'000;

struct ChannelStatus {
  std::string code{};                      // "SUCCESS", "ACTIVE": well
  std::optional<std::string> committed{};  // the offset token up to which rows are stored
  std::int64_t refused_rows = 0;           // since the channel was made
  std::string last_error{};
};

// What an answer that is no success means for a channel.
enum class Trouble : unsigned char {
  none,
  reopen,       // somebody else has opened it, or a token was used twice: open it again
  uncommitted,  // rows are on their way: ask again soon
  other,
};

class Ingest {
 public:
  Ingest(net::HttpClient& http, const Access& access, const Clock& clock, Patience patience)
      : http_(http), access_(access), clock_(clock), patience_(patience) {}

  // Finds the host that takes rows and gets a token for it.
  Result<void> connect();

  struct Opened {
    std::string continuation_token;
    ChannelStatus status;
  };
  // Refuses (Trouble::uncommitted) while rows of before are under way, unless told to go back to
  // `offset_token`.
  Result<Opened> open(std::string_view table, std::string_view channel,
                      const std::optional<std::string>& offset_token = std::nullopt);
  struct Rows {
    std::string_view table;
    std::string_view channel;
    std::string_view continuation_token;
    std::string_view start_offset;
    std::string_view end_offset;
  };
  // `lines` is NDJSON, sent compressed. Returns the next continuation token.
  Result<std::string> append(const Rows& rows, std::string_view lines);
  // Error: misconfigured when the server does not know the channel.
  Result<ChannelStatus> status(std::string_view table, std::string_view channel);

  // Of the last failure.
  Trouble trouble() const { return trouble_; }
  std::optional<Duration> retry_after() const { return retry_after_; }

 private:
  struct Call;
  struct Answer;
  Result<void> refresh_token();
  Result<Answer> send(Call call);
  Result<Answer> send_once(const Call& call, const std::string& request_id, int retries);
  Error failure(const Call& call, const Answer& answer);
  std::string place(std::string_view table) const;

  net::HttpClient& http_;
  const Access& access_;
  const Clock& clock_;
  const Patience patience_;
  std::string ingest_url_;  // "https://….snowflakecomputing.com"
  std::string ingest_host_;
  std::string token_;
  std::string token_type_;
  std::optional<Time> token_ends_;
  Trouble trouble_ = Trouble::none;
  std::optional<Duration> retry_after_;
};

}  // namespace candlewick::sink::snowflake
