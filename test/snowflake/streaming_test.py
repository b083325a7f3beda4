# Target: our own double of Snowpipe Streaming. It is judged first, by the official streaming client over
# TLS; then the sink writes to it. What a real account does beyond that is checked against the
# documentation only.
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from support import CAN_DIE, drive, ladder, tick

DOUBLE = os.environ["CANDLEWICK_SNOWFLAKE_DOUBLE"]

OFFICIAL = """
import sys, time
from snowflake.ingest.streaming import StreamingIngestClient
port, key = sys.argv[1], open(sys.argv[2]).read()
client = StreamingIngestClient(
    client_name="judge", db_name="MARKET", schema_name="PUBLIC", pipe_name="MARKET_TICKS-STREAMING",
    properties={"account": "myorg-account1", "user": "loader", "url": f"https://127.0.0.1:{port}",
                "private_key": key})
channel, status = client.open_channel("OFFICIAL")
print(status.latest_committed_offset_token)
for i in range(1, 4):
    channel.append_row({"SYMBOL": "BTC/USDT", "LAST_PRICE": "1.5", "BID_DEPTH": [["1", "2"]]}, str(i))
for _ in range(300):
    if channel.get_latest_committed_offset_token() == "3":
        break
    time.sleep(0.1)
print(channel.get_latest_committed_offset_token())
channel.close()
again, status = client.open_channel("OFFICIAL")
print(status.latest_committed_offset_token)
again.close()
client.close()
"""


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


class Streaming(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print("target: our double of Snowpipe Streaming, judged by the official client", file=sys.stderr)
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = at = pathlib.Path(folder.name)
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", at / "user.p8")
        # An authority and a certificate of its own: a client's library takes no authority for a server.
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", at / "ca.key", "-out",
                at / "ca.crt", "-days", "2", "-subj", "/CN=judge")
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", at / "server.key", "-out",
                at / "server.csr", "-subj", "/CN=localhost")
        (at / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
        openssl("x509", "-req", "-in", at / "server.csr", "-CA", at / "ca.crt", "-CAkey", at / "ca.key",
                "-CAcreateserial", "-days", "2", "-extfile", at / "names", "-out", at / "server.crt")

    def start(self):
        double = subprocess.Popen(
            [DOUBLE, self.folder / "server.crt", self.folder / "server.key", "MARKET_TICKS"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (double.kill(), double.wait(), double.stdin.close(), double.stdout.close()))
        return double, int(double.stdout.readline())

    def stored(self, double):
        out, _ = double.communicate(timeout=20)
        return [json.loads(line) for line in out.splitlines()]

    def test_the_official_client_works_with_the_double(self):
        double, port = self.start()
        environment = {**os.environ, "SSL_CERT_FILE": str(self.folder / "ca.crt"), "SS_LOG_LEVEL": "error"}
        done = subprocess.run([sys.executable, "-c", OFFICIAL, str(port), str(self.folder / "user.p8")],
                              capture_output=True, text=True, timeout=90, env=environment)
        self.assertEqual(done.stdout.splitlines()[-3:], ["None", "3", "3"], done.stdout + done.stderr)
        self.assertEqual(self.stored(double),
                         [{"SYMBOL": "BTC/USDT", "LAST_PRICE": "1.5", "BID_DEPTH": [["1", "2"]]}] * 3)

    def test_the_sink_streams_each_row_once_however_often_it_starts(self):
        double, port = self.start()
        settings = {"method": "streaming", "private_key": (self.folder / "user.p8").read_text(),
                    "ca_file": self.folder / "ca.crt"}
        rows = [tick(minute) for minute in range(5)]
        address = f"https://127.0.0.1:{port}"
        if CAN_DIE:
            drive("write", address, [rows[:2]], dies_at="snowflake.after_append", **settings)
        for upto in (2, 4, 5):
            answers = drive("write", address, [rows[:upto]], **settings)
            self.assertEqual(answers, [{"ok": True}])
        stored = self.stored(double)
        self.assertEqual([row["EXCHANGE_TS"] for row in stored],
                         [f"2026-03-01 12:{minute:02d}:00" for minute in range(5)])
        self.assertEqual(stored[0]["LAST_PRICE"], "60000.000000000000000001")
        self.assertEqual(stored[0]["BID_DEPTH"], ladder(20))


if __name__ == "__main__":
    unittest.main()
