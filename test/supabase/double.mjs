// Our own double of a Supabase project over a plain PostgreSQL: the parts of PostgREST and Realtime
// that a writer and its readers use. PostgreSQL itself decides about rights, policies and rows; this
// only speaks the protocol. It is judged by the official client (double_test.mjs).
//
//   node double.mjs --database postgres://… [--port 0] [--apply FILE.sql]…
//
// The first line it prints is its address. It makes the roles, the publication and the schema realtime
// that a project has, then runs the files as the owner. A wrong or missing option: exit status 2.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync, realpathSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import pg from 'pg';

import { attachRealtime } from './realtime.mjs';
import { Refusal, answerRest } from './rest.mjs';

export const secretKey = 'sb_secret_of_the_double';
export const publishableKey = 'sb_publishable_of_the_double';
export const jwtSecret = 'a secret of the double, long enough for HS256';

const base64url = (text) => Buffer.from(text).toString('base64url');

export function signToken(claims, secret = jwtSecret) {
  const head = `${base64url('{"alg":"HS256","typ":"JWT"}')}.${base64url(JSON.stringify(claims))}`;
  return `${head}.${createHmac('sha256', secret).update(head).digest('base64url')}`;
}

const refuseToken = (code, message) => new Refusal(401, code, message, { 'WWW-Authenticate': `Bearer error="invalid_token", error_description="${message}"` });

// The claims of a token that the project signed. As PostgREST, a clock may be 30 s off.
export function verifyToken(token, nowSeconds = Date.now() / 1000) {
  const [head, payload, signature, rest] = token.split('.');
  if (signature === undefined || rest !== undefined) throw refuseToken('PGRST301', 'Expected 3 parts in JWT');
  const expected = createHmac('sha256', jwtSecret).update(`${head}.${payload}`).digest();
  const given = Buffer.from(signature, 'base64url');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw refuseToken('PGRST301', 'No suitable key or wrong key type');
  }
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
  if (claims.exp !== undefined && nowSeconds > claims.exp + 30) throw refuseToken('PGRST303', 'JWT expired');
  if (claims.nbf !== undefined && nowSeconds < claims.nbf - 30) throw refuseToken('PGRST303', 'JWT not yet valid');
  if (claims.iat !== undefined && nowSeconds < claims.iat - 30) throw refuseToken('PGRST303', 'JWT issued at future');
  return claims;
}

// What the gateway makes of the two headers: the claims under which PostgreSQL is asked.
export function authenticate({ apikey, authorization, userAgent = '' }) {
  if (!apikey) throw new Refusal(401, undefined, 'No API key found in request');
  const bearer = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1];
  if (apikey === secretKey && /Mozilla|Chrome|Safari/.test(userAgent)) {
    throw new Refusal(401, undefined, 'Forbidden use of secret API key in browser');
  }
  const roleOfKey = { [secretKey]: 'service_role', [publishableKey]: 'anon' }[apikey];
  if (roleOfKey === undefined && !apikey.startsWith('eyJ')) throw new Refusal(401, undefined, 'Invalid API key');
  if (bearer === undefined || (bearer === apikey && roleOfKey !== undefined)) {
    return roleOfKey !== undefined ? { role: roleOfKey } : verifyToken(apikey);
  }
  if (roleOfKey === undefined) verifyToken(apikey);
  return verifyToken(bearer);
}

const furnishings = `
do $$
declare name text;
begin
  foreach name in array array['anon', 'authenticated', 'service_role'] loop
    begin
      execute format('create role %I nologin %s', name, case name when 'service_role' then 'bypassrls' else '' end);
    exception when duplicate_object or unique_violation then null;
    end;
  end loop;
  if not exists (select from pg_publication where pubname = 'supabase_realtime') then
    create publication supabase_realtime;
  end if;
end $$;
create schema if not exists realtime;
grant usage on schema realtime to anon, authenticated, service_role;
create table if not exists realtime.messages (
  topic text not null, extension text not null, payload jsonb, event text, private boolean default false,
  inserted_at timestamptz not null default now(), id bigint generated always as identity primary key);
alter table realtime.messages enable row level security;
grant select, insert on realtime.messages to anon, authenticated, service_role;
create or replace function realtime.topic() returns text language sql stable
  as $$ select nullif(current_setting('realtime.topic', true), '') $$;
-- What a replication slot would hold.
create table if not exists realtime.change (
  id bigint generated always as identity primary key, schema_name text not null, table_name text not null,
  type text not null, committed_at timestamptz not null default now(), record json, old_record json);
create or replace function realtime.note_change() returns trigger language plpgsql security definer as $$
declare number bigint;
begin
  insert into realtime.change (schema_name, table_name, type, record, old_record)
  values (tg_table_schema, tg_table_name, tg_op, case when tg_op <> 'DELETE' then to_json(new) end,
          case when tg_op <> 'INSERT' then to_json(old) end)
  returning id into number;
  perform pg_notify('realtime_change', number::text);
  return null;
end $$;`;

const readBody = async (request, limit) => {
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size <= limit) parts.push(part);
  }
  if (size > limit) throw new Refusal(413, undefined, 'Payload too large');
  return Buffer.concat(parts);
};

export async function startDouble({ database, port = 0, apply = [], bodyLimit = 1 << 20 }) {
  const pool = new pg.Pool({ connectionString: database, max: 8 });
  // A server that is restarted takes idle connections with it; the next request makes new ones.
  pool.on('error', () => {});
  await pool.query(furnishings);
  for (const file of apply) await pool.query(readFileSync(file, 'utf8'));

  const answers = { rest: 0 };
  const server = createServer(async (request, response) => {
    const reply = (status, body, headers = {}) => {
      const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
      response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', ...headers });
      response.end(text);
    };
    try {
      const url = new URL(request.url, 'http://double');
      const body = await readBody(request, bodyLimit);
      const claims = authenticate({
        apikey: request.headers.apikey,
        authorization: request.headers.authorization,
        userAgent: request.headers['user-agent'],
      });
      if (url.pathname.startsWith('/rest/v1/')) {
        answers.rest += 1;
        const found = await answerRest({ pool, url, method: request.method, headers: request.headers, body, claims });
        return reply(found.status, found.body, found.headers);
      }
      if (url.pathname === '/realtime/v1/api/broadcast' && request.method === 'POST') {
        return reply(await realtime.broadcast(JSON.parse(body.toString()), claims), '');
      }
      return reply(404, { message: 'no Route matched with those values' });
    } catch (error) {
      if (error instanceof Refusal) return reply(error.status, error.body(), error.headers);
      // The database went away in the middle of it.
      return reply(503, { code: 'PGRST001', message: `Database client error: ${error.message}`, details: null, hint: null });
    }
  });
  const realtime = await attachRealtime({ server, pool, database, authenticate, verifyToken });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    pool,
    answers,
    async stop() {
      await realtime.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await pool.end();
    },
  };
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        database: { type: 'string' },
        port: { type: 'string', default: '0' },
        apply: { type: 'string', multiple: true, default: [] },
      },
    }));
    if (!values.database) throw new Error('--database is missing');
  } catch (error) {
    console.error(`double: ${error.message}`);
    process.exit(2);
  }
  const double = await startDouble({ ...values, port: Number(values.port) });
  console.log(double.url);
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => double.stop().then(() => process.exit(0)));
}
