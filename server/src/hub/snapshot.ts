import { rm } from 'node:fs/promises';
import { type Clock, messageOf } from '#foundation';
import type { Log } from '#telemetry';
import type { SearchIndex } from './search/contract.ts';

/** Fewer are faster put in again than read. */
export const worthKeeping = 2000;
const keepEveryMs = 5 * 60_000;
/** What is written changes only when it is: who tells a change would wait. So it is written when nobody has for a while. */
const settledMs = 10_000;
const lookEveryMs = 5000;
/** So much of it must have changed, at once or after a while: the rest the next start mends as fast as it is written. */
const much = { atOnce: 0.5, later: 0.02 } as const;

/** An index, kept in a file from one start to the next. One that is missing, or old, only makes the next start slower. */
export function createSnapshot(path: string, { clock, log }: { readonly clock: Clock; readonly log: Log }) {
  /** How many documents are other than in the file. */
  let outdated = 0;
  let changedMs = clock.now();
  let lastMs = clock.now();

  async function save(index: SearchIndex): Promise<void> {
    outdated = 0;
    lastMs = clock.now();
    try {
      if (index.size < worthKeeping) await rm(path, { force: true });
      else await index.save(path, '');
    } catch (error) {
      log.warn({ file: path, error: messageOf(error) }, 'the index of tools could not be kept');
    }
  }

  return {
    async load(index: SearchIndex): Promise<void> {
      if (index.size === 0) await index.load(path);
    },
    /** So many documents of the index are not what the file says any more. */
    outdated(documents: number): void {
      outdated += documents;
      changedMs = clock.now();
    },
    async keep(index: SearchIndex): Promise<void> {
      const share = clock.now() - lastMs >= keepEveryMs ? much.later : much.atOnce;
      if (outdated > index.size * share) await save(index);
    },
    /** For the next start. */
    async keepLast(index: SearchIndex): Promise<void> {
      if (outdated > 0) await save(index);
    },
    /** Calls `keep` when it is time to, until the returned function is called. */
    nowAndThen: (keep: () => void): (() => void) =>
      clock.every(lookEveryMs, () => {
        const now = clock.now();
        if (outdated > 0 && (now - changedMs >= settledMs || now - lastMs >= keepEveryMs)) keep();
      }),
  };
}
