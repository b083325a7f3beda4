-- Roll-ups of closed one-minute candles, for tools that want floats: bars tells how many minutes one
-- holds. Sums here are sums of doubles; the program's own answers are exact. Days and weeks open at
-- 00:00 UTC, weeks on Monday (the epoch was a Thursday).

CREATE VIEW ohlcv_5m AS
WITH bucket AS (
  SELECT exchange_id, crypto_id, timestamp - timestamp % 300000000 AS opened_at,
         min(timestamp) AS first_minute, max(timestamp) AS last_minute,
         max(CAST(high AS REAL)) AS high, min(CAST(low AS REAL)) AS low,
         sum(CAST(volume AS REAL)) AS volume, sum(CAST(quote_volume AS REAL)) AS quote_volume,
         sum(trade_count) AS trade_count, count(*) AS bars
  FROM fact_ohlcv WHERE timeframe = '1m' AND is_closed = 1
  GROUP BY exchange_id, crypto_id, opened_at)
SELECT e.name AS exchange, c.symbol AS symbol,
       strftime('%Y-%m-%dT%H:%M:%SZ', b.opened_at / 1000000, 'unixepoch') AS timestamp,
       CAST(f.open AS REAL) AS open, b.high AS high, b.low AS low, CAST(l.close AS REAL) AS close,
       b.volume AS volume, b.quote_volume AS quote_volume, b.trade_count AS trade_count,
       b.bars AS bars, b.bars = 5 AS is_complete
FROM bucket b
JOIN fact_ohlcv f ON f.exchange_id = b.exchange_id AND f.crypto_id = b.crypto_id
                 AND f.timeframe = '1m' AND f.timestamp = b.first_minute
JOIN fact_ohlcv l ON l.exchange_id = b.exchange_id AND l.crypto_id = b.crypto_id
                 AND l.timeframe = '1m' AND l.timestamp = b.last_minute
JOIN dim_exchange e ON e.exchange_id = b.exchange_id
JOIN dim_cryptocurrency c ON c.crypto_id = b.crypto_id;

CREATE VIEW ohlcv_15m AS
WITH bucket AS (
  SELECT exchange_id, crypto_id, timestamp - timestamp % 900000000 AS opened_at,
         min(timestamp) AS first_minute, max(timestamp) AS last_minute,
         max(CAST(high AS REAL)) AS high, min(CAST(low AS REAL)) AS low,
         sum(CAST(volume AS REAL)) AS volume, sum(CAST(quote_volume AS REAL)) AS quote_volume,
         sum(trade_count) AS trade_count, count(*) AS bars
  FROM fact_ohlcv WHERE timeframe = '1m' AND is_closed = 1
  GROUP BY exchange_id, crypto_id, opened_at)
SELECT e.name AS exchange, c.symbol AS symbol,
       strftime('%Y-%m-%dT%H:%M:%SZ', b.opened_at / 1000000, 'unixepoch') AS timestamp,
       CAST(f.open AS REAL) AS open, b.high AS high, b.low AS low, CAST(l.close AS REAL) AS close,
       b.volume AS volume, b.quote_volume AS quote_volume, b.trade_count AS trade_count,
       b.bars AS bars, b.bars = 15 AS is_complete
FROM bucket b
JOIN fact_ohlcv f ON f.exchange_id = b.exchange_id AND f.crypto_id = b.crypto_id
                 AND f.timeframe = '1m' AND f.timestamp = b.first_minute
JOIN fact_ohlcv l ON l.exchange_id = b.exchange_id AND l.crypto_id = b.crypto_id
                 AND l.timeframe = '1m' AND l.timestamp = b.last_minute
JOIN dim_exchange e ON e.exchange_id = b.exchange_id
JOIN dim_cryptocurrency c ON c.crypto_id = b.crypto_id;

CREATE VIEW ohlcv_1h AS
WITH bucket AS (
  SELECT exchange_id, crypto_id, timestamp - timestamp % 3600000000 AS opened_at,
         min(timestamp) AS first_minute, max(timestamp) AS last_minute,
         max(CAST(high AS REAL)) AS high, min(CAST(low AS REAL)) AS low,
         sum(CAST(volume AS REAL)) AS volume, sum(CAST(quote_volume AS REAL)) AS quote_volume,
         sum(trade_count) AS trade_count, count(*) AS bars
  FROM fact_ohlcv WHERE timeframe = '1m' AND is_closed = 1
  GROUP BY exchange_id, crypto_id, opened_at)
SELECT e.name AS exchange, c.symbol AS symbol,
       strftime('%Y-%m-%dT%H:%M:%SZ', b.opened_at / 1000000, 'unixepoch') AS timestamp,
       CAST(f.open AS REAL) AS open, b.high AS high, b.low AS low, CAST(l.close AS REAL) AS close,
       b.volume AS volume, b.quote_volume AS quote_volume, b.trade_count AS trade_count,
       b.bars AS bars, b.bars = 60 AS is_complete
FROM bucket b
JOIN fact_ohlcv f ON f.exchange_id = b.exchange_id AND f.crypto_id = b.crypto_id
                 AND f.timeframe = '1m' AND f.timestamp = b.first_minute
JOIN fact_ohlcv l ON l.exchange_id = b.exchange_id AND l.crypto_id = b.crypto_id
                 AND l.timeframe = '1m' AND l.timestamp = b.last_minute
JOIN dim_exchange e ON e.exchange_id = b.exchange_id
JOIN dim_cryptocurrency c ON c.crypto_id = b.crypto_id;

CREATE VIEW ohlcv_4h AS
WITH bucket AS (
  SELECT exchange_id, crypto_id, timestamp - timestamp % 14400000000 AS opened_at,
         min(timestamp) AS first_minute, max(timestamp) AS last_minute,
         max(CAST(high AS REAL)) AS high, min(CAST(low AS REAL)) AS low,
         sum(CAST(volume AS REAL)) AS volume, sum(CAST(quote_volume AS REAL)) AS quote_volume,
         sum(trade_count) AS trade_count, count(*) AS bars
  FROM fact_ohlcv WHERE timeframe = '1m' AND is_closed = 1
  GROUP BY exchange_id, crypto_id, opened_at)
SELECT e.name AS exchange, c.symbol AS symbol,
       strftime('%Y-%m-%dT%H:%M:%SZ', b.opened_at / 1000000, 'unixepoch') AS timestamp,
       CAST(f.open AS REAL) AS open, b.high AS high, b.low AS low, CAST(l.close AS REAL) AS close,
       b.volume AS volume, b.quote_volume AS quote_volume, b.trade_count AS trade_count,
       b.bars AS bars, b.bars = 240 AS is_complete
FROM bucket b
JOIN fact_ohlcv f ON f.exchange_id = b.exchange_id AND f.crypto_id = b.crypto_id
                 AND f.timeframe = '1m' AND f.timestamp = b.first_minute
JOIN fact_ohlcv l ON l.exchange_id = b.exchange_id AND l.crypto_id = b.crypto_id
                 AND l.timeframe = '1m' AND l.timestamp = b.last_minute
JOIN dim_exchange e ON e.exchange_id = b.exchange_id
JOIN dim_cryptocurrency c ON c.crypto_id = b.crypto_id;

CREATE VIEW ohlcv_1d AS
WITH bucket AS (
  SELECT exchange_id, crypto_id, timestamp - timestamp % 86400000000 AS opened_at,
         min(timestamp) AS first_minute, max(timestamp) AS last_minute,
         max(CAST(high AS REAL)) AS high, min(CAST(low AS REAL)) AS low,
         sum(CAST(volume AS REAL)) AS volume, sum(CAST(quote_volume AS REAL)) AS quote_volume,
         sum(trade_count) AS trade_count, count(*) AS bars
  FROM fact_ohlcv WHERE timeframe = '1m' AND is_closed = 1
  GROUP BY exchange_id, crypto_id, opened_at)
SELECT e.name AS exchange, c.symbol AS symbol,
       strftime('%Y-%m-%dT%H:%M:%SZ', b.opened_at / 1000000, 'unixepoch') AS timestamp,
       CAST(f.open AS REAL) AS open, b.high AS high, b.low AS low, CAST(l.close AS REAL) AS close,
       b.volume AS volume, b.quote_volume AS quote_volume, b.trade_count AS trade_count,
       b.bars AS bars, b.bars = 1440 AS is_complete
FROM bucket b
JOIN fact_ohlcv f ON f.exchange_id = b.exchange_id AND f.crypto_id = b.crypto_id
                 AND f.timeframe = '1m' AND f.timestamp = b.first_minute
JOIN fact_ohlcv l ON l.exchange_id = b.exchange_id AND l.crypto_id = b.crypto_id
                 AND l.timeframe = '1m' AND l.timestamp = b.last_minute
JOIN dim_exchange e ON e.exchange_id = b.exchange_id
JOIN dim_cryptocurrency c ON c.crypto_id = b.crypto_id;

CREATE VIEW ohlcv_1w AS
WITH bucket AS (
  SELECT exchange_id, crypto_id, timestamp - (timestamp + 259200000000) % 604800000000 AS opened_at,
         min(timestamp) AS first_minute, max(timestamp) AS last_minute,
         max(CAST(high AS REAL)) AS high, min(CAST(low AS REAL)) AS low,
         sum(CAST(volume AS REAL)) AS volume, sum(CAST(quote_volume AS REAL)) AS quote_volume,
         sum(trade_count) AS trade_count, count(*) AS bars
  FROM fact_ohlcv WHERE timeframe = '1m' AND is_closed = 1
  GROUP BY exchange_id, crypto_id, opened_at)
SELECT e.name AS exchange, c.symbol AS symbol,
       strftime('%Y-%m-%dT%H:%M:%SZ', b.opened_at / 1000000, 'unixepoch') AS timestamp,
       CAST(f.open AS REAL) AS open, b.high AS high, b.low AS low, CAST(l.close AS REAL) AS close,
       b.volume AS volume, b.quote_volume AS quote_volume, b.trade_count AS trade_count,
       b.bars AS bars, b.bars = 10080 AS is_complete
FROM bucket b
JOIN fact_ohlcv f ON f.exchange_id = b.exchange_id AND f.crypto_id = b.crypto_id
                 AND f.timeframe = '1m' AND f.timestamp = b.first_minute
JOIN fact_ohlcv l ON l.exchange_id = b.exchange_id AND l.crypto_id = b.crypto_id
                 AND l.timeframe = '1m' AND l.timestamp = b.last_minute
JOIN dim_exchange e ON e.exchange_id = b.exchange_id
JOIN dim_cryptocurrency c ON c.crypto_id = b.crypto_id;
