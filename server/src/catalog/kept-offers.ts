import { createPacker, keyOfPlace, placeOfKey, type ToolListing } from '#domain';
import { createRests, type Members } from '#foundation';
import type { Queries } from '#storage';
import { createFactMaker, type KeptFacts, type KeptTool, newTool, versionKey } from './kept-tool.ts';
import type { Place } from './pin-store.ts';
import type { Owners } from './rule-names.ts';
import { type EntryRow, entriesOf, type StoredEntries, type StoredOffer } from './stored-offer.ts';

/** What the database has of one source, or of all, as of one moment. */
export interface KeptOffers {
  readonly offers: readonly StoredOffer[];
  /** By project; all of those projects of which anything was read. */
  readonly owners: ReadonlyMap<string, Owners>;
  /** By source (`keyOf`), where it is pinned: the ids of the tools that are held back. */
  readonly held: ReadonlyMap<string, ReadonlySet<string>>;
}

/** What is known of a source already. */
export type KnownOffer = (place: Place) => KnownTools | undefined;
type KnownTools = StoredEntries & Pick<StoredOffer, 'revision' | 'tools'>;

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

interface OwnerRow extends Record<string, unknown> {
  project_id: string;
  toolkit: string;
  source_id: string;
}

/**
 * `null`: everything. Call it in a transaction of one snapshot, or in the one that has just written. Of what is known, only that
 * is read which is another now.
 */
export async function readOffers(
  queries: Queries,
  place: Place | null,
  known: KnownOffer,
): Promise<KeptOffers> {
  const which = place === null ? [] : [place.projectId, place.sourceId];
  const where = place === null ? '' : 'where project_id = $1 and source_id = $2';
  const rows = await queries.query<OfferRow>(`select * from offers ${where}`, which);
  const offers: StoredOffer[] = [];
  for (const row of rows) offers.push(await readOffer(queries, row, known));
  return {
    offers,
    owners: await readOwners(queries, place),
    held: await readHeld(queries, place),
  };
}

async function readOffer(queries: Queries, row: OfferRow, known: KnownOffer): Promise<StoredOffer> {
  const place: Place = { projectId: row.project_id, sourceId: row.source_id };
  const before = known(place);
  const isKnown = before !== undefined && row.revision !== null && before.revision === row.revision;
  const entries: StoredEntries = isKnown ? before : await readEntries(queries, place);
  const { prompts, resources, templates } = entries;
  return {
    ...place,
    available: row.available,
    capabilities: row.capabilities,
    instructions: row.instructions,
    firstSeenMs: Date.parse(row.first_seen),
    revision: row.revision,
    tools: isKnown ? before.tools : await readTools(queries, place, before),
    ...{ prompts, resources, templates },
  };
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

/** Large answers hold up whoever reads them. */
const headsAtOnce = 2000;
const listingsAtOnce = 250;

interface HeadRow extends Record<string, unknown> {
  id: string;
  version: string;
  position: number;
  first_seen: string;
  digest: string | null;
}
type ListingRow = HeadRow & { readonly listing: string };

/** The tools of a source in their order; those that are what they were are the objects they were. */
async function readTools(
  queries: Queries,
  place: Place,
  before: KnownTools | undefined,
): Promise<readonly KeptTool[]> {
  const { projectId, sourceId } = place;
  if (before === undefined || before.tools.length === 0) {
    const pages = pagesOf<ListingRow>(
      queries,
      place,
      `${headColumns}, listing::text as listing`,
      listingsAtOnce,
    );
    return toolsOfRows(place, pages);
  }
  const known = new Map(before.tools.map((tool) => [versionKey(tool.id, tool.toolkit.version), tool]));
  const tools: (KeptTool | undefined)[] = [];
  const missing = new Map<string, number>();
  for await (const row of pagesOf<HeadRow>(queries, place, headColumns, headsAtOnce)) {
    const key = versionKey(row.id, row.version);
    const tool = known.get(key);
    const isSame = tool?.listing.digest === row.digest && tool.firstSeenMs === Date.parse(row.first_seen);
    if (!isSame) missing.set(key, tools.length);
    tools.push(isSame ? tool : undefined);
  }
  const keys = [...missing.keys()];
  for (let from = 0; from < keys.length; from += listingsAtOnce) {
    const asked = JSON.stringify(keys.slice(from, from + listingsAtOnce));
    const rows = await queries.query<ListingRow>(
      `select ${headColumns}, listing::text as listing from tools
       where project_id = $1 and source_id = $2
         and id || '@' || version in (select jsonb_array_elements_text($3::jsonb))`,
      [projectId, sourceId, asked],
    );
    for (const tool of await toolsOfRows(place, rows))
      tools[missing.get(versionKey(tool.id, tool.toolkit.version)) as number] = tool;
  }
  return tools.filter((tool) => tool !== undefined);
}

const headColumns = 'id, version, position, first_seen, digest';

/** Page by page, as one large answer would have to be held as a whole. */
async function* pagesOf<Row extends HeadRow>(
  queries: Queries,
  { projectId, sourceId }: Place,
  columns: string,
  atOnce: number,
): AsyncGenerator<Row> {
  let last: readonly unknown[] = [-1, '', ''];
  for (;;) {
    const rows = await queries.query<Row>(
      `select ${columns} from tools
       where project_id = $1 and source_id = $2 and (position, id, version) > ($3::integer, $4::text, $5::text)
       order by position, id, version limit ${atOnce}`,
      [projectId, sourceId, ...last],
    );
    yield* rows;
    const end = rows.at(-1);
    if (end === undefined || rows.length < atOnce) return;
    last = [end.position, end.id, end.version];
  }
}

async function toolsOfRows(
  place: Place,
  rows: AsyncIterable<ListingRow> | Iterable<ListingRow>,
): Promise<KeptTool[]> {
  const rests = createRests();
  const packer = createPacker();
  const factsOf = createFactMaker();
  const facts: KeptFacts[] = [];
  for await (const { id, first_seen, listing: text } of rows) {
    const listing = JSON.parse(text) as ToolListing;
    packer.add(listing, text);
    facts.push(factsOf(place, id, Date.parse(first_seen), listing));
    await rests();
  }
  return packer.finish().map((listing, at) => newTool(facts[at] as KeptFacts, listing));
}
