-- Kept trades have the id that the venue writes, whatever that is made of, and lie in the order of
-- time, in which they come and are read: no further index is needed. The table is changed in place, so
-- that it keeps its owner and grants; it is empty, because nothing was ever written to it.

-- @only continuous
SELECT {timescale}.remove_compression_policy('fact_trade', if_exists => true);
ALTER TABLE fact_trade SET (timescaledb.compress = false);
-- @end
DROP INDEX fact_trade_time;
ALTER TABLE fact_trade DROP CONSTRAINT fact_trade_pkey;
-- An id that begins with "@" was made here: the venue has none.
ALTER TABLE fact_trade ALTER COLUMN trade_id TYPE text COLLATE "C";
ALTER TABLE fact_trade ADD PRIMARY KEY (exchange_id, crypto_id, exchange_time, trade_id);
-- @only continuous
ALTER TABLE fact_trade SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'exchange_id, crypto_id', timescaledb.compress_orderby = 'exchange_time, trade_id');
SELECT {timescale}.add_compression_policy('fact_trade', INTERVAL '2 days', initial_start => now() + INTERVAL '1 hour');
-- @end
