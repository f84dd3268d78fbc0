import { hash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { ownText } from '#foundation';
import type { ToolTraits } from './offer.ts';
import type { ToolListing } from './tool.ts';
import { traitsOf, uiUrisOf } from './tool-traits.ts';

/** As many definitions are compressed together: more would be smaller, and take longer to look into. */
const perBlock = 16;
/** What comes of a block is small, and room for it costs more than to fill it. */
const compression = { level: 1, memLevel: 9, chunkSize: 16 * 1024 };
const decompression = { chunkSize: 128 * 1024 };
/** Definitions that are kept as objects: those that were asked for last, and as many before them. */
const maxParsed = 1024;
/** Of toolkits and the like that tools have in common; beyond, each tool has its own. */
const maxShared = 4096;
const digestLength = 22;

/** Where the bytes of a block lie that are not in memory. */
export interface BlockPlace {
  /** Reads them anew each time; throws where they cannot be read, or are others than they were. */
  read(id: string): Uint8Array;
}

let blocks = 0;

/** The texts of a few listings, each on a line; compressed. */
export class Block {
  readonly number = blocks++;
  /** The same for the same bytes. */
  readonly id: string;
  /** May be put in another place, where they are the same. */
  lies: Uint8Array | BlockPlace;

  constructor(lies: Uint8Array | BlockPlace, id: string) {
    this.lies = lies;
    this.id = id;
  }

  get bytes(): Uint8Array {
    return this.lies instanceof Uint8Array ? this.lies : this.lies.read(this.id);
  }
}

type Body = Omit<ToolListing, 'toolkit' | 'name' | 'requirements' | 'metadata'>;

/** What is asked of every tool again and again, and is the same for many. */
export type ListingKind = Pick<ToolListing, 'requirements' | 'metadata'> & {
  readonly traits: ToolTraits;
  /** The resources that it refers to as its user interface. */
  readonly uiUris: readonly string[];
};

/** What is asked of every tool again and again. */
export type ListingHead = Pick<ToolListing, 'toolkit' | 'name'> & {
  /** The same as long as all that is said of the tool is, but for its name and its version. */
  readonly digest: string;
  readonly kind: ListingKind;
};

/** What a source says about a tool, kept small: most of it is read from a compressed text when it is asked for. */
export class PackedListing implements ToolListing {
  readonly toolkit: ToolListing['toolkit'];
  readonly name: string;
  readonly digest: string;
  readonly kind: ListingKind;
  /** May be put in another place, where it says the same. */
  block: Block;
  line: number;

  constructor(head: ListingHead, block: Block, line: number) {
    this.toolkit = head.toolkit;
    this.name = head.name;
    this.digest = head.digest;
    this.kind = head.kind;
    this.block = block;
    this.line = line;
  }

  get requirements(): ToolListing['requirements'] {
    return this.kind.requirements;
  }
  get metadata(): ToolListing['metadata'] {
    return this.kind.metadata;
  }
  get traits(): ToolTraits {
    return this.kind.traits;
  }
  get uiUris(): readonly string[] {
    return this.kind.uiUris;
  }
  get description(): string {
    return bodyOf(this).description;
  }
  get inputSchema(): ToolListing['inputSchema'] {
    return bodyOf(this).inputSchema;
  }
  get outputSchema(): ToolListing['outputSchema'] {
    return bodyOf(this).outputSchema;
  }
  get parameters(): ToolListing['parameters'] {
    return bodyOf(this).parameters;
  }
  get output(): ToolListing['output'] {
    return bodyOf(this).output;
  }
  get mcp(): ToolListing['mcp'] {
    return bodyOf(this).mcp;
  }
  /** All of it, as JSON. */
  get text(): string {
    return textOf(this);
  }
}

function digestOf(said: string | Uint8Array): string {
  return ownText(hash('sha256', said, 'base64url').slice(0, digestLength));
}

/** Of what lies in a block: its id. */
export const blockId = (bytes: Uint8Array): string => digestOf(bytes);

/** Of bytes in memory. */
export const newBlock = (bytes: Uint8Array): Block => new Block(bytes, blockId(bytes));

function packTexts(texts: readonly string[]): Block {
  // What zlib returns is a part of something larger.
  return newBlock(new Uint8Array(deflateRawSync(texts.join('\n'), compression)));
}

/** The same beside each other again, where they have come to lie in many blocks. */
export function packAgain(listings: readonly PackedListing[]): readonly PackedListing[] {
  const again: PackedListing[] = [];
  for (let from = 0; from < listings.length; from += perBlock) {
    const beside = listings.slice(from, from + perBlock);
    const block = packTexts(beside.map(textOf));
    for (const [line, listing] of beside.entries()) again.push(new PackedListing(listing, block, line));
  }
  return again;
}

let looked: { readonly block: Block; readonly lines: readonly string[] } | null = null;

function textOf({ block, line }: PackedListing): string {
  if (looked?.block !== block) {
    looked = { block, lines: inflateRawSync(block.bytes, decompression).toString('utf8').split('\n') };
  }
  return looked.lines[line] as string;
}

let parsed = new Map<number, Body>();
let parsedBefore = new Map<number, Body>();

function bodyOf(listing: PackedListing): Body {
  const key = listing.block.number * perBlock + listing.line;
  const known = parsed.get(key);
  if (known !== undefined) return known;
  const body = parsedBefore.get(key) ?? (JSON.parse(textOf(listing)) as Body);
  if (parsed.size >= maxParsed) {
    parsedBefore = parsed;
    parsed = new Map();
  }
  parsed.set(key, body);
  return body;
}

/** Packs one listing after another; those that follow each other lie beside each other. */
export interface Packer {
  /** `text`: its JSON, where that is at hand. */
  add(listing: ToolListing, text?: string): void;
  /** How many were added. */
  readonly count: number;
  /** All that were added, in their order. */
  finish(): PackedListing[];
}

export function createPacker(): Packer {
  const packed: PackedListing[] = [];
  const shared = createShared();
  let heads: ListingHead[] = [];
  let texts: string[] = [];

  function flush(): void {
    if (heads.length === 0) return;
    const block = packTexts(texts);
    for (const [line, head] of heads.entries()) packed.push(new PackedListing(head, block, line));
    heads = [];
    texts = [];
  }

  return {
    get count() {
      return packed.length + heads.length;
    },
    add(listing, text) {
      const { toolkit, name } = listing;
      const beginning = `{"toolkit":${JSON.stringify(toolkit)},"name":${JSON.stringify(name)},`;
      // A text of another version may be in another order.
      const whole = text?.startsWith(beginning) === true ? text : JSON.stringify(ordered(listing));
      const said = JSON.stringify(toolkit.description) + whole.slice(beginning.length);
      heads.push({
        toolkit: shared(toolkit),
        name,
        digest: digestOf(said),
        kind: kindOf(listing, shared),
      });
      texts.push(whole);
      if (heads.length === perBlock) flush();
    },
    finish() {
      flush();
      return packed;
    },
  };
}

/** Each part of it is shared, too: of parts that are the same objects, one is written where they are kept. */
function kindOf(listing: ToolListing, shared: ReturnType<typeof createShared>): ListingKind {
  const { requirements, metadata } = listing;
  return shared({
    requirements: shared(requirements),
    metadata: metadata === null ? null : shared(metadata),
    traits: shared(traitsOf(listing)),
    uiUris: shared(uiUrisOf(listing)),
  });
}

function ordered(listing: ToolListing): ToolListing {
  const { toolkit, name, description, inputSchema, outputSchema } = listing;
  const { parameters, output, requirements, metadata, mcp } = listing;
  return {
    ...{ toolkit, name, description, inputSchema, outputSchema },
    ...{ parameters, output, requirements, metadata, mcp },
  };
}

/** The first of all that say the same. */
export function createShared(): <Value extends object>(value: Value) => Value {
  const known = new Map<string, object>();
  return <Value extends object>(value: Value): Value => {
    const text = JSON.stringify(value);
    const first = known.get(text);
    if (first !== undefined) return first as Value;
    if (known.size < maxShared) known.set(text, value);
    return value;
  };
}

/** Listings as they are kept: those that are packed already are what they were. */
export function packed(listings: readonly ToolListing[]): readonly PackedListing[] {
  if (listings.every((listing) => listing instanceof PackedListing)) return listings;
  const packer = createPacker();
  for (const listing of listings) packer.add(listing);
  return packer.finish();
}
