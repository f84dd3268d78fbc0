import type { Scope } from '#domain';
import type { Db, Queries } from '#storage';
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

export function createKeyStore(db: Db) {
  return {
    async load(): Promise<StoredKey[]> {
      return (await db.query<KeyRow>('select * from api_keys')).map(fromRow);
    },

    insert: (stored: StoredKey): Promise<boolean> => insert(db, stored),

    /** Only where there is no key at all. With a fixed id, so that of two at the same time one wins. */
    async insertFirst(stored: StoredKey): Promise<boolean> {
      return db.tx(async (queries) => {
        const any = await queries.query('select 1 from api_keys limit 1');
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
      });
    },

    async remove(projectId: string, id: string): Promise<boolean> {
      const removed = await db.query('delete from api_keys where project_id = $1 and id = $2 returning id', [
        projectId,
        id,
      ]);
      return removed.length > 0;
    },
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
