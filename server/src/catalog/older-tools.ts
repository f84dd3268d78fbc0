import { createPacker, type ToolListing } from '#domain';
import { createRests } from '#foundation';
import type { Queries } from '#storage';
import { type KeptFacts, type KeptTool, newTool } from './kept-tool.ts';
import type { Place } from './pin-store.ts';

/** Large answers hold up whoever reads them. */
const atOnce = 250;

interface ListingRow extends Record<string, unknown> {
  id: string;
  version: string;
  position: number;
  first_seen: string;
  listing: string;
}

/** The tools of a source as older versions keep them, a row for each, in their order. */
export async function readOlderTools(queries: Queries, place: Place): Promise<readonly KeptTool[]> {
  const rests = createRests();
  const packer = createPacker();
  const facts: KeptFacts[] = [];
  for await (const { id, first_seen, listing: text } of pagesOf(queries, place)) {
    packer.add(JSON.parse(text) as ToolListing, text);
    facts.push({ id, place, firstSeenMs: Date.parse(first_seen) });
    await rests();
  }
  return packer.finish().map((listing, at) => newTool(facts[at] as KeptFacts, listing));
}

async function* pagesOf(queries: Queries, { projectId, sourceId }: Place): AsyncGenerator<ListingRow> {
  let last: readonly unknown[] = [-1, '', ''];
  for (;;) {
    const rows = await queries.query<ListingRow>(
      `select id, version, position, first_seen, listing::text as listing from tools
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

/** They are kept in the new way from now on. */
export async function dropOlderTools(queries: Queries, { projectId, sourceId }: Place): Promise<void> {
  await queries.query('delete from tools where project_id = $1 and source_id = $2', [projectId, sourceId]);
}
