-- Three roles without logins, to be granted to those who have one:
--   candlewick_owner    makes and changes tables: `candlewick migrate`
--   candlewick_writer   adds and corrects rows: `candlewick run`
--   candlewick_analyst  reads: dashboards, notebooks
-- Run by whoever owns the tables, after `candlewick migrate`, in a session whose search_path is the
-- warehouse's schema; running it again does no harm. For example:
--   CREATE ROLE svc LOGIN PASSWORD '…' IN ROLE candlewick_writer;
DO $$
DECLARE
  role_name text;
  here text := quote_ident(current_schema());
  relation record;
BEGIN
  FOREACH role_name IN ARRAY ARRAY['candlewick_owner', 'candlewick_writer', 'candlewick_analyst'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %s TO %I', here, role_name);
  END LOOP;
  EXECUTE format('GRANT CREATE ON SCHEMA %s TO candlewick_owner', here);
  EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %s TO candlewick_writer, candlewick_analyst', here);
  EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %s GRANT SELECT ON TABLES TO candlewick_writer, '
                 'candlewick_analyst', here);
  -- Facts are added and corrected, never deleted; only resolved coverage is rewritten.
  FOR relation IN SELECT unnest(ARRAY['dim_cryptocurrency', 'dim_exchange', 'dim_listing', 'assets', 'fact_ohlcv',
      'technical_indicators', 'indicator_checkpoint', 'log_position', 'coverage_current']) AS name LOOP
    EXECUTE format('GRANT INSERT, UPDATE ON %s.%I TO candlewick_writer', here, relation.name);
  END LOOP;
  FOR relation IN SELECT unnest(ARRAY['fact_ohlcv_revision', 'fact_trade', 'market_ticks', 'coverage',
      'verification', 'verification_mismatch']) AS name LOOP
    EXECUTE format('GRANT INSERT ON %s.%I TO candlewick_writer', here, relation.name);
  END LOOP;
  EXECUTE format('GRANT DELETE ON %s.coverage_current TO candlewick_writer', here);
  EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA %s TO candlewick_writer', here);
  IF to_regprocedure('make_partition(text, timestamptz)') IS NOT NULL THEN
    GRANT EXECUTE ON FUNCTION make_partition(text, timestamptz) TO candlewick_writer;
  END IF;
  -- The functions themselves hold on to what is younger than 7 days, and to every roll-up.
  GRANT EXECUTE ON FUNCTION keep_rollups(timestamptz), drop_raw(text, timestamptz) TO candlewick_writer;
  IF to_regclass('rollup_touched') IS NOT NULL THEN
    GRANT INSERT ON rollup_touched TO candlewick_writer;
  END IF;
  -- The tables change hands last. Jobs of TimescaleDB stay with whoever migrated, since they need a
  -- login: a superuser or a member of candlewick_owner. Its roll-ups look like views.
  FOR relation IN
    SELECT c.oid::regclass AS name,
           CASE WHEN c.relkind = 'v' AND c.relname LIKE 'rollup\_%' AND to_regclass('rollup_touched') IS NOT NULL
                THEN 'MATERIALIZED VIEW' WHEN c.relkind = 'v' THEN 'VIEW' ELSE 'TABLE' END AS kind
    FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') LOOP
    EXECUTE format('ALTER %s %s OWNER TO candlewick_owner', relation.kind, relation.name);
  END LOOP;
  IF to_regprocedure('make_partition(text, timestamptz)') IS NOT NULL THEN
    ALTER FUNCTION make_partition(text, timestamptz) OWNER TO candlewick_owner;
  END IF;
  ALTER FUNCTION keep_rollups(timestamptz) OWNER TO candlewick_owner;
  ALTER FUNCTION drop_raw(text, timestamptz) OWNER TO candlewick_owner;
END $$;
