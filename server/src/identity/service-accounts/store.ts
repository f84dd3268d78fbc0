import type { Changes, Db } from '#storage';
import type { ServiceAccount } from './contract.ts';

/** An account with what only this room may see of its secret. */
export interface StoredAccount {
  readonly account: ServiceAccount;
  readonly secretHash: string | null;
}

export const topic = 'service_accounts';

interface AccountRow extends Record<string, unknown> {
  id: string;
  project_id: string;
  name: string;
  description: string;
  secret_hash: string | null;
  jwks: ServiceAccount['jwks'];
  role: ServiceAccount['role'];
  active: boolean;
  created_at: string;
  updated_at: string;
}

/** Every change is told to other replicas in its own transaction. */
export function createAccountStore(db: Db, changes: Changes) {
  return {
    async load(id: string | null): Promise<StoredAccount[]> {
      const rows = await db.query<AccountRow>(
        'select * from service_accounts where $1::text is null or id = $1',
        [id],
      );
      return rows.map(fromRow);
    },

    async insert({ account, secretHash }: StoredAccount): Promise<void> {
      await db.tx(async (queries) => {
        await queries.query(
          `insert into service_accounts
             (id, project_id, name, description, secret_hash, jwks, role, active, created_at, updated_at)
           values ($1, $2, $3, $4, $5, $6::json, $7, $8, $9, $10)`,
          [
            account.id,
            account.projectId,
            account.name,
            account.description,
            secretHash,
            jsonOrNull(account.jwks),
            account.role,
            account.active,
            account.createdAt,
            account.updatedAt,
          ],
        );
        await changes.tell(queries, topic, account.id);
      });
    },

    /** What is `undefined` stays. `null`: there is no such account any more. */
    async update(
      { projectId, id }: Pick<ServiceAccount, 'projectId' | 'id'>,
      change: Partial<ServiceAccount> & { readonly secretHash?: string },
      updatedAt: string,
    ): Promise<StoredAccount | null> {
      return db.tx(async (queries) => {
        const [row] = await queries.query<AccountRow>(
          `update service_accounts set
             name = coalesce($3, name), description = coalesce($4, description),
             secret_hash = coalesce($5, secret_hash), role = coalesce($6, role),
             active = coalesce($7, active), jwks = case when $8 then $9::json else jwks end, updated_at = $10
           where project_id = $1 and id = $2 returning *`,
          [
            projectId,
            id,
            change.name ?? null,
            change.description ?? null,
            change.secretHash ?? null,
            change.role ?? null,
            change.active ?? null,
            change.jwks !== undefined,
            jsonOrNull(change.jwks ?? null),
            updatedAt,
          ],
        );
        if (row === undefined) return null;
        await changes.tell(queries, topic, id);
        return fromRow(row);
      });
    },

    /** With the API keys that belong to it. */
    async remove({ projectId, id }: Pick<ServiceAccount, 'projectId' | 'id'>): Promise<boolean> {
      return db.tx(async (queries) => {
        const removed = await queries.query(
          'delete from service_accounts where project_id = $1 and id = $2 returning id',
          [projectId, id],
        );
        if (removed.length === 0) return false;
        await queries.query('delete from api_keys where service_account_id = $1', [id]);
        await changes.tell(queries, topic, id);
        return true;
      });
    },
  };
}

function jsonOrNull(jwks: ServiceAccount['jwks']): string | null {
  return jwks === null ? null : JSON.stringify(jwks);
}

function fromRow(row: AccountRow): StoredAccount {
  return {
    secretHash: row.secret_hash,
    account: {
      id: row.id,
      projectId: row.project_id,
      name: row.name,
      description: row.description,
      hasSecret: row.secret_hash !== null,
      jwks: row.jwks,
      role: row.role,
      active: row.active,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
    },
  };
}
