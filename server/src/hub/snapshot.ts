import { type Clock, messageOf } from '#foundation';
import type { Log } from '#telemetry';
import type { SearchIndex } from './search/contract.ts';

/** Fewer are faster put in again than read. */
const worthKeeping = 2000;
const keepEveryMs = 5 * 60_000;

/** An index, kept in a file from one start to the next. One that is missing, or old, only makes the next start slower. */
export function createSnapshot(path: string, { clock, log }: { readonly clock: Clock; readonly log: Log }) {
  let isOutdated = false;
  return {
    async loaded(index: SearchIndex): Promise<SearchIndex> {
      if (index.size === 0) await index.load(path);
      return index;
    },
    /** The index is not what the file says any more. */
    outdated(): void {
      isOutdated = true;
    },
    async keep(index: SearchIndex): Promise<void> {
      if (!isOutdated || index.size < worthKeeping) return;
      isOutdated = false;
      try {
        await index.save(path, '');
      } catch (error) {
        log.warn({ file: path, error: messageOf(error) }, 'the index of tools could not be kept');
      }
    },
    nowAndThen: (keep: () => void): (() => void) => clock.every(keepEveryMs, keep),
  };
}
