// The server's error codes in our words.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace candlewick::postgres {

// By its five characters (https://www.postgresql.org/docs/15/errcodes-appendix.html): lost
// connections, restarts, deadlocks and full disks are transient; what is wrong with a row is
// rejected; refused logins, missing rights, tables and databases, and read-only servers are
// misconfigured.
ErrorKind kind_of(std::string_view sqlstate);

// What libpq says when it cannot connect, in one line: it has no code of its own there, so the one
// in the verbose message is looked for. `shown` names the target without its password.
Error connection_error(std::string_view libpq_message, std::string_view shown);

}  // namespace candlewick::postgres
