import { randomBytes } from 'node:crypto';
import { type Clock, Fault } from '#foundation';
import type { Db } from '#storage';
import type { Log } from '#telemetry';
import type { PlainRows, Vault } from './contract.ts';
import { wipe } from './wipe.ts';

export interface AdoptDeps {
  readonly db: Db;
  readonly log: Log;
  readonly seal: Vault['seal'];
}

/** Seals what lies in plain text, each row as it was read: one that somebody changes meanwhile is read again. */
export async function adopt({ db, log, seal }: AdoptDeps, rows: PlainRows): Promise<void> {
  const { table, key, plain, purpose, boundTo, where = 'true' } = rows;
  const isPlain = `sealed = '' and (${where})`;
  const select = `select ${plain}::text as plain, array[${key.map((column) => `${column}::text`).join(', ')}] as key
                  from ${table} where ${isPlain}`;
  let adopted = 0;
  for (let found = await read(); found.length > 0; found = await read()) {
    for (const row of found) {
      const sealed = seal(purpose, JSON.parse(row.plain), boundTo(row.key));
      const conditions = key.map((column, at) => `${column}::text = $${at + 3}`).join(' and ');
      const done = await db.query(
        `update ${table} set sealed = $1, ${plain} = '{}'
         where ${conditions} and ${isPlain} and ${plain}::text = $2 returning 1`,
        [sealed, row.plain, ...row.key],
      );
      adopted += done.length;
    }
  }
  if (adopted === 0) return;
  log.info({ table, rows: adopted }, 'what an earlier version kept in plain text is sealed now');
  await wipe(db, table, log);

  async function read() {
    return await db.query<{ plain: string; key: string[] }>(select);
  }
}

const serverKeyPurpose = 'server key';

/** Reads the key of this name, and seals one that an earlier version kept in plain text. */
export async function serverKey(
  { db, log, clock, vault }: { db: Db; log: Log; clock: Clock; vault: Pick<Vault, 'seal' | 'open'> },
  name: string,
): Promise<Buffer> {
  const key = (await kept(db, name)) ?? (await make());
  // 32 bytes as an earlier version wrote them.
  if (/^[A-Za-z0-9+/]{43}=$/.test(key)) {
    const sealed = vault.seal(serverKeyPurpose, key, name);
    await db.query('update server_keys set key = $2 where name = $1 and key = $3', [name, sealed, key]);
    await wipe(db, 'server_keys', log);
    return Buffer.from(key, 'base64');
  }
  const opened = await vault.open(serverKeyPurpose, key, name);
  if (typeof opened === 'string') return Buffer.from(opened, 'base64');
  throw new Fault(
    `the server's key "${name}" (server_keys) was changed, or comes from elsewhere: it does not open. Restore it from a backup`,
  );

  /** Where another replica was quicker, theirs holds. */
  async function make(): Promise<string> {
    await db.query(
      'insert into server_keys (name, key, created_at) values ($1, $2, $3) on conflict (name) do nothing',
      [name, vault.seal(serverKeyPurpose, randomBytes(32).toString('base64'), name), clock.iso()],
    );
    return (await kept(db, name)) as string;
  }
}

async function kept(db: Db, name: string): Promise<string | null> {
  const [row] = await db.query<{ key: string }>('select key from server_keys where name = $1', [name]);
  return row?.key ?? null;
}
