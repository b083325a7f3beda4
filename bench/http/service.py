"""The peer: the same objects, answered from memory as FastAPI does it.

PEER_ANSWERS: a folder with latest.json and candles.json as our service answered them.
"""

import json
import os
from pathlib import Path

from fastapi import FastAPI, HTTPException

ANSWERS = Path(os.environ["PEER_ANSWERS"])


def load(name):
    return json.loads((ANSWERS / name).read_text(encoding="utf-8"))


latest = {"BTC-USDT": load("latest.json")}
candles = {"BTC-USDT": load("candles.json")}
app = FastAPI()


@app.get("/latest/{symbol}")
async def answer_latest(symbol: str):
    if symbol not in latest:
        raise HTTPException(status_code=404)
    return latest[symbol]


@app.get("/v1/candles")
async def answer_candles(symbol: str, limit: int = 1000):
    if symbol not in candles:
        raise HTTPException(status_code=404)
    page = candles[symbol]
    return {**page, "data": page["data"][:limit]}
