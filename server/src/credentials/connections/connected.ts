import type { Target } from '../authority.ts';
import type { ConnectionStore } from '../store/store.ts';

/** The sources that anybody is connected to: a call elsewhere looks no further. */
export interface Connected {
  has(projectId: string, sourceId: string): boolean;
  /** Looks at this one anew; `null`: at all. */
  read(only: Target | null): Promise<void>;
}

const keyOf = (projectId: string, sourceId: string) => JSON.stringify([projectId, sourceId]);

export async function createConnected(store: Pick<ConnectionStore, 'connectedSources'>): Promise<Connected> {
  const connected = new Set<string>();
  // One look after the other: what was read first never takes the place of what was read later.
  let last: Promise<void> = Promise.resolve();

  async function readNow(only: Target | null): Promise<void> {
    const rows = await store.connectedSources(only);
    if (only === null) connected.clear();
    else connected.delete(keyOf(only.projectId, only.id));
    for (const { projectId, sourceId } of rows) connected.add(keyOf(projectId, sourceId));
  }

  await readNow(null);
  return {
    has: (projectId, sourceId) => connected.size > 0 && connected.has(keyOf(projectId, sourceId)),
    read(only) {
      if (only !== null && only.kind !== 'source') return Promise.resolve();
      const reading = last.catch(() => undefined).then(() => readNow(only));
      last = reading;
      return reading;
    },
  };
}
