// The tables as they are in Snowflake, compared with what they should be. DESCRIBE and CREATE need
// no warehouse, so looking costs nothing.
#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "sink/sink.h"
#include "sink/snowflake_session.h"
#include "sink/snowflake_tables.h"

namespace candlewick::sink::snowflake {

// Makes what is not there. A table without our columns is an error (misconfigured) that names them:
// it is the user's, and altered only by the user.
Result<void> ensure_tables(Session& session, std::span<const Target> targets, bool streaming);

// The same without changing anything.
std::vector<Finding> examine_tables(Session& session, std::span<const Target> targets,
                                    bool streaming);
// What the session says of database, schema, role and warehouse.
std::vector<Finding> examine_session(const Session& session, const Access& access,
                                     bool needs_warehouse);

}  // namespace candlewick::sink::snowflake
