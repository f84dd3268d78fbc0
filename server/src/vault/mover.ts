import { type Clock, messageOf } from '#foundation';
import type { Db } from '#storage';
import type { Log } from '#telemetry';
import type { SealedColumn } from './contract.ts';
import type { KeyRing } from './key-ring.ts';
import { moveColumn } from './move-column.ts';
import { databaseRootId, rootKeyRow } from './root-key-row.ts';
import { lockVaultKeys, readVaultKeys, type VaultKeyRow } from './vault-keys.ts';
import { wipe } from './wipe.ts';

/** How long a replica may take to write what it sealed before it heard of a newer key. */
const lateMs = 10 * 60_000;

export interface MoverDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  readonly ring: KeyRing;
  readonly mainRootId: string;
  readonly signal: AbortSignal;
}

/**
 * Moves every record to the vault key of today, then removes those that nothing is sealed with any more. Done again from the
 * beginning it goes on where it was; of replicas that do it at the same time, each takes what the others left.
 */
export function createMover({ db, clock, log, ring, mainRootId, signal }: MoverDeps) {
  const columns = new Map<string, SealedColumn>();
  /** With the same words once, however often it is tried. */
  let told = '';

  async function move(): Promise<void> {
    const retired = await ring.retired();
    const everywhere = retired.length === 0 ? [] : await allColumns(db, columns);
    for (const row of retired) {
      const moved = await moveFrom(row, everywhere);
      if (moved > 0) log.info({ vault_key: row.id, records: moved }, 'records moved to a new vault key');
      const isOver = db.kind === 'pglite' || clock.now() - Date.parse(row.retired_at) >= lateMs;
      if (moved === 0 && isOver) await forget(row);
      // Where nobody can be late, what was moved just now is looked at once more, at once.
      else if (isOver && (await moveFrom(row, everywhere)) === 0) await forget(row);
    }
    if (retired.length > 0) await ring.retired();
    if (mainRootId !== databaseRootId) await dropRootKeyRow(db, log);
  }

  async function moveFrom({ id }: VaultKeyRow, everywhere: readonly SealedColumn[]): Promise<number> {
    const from = ring.get(id) ?? (await ring.read(id));
    if (from === null) return 0;
    let moved = 0;
    for (const column of everywhere) moved += await moveColumn(db, column, { from, to: ring.active }, signal);
    return moved;
  }

  async function forget({ id, root_key_id }: VaultKeyRow): Promise<void> {
    const rows = await db.query('delete from vault_keys where id = $1 and not active returning id', [id]);
    if (rows.length > 0)
      log.info({ vault_key: id, root_key: root_key_id }, 'nothing is sealed with this vault key any more');
  }

  return {
    keeps(column: SealedColumn): void {
      columns.set(nameOf(column), column);
    },
    /** Tried again later where it fails. */
    async tryMove(): Promise<void> {
      try {
        // The key service, say, did not answer when the new key came.
        if (!ring.seals()) await ring.reload();
        await move();
        told = '';
      } catch (error) {
        const words = messageOf(error);
        if (words !== told && !signal.aborted)
          log.error({ error: words }, 'records cannot be moved to the new vault key');
        told = words;
      }
    },
    move,
  };
}

/** Those that were named, and those that look like it: a key that a record needs must not go. */
async function allColumns(
  db: Db,
  named: ReadonlyMap<string, SealedColumn>,
): Promise<readonly SealedColumn[]> {
  const alike = await db.query<{ table: string; column: string }>(
    `select table_name as "table", column_name as "column" from information_schema.columns
     where table_schema = current_schema() and data_type = 'text' and column_name ~ '(^|_)sealed(_|$)'`,
  );
  const all = new Map(named);
  for (const column of alike) all.set(nameOf(column), column);
  return [...all.values()];
}

const nameOf = ({ table, column }: SealedColumn) => `${table}.${column}`;

/** The root key that lay in the database is needed no longer once another seals everything. */
async function dropRootKeyRow(db: Db, log: Log): Promise<void> {
  const isThere = await db.query('select 1 from server_keys where name = $1', [rootKeyRow]);
  if (isThere.length === 0) return;
  const gone = await db.tx(async (queries) => {
    await lockVaultKeys(queries);
    const rows = await readVaultKeys(queries);
    if (rows.some(({ root_key_id }) => root_key_id === databaseRootId)) return [];
    return queries.query('delete from server_keys where name = $1 returning name', [rootKeyRow]);
  });
  if (gone.length === 0) return;
  log.info({ table: 'server_keys' }, 'the root key that lay in the database was removed from it');
  await wipe(db, 'server_keys', log);
}
