import { secretReferences } from '@sallyport/contracts';
import { type Refusal, refusal, type Source, type SourceFailure, type SourceReturn } from '#domain';
import { type Clock, err, ok, type Result } from '#foundation';
import { createMetrics } from '#telemetry';
import type { Announcement, CallFailure, NewSource, SourceChange, Sources, SourcesDeps } from './contract.ts';
import { createSourceTimes, type SourceName, type SourceTimes } from './source-times.ts';
import { healthyStatus, unhealthyStatus, unknownStatus } from './status.ts';
import { withSteps } from './steps.ts';
import { createSourceStore, type SourceStore } from './store.ts';
import { fullVeilOf } from './veil.ts';
import { createWatchList, type WatchList } from './watch-list.ts';
import type { WatchedSource } from './watched-source.ts';

/** Every source of the process. Opening is immediate; what a source offers is found out in the background. */
export async function createSources(deps: SourcesDeps): Promise<Sources> {
  const { clock } = deps;
  const times = createSourceTimes(deps.metrics ?? createMetrics());
  const store = createSourceStore(deps.db, deps.vault);
  const listeners = new Set<(said: Announcement) => void>();
  const list = createWatchList({
    ...deps,
    onAnnouncement(said) {
      for (const listener of listeners) listener(said);
    },
  });
  const edits = createEdits(store, list, times, deps);
  const ask = createAsk(list, times, clock);
  let changing: Promise<unknown> = Promise.resolve();

  /** Changes happen one after another; nothing waits for the inspections that they cause. */
  function inTurn<T>(change: () => Promise<T>): Promise<T> {
    const done = changing.then(change);
    changing = done.catch(() => {});
    return done;
  }

  async function inspected(
    change: Promise<Result<WatchedSource, Refusal>>,
  ): Promise<Result<Source, Refusal>> {
    const changed = await change;
    if (!changed.ok) return changed;
    await changed.value.inspect();
    return ok(changed.value.source);
  }

  for (const source of await store.all()) await list.put(source);
  list.pump();

  return {
    list: (projectId) => list.inProject(projectId).map(({ source }) => source),
    get: (projectId, id) => list.find(projectId, id)?.source ?? null,
    status: (projectId, id) => list.find(projectId, id)?.status() ?? unknownStatus(),
    challenge: (projectId, id) => list.find(projectId, id)?.challenge() ?? null,
    create: (given) => inspected(inTurn(() => edits.create(given))),
    update: (projectId, id, change) => inspected(inTurn(() => edits.update(projectId, id, change))),
    remove: (projectId, id) => inTurn(() => edits.remove(projectId, id)),
    applyFile: (sources) => inTurn(() => edits.applyFile(sources)),
    refresh: async (projectId, id) => (await list.find(projectId, id)?.inspect()) ?? unknownStatus(),
    close: () => list.close(),
    secretsChanged(projectId) {
      for (const entry of list.every()) {
        const { source } = entry;
        const isOfProject = projectId === null || source.projectId === projectId;
        if (isOfProject && Object.values(source.headers).some((value) => secretReferences(value).length > 0))
          entry.hurry();
      }
    },

    async test(given) {
      const now = clock.iso();
      const source: Source = { ...given, origin: 'api', createdAt: now, updatedAt: now };
      const opened = list.open(source, () => {});
      if (!opened.ok) return unhealthyStatus(opened.error, withSteps(opened.error).steps, now);
      const found = await opened.value.inspect();
      void opened.value.close();
      if (found.ok) return healthyStatus(found.value, clock.iso());
      const veil = await fullVeilOf(source, deps.secretOf)();
      const failure = veil(found.error);
      return unhealthyStatus(failure, failure.steps, clock.iso());
    },

    call: (call) => ask(call.tool, (source) => source.call(call)),
    request: (request) => ask(request, (source) => source.request(request)),
    async subscribe(wish) {
      const { projectId, sourceId } = wish;
      return (await list.find(projectId, sourceId)?.subscribe(wish)) ?? err(gone(sourceId));
    },
    tell(projectId, sourceIds, conversation, notification) {
      for (const id of sourceIds) list.find(projectId, id)?.connection.tell?.(conversation, notification);
    },
    endConversation(conversation) {
      for (const { connection } of list.every()) connection.endConversation?.(conversation);
    },
    onAnnouncement(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Has a source answer, and keeps how long it took. */
function createAsk(list: WatchList, times: SourceTimes, clock: Clock) {
  return async (
    name: SourceName,
    ask: (source: WatchedSource) => Promise<Result<SourceReturn, CallFailure>>,
  ): Promise<Result<SourceReturn, CallFailure>> => {
    const source = list.find(name.projectId, name.sourceId);
    if (source === undefined) return err(gone(name.sourceId));
    const startedAt = clock.monotonic();
    const returned = await ask(source);
    times.answered(name, clock.monotonic() - startedAt, returned);
    return returned;
  };
}

function gone(sourceId: string): SourceFailure {
  const message = `the source ${sourceId} is not registered any more`;
  return { code: 'catalog.tool_unavailable', message, step: 'address_resolved' };
}

type EditDeps = Pick<SourcesDeps, 'clock' | 'log' | 'onRemoved'>;

function createEdits(
  store: SourceStore,
  list: WatchList,
  times: SourceTimes,
  { clock, log, onRemoved }: EditDeps,
) {
  function editable(projectId: string, id: string): Result<WatchedSource, Refusal> {
    const entry = list.find(projectId, id);
    if (entry === undefined)
      return err(refusal('resource.unknown', `there is no worker ${id}`, { field: 'id' }));
    if (entry.source.origin === 'api') return ok(entry);
    const message = `the worker ${id} is declared in the config file; change it there`;
    return err(refusal('resource.read_only', message, { field: 'id' }));
  }

  async function forget(entry: WatchedSource): Promise<void> {
    await list.remove(entry);
    times.forget(entry.source.projectId, entry.source.id);
    await onRemoved(entry.source);
  }

  return {
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
      const entry = editable(projectId, id);
      if (!entry.ok) return entry;
      const source: Source = { ...entry.value.source, ...change, updatedAt: clock.iso() };
      const flaw = list.flawOf(source);
      if (flaw !== null) return err(flaw);
      await store.update(source);
      return ok(await list.put(source));
    },

    async remove(projectId: string, id: string): Promise<Result<void, Refusal>> {
      const entry = editable(projectId, id);
      if (!entry.ok) return entry;
      await store.remove(projectId, id);
      await forget(entry.value);
      return ok(undefined);
    },

    async applyFile(sources: readonly Source[]): Promise<void> {
      const wanted = new Set(sources.map(keyOf));
      for (const entry of list.every()) {
        if (entry.source.origin === 'file' && !wanted.has(keyOf(entry.source))) await forget(entry);
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
      for (const source of await store.all()) {
        if (list.find(source.projectId, source.id) === undefined) await list.put(source);
      }
      list.pump();
    },
  };
}

const keyOf = ({ projectId, id }: Source): string => JSON.stringify([projectId, id]);

function sameDefinition(a: Source, b: Source): boolean {
  const definition = ({ createdAt, updatedAt, ...rest }: Source) =>
    JSON.stringify(Object.entries(rest).sort());
  return definition(a) === definition(b);
}
