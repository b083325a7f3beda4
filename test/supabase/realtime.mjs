// Realtime's side of the double: Phoenix messages, version 2 ([join_ref, ref, topic, event, payload]).
// A trigger on every published table stands for the replication slot; what it noted is told in order
// to those whose role may select the row.
import pg from 'pg';
import { WebSocketServer } from 'ws';

const quote = (name) => `"${name.replaceAll('"', '""')}"`;

export async function attachRealtime({ server, pool, database, authenticate, verifyToken }) {
  const sockets = new WebSocketServer({ noServer: true });
  const peers = new Set();
  let nextId = 1;
  let lastChange = BigInt((await pool.query('select coalesce(max(id), 0) as id from realtime.change')).rows[0].id);

  const listener = new pg.Client({ connectionString: database });
  listener.on('error', () => {});
  await listener.connect();
  await listener.query('listen realtime_change');
  let work = Promise.resolve();
  listener.on('notification', () => {
    work = work.then(tellChanges).catch(() => {});
  });

  // Within a transaction that is taken back, as that role.
  async function asRole(claims, before, ask) {
    const client = await pool.connect();
    try {
      await client.query('begin');
      await before(client);
      await client.query(`select set_config('role', $1, true), set_config('request.jwt.claims', $2, true)`,
        [claims.role ?? 'anon', JSON.stringify(claims)]);
      return await ask(client);
    } catch {
      return false;
    } finally {
      await client.query('rollback').catch(() => {});
      client.release();
    }
  }

  async function watchPublished() {
    const published = await pool.query(
      `select p.schemaname, p.tablename from pg_publication_tables p
       where p.pubname = 'supabase_realtime' and not exists (
         select from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
         where t.tgname = 'zz_double_note_change' and c.relname = p.tablename and n.nspname = p.schemaname)`,
    );
    for (const { schemaname, tablename } of published.rows) {
      await pool.query(`create trigger zz_double_note_change after insert or update or delete on
        ${quote(schemaname)}.${quote(tablename)} for each row execute function realtime.note_change()`);
    }
  }

  async function shapeOf(schema, table) {
    const found = await pool.query(
      `select a.attname as name, t.typname as type, coalesce(a.attnum = any (i.indkey), false) as is_key
       from pg_attribute a join pg_type t on t.oid = a.atttypid
       left join pg_index i on i.indrelid = a.attrelid and i.indisprimary
       where a.attrelid = format('%I.%I', $1::text, $2::text)::regclass and a.attnum > 0 and not a.attisdropped
       order by a.attnum`,
      [schema, table],
    );
    return found.rows;
  }

  const maySee = (claims, change, shape) => asRole(claims, async () => {}, async (client) => {
    const target = `${quote(change.schema_name)}.${quote(change.table_name)}`;
    const key = shape.filter((column) => column.is_key).map((column) => quote(column.name)).join(', ');
    const found = await client.query(
      `select 1 from ${target} where (${key}) = (select ${key} from json_populate_record(null::${target}, $1::json))`,
      [change.record]);
    return found.rowCount > 0;
  });

  // "column=eq.value"; no filter lets everything pass.
  function passes(filter, record) {
    if (!filter) return true;
    const [, column, operator, value] = /^([^=]+)=(eq|neq)\.(.*)$/.exec(filter) ?? [];
    if (operator === undefined) return false;
    return (String(record[column]) === value) === (operator === 'eq');
  }

  async function tellChanges() {
    const found = await pool.query(
      `select id, schema_name, table_name, type, to_json(committed_at) #>> '{}' as committed_at, record::text as record,
       old_record::text as old_record from realtime.change where id > $1 order by id`, [lastChange.toString()]);
    for (const change of found.rows) {
      lastChange = BigInt(change.id);
      const shape = await shapeOf(change.schema_name, change.table_name);
      const columns = JSON.stringify(shape.map(({ name, type }) => ({ name, type })));
      for (const peer of peers) {
        for (const [topic, channel] of peer.channels) {
          const ids = channel.changes
            .filter((each) => [change.type, '*'].includes(each.event) && each.schema === change.schema_name
              && (each.table ?? change.table_name) === change.table_name
              && passes(each.filter, JSON.parse(change.record ?? change.old_record)))
            .map((each) => each.id);
          if (ids.length === 0) continue;
          if (change.type !== 'DELETE' && !(await maySee(channel.claims, change, shape))) continue;
          // Records as PostgreSQL wrote them, digit by digit.
          peer.socket.send(`[null,null,${JSON.stringify(topic)},"postgres_changes",{"ids":${JSON.stringify(ids)},"data":{`
            + `"schema":${JSON.stringify(change.schema_name)},"table":${JSON.stringify(change.table_name)},`
            + `"commit_timestamp":${JSON.stringify(change.committed_at)},"type":"${change.type}","columns":${columns},`
            + `"record":${change.record ?? '{}'},"old_record":${change.old_record ?? '{}'},"errors":null}}]`);
        }
      }
    }
  }

  const mayListen = (claims, topic) => asRole(claims, async (client) => {
    await client.query(`insert into realtime.messages (topic, extension) values ($1, 'broadcast')`, [topic]);
  }, async (client) => {
    await client.query(`select set_config('realtime.topic', $1, true)`, [topic]);
    return (await client.query(`select 1 from realtime.messages where topic = $1`, [topic])).rowCount > 0;
  });

  async function join(peer, joinRef, ref, topic, payload) {
    const reply = (status, response) => peer.send([joinRef, ref, topic, 'phx_reply', { status, response }]);
    let claims = peer.claims;
    try {
      if (payload.access_token?.startsWith('eyJ')) claims = verifyToken(payload.access_token);
    } catch (error) {
      return reply('error', { reason: `Unauthorized: ${error.message}` });
    }
    const config = payload.config ?? {};
    const name = topic.replace(/^realtime:/, '');
    if (config.private && !(await mayListen(claims, name))) {
      return reply('error', { reason: 'Unauthorized: You do not have permissions to read from this Channel topic' });
    }
    const changes = (config.postgres_changes ?? []).map((each) => ({ ...each, id: nextId++ }));
    if (changes.length > 0) await watchPublished();
    peer.channels.set(topic, { claims, changes, isPrivate: Boolean(config.private) });
    reply('ok', { postgres_changes: changes });
    if (changes.length > 0) {
      peer.send([joinRef, null, topic, 'system',
        { extension: 'postgres_changes', channel: name, status: 'ok', message: 'Subscribed to PostgreSQL' }]);
    }
  }

  async function take(peer, text) {
    const [joinRef, ref, topic, event, payload] = JSON.parse(text);
    const ok = () => peer.send([joinRef, ref, topic, 'phx_reply', { status: 'ok', response: {} }]);
    if (topic === 'phoenix' && event === 'heartbeat') return ok();
    if (event === 'phx_join') return join(peer, joinRef, ref, topic, payload);
    if (event === 'phx_leave') {
      peer.channels.delete(topic);
      return ok();
    }
    if (event === 'access_token' && peer.channels.has(topic) && payload.access_token?.startsWith('eyJ')) {
      peer.channels.get(topic).claims = verifyToken(payload.access_token);
    }
    return undefined;
  }

  server.on('upgrade', (request, socket, head) => {
    const url = new URL(request.url, 'http://double');
    let claims;
    try {
      if (url.pathname !== '/realtime/v1/websocket' || url.searchParams.get('vsn') !== '2.0.0') throw new Error('no such door');
      claims = authenticate({ apikey: url.searchParams.get('apikey') });
    } catch {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (opened) => {
      const peer = { socket: opened, claims, channels: new Map(), send: (message) => opened.send(JSON.stringify(message)) };
      peers.add(peer);
      // One at a time, in the order in which they come.
      let turn = Promise.resolve();
      opened.on('message', (data) => {
        turn = turn.then(() => take(peer, data.toString())).catch(() => opened.close());
      });
      opened.on('close', () => peers.delete(peer));
    });
  });

  return {
    async broadcast(body, claims) {
      if (!Array.isArray(body.messages)) return 422;
      for (const { topic, event, payload, private: isPrivate = false } of body.messages) {
        if (isPrivate && claims.role !== 'service_role') continue;
        for (const peer of peers) {
          const channel = peer.channels.get(`realtime:${topic}`);
          if (channel?.isPrivate !== isPrivate) continue;
          peer.send([null, null, `realtime:${topic}`, 'broadcast', { type: 'broadcast', event, payload }]);
        }
      }
      return 202;
    },
    async stop() {
      for (const peer of peers) peer.socket.terminate();
      await listener.end();
      await work;
      sockets.close();
    },
  };
}
