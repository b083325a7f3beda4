"""The service under schemathesis: every check it has but one, over every path that ends.

positive_data_acceptance is left out: most valid questions name symbols that nobody lists. Endless answers
(/v1/candles/stream) and the WebSocket have tests of their own.
"""

import os
import secrets
import hashlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

PHASES_SECONDS = 200


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_ready(url, process):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit(f"openapi: the service ended with {process.returncode}")
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    sys.exit("openapi: the service is not ready after 60 s")


def main():
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    key = secrets.token_hex(32)
    environment = {
        **os.environ,
        "CANDLEWICK_HTTP_LISTEN": f"127.0.0.1:{port}",
        "CANDLEWICK_HTTP_REQUESTS_PER_MINUTE": "1000000000",
        "CANDLEWICK_HTTP_KEYS": f"judge:admin:{hashlib.sha256(key.encode()).hexdigest()}",
    }
    with tempfile.TemporaryDirectory() as folder:
        service = subprocess.Popen(
            [os.environ["CANDLEWICK"], "run", "--demo"], cwd=folder, env=environment, stdout=subprocess.DEVNULL
        )
        try:
            wait_until_ready(url, service)
            judged = subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "schemathesis.cli",
                    "run",
                    f"{url}/openapi.json",
                    "--checks=all",
                    "--exclude-checks=positive_data_acceptance",
                    "--exclude-path=/v1/stream",
                    "--exclude-path=/v1/candles/stream",
                    f"--header=Authorization: Bearer {key}",
                    "--suppress-health-check=filter_too_much",
                    "--generation-database=none",
                    "--seed=20260115",
                    "--max-examples=40",
                    "--continue-on-failure",
                    "--no-color",
                ],
                cwd=folder,
                timeout=PHASES_SECONDS,
                check=False,
            ).returncode
            if service.poll() is not None:
                sys.exit(f"openapi: the service ended with {service.returncode} while it was judged")
        finally:
            service.terminate()
            service.wait(timeout=30)
    sys.exit(judged)


if __name__ == "__main__":
    main()
