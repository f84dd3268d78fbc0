import type { SourceOffer, ToolListing } from '#domain';
import type { Members } from '#foundation';
import type { Db, Queries } from '#storage';
import { type EntryKind, entryId } from './entry-id.ts';
import type { Owners } from './rule-names.ts';
import {
  type EntryRow,
  type OfferRow,
  offerOf,
  ownMember,
  type StoredOffer,
  type ToolRow,
} from './stored-offer.ts';
import { toolId } from './tool-id.ts';

interface OwnerRow extends Record<string, unknown> {
  project_id: string;
  toolkit: string;
  source_id: string;
}

export function createOfferStore(db: Db) {
  return {
    async load(): Promise<{ offers: StoredOffer[]; owners: Map<string, Owners> }> {
      const rows = await db.query<OfferRow>('select * from offers');
      const tools = groupedBySource(await db.query<ToolRow>('select * from tools order by position'));
      const entries = groupedBySource(
        await db.query<EntryRow>('select * from offer_entries order by position'),
      );
      const owners = new Map<string, Map<string, string>>();
      for (const row of await db.query<OwnerRow>('select * from toolkit_owners')) {
        const ofProject = owners.get(row.project_id) ?? new Map<string, string>();
        owners.set(row.project_id, ofProject.set(row.toolkit, row.source_id));
      }
      const offers = rows.map((row) =>
        offerOf(row, tools.get(keyOf(row)) ?? [], entries.get(keyOf(row)) ?? []),
      );
      return { offers, owners };
    },

    /**
     * Keeps `first_seen` of what stays, whatever its version. One transaction, so that a crash leaves the old offer or the
     * new one. Returns the owners of the project's toolkits too, as the source may now be one.
     */
    async replace(
      projectId: string,
      sourceId: string,
      offer: SourceOffer,
      nowIso: string,
    ): Promise<{ offer: StoredOffer; owners: Owners }> {
      const place = [projectId, sourceId] as const;
      return await db.tx(async (q) => {
        await q.query(
          `insert into offers (project_id, source_id, available, capabilities, instructions, first_seen)
           values ($1, $2, true, $3::json, $4::json, $5)
           on conflict (project_id, source_id) do update
           set available = true, capabilities = excluded.capabilities, instructions = excluded.instructions`,
          [...place, JSON.stringify(offer.capabilities), JSON.stringify(offer.instructions ?? ''), nowIso],
        );
        await replaceTools(q, place, offer.tools, nowIso);
        await replaceEntries(q, place, offer, nowIso);
        await claimToolkits(q, place, toolkitsOf(sourceId, offer));
        const where = 'where project_id = $1 and source_id = $2';
        const [row] = await q.query<OfferRow>(`select * from offers ${where}`, [...place]);
        const tools = await q.query<ToolRow>(`select * from tools ${where} order by position`, [...place]);
        const entries = await q.query<EntryRow>(`select * from offer_entries ${where} order by position`, [
          ...place,
        ]);
        const owners = await q.query<OwnerRow>('select * from toolkit_owners where project_id = $1', [
          projectId,
        ]);
        return {
          offer: offerOf(row as OfferRow, tools, entries),
          owners: new Map(owners.map(({ toolkit, source_id }) => [toolkit, source_id])),
        };
      });
    },

    async markUnavailable(projectId: string, sourceId: string): Promise<void> {
      await db.tx(async (q) => {
        for (const table of ['offers', 'tools']) {
          await q.query(`update ${table} set available = false where project_id = $1 and source_id = $2`, [
            projectId,
            sourceId,
          ]);
        }
      });
    },

    /** Everything of the source, its names too. */
    async forget(projectId: string, sourceId: string): Promise<void> {
      await db.tx(async (q) => {
        for (const table of ['offers', 'tools', 'offer_entries', 'toolkit_owners']) {
          await q.query(`delete from ${table} where project_id = $1 and source_id = $2`, [
            projectId,
            sourceId,
          ]);
        }
      });
    },
  };
}

export type OfferStore = ReturnType<typeof createOfferStore>;

type Place = readonly [projectId: string, sourceId: string];

async function replaceTools(
  q: Queries,
  place: Place,
  listings: readonly ToolListing[],
  nowIso: string,
): Promise<void> {
  const byKey = new Map<string, { id: string; version: string; [column: string]: unknown }>();
  for (const [position, listing] of listings.entries()) {
    const { toolkit, name } = listing;
    const id = toolId(...place, toolkit.name, name);
    const version = toolkit.version ?? '';
    // A source that lists the same tool twice means the first one.
    if (byKey.has(`${id}@${version}`)) continue;
    const text = JSON.stringify(listing);
    byKey.set(`${id}@${version}`, { id, toolkit: toolkit.name, name, version, position, listing: text });
  }
  const rows = [...byKey.values()];
  await q.query(
    `insert into tools (id, project_id, source_id, toolkit, name, version, position, available, listing, first_seen)
     select id, $1, $2, toolkit, name, version, position, true, listing::json,
       coalesce((select min(known.first_seen) from tools known where known.id = listed.id), $4)
     from jsonb_to_recordset($3::jsonb)
       as listed(id text, toolkit text, name text, version text, position integer, listing text)
     on conflict (id, version) do update
       set position = excluded.position, available = true, listing = excluded.listing`,
    [...place, JSON.stringify(rows), nowIso],
  );
  await q.query(
    `delete from tools where project_id = $1 and source_id = $2
       and (id, version) not in (select id, version from jsonb_to_recordset($3::jsonb) as kept(id text, version text))`,
    [...place, JSON.stringify(rows.map(({ id, version }) => ({ id, version })))],
  );
}

async function replaceEntries(
  q: Queries,
  place: Place,
  { prompts, resources, templates }: SourceOffer,
  nowIso: string,
): Promise<void> {
  const byId = new Map<string, { id: string; [column: string]: unknown }>();
  const put = (kind: EntryKind, own: string, listed: Members) => {
    const id = entryId(kind, ...place, own);
    if (!byId.has(id))
      byId.set(id, {
        id,
        kind,
        position: byId.size,
        listed: JSON.stringify({ ...listed, [ownMember[kind]]: own }),
      });
  };
  for (const { name, listed } of prompts) put('prompt', name, listed);
  for (const { uri, listed } of resources) put('resource', uri, listed);
  for (const { uriTemplate, listed } of templates) put('template', uriTemplate, listed);
  await q.query(
    `insert into offer_entries (id, project_id, source_id, kind, position, listed, first_seen)
     select id, $1, $2, kind, position, listed::json, $4
     from jsonb_to_recordset($3::jsonb) as given(id text, kind text, position integer, listed text)
     on conflict (id) do update set position = excluded.position, listed = excluded.listed`,
    [...place, JSON.stringify([...byId.values()]), nowIso],
  );
  await q.query(
    `delete from offer_entries where project_id = $1 and source_id = $2
       and id not in (select jsonb_array_elements_text($3::jsonb))`,
    [...place, JSON.stringify([...byId.keys()])],
  );
}

/** The names that a source may own: its toolkits; its id, where it is an MCP server. */
function toolkitsOf(sourceId: string, { tools, prompts, resources, templates, capabilities }: SourceOffer) {
  const isMcp = [prompts, resources, templates, Object.keys(capabilities)].some(({ length }) => length > 0);
  const names = tools.map(({ toolkit }) => toolkit.name.toLowerCase());
  return new Set(isMcp ? [sourceId.toLowerCase(), ...names] : names);
}

/**
 * Takes the names that are nobody's. Never one with a slash, nor one inside another source's (`a.b`, where that has `a`) or
 * around it: rules about the one would speak of the other.
 */
async function claimToolkits(q: Queries, place: Place, toolkits: ReadonlySet<string>): Promise<void> {
  const names = [...toolkits].filter((name) => !name.includes('/'));
  if (names.length === 0) return;
  await q.query('lock table toolkit_owners in share row exclusive mode');
  await q.query(
    `insert into toolkit_owners (project_id, toolkit, source_id)
     select $1, name, $2 from jsonb_array_elements_text($3::jsonb) as given(name)
     where not exists (
       select from toolkit_owners owned
       where owned.project_id = $1 and owned.source_id <> $2
         and (starts_with(owned.toolkit, name || '.') or starts_with(name, owned.toolkit || '.')))
     on conflict (project_id, toolkit) do nothing`,
    [...place, JSON.stringify(names)],
  );
}

function groupedBySource<Row extends { project_id: string; source_id: string }>(
  rows: readonly Row[],
): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group === undefined) groups.set(keyOf(row), [row]);
    else group.push(row);
  }
  return groups;
}

function keyOf({ project_id, source_id }: { project_id: string; source_id: string }): string {
  return JSON.stringify([project_id, source_id]);
}
