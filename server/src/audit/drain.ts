import { type Clock, Fault, messageOf } from '#foundation';
import { type Db, type Row, type RowLines, sqlStateOf } from '#storage';
import type { Log } from '#telemetry';
import { type ChainHead, placeOf } from './chain.ts';
import type { Journal, Position } from './journal.ts';
import { lineColumns } from './log-book.ts';

export interface Drain {
  /** Something was recorded: it will be in the database soon. */
  schedule(): void;
  /** Brings everything up to `target` into the database. */
  until(target: Position): Promise<void>;
  position(): Position;
  error(): string | null;
  stop(): void;
}

/** What came meanwhile goes together: a transaction costs as much as fifty rows. */
const DELAY_MS = 200;
const RETRY_MAX_MS = 10_000;

/** Moves lines from the journal into the database, in their order. */
export function createDrain(deps: {
  journal: Journal;
  db: Db;
  clock: Clock;
  log: Log;
  start: Position;
}): Drain {
  const { journal, db, clock, log } = deps;
  let position = deps.start;
  let stepping: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  let failures = 0;
  let error: string | null = null;

  const step = async (): Promise<void> => {
    const chunk = journal.read(position);
    if (chunk === null) {
      position = journal.end();
    } else {
      await storeLines(db, journal.id, chunk.lines, chunk.next, log);
      position = chunk.next;
    }
    journal.forget(position, clock.now());
  };
  const oneStep = (): Promise<void> => {
    stepping ??= step()
      .then(
        () => {
          failures = 0;
          error = null;
        },
        (thrown) => {
          if (failures++ === 0) log.error({ error: messageOf(thrown) }, 'audit records wait in the journal');
          error = messageOf(thrown);
          throw new Fault('Audit records could not be written to the database', { cause: thrown });
        },
      )
      .finally(() => {
        stepping = null;
      });
    return stepping;
  };
  const until = async (target: Position): Promise<void> => {
    while (isBefore(position, target)) await oneStep();
  };
  const schedule = (): void => {
    timer ??= setTimeout(run, Math.min(DELAY_MS * 2 ** failures, RETRY_MAX_MS)).unref();
  };
  const run = () => {
    until(journal.end())
      .catch(() => undefined)
      .finally(() => {
        timer = null;
        if (!stopped && isBefore(position, journal.end())) schedule();
      });
  };
  return {
    schedule,
    until,
    position: () => position,
    error: () => error,
    stop() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}

/** How far a journal has been drained, and the last record of its chain that was. */
export async function storedPosition(
  db: Db,
  journalId: string,
): Promise<{ start: Position; head: ChainHead | null }> {
  const [row] = await db.query<Position & { chain_seq: number | null; chain_hash: string | null } & Row>(
    'select segment, "offset", chain_seq, chain_hash from journal_positions where journal_id = $1',
    [journalId],
  );
  const { segment = 0, offset = 0, chain_seq: seq = null, chain_hash: hash = null } = row ?? {};
  return { start: { segment, offset }, head: seq === null || hash === null ? null : { seq, hash } };
}

function isBefore(a: Position, b: Position): boolean {
  return a.segment < b.segment || (a.segment === b.segment && a.offset < b.offset);
}

/** Done with the rows, or not at all. A head goes back only with its database. */
const MOVE = `
  insert into journal_positions as known (journal_id, segment, "offset", chain_seq, chain_hash)
  values ($1, $2, $3, $4, $5)
  on conflict (journal_id) do update set segment = excluded.segment, "offset" = excluded."offset",
    chain_seq = greatest(known.chain_seq, excluded.chain_seq),
    chain_hash = case when known.chain_seq >= coalesce(excluded.chain_seq, 0)
      then known.chain_hash else excluded.chain_hash end`;
const UNIQUE_VIOLATION = '23505';
/** Values that are none, and lines that are no records. */
const DATA_EXCEPTIONS = '22';

/**
 * What is there already is looked for only where some turned out to be, and damaged lines only where there are some: it costs,
 * and is needed only after a position was lost, or the disk failed.
 */
async function storeLines(db: Db, journalId: string, lines: Buffer, next: Position, log: Log): Promise<void> {
  const write = (records: Buffer, existing: RowLines['existing']) => {
    // None in lines from before there were chains.
    const head = lastPlace(records);
    const params = [journalId, next.segment, next.offset, head?.seq ?? null, head?.hash ?? null];
    const statement = { sql: MOVE, params };
    return db.append({
      table: 'audit_events',
      columns: lineColumns,
      same: head === null ? {} : { journal_id: journalId },
      lines: records,
      existing,
      statement,
    });
  };
  try {
    await write(lines, 'fail');
  } catch (thrown) {
    const state = sqlStateOf(thrown);
    if (state !== UNIQUE_VIOLATION && !state?.startsWith(DATA_EXCEPTIONS)) throw thrown;
    const all = lines.toString('utf8', 0, lines.length - 1).split('\n');
    const sound = all.filter(isRecord);
    const damaged = all.length - sound.length;
    if (damaged > 0)
      log.error({ segment: next.segment, lines: damaged }, 'damaged lines in the audit journal');
    await write(Buffer.from(sound.map((line) => `${line}\n`).join('')), 'keep');
  }
}

/** The place of the last line that says one. */
function lastPlace(lines: Buffer): ChainHead | null {
  for (let end = lines.length - 1; end > 0; ) {
    const start = lines.lastIndexOf('\n', end - 1) + 1;
    const place = placeOf(lines.toString('utf8', start, end));
    if (place !== null) return place;
    end = start - 1;
  }
  return null;
}

/** False for lines that a failing disk or a power cut left damaged. */
function isRecord(line: string): boolean {
  try {
    const record = JSON.parse(line) as { id?: unknown } | null;
    return typeof record?.id === 'string' && !line.includes('\\u0000');
  } catch {
    return false;
  }
}
