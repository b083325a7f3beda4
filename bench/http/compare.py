"""How many answers a second: ours, nginx with the same bytes as files, and FastAPI with the same objects in memory.

    compare.py CANDLEWICK FOLDER     prints a sample a line; FOLDER is for what the peers read

PEER_NGINX and PEER_WRK: the programs, where they are not in the path.

Our service runs its demo at normal speed meanwhile, so live data comes in while it answers, and takes its share of
the machine from the peers as well. One after the other is asked, over the same 64 connections by one thread of wrk;
every server has one thread that talks to the network.
"""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROWS = 500
QUESTIONS = {
    "latest": "/latest/BTC-USDT",
    "candles": f"/v1/candles?symbol=BTC-USDT&limit={ROWS}",
}
CONNECTIONS = 64
SECONDS = 3
PATIENCE = 60

NGINX = """
{user}
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 256; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  open_file_cache max=16;
  keepalive_requests 1000000000;
  default_type application/json;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location = /latest/BTC-USDT {{ alias {folder}/latest.json; }}
    location = /v1/candles {{ alias {folder}/candles.json; }}
  }}
}}
"""


def stop(message):
    sys.exit(f"bench: http: {message}")


def program(name):
    found = os.environ.get(f"PEER_{name.upper()}") or shutil.which(name)
    return found or stop(f"there is no {name}: ./x bench sees to it")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read()


class Server:
    """A program with a port of its own, until the stack that it is entered into ends."""

    def __init__(self, stack, name, command, **how):
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **how)
        stack.callback(self.end)

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def wait_for(self, url, is_good=lambda body: True):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                stop(f"{self.name} ended with {self.process.returncode}")
            with contextlib.suppress(OSError, urllib.error.URLError):
                body = get(url)
                if is_good(body):
                    return body
            time.sleep(0.1)
        return stop(f"{self.name} does not answer {url} as it should after {PATIENCE} s")


def start_ours(stack, candlewick, folder, port):
    environment = {
        **os.environ,
        "CANDLEWICK_HTTP_LISTEN": f"127.0.0.1:{port}",
        "CANDLEWICK_HTTP_REQUESTS_PER_MINUTE": "1000000000",
    }
    return Server(stack, "candlewick", [candlewick, "run", "--demo", "--demo-speed", "1"], cwd=folder, env=environment)


def start_nginx(stack, folder, port):
    settings = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""  # of the files that are served
    settings.write_text(NGINX.format(user=user, folder=folder, port=port), encoding="utf-8")
    return Server(stack, "nginx", [program("nginx"), "-e", "stderr", "-c", str(settings), "-p", str(folder)])


def start_fastapi(stack, folder, port):
    here = Path(__file__).parent
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(here), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning", "service:app"]
    return Server(stack, "FastAPI", command, env={**os.environ, "PEER_ANSWERS": str(folder)})


def requests_a_second(name, url):
    command = [program("wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--timeout", "10s", url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        stop(f"{name} refused some of {url}:\n{said}")
    return float(re.search(r"^Requests/sec:\s+([\d.]+)", said, re.MULTILINE)[1])


def main():
    if len(sys.argv) != 3:
        stop("usage: compare.py CANDLEWICK FOLDER")
    candlewick = Path(sys.argv[1]).resolve()
    folder = Path(sys.argv[2]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        ports = {who: free_port() for who in ("ours", "nginx", "fastapi")}
        urls = {who: f"http://127.0.0.1:{port}" for who, port in ports.items()}

        ours = start_ours(stack, candlewick, folder, ports["ours"])
        ours.wait_for(urls["ours"] + "/readyz")
        answers = {
            "latest": ours.wait_for(urls["ours"] + QUESTIONS["latest"], lambda body: json.loads(body)["book"]),
            "candles": ours.wait_for(
                urls["ours"] + QUESTIONS["candles"], lambda body: len(json.loads(body)["data"]) == ROWS
            ),
        }
        for name, body in answers.items():
            (folder / f"{name}.json").write_bytes(body)

        nginx = start_nginx(stack, folder, ports["nginx"])
        fastapi = start_fastapi(stack, folder, ports["fastapi"])
        for name, question in QUESTIONS.items():
            if nginx.wait_for(urls["nginx"] + question) != answers[name]:
                stop(f"nginx answers {question} otherwise")
            if json.loads(fastapi.wait_for(urls["fastapi"] + question)) != json.loads(answers[name]):
                stop(f"FastAPI answers {question} otherwise")

        for name, question in QUESTIONS.items():
            for who, url in urls.items():
                sample = {
                    "name": f"http/{name}",
                    "who": who,
                    "value": requests_a_second(who, url + question),
                    "unit": "answers/s",
                }
                print(json.dumps(sample), flush=True)


if __name__ == "__main__":
    main()
