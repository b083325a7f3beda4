# What both judges share: rows of the log, the program that writes them, fakesnow on a free port.
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
# Whether the program was built with places to die at.
CAN_DIE = os.environ.get("CANDLEWICK_FAULT_POINTS", "") == "ON"
DRIVER = os.environ["CANDLEWICK_SINK_DRIVER"]


def ladder(levels):
    return [[f"{60000 + i}.123456789012345678", f"{i}.5"] for i in range(levels)]


def tick(minute, symbol="BTC/USDT", price="60000.000000000000000001"):
    at = f"2026-03-01T12:{minute:02d}:00Z"
    # A number of JSON with its exact digits, which Python's own would lose.
    return (
        f'{{"table":"market_ticks","symbol":"{symbol}","exchange":"binance",'
        f'"exchange_symbol":"{symbol.replace("/", "")}","window_interval":"1m","exchange_ts":"{at}",'
        f'"open":{price},"last_price":{price},"price_change_pct_1h":1.5,'
        f'"bid_depth":{json.dumps(ladder(20))},"ask_depth":null,"candle_time":null,'
        f'"ingested_at":"2026-03-01T12:{minute:02d}:01.123456Z"}}')


def indicator(minute, revision, rsi):
    return json.dumps({
        "table": "technical_indicators", "symbol": "BTC/USDT", "exchange": "binance",
        "exchange_symbol": "BTCUSDT", "window_interval": "1m",
        "exchange_ts": f"2026-03-01T12:{minute:02d}:00Z", "rsi_14": rsi, "extra": {"ema_9": 1.25},
        "revision": revision, "created_at": "2026-03-01T12:00:01Z"}, separators=(",", ":"))


def candle(minute, revision, close):
    return json.dumps({
        "table": "fact_ohlcv", "exchange": "binance", "symbol": "BTC/USDT", "timeframe": "1m",
        "timestamp": f"2026-03-01T12:{minute:02d}:00Z", "open": 1, "high": 2, "low": 1, "close": close,
        "volume": 3, "is_closed": True, "source": "ws", "revision": revision,
        "ingested_at": "2026-03-01T13:00:00Z"}, separators=(",", ":"))


def drive(command, address, batches=(), dies_at=None, **settings):
    """Runs the sink on batches of rows; one answer each. With dies_at: killed at that fault point."""
    values = {"account": "myorg-account1", "user": "loader", "password": "hush", "database": "MARKET",
              "schema": "PUBLIC", "base_url": address, **settings}
    text = "\n\n".join("\n".join(rows) for rows in batches)
    done = subprocess.run([DRIVER, "snowflake", command, *(f"{k}={v}" for k, v in values.items())],
                          input=text, capture_output=True, text=True, timeout=100,
                          env={**os.environ, **({"CANDLEWICK_FAULT_POINT": dies_at} if dies_at else {})})
    if dies_at and done.returncode != -signal.SIGKILL:
        raise AssertionError(f"it did not come to {dies_at}: {done}")
    if "hush" in done.stdout + done.stderr:
        raise AssertionError("a secret was told")
    return [json.loads(line) for line in done.stdout.splitlines()]


class Fakesnow:
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, HERE / "fakesnow_server.py", self.folder.name], stdout=subprocess.PIPE,
            text=True)
        self.address = self.process.stdout.readline().strip()

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def close(self):
        self.stop()
        self.folder.cleanup()
