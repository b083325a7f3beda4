-- One exchange may spell a spot pair and a swap alike: each market has a present life of its own.

CREATE OR REPLACE VIEW instruments AS
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
                      WHERE n.exchange_id = l.exchange_id AND n.exchange_symbol = l.exchange_symbol
                        AND n.market = l.market);
