-- Who may listen to the private Realtime topic market_ticks, for the setting supabase.broadcast. Nobody
-- but the service's key may send to it. May be run again.

begin;

drop policy if exists candlewick_listen on realtime.messages;
create policy candlewick_listen on realtime.messages for select to anon, authenticated
  using (realtime.topic() = 'market_ticks' and extension = 'broadcast');

commit;
