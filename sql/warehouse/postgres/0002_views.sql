-- For tools that want names, and floats.

CREATE VIEW ohlcv AS
SELECT e.name AS exchange,
       c.symbol,
       f.timeframe,
       f.timestamp,
       f.open::double precision AS open,
       f.high::double precision AS high,
       f.low::double precision AS low,
       f.close::double precision AS close,
       f.volume::double precision AS volume,
       f.quote_volume::double precision AS quote_volume,
       f.trade_count,
       f.taker_buy_volume::double precision AS taker_buy_volume,
       f.taker_buy_quote_volume::double precision AS taker_buy_quote_volume,
       f.is_closed,
       f.source,
       f.revision,
       f.ingested_at
FROM fact_ohlcv f
JOIN dim_exchange e USING (exchange_id)
JOIN dim_cryptocurrency c USING (crypto_id);

-- The present life of every exchange symbol, as the program's own table of that name has it.
CREATE VIEW instruments AS
SELECT e.name AS exchange,
       c.symbol,
       l.exchange_symbol,
       l.market,
       c.base,
       c.quote,
       l.status,
       l.tick_size,
       l.step_size,
       l.listed_at,
       l.recorded_at
FROM dim_listing l
JOIN dim_exchange e USING (exchange_id)
JOIN dim_cryptocurrency c USING (crypto_id)
WHERE l.listing_id = (SELECT max(n.listing_id) FROM dim_listing n
                      WHERE n.exchange_id = l.exchange_id AND n.exchange_symbol = l.exchange_symbol);
