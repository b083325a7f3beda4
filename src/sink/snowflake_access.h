// Where a Snowflake account is and who writes there: what both ways in need to know.
#pragma once

#include <chrono>
#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"

namespace candlewick::sink::snowflake {

struct Access {
  std::string account{};  // "myorg-account1"
  std::string user{};
  Secret password{};     // or a programmatic access token
  Secret private_key{};  // PEM
  Secret oauth_token{};
  std::string role{};
  std::string warehouse{};
  std::string database{};
  std::string schema{};
  std::string base_url{};  // "https://myorg-account1.snowflakecomputing.com", without a last slash
};

// Of the strongest credentials that are set.
enum class Authentication : unsigned char { key_pair, access_token, oauth, password };
Authentication authentication_of(const Access& access);
std::string_view to_text(Authentication authentication);

// How long things may take. Tests are quicker.
struct Patience {
  Duration retry = std::chrono::milliseconds{250};  // first pause between tries of one request
  int tries = 4;
  Duration poll = std::chrono::milliseconds{100};  // first pause between looks at what goes on
  Duration longest_poll = std::chrono::seconds{5};
  Duration statement = std::chrono::minutes{15};  // one statement, queued or waiting for a lock
  Duration commit = std::chrono::minutes{3};      // rows that were streamed
};

// A random UUID, as requests are told apart by.
std::string new_uuid();
// The gzip form (RFC 1952).
std::string gzip(std::string_view text);

}  // namespace candlewick::sink::snowflake
