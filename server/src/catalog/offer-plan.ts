import { isDeepStrictEqual } from 'node:util';
import { type PackedListing, packed, type SourceOffer } from '#domain';
import { createRests, type Members } from '#foundation';
import { type EntryKind, entryId } from './entry-id.ts';
import { createFactMaker, type KeptFacts, type KeptTool, newTool, versionKey } from './kept-tool.ts';
import type { Place } from './pin-store.ts';
import { ownMember, type StoredEntries, type StoredEntry, type StoredOffer } from './stored-offer.ts';
import { toolId } from './tool-id.ts';

/** A row of one version of a tool. */
export interface ToolRow {
  readonly tool: KeptTool;
  readonly position: number;
}

/** How what a source lists differs from what is kept of it. */
export interface OfferPlan {
  /** What is kept once it is done. */
  readonly after: StoredOffer;
  readonly put: readonly ToolRow[];
  /** Those that only stand at another place. */
  readonly moved: readonly ToolRow[];
  readonly gone: readonly KeptTool[];
  readonly entriesDiffer: boolean;
  /** Whether there is anything of this to write. */
  readonly isNothing: boolean;
}

/** `before`: what is kept; tools that are the same stay the same objects, and have their texts where the new ones are. */
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
  const isSame = tools.isNothing && !entriesDiffer && before !== undefined;
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
    tools: tools.isNothing && before !== undefined ? before.tools : tools.after,
  };
  return { ...tools, after, entriesDiffer, isNothing: isSame && isSaid };
}

async function planTools(
  offer: StoredOffer | undefined,
  place: Place,
  listings: readonly PackedListing[],
  nowMs: number,
) {
  const rests = createRests();
  const factsOf = createFactMaker();
  const before = offer?.tools ?? [];
  // Positions that an older version wrote have gaps.
  const arePlaced = offer?.revision !== null;
  const known = new Map(before.map((tool, position) => [keyOf(tool), { tool, position }]));
  const seen = new Map<string, number>();
  for (const { id, firstSeenMs } of before)
    seen.set(id, Math.min(firstSeenMs, seen.get(id) ?? Number.POSITIVE_INFINITY));
  const after = new Map<string, KeptTool>();
  const put: ToolRow[] = [];
  const moved: ToolRow[] = [];
  for (const listing of listings) {
    await rests();
    const position = after.size;
    const id = toolId(place.projectId, place.sourceId, listing.toolkit.name, listing.name);
    const key = versionKey(id, listing.toolkit.version);
    // A source that lists the same tool twice means the first one.
    if (after.has(key)) continue;
    const kept = known.get(key);
    if (kept !== undefined && kept.tool.listing.digest === listing.digest) {
      kept.tool.listing = listing;
      if (kept.position !== position || !arePlaced) moved.push({ tool: kept.tool, position });
      after.set(key, kept.tool);
      continue;
    }
    const facts: KeptFacts = factsOf(place, id, kept?.tool.firstSeenMs ?? seen.get(id) ?? nowMs, listing);
    const tool = newTool(facts, listing);
    put.push({ tool, position });
    after.set(key, tool);
  }
  const gone = before.filter((tool) => !after.has(keyOf(tool)));
  const isNothing = put.length + moved.length + gone.length === 0;
  return { after: [...after.values()], put, moved, gone, isNothing };
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
