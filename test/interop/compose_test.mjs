// deploy/compose.yaml without a container engine: read by a strict YAML 1.2 parser, and held against
// the parts of the Compose specification that it uses and against the settings that there are.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { parseDocument } from 'yaml';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (name) => readFileSync(path.join(root, name), 'utf8');

// https://github.com/compose-spec/compose-spec (spec.md): the keys that this file may use.
const serviceKeys = new Set(['image', 'build', 'command', 'restart', 'environment', 'volumes', 'ports', 'healthcheck',
  'depends_on', 'shm_size', 'stop_grace_period', 'read_only', 'tmpfs', 'cap_drop', 'security_opt']);
const healthKeys = new Set(['test', 'interval', 'timeout', 'retries', 'start_period']);
const duration = /^(\d+(h|m|s|ms|us))+$/;
const port = /^(\d{1,3}(\.\d{1,3}){3}:)?\d{1,5}:\d{1,5}(\/(tcp|udp))?$/;
// ${NAME}, ${NAME:-default}, ${NAME:?message}; $$ is a dollar.
const interpolation = /\$(\$|\{[A-Z_][A-Z0-9_]*(:?[-?+][^}]*)?\})/g;

// Every complaint, as "where: what".
function complaints(text, settings) {
  const document = parseDocument(text, { strict: true, uniqueKeys: true, version: '1.2' });
  if (document.errors.length + document.warnings.length > 0) {
    return [...document.errors, ...document.warnings].map((error) => `yaml: ${error.message}`);
  }
  const found = [];
  const need = (isTrue, where, what) => isTrue || found.push(`${where}: ${what}`);
  const compose = document.toJS();
  for (const key of Object.keys(compose)) {
    need(['name', 'services', 'volumes'].includes(key), key, 'is no key of this file');
  }
  need(/^[a-z0-9][a-z0-9_-]*$/.test(compose.name), 'name', 'is no project name');
  if (text.replace(interpolation, '').includes('$')) found.push('a dollar that is no interpolation');
  const services = compose.services ?? {};
  for (const [name, service] of Object.entries(services)) {
    for (const key of Object.keys(service)) need(serviceKeys.has(key), name, `${key} is no key of a service`);
    need(service.image || service.build, name, 'has neither image nor build');
    if (service.image) {
      need(/^[a-z0-9./_-]+:[A-Za-z0-9._-]+$/.test(service.image) && !service.image.endsWith(':latest'), name,
        'the image has no fixed tag');
    }
    if (service.build) {
      const context = path.join(root, 'deploy', service.build.context);
      need(existsSync(path.join(context, service.build.dockerfile)), name, 'the Dockerfile is not there');
    }
    need(/^(no|always|unless-stopped|on-failure(:\d+)?)$/.test(service.restart), name, 'restart');
    for (const [variable, value] of Object.entries(service.environment ?? {})) {
      need(typeof value === 'string', name, `${variable} is not a text`);
      if (/PASSWORD|_KEY$/.test(variable)) {
        need(/^\$\{/.test(value ?? ''), name, `${variable} is a secret that is written down`);
      }
      need(!/:\/\/[^:/]+:(?!\$\{)[^@]+@/.test(value ?? ''), name, `${variable} has a password that is written down`);
      if (service.build) need(settings.has(variable), name, `${variable} is no setting`);
    }
    for (const entry of service.ports ?? []) need(port.test(entry), name, `${entry} is no port`);
    for (const entry of service.volumes ?? []) {
      const [volume, target] = entry.split(':');
      need(volume in (compose.volumes ?? {}), name, `the volume ${volume} is not declared`);
      need(target?.startsWith('/'), name, `${entry} has no absolute path`);
    }
    for (const [other, how] of Object.entries(service.depends_on ?? {})) {
      need(other in services, name, `depends on ${other}, which is not there`);
      need(how.condition !== 'service_healthy' || services[other]?.healthcheck, name, `${other} has no health check`);
    }
    const health = service.healthcheck ?? {};
    for (const key of Object.keys(health)) need(healthKeys.has(key), name, `${key} is no key of a health check`);
    if (health.test) need(['CMD', 'CMD-SHELL', 'NONE'].includes(health.test[0]), name, 'the health check names no form');
    for (const key of ['interval', 'timeout', 'start_period']) {
      if (key in health) need(duration.test(health[key]), name, `${key} is no duration`);
    }
  }
  return found;
}

describe('deploy/compose.yaml', () => {
  const text = read('deploy/compose.yaml');
  // NAME= of every line, commented out or not; every key has its CANDLEWICK_ name besides.
  const settings = new Set([...read('config/.env.example').matchAll(/^#?([A-Z][A-Z0-9_]*)=/gm)].map((match) => match[1]));

  for (const key of ['HTTP_LISTEN', 'DATA_DIR', 'COINGECKO_ENABLED']) {
    test(`.env.example knows CANDLEWICK_${key}`, () => assert.ok(settings.has(`CANDLEWICK_${key}`)));
  }

  test('is well formed and says what Compose understands', () => {
    assert.deepEqual(complaints(text, settings), []);
  });

  test('has TimescaleDB and the service, which waits for it and finds it', () => {
    const { services } = parseDocument(text).toJS();
    assert.deepEqual(Object.keys(services).sort(), ['candlewick', 'timescaledb']);
    assert.match(services.timescaledb.image, /^timescale\/timescaledb:/);
    assert.equal(services.candlewick.depends_on.timescaledb.condition, 'service_healthy');
    assert.match(services.candlewick.environment.DATABASE_URL, /@timescaledb:5432\//);
  });

  test('a broken file is told apart from a good one', () => {
    const broken = [
      [/restart: on-failure/, 'restart: sometimes'],
      [/condition: service_healthy/, 'condition: service_healthy\n      nobody: {condition: service_started}'],
      [/interval: 5s/, 'interval: soon'],
      [/"127.0.0.1:8000:8000"/, '"8000-"'],
      [/CANDLEWICK_HTTP_LISTEN/, 'CANDLEWICK_HTTP_LISTENS'],
      [/\$\{COINGECKO_API_KEY:-\}/, 'CG-123'],
      [/:\$\{POSTGRES_PASSWORD[^}]*\}@/, ':hunter2@'],
      [/- warehouse:\/var/, '- wharehouse:/var'],
      [/read_only: true/, 'readonly: true'],
      [/ {2}log:\n/, '  log:\n  log:\n'],
      [/^name: candlewick$/m, 'name: candlewick\n\tservices:'],
      [/:2\.17\.2-pg16/, ':latest'],
    ];
    for (const [good, bad] of broken) {
      const changed = text.replace(good, bad);
      assert.notEqual(changed, text, `${good} is not in the file`);
      assert.notDeepEqual(complaints(changed, settings), [], `${bad} passed`);
    }
  });

  test('the image gets what the program is linked with', () => {
    const dockerfile = read('deploy/Dockerfile');
    assert.match(dockerfile, /^ENTRYPOINT \["\/usr\/bin\/candlewick"\]$/m);
    assert.match(dockerfile, /^USER candlewick$/m);
    const wanted = ['curl', 'simdjson', 'fmt', 'pq', 'sqlite3', 'ssl', 'zstd', 'prometheus-cpp-core', 'tomlplusplus'];
    for (const library of wanted) assert.match(dockerfile, new RegExp(`\\blib${library}[0-9.-]`), library);
  });
});
