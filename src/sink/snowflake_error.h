// What Snowflake's error codes mean for a sink, and in words for the person who must mend it.
#pragma once

#include <string_view>

#include "base/result.h"

namespace candlewick::sink::snowflake {

// Six digits, as answers carry them: "390100". Where the message names no setting, ours does.
Error describe(std::string_view code, std::string_view message);

// The session has ended, with its transaction and temporary tables: log in again.
bool is_session_lost(std::string_view code);
// The session's token is too old, the session lives.
inline constexpr std::string_view session_token_expired = "390112";
// The statement goes on: ask again.
bool is_in_progress(std::string_view code);
// A table, view or column that is not there, or not for this role.
bool is_unknown_object(std::string_view code);
bool is_not_allowed(std::string_view code);

}  // namespace candlewick::sink::snowflake
