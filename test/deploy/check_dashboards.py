# Holds alerts and dashboards against the sources: metrics that are counted, labels that there are, documents
# that are linked, tables and columns of the migrations. A renamed metric or column fails here.
import os
import re
import subprocess
import sys
import tempfile

from deployed import GRAFANA, PROMETHEUS, ROOT, dashboard, migrations, panels, sql_queries, variables, written_out

# Label keys of observations (src/base/observation.h), of the API's own metrics, and Prometheus's.
LABELS = {"venue", "channel", "sink", "stage", "error_kind", "route", "status"}
LABELS |= {"job", "instance", "le", "alertname", "alertstate", "severity"}
# Panels that Grafana brings along: any other would be a plugin to download.
PANELS = {"row", "stat", "timeseries", "state-timeline", "table", "candlestick"}
# Hosts of deploy/compose.observability.yaml; whatever else is asked is outside.
HOSTS = {"127.0.0.1", "prometheus", "timescaledb", "grafana", "candlewick"}

problems = []


def need(is_true, where, what):
    if not is_true:
        problems.append(f"{where}: {what}")


def counted_metrics():
    names, histograms = set(), set()
    for path in (ROOT / "src").rglob("*"):
        if path.suffix not in (".h", ".cc") or path.stem.endswith("_test") or path.stem.startswith("testing"):
            continue
        code = re.sub(r"//.*", "", path.read_text(encoding="utf-8"))
        names.update(re.findall(r'"(candlewick_[a-z0-9_]+)"', code))
        histograms.update(re.findall(r'\b(?:histogram\(|delays\.push_back\(\{)\s*"(candlewick_[a-z0-9_]+)"', code))
    series = names - histograms
    for name in histograms:
        series |= {f"{name}_bucket", f"{name}_sum", f"{name}_count"}
    return series


def check_expression(where, expression, series, used):
    bare = re.sub(r'"[^"]*"', '""', expression)
    for name in re.findall(r"\bcandlewick_[a-z0-9_]+", bare):
        need(name in series, where, f"no metric {name} is counted in src/")
        used.add(name)
    grouped = re.findall(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)", bare)
    labels = {word.strip() for group in grouped for word in group.split(",")}
    labels |= set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"\"", bare))
    for label in labels:
        need(label in LABELS, where, f"no metric has the label {label}")


# https://github.com/gjtorikian/html-pipeline: how GitHub names the anchor of a heading.
def anchors(text):
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", text, re.M)}


def check_rules(series, used):
    text = (PROMETHEUS / "candlewick.rules.yml").read_text(encoding="utf-8")
    tests = (PROMETHEUS / "candlewick.rules.test.yml").read_text(encoding="utf-8")
    blocks = re.split(r"^ +- alert: ", text, flags=re.M)[1:]
    need(len(blocks) > 0, "rules", "there are none")
    names = [block.split(None, 1)[0] for block in blocks]
    need(len(names) == len(set(names)), "rules", "two alerts have one name")
    for name, block in zip(names, blocks):
        expression = re.search(r"^ +expr: (?:\|\n)?((?:.|\n)*?)^ +(?:for|labels):", block, re.M)
        need(expression is not None, name, "has no expression")
        if expression:
            check_expression(name, expression[1], series, used)
        need(re.search(r"severity: (critical|warning)\b", block), name, "has no severity")
        for key in ("summary", "action"):
            need(re.search(rf'^ +{key}: "[A-Z0-9{{/`].*[^ ]"$', block, re.M), name, f"has no {key}")
        need(set(re.findall(r"\$labels\.(\w+)", block)) <= LABELS, name, "tells a label that no metric has")
        need(re.search(rf'\{{alertname="{name}"', tests), name, "no test expects it to fire")
        link = re.search(r"^ +runbook: (docs/\w+\.md)(?:#(\S+))?$", block, re.M)
        need(link is not None, name, "has no runbook")
        if link:
            page = ROOT / link[1]
            need(page.exists(), name, f"{link[1]} is not there")
            if page.exists() and link[2]:
                need(link[2] in anchors(page.read_text(encoding="utf-8")), name, f"{link[1]} has no section #{link[2]}")
    for name in re.findall(r'alertname="(\w+)"', tests):
        need(name in names, "tests", f"there is no alert {name}")


def check_board(name, board):
    where = f"candlewick-{name}.json"
    need(board["uid"] == f"candlewick-{name}", where, "the uid is not the file's name")
    every = list(panels(board))
    ids = [panel["id"] for panel in every]
    need(len(ids) == len(set(ids)), where, "two panels have one id")
    need(len(ids) > 1, where, "there are no panels")
    taken = {}
    sources = {n for n, v in variables(board).items() if v["type"] == "datasource"}
    for panel in every:
        title = f"{where}: {panel['title']}"
        need(panel["type"] in PANELS, title, f"{panel['type']} is no panel that Grafana brings along")
        place = panel["gridPos"]
        need(place["x"] + place["w"] <= 24, title, "is beyond the right edge")
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                need((x, y) not in taken, title, f"lies on {taken.get((x, y))}")
                taken[x, y] = panel["title"]
        if panel["type"] == "row":
            continue
        need(panel["targets"], title, "asks nothing")
        letters = [target["refId"] for target in panel["targets"]]
        need(len(letters) == len(set(letters)), title, "two queries have one refId")
        for source in [panel["datasource"]] + [target["datasource"] for target in panel["targets"]]:
            need(source["uid"].strip("${}") in sources, title, f"the data source {source['uid']} is no variable")
    for mark in set(re.findall(r"\$\{?([a-z]\w*)", (GRAFANA / where).read_text(encoding="utf-8"))):
        need(mark in variables(board), where, f"there is no variable {mark}")


def check_service_board(series, used):
    board = dashboard("service")
    check_board("service", board)
    asked = []
    for panel in panels(board):
        for target in panel.get("targets", []):
            asked.append((f"panel {panel['title']!r}", target["expr"]))
            legend = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            need(legend <= LABELS, panel["title"], f"the legend tells {legend - LABELS}")
            grouped = re.findall(r"\bby \(([^)]*)\)", target["expr"])
            kept = {label.strip() for group in grouped for label in group.split(",")}
            need(legend <= kept, panel["title"], f"the legend tells {legend - kept}, which the query sums away")
    asked += [("annotations", note["expr"]) for note in board["annotations"]["list"]]
    for where, expression in asked:
        check_expression(where, expression, series, used)
    for variable in variables(board).values():
        if variable["type"] == "query":
            check_expression(f"variable {variable['name']}", variable["definition"], series, set())
            label = re.search(r", (\w+)\)$", variable["definition"])
            need(label and label[1] in LABELS, f"variable {variable['name']}", "asks for no label that there is")
    # As recording rules, so that promtool reads the expressions.
    lines = ["groups:", "  - name: dashboard", "    rules:"]
    for number, (_, expression) in enumerate(asked):
        written = re.sub(r"\$(instance|venue|sink)\b", "x", expression.replace("$__rate_interval", "5m"))
        lines += [f"      - record: dashboard:query:{number}", "        expr: >-", f"          {written}"]
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        done = subprocess.run([os.environ.get("PROMTOOL", "promtool"), "check", "rules", file.name], capture_output=True, text=True, check=False)
        need(done.returncode == 0, "candlewick-service.json", done.stdout + done.stderr)


def split(text):
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]]


def bracketed(text, start):
    depth = 0
    for place in range(start, len(text)):
        depth += (text[place] == "(") - (text[place] == ")")
        if depth == 0:
            return text[start + 1:place]
    raise ValueError("a bracket is not closed")


# Names of columns, as a SELECT's list gives them.
def listed(select):
    return {re.search(r'(\w+)"?\s*$', column)[1] for column in split(select)}


# What the migrations make, as {table or view: its columns}.
def warehouse():
    made = {}
    for script in migrations():
        script = re.sub(r"--.*", "", script)
        for match in re.finditer(r"CREATE TABLE (\w+) \(", script):
            columns = split(bracketed(script, match.end() - 1))
            first = [re.match(r'\s*"?(\w+)"?', column)[1] for column in columns if column.strip()]
            made[match[1]] = {name for name in first if name not in ("PRIMARY", "UNIQUE", "CHECK", "FOREIGN")}
        for match in re.finditer(r"CREATE (?:OR REPLACE )?VIEW (\w+|%I) AS\s+SELECT (.*?)\sFROM (\S+)", script, re.S):
            names = [match[1]]
            if match[1] == "%I":
                # One view for each row of the list before it.
                steps = re.findall(r"\('(\d+\w)', '\d", script[:match.start()])
                prefix = re.search(r"'(\w+_)' \|\| step\.name", script[match.end():])[1]
                names = [prefix + step for step in steps]
            for name in names:
                made[name] = made[match[3]] if match[2].endswith("*") else listed(match[2])
    return made


WORDS = """all and as asc between by case desc distinct else end from group having in interval is join left limit
null not on or order over partition select then timestamptz union using when where with within""".split()


# Every table after FROM and JOIN must be there, and every other name be a column of one of them or of
# the query's own making. `made` is what warehouse() tells.
def check_sql(where, sql, made):
    sql = re.sub(r"'[^']*'", "''", sql)
    sql = re.sub(r"::\s*(double precision|\w+)", "", sql)
    sql = re.sub(r"\bextract\(epoch FROM\b", "extract(", sql, flags=re.I)
    own = set(re.findall(r"(?:\bWITH|,)\s+(\w+) AS \(", sql))
    known, aliases = set(), set()
    tables = r"\b(?:FROM|JOIN) (\w+)(?!\w*\()(?: (?!(?:WHERE|USING|ON|LEFT|GROUP|ORDER|UNION|LIMIT)\b)(\w+)\b)?"
    for name, alias in re.findall(tables, sql):
        need(name in made or name in own, where, f"there is no table or view {name}")
        known |= made.get(name, set())
        aliases |= {name, alias}
    known |= set(re.findall(r'\bAS "?([^",()]+?)"?(?=\s*(?:,|\n|FROM\b|$|\)))', sql))
    for alias, column in re.findall(r"\bAS (\w+) \((\w+)\)", sql):
        aliases.add(alias)
        known.add(column)
    for match in re.finditer(r'"([^"]+)"|([A-Za-z_]\w*)(\s*\()?', sql):
        quoted, word, call = match.groups()
        if quoted:
            need(quoted in known, where, f"there is no column {quoted}")
        elif not call and word.lower() not in WORDS and word not in known | aliases | own:
            need(False, where, f"there is no column {word}")


def check_market_board():
    board = dashboard("market")
    check_board("market", board)
    made = warehouse()
    need({"ohlcv", "ohlcv_1h", "market_ticks", "coverage_current"} <= made.keys(), "migrations", "were not understood")
    values = {"exchange": "e", "symbol": "s", "timeframe": "1m"}
    count = 0
    for where, sql, _ in sql_queries(board):
        written = written_out(sql, values, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
        need("$" not in written, where, "a mark of Grafana's was not understood")
        check_sql(where, written, made)
        count += 1
    return count


def check_hosts_and_mounts():
    compose = ROOT / "deploy" / "compose.observability.yaml"
    files = [compose, *GRAFANA.rglob("*.*"), *PROMETHEUS.glob("*.yml")]
    for path in files:
        where = str(path.relative_to(ROOT))
        text = path.read_text(encoding="utf-8")
        for host in re.findall(r"\b\w+://([^/:\s\"'$]+)", text):
            need(host in HOSTS, where, f"names the host {host}")
        need("REPLACE_ME" not in text and "${DS_" not in text, where, "waits for Grafana's import dialogue")
    text = compose.read_text(encoding="utf-8")
    for path in re.findall(r"^ +- \./([^:]+):", text, re.M):
        need((ROOT / "deploy" / path).exists(), compose.name, f"mounts {path}, which is not there")
    for path in sorted(GRAFANA.glob("*.json")):
        need(f"./grafana/{path.name}:" in text, compose.name, f"does not mount {path.name}")
    for image in re.findall(r"image: (\S+)", text):
        need(re.search(r":v?\d[\w.-]*$", image), compose.name, f"{image} has no fixed tag")
    for name, value in re.findall(r"^ +(\w*PASSWORD): (.*)$", text, re.M):
        need(value.startswith("${"), compose.name, f"{name} is a secret that is written down")
    for published in re.findall(r'^ +- "([^"]*:\d+)"$', text, re.M):
        need(published.startswith("127.0.0.1:"), compose.name, f"{published} is open to other hosts")


def main():
    series, used = counted_metrics(), set()
    check_rules(series, used)
    check_service_board(series, used)
    queries = check_market_board()
    check_hosts_and_mounts()
    for problem in problems:
        print(problem, file=sys.stderr)
    unshown = sorted(series - used)
    print(f"deploy: {len(series)} series are counted, {len(used)} shown or alerted on; {queries} queries of the warehouse")
    if unshown:
        print("deploy: counted, not shown: " + " ".join(unshown))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
