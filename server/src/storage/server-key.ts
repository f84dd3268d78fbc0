import { randomBytes } from 'node:crypto';
import type { Queries } from './contract.ts';

/** The installation's own random key of this name, 32 bytes: the same in every replica and after every restart. */
export async function serverKey(db: Queries, name: string, nowIso: string): Promise<Buffer> {
  await db.query(
    'insert into server_keys (name, key, created_at) values ($1, $2, $3) on conflict (name) do nothing',
    [name, randomBytes(32).toString('base64'), nowIso],
  );
  const [row] = await db.query<{ key: string }>('select key from server_keys where name = $1', [name]);
  return Buffer.from((row as { key: string }).key, 'base64');
}
