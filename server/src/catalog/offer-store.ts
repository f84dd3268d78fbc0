import type { SourceOffer, ToolListing } from '#domain';
import type { Members } from '#foundation';
import type { Queries } from '#storage';
import { type EntryKind, entryId } from './entry-id.ts';
import type { Place } from './pin-store.ts';
import { ownMember } from './stored-offer.ts';
import { toolId } from './tool-id.ts';

/** Each in the transaction of the caller. */

/** Keeps `first_seen` of what stays, whatever its version. */
export async function writeOffer(
  q: Queries,
  { projectId, sourceId }: Place,
  offer: SourceOffer,
  nowIso: string,
): Promise<void> {
  const columns = [projectId, sourceId] as const;
  await q.query(
    `insert into offers (project_id, source_id, available, capabilities, instructions, first_seen)
     values ($1, $2, true, $3::json, $4::json, $5)
     on conflict (project_id, source_id) do update
     set available = true, capabilities = excluded.capabilities, instructions = excluded.instructions`,
    [...columns, JSON.stringify(offer.capabilities), JSON.stringify(offer.instructions ?? ''), nowIso],
  );
  await replaceTools(q, columns, offer.tools, nowIso);
  await replaceEntries(q, columns, offer, nowIso);
  await claimToolkits(q, columns, toolkitsOf(sourceId, offer));
}

export async function writeUnavailable(q: Queries, { projectId, sourceId }: Place): Promise<void> {
  for (const table of ['offers', 'tools'])
    await q.query(`update ${table} set available = false where project_id = $1 and source_id = $2`, [
      projectId,
      sourceId,
    ]);
}

/** Everything of the source, its names too. */
export async function deleteOffer(q: Queries, { projectId, sourceId }: Place): Promise<void> {
  for (const table of ['offers', 'tools', 'offer_entries', 'toolkit_owners'])
    await q.query(`delete from ${table} where project_id = $1 and source_id = $2`, [projectId, sourceId]);
}

type Columns = readonly [projectId: string, sourceId: string];

async function replaceTools(
  q: Queries,
  place: Columns,
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
  place: Columns,
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
async function claimToolkits(q: Queries, place: Columns, toolkits: ReadonlySet<string>): Promise<void> {
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
