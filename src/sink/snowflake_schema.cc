// Tables of the original service are adopted as they are, if they have our columns: types are the
// server's to convert.
#include "sink/snowflake_schema.h"

#include <algorithm>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sink/snowflake_error.h"

namespace candlewick::sink::snowflake {
namespace {

struct Described {
  bool exists = false;
  std::vector<std::string> missing;
  std::vector<std::string>
      unfilled;  // columns of others that must have a value and have no default
};

std::string_view cell(const TextRow& row, std::optional<std::size_t> index) {
  if (!index || *index >= row.size() || !row[*index]) return {};
  return *row[*index];
}

Result<Described> describe_table(Session& session, std::string_view table,
                                 std::span<const TableColumn> columns) {
  Described described;
  const auto answer = session.execute(fmt::format("DESCRIBE TABLE {}", table));
  if (!answer) {
    if (is_unknown_object(session.last_code())) return described;
    return fail(answer.error());
  }
  described.exists = true;
  const auto index_of = [&](std::string_view name) -> std::optional<std::size_t> {
    const auto found = std::ranges::find(answer->columns, name);
    if (found == answer->columns.end()) return std::nullopt;
    return static_cast<std::size_t>(found - answer->columns.begin());
  };
  const auto nullable = index_of("null?");
  const auto otherwise = index_of("default");
  std::vector<std::string> present;
  for (const auto& row : answer->rows) {
    const std::string name(cell(row, std::size_t{0}));
    const bool is_ours = std::ranges::find(columns, name, &TableColumn::name) != columns.end();
    if (!is_ours && cell(row, nullable) == "N" && cell(row, otherwise).empty()) {
      described.unfilled.push_back(name);
    }
    present.push_back(name);
  }
  for (const auto& column : columns) {
    if (std::ranges::find(present, column.name) == present.end()) {
      described.missing.push_back(column.name);
    }
  }
  return described;
}

const std::vector<TableColumn>& cursor_columns() {
  static const std::vector<TableColumn> columns{{"LOG_ID"}, {"SEQUENCE", CellType::integer}};
  return columns;
}

std::string unfilled_sql(std::string_view table, std::span<const std::string> columns) {
  std::string sql;
  for (const auto& column : columns) {
    sql += fmt::format("{}ALTER TABLE {} ALTER COLUMN \"{}\" DROP NOT NULL;",
                       sql.empty() ? "" : "\n", table, column);
  }
  return sql;
}

Result<void> ensure_table(Session& session, std::string_view name,
                          std::span<const TableColumn> columns, const std::string& create) {
  const auto described = describe_table(session, name, columns);
  if (!described) return fail(described.error());
  if (!described->exists) {
    if (auto made = session.execute(create); !made) return within(name, std::move(made.error()));
    return {};
  }
  if (!described->missing.empty()) {
    return fail(
        ErrorKind::misconfigured,
        "Snowflake: table {} lacks {}: run the SQL of `candlewick migrate snowflake --print`", name,
        fmt::join(described->missing, ", "));
  }
  if (!described->unfilled.empty()) {
    return fail(ErrorKind::misconfigured,
                "Snowflake: table {} has columns that need a value and are not ours: {}", name,
                unfilled_sql(name, described->unfilled));
  }
  return {};
}

// A view that a role may not make is no reason to write no rows.
Result<void> ensure_view(Session& session, const std::string& sql) {
  const auto made = session.execute(sql);
  if (made || is_not_allowed(session.last_code())) return {};
  return fail(made.error());
}

}  // namespace

Result<void> ensure_tables(Session& session, std::span<const Target> targets, bool streaming) {
  bool with_candles = false;
  for (const auto& target : targets) {
    auto done = ensure_table(session, target.name, target.columns, create_sql(target));
    if (!done) return done;
    with_candles = with_candles || target.name == "FACT_OHLCV";
    if (!streaming) continue;
    if (auto view = ensure_view(session, current_view_sql(target)); !view) return view;
  }
  if (with_candles) {
    if (auto view = ensure_view(session, ohlcv_view_sql(streaming)); !view) return view;
  }
  if (streaming) return {};
  return ensure_table(session, "CANDLEWICK_CURSOR", cursor_columns(), create_cursor_sql());
}

std::vector<Finding> examine_tables(Session& session, std::span<const Target> targets,
                                    bool streaming) {
  using Grade = Finding::Grade;
  std::vector<Finding> findings;
  const auto look = [&](const std::string& name, std::span<const TableColumn> columns,
                        const std::string& create, const auto& add) {
    const auto described = describe_table(session, name, columns);
    if (!described) {
      findings.push_back({Grade::bad, fmt::format("table {}: {}", name, described.error().message),
                          "see the message"});
    } else if (!described->exists) {
      findings.push_back(
          {Grade::warning,
           fmt::format("table {} is not there: it is made when rows are first written", name),
           create + ";"});
    } else if (!described->missing.empty()) {
      findings.push_back(
          {Grade::bad, fmt::format("table {} lacks {}", name, fmt::join(described->missing, ", ")),
           add(described->missing)});
    } else if (!described->unfilled.empty()) {
      findings.push_back({Grade::bad,
                          fmt::format("table {}: {} must have a value and is not ours", name,
                                      fmt::join(described->unfilled, ", ")),
                          unfilled_sql(name, described->unfilled)});
    } else {
      findings.push_back({Grade::good, fmt::format("table {} has every column", name), ""});
    }
  };
  for (const auto& target : targets) {
    look(target.name, target.columns, create_sql(target),
         [&](const std::vector<std::string>& names) { return add_columns_sql(target, names); });
  }
  if (!streaming) {
    look("CANDLEWICK_CURSOR", cursor_columns(), create_cursor_sql(),
         [](const std::vector<std::string>&) {
           return "DROP TABLE CANDLEWICK_CURSOR;\n" + create_cursor_sql() + ";";
         });
  }
  return findings;
}

std::vector<Finding> examine_session(const Session& session, const Access& access,
                                     bool needs_warehouse) {
  using Grade = Finding::Grade;
  std::vector<Finding> findings;
  findings.push_back({Grade::good,
                      fmt::format("{}: user {} logged in by {}", access.base_url, access.user,
                                  to_text(authentication_of(access))),
                      ""});
  const auto look = [&](const std::optional<std::string>& said, std::string_view what,
                        std::string_view key, std::string_view advice) {
    if (!said) return;
    if (said->empty()) {
      findings.push_back({Grade::bad, fmt::format("no {} is selected", what),
                          fmt::format("set {}; {}", key, advice)});
    } else {
      findings.push_back({Grade::good, fmt::format("{} {}", what, *said), ""});
    }
  };
  const SessionFacts& facts = session.facts();
  look(facts.database, "database", "SNOWFLAKE_DATABASE (snowflake.database)",
       "it must be there and granted (USAGE)");
  look(facts.schema, "schema", "SNOWFLAKE_SCHEMA (snowflake.schema)",
       "it must be there and granted (USAGE, CREATE TABLE)");
  look(facts.role, "role", "SNOWFLAKE_ROLE (snowflake.role)", "it must be granted to the user");
  if (needs_warehouse) {
    look(facts.warehouse, "warehouse", "SNOWFLAKE_WAREHOUSE (snowflake.warehouse)",
         "it must be there and granted (USAGE)");
  }
  return findings;
}

}  // namespace candlewick::sink::snowflake
