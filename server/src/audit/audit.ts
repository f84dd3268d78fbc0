import { join } from 'node:path';
import { type Clock, Fault, messageOf, newId } from '#foundation';
import type { Db } from '#storage';
import type { Log } from '#telemetry';
import { chainStart, createLineMaker, further, placeOf } from './chain.ts';
import type { Audit } from './contract.ts';
import { createDrain, storedPosition } from './drain.ts';
import { type JournalFiles, openJournal, readJournalId } from './journal.ts';
import { recordOf } from './line.ts';
import { readCalls, readLogBook, readOne } from './log-book.ts';
import { readToolUse } from './tool-use.ts';
import { verifyChains } from './verify.ts';

export interface AuditDeps {
  /** The data directory; the journal is in `journal` below it. */
  readonly dir: string;
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  readonly durability: 'relaxed' | 'strict';
  readonly segmentBytes?: number;
  readonly files?: JournalFiles;
}

const SEGMENT_BYTES = 16 * 1024 * 1024;
/** Without `strict` nobody waits for the disk: this gathers what arrives together into one write. */
const GATHER_MS = 50;

export async function createAudit(deps: AuditDeps): Promise<Audit> {
  const { db, clock, log } = deps;
  const directory = join(deps.dir, 'journal');
  const { start, head: stored } = await storedPosition(db, readJournalId(directory));
  const journal = openJournal({
    directory,
    segmentBytes: deps.segmentBytes ?? SEGMENT_BYTES,
    usedUpTo: start.segment,
    ...(deps.files && { files: deps.files }),
  });
  const drain = createDrain({ journal, db, clock, log, start });
  if (journal.bytesAfter(start) > 0) drain.schedule();
  // The database may know less than the journal, after a crash; or more, where a power cut took the end of the journal.
  let head = further(further(chainStart(journal.id), stored), journal.findLast(placeOf));

  const stampOf = isoStamps();
  const lineOf = createLineMaker();
  let gathering = false;
  let broken: Fault | null = null;
  let closed = false;

  const onDisk = () =>
    journal.sync().catch((thrown) => {
      broken = new Fault(`The audit journal cannot be brought to the disk: ${messageOf(thrown)}`, {
        cause: thrown,
      });
      log.error({ error: messageOf(thrown) }, 'the audit journal cannot be brought to the disk');
      throw broken;
    });
  const syncSoon = () => {
    if (gathering) return;
    gathering = true;
    setTimeout(() => {
      gathering = false;
      onDisk().catch(() => undefined);
    }, GATHER_MS).unref();
  };
  return {
    record(entry) {
      if (closed) throw new Fault('The audit is closed');
      if (broken !== null) throw broken;
      const nowMs = clock.now();
      const record = recordOf(newId('aud', nowMs), stampOf(nowMs), entry);
      const next = lineOf(record, head);
      journal.append(next.line);
      head = next.head;
      drain.schedule();
      return deps.durability === 'strict' ? onDisk() : syncSoon();
    },
    async query(query) {
      await drain.until(journal.end());
      return readLogBook(db, query);
    },
    async get(projectId, id) {
      await drain.until(journal.end());
      return readOne(db, projectId, id);
    },
    async calls(query) {
      await drain.until(journal.end());
      return readCalls(db, query);
    },
    toolUse: (query) => drain.until(journal.end()).then(() => readToolUse(db, query)),
    async verify(options = {}) {
      const own = { journalId: journal.id, ...head };
      await drain.until(journal.end());
      return verifyChains(db, own, options);
    },
    settled: () => drain.until(journal.end()),
    lag() {
      // Who is asked whether it is ready gets no calls meanwhile that would try it.
      const unwritable = broken?.message ?? journal.trouble();
      const bytes = journal.bytesAfter(drain.position());
      return { bytes, error: unwritable ?? drain.error(), writable: unwritable === null };
    },
    async close() {
      if (closed) return;
      closed = true;
      drain.stop();
      try {
        await journal.close();
      } finally {
        await drain.until(journal.end()).catch((thrown) => {
          const bytes = journal.bytesAfter(drain.position());
          log.warn(
            { bytes, error: messageOf(thrown) },
            'audit records stay in the journal until the next start',
          );
        });
      }
    },
  };
}

/** Makes ISO times, again only when the millisecond has changed. */
function isoStamps(): (nowMs: number) => string {
  let lastMs = Number.NaN;
  let lastIso = '';
  return (nowMs) => {
    if (nowMs !== lastMs) {
      lastMs = nowMs;
      lastIso = new Date(nowMs).toISOString();
    }
    return lastIso;
  };
}
