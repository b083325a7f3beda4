-- One exchange may spell a spot pair and a swap alike: each market has a present life of its own.

DROP VIEW instruments;
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
                      WHERE n.exchange_id = l.exchange_id AND n.exchange_symbol = l.exchange_symbol
                        AND n.market = l.market);
