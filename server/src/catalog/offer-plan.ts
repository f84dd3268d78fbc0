import { isDeepStrictEqual } from 'node:util';
import { type Block, type PackedListing, packAgain, packed, type SeenTools, type SourceOffer } from '#domain';
import { createRests, type Members } from '#foundation';
import { type EntryKind, entryId } from './entry-id.ts';
import { KeptTool, newTool, versionKey } from './kept-tool.ts';
import { blocksOf, columnsOf, packJson } from './packed-tools.ts';
import type { Place } from './pin-store.ts';
import { ownMember, type StoredEntries, type StoredEntry, type StoredOffer } from './stored-offer.ts';
import { toolId } from './tool-id.ts';

/** How what a source lists differs from what is kept of it. */
export interface OfferPlan {
  /** What is kept once it is done. */
  readonly after: StoredOffer;
  /** `null`: the tools are what they were. */
  readonly tools: ToolsPlan | null;
  readonly seen: SeenTools | null;
  readonly entriesDiffer: boolean;
  /** Whether there is anything of this to write. */
  readonly isNothing: boolean;
}

/** How what is kept of tools is written. */
export interface ToolsPlan {
  /** All but the definitions. */
  readonly columns: Uint8Array;
  readonly put: readonly Block[];
  /** Ids of blocks in which nothing lies any more; `null`: of whatever there is, as an older version wrote it. */
  readonly gone: readonly string[] | null;
}

/** `before`: what is kept; tools that are the same stay the same objects, and their definitions where they lie. */
export async function planOffer(
  before: StoredOffer | undefined,
  place: Place,
  offer: SourceOffer,
  { nowIso, revision }: { readonly nowIso: string; readonly revision: string },
): Promise<OfferPlan> {
  const nowMs = Date.parse(nowIso);
  const tools = await planTools(before, place, packed(offer.tools), nowMs);
  const entries = entriesAfter(before, place, offer, nowMs);
  const said = { capabilities: offer.capabilities, instructions: offer.instructions ?? '' };
  const entriesDiffer = !isDeepStrictEqual(listedIn(before), listedIn(entries));
  const isSame = tools === null && !entriesDiffer && before !== undefined;
  const isSaid =
    before?.available === true &&
    before.instructions === said.instructions &&
    isDeepStrictEqual(before.capabilities, said.capabilities);
  const after: StoredOffer = {
    ...place,
    ...said,
    ...(entriesDiffer || before === undefined ? entries : entriesOf(before)),
    available: true,
    firstSeenMs: before?.firstSeenMs ?? nowMs,
    revision: isSame ? before.revision : revision,
    tools: tools === null ? (before?.tools ?? []) : tools.after,
    unread: null,
  };
  const seen = offer.seen ?? null;
  return { after, tools: tools?.plan ?? null, seen, entriesDiffer, isNothing: isSame && isSaid };
}

async function planTools(
  offer: StoredOffer | undefined,
  place: Place,
  listings: readonly PackedListing[],
  nowMs: number,
): Promise<{ readonly after: readonly KeptTool[]; readonly plan: ToolsPlan } | null> {
  const isOlder = offer === undefined || offer.revision === null;
  const before = offer?.tools ?? [];
  // As most lists are when a server starts: that leaves no garbage behind.
  if (!isOlder && areListed(before, listings)) return null;
  const blocksBefore = blocksOf(before);
  const listed = await toolsAfter(before, place, listings, nowMs);
  if (!isOlder && listed.length === before.length && listed.every((tool, at) => tool === before[at]))
    return null;
  const after = blocksOf(listed).size > maxBlocksOf(listed.length) ? besideEachOther(listed) : listed;
  const blocks = blocksOf(after);
  const put = [...blocks.values()].filter(({ id }) => isOlder || !blocksBefore.has(id));
  const gone = isOlder ? null : [...blocksBefore.keys()].filter((id) => !blocks.has(id));
  return { after, plan: { columns: await packJson(await columnsOf(after)), put, gone } };
}

function areListed(tools: readonly KeptTool[], listings: readonly PackedListing[]): boolean {
  return tools.length === listings.length && tools.every(({ listing }, at) => listing === listings[at]);
}

/** Of changes that come one by one, each makes a block: a quarter as many blocks as tools are as many as are kept. */
const maxBlocksOf = (tools: number): number => 64 + tools / 4;

/** Others than they were: those stay as they are kept until this is. */
function besideEachOther(tools: readonly KeptTool[]): readonly KeptTool[] {
  const again = packAgain(tools.map(({ listing }) => listing));
  return tools.map((tool, at) => new KeptTool(tool, tool, again[at] as PackedListing));
}

async function toolsAfter(
  before: readonly KeptTool[],
  place: Place,
  listings: readonly PackedListing[],
  nowMs: number,
): Promise<readonly KeptTool[]> {
  const rests = createRests();
  const byListing = new Map(before.map((tool) => [tool.listing, tool]));
  const known = new Map(before.map((tool) => [keyOf(tool), tool]));
  let seen: ReadonlyMap<string, number> | null = null;
  const after = new Map<string, KeptTool>();
  for (const listing of listings) {
    await rests();
    const same = byListing.get(listing);
    const id = same?.id ?? toolId(place.projectId, place.sourceId, listing.toolkit.name, listing.name);
    const key = versionKey(id, listing.toolkit.version);
    // A source that lists the same tool twice means the first one.
    if (after.has(key)) continue;
    const kept = same ?? known.get(key);
    if (kept?.listing.digest === listing.digest) {
      // One object for whoever keeps either.
      Object.assign(listing, { block: kept.listing.block, line: kept.listing.line });
      kept.listing = listing;
      after.set(key, kept);
      continue;
    }
    seen ??= firstSeen(before);
    const firstSeenMs = kept?.firstSeenMs ?? seen.get(id) ?? nowMs;
    after.set(key, newTool({ id, place, firstSeenMs }, listing));
  }
  return [...after.values()];
}

/** Whatever the version. */
function firstSeen(tools: readonly KeptTool[]): ReadonlyMap<string, number> {
  const seen = new Map<string, number>();
  for (const { id, firstSeenMs } of tools)
    seen.set(id, Math.min(firstSeenMs, seen.get(id) ?? Number.POSITIVE_INFINITY));
  return seen;
}

const keyOf = ({ id, toolkit }: KeptTool): string => versionKey(id, toolkit.version);

const entriesOf = ({ prompts, resources, templates }: StoredEntries): StoredEntries => ({
  prompts,
  resources,
  templates,
});

/** What is compared of entries: neither when they were seen first nor how rules know them. */
function listedIn(entries: StoredEntries | undefined): readonly unknown[] {
  const said = ({ target, own, listed }: StoredEntry) => [target.id, own, Object.entries(listed)];
  return Object.values(entries === undefined ? {} : entriesOf(entries)).map((kind) => kind.map(said));
}

function entriesAfter(
  before: StoredOffer | undefined,
  place: Place,
  { prompts, resources, templates }: SourceOffer,
  nowMs: number,
): StoredEntries {
  const { projectId, sourceId } = place;
  const known = before === undefined ? [] : Object.values(entriesOf(before)).flat();
  const seen = new Map(known.map(({ target, firstSeenMs }) => [target.id, firstSeenMs]));
  const entries = (kind: EntryKind, given: readonly { readonly own: string; readonly listed: Members }[]) => {
    const byId = new Map<string, StoredEntry>();
    for (const { own, listed } of given) {
      const id = entryId(kind, projectId, sourceId, own);
      if (byId.has(id)) continue;
      byId.set(id, {
        target: { id, projectId, sourceId, ruleName: `${sourceId}.${own}` },
        own,
        listed: { ...listed, [ownMember[kind]]: own },
        available: true,
        firstSeenMs: seen.get(id) ?? nowMs,
      });
    }
    return [...byId.values()];
  };
  return {
    prompts: entries(
      'prompt',
      prompts.map(({ name: own, listed }) => ({ own, listed })),
    ),
    resources: entries(
      'resource',
      resources.map(({ uri: own, listed }) => ({ own, listed })),
    ),
    templates: entries(
      'template',
      templates.map(({ uriTemplate: own, listed }) => ({ own, listed })),
    ),
  };
}
