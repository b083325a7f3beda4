-- market_ticks and technical_indicators in a Supabase project: makes them, or adopts tables that are
-- there already. May be run again. Run it as the tables' owner (the SQL editor does).
--
-- Adopting adds the columns that are missing, lets columns be null that a row may lack, deletes
-- rows that stand twice under one natural key, and adds that key. No column is removed or changed.

begin;

create table if not exists public.market_ticks (
  symbol text not null,
  exchange text not null,
  exchange_symbol text,
  window_interval text not null,
  exchange_ts timestamptz not null,
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
  bid_depth jsonb,                            -- [["price","size"],...], best first
  ask_depth jsonb,
  candle_time timestamptz,
  ingested_at timestamptz not null default now(),
  primary key (exchange, symbol, window_interval, exchange_ts)
);

create table if not exists public.technical_indicators (
  symbol text not null,
  exchange text not null,
  exchange_symbol text,
  window_interval text not null,
  exchange_ts timestamptz not null,
  rolling_return_1h double precision,
  rolling_return_24h double precision,
  rolling_volatility_24h double precision,
  high_low_range_24h double precision,
  moving_average_7 double precision,
  moving_average_30 double precision,
  rsi_14 double precision,
  macd double precision,
  macd_signal double precision,
  extra jsonb,                                -- further indicators by name
  candle_time timestamptz,
  revision bigint not null default 0,
  created_at timestamptz not null default now(),
  primary key (exchange, symbol, window_interval, exchange_ts)
);

-- Rows without an exchange are from a time when there was only one.
alter table public.market_ticks
  add column if not exists exchange text not null default 'binance',
  add column if not exists exchange_symbol text,
  add column if not exists window_interval text not null default '1m',
  add column if not exists open numeric,
  add column if not exists high numeric,
  add column if not exists low numeric,
  add column if not exists close numeric,
  add column if not exists last_price numeric,
  add column if not exists price_change_pct_1h double precision,
  add column if not exists price_change_pct_24h double precision,
  add column if not exists volume_24h_quote numeric,
  add column if not exists volume_change_pct_24h double precision,
  add column if not exists market_cap numeric,
  add column if not exists circulating_supply numeric,
  add column if not exists bid_ask_spread numeric,
  add column if not exists bid_depth jsonb,
  add column if not exists ask_depth jsonb,
  add column if not exists candle_time timestamptz,
  add column if not exists ingested_at timestamptz not null default now();

alter table public.technical_indicators
  add column if not exists exchange text not null default 'binance',
  add column if not exists exchange_symbol text,
  add column if not exists window_interval text not null default '1m',
  add column if not exists rolling_return_1h double precision,
  add column if not exists rolling_return_24h double precision,
  add column if not exists rolling_volatility_24h double precision,
  add column if not exists high_low_range_24h double precision,
  add column if not exists moving_average_7 double precision,
  add column if not exists moving_average_30 double precision,
  add column if not exists rsi_14 double precision,
  add column if not exists macd double precision,
  add column if not exists macd_signal double precision,
  add column if not exists extra jsonb,
  add column if not exists candle_time timestamptz,
  add column if not exists revision bigint not null default 0,
  add column if not exists created_at timestamptz not null default now();

do $$
declare
  adopted regclass;
  found record;
begin
  foreach adopted in array array['public.market_ticks'::regclass, 'public.technical_indicators'::regclass] loop
    -- What a row may lack, and what only the tables' former writer knew, must be allowed to be null.
    for found in
      select attname from pg_attribute a
      where attrelid = adopted and attnum > 0 and not attisdropped and attnotnull and attidentity = ''
        and attgenerated = '' and not atthasdef
        and attname not in ('symbol', 'exchange', 'window_interval', 'exchange_ts')
        and not exists (select from pg_index where indrelid = adopted and indisprimary and a.attnum = any (indkey))
    loop
      execute format('alter table %s alter column %I drop not null', adopted, found.attname);
    end loop;

    if not exists (
      select from pg_index i
      where i.indrelid = adopted and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
        and (select array_agg(a.attname::text order by a.attname) from pg_attribute a
             where a.attrelid = adopted and a.attnum = any (i.indkey))
            = array['exchange', 'exchange_ts', 'symbol', 'window_interval']
    ) then
      -- The first tick of an instant stays; of indicators the highest revision, then the newest.
      execute format(
        'delete from %s doubled using (select ctid, row_number() over ('
        'partition by exchange, symbol, window_interval, exchange_ts order by %s, ctid) as place from %s) ranked '
        'where doubled.ctid = ranked.ctid and ranked.place > 1 and doubled.exchange is not null '
        'and doubled.symbol is not null and doubled.window_interval is not null and doubled.exchange_ts is not null',
        adopted,
        case when adopted = 'public.market_ticks'::regclass then 'ingested_at' else 'revision desc, created_at desc' end,
        adopted);
      execute format('alter table %s add constraint %I unique (exchange, symbol, window_interval, exchange_ts)', adopted,
                     (select relname from pg_class where oid = adopted) || '_natural_key');
    end if;

    -- Realtime must be able to tell which row was updated.
    if not exists (select from pg_index where indrelid = adopted and indisprimary)
       and (select relreplident from pg_class where oid = adopted) = 'd' then
      execute format('alter table %s replica identity full', adopted);
    end if;

    for found in
      select s.oid::regclass as name from pg_class s join pg_depend d on d.objid = s.oid
      where s.relkind = 'S' and d.refobjid = adopted and d.deptype = 'a'
    loop
      execute format('grant usage, select on sequence %s to service_role', found.name);
    end loop;
  end loop;
end $$;

create index if not exists market_ticks_time on public.market_ticks (exchange_ts);
create index if not exists market_ticks_ladders on public.market_ticks (exchange_ts)
  where bid_depth is not null or ask_depth is not null;
create index if not exists technical_indicators_time on public.technical_indicators (exchange_ts);

-- A row that comes again, or late, changes nothing: not the row, and not what Realtime tells.
create or replace function public.candlewick_keep_newer() returns trigger
language plpgsql set search_path = '' as $$
begin
  if new.revision < old.revision or to_jsonb(new) = to_jsonb(old) then
    return null;
  end if;
  return new;
end $$;
drop trigger if exists candlewick_keep_newer on public.technical_indicators;
create trigger candlewick_keep_newer before update on public.technical_indicators
  for each row execute function public.candlewick_keep_newer();

-- New tables have no grants by themselves, not even for service_role. Rows are written by
-- service_role alone; everybody else reads.
grant usage on schema public to anon, authenticated, service_role;
grant select, insert, update on public.market_ticks, public.technical_indicators to service_role;
revoke all on public.market_ticks, public.technical_indicators from anon, authenticated;
grant select on public.market_ticks, public.technical_indicators to anon, authenticated;

alter table public.market_ticks enable row level security;
alter table public.technical_indicators enable row level security;
drop policy if exists candlewick_read on public.market_ticks;
create policy candlewick_read on public.market_ticks for select to anon, authenticated using (true);
drop policy if exists candlewick_read on public.technical_indicators;
create policy candlewick_read on public.technical_indicators for select to anon, authenticated using (true);

-- What cannot be seen through the tables' own URLs; candlewick doctor asks for it.
create or replace function public.candlewick_setup() returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object('tables', coalesce(jsonb_object_agg(c.relname, jsonb_build_object(
    'guard', exists (select from pg_catalog.pg_trigger t
                     where t.tgrelid = c.oid and t.tgname = 'candlewick_keep_newer' and t.tgenabled <> 'D'),
    'row_security', c.relrowsecurity,
    'readers', has_table_privilege('anon', c.oid, 'select') or has_table_privilege('authenticated', c.oid, 'select'),
    'open_to_writers', has_table_privilege('anon', c.oid, 'insert, update, delete')
      and (not c.relrowsecurity or exists (
        select from pg_catalog.pg_policy p where p.polrelid = c.oid and p.polcmd <> 'r'
          and p.polroles && array['anon'::regrole::oid, 0::oid])),
    'published', exists (select from pg_catalog.pg_publication_tables p
                         where p.pubname = 'supabase_realtime' and p.schemaname = 'public' and p.tablename = c.relname),
    'types', (select jsonb_object_agg(a.attname, format_type(a.atttypid, null)) from pg_catalog.pg_attribute a
              where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)
  )), '{}'))
  from pg_catalog.pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
    and c.relname in ('market_ticks', 'technical_indicators', 'market_latest', 'fact_ohlcv')
$$;
revoke all on function public.candlewick_setup() from public, anon, authenticated;
grant execute on function public.candlewick_setup() to service_role;

-- Realtime's "postgres_changes": the publication starts empty.
do $$
declare
  name text;
begin
  if not exists (select from pg_publication where pubname = 'supabase_realtime') then
    create publication supabase_realtime;
  end if;
  foreach name in array array['market_ticks', 'technical_indicators'] loop
    if not exists (select from pg_publication_tables
                   where pubname = 'supabase_realtime' and schemaname = 'public' and tablename = name) then
      execute format('alter publication supabase_realtime add table public.%I', name);
    end if;
  end loop;
end $$;

notify pgrst, 'reload schema';

commit;
