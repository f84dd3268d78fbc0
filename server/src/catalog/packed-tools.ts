import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import { type Block, type ListingKind, PackedListing, type ToolListing, type ToolTraits } from '#domain';
import { createRests } from '#foundation';
import { type KeptTool, newTool, versionKey } from './kept-tool.ts';
import type { Place } from './pin-store.ts';

/** The tools of a source as columns, but for their definitions; what many have in common stands in a list, and they have its place there. */
export interface ToolColumns {
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
  /** The blocks in which definitions lie, by their ids. */
  readonly blocks: Column<string>;
  readonly lines: readonly number[];
}

interface Column<Value> {
  readonly values: readonly Value[];
  readonly of: readonly number[];
}

const compression = { level: 1 };
const deflated = promisify(deflateRaw);
const inflated = promisify(inflateRaw);

export async function columnsOf(tools: readonly KeptTool[]): Promise<ToolColumns> {
  // Where each lies at one moment.
  const lines = tools.map(({ listing }) => listing.line);
  const blocks = tools.map(({ listing }) => listing.block.id);
  return {
    ids: tools.map(({ id }) => id),
    names: tools.map(({ listing }) => listing.name),
    digests: tools.map(({ listing }) => listing.digest),
    firstSeenMs: tools.map(({ firstSeenMs }) => firstSeenMs),
    shared: {
      toolkits: await columnOf(tools, ({ toolkit }) => toolkit),
      requirements: await columnOf(tools, ({ requirements }) => requirements),
      metadata: await columnOf(tools, ({ metadata }) => metadata),
      traits: await columnOf(tools, ({ traits }) => traits),
      uiUris: await columnOf(tools, ({ uiUris }) => uiUris),
    },
    blocks: await columnOf(blocks, (id) => id),
    lines,
  };
}

async function columnOf<From, Value>(
  all: readonly From[],
  read: (one: From) => Value,
): Promise<Column<Value>> {
  const rests = createRests();
  const places = new Map<Value, number>();
  const of: number[] = [];
  for (const one of all) {
    await rests();
    const value = read(one);
    const place = places.get(value) ?? places.size;
    places.set(value, place);
    of.push(place);
  }
  return { values: [...places.keys()], of };
}

/**
 * `blocks`: by their ids; tools whose block is not there are left out. Tools that are known as they are stay the same objects, and lie
 * where they are said to lie.
 */
export async function toolsOf(
  place: Place,
  columns: ToolColumns,
  blocks: ReadonlyMap<string, Block>,
  known: readonly KeptTool[] = [],
): Promise<readonly KeptTool[]> {
  const rests = createRests();
  const { shared } = columns;
  const kindAt = kindsIn(columns);
  const before = new Map(known.map((tool) => [versionKey(tool.id, tool.toolkit.version), tool]));
  const tools: KeptTool[] = [];
  for (const [at, id] of columns.ids.entries()) {
    await rests();
    const block = blocks.get(sharedBy(columns.blocks, at));
    if (block === undefined) continue;
    const line = columns.lines[at] as number;
    const toolkit = sharedBy(shared.toolkits, at);
    const digest = columns.digests[at] as string;
    const firstSeenMs = columns.firstSeenMs[at] as number;
    const kept = before.get(versionKey(id, toolkit.version));
    if (kept?.listing.digest === digest && kept.firstSeenMs === firstSeenMs) {
      Object.assign(kept.listing, { block, line });
      tools.push(kept);
      continue;
    }
    const head = { toolkit, digest, name: columns.names[at] as string, kind: kindAt(at) };
    tools.push(newTool({ id, place, firstSeenMs }, new PackedListing(head, block, line)));
  }
  return tools;
}

/** Of tools that have all of it in common, the same object. */
function kindsIn({ shared }: ToolColumns): (at: number) => ListingKind {
  const { requirements, metadata, traits, uiUris } = shared;
  const known = new Map<string, ListingKind>();
  return (at) => {
    const key = `${requirements.of[at]} ${metadata.of[at]} ${traits.of[at]} ${uiUris.of[at]}`;
    let kind = known.get(key);
    if (kind === undefined) {
      kind = {
        requirements: sharedBy(requirements, at),
        metadata: sharedBy(metadata, at),
        traits: sharedBy(traits, at),
        uiUris: sharedBy(uiUris, at),
      };
      known.set(key, kind);
    }
    return kind;
  };
}

function sharedBy<Value>({ values, of }: Column<Value>, at: number): Value {
  return values[of[at] as number] as Value;
}

/** The names of their toolkits, each once. */
export const toolkitsIn = ({ shared }: ToolColumns): readonly string[] => namesOf(shared.toolkits.values);

export const toolkitsOfTools = (tools: readonly KeptTool[]): readonly string[] =>
  namesOf(tools.map(({ toolkit }) => toolkit));

const namesOf = (toolkits: readonly ToolListing['toolkit'][]): readonly string[] => [
  ...new Set(toolkits.map(({ name }) => name)),
];

/** The blocks in which the definitions of tools lie, each once. */
export function blocksOf(tools: readonly KeptTool[]): ReadonlyMap<string, Block> {
  const blocks = new Map<string, Block>();
  let last: Block | null = null;
  for (const { listing } of tools) {
    if (listing.block === last) continue;
    last = listing.block;
    blocks.set(last.id, last);
  }
  return blocks;
}

export const packJson = (value: unknown): Promise<Buffer> => deflated(JSON.stringify(value), compression);

export const unpackJson = async (bytes: Uint8Array): Promise<unknown> =>
  JSON.parse((await inflated(bytes)).toString('utf8'));
