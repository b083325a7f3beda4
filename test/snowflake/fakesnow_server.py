# fakesnow as a server: `fakesnow_server.py FOLDER [PORT]`. Databases are files in the folder and outlive
# it. The first line on standard output is its address. It is fakesnow as published, with one setting:
# where databases lie.
import logging
import socket
import sys
import warnings

warnings.simplefilter("ignore")

import fakesnow.server
import uvicorn
from fakesnow.instance import FakeSnow

folder = sys.argv[1]
port = int(sys.argv[2]) if len(sys.argv) > 2 else 0
fakesnow.server.logger.setLevel(logging.ERROR)
fakesnow.server.shared_fs = FakeSnow(db_path=folder)
# The protocol is named because asyncio switches delays off only for sockets that name it.
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", port))
listener.listen(128)
print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
server = uvicorn.Server(uvicorn.Config(fakesnow.server.app, log_level="critical"))
server.run(sockets=[listener])
