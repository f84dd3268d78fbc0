import pg from 'pg';
import { Fault, messageOf } from '#foundation';
import type { Log } from '#telemetry';
import type { Row } from './contract.ts';
import { insertRows } from './row-lines.ts';
import { sqlError } from './sql-error.ts';
import { type Driver, runTransaction, type Session } from './transaction.ts';
import { parsers } from './types.ts';

const OLDEST_VERSION = 15;
const CONNECT_TIMEOUT_MS = 10_000;

const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    (format === 'binary' ? undefined : parsers[oid]) ?? pg.types.getTypeParser(oid, format),
};

/** A PostgreSQL server, named by `DATABASE_URL`. */
export async function startPostgres(options: { url: string; log: Log }): Promise<Driver> {
  const pool = openPool(options.url);
  pool.on('error', (error) =>
    options.log.warn({ error: error.message }, 'lost an idle connection to PostgreSQL'),
  );
  await checkServer(pool, options.url);
  const underWay = new Set<Promise<unknown>>();
  let closing = false;

  const track = <T>(run: () => Promise<T>): Promise<T> => {
    if (closing) return Promise.reject(new Fault('The database is closed'));
    const result = run();
    underWay.add(result);
    const forget = () => underWay.delete(result);
    result.then(forget, forget);
    return result;
  };
  return {
    kind: 'postgres',
    query: <T extends Row>(sql: string, params: readonly unknown[] = []) =>
      track(() => rowsOf<T>(pool, sql, params)),
    tx: (work) => track(() => onOneConnection(pool, (session) => runTransaction(session, work))),
    append: (rows) =>
      track(() =>
        onOneConnection(pool, (session) => runTransaction(session, (queries) => insertRows(queries, rows))),
      ),
    async ping() {
      await track(() => pool.query('select 1'));
    },
    async close() {
      if (closing) return;
      closing = true;
      await Promise.allSettled(underWay);
      await pool.end();
    },
  };
}

function openPool(url: string): pg.Pool {
  try {
    return new pg.Pool({
      connectionString: url,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      allowExitOnIdle: true,
      application_name: 'sallyport',
      types,
    });
  } catch {
    throw new Fault('DATABASE_URL is not a URL of the form postgres://user:password@host:5432/database');
  }
}

async function checkServer(pool: pg.Pool, url: string): Promise<void> {
  let version: number;
  try {
    const { rows } = await pool.query<{ version: number }>(
      "select current_setting('server_version_num')::int / 10000 as version",
    );
    version = rows[0]?.version ?? 0;
  } catch (thrown) {
    await pool.end();
    throw new Fault(
      `PostgreSQL at ${addressOf(url)} does not let us in: ${problemOf(thrown)}. Check DATABASE_URL, and that the ` +
        'server runs.',
    );
  }
  if (version >= OLDEST_VERSION) return;
  await pool.end();
  throw new Fault(
    `PostgreSQL at ${addressOf(url)} is version ${version}; Sallyport needs ${OLDEST_VERSION} or newer.`,
  );
}

/** Host and database of a connection URL, never its user or password. */
function addressOf(url: string): string {
  if (!URL.canParse(url)) return 'DATABASE_URL';
  const { host, pathname } = new URL(url);
  return `${host || 'the local socket'}${pathname}`;
}

function problemOf(thrown: unknown): string {
  if (thrown instanceof AggregateError) return thrown.errors.map(messageOf).join(', ');
  return messageOf(thrown);
}

async function rowsOf<T extends Row>(
  connection: pg.Pool | pg.PoolClient,
  sql: string,
  params: readonly unknown[],
): Promise<T[]> {
  try {
    return (await connection.query<T>(sql, [...params])).rows;
  } catch (thrown) {
    throw thrown instanceof pg.DatabaseError ? sqlError(thrown) : thrown;
  }
}

async function onOneConnection<T>(pool: pg.Pool, run: (session: Session) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  const onError = (error: Error) => {
    broken = error;
  };
  client.on('error', onError);
  try {
    return await run({
      query: <R extends Row>(sql: string, params: readonly unknown[] = []) => rowsOf<R>(client, sql, params),
      async script(sql) {
        await client.query(sql);
      },
    });
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}
