// Codes as the official drivers and their issue threads show them; Snowflake publishes no full
// list, so a code that is not here is judged by its class.
#include "sink/snowflake_error.h"

#include <algorithm>
#include <array>

namespace candlewick::sink::snowflake {
namespace {

struct Known {
  std::string_view code;
  ErrorKind kind;
  std::string_view advice;  // empty: the message says enough
};

using enum ErrorKind;

constexpr std::string_view password_advice =
    "user or password is wrong, or the password alone is not accepted: since 2025 Snowflake "
    "refuses "
    "single-factor passwords of services. Put a programmatic access token into SNOWFLAKE_PASSWORD, "
    "or set SNOWFLAKE_PRIVATE_KEY_FILE (key pair)";
constexpr std::string_view jwt_advice =
    "the key-pair token was refused: compare snowflake.account, snowflake.user and the user's "
    "RSA_PUBLIC_KEY_FP (DESC USER), and check this machine's clock";
constexpr std::string_view oauth_advice =
    "the OAuth token is not valid or has expired: renew SNOWFLAKE_OAUTH_TOKEN";
constexpr std::string_view tables_advice =
    "is the database, schema, table or column there, and granted to the role? `candlewick migrate "
    "snowflake --print` gives the SQL (snowflake.database, snowflake.schema, snowflake.role)";

// Sorted by code.
constexpr std::array known{
    Known{"000604", transient, "the statement was cancelled"},
    Known{"000606", misconfigured,
          "there is no running warehouse for this session: is SNOWFLAKE_WAREHOUSE "
          "(snowflake.warehouse) "
          "right, granted (USAGE) to the role, and AUTO_RESUME on?"},
    Known{"000607", misconfigured,
          "the warehouse is suspended and not resumed for this role: set "
          "AUTO_RESUME = TRUE or grant OPERATE (snowflake.warehouse)"},
    Known{"000625", transient, "another transaction holds the lock"},
    Known{"000630", transient, "the statement took longer than STATEMENT_TIMEOUT_IN_SECONDS"},
    Known{"000904", misconfigured, tables_advice},
    Known{"002003", misconfigured, tables_advice},
    Known{"002043", misconfigured, tables_advice},
    Known{"003001", misconfigured, "the role lacks a privilege (snowflake.role)"},
    Known{"090073", misconfigured,
          "a resource monitor has suspended the warehouse "
          "(snowflake.warehouse)"},
    Known{"090105", misconfigured,
          "no database is selected: is SNOWFLAKE_DATABASE (snowflake.database) right and granted?"},
    Known{"090106", misconfigured,
          "no schema is selected: is SNOWFLAKE_SCHEMA (snowflake.schema) right and granted?"},
    Known{"390100", misconfigured, password_advice},
    Known{"390101", misconfigured, password_advice},
    Known{"390102", misconfigured, "the user is disabled (snowflake.user)"},
    Known{"390142", misconfigured, jwt_advice},
    Known{"390144", misconfigured, jwt_advice},
    Known{"390186", misconfigured, "the role of snowflake.role is not granted to the user"},
    Known{"390189", misconfigured, "the role of snowflake.role is not granted to the user"},
    Known{"390195", transient, "the session has ended"},
    Known{"390201", misconfigured, tables_advice},
    Known{"390303", misconfigured, oauth_advice},
    Known{"390318", misconfigured, oauth_advice},
    Known{"390420", misconfigured, "a network policy does not let this machine in"},
    Known{"390422", misconfigured, "a network policy does not let this machine in"},
    Known{"390432", misconfigured,
          "a network policy is required for this login: a service user needs "
          "one to use programmatic access tokens"},
    Known{"390505", transient, "too many requests"},
    Known{"394300", misconfigured, password_advice},
};

ErrorKind kind_of_class(std::string_view code) {
  if (code.starts_with("100")) return rejected;       // values: ranges, formats, lengths, nulls
  if (code.starts_with("390")) return misconfigured;  // authentication
  if (code.starts_with("001") || code.starts_with("002") || code.starts_with("003") ||
      code.starts_with("009") || code.starts_with("090")) {
    return misconfigured;  // compilation, objects, rights
  }
  return transient;
}

}  // namespace

Error describe(std::string_view code, std::string_view message) {
  const auto found = std::ranges::find(known, code, &Known::code);
  Error error;
  error.kind = found != known.end() ? found->kind : kind_of_class(code);
  error.message = fmt::format("Snowflake {}: {}", code.empty() ? "error" : code, message);
  if (found != known.end() && !found->advice.empty()) {
    error.message += fmt::format(" ({})", found->advice);
  }
  return error;
}

bool is_session_lost(std::string_view code) {
  return code == "390104" || code == "390110" || code == "390111" || code == "390114" ||
         code == "390195";
}

bool is_in_progress(std::string_view code) {
  return code == "333333" || code == "333334";
}

bool is_unknown_object(std::string_view code) {
  return code == "002003" || code == "002043";
}

bool is_not_allowed(std::string_view code) {
  return code == "003001";
}

}  // namespace candlewick::sink::snowflake
