import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import { type Block, newBlock, PackedListing, type ToolListing, type ToolTraits } from '#domain';
import { createRests } from '#foundation';
import { type KeptTool, newTool } from './kept-tool.ts';
import type { Place } from './pin-store.ts';
import type { StoredEntries, StoredOffer } from './stored-offer.ts';

/** One source's part of a snapshot: what is known of its tools, and their definitions as they lie in memory. */
export interface SnapshotPart {
  readonly head: Uint8Array;
  readonly blocks: readonly Uint8Array[];
}

/** What a snapshot knows of a source: the rest is small, and the database is asked for it. */
export type SnapshotOffer = Place & StoredEntries & Pick<StoredOffer, 'revision' | 'tools'>;

/** Tools as columns; what many have in common stands in a list, and they have its place there. */
interface Head extends Place, StoredEntries {
  readonly revision: string;
  readonly ids: readonly string[];
  readonly names: readonly string[];
  readonly digests: readonly string[];
  readonly firstSeenMs: readonly number[];
  readonly shared: {
    readonly toolkits: Column<ToolListing['toolkit']>;
    readonly requirements: Column<ToolListing['requirements']>;
    readonly metadata: Column<ToolListing['metadata']>;
    readonly traits: Column<ToolTraits>;
    readonly uiUris: Column<readonly string[]>;
  };
  readonly blockSizes: readonly number[];
  readonly blocks: readonly number[];
  readonly lines: readonly number[];
}

interface Column<Value> {
  readonly values: readonly Value[];
  readonly of: readonly number[];
}

const compression = { level: 1 };
const pack = promisify(deflateRaw);
const unpack = promisify(inflateRaw);

/** `null` where an older version wrote it to the database. */
export async function partOf(offer: StoredOffer): Promise<SnapshotPart | null> {
  const { projectId, sourceId, revision, tools, prompts, resources, templates } = offer;
  if (revision === null) return null;
  const blocks = await columnOf(tools, ({ listing }) => listing.block);
  const head: Head = {
    ...{ projectId, sourceId, revision, prompts, resources, templates },
    ids: tools.map(({ id }) => id),
    names: tools.map(({ name }) => name),
    digests: tools.map(({ listing }) => listing.digest),
    firstSeenMs: tools.map(({ firstSeenMs }) => firstSeenMs),
    shared: {
      toolkits: await columnOf(tools, ({ toolkit }) => toolkit),
      requirements: await columnOf(tools, ({ requirements }) => requirements),
      metadata: await columnOf(tools, ({ metadata }) => metadata),
      traits: await columnOf(tools, ({ traits }) => traits),
      uiUris: await columnOf(tools, ({ uiUris }) => uiUris),
    },
    blockSizes: blocks.values.map(({ bytes }) => bytes.length),
    blocks: blocks.of,
    lines: tools.map(({ listing }) => listing.line),
  };
  return {
    head: await pack(JSON.stringify(head), compression),
    blocks: blocks.values.map(({ bytes }) => bytes),
  };
}

async function columnOf<Value>(
  tools: readonly KeptTool[],
  read: (tool: KeptTool) => Value,
): Promise<Column<Value>> {
  const rests = createRests();
  const places = new Map<Value, number>();
  const of: number[] = [];
  for (const tool of tools) {
    await rests();
    const value = read(tool);
    const place = places.get(value) ?? places.size;
    places.set(value, place);
    of.push(place);
  }
  return { values: [...places.keys()], of };
}

/** Throws where the parts are not what `partOf` made. `blocks`: all of them, one after another. */
export async function offerOf(headBytes: Uint8Array, blocks: Uint8Array): Promise<SnapshotOffer> {
  const rests = createRests();
  const head = JSON.parse((await unpack(headBytes)).toString('utf8')) as Head;
  const { projectId, sourceId, revision, prompts, resources, templates, shared } = head;
  const place: Place = { projectId, sourceId };
  const made: Block[] = [];
  let from = 0;
  for (const size of head.blockSizes) {
    made.push(newBlock(blocks.subarray(from, from + size)));
    from += size;
  }
  const tools: KeptTool[] = [];
  for (const [at, id] of head.ids.entries()) {
    await rests();
    const listing = new PackedListing(
      {
        name: head.names[at] as string,
        digest: head.digests[at] as string,
        toolkit: sharedBy(shared.toolkits, at),
        requirements: sharedBy(shared.requirements, at),
        metadata: sharedBy(shared.metadata, at),
      },
      made[head.blocks[at] as number] as Block,
      head.lines[at] as number,
    );
    const firstSeenMs = head.firstSeenMs[at] as number;
    const facts = {
      id,
      place,
      firstSeenMs,
      traits: sharedBy(shared.traits, at),
      uiUris: sharedBy(shared.uiUris, at),
    };
    tools.push(newTool(facts, listing));
  }
  return { ...place, revision, tools, prompts, resources, templates };
}

function sharedBy<Value>({ values, of }: Column<Value>, at: number): Value {
  return values[of[at] as number] as Value;
}

export function checksumOf(parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
