-- What was compared with another source of the same truth, and what came of it.

CREATE TABLE verification (
  exchange TEXT NOT NULL,
  symbol TEXT NOT NULL,
  timeframe TEXT NOT NULL,
  against TEXT NOT NULL,                -- rest, trades, book
  "from" INTEGER NOT NULL,
  "to" INTEGER NOT NULL,
  checked INTEGER NOT NULL,             -- equal + different + absent
  equal INTEGER NOT NULL,
  different INTEGER NOT NULL,
  absent INTEGER NOT NULL,              -- only one side has it
  recorded_at INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (exchange, symbol, timeframe, against, seq)
) STRICT, WITHOUT ROWID;

-- A side that has no candle is null. Rows hold two candles, so they are too long for an index.
CREATE TABLE verification_mismatch (
  exchange TEXT NOT NULL,
  symbol TEXT NOT NULL,
  timeframe TEXT NOT NULL,
  timestamp INTEGER NOT NULL,
  against TEXT NOT NULL,
  columns TEXT,                         -- those that differ, separated by commas
  stored TEXT,                          -- JSON
  found TEXT,                           -- JSON
  action TEXT NOT NULL,                 -- revised, backfilled, recorded
  recorded_at INTEGER NOT NULL,
  PRIMARY KEY (exchange, symbol, timeframe, timestamp, against, recorded_at)
) STRICT;
CREATE INDEX verification_mismatch_recorded ON verification_mismatch (recorded_at);
