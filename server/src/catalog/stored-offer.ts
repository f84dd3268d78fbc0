import type { RuleTarget, Tool, ToolListing } from '#domain';
import type { Members } from '#foundation';
import type { EntryKind } from './entry-id.ts';
import { traitsOf } from './tool-traits.ts';

/** A tool with what the catalog alone knows of it. Its `ruleName` is the index's to say. */
export interface StoredTool {
  readonly tool: Tool;
  readonly firstSeenMs: number;
}

/** A prompt, a resource or a template of resources. */
export interface StoredEntry {
  /** Its `ruleName` is the index's to say. */
  readonly target: RuleTarget;
  /** The source's own name, URI or URI template. */
  readonly own: string;
  readonly listed: Members;
  readonly available: boolean;
  readonly firstSeenMs: number;
}

/** Everything that one source offers, each kind in the source's own order. */
export interface StoredOffer {
  readonly projectId: string;
  readonly sourceId: string;
  readonly available: boolean;
  readonly capabilities: Members;
  readonly instructions: string;
  /** When the source first listed anything, whatever it has listed since. */
  readonly firstSeenMs: number;
  readonly tools: readonly StoredTool[];
  readonly prompts: readonly StoredEntry[];
  readonly resources: readonly StoredEntry[];
  readonly templates: readonly StoredEntry[];
}

export interface OfferRow extends Record<string, unknown> {
  project_id: string;
  source_id: string;
  available: boolean;
  capabilities: Members;
  instructions: string;
  first_seen: string;
}

export interface ToolRow extends Record<string, unknown> {
  id: string;
  project_id: string;
  source_id: string;
  available: boolean;
  listing: ToolListing;
  first_seen: string;
}

export interface EntryRow extends Record<string, unknown> {
  id: string;
  project_id: string;
  source_id: string;
  kind: EntryKind;
  listed: Members;
  first_seen: string;
}

/** The same offer, marked as available or not. */
export function madeAvailable(offer: StoredOffer, available: boolean): StoredOffer {
  if (offer.available === available) return offer;
  const marked = <Entry extends object>(entries: readonly Entry[]) =>
    entries.map((entry) => ({ ...entry, available }));
  return {
    ...offer,
    available,
    tools: offer.tools.map((stored) => ({ ...stored, tool: { ...stored.tool, available } })),
    prompts: marked(offer.prompts),
    resources: marked(offer.resources),
    templates: marked(offer.templates),
  };
}

/** The same offer, with those of its tools marked that are held back. */
export function withHeld(offer: StoredOffer, held: ReadonlySet<string> | null): StoredOffer {
  if (held === null || held.size === 0) return offer;
  const tools = offer.tools.map((stored) =>
    held.has(stored.tool.id) ? { ...stored, tool: { ...stored.tool, quarantined: true } } : stored,
  );
  return { ...offer, tools };
}

/** The member of an entry that says what it is called. */
export const ownMember = { prompt: 'name', resource: 'uri', template: 'uriTemplate' } as const;

export function offerOf(row: OfferRow, tools: readonly ToolRow[], entries: readonly EntryRow[]): StoredOffer {
  const ofKind = (wanted: EntryKind) =>
    entries.filter(({ kind }) => kind === wanted).map((entry) => entryOf(entry, row.available));
  return {
    projectId: row.project_id,
    sourceId: row.source_id,
    available: row.available,
    capabilities: row.capabilities,
    instructions: row.instructions,
    firstSeenMs: Date.parse(row.first_seen),
    tools: tools.map(storedToolOf),
    prompts: ofKind('prompt'),
    resources: ofKind('resource'),
    templates: ofKind('template'),
  };
}

function storedToolOf(row: ToolRow): StoredTool {
  const qualifiedName = `${row.listing.toolkit.name}.${row.listing.name}`;
  return {
    tool: {
      ...row.listing,
      id: row.id,
      projectId: row.project_id,
      sourceId: row.source_id,
      qualifiedName,
      ruleName: qualifiedName,
      traits: traitsOf(row.listing),
      available: row.available,
      quarantined: false,
    },
    firstSeenMs: Date.parse(row.first_seen),
  };
}

function entryOf(row: EntryRow, available: boolean): StoredEntry {
  const own = row.listed[ownMember[row.kind]] as string;
  const { id, project_id: projectId, source_id: sourceId } = row;
  return {
    target: { id, projectId, sourceId, ruleName: `${sourceId}.${own}` },
    own,
    listed: row.listed,
    available,
    firstSeenMs: Date.parse(row.first_seen),
  };
}
