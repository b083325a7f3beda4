# Target: fakesnow, an independent emulator, read with Snowflake's official Python connector.
import json
import subprocess
import sys
import unittest

import dump
from support import CAN_DIE, HERE, Fakesnow, candle, drive, indicator, ladder, tick

OK = {"ok": True}


class SessionProtocol(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print("target: fakesnow", file=sys.stderr)
        cls.server = Fakesnow()
        cls.addClassCleanup(cls.server.close)

    def read(self, database, wanted):
        connection = dump.connect(self.server.address, database, "PUBLIC")
        try:
            return list(dump.rows(connection, wanted))
        finally:
            connection.close()

    def test_rows_are_read_back_with_exact_digits_and_ladders_as_objects(self):
        answers = drive("write", self.server.address, [[tick(1), tick(2), indicator(1, 0, 55.5)]])
        self.assertEqual(answers, [OK])
        ticks = self.read("MARKET", "MARKET_TICKS")
        self.assertEqual(len(ticks), 2)
        first = min(ticks, key=lambda row: row["EXCHANGE_TS"])
        self.assertEqual(first["LAST_PRICE"], "60000.000000000000000001")
        self.assertEqual(first["BID_DEPTH"], ladder(20))
        self.assertIsNone(first["ASK_DEPTH"])
        self.assertIsNone(first["CANDLE_TIME"])
        self.assertEqual(first["EXCHANGE_TS"], "2026-03-01T12:01:00")
        self.assertEqual(first["INGESTED_AT"], "2026-03-01T12:01:01.123456")
        self.assertEqual(first["PRICE_CHANGE_PCT_1H"], 1.5)
        sizes = self.read("MARKET", "SELECT ARRAY_SIZE(BID_DEPTH) AS LEVELS FROM MARKET_TICKS")
        self.assertEqual([row["LEVELS"] for row in sizes], [20, 20])
        self.assertEqual(self.read("MARKET", "TECHNICAL_INDICATORS")[0]["EXTRA"], {"ema_9": 1.25})

    def test_batches_that_come_again_change_nothing(self):
        batch = [tick(1), candle(1, 0, 1.5), indicator(1, 0, 1.0), indicator(1, 1, 2.0)]
        self.assertEqual(drive("write", self.server.address, [batch, batch], database="AGAIN"), [OK, OK])
        self.assertEqual(drive("write", self.server.address, [batch], database="AGAIN"), [OK])
        self.assertEqual(len(self.read("AGAIN", "MARKET_TICKS")), 1)
        self.assertEqual(len(self.read("AGAIN", "FACT_OHLCV")), 1)
        rows = self.read("AGAIN", "TECHNICAL_INDICATORS")
        self.assertEqual([(row["RSI_14"], row["REVISION"]) for row in rows], [(2.0, 1)])

    def test_only_higher_revisions_replace(self):
        steps = [[candle(5, 1, 1.5)], [candle(5, 0, 9.9)], [candle(5, 2, 1.75)]]
        self.assertEqual(drive("write", self.server.address, steps, database="REVISED"), [OK] * 3)
        row, = self.read("REVISED", "FACT_OHLCV")
        self.assertEqual((row["CLOSE"], row["REVISION"]), ("1.75", 2))
        self.assertEqual((row["EXCHANGE"], row["SYMBOL"]), ("binance", "BTC/USDT"))

    def test_dimensions_are_named(self):
        instrument = json.dumps({
            "table": "instruments", "exchange": "binance", "symbol": "BTC/USDT",
            "exchange_symbol": "BTCUSDT", "market": "spot", "base": "BTC", "quote": "USDT",
            "status": "trading", "tick_size": 0.01, "step_size": 0.00001,
            "recorded_at": "2026-03-01T00:00:00Z"}, separators=(",", ":"))
        asset = ('{"table":"assets","asset":"BTC","name":"Bitcoin Core","coingecko_id":"bitcoin",'
                 '"recorded_at":"2026-03-01T00:00:00Z"}')
        self.assertEqual(drive("write", self.server.address, [[instrument], [asset]], database="NAMED"),
                         [OK, OK])
        pair, = self.read("NAMED", "DIM_CRYPTOCURRENCY")
        self.assertEqual((pair["SYMBOL"], pair["NAME"]), ("BTC/USDT", "Bitcoin Core"))
        self.assertIsNotNone(pair["SECTOR"])
        listing, = self.read("NAMED", "DIM_LISTING")
        self.assertEqual((listing["PRICE_PRECISION"], listing["TICK_SIZE"]), (2, "0.01"))
        self.assertIsNone(listing["DELISTED_AT"])

    def test_the_examination_finds_what_an_adopted_table_lacks_and_its_sql_mends_it(self):
        connection = dump.connect(self.server.address, "ADOPTED", "PUBLIC")
        connection.cursor().execute(
            "CREATE TABLE MARKET_TICKS (ID VARCHAR, SYMBOL VARCHAR, EXCHANGE VARCHAR,"
            " WINDOW_INTERVAL VARCHAR, EXCHANGE_TS TIMESTAMP_NTZ, LAST_PRICE FLOAT)")
        refused, = drive("write", self.server.address, [[tick(1)]], database="ADOPTED")
        self.assertEqual(refused["kind"], "misconfigured")
        self.assertIn("MARKET_TICKS lacks EXCHANGE_SYMBOL", refused["message"])
        advice = "\n".join(f["advice"] for f in drive("examine", self.server.address, database="ADOPTED")
                           if f["grade"] == "bad")
        for statement in filter(None, (s.strip() for s in advice.split(";"))):
            connection.cursor().execute(statement)
        connection.close()
        self.assertEqual(drive("write", self.server.address, [[tick(1)]], database="ADOPTED"), [OK])
        row, = self.read("ADOPTED", "MARKET_TICKS")
        self.assertEqual((row["LAST_PRICE"], row["ID"]), (60000.0, None))

    @unittest.skipUnless(CAN_DIE, "built without CANDLEWICK_FAULT_POINTS")
    def test_a_death_at_any_step_neither_loses_nor_doubles_rows(self):
        first = [tick(1), candle(1, 0, 1.5), indicator(1, 0, 1.0)]
        second = [candle(1, 1, 1.75), indicator(1, 1, 2.0), tick(2)]
        # Without ticks: what is merged last has been changed, not only added to.
        third = [candle(1, 2, 1.875), indicator(1, 2, 3.0)]
        deaths = [("after_login", 1), ("after_staging", 2), ("before_merge", 2), ("after_merge", 2),
                  ("after_merge", 3), ("after_commit", 2)]
        for step, batch in deaths:
            database = f"DEATH_{step}_{batch}"
            with self.subTest(step=step, batch=batch):
                drive("write", self.server.address, [first, second, third], database=database,
                      dies_at=f"snowflake.{step}:{batch}")
                answers = drive("write", self.server.address, [first, second, third], database=database)
                self.assertEqual(answers, [OK] * 3)
                self.assertEqual(len(self.read(database, "MARKET_TICKS")), 2)
                row, = self.read(database, "FACT_OHLCV")
                self.assertEqual((row["CLOSE"], row["REVISION"]), ("1.875", 2))
                row, = self.read(database, "TECHNICAL_INDICATORS")
                self.assertEqual((row["RSI_14"], row["REVISION"]), (3.0, 2))

    def test_rows_and_position_outlive_the_server(self):
        server = Fakesnow()
        self.addCleanup(server.close)
        self.assertEqual(drive("write", server.address, [[tick(1), tick(2)]]), [OK])
        server.stop()
        server.start()
        self.assertEqual(drive("write", server.address, [[tick(1), tick(2), tick(3)]]), [OK])
        lines = subprocess.run(
            [sys.executable, HERE / "dump.py", server.address, "MARKET", "PUBLIC", "MARKET_TICKS",
             "CANDLEWICK_CURSOR", "NO_SUCH_TABLE"], capture_output=True, text=True, check=True).stdout
        ticks, cursor, none = lines.split("\n\n")
        self.assertEqual(len(ticks.splitlines()), 3)
        self.assertEqual(sorted(json.loads(line)["SEQUENCE"] for line in cursor.splitlines()), [2, 3])
        self.assertEqual(none.strip(), "")

    def test_the_symbol_is_spelled_as_the_user_wishes(self):
        drive("write", self.server.address, [[tick(1)]], database="SPELLED", symbol_style="exchange")
        row, = self.read("SPELLED", "MARKET_TICKS")
        self.assertEqual(row["SYMBOL"], "BTCUSDT")


if __name__ == "__main__":
    unittest.main()
