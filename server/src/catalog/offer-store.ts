import type { SourceOffer } from '#domain';
import { createRests } from '#foundation';
import type { Queries } from '#storage';
import type { EntryKind } from './entry-id.ts';
import type { OfferPlan } from './offer-plan.ts';
import { dropOlderTools } from './older-tools.ts';
import type { Place } from './pin-store.ts';
import type { StoredEntries } from './stored-offer.ts';
import { base64Of, writeBlocks } from './tool-blocks.ts';

/** Each in the transaction of the caller. */

export async function writeOffer(
  q: Queries,
  place: Place,
  { after, tools, seen, entriesDiffer }: OfferPlan,
  nowIso: string,
): Promise<void> {
  const columns = [place.projectId, place.sourceId] as const;
  await q.query(
    `insert into offers
       (project_id, source_id, available, capabilities, instructions, first_seen, revision, tools, tools_revision,
        seen_about, seen_marks)
     values ($1, $2, true, $3::json, $4::json, $5, $6, decode($7, 'base64'), $6, $8, decode($9, 'base64'))
     on conflict (project_id, source_id) do update
     set available = true, capabilities = excluded.capabilities, instructions = excluded.instructions,
       revision = excluded.revision, tools = coalesce(excluded.tools, offers.tools),
       tools_revision = excluded.tools_revision, seen_about = excluded.seen_about, seen_marks = excluded.seen_marks`,
    [
      ...columns,
      JSON.stringify(after.capabilities),
      JSON.stringify(after.instructions),
      nowIso,
      after.revision,
      tools === null ? null : base64Of(tools.columns),
      seen?.about ?? null,
      seen === null ? null : base64Of(seen.marks),
    ],
  );
  if (tools !== null) await writeBlocks(q, place, tools.put, tools.gone);
  if (tools?.gone === null) await dropOlderTools(q, place);
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
  for (const table of ['offers', 'tools', 'tool_blocks', 'offer_entries', 'toolkit_owners'])
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
