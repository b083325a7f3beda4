-- Roll-ups of closed one-minute candles, exact: bars tells how many minutes one holds. A sum of values that
-- some minute lacks is null. Days and weeks open at 00:00 UTC, weeks on Monday, as 2001-01-01 was.
--
-- Two ways, with the same views for readers. "continuous" (TimescaleDB's community features): each level is
-- a real-time continuous aggregate of the level below. "kept": the views read the raw minutes, and
-- before raw ones are dropped their five-minute roll-ups are put aside.

-- One row: raw candles before this moment were dropped, or are about to be. Roll-ups before it no longer
-- follow the raw table, or they would lose what was dropped.
CREATE TABLE raw_horizon (
  before timestamptz NOT NULL
);
INSERT INTO raw_horizon VALUES ('-infinity');

-- The partitions or chunks of a table that hold nothing from `before` on.
CREATE FUNCTION parts_before(parent text, before timestamptz)
RETURNS TABLE (part text, until timestamptz) LANGUAGE sql STABLE AS $$
-- @only plain
  SELECT * FROM (
    SELECT format('%I.%I', n.nspname, c.relname) AS part,
           (make_date(left(right(c.relname, 7), 4)::int, right(c.relname, 2)::int, 1) + INTERVAL '1 month')
             AT TIME ZONE 'UTC' AS until
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE i.inhparent = format('%I', parent)::regclass
      AND c.relname ~ '_p[0-9]{4}_(0[1-9]|1[0-2])$') p
-- @end
-- @only timescale
  SELECT * FROM (
    SELECT format('%I.%I', chunk_schema, chunk_name) AS part, range_end AS until
    FROM timescaledb_information.chunks
    WHERE hypertable_schema = current_schema() AND hypertable_name = parent) p
-- @end
  WHERE p.until <= before ORDER BY p.until
$$;

-- @only kept
CREATE TABLE rollup_kept (
  exchange_id integer NOT NULL REFERENCES dim_exchange,
  crypto_id integer NOT NULL REFERENCES dim_cryptocurrency,
  timestamp timestamptz NOT NULL,             -- five minutes from here
  open numeric NOT NULL,
  high numeric NOT NULL,
  low numeric NOT NULL,
  close numeric NOT NULL,
  volume numeric NOT NULL,
  quote_volume numeric,
  trade_count bigint,
  taker_buy_volume numeric,
  taker_buy_quote_volume numeric,
  bars bigint NOT NULL,
  PRIMARY KEY (exchange_id, crypto_id, timestamp)
);

CREATE VIEW rollup_source AS
SELECT exchange_id, crypto_id, timestamp, open, high, low, close, volume, quote_volume, trade_count,
       taker_buy_volume, taker_buy_quote_volume, 1::bigint AS bars
FROM fact_ohlcv
WHERE timeframe = '1m' AND is_closed AND timestamp >= (SELECT before FROM raw_horizon)
UNION ALL
SELECT exchange_id, crypto_id, timestamp, open, high, low, close, volume, quote_volume, trade_count,
       taker_buy_volume, taker_buy_quote_volume, bars
FROM rollup_kept;

-- Names are joined before grouping, so that a condition on them reads one series only.
DO $$
DECLARE
  step record;
BEGIN
  FOR step IN SELECT * FROM (VALUES ('5m', '5 minutes', 5), ('15m', '15 minutes', 15),
                                    ('1h', '1 hour', 60), ('4h', '4 hours', 240),
                                    ('1d', '1 day', 1440), ('1w', '7 days', 10080))
                            AS steps (name, width, minutes) LOOP
    EXECUTE format($view$
      CREATE VIEW %I AS
      SELECT e.name AS exchange, c.symbol,
             date_bin(%L::interval, f.timestamp, TIMESTAMPTZ '2001-01-01 00:00:00+00') AS timestamp,
             (array_agg(f.open ORDER BY f.timestamp))[1] AS open,
             max(f.high) AS high,
             min(f.low) AS low,
             (array_agg(f.close ORDER BY f.timestamp DESC))[1] AS close,
             sum(f.volume) AS volume,
             CASE WHEN count(f.quote_volume) = count(*) THEN sum(f.quote_volume) END AS quote_volume,
             CASE WHEN count(f.trade_count) = count(*) THEN sum(f.trade_count)::bigint END AS trade_count,
             CASE WHEN count(f.taker_buy_volume) = count(*)
                  THEN sum(f.taker_buy_volume) END AS taker_buy_volume,
             CASE WHEN count(f.taker_buy_quote_volume) = count(*)
                  THEN sum(f.taker_buy_quote_volume) END AS taker_buy_quote_volume,
             sum(f.bars)::bigint AS bars,
             sum(f.bars) = %s AS is_complete
      FROM rollup_source f
      JOIN dim_exchange e USING (exchange_id)
      JOIN dim_cryptocurrency c USING (crypto_id)
      GROUP BY 1, 2, 3
    $view$, 'ohlcv_' || step.name, step.width, step.minutes);
  END LOOP;
END $$;

-- Puts the roll-ups of what is to be dropped aside and moves the horizon there, in one transaction.
-- A bucket that was put aside stays as it is: minutes that come for it later cannot be told from
-- those it holds. Writers of the same part wait, readers do not.
CREATE FUNCTION keep_rollups(before_moment timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp SET lock_timeout = '10s' AS $$
DECLARE
  old record;
BEGIN
  IF before_moment > now() - INTERVAL '7 days' THEN
    RAISE EXCEPTION 'raw candles are kept for at least 7 days';
  END IF;
  FOR old IN SELECT * FROM parts_before('fact_ohlcv', before_moment) LOOP
    EXECUTE format('LOCK TABLE %s IN SHARE MODE', old.part);
    EXECUTE format($insert$
      INSERT INTO rollup_kept
      SELECT exchange_id, crypto_id,
             date_bin('5 minutes', timestamp, TIMESTAMPTZ '2001-01-01 00:00:00+00') AS bucket,
             (array_agg(open ORDER BY timestamp))[1], max(high), min(low),
             (array_agg(close ORDER BY timestamp DESC))[1], sum(volume),
             CASE WHEN count(quote_volume) = count(*) THEN sum(quote_volume) END,
             CASE WHEN count(trade_count) = count(*) THEN sum(trade_count)::bigint END,
             CASE WHEN count(taker_buy_volume) = count(*) THEN sum(taker_buy_volume) END,
             CASE WHEN count(taker_buy_quote_volume) = count(*) THEN sum(taker_buy_quote_volume) END,
             count(*)
      FROM %s WHERE timeframe = '1m' AND is_closed GROUP BY exchange_id, crypto_id, bucket
      ON CONFLICT DO NOTHING
    $insert$, old.part);
    UPDATE raw_horizon SET before = old.until WHERE before < old.until;
  END LOOP;
END $$;
-- @end

-- @only continuous
-- Days (UTC) whose closed minutes changed; the writer adds them in the transaction of the rows, and
-- refresh_rollups() takes away those that it has seen to. Rows are only added and removed, so that
-- neither waits for the other.
CREATE TABLE rollup_touched (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  day date NOT NULL,
  touched_at timestamptz NOT NULL DEFAULT now()
);

DO $$
DECLARE
  step record;
BEGIN
  FOR step IN SELECT * FROM (VALUES
      ('5m', '5 minutes', 5, 'fact_ohlcv', '1::bigint', 'WHERE timeframe = ''1m'' AND is_closed', '1 day', '5 minutes'),
      ('15m', '15 minutes', 15, 'rollup_5m', 'bars', '', '1 day', '5 minutes'),
      ('1h', '1 hour', 60, 'rollup_15m', 'bars', '', '2 days', '15 minutes'),
      ('4h', '4 hours', 240, 'rollup_1h', 'bars', '', '4 days', '1 hour'),
      ('1d', '1 day', 1440, 'rollup_4h', 'bars', '', '14 days', '4 hours'),
      ('1w', '7 days', 10080, 'rollup_1d', 'bars', '', '35 days', '1 day'))
      AS steps (name, width, minutes, source, bars, condition, reach, pause) LOOP
    EXECUTE format($view$
      CREATE MATERIALIZED VIEW %I
      WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
      SELECT exchange_id, crypto_id,
             {timescale}.time_bucket(INTERVAL %L, timestamp) AS timestamp,
             {timescale}.first(open, timestamp) AS open,
             max(high) AS high,
             min(low) AS low,
             {timescale}.last(close, timestamp) AS close,
             sum(volume) AS volume,
             CASE WHEN count(quote_volume) = count(*) THEN sum(quote_volume) END AS quote_volume,
             CASE WHEN count(trade_count) = count(*) THEN sum(trade_count)::bigint END AS trade_count,
             CASE WHEN count(taker_buy_volume) = count(*)
                  THEN sum(taker_buy_volume) END AS taker_buy_volume,
             CASE WHEN count(taker_buy_quote_volume) = count(*)
                  THEN sum(taker_buy_quote_volume) END AS taker_buy_quote_volume,
             sum(%s)::bigint AS bars
      FROM %I %s
      GROUP BY exchange_id, crypto_id, {timescale}.time_bucket(INTERVAL %L, timestamp)
      WITH NO DATA
    $view$, 'rollup_' || step.name, step.width, step.bars, step.source, step.condition, step.width);
    EXECUTE format($view$
      CREATE VIEW %I AS
      SELECT e.name AS exchange, c.symbol, r.timestamp, r.open, r.high, r.low, r.close, r.volume,
             r.quote_volume, r.trade_count, r.taker_buy_volume, r.taker_buy_quote_volume, r.bars,
             r.bars = %s AS is_complete
      FROM %I r
      JOIN dim_exchange e USING (exchange_id)
      JOIN dim_cryptocurrency c USING (crypto_id)
    $view$, 'ohlcv_' || step.name, step.minutes, 'rollup_' || step.name);
    -- The moving window. It never reaches as far back as raw candles may be dropped (7 days), but
    -- for levels that do not read them.
    EXECUTE format($policy$
      SELECT {timescale}.add_continuous_aggregate_policy(%L, start_offset => INTERVAL %L,
        end_offset => INTERVAL %L, schedule_interval => INTERVAL %L,
        initial_start => now() + INTERVAL %L)
    $policy$, format('%I', 'rollup_' || step.name), step.reach, step.width, step.pause, step.pause);
  END LOOP;
END $$;

-- Whatever was touched, however old, level by level. A bucket is taken once it is closed: one that is
-- taken earlier would no longer be read in real time. So days of a week that is still open stay noted.
-- Also a job of the server (job_id); `at` in config stands for the present.
-- It has no search_path of its own, since that would forbid the refreshing's own transactions.
CREATE PROCEDURE refresh_rollups(job_id integer, config jsonb) LANGUAGE plpgsql AS $$
DECLARE
  at timestamptz := coalesce((config ->> 'at')::timestamptz, now());
  names text[] := ARRAY['5m', '15m', '1h', '4h', '1d', '1w'];
  widths interval[] := ARRAY['5 minutes', '15 minutes', '1 hour', '4 hours', '1 day', '7 days'];
  home oid;
  horizon timestamptz;
  seen bigint[];
  unit integer;
  starts date[];
  ends date[];
  from_moment timestamptz;
  to_moment timestamptz;
  rollup regclass;
BEGIN
  SELECT array_agg(id) INTO seen FROM {schema}.rollup_touched;
  IF seen IS NULL THEN
    RETURN;
  END IF;
  SELECT c.relnamespace, h.before INTO home, horizon
  FROM {schema}.raw_horizon h JOIN pg_catalog.pg_class c ON c.oid = h.tableoid;
  FOR level IN 1 .. 6 LOOP
    IF level IN (1, 6) THEN
      unit := CASE level WHEN 6 THEN 7 ELSE 1 END;
      -- Neighbouring days (weeks) become one range.
      SELECT array_agg(r.first ORDER BY r.first), array_agg(r.last + unit ORDER BY r.first)
      INTO starts, ends
      FROM (SELECT min(i.opened) AS first, max(i.opened) AS last
            FROM (SELECT d.opened, d.opened - unit * (row_number() OVER (ORDER BY d.opened))::int AS island
                  FROM (SELECT DISTINCT CASE unit WHEN 7 THEN date_trunc('week', t.day::timestamp)::date
                                             ELSE t.day END AS opened
                        FROM {schema}.rollup_touched t WHERE t.id = ANY (seen)) d) i
            GROUP BY i.island) r;
    END IF;
    SELECT c.oid INTO rollup FROM pg_catalog.pg_class c
    WHERE c.relnamespace = home AND c.relname = 'rollup_' || names[level];
    FOR n IN 1 .. cardinality(starts) LOOP
      from_moment := starts[n]::timestamp AT TIME ZONE 'UTC';
      to_moment := least(ends[n]::timestamp AT TIME ZONE 'UTC',
                         date_bin(widths[level], at, TIMESTAMPTZ '2001-01-01 00:00:00+00'));
      IF level = 1 THEN
        from_moment := greatest(from_moment, horizon);
      END IF;
      IF from_moment < to_moment THEN
        CALL {timescale}.refresh_continuous_aggregate(rollup, from_moment, to_moment);
        COMMIT;  -- only now does the level above know what has changed
      END IF;
    END LOOP;
  END LOOP;
  WITH done AS (DELETE FROM {schema}.rollup_touched WHERE id = ANY (seen) RETURNING day)
  INSERT INTO {schema}.rollup_touched (day)
  SELECT DISTINCT day FROM done
  WHERE (date_trunc('week', day::timestamp) + INTERVAL '7 days') AT TIME ZONE 'UTC' > at;
END $$;
SELECT {timescale}.add_job('refresh_rollups', INTERVAL '1 minute', initial_start => now() + INTERVAL '1 minute');

-- Moves the horizon, unless something before it waits to be refreshed: that must be done first.
CREATE FUNCTION keep_rollups(before_moment timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
BEGIN
  IF before_moment > now() - INTERVAL '7 days' THEN
    RAISE EXCEPTION 'raw candles are kept for at least 7 days';
  END IF;
  IF EXISTS (SELECT FROM rollup_touched t WHERE t.day < before_moment AT TIME ZONE 'UTC') THEN
    RETURN;
  END IF;
  UPDATE raw_horizon SET before = p.until
  FROM (SELECT max(until) AS until FROM parts_before('fact_ohlcv', before_moment)) p
  WHERE before < p.until;
END $$;

-- Chunks are compressed once corrections have become rare; those that still come are written into them.
ALTER TABLE fact_ohlcv SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'exchange_id, crypto_id, timeframe', timescaledb.compress_orderby = 'timestamp');
ALTER TABLE market_ticks SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'exchange, symbol, window_interval', timescaledb.compress_orderby = 'exchange_ts');
ALTER TABLE technical_indicators SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'exchange, symbol, window_interval', timescaledb.compress_orderby = 'exchange_ts');
ALTER TABLE fact_trade SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'exchange_id, crypto_id', timescaledb.compress_orderby = 'exchange_time, trade_id');
SELECT {timescale}.add_compression_policy('fact_ohlcv', INTERVAL '30 days', initial_start => now() + INTERVAL '1 hour');
SELECT {timescale}.add_compression_policy('market_ticks', INTERVAL '7 days', initial_start => now() + INTERVAL '1 hour');
SELECT {timescale}.add_compression_policy('technical_indicators', INTERVAL '30 days', initial_start => now() + INTERVAL '1 hour');
SELECT {timescale}.add_compression_policy('fact_trade', INTERVAL '2 days', initial_start => now() + INTERVAL '1 hour');
-- @end

-- Drops the parts of a table that hold nothing from `before_moment` on, and tells how many; of candles,
-- only those whose roll-ups keep_rollups() has seen to. When others use the table for too long, nothing
-- is dropped, and the next time it is tried again.
CREATE FUNCTION drop_raw(parent text, before_moment timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
  old record;
  dropped integer := 0;
BEGIN
  IF parent NOT IN ('fact_ohlcv', 'market_ticks', 'technical_indicators', 'fact_trade') THEN
    RAISE EXCEPTION '% is kept for ever', parent;
  END IF;
  IF before_moment > now() - INTERVAL '7 days' THEN
    RAISE EXCEPTION 'raw rows are kept for at least 7 days';
  END IF;
  IF parent = 'fact_ohlcv' THEN
    SELECT least(before_moment, h.before) INTO before_moment FROM raw_horizon h;
    DELETE FROM fact_ohlcv_revision r WHERE r.timestamp < before_moment
      AND r.timestamp < (SELECT max(until) FROM parts_before('fact_ohlcv', before_moment));
  END IF;
  FOR old IN SELECT * FROM parts_before(parent, before_moment) LOOP
-- @only plain
    EXECUTE format('DROP TABLE %s', old.part);
-- @end
-- @only timescale
    PERFORM {timescale}.drop_chunks(format('%I', parent)::regclass, older_than => old.until);
-- @end
    dropped := dropped + 1;
  END LOOP;
  RETURN dropped;
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
  RETURN 0;
END $$;
REVOKE ALL ON FUNCTION keep_rollups(timestamptz), drop_raw(text, timestamptz) FROM PUBLIC;
