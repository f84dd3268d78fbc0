import { type Clock, Fault, messageOf } from '#foundation';
import { type Db, type Row, sqlStateOf } from '#storage';
import type { Log } from '#telemetry';
import { type ChainHead, placeOf } from './chain.ts';
import type { Journal, Position } from './journal.ts';
import { eventColumns } from './log-book.ts';

export interface Drain {
  /** Something was recorded: it will be in the database soon. */
  schedule(): void;
  /** Brings everything up to `target` into the database. */
  until(target: Position): Promise<void>;
  position(): Position;
  error(): string | null;
  stop(): void;
}

const DELAY_MS = 100;
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

/**
 * One statement, so that rows, position and head of the chain are kept together or not at all. Rows that are there already
 * are looked for only where some turned out to be: it costs a quarter of the time, and is needed only after a position was
 * lost. A head goes back only with its database.
 */
const store = (existing: '' | 'on conflict (id) do nothing') => `
  with moved as (
    insert into journal_positions as known (journal_id, segment, "offset", chain_seq, chain_hash)
    values ($2, $3, $4, $5, $6)
    on conflict (journal_id) do update set segment = excluded.segment, "offset" = excluded."offset",
      chain_seq = greatest(known.chain_seq, excluded.chain_seq),
      chain_hash = case when known.chain_seq >= coalesce(excluded.chain_seq, 0)
        then known.chain_hash else excluded.chain_hash end
  )
  insert into audit_events (${eventColumns}, journal_id, chain_seq, chain_hash)
  select ${eventColumns}, case when chain_seq is not null then $2 end, chain_seq, chain_hash
  from json_to_recordset($1::json) as line (id text, time timestamptz, project_id text, kind text, decision text,
    code text, reason text, user_id text, principal text, gateway text, tool text, tool_id text, source text,
    execution_id text, duration_ms double precision, trace_id text, client_id text, changes json, policy json, chain_seq bigint,
    chain_hash text)
  ${existing}`;
const STORE_NEW = store('');
const STORE_MISSING = store('on conflict (id) do nothing');
const UNIQUE_VIOLATION = '23505';

async function storeLines(db: Db, journalId: string, lines: Buffer, next: Position, log: Log): Promise<void> {
  const all = lines.toString('utf8', 0, lines.length - 1).split('\n');
  const write = async (records: readonly string[]) => {
    const head = lastPlace(records);
    const place = [next.segment, next.offset, head?.seq ?? null, head?.hash ?? null];
    const params = [`[${records.join(',')}]`, journalId, ...place];
    try {
      await db.query(STORE_NEW, params);
    } catch (thrown) {
      if (sqlStateOf(thrown) !== UNIQUE_VIOLATION) throw thrown;
      await db.query(STORE_MISSING, params);
    }
  };
  try {
    await write(all);
  } catch (thrown) {
    if (!sqlStateOf(thrown)?.startsWith('22')) throw thrown;
    const sound = all.filter(isRecord);
    if (sound.length === all.length) throw thrown;
    log.error(
      { segment: next.segment, lines: all.length - sound.length },
      'damaged lines in the audit journal',
    );
    await write(sound);
  }
}

function lastPlace(lines: readonly string[]): ChainHead | null {
  const last = lines.findLast((line) => placeOf(line) !== null);
  return last === undefined ? null : placeOf(last);
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
