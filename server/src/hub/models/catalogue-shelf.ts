import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Catalog, OffersChange } from '#catalog';
import type { Tool } from '#domain';
import { createTurns, messageOf } from '#foundation';
import type { Log } from '#telemetry';
import { createToolShelf, type ToolShelf } from './tool-shelf.ts';

export interface CatalogueDeps {
  readonly catalog: Pick<Catalog, 'tools' | 'onOffersChange'>;
  readonly projectIds: () => Iterable<string>;
  readonly log: Log;
}

const hashedAtOnce = 50;

/** A shelf with the tools of the catalogue as they are now, while somebody wants it. */
export interface CatalogueShelf extends ToolShelf {
  fill(isWanted: boolean): void;
}

export function createCatalogueShelf({ catalog, projectIds, log }: CatalogueDeps): CatalogueShelf {
  const shelf = createToolShelf();
  const inTurn = createTurns();
  let stopHearing: (() => void) | null = null;

  /** Everything else goes on in between. */
  async function putAll(tools: readonly Tool[]): Promise<void> {
    for (let at = 0; at < tools.length && stopHearing !== null; at += hashedAtOnce) {
      for (const tool of tools.slice(at, at + hashedAtOnce)) shelf.put(tool);
      await nextTurn();
    }
  }

  async function take(projectId: string, change: OffersChange | null): Promise<void> {
    if (stopHearing === null) return;
    if (change === null) {
      const tools = catalog.tools(projectId);
      shelf.keepOnly(projectId, new Set(tools.map(({ id }) => id)));
      await putAll(tools);
    } else {
      for (const id of change.removed) shelf.remove(id);
      await putAll(change.put);
    }
  }

  function hear(projectId: string, change: OffersChange | null): void {
    inTurn(() => take(projectId, change)).catch((error) =>
      log.error({ error: messageOf(error) }, 'models are not told of tools that changed'),
    );
  }

  return {
    ...shelf,
    fill(isWanted) {
      if (isWanted && stopHearing === null) {
        stopHearing = catalog.onOffersChange(hear);
        for (const projectId of projectIds()) hear(projectId, null);
      } else if (!isWanted && stopHearing !== null) {
        stopHearing();
        stopHearing = null;
        shelf.clear();
      }
    },
  };
}
