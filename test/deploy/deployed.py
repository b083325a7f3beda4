# What both checks read: the files of deploy/, and queries with Grafana's own marks put in.
import json
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
GRAFANA = ROOT / "deploy" / "grafana"
PROMETHEUS = ROOT / "deploy" / "prometheus"
MIGRATIONS = ROOT / "sql" / "warehouse" / "postgres"


def dashboard(name):
    return json.loads((GRAFANA / f"candlewick-{name}.json").read_text(encoding="utf-8"))


def panels(board):
    for panel in board["panels"]:
        yield panel
        yield from panel.get("panels", [])


def variables(board):
    return {variable["name"]: variable for variable in board["templating"]["list"]}


# Every query of the market dashboard, as (where, SQL, format).
def sql_queries(board):
    for variable in variables(board).values():
        if variable["type"] == "query":
            yield f"variable {variable['name']}", variable["query"], "variable"
    for panel in panels(board):
        for target in panel.get("targets", []):
            yield f"panel {panel['title']!r}", target["rawSql"], target["format"]


# Grafana's macros and variables, as its PostgreSQL data source writes them out.
def written_out(sql, values, start, end):
    sql = re.sub(r"\$__timeFilter\(([^()]*)\)", rf"\1 BETWEEN '{start}' AND '{end}'", sql)
    sql = sql.replace("$__timeFrom()", f"'{start}'").replace("$__timeTo()", f"'{end}'")
    return re.sub(r"\$\{(\w+):sqlstring\}", lambda match: "'" + values[match[1]] + "'", sql)


# A migration as it is for PostgreSQL alone.
def plain(script):
    kept, wanted = [], True
    for line in script.splitlines():
        if line.startswith("-- @only "):
            wanted = line.removeprefix("-- @only ") in ("plain", "kept")
        elif line == "-- @end":
            wanted = True
        elif wanted:
            kept.append(line)
    return "\n".join(kept).replace("{schema}", '"public"')


def migrations():
    return [plain(path.read_text(encoding="utf-8")) for path in sorted(MIGRATIONS.glob("[0-9]*_*.sql"))]
