import { keyOfPlace, type Refusal, refusal, type Source, type SourceFailure } from '#domain';
import { atMost, err, type Result } from '#foundation';
import type { Announced } from './announcer.ts';
import type { Announcement, SourceConnection, SourceEvents, SourcesDeps } from './contract.ts';
import { type WatchDeps, type WatchedSource, watchSource } from './watched-source.ts';

const atOnce = 8;
/** How long sources may take to hear that their sessions are over. */
const goodbyeMs = 3000;

/** The sources that are watched, and the round in which they are looked at. */
export interface WatchList {
  find(projectId: string, id: string): WatchedSource | undefined;
  inProject(projectId: string): readonly WatchedSource[];
  every(): readonly WatchedSource[];
  open(source: Source, onListChanged: () => void): Result<SourceConnection, SourceFailure>;
  /** What is wrong with a definition before anything is connected. */
  flawOf(source: Source): Refusal | null;
  /** Watches the source in place of the one with its id. */
  put(source: Source): Promise<WatchedSource>;
  remove(entry: WatchedSource): Promise<void>;
  /** Looks at whatever is due, at a few sources at once; at nothing before it has begun. */
  pump(): void;
  begin(): void;
  close(): Promise<void>;
}

/** A hint that waits for its turn must not wait for much longer than that. */
const longestTickMs = 250;

export type WatchListDeps = SourcesDeps & { readonly onAnnouncement: (said: Announcement) => void };

export function createWatchList(deps: WatchListDeps): WatchList {
  const { clock, refreshEveryMs = 10_000, watches = true } = deps;
  const watched = new Map<string, Map<string, WatchedSource>>();
  const kinds = new Map(deps.kinds.map((kind) => [kind.kind, kind]));
  const hints = createHints(deps);
  const onHurry = watches ? pump : hints.give;
  const watchDeps: WatchDeps = { ...deps, refreshEveryMs, onHurry };
  const tickMs = Math.min(longestTickMs, Math.max(1, Math.round(refreshEveryMs / 10)));
  const stopTicking = watches ? clock.every(tickMs, pump) : () => undefined;
  let [hasBegun, closed] = [false, false];

  const find = (projectId: string, id: string) => watched.get(projectId)?.get(id);
  const every = () => [...watched.values()].flatMap((project) => [...project.values()]);

  function open(source: Source, onListChanged: () => void): Result<SourceConnection, SourceFailure> {
    const kind = kinds.get(source.kind);
    const { projectId, id: sourceId } = source;
    const onAnnouncement: SourceEvents['onAnnouncement'] = (conversation, notification) =>
      deps.onAnnouncement({ projectId, sourceId, conversation, notification });
    if (kind !== undefined) return kind.open(source, deps, { onListChanged, onAnnouncement });
    const message = `there is no kind of source called ${source.kind} here`;
    return err({ code: 'source.answer_invalid', message, step: 'address_resolved' });
  }

  function watch(source: Source, before: Announced): WatchedSource {
    const entry = watchSource(source, (onListChanged) => open(source, onListChanged), before, watchDeps);
    const project = watched.get(source.projectId) ?? new Map<string, WatchedSource>();
    watched.set(source.projectId, project.set(source.id, entry));
    return entry;
  }

  function pump(): void {
    if (closed || !hasBegun) return;
    const entries = every();
    let busy = entries.filter((entry) => entry.busy()).length;
    const due = entries.filter((entry) => !entry.busy() && entry.dueAt() <= clock.now());
    for (const entry of due.sort((a, b) => a.dueAt() - b.dueAt())) {
      if (busy >= atOnce) return;
      busy++;
      void entry.inspect().finally(() => queueMicrotask(pump));
    }
  }

  return {
    find,
    inProject: (projectId) => [...(watched.get(projectId)?.values() ?? [])],
    every,
    open,
    pump,
    begin() {
      hasBegun = watches;
      pump();
    },
    flawOf(source) {
      const opened = open(source, () => {});
      if (opened.ok) {
        void opened.value.close();
        return null;
      }
      const block = source.kind === 'worker' ? 'http' : 'mcp';
      const field = `${block}.${opened.error.step === 'address_resolved' ? 'uri' : 'headers'}`;
      return refusal('request.params_invalid', `${field}: ${opened.error.message}`, { field });
    },
    async put(source) {
      const before = find(source.projectId, source.id);
      // Without a pause in between, so that a call meets one of the two.
      const closing = before?.close();
      // Pinned in another way, the same list means something else.
      const repinned = before?.source.pin !== source.pin;
      const entry = watch(source, repinned ? null : (before?.announced() ?? null));
      if (before === undefined) deps.onPresence?.(source.projectId);
      await closing;
      return entry;
    },
    async remove(entry) {
      const { projectId, id } = entry.source;
      watched.get(projectId)?.delete(id);
      hints.forget(entry.source);
      deps.onPresence?.(projectId);
      await entry.close();
    },
    async close() {
      closed = true;
      stopTicking();
      const entries = every();
      await Promise.all(entries.map((entry) => entry.close()));
      await atMost(clock, goodbyeMs, Promise.all(entries.map((entry) => entry.over())));
    },
  };
}

const hintPauseMs = 500;

/** Hands on what hints at a change, where somebody else looks. A source that fails every call is told of now and then. */
function createHints({ clock, onHurry }: Pick<SourcesDeps, 'clock' | 'onHurry'>) {
  const givenAt = new Map<string, number>();
  return {
    give(source: Source): void {
      const now = clock.now();
      if (now - (givenAt.get(keyOfPlace(source)) ?? Number.NEGATIVE_INFINITY) < hintPauseMs) return;
      givenAt.set(keyOfPlace(source), now);
      onHurry?.(source.projectId, source.id);
    },
    forget: (source: Source): void => void givenAt.delete(keyOfPlace(source)),
  };
}
