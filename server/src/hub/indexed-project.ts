import type { OffersChange } from '#catalog';
import type { Tool } from '#domain';
import { atMost, messageOf } from '#foundation';
import { createIndexWriter } from './index-writer.ts';
import type { IndexingDeps } from './indexing.ts';
import type { SearchEngine, SearchIndex } from './search/contract.ts';
import { createSnapshot } from './snapshot.ts';
import { createToBeIndexed } from './to-be-indexed.ts';

/** What takes longer to be put in is found when it is there; before the first few are in, nothing is. */
const waitAtMostMs = { first: 10_000, later: 1000 } as const;
/** Of which so many are due is not waited for: that takes longer. */
const manyDue = 5000;

/** The index of one project, kept in step with the catalog and with what is said of its tools. */
export function createIndexedProject(projectId: string, opening: Promise<SearchEngine>, deps: IndexingDeps) {
  const { catalog, clock, log, finder } = deps;
  const opened = opening.then((engine) => engine.index(projectId));
  opened.catch(() => undefined);
  const due = createToBeIndexed(() => catalog.toolLists(projectId));
  const snapshot = createSnapshot(deps.snapshotOf(projectId), deps);
  let running: Promise<void> | null = null;
  let kept: Promise<void> = Promise.resolve();
  let isLoaded = false;
  let wasWhole = false;
  let isClosed = false;
  const stopKeeping = snapshot.nowAndThen(() => {
    if (running === null) kept = kept.then(keep);
  });

  /** What is due, whatever comes to it meanwhile. */
  function run(): void {
    running ??= work().then(
      () => {
        running = null;
        if (due.count() > 0 && !isClosed) run();
      },
      (error) => {
        running = null;
        // Whoever asks next has all of it looked at again.
        due.everything();
        log.error({ project: projectId, error: messageOf(error) }, 'tools could not be indexed');
      },
    );
  }

  async function keep(): Promise<void> {
    if (isLoaded) await (isClosed ? snapshot.keepLast : snapshot.keep)(await opened);
  }

  async function work(): Promise<void> {
    const index = await opened;
    if (!isLoaded) await snapshot.load(index);
    isLoaded = true;
    const writer = createIndexWriter(projectId, index, snapshot.outdated, deps);
    while (!isClosed) {
      const removed = due.removed();
      const tools = removed.length > 0 ? [] : await dueTools();
      if (removed.length > 0) await writer.remove(removed);
      else if (tools.length > 0) await writer.put(tools);
      else if (due.wereAll()) await writer.keepOnly(catalog.toolLists(projectId));
      else break;
    }
    await writer.end();
    wasWhole = true;
  }

  async function dueTools(): Promise<readonly Tool[]> {
    const said = due.said();
    if (said.length > 0) {
      const found = await finder.find(catalog.toolLists(projectId), said);
      due.found([...found.values()].map(({ tool }) => tool));
    }
    return due.tools();
  }

  return {
    changed(change: OffersChange | null): void {
      if (change === null) due.everything();
      else due.changed(change);
      if (!isClosed) run();
    },
    /** Something is said of these tools: what the catalog has of them is as it was. */
    said(toolIds: readonly string[] | null): void {
      if (toolIds === null) due.everything();
      else due.saidOf(toolIds);
      if (!isClosed) run();
    },
    /** As it is, or will be in a moment. */
    async now(): Promise<SearchIndex> {
      if (running === null && due.count() > 0) run();
      const index = await opened;
      const isFew = due.count() < manyDue;
      const { first, later } = waitAtMostMs;
      if (running !== null && (index.size === 0 || isFew))
        await atMost(clock, isFew && !wasWhole ? first : later, running);
      return index;
    },
    /** Done when what is due now is in, or could not be put in. */
    async settled(): Promise<void> {
      await running;
    },
    async close(): Promise<void> {
      isClosed = true;
      stopKeeping();
      await running;
      await kept.then(keep);
    },
  };
}
