import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '#telemetry';
import type { SearchEngine } from './search/contract.ts';
import { createSearchEngine } from './search/search-engine.ts';

/** The engine that searches, and the files in which its indexes are kept from one start to the next. */
export interface KeptIndexes {
  /** Begins with the first who asks, or at once where there is something to load. */
  openEngine(): Promise<SearchEngine>;
  snapshotOf(projectId: string): string;
  close(): Promise<void>;
}

const ending = '.index';

/** What was kept in `directory` is loaded from now on, while others open what they need. */
export async function openKeptIndexes(directory: string, log: Log): Promise<KeptIndexes> {
  let engine: Promise<SearchEngine> | null = null;
  // A project's id may hold what a file's name may not.
  const snapshotOf = (projectId: string) =>
    join(directory, `${Buffer.from(projectId).toString('hex')}${ending}`);
  const openEngine = () => {
    engine ??= mkdir(directory, { recursive: true })
      .then(() => createSearchEngine({ log }))
      .catch((error) => {
        // Whoever asks next has it tried again.
        engine = null;
        throw error;
      });
    return engine;
  };

  const files = (await readdir(directory).catch(() => [])).filter((file) => file.endsWith(ending));
  for (const file of files) {
    const projectId = Buffer.from(file.slice(0, -ending.length), 'hex').toString();
    // Whoever asks for it has it loaded, too, and hears what is wrong.
    openEngine()
      .then((opened) => opened.index(projectId).load(snapshotOf(projectId)))
      .catch(() => undefined);
  }
  return { openEngine, snapshotOf, close: async () => (await engine)?.close() };
}
