// Codes and what libpq says, in our words.
#include "postgres/error.h"

#include <gtest/gtest.h>

#include <array>
#include <utility>

namespace candlewick::postgres {
namespace {

TEST(ErrorKinds, FollowTheServersCodes) {
  using enum ErrorKind;
  constexpr std::array<std::pair<std::string_view, ErrorKind>, 25> table{{
      {"08006", transient},     {"40001", transient},     {"40P01", transient},
      {"53100", transient},     {"53300", transient},     {"53400", misconfigured},
      {"55P03", transient},     {"57014", transient},     {"57P01", transient},
      {"57P02", transient},     {"57P03", transient},     {"57P04", misconfigured},
      {"58030", transient},     {"XX000", transient},     {"XX001", misconfigured},
      {"21000", rejected},      {"22003", rejected},      {"22P03", rejected},
      {"23503", rejected},      {"23505", rejected},      {"25006", misconfigured},
      {"28P01", misconfigured}, {"3D000", misconfigured}, {"42501", misconfigured},
      {"42P01", misconfigured},
  }};
  for (const auto& [code, kind] : table) EXPECT_EQ(kind_of(code), kind) << code;
}

TEST(ConnectionErrors, AreOneLineWithTheServersWordsAndKind) {
  const auto refused = connection_error(
      "connection to server at \"127.0.0.1\", port 1 failed: FATAL:  28P01: password "
      "authentication failed for user \"x\"\nLOCATION:  auth_failed, auth.c:326\n",
      "PostgreSQL at h");
  EXPECT_EQ(refused.kind, ErrorKind::misconfigured);
  EXPECT_EQ(refused.message,
            "PostgreSQL at h: password authentication failed for user \"x\" [28P01]");
  const auto starting =
      connection_error("FATAL:  57P03: the database system is starting up\n", "t");
  EXPECT_EQ(starting.kind, ErrorKind::transient);
  const auto nobody =
      connection_error("connection failed: Connection refused\n\tIs it there?", "t");
  EXPECT_EQ(nobody.kind, ErrorKind::transient);
  EXPECT_EQ(nobody.message, "t: connection failed: Connection refused Is it there?");
  EXPECT_EQ(connection_error("server does not support SSL, but SSL was required", "t").kind,
            ErrorKind::misconfigured);
}

}  // namespace
}  // namespace candlewick::postgres
