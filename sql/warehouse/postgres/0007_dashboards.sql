-- More of what tools want by name: kept trades, the newest rows, and what is known to be missing.

CREATE VIEW trades AS
SELECT e.name AS exchange,
       c.symbol,
       f.trade_id,
       f.exchange_time,
       f.price::double precision AS price,
       f.size::double precision AS size,
       f.quote_size::double precision AS quote_size,
       f.taker_side,
       f.ingested_at
FROM fact_trade f
JOIN dim_exchange e USING (exchange_id)
JOIN dim_cryptocurrency c USING (crypto_id);

-- Of two days, so that the index of time bounds what is read however long rows are kept.
CREATE VIEW newest_ticks AS
SELECT DISTINCT ON (exchange, symbol, window_interval) *
FROM market_ticks
WHERE exchange_ts > now() - INTERVAL '2 days'
ORDER BY exchange, symbol, window_interval, exchange_ts DESC;

CREATE VIEW newest_indicators AS
SELECT DISTINCT ON (exchange, symbol, window_interval) *
FROM technical_indicators
WHERE exchange_ts > now() - INTERVAL '2 days'
ORDER BY exchange, symbol, window_interval, exchange_ts DESC;

CREATE VIEW holes AS
SELECT exchange, symbol, timeframe, stream, "from", "to", state, cause, evidence, recorded_at
FROM coverage_current
WHERE state IN ('missing', 'unrecoverable');
