-- market_latest: one row a symbol with its newest tick and its newest indicators, for dashboards that
-- ask for nothing else. May be run again. Needs 0001.

begin;

create table if not exists public.market_latest (
  symbol text not null,
  exchange text not null,
  exchange_symbol text,
  window_interval text,
  exchange_ts timestamptz,                    -- of the tick
  open numeric,
  high numeric,
  low numeric,
  close numeric,
  last_price numeric,
  price_change_pct_1h double precision,
  price_change_pct_24h double precision,
  volume_24h_quote numeric,
  volume_change_pct_24h double precision,
  market_cap numeric,
  circulating_supply numeric,
  bid_ask_spread numeric,
  bid_depth jsonb,
  ask_depth jsonb,
  candle_time timestamptz,
  ingested_at timestamptz,
  indicators_ts timestamptz,                  -- of the indicators: that of the tick, once both are in
  rolling_return_1h double precision,
  rolling_return_24h double precision,
  rolling_volatility_24h double precision,
  high_low_range_24h double precision,
  moving_average_7 double precision,
  moving_average_30 double precision,
  rsi_14 double precision,
  macd double precision,
  macd_signal double precision,
  extra jsonb,
  revision bigint,
  primary key (exchange, symbol)
);

-- The tick and the indicators are written one after the other, each with its own columns; neither
-- goes back in time, and what comes again is not told again.
create or replace function public.candlewick_keep_latest() returns trigger
language plpgsql set search_path = '' as $$
begin
  if new.exchange_ts < old.exchange_ts or new.indicators_ts < old.indicators_ts
     or (new.indicators_ts = old.indicators_ts and new.revision < old.revision)
     or to_jsonb(new) = to_jsonb(old) then
    return null;
  end if;
  return new;
end $$;
drop trigger if exists candlewick_keep_newer on public.market_latest;
create trigger candlewick_keep_newer before update on public.market_latest
  for each row execute function public.candlewick_keep_latest();

grant select, insert, update on public.market_latest to service_role;
revoke all on public.market_latest from anon, authenticated;
grant select on public.market_latest to anon, authenticated;
alter table public.market_latest enable row level security;
drop policy if exists candlewick_read on public.market_latest;
create policy candlewick_read on public.market_latest for select to anon, authenticated using (true);

do $$
begin
  if not exists (select from pg_publication_tables
                 where pubname = 'supabase_realtime' and schemaname = 'public' and tablename = 'market_latest') then
    alter publication supabase_realtime add table public.market_latest;
  end if;
end $$;

notify pgrst, 'reload schema';

commit;
