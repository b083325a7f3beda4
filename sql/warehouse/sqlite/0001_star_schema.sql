-- The star schema in SQLite. Decimals are TEXT with their exact digits, times are INTEGER
-- microseconds UTC, booleans 0 or 1. STRICT tables refuse anything else.

CREATE TABLE dim_cryptocurrency (
  crypto_id INTEGER PRIMARY KEY,
  symbol TEXT NOT NULL UNIQUE,          -- unified: BTC/USDT, BTC/USDT:USDT for a swap
  name TEXT,                            -- of the base asset: Bitcoin
  sector TEXT,
  launch_date TEXT,
  base TEXT NOT NULL,
  quote TEXT NOT NULL,
  coingecko_id TEXT
) STRICT;

CREATE TABLE dim_exchange (
  exchange_id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  display_name TEXT,
  region TEXT,
  trading_fees TEXT                     -- taker, percent
) STRICT;

-- A ticker that was renamed, delisted or used again has one row for each of its lives. The newest
-- life of an exchange's symbol is the one with the greatest listing_id.
CREATE TABLE dim_listing (
  listing_id INTEGER PRIMARY KEY,
  exchange_id INTEGER NOT NULL REFERENCES dim_exchange,
  crypto_id INTEGER NOT NULL REFERENCES dim_cryptocurrency,
  exchange_symbol TEXT NOT NULL,
  market TEXT NOT NULL,
  status TEXT NOT NULL,
  listed_at INTEGER,
  delisted_at INTEGER,
  price_precision INTEGER,              -- fractional digits of tick_size
  size_precision INTEGER,               -- fractional digits of step_size
  tick_size TEXT,
  step_size TEXT,
  recorded_at INTEGER NOT NULL          -- when the row took its present form
) STRICT;
CREATE INDEX dim_listing_exchange_symbol ON dim_listing (exchange_id, exchange_symbol);
CREATE INDEX dim_listing_crypto ON dim_listing (crypto_id);

CREATE TABLE fact_ohlcv (
  exchange_id INTEGER NOT NULL REFERENCES dim_exchange,
  crypto_id INTEGER NOT NULL REFERENCES dim_cryptocurrency,
  timeframe TEXT NOT NULL,
  timestamp INTEGER NOT NULL,           -- open time
  open TEXT NOT NULL,
  high TEXT NOT NULL,
  low TEXT NOT NULL,
  close TEXT NOT NULL,
  volume TEXT NOT NULL,
  quote_volume TEXT,
  trade_count INTEGER,
  taker_buy_volume TEXT,
  taker_buy_quote_volume TEXT,
  is_closed INTEGER NOT NULL CHECK (is_closed IN (0, 1)),
  source TEXT NOT NULL,
  revision INTEGER NOT NULL,
  ingested_at INTEGER NOT NULL,
  PRIMARY KEY (exchange_id, crypto_id, timeframe, timestamp)
) STRICT, WITHOUT ROWID;

-- Earlier values of closed candles, for reading as of a past moment. Rows are only ever added.
CREATE TABLE fact_ohlcv_revision (
  exchange_id INTEGER NOT NULL REFERENCES dim_exchange,
  crypto_id INTEGER NOT NULL REFERENCES dim_cryptocurrency,
  timeframe TEXT NOT NULL,
  timestamp INTEGER NOT NULL,
  open TEXT NOT NULL,
  high TEXT NOT NULL,
  low TEXT NOT NULL,
  close TEXT NOT NULL,
  volume TEXT NOT NULL,
  quote_volume TEXT,
  trade_count INTEGER,
  taker_buy_volume TEXT,
  taker_buy_quote_volume TEXT,
  is_closed INTEGER NOT NULL CHECK (is_closed IN (0, 1)),
  source TEXT NOT NULL,
  revision INTEGER NOT NULL,
  ingested_at INTEGER NOT NULL,
  superseded_at INTEGER NOT NULL,
  PRIMARY KEY (exchange_id, crypto_id, timeframe, timestamp, revision)
) STRICT, WITHOUT ROWID;

-- Empty unless storing trades is switched on.
CREATE TABLE fact_trade (
  exchange_id INTEGER NOT NULL REFERENCES dim_exchange,
  crypto_id INTEGER NOT NULL REFERENCES dim_cryptocurrency,
  trade_id INTEGER NOT NULL,
  exchange_time INTEGER NOT NULL,
  price TEXT NOT NULL,
  size TEXT NOT NULL,
  quote_size TEXT,
  taker_side TEXT NOT NULL,
  ingested_at INTEGER NOT NULL,
  PRIMARY KEY (exchange_id, crypto_id, trade_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX fact_trade_time ON fact_trade (exchange_id, crypto_id, exchange_time);

-- Rows hold ladders, so they are too long to be kept inside an index.
CREATE TABLE market_ticks (
  symbol TEXT NOT NULL,
  exchange TEXT NOT NULL,
  exchange_symbol TEXT NOT NULL,
  window_interval TEXT NOT NULL,
  exchange_ts INTEGER NOT NULL,
  open TEXT,
  high TEXT,
  low TEXT,
  close TEXT,
  last_price TEXT,
  price_change_pct_1h REAL,
  price_change_pct_24h REAL,
  volume_24h_quote TEXT,
  volume_change_pct_24h REAL,
  market_cap TEXT,
  circulating_supply TEXT,
  bid_ask_spread TEXT,
  bid_depth TEXT,                       -- JSON: [["price","size"],...], best first
  ask_depth TEXT,
  candle_time INTEGER,
  ingested_at INTEGER NOT NULL,
  PRIMARY KEY (exchange, symbol, window_interval, exchange_ts)
) STRICT;
CREATE INDEX market_ticks_time ON market_ticks (exchange_ts);

CREATE TABLE technical_indicators (
  symbol TEXT NOT NULL,
  exchange TEXT NOT NULL,
  exchange_symbol TEXT NOT NULL,
  window_interval TEXT NOT NULL,
  exchange_ts INTEGER NOT NULL,
  rolling_return_1h REAL,
  rolling_return_24h REAL,
  rolling_volatility_24h REAL,
  high_low_range_24h REAL,
  moving_average_7 REAL,
  moving_average_30 REAL,
  rsi_14 REAL,
  macd REAL,
  macd_signal REAL,
  extra TEXT,                           -- JSON: further indicators by name
  candle_time INTEGER,
  revision INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (exchange, symbol, window_interval, exchange_ts)
) STRICT;
CREATE INDEX technical_indicators_time ON technical_indicators (exchange_ts);

-- What was asserted, in the order in which it was: the newest assertion about a minute wins.
CREATE TABLE coverage (
  exchange TEXT NOT NULL,
  symbol TEXT NOT NULL,
  timeframe TEXT NOT NULL,
  stream TEXT NOT NULL,
  "from" INTEGER NOT NULL,
  "to" INTEGER NOT NULL,
  state TEXT NOT NULL,
  cause TEXT,
  evidence TEXT,
  recorded_at INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (exchange, symbol, timeframe, seq)
) STRICT, WITHOUT ROWID;

-- The same, resolved: spans of one stream never overlap. Kept up by the writer in the transaction of
-- the assertion, because resolving thousands of them at every read would be slow.
CREATE TABLE coverage_current (
  exchange TEXT NOT NULL,
  symbol TEXT NOT NULL,
  timeframe TEXT NOT NULL,
  stream TEXT NOT NULL,
  "from" INTEGER NOT NULL,
  "to" INTEGER NOT NULL,
  state TEXT NOT NULL,
  cause TEXT,
  evidence TEXT,
  recorded_at INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (exchange, symbol, timeframe, stream, "from")
) STRICT, WITHOUT ROWID;

CREATE TABLE indicator_checkpoint (
  exchange TEXT NOT NULL,
  symbol TEXT NOT NULL,
  timeframe TEXT NOT NULL,
  candle_time INTEGER NOT NULL,
  state TEXT NOT NULL,
  recorded_at INTEGER NOT NULL,
  PRIMARY KEY (exchange, symbol, timeframe)
) STRICT, WITHOUT ROWID;

-- How far each log has been taken in; moves in the transaction of the rows.
CREATE TABLE log_position (
  log_id TEXT PRIMARY KEY,
  sequence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
