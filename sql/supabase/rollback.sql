-- Takes back what 0001 to 0004 added around the data. market_ticks, technical_indicators and
-- fact_ohlcv keep their rows, columns and natural key; Row-Level Security stays on, so that without
-- the policies nobody but service_role reads or writes. market_latest, which repeats them, goes.

begin;

do $$
declare
  name text;
begin
  foreach name in array array['market_ticks', 'technical_indicators', 'market_latest'] loop
    if exists (select from pg_publication_tables
               where pubname = 'supabase_realtime' and schemaname = 'public' and tablename = name) then
      execute format('alter publication supabase_realtime drop table public.%I', name);
    end if;
  end loop;
  foreach name in array array['market_ticks', 'technical_indicators', 'fact_ohlcv'] loop
    if to_regclass('public.' || name) is not null then
      execute format('drop trigger if exists candlewick_keep_newer on public.%I', name);
      execute format('drop policy if exists candlewick_read on public.%I', name);
      execute format('revoke all on public.%I from anon, authenticated', name);
    end if;
  end loop;
  if to_regclass('realtime.messages') is not null then
    execute 'drop policy if exists candlewick_listen on realtime.messages';
  end if;
end $$;

drop table if exists public.market_latest;
drop function if exists public.candlewick_keep_latest();
drop function if exists public.candlewick_keep_newer();
drop function if exists public.candlewick_setup();
drop index if exists public.market_ticks_ladders;

notify pgrst, 'reload schema';

commit;
