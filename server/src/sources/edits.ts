import { keyOfPlace, type Place, type Refusal, refusal, type Source } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { NewSource, SourceChange, SourcesDeps } from './contract.ts';
import type { SourceTimes } from './source-times.ts';
import type { SourceStore } from './store.ts';
import type { WatchList } from './watch-list.ts';
import type { WatchedSource } from './watched-source.ts';

type EditDeps = Pick<SourcesDeps, 'clock' | 'log' | 'onRemoved' | 'watches'>;

/** What changes which sources there are; to be done one after another. */
export function createEdits(
  store: SourceStore,
  list: WatchList,
  times: SourceTimes,
  { clock, log, onRemoved, watches = true }: EditDeps,
) {
  async function forget(entry: WatchedSource): Promise<void> {
    await list.remove(entry);
    times.forget(entry.source.projectId, entry.source.id);
    if (watches) await onRemoved(entry.source);
  }

  /** Makes the API's sources what they are in the database; this one, or all. What the file declares is this process's own. */
  async function look(place: Place | null): Promise<void> {
    const stored = await store.load(place);
    const there = new Set(stored.map(keyOfPlace));
    for (const entry of place === null ? list.every() : [list.find(place.projectId, place.id)])
      if (entry?.source.origin === 'api' && !there.has(keyOfPlace(entry.source))) await forget(entry);
    for (const source of stored) {
      const before = list.find(source.projectId, source.id)?.source;
      if (before === undefined || (before.origin === 'api' && !isSame(before, source)))
        await list.put(source);
    }
    list.pump();
  }

  /** As it is in the database, so that a change of one field takes back no change of another. */
  async function editable(projectId: string, id: string): Promise<Result<WatchedSource, Refusal>> {
    await look({ projectId, id });
    const entry = list.find(projectId, id);
    if (entry === undefined) return unknown(id);
    if (entry.source.origin === 'api') return ok(entry);
    const message = `the worker ${id} is declared in the config file; change it there`;
    return err(refusal('resource.read_only', message, { field: 'id' }));
  }

  return {
    look,

    async create(given: NewSource): Promise<Result<WatchedSource, Refusal>> {
      const now = clock.iso();
      const source: Source = { ...given, origin: 'api', createdAt: now, updatedAt: now };
      const flaw = list.flawOf(source);
      if (flaw !== null) return err(flaw);
      if (list.find(source.projectId, source.id) === undefined && (await store.insert(source))) {
        return ok(await list.put(source));
      }
      return err(refusal('resource.conflict', `there is already a worker ${source.id}`, { field: 'id' }));
    },

    async update(
      projectId: string,
      id: string,
      change: SourceChange,
    ): Promise<Result<WatchedSource, Refusal>> {
      const entry = await editable(projectId, id);
      if (!entry.ok) return entry;
      const source: Source = { ...entry.value.source, ...change, updatedAt: clock.iso() };
      const flaw = list.flawOf(source);
      if (flaw !== null) return err(flaw);
      return (await store.update(source)) ? ok(await list.put(source)) : unknown(id);
    },

    async remove(projectId: string, id: string): Promise<Result<void, Refusal>> {
      const entry = await editable(projectId, id);
      if (!entry.ok) return entry;
      await store.remove(projectId, id);
      await forget(entry.value);
      return ok(undefined);
    },

    async applyFile(sources: readonly Source[]): Promise<void> {
      const wanted = new Set(sources.map(keyOfPlace));
      for (const entry of list.every()) {
        if (entry.source.origin === 'file' && !wanted.has(keyOfPlace(entry.source))) await forget(entry);
      }
      for (const source of sources) {
        const before = list.find(source.projectId, source.id)?.source;
        if (before !== undefined && sameDefinition(before, source)) continue;
        if (before?.origin === 'api') {
          log.warn(
            { source: source.id },
            'the config file and the API both declare this source; the file holds',
          );
        }
        await list.put(source);
      }
      // What the API registered under an id that the file no longer takes.
      await look(null);
    },
  };
}

function unknown(id: string): Result<never, Refusal> {
  return err(refusal('resource.unknown', `there is no worker ${id}`, { field: 'id' }));
}

function isSame(one: Source, other: Source): boolean {
  return one.updatedAt === other.updatedAt && sameDefinition(one, other);
}

function sameDefinition(a: Source, b: Source): boolean {
  const definition = ({ createdAt, updatedAt, ...rest }: Source) =>
    JSON.stringify(
      Object.entries(rest)
        .filter(([, value]) => value !== undefined)
        .sort(),
    );
  return definition(a) === definition(b);
}
