import { createHash } from 'node:crypto';
import { newBlock } from '#domain';
import { blocksOf, columnsOf, packJson, type ToolColumns, toolsOf, unpackJson } from './packed-tools.ts';
import type { Place } from './pin-store.ts';
import type { StoredEntries, StoredOffer } from './stored-offer.ts';

/** One source's part of a snapshot: what is known of its tools, and their definitions as they lie in memory. */
export interface SnapshotPart {
  readonly head: Uint8Array;
  readonly blocks: readonly Uint8Array[];
}

/** What a snapshot knows of a source: the rest is small, and the database is asked for it. */
export type SnapshotOffer = Place & StoredEntries & Pick<StoredOffer, 'revision' | 'tools'>;

interface Head extends Place, StoredEntries {
  readonly revision: string;
  readonly tools: ToolColumns;
  /** In the order of the blocks in the columns. */
  readonly blockSizes: readonly number[];
}

/** `null` where an older version wrote it to the database. */
export async function partOf(offer: StoredOffer): Promise<SnapshotPart | null> {
  const { projectId, sourceId, revision, tools, prompts, resources, templates } = offer;
  if (revision === null) return null;
  const columns = await columnsOf(tools);
  const all = blocksOf(tools);
  const blocks = columns.blocks.values.map((id) => all.get(id)?.bytes ?? new Uint8Array());
  const head: Head = {
    ...{ projectId, sourceId, revision, prompts, resources, templates },
    tools: columns,
    blockSizes: blocks.map(({ length }) => length),
  };
  return { head: await packJson(head), blocks };
}

/** Throws where the parts are not what `partOf` made. `bytes`: all blocks, one after another. */
export async function offerOf(headBytes: Uint8Array, bytes: Uint8Array): Promise<SnapshotOffer> {
  const head = (await unpackJson(headBytes)) as Head;
  const { projectId, sourceId, revision, prompts, resources, templates } = head;
  const place: Place = { projectId, sourceId };
  let from = 0;
  const blocks = head.blockSizes.map((size, at) => {
    const block = newBlock(bytes.subarray(from, from + size), head.tools.blocks.values[at]);
    from += size;
    return [block.id, block] as const;
  });
  const tools = await toolsOf(place, head.tools, new Map(blocks));
  return { ...place, revision, tools, prompts, resources, templates };
}

export function checksumOf(parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
