import { randomBytes } from 'node:crypto';
import { Fault } from '#foundation';
import type { Queries } from '#storage';
import type { KeyService } from './contract.ts';
import { createLocalKey } from './services/local.ts';

export const databaseRootId = 'database';
/** Its row among the server's keys; no other key has this name. */
export const rootKeyRow = 'root key';

/** The root key that lies in the database, for want of another place; `null` where there is none. */
export async function readRootKeyRow(queries: Queries): Promise<KeyService | null> {
  const key = await read(queries);
  if (key === null) return null;
  const bytes = Buffer.from(key, 'base64');
  if (bytes.length === 32) return createLocalKey(databaseRootId, bytes, 'in the database');
  throw new Fault(
    'the root key in the database (server_keys, "root key") is damaged; restore it from a backup',
  );
}

/** Makes it; where another replica was quicker, theirs holds. */
export async function makeRootKeyRow(queries: Queries, nowIso: string): Promise<void> {
  await queries.query(
    'insert into server_keys (name, key, created_at) values ($1, $2, $3) on conflict (name) do nothing',
    [rootKeyRow, randomBytes(32).toString('base64'), nowIso],
  );
}

async function read(queries: Queries): Promise<string | null> {
  const [row] = await queries.query<{ key: string }>('select key from server_keys where name = $1', [
    rootKeyRow,
  ]);
  return row?.key ?? null;
}
