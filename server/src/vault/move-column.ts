import type { Db } from '#storage';
import type { SealedColumn } from './contract.ts';
import { beginningOf, parseEnvelope, rewrap, type VaultKey } from './envelope.ts';

const batchSize = 200;

/**
 * Moves the texts of one column from one vault key to another, and tells how many. One that somebody writes meanwhile is theirs; one
 * that does not open as it stands is left alone: it opens for nobody.
 */
export async function moveColumn(
  db: Db,
  { table, column }: SealedColumn,
  keys: { readonly from: VaultKey; readonly to: () => VaultKey },
  signal: AbortSignal,
): Promise<number> {
  let moved = 0;
  let after = '(0,0)';
  for (;;) {
    signal.throwIfAborted();
    const rows = await db.query<{ at: string; text: string }>(
      `select ctid::text as at, ${column} as text from ${table}
       where ctid > $1::text::tid and starts_with(${column}, $2) order by ctid limit ${batchSize}`,
      [after, beginningOf(keys.from.id)],
    );
    const last = rows.at(-1);
    if (last === undefined) return moved;
    after = last.at;
    moved += await moveBatch(db, { table, column }, rows, keys);
  }
}

async function moveBatch(
  db: Db,
  { table, column }: SealedColumn,
  rows: readonly { readonly at: string; readonly text: string }[],
  { from, to }: { readonly from: VaultKey; readonly to: () => VaultKey },
): Promise<number> {
  const key = to();
  const moves = rows.flatMap(({ at, text }) => {
    const envelope = parseEnvelope(text);
    const next = envelope === null ? null : rewrap(from, key, envelope);
    return next === null ? [] : [{ at, text, next }];
  });
  if (moves.length === 0) return 0;
  const done = await db.query(
    `update ${table} set ${column} = moves.next
     from unnest($1::text[], $2::text[], $3::text[]) as moves (at, text, next)
     where ${table}.ctid = moves.at::tid and ${table}.${column} = moves.text returning 1`,
    [moves.map(({ at }) => at), moves.map(({ text }) => text), moves.map(({ next }) => next)],
  );
  return done.length;
}
