import type { PinMode, ToolListing } from '#domain';
import { createRests, type Members } from '#foundation';
import type { PendingChange, Pin, Place } from './pin-store.ts';
import type { ToolChange } from './tool-change.ts';
import { definitionOf, differencesOf, digestOf } from './tool-definition.ts';
import { toolId } from './tool-id.ts';
import { compareVersions } from './versions.ts';

/** How many changes of one tool are remembered as recorded. */
const maxRecorded = 100;

/** One definition under which a tool is listed. */
export interface ListedDefinition {
  readonly qualifiedName: string;
  readonly version: string | null;
  readonly definition: Members;
  readonly digest: string;
}

/** A pin as it is saved; without a definition, the one that is kept stays. */
export type PinEdit = Pin & { readonly definition?: Members };

/** Each tool's definitions by its id: those of its versions, each once; of two of one version the first, as in the catalog. */
export async function definitionsById(
  { projectId, sourceId }: Place,
  listings: readonly ToolListing[],
): Promise<Map<string, readonly ListedDefinition[]>> {
  const tools = new Map<string, Map<string, ToolListing>>();
  for (const listing of listings) {
    const { toolkit, name } = listing;
    const id = toolId(projectId, sourceId, toolkit.name, name);
    const versions = tools.get(id) ?? new Map<string, ToolListing>();
    tools.set(id, versions);
    if (!versions.has(toolkit.version ?? '')) versions.set(toolkit.version ?? '', listing);
  }
  const rests = createRests();
  const definitions = new Map<string, readonly ListedDefinition[]>();
  for (const [id, versions] of tools) {
    await rests();
    definitions.set(id, distinct([...versions.values()]));
  }
  return definitions;
}

function distinct(versions: readonly ToolListing[]): ListedDefinition[] {
  const definitions = new Map<string, ListedDefinition>();
  for (const listing of versions) {
    const definition = definitionOf(listing);
    const digest = digestOf(definition);
    const qualifiedName = `${listing.toolkit.name}.${listing.name}`;
    definitions.set(digest, { qualifiedName, version: listing.toolkit.version, definition, digest });
  }
  return [...definitions.values()];
}

/** First sight is approval. */
export function firstPin(toolId: string, seen: readonly ListedDefinition[]): PinEdit {
  return {
    toolId,
    approved: seen.map(({ digest }) => digest),
    definition: newestOf(seen)?.definition ?? {},
    pending: [],
    recorded: [],
    held: false,
    rowVersion: null,
  };
}

/** The pin after a list, and which changes are new; `null` where nothing of it changes. */
export function comparedPin(
  pin: Pin,
  listed: readonly ListedDefinition[],
  approved: Members,
  mode: PinMode,
  nowIso: string,
): { readonly pin: PinEdit; readonly unrecorded: readonly PendingChange[] } | null {
  const pending = listed
    .filter(({ digest }) => !pin.approved.includes(digest))
    .map(
      (one) =>
        pin.pending.find(({ digest }) => digest === one.digest) ?? {
          ...one,
          seenAt: nowIso,
          ...differencesOf(approved, one.definition),
        },
    );
  const held = mode === 'quarantine' && pending.length > 0;
  const unrecorded = pending.filter(({ digest }) => !pin.recorded.includes(`${mode}:${digest}`));
  const isSame = held === pin.held && digestsOf(pending).join() === digestsOf(pin.pending).join();
  if (isSame && unrecorded.length === 0) return null;
  const recorded = [...pin.recorded, ...digestsOf(unrecorded).map((digest) => `${mode}:${digest}`)];
  return { pin: { ...pin, pending, held, recorded: recorded.slice(-maxRecorded) }, unrecorded };
}

/** The pin once these of its changes are approved: what was approved and is not listed any more has been replaced. */
export function approvedPin(
  pin: Pin,
  chosen: readonly PendingChange[],
  listed: readonly ListedDefinition[],
): PinEdit {
  const current = digestsOf(listed);
  const pending = pin.pending.filter((change) => !chosen.includes(change));
  const definition = newestOf(chosen)?.definition;
  return {
    ...pin,
    approved: [...pin.approved.filter((digest) => current.includes(digest)), ...digestsOf(chosen)],
    ...(definition === undefined ? {} : { definition }),
    pending,
    held: pin.held && pending.length > 0,
  };
}

export function changeOf({ projectId, sourceId }: Place, pin: Pin, change: PendingChange): ToolChange {
  return { projectId, sourceId, toolId: pin.toolId, quarantined: pin.held, ...change };
}

function newestOf<One extends { readonly version: string | null }>(all: readonly One[]): One | undefined {
  return all.toSorted((a, b) => compareVersions(b.version ?? '', a.version ?? ''))[0];
}

const digestsOf = (all: readonly { readonly digest: string }[]): string[] => all.map(({ digest }) => digest);
