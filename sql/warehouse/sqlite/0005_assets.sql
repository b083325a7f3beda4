-- What is known of traded assets from outside the exchanges, as it was told last. dim_cryptocurrency
-- repeats it for every pair.

CREATE TABLE assets (
  asset TEXT PRIMARY KEY NOT NULL,      -- as exchanges write it: BTC
  name TEXT NOT NULL,
  sector TEXT,
  launch_date INTEGER,                  -- its midnight UTC
  coingecko_id TEXT,
  recorded_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
