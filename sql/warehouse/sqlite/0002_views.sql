-- For tools that want names, floats and readable times.

CREATE VIEW ohlcv AS
SELECT e.name AS exchange,
       c.symbol AS symbol,
       f.timeframe AS timeframe,
       strftime('%Y-%m-%dT%H:%M:%SZ', f.timestamp / 1000000, 'unixepoch') AS timestamp,
       CAST(f.open AS REAL) AS open,
       CAST(f.high AS REAL) AS high,
       CAST(f.low AS REAL) AS low,
       CAST(f.close AS REAL) AS close,
       CAST(f.volume AS REAL) AS volume,
       CAST(f.quote_volume AS REAL) AS quote_volume,
       f.trade_count AS trade_count,
       CAST(f.taker_buy_volume AS REAL) AS taker_buy_volume,
       CAST(f.taker_buy_quote_volume AS REAL) AS taker_buy_quote_volume,
       f.is_closed AS is_closed,
       f.source AS source,
       f.revision AS revision,
       strftime('%Y-%m-%dT%H:%M:%SZ', f.ingested_at / 1000000, 'unixepoch') AS ingested_at
FROM fact_ohlcv f
JOIN dim_exchange e USING (exchange_id)
JOIN dim_cryptocurrency c USING (crypto_id);

-- The present life of every exchange symbol, as the program's own table of that name has it.
CREATE VIEW instruments AS
SELECT e.name AS exchange,
       c.symbol AS symbol,
       l.exchange_symbol AS exchange_symbol,
       l.market AS market,
       c.base AS base,
       c.quote AS quote,
       l.status AS status,
       l.tick_size AS tick_size,
       l.step_size AS step_size,
       l.listed_at AS listed_at,
       l.recorded_at AS recorded_at
FROM dim_listing l
JOIN dim_exchange e USING (exchange_id)
JOIN dim_cryptocurrency c USING (crypto_id)
WHERE l.listing_id = (SELECT max(n.listing_id) FROM dim_listing n
                      WHERE n.exchange_id = l.exchange_id AND n.exchange_symbol = l.exchange_symbol);
