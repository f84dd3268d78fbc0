import type { SourceOffer } from '#domain';
import { createRests } from '#foundation';
import type { Queries } from '#storage';
import type { EntryKind } from './entry-id.ts';
import type { KeptTool } from './kept-tool.ts';
import type { OfferPlan, ToolRow } from './offer-plan.ts';
import type { Place } from './pin-store.ts';
import type { StoredEntries } from './stored-offer.ts';

/** Each in the transaction of the caller. */

/** Keeps `first_seen` of what stays, whatever its version. */
export async function writeOffer(
  q: Queries,
  { projectId, sourceId }: Place,
  plan: OfferPlan,
  nowIso: string,
): Promise<void> {
  const columns = [projectId, sourceId] as const;
  const { after, put, moved, gone, entriesDiffer } = plan;
  await q.query(
    `insert into offers (project_id, source_id, available, capabilities, instructions, first_seen, revision)
     values ($1, $2, true, $3::json, $4::json, $5, $6)
     on conflict (project_id, source_id) do update
     set available = true, capabilities = excluded.capabilities, instructions = excluded.instructions,
       revision = excluded.revision`,
    [
      ...columns,
      JSON.stringify(after.capabilities),
      JSON.stringify(after.instructions),
      nowIso,
      after.revision,
    ],
  );
  await putTools(q, columns, put);
  await moveTools(q, moved);
  await removeTools(q, gone);
  if (entriesDiffer) await replaceEntries(q, columns, after);
}

/** What it offers stays, and is marked. */
export async function writeUnavailable(q: Queries, { projectId, sourceId }: Place): Promise<void> {
  await q.query('update offers set available = false where project_id = $1 and source_id = $2', [
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

/** Rows in one statement. */
const rowsAtOnce = 250;

async function inParts<Row>(rows: readonly Row[], write: (part: readonly Row[]) => Promise<unknown>) {
  const rests = createRests();
  for (let from = 0; from < rows.length; from += rowsAtOnce) {
    await rests();
    await write(rows.slice(from, from + rowsAtOnce));
  }
}

const rowKey = ({ id, toolkit }: KeptTool) => ({ id, version: toolkit.version ?? '' });

function putTools(q: Queries, place: Columns, rows: readonly ToolRow[]): Promise<void> {
  return inParts(rows, (part) => {
    const given = part.map(({ tool, position }) => ({
      ...rowKey(tool),
      ...{ toolkit: tool.toolkit.name, name: tool.name, position },
      ...{ digest: tool.listing.digest, listing: tool.listing.text },
      first_seen: new Date(tool.firstSeenMs).toISOString(),
    }));
    return q.query(
      `insert into tools (id, project_id, source_id, toolkit, name, version, position, available, listing, digest, first_seen)
       select id, $1, $2, toolkit, name, version, position, true, listing::json, digest, first_seen
       from jsonb_to_recordset($3::jsonb) as listed(
         id text, toolkit text, name text, version text, position integer, listing text, digest text, first_seen timestamptz)
       on conflict (id, version) do update
         set position = excluded.position, available = true, listing = excluded.listing, digest = excluded.digest`,
      [...place, JSON.stringify(given)],
    );
  });
}

function moveTools(q: Queries, rows: readonly ToolRow[]): Promise<void> {
  return inParts(rows, (part) =>
    q.query(
      `update tools set position = moved.position
       from jsonb_to_recordset($1::jsonb) as moved(id text, version text, position integer)
       where tools.id = moved.id and tools.version = moved.version`,
      [JSON.stringify(part.map(({ tool, position }) => ({ ...rowKey(tool), position })))],
    ),
  );
}

function removeTools(q: Queries, tools: readonly KeptTool[]): Promise<void> {
  return inParts(tools, (part) =>
    q.query(
      `delete from tools using jsonb_to_recordset($1::jsonb) as gone(id text, version text)
       where tools.id = gone.id and tools.version = gone.version`,
      [JSON.stringify(part.map(rowKey))],
    ),
  );
}

async function replaceEntries(q: Queries, place: Columns, entries: StoredEntries): Promise<void> {
  const kinds: readonly [EntryKind, keyof StoredEntries][] = [
    ['prompt', 'prompts'],
    ['resource', 'resources'],
    ['template', 'templates'],
  ];
  const rows = kinds
    .flatMap(([kind, member]) => entries[member].map((entry) => ({ kind, entry })))
    .map(({ kind, entry: { target, listed, firstSeenMs } }, position) => ({
      ...{ id: target.id, kind, position, listed: JSON.stringify(listed) },
      first_seen: new Date(firstSeenMs).toISOString(),
    }));
  await inParts(rows, (part) =>
    q.query(
      `insert into offer_entries (id, project_id, source_id, kind, position, listed, first_seen)
       select id, $1, $2, kind, position, listed::json, first_seen
       from jsonb_to_recordset($3::jsonb)
         as given(id text, kind text, position integer, listed text, first_seen timestamptz)
       on conflict (id) do update set position = excluded.position, listed = excluded.listed`,
      [...place, JSON.stringify(part)],
    ),
  );
  await q.query(
    `delete from offer_entries where project_id = $1 and source_id = $2
       and id not in (select jsonb_array_elements_text($3::jsonb))`,
    [...place, JSON.stringify(rows.map(({ id }) => id))],
  );
}

/** The names that a source may own: its toolkits; its id, where it is an MCP server. Never one with a slash. */
export function toolkitsOf(
  sourceId: string,
  { tools, prompts, resources, templates, capabilities }: SourceOffer,
): readonly string[] {
  const isMcp = [prompts, resources, templates, Object.keys(capabilities)].some(({ length }) => length > 0);
  const names = new Set(tools.map(({ toolkit }) => toolkit.name.toLowerCase()));
  if (isMcp) names.add(sourceId.toLowerCase());
  return [...names].filter((name) => !name.includes('/'));
}

/**
 * Takes the names that are nobody's. Never one inside another source's (`a.b`, where that has `a`) or
 * around it: rules about the one would speak of the other.
 */
export async function claimToolkits(
  q: Queries,
  { projectId, sourceId }: Place,
  names: readonly string[],
): Promise<void> {
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
    [projectId, sourceId, JSON.stringify(names)],
  );
}
