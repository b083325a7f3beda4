-- fact_ohlcv: closed candles in one flat table, by the names of exchange and symbol. For the setting
-- supabase.candles. May be run again. Needs 0001.

begin;

create table if not exists public.fact_ohlcv (
  exchange text not null,
  symbol text not null,
  timeframe text not null,
  "timestamp" timestamptz not null,           -- open time
  open numeric not null,
  high numeric not null,
  low numeric not null,
  close numeric not null,
  volume numeric not null,
  quote_volume numeric,
  trade_count bigint,
  taker_buy_volume numeric,
  taker_buy_quote_volume numeric,
  is_closed boolean not null,
  source text not null,
  revision bigint not null,
  ingested_at timestamptz not null,
  primary key (exchange, symbol, timeframe, "timestamp")
);
create index if not exists fact_ohlcv_time on public.fact_ohlcv ("timestamp");

drop trigger if exists candlewick_keep_newer on public.fact_ohlcv;
create trigger candlewick_keep_newer before update on public.fact_ohlcv
  for each row execute function public.candlewick_keep_newer();

-- Not in the Realtime publication: history that is filled in would flood its subscribers.
grant select, insert, update on public.fact_ohlcv to service_role;
revoke all on public.fact_ohlcv from anon, authenticated;
grant select on public.fact_ohlcv to anon, authenticated;
alter table public.fact_ohlcv enable row level security;
drop policy if exists candlewick_read on public.fact_ohlcv;
create policy candlewick_read on public.fact_ohlcv for select to anon, authenticated using (true);

notify pgrst, 'reload schema';

commit;
