import { secretReferences } from '@sallyport/contracts';
import {
  type Place,
  placeOfKey,
  type Refusal,
  type Source,
  type SourceFailure,
  type SourceReturn,
} from '#domain';
import { type Clock, createTurns, err, ok, type Result } from '#foundation';
import { createMetrics } from '#telemetry';
import type { Announcement, CallFailure, Sources, SourcesDeps } from './contract.ts';
import { createEdits } from './edits.ts';
import { createSourceTimes, type SourceName, type SourceTimes } from './source-times.ts';
import { healthyStatus, unhealthyStatus, unknownStatus } from './status.ts';
import { withSteps } from './steps.ts';
import { createSourceStore, topic } from './store.ts';
import { fullVeilOf } from './veil.ts';
import { createWatchList, type WatchList } from './watch-list.ts';
import type { WatchedSource } from './watched-source.ts';

/** Every source of the process. Opening is immediate; what a source offers is found out in the background. */
export async function createSources(deps: SourcesDeps): Promise<Sources> {
  const { clock, watches = true } = deps;
  const times = createSourceTimes(deps.metrics ?? createMetrics());
  const store = createSourceStore(deps.db, deps.changes, deps.vault);
  const listeners = new Set<(said: Announcement) => void>();
  const list = createWatchList({
    ...deps,
    onAnnouncement(said) {
      for (const listener of listeners) listener(said);
    },
  });
  const edits = createEdits(store, list, times, deps);
  const ask = createAsk(list, times, clock);
  // Nothing waits for the inspections that changes cause.
  const inTurn = createTurns();

  async function inspected(
    change: Promise<Result<WatchedSource, Refusal>>,
  ): Promise<Result<Source, Refusal>> {
    const changed = await change;
    if (!changed.ok) return changed;
    if (watches) await changed.value.inspect();
    return ok(changed.value.source);
  }

  const look = (place: Place | null) => inTurn(() => edits.look(place));
  deps.changes.on(topic, (key) => look(key === null ? null : placeOfKey(key)));
  await look(null);

  return {
    list: (projectId) => list.inProject(projectId).map(({ source }) => source),
    get: (projectId, id) => list.find(projectId, id)?.source ?? null,
    status: (projectId, id) => list.find(projectId, id)?.status() ?? unknownStatus(),
    challenge: (projectId, id) => list.find(projectId, id)?.challenge() ?? null,
    create: (given) => inspected(inTurn(() => edits.create(given))),
    update: (projectId, id, change) => inspected(inTurn(() => edits.update(projectId, id, change))),
    remove: (projectId, id) => inTurn(() => edits.remove(projectId, id)),
    applyFile: (sources) => inTurn(() => edits.applyFile(sources)),
    async refresh(projectId, id) {
      const entry = list.find(projectId, id);
      return (watches ? await entry?.inspect() : entry?.status()) ?? unknownStatus();
    },
    hurry: (projectId, id) => list.find(projectId, id)?.hurry(),
    sayAgain: (projectId, id) => list.find(projectId, id)?.sayAgain(),
    begin: () => list.begin(),
    close: () => list.close(),
    secretsChanged(projectId) {
      if (!watches) return;
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

    standsAlone(projectId, id, asksLater) {
      const connection = list.find(projectId, id)?.connection;
      return connection?.standsAlone === undefined ? false : connection.standsAlone(asksLater);
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
  return (
    name: SourceName,
    ask: (source: WatchedSource) => Promise<Result<SourceReturn, CallFailure>>,
  ): Promise<Result<SourceReturn, CallFailure>> => {
    const source = list.find(name.projectId, name.sourceId);
    if (source === undefined) return Promise.resolve(err(gone(name.sourceId)));
    const startedAt = clock.monotonic();
    return ask(source).then((returned) => {
      times.answered(name, clock.monotonic() - startedAt, returned);
      return returned;
    });
  };
}

function gone(sourceId: string): SourceFailure {
  const message = `the source ${sourceId} is not registered any more`;
  return { code: 'catalog.tool_unavailable', message, step: 'address_resolved' };
}
