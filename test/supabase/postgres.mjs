// A PostgreSQL of the tests' own: a cluster in a temporary folder, on a free loopback port, without
// fsync, gone at the end. As root it runs as an unprivileged user, since PostgreSQL refuses to be root.
import { execFileSync } from 'node:child_process';
import { appendFileSync, chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import pg from 'pg';

const programs = '/usr/lib/postgresql/15/bin';

function unprivileged() {
  if (process.getuid() !== 0) return {};
  for (const user of ['postgres', 'nobody']) {
    try {
      const id = (which) => Number(execFileSync('id', [which, user], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      // not on this machine: the next one
    }
  }
  throw new Error('root has no unprivileged user to run PostgreSQL as');
}

const freePort = () => new Promise((resolve, reject) => {
  const server = createServer().once('error', reject).listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

export const whyNoPostgres = () => (existsSync(path.join(programs, 'initdb')) ? '' : `there is no ${programs}/initdb`);

export class Postgres {
  static async start() {
    const postgres = new Postgres();
    postgres.folder = mkdtempSync(path.join(tmpdir(), 'candlewick-supabase-'));
    postgres.identity = unprivileged();
    if (postgres.identity.uid !== undefined) chownSync(postgres.folder, postgres.identity.uid, postgres.identity.gid);
    postgres.data = path.join(postgres.folder, 'data');
    postgres.port = await freePort();
    postgres.run('initdb', '-D', postgres.data, '-U', 'owner', '-A', 'trust', '-N', '-E', 'UTF8', '--locale=C.UTF-8');
    appendFileSync(path.join(postgres.data, 'postgresql.conf'),
      `\nlisten_addresses = '127.0.0.1'\nport = ${postgres.port}\nunix_socket_directories = '${postgres.folder}'\n`
      + 'fsync = off\nshared_buffers = 32MB\nmax_connections = 60\nlog_min_messages = fatal\n');
    postgres.run('pg_ctl', '-D', postgres.data, '-l', path.join(postgres.folder, 'log'), '-w', '-t', '60', 'start');
    return postgres;
  }

  run(program, ...words) {
    execFileSync(path.join(programs, program), words,
      { ...this.identity, cwd: this.folder, stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, LC_ALL: 'C' } });
  }

  url(database) {
    return `postgres://owner@127.0.0.1:${this.port}/${database}`;
  }

  // An empty one, and its URL.
  async makeDatabase(name) {
    await this.query('postgres', `create database ${name}`);
    return this.url(name);
  }

  async query(database, sql, values) {
    const client = new pg.Client({ connectionString: this.url(database) });
    await client.connect();
    try {
      return await client.query(sql, values);
    } finally {
      await client.end();
    }
  }

  stop() {
    try {
      this.run('pg_ctl', '-D', this.data, '-m', 'immediate', '-w', 'stop');
    } finally {
      rmSync(this.folder, { recursive: true, force: true });
    }
  }
}
