// PostgREST's side of the double: requests become one SQL statement in a transaction that runs as the
// role of the key, and PostgreSQL's errors become statuses by PostgREST's table (read 2026-10-02:
// https://docs.postgrest.org/en/stable/references/errors.html).
const exposedSchemas = ['public'];

export class Refusal extends Error {
  constructor(status, code, message, headers = {}, details = null, hint = null) {
    super(message);
    Object.assign(this, { status, code, headers, details, hint });
  }
  body() {
    if (this.code === undefined) return { message: this.message };
    return { code: this.code, message: this.message, details: this.details, hint: this.hint };
  }
}

const quote = (name) => `"${name.replaceAll('"', '""')}"`;

// Commas that stand within no brackets and no quotes.
function splitTop(text) {
  const parts = [''];
  let depth = 0;
  let isQuoted = false;
  for (const c of text) {
    if (c === '"') isQuoted = !isQuoted;
    if (!isQuoted && c === '(') depth += 1;
    if (!isQuoted && c === ')') depth -= 1;
    if (c === ',' && depth === 0 && !isQuoted) parts.push('');
    else parts[parts.length - 1] += c;
  }
  return parts.filter((part) => part !== '');
}
const unquote = (name) => name.trim().replace(/^"(.*)"$/, '$1');

const comparisons = { eq: '=', neq: '<>', gt: '>', gte: '>=', lt: '<', lte: '<=', like: 'like', ilike: 'ilike' };

// "eq.5", "not.is.null", "in.(1,2)" as SQL about a column.
function condition(column, text, values) {
  if (text.startsWith('not.')) return `not (${condition(column, text.slice(4), values)})`;
  const dot = text.indexOf('.');
  const operator = text.slice(0, dot);
  const operand = text.slice(dot + 1);
  const name = quote(column);
  if (operator === 'is' && ['null', 'true', 'false'].includes(operand)) return `${name} is ${operand}`;
  if (operator === 'in' && /^\(.*\)$/.test(operand)) {
    const list = splitTop(operand.slice(1, -1)).map((each) => `$${values.push(unquote(each))}`);
    return list.length === 0 ? 'false' : `${name} in (${list.join(', ')})`;
  }
  if (!(operator in comparisons)) {
    throw new Refusal(400, 'PGRST100', `"failed to parse filter (${text})" (line 1, column 1)`);
  }
  return `${name} ${comparisons[operator]} $${values.push(operand)}`;
}

const notFilters = new Set(['select', 'columns', 'on_conflict', 'order', 'limit', 'offset']);

function where(url, values) {
  const terms = [];
  for (const [name, text] of url.searchParams) {
    if (notFilters.has(name)) continue;
    if (name === 'or' || name === 'and') {
      const inner = splitTop(text.replace(/^\(|\)$/g, '')).map((each) => {
        const dot = each.indexOf('.');
        return condition(each.slice(0, dot), each.slice(dot + 1), values);
      });
      terms.push(`(${inner.join(` ${name} `)})`);
    } else {
      terms.push(condition(name, text, values));
    }
  }
  return terms.length === 0 ? '' : ` where ${terms.join(' and ')}`;
}

function orderBy(url) {
  const order = url.searchParams.get('order');
  if (!order) return '';
  const terms = order.split(',').map((term) => {
    const [column, ...how] = term.split('.');
    const nulls = how.includes('nullsfirst') ? ' nulls first' : how.includes('nullslast') ? ' nulls last' : '';
    return `${quote(column)}${how.includes('desc') ? ' desc' : ''}${nulls}`;
  });
  return ` order by ${terms.join(', ')}`;
}

// Its columns by name, with their types; the tables that a request may name at all are those of the
// schema, whatever the role's rights.
async function columnsOf(client, schema, table) {
  const found = await client.query(
    `select a.attname, format_type(a.atttypid, a.atttypmod) as type from pg_attribute a
     join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p', 'v') and a.attnum > 0 and not a.attisdropped`,
    [schema, table],
  );
  if (found.rowCount === 0) {
    throw new Refusal(404, 'PGRST205', `Could not find the table '${schema}.${table}' in the schema cache`);
  }
  return new Map(found.rows.map((row) => [row.attname, row.type]));
}

function readRows(body, encoding) {
  const malformed = () => new Refusal(400, 'PGRST102', 'Empty or invalid json');
  if (encoding && encoding !== 'identity') throw malformed();
  try {
    const parsed = JSON.parse(body.toString());
    if (parsed === null || typeof parsed !== 'object') throw malformed();
    return Array.isArray(parsed) ? parsed : [parsed];
  } catch {
    throw malformed();
  }
}

// The keys that are inserted: those of ?columns=, else those that every object has.
function insertedColumns(url, rows, known, table) {
  const listed = url.searchParams.get('columns');
  let names;
  if (listed) {
    names = splitTop(listed).map(unquote);
  } else {
    names = Object.keys(rows[0] ?? {});
    const same = rows.every((row) => Object.keys(row).length === names.length && names.every((name) => name in row));
    if (!same) throw new Refusal(400, 'PGRST102', 'All object keys must match');
  }
  for (const name of names) {
    if (known.has(name)) continue;
    throw new Refusal(400, 'PGRST204', `Could not find the '${name}' column of '${table}' in the schema cache`);
  }
  return names;
}

function preferences(headers) {
  const found = {};
  for (const part of (headers.prefer ?? '').split(',')) {
    const [name, value] = part.trim().split('=');
    if (name) found[name] = value;
  }
  return found;
}

async function insert({ client, url, table, target, known, body, headers }) {
  const rows = readRows(body, headers['content-encoding']);
  const prefer = preferences(headers);
  const names = insertedColumns(url, rows, known, table);
  if (names.length === 0) return { status: 201, body: prefer.return === 'representation' ? [] : undefined };
  const list = names.map(quote).join(', ');
  const typed = names.map((name) => `${quote(name)} ${known.get(name)}`).join(', ');
  let sql = `insert into ${target} (${list}) select ${list} from json_to_recordset($1::json) as _(${typed})`;
  if (prefer.resolution) {
    const conflict = url.searchParams.get('on_conflict');
    const key = conflict ? splitTop(conflict).map(unquote) : await primaryKey(client, target);
    const updates = names.map((name) => `${quote(name)} = excluded.${quote(name)}`).join(', ');
    sql += ` on conflict (${key.map(quote).join(', ')}) do `;
    sql += prefer.resolution === 'merge-duplicates' ? `update set ${updates}` : 'nothing';
  }
  // As text: a number would lose digits on its way through JavaScript.
  if (prefer.return === 'representation') sql += ' returning *';
  const text = Array.isArray(JSON.parse(body.toString())) ? body.toString() : `[${body.toString()}]`;
  const before = prefer.resolution === 'merge-duplicates' ? await countRows(client, target) : undefined;
  const done = await client.query(sql, [text]);
  const isAllUpdated = before !== undefined && done.rowCount > 0 && before === (await countRows(client, target));
  const status = isAllUpdated ? 200 : 201;
  return { status, body: prefer.return === 'representation' ? done.rows : undefined };
}

// Only to tell 201 from 200; null where the role may not look.
async function countRows(client, target) {
  const may = await client.query('select has_table_privilege($1, $2) as may', [target, 'select']);
  if (!may.rows[0].may) return undefined;
  return (await client.query(`select count(*) from ${target}`)).rows[0].count;
}

async function primaryKey(client, target) {
  const found = await client.query(
    `select a.attname from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
     where i.indrelid = $1::regclass and i.indisprimary`,
    [target],
  );
  return found.rows.map((row) => row.attname);
}

async function select({ client, url, target }) {
  const values = [];
  const chosen = url.searchParams.get('select') || '*';
  const list = chosen === '*' ? '*' : splitTop(chosen).map((each) => quote(unquote(each))).join(', ');
  let sql = `select ${list} from ${target}${where(url, values)}${orderBy(url)}`;
  for (const bound of ['limit', 'offset']) {
    const text = url.searchParams.get(bound);
    if (text !== null) sql += ` ${bound} ${Number.parseInt(text, 10)}`;
  }
  // PostgreSQL makes the JSON, so that digits arrive as they are stored.
  const found = await client.query(
    `select coalesce(json_agg(_), '[]')::text as body, count(*)::int as rows from (${sql}) _`, values);
  const { body, rows } = found.rows[0];
  return { status: 200, body, headers: { 'Content-Range': rows === 0 ? '*/*' : `0-${rows - 1}/*` } };
}

async function change({ client, url, table, target, known, body, headers, method }) {
  const values = [];
  let sql;
  if (method === 'DELETE') {
    sql = `delete from ${target}`;
  } else {
    const rows = readRows(body, headers['content-encoding']);
    const names = insertedColumns(url, rows, known, table);
    if (names.length === 0) return { status: 204 };
    values.push(JSON.stringify(rows.slice(0, 1)));
    const typed = names.map((name) => `${quote(name)} ${known.get(name)}`).join(', ');
    const sets = names.map((name) => `${quote(name)} = pgrst.${quote(name)}`).join(', ');
    sql = `update ${target} set ${sets} from (select * from json_to_recordset($1::json) as _(${typed})) pgrst`;
  }
  const returning = preferences(headers).return === 'representation' ? ` returning ${target}.*` : '';
  // Filters name the table's own columns.
  const filter = where(url, values).replaceAll(/"([a-z_0-9]+)" /g, `${target}."$1" `);
  const done = await client.query(sql + filter + returning, values);
  return returning ? { status: 200, body: done.rows } : { status: 204 };
}

async function call({ client, url, schema, method, body, name }) {
  const parameters = method === 'GET' ? Object.fromEntries(url.searchParams) : JSON.parse(body.toString() || '{}');
  const found = await client.query(
    'select p.oid from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = $1 and p.proname = $2',
    [schema, name],
  );
  if (found.rowCount === 0) {
    throw new Refusal(404, 'PGRST202', `Could not find the function ${schema}.${name} without parameters in the schema cache`);
  }
  const names = Object.keys(parameters);
  const list = names.map((each, index) => `${quote(each)} => $${index + 1}`).join(', ');
  const done = await client.query(`select to_json(${quote(schema)}.${quote(name)}(${list}))::text as body`,
    names.map((each) => parameters[each]));
  return { status: 200, body: done.rows[0]?.body ?? 'null' };
}

function refusalOf(error, isAnonymous) {
  const code = error.code;
  const status = () => {
    if (code === '42501') return isAnonymous ? 401 : 403;
    if (code === '42P01' || code === '42883') return 404;
    if (code === '23503' || code === '23505') return 409;
    if (code === '25006') return 405;
    if (/^(08|53)/.test(code)) return 503;
    if (/^(40|54|55|57|58|XX)/.test(code)) return 500;
    return 400;
  };
  return new Refusal(status(), code, error.message, {}, error.detail ?? null, error.hint ?? null);
}

export async function answerRest({ pool, url, method, headers, body, claims }) {
  const isWrite = !['GET', 'HEAD'].includes(method);
  const schema = headers[isWrite ? 'content-profile' : 'accept-profile'] ?? exposedSchemas[0];
  if (!exposedSchemas.includes(schema)) {
    throw new Refusal(406, 'PGRST106', `Invalid schema: ${schema}`, {}, null,
      `Only the following schemas are exposed: ${exposedSchemas.join(', ')}`);
  }
  const role = claims.role ?? 'anon';
  const [table, name] = url.pathname.slice('/rest/v1/'.length).split('/').map(decodeURIComponent);
  const client = await pool.connect();
  let fault;
  try {
    await client.query(`begin${isWrite ? '' : ' read only'}`);
    await client.query(`select set_config('role', $1, true), set_config('request.jwt.claims', $2, true)`,
      [role, JSON.stringify(claims)]);
    let found;
    if (table === 'rpc') {
      found = await call({ client, url, schema, method, body, name });
    } else {
      const known = await columnsOf(client, schema, table);
      const request = { client, url, table, known, body, headers, method, target: `${quote(schema)}.${quote(table)}` };
      if (method === 'POST') found = await insert(request);
      else if (method === 'GET' || method === 'HEAD') found = await select(request);
      else if (method === 'PATCH' || method === 'DELETE') found = await change(request);
      else throw new Refusal(405, 'PGRST117', `Unsupported HTTP method: ${method}`);
    }
    await client.query('commit');
    return found;
  } catch (error) {
    fault = error instanceof Refusal || !/^[0-9A-Z]{5}$/.test(error.code ?? '') ? error : refusalOf(error, role === 'anon');
    await client.query('rollback').catch(() => {});
    throw fault;
  } finally {
    client.release(fault !== undefined && !(fault instanceof Refusal));
  }
}
