import type { Scope } from '#domain';
import type { Changes, Db, Queries } from '#storage';
import type { ApiKey } from './contract.ts';

/** A key with the hash it is found by. */
export interface StoredKey {
  readonly key: ApiKey;
  readonly hash: string;
}

interface KeyRow extends Record<string, unknown> {
  id: string;
  project_id: string;
  name: string;
  key_hash: string;
  hint: string;
  scopes: Scope[];
  users: string[] | null;
  gateways: string[] | null;
  tools: string[] | null;
  service_account_id: string | null;
  expires_at: string | null;
  created_at: string;
}

/** Whatever changes is told in the same transaction. */
export function createKeyStore(db: Db, changes: Pick<Changes, 'tell'>) {
  const told = (queries: Queries, id: string) => changes.tell(queries, 'api_keys', id);

  return {
    /** `null`: all. */
    async load(id: string | null = null): Promise<StoredKey[]> {
      const rows = await db.query<KeyRow>('select * from api_keys where $1::text is null or id = $1', [id]);
      return rows.map(fromRow);
    },

    insert: (stored: StoredKey): Promise<boolean> =>
      db.tx(async (queries) => {
        await told(queries, stored.key.id);
        return insert(queries, stored);
      }),

    update: (key: ApiKey): Promise<boolean> =>
      db.tx(async (queries) => {
        await told(queries, key.id);
        const rows = await queries.query(
          'update api_keys set name = $3, expires_at = $4 where project_id = $1 and id = $2 returning id',
          [key.projectId, key.id, key.name, key.expiresAt],
        );
        return rows.length > 0;
      }),

    /** Only where there is no key at all. With a fixed id, so that of two at the same time one wins. */
    async insertFirst(stored: StoredKey): Promise<boolean> {
      return db.tx(async (queries) => {
        const any = await queries.query('select 1 from api_keys limit 1');
        await told(queries, stored.key.id);
        return any.length === 0 && (await insert(queries, stored));
      });
    },

    /** Puts the key in the place of the one with its id and of any other with the same text. */
    async replace(stored: StoredKey): Promise<void> {
      await db.tx(async (queries) => {
        await queries.query('delete from api_keys where id = $1 or key_hash = $2', [
          stored.key.id,
          stored.hash,
        ]);
        await insert(queries, stored);
        await told(queries, stored.key.id);
      });
    },

    remove: (projectId: string, id: string): Promise<boolean> =>
      db.tx(async (queries) => {
        await told(queries, id);
        const sql = 'delete from api_keys where project_id = $1 and id = $2 returning id';
        return (await queries.query(sql, [projectId, id])).length > 0;
      }),
  };
}

async function insert(queries: Queries, { key, hash }: StoredKey): Promise<boolean> {
  const inserted = await queries.query(
    `insert into api_keys
       (id, project_id, name, key_hash, hint, scopes, users, gateways, tools, expires_at, created_at,
        service_account_id)
     values ($1, $2, $3, $4, $5, $6::jsonb, $7::jsonb, $8::jsonb, $9::jsonb, $10, $11, $12)
     on conflict do nothing returning id`,
    [
      key.id,
      key.projectId,
      key.name,
      hash,
      key.hint,
      JSON.stringify(key.scopes),
      jsonOrNull(key.users),
      jsonOrNull(key.gateways),
      jsonOrNull(key.tools),
      key.expiresAt,
      key.createdAt,
      key.serviceAccountId,
    ],
  );
  return inserted.length > 0;
}

function jsonOrNull(list: readonly string[] | null): string | null {
  return list === null ? null : JSON.stringify(list);
}

function fromRow(row: KeyRow): StoredKey {
  return {
    hash: row.key_hash,
    key: {
      id: row.id,
      projectId: row.project_id,
      name: row.name,
      hint: row.hint,
      scopes: row.scopes,
      users: row.users,
      gateways: row.gateways,
      tools: row.tools,
      serviceAccountId: row.service_account_id,
      expiresAt: row.expires_at,
      createdAt: row.created_at,
    },
  };
}
