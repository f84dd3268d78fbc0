import { keyOfPlace, placeOfKey } from '#domain';
import type { Members } from '#foundation';
import type { Queries } from '#storage';
import type { KeptTool } from './kept-tool.ts';
import { readOlderTools } from './older-tools.ts';
import { toolkitsOfTools } from './packed-tools.ts';
import type { Place } from './pin-store.ts';
import type { Owners } from './rule-names.ts';
import type { SnapshotOffer } from './snapshot-file.ts';
import { type EntryRow, entriesOf, noTools, type StoredEntries, type StoredOffer } from './stored-offer.ts';
import { readToolkits, readTools } from './tool-blocks.ts';

/** What the database has of one source, or of all, as of one moment. */
export interface KeptOffers {
  readonly offers: readonly StoredOffer[];
  /** By project; all of those projects of which anything was read. */
  readonly owners: ReadonlyMap<string, Owners>;
  /** By source (`keyOf`), where it is pinned: the ids of the tools that are held back. */
  readonly held: ReadonlyMap<string, ReadonlySet<string>>;
  /** Sources of which tools are lost: their definitions are not there, or are not what was written. */
  readonly damaged: readonly Place[];
}

/** What is known of a source already. */
export type KnownOffer = (place: Place) => Known | undefined;

/** In memory, or in a snapshot. */
type Known = (StoredEntries & Pick<StoredOffer, 'revision' | 'tools' | 'unread'>) | SnapshotOffer;

export const keyOf = ({ projectId, sourceId }: Place): string => keyOfPlace({ projectId, id: sourceId });

export function placeOf(key: string): Place {
  const { projectId, id } = placeOfKey(key);
  return { projectId, sourceId: id };
}

interface OfferRow extends Record<string, unknown> {
  project_id: string;
  source_id: string;
  available: boolean;
  capabilities: Members;
  instructions: string;
  first_seen: string;
  revision: string | null;
}

/** What an older version wrote has none: it knows nothing of what `tools` was written for. */
export const revisionColumn = 'case when tools_revision = revision then revision end as revision';

interface OwnerRow extends Record<string, unknown> {
  project_id: string;
  toolkit: string;
  source_id: string;
}

/**
 * `null`: everything. Call it in a transaction of one snapshot, or in the one that has just written. Of what is known, only that
 * is read which is another now. `readsTools`: of others, what their toolkits are called.
 */
export async function readOffers(
  queries: Queries,
  place: Place | null,
  known: KnownOffer,
  readsTools: (place: Place) => boolean = () => true,
): Promise<KeptOffers> {
  const which = place === null ? [] : [place.projectId, place.sourceId];
  const where = place === null ? '' : 'where project_id = $1 and source_id = $2';
  const rows = await queries.query<OfferRow>(
    `select project_id, source_id, available, capabilities, instructions, first_seen, ${revisionColumn}
     from offers ${where}`,
    which,
  );
  const offers: StoredOffer[] = [];
  const damaged: Place[] = [];
  for (const row of rows) {
    const offer = await readOffer(queries, row, known, readsTools);
    offers.push(offer);
    if (offer.revision !== row.revision) damaged.push(offer);
  }
  return {
    offers,
    damaged,
    owners: await readOwners(queries, place),
    held: await readHeld(queries, place),
  };
}

async function readOffer(
  queries: Queries,
  row: OfferRow,
  knownOf: KnownOffer,
  readsTools: (place: Place) => boolean,
): Promise<StoredOffer> {
  const place: Place = { projectId: row.project_id, sourceId: row.source_id };
  const before = knownOf(place);
  const known =
    before !== undefined && row.revision !== null && before.revision === row.revision ? before : null;
  const { prompts, resources, templates } = known ?? (await readEntries(queries, place));
  const offer = {
    ...place,
    available: row.available,
    capabilities: row.capabilities,
    instructions: row.instructions,
    firstSeenMs: Date.parse(row.first_seen),
    ...{ prompts, resources, templates },
  };
  if (row.revision !== null && !readsTools(place)) {
    const unread = known === null ? await readToolkits(queries, place) : toolkitsOf(known);
    return { ...offer, revision: row.revision, tools: noTools, unread };
  }
  const toolsBefore = await toolsOf(before);
  const { tools, isWhole } =
    known !== null && toolsBefore !== null
      ? { tools: toolsBefore, isWhole: true }
      : await toolsIn(queries, place, row, toolsBefore ?? []);
  // Where some are lost, it is as if nothing was known of what is there: the source is read anew.
  return { ...offer, revision: isWhole ? row.revision : null, tools, unread: null };
}

/** `null`: they are not in memory, and cannot be read. */
async function toolsOf(known: Known | undefined): Promise<readonly KeptTool[] | null> {
  if (known === undefined) return null;
  if ('toolkits' in known) return known.tools();
  return known.unread === null ? known.tools : null;
}

function toolkitsOf(known: Known): readonly string[] {
  return 'toolkits' in known ? known.toolkits : (known.unread ?? toolkitsOfTools(known.tools));
}

async function toolsIn(queries: Queries, place: Place, { revision }: OfferRow, known: StoredOffer['tools']) {
  if (revision !== null) return readTools(queries, place, known);
  return { tools: await readOlderTools(queries, place), isWhole: true };
}

async function readEntries(queries: Queries, place: Place): Promise<StoredEntries> {
  const rows = await queries.query<EntryRow>(
    'select * from offer_entries where project_id = $1 and source_id = $2 order by position',
    [place.projectId, place.sourceId],
  );
  return entriesOf(rows);
}

export async function readOwners(queries: Queries, place: Place | null): Promise<Map<string, Owners>> {
  const rows = await queries.query<OwnerRow>(
    `select * from toolkit_owners ${place === null ? '' : 'where project_id = $1'}`,
    place === null ? [] : [place.projectId],
  );
  const owners = new Map<string, Map<string, string>>(place === null ? [] : [[place.projectId, new Map()]]);
  for (const { project_id, toolkit, source_id } of rows) {
    const ofProject = owners.get(project_id) ?? new Map<string, string>();
    owners.set(project_id, ofProject.set(toolkit, source_id));
  }
  return owners;
}

export async function readHeld(
  queries: Queries,
  place: Place | null,
): Promise<Map<string, ReadonlySet<string>>> {
  const rows = await queries.query<{ project_id: string; source_id: string; held: string[] }>(
    `select project_id, source_id, coalesce(json_agg(tool_id) filter (where held), '[]') as held
     from pins ${place === null ? '' : 'where project_id = $1 and source_id = $2'} group by project_id, source_id`,
    place === null ? [] : [place.projectId, place.sourceId],
  );
  return new Map(
    rows.map(({ project_id, source_id, held }) => [
      keyOf({ projectId: project_id, sourceId: source_id }),
      new Set(held),
    ]),
  );
}
