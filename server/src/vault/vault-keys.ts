import type { Queries } from '#storage';
import type { WrappedKey } from './root-keys.ts';

export const topic = 'vault_keys';

export interface VaultKeyRow extends WrappedKey, Record<string, unknown> {
  readonly active: boolean;
  /** Null while it is active. */
  readonly retired_at: string;
}

/** The oldest first. */
export function readVaultKeys(queries: Queries, id: string | null = null): Promise<VaultKeyRow[]> {
  return queries.query<VaultKeyRow>(
    'select * from vault_keys where $1::text is null or id = $1 order by created_at, id',
    [id],
  );
}

/** Until the end of this transaction nobody else makes or removes keys. */
export async function lockVaultKeys(queries: Queries): Promise<void> {
  await queries.query("select pg_advisory_xact_lock(hashtext('sallyport vault keys'))");
}

/** Makes this one the key of what is new. */
export async function insertActiveKey(queries: Queries, key: WrappedKey, nowIso: string): Promise<void> {
  await queries.query('update vault_keys set active = false, retired_at = $1 where active', [nowIso]);
  await queries.query(
    'insert into vault_keys (id, root_key_id, wrapped, active, created_at) values ($1, $2, $3, true, $4)',
    [key.id, key.root_key_id, key.wrapped, nowIso],
  );
}
