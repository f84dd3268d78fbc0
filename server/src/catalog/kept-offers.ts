import { keyOfPlace, placeOfKey } from '#domain';
import type { Queries } from '#storage';
import type { Place } from './pin-store.ts';
import type { Owners } from './rule-names.ts';
import { type EntryRow, type OfferRow, offerOf, type StoredOffer, type ToolRow } from './stored-offer.ts';

/** What the database has of one source, or of all, as of one moment. */
export interface KeptOffers {
  readonly offers: readonly StoredOffer[];
  /** By project; all of those projects of which anything was read. */
  readonly owners: ReadonlyMap<string, Owners>;
  /** By source (`keyOf`), where it is pinned: the ids of the tools that are held back. */
  readonly held: ReadonlyMap<string, ReadonlySet<string>>;
}

export const keyOf = ({ projectId, sourceId }: Place): string => keyOfPlace({ projectId, id: sourceId });

export function placeOf(key: string): Place {
  const { projectId, id } = placeOfKey(key);
  return { projectId, sourceId: id };
}

interface OwnerRow extends Record<string, unknown> {
  project_id: string;
  toolkit: string;
  source_id: string;
}

interface PinnedRow extends Record<string, unknown> {
  project_id: string;
  source_id: string;
  held: string[];
}

/** `null`: everything. Call it in a transaction of one snapshot, or in the one that has just written. */
export async function readOffers(queries: Queries, place: Place | null): Promise<KeptOffers> {
  const which = place === null ? [] : [place.projectId, place.sourceId];
  const where = place === null ? '' : 'where project_id = $1 and source_id = $2';
  const rows = await queries.query<OfferRow>(`select * from offers ${where}`, which);
  const toolRows = await queries.query<ToolRow>(`select * from tools ${where} order by position`, which);
  const entryRows = await queries.query<EntryRow>(
    `select * from offer_entries ${where} order by position`,
    which,
  );
  const ownerRows = await queries.query<OwnerRow>(
    `select * from toolkit_owners ${place === null ? '' : 'where project_id = $1'}`,
    which.slice(0, 1),
  );
  const pinnedRows = await queries.query<PinnedRow>(
    `select project_id, source_id, coalesce(json_agg(tool_id) filter (where held), '[]') as held
     from pins ${where} group by project_id, source_id`,
    which,
  );
  const tools = Map.groupBy(toolRows, keyOfRow);
  const entries = Map.groupBy(entryRows, keyOfRow);
  return {
    offers: rows.map((row) => offerOf(row, tools.get(keyOfRow(row)) ?? [], entries.get(keyOfRow(row)) ?? [])),
    owners: ownersOf(ownerRows, place),
    held: new Map(pinnedRows.map((row) => [keyOfRow(row), new Set(row.held)])),
  };
}

function ownersOf(rows: readonly OwnerRow[], place: Place | null): Map<string, Owners> {
  const owners = new Map<string, Map<string, string>>(place === null ? [] : [[place.projectId, new Map()]]);
  for (const { project_id, toolkit, source_id } of rows) {
    const ofProject = owners.get(project_id) ?? new Map<string, string>();
    owners.set(project_id, ofProject.set(toolkit, source_id));
  }
  return owners;
}

function keyOfRow({ project_id, source_id }: { project_id: string; source_id: string }): string {
  return keyOf({ projectId: project_id, sourceId: source_id });
}
