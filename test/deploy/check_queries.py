# The market dashboard's queries on a real PostgreSQL with the service's own migrations, asked by the very login that
# deploy/grafana/reader.sql makes. Exit status 77: there is no PostgreSQL.
import contextlib
import csv
import glob
import io
import os
import pathlib
import pwd
import shutil
import subprocess
import sys
import tempfile

from deployed import GRAFANA, dashboard, migrations, sql_queries, variables, written_out

START, END = "2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z"
VALUES = {"exchange": "binance", "symbol": "BTC/USDT"}

# An hour of minutes; coverage with a hole that is mended and one that nobody spoke about.
SEED = """
INSERT INTO dim_exchange (name) VALUES ('binance');
INSERT INTO dim_cryptocurrency (symbol, base, quote) VALUES ('BTC/USDT', 'BTC', 'USDT');
SELECT make_partition(parent, TIMESTAMPTZ '2026-03-01 12:00:00+00'), make_partition(parent, now())
FROM unnest(ARRAY['fact_ohlcv', 'market_ticks', 'technical_indicators']) AS parent;
INSERT INTO fact_ohlcv
SELECT 1, 1, '1m', at, 100, 102, 99, 101, 5, 505, 12, 2, 202, true, 'ws', 0, at + INTERVAL '61 seconds'
FROM generate_series(TIMESTAMPTZ '2026-03-01 12:00:00+00', '2026-03-01 12:59:00+00', INTERVAL '1 minute') AS at;
INSERT INTO market_ticks
SELECT 'BTC/USDT', 'binance', 'BTCUSDT', '1m', at, 100, 102, 99, 101, 101.5, 0.5, -1.25, 123456.78, 3, 2e12, 19e6, 0.01,
       '[["101.4","1.5"],["101.3","2.5"]]', '[["101.6","3"]]', at, at
FROM (VALUES (TIMESTAMPTZ '2026-03-01 12:30:00+00'), (TIMESTAMPTZ '2026-03-01 12:31:00+00'), (now())) AS ticks (at);
INSERT INTO technical_indicators
SELECT 'BTC/USDT', 'binance', 'BTCUSDT', '1m', at, 0.1, 0.2, 0.3, 0.4, 100, 101, 55, 1.5, 1.25, '{}', at, 0, at
FROM (VALUES (TIMESTAMPTZ '2026-03-01 12:30:00+00'), (TIMESTAMPTZ '2026-03-01 12:31:00+00')) AS snapshots (at);
INSERT INTO coverage_current VALUES
  ('binance', 'BTC/USDT', '1m', 'candles', '2026-03-01 11:00Z', '2026-03-01 12:20Z', 'live', NULL, NULL, now(), 1),
  ('binance', 'BTC/USDT', '1m', 'candles', '2026-03-01 12:20Z', '2026-03-01 12:25Z', 'missing', 'disconnect', NULL,
   now(), 2),
  ('binance', 'BTC/USDT', '1m', 'candles', '2026-03-01 12:40Z', '2026-03-01 14:00Z', 'live', NULL, NULL, now(), 3);
INSERT INTO verification_mismatch VALUES
  ('binance', 'BTC/USDT', '1m', '2026-03-01 12:10Z', 'rest', 'close', '{"close":"101"}', '{"close":"102"}',
   'revised', '2026-03-01 12:50Z');
"""

# What the answers hold, by title; others must only have a row.
EXPECTED = {
    "variable exchange": [["binance"]],
    "variable symbol": [["BTC/USDT"]],
    "panel 'Last price'": [["2026-03-01 12:31:00+00", "101.5"]],
    "panel 'RSI'": [["2026-03-01 12:31:00+00", "55"]],
    "panel 'Size in the book'": [["2026-03-01 12:30:00+00", "4", "3"], ["2026-03-01 12:31:00+00", "4", "3"]],
    "panel 'Coverage of one-minute candles'": [
        ["2026-03-01 12:00:00+00", "live"], ["2026-03-01 12:20:00+00", "missing"], ["2026-03-01 12:25:00+00", ""],
        ["2026-03-01 12:40:00+00", "live"], ["2026-03-01 13:00:00+00", ""]],
    "panel 'Minutes by state'": [["BTC/USDT", "live", "40"], ["BTC/USDT", "missing", "5"]],
    "panel \"From the candle's end to the warehouse's row\"": [
        [f"2026-03-01 12:{minute}:00+00", "1", "1"] for minute in ("00", "15", "30", "45")],
}
# Candles of the chart that open within the hour.
CANDLES = {"1m": 60, "5m": 12, "15m": 4, "1h": 1, "4h": 1, "1d": 0, "1w": 0}


class Server:
    def __init__(self, programs, folder):
        self.programs, self.folder = programs, folder
        # PostgreSQL refuses to run as root.
        self.user = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("postgres")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            self.user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    def call(self, program, *arguments, **options):
        return subprocess.run([f"{self.programs}/{program}", *arguments], check=True, capture_output=True, text=True,
                              cwd=self.folder, **self.user, **options)

    def start(self):
        self.call("initdb", "--pgdata=data", "--username=candlewick", "--auth=trust", "--no-sync", "--encoding=UTF8",
                  "--locale=C")
        self.call("pg_ctl", "start", "--wait", "--pgdata=data", "--log=log", "--options",
                  f"-c listen_addresses='' -c unix_socket_directories='{self.folder}' -c fsync=off -c timezone=UTC")

        self.call("createdb", f"--host={self.folder}", "--username=candlewick", "candlewick")

    def stop(self):
        self.call("pg_ctl", "stop", "--wait", "--pgdata=data", "--mode=immediate")

    def psql(self, script, login="candlewick", **environment):
        return self.call("psql", "--no-psqlrc", "--quiet", "--csv", "--set=ON_ERROR_STOP=1", f"--host={self.folder}",
                         f"--username={login}", "--dbname=candlewick", input=script,
                         env={"PATH": os.environ["PATH"], "PGTZ": "UTC", **environment}).stdout


def table(text):
    rows = list(csv.reader(io.StringIO(text)))
    return rows[0], rows[1:]


def check(server):
    problems = []
    for script in migrations():
        server.psql(f"BEGIN;\n{script}\nCOMMIT;")
    server.psql(SEED)
    reader = (GRAFANA / "reader.sql").read_text(encoding="utf-8")
    for _ in range(2):
        server.psql(reader, READER_PASSWORD="it's a secret")
    for attempt in ("INSERT INTO dim_exchange (name) VALUES ('x')",
                    "SET default_transaction_read_only = off; DELETE FROM market_ticks"):
        try:
            server.psql(attempt, login="candlewick_reader")
            problems.append(f"the reader may write: {attempt}")
        except subprocess.CalledProcessError:
            pass

    board = dashboard("market")
    timeframes = variables(board)["timeframe"]["query"].split(",")
    if timeframes != list(CANDLES):
        problems.append(f"the timeframes are {timeframes}")
    asked = 0
    for where, sql, form in sql_queries(board):
        choices = timeframes if "${timeframe:" in sql else ["1m"]
        for timeframe in choices:
            place = f"{where}, {timeframe}" if len(choices) > 1 else where
            try:
                written = written_out(sql, VALUES | {"timeframe": timeframe}, START, END)
                text = server.psql(written, login="candlewick_reader")
            except subprocess.CalledProcessError as error:
                problems.append(f"{place}: {error.stderr.strip()}")
                continue
            asked += 1
            columns, rows = table(text)
            if form == "time_series" and columns[0] != "time":
                problems.append(f"{place}: the first column of a series is {columns[0]}")
            if len(choices) > 1:
                if len(rows) != CANDLES[timeframe]:
                    problems.append(f"{place}: {len(rows)} candles instead of {CANDLES[timeframe]}")
            elif where in EXPECTED:
                if rows != EXPECTED[where]:
                    problems.append(f"{place}: {rows} instead of {EXPECTED[where]}")
            elif not rows:
                problems.append(f"{place}: no row")
    for place in EXPECTED.keys() - {where for where, _, _ in sql_queries(board)}:
        problems.append(f"{place} is not there")
    print(f"deploy: {asked} queries answered by PostgreSQL")
    return problems


def main():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    program = found[-1] if found else shutil.which("initdb")
    if program is None:
        return 77
    with tempfile.TemporaryDirectory(prefix="candlewick-dashboards-") as folder:
        server = Server(str(pathlib.Path(program).parent), folder)
        server.start()
        with contextlib.ExitStack() as stack:
            stack.callback(server.stop)
            problems = check(server)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
