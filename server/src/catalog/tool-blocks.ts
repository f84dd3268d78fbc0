import { type Block, newBlock, type SeenTools } from '#domain';
import { createRests } from '#foundation';
import type { Queries } from '#storage';
import type { KeptTool } from './kept-tool.ts';
import { blocksOf, type ToolColumns, toolkitsIn, toolsOf, unpackJson } from './packed-tools.ts';
import type { Place } from './pin-store.ts';

/** Blocks in one statement, of some kilobytes each: large answers hold up whoever reads them. */
const atOnce = 64;

/**
 * The tools that the database has of a source. Of their definitions, those are read that do not lie in the blocks of tools that are known.
 * `isWhole`: none is left out because its definition is not there, or is not what was written.
 */
export async function readTools(
  queries: Queries,
  place: Place,
  known: readonly KeptTool[] = [],
): Promise<{ readonly tools: readonly KeptTool[]; readonly isWhole: boolean }> {
  const columns = await readColumns(queries, place);
  if (columns === null) return { tools: [], isWhole: true };
  const before = blocksOf(known);
  const blocks = new Map<string, Block>();
  const missing: string[] = [];
  for (const id of columns.blocks.values) {
    const block = before.get(id);
    if (block === undefined) missing.push(id);
    else blocks.set(id, block);
  }
  for (const block of await readBlocks(queries, place, missing)) blocks.set(block.id, block);
  const tools = await toolsOf(place, columns, blocks, known);
  return { tools, isWhole: tools.length === columns.ids.length };
}

/** The names of the toolkits that a source has, as the database knows them. */
export async function readToolkits(queries: Queries, place: Place): Promise<readonly string[]> {
  const columns = await readColumns(queries, place);
  return columns === null ? [] : toolkitsIn(columns);
}

async function readColumns(queries: Queries, { projectId, sourceId }: Place): Promise<ToolColumns | null> {
  const [row] = await queries.query<{ tools: string }>(
    `select encode(tools, 'base64') as tools from offers where project_id = $1 and source_id = $2`,
    [projectId, sourceId],
  );
  if (row === undefined) return null;
  return (await unpackJson(Buffer.from(row.tools, 'base64'))) as ToolColumns;
}

/** Those of these ids that there are. */
export async function readBlocks(
  queries: Queries,
  { projectId, sourceId }: Place,
  ids: readonly string[],
): Promise<readonly Block[]> {
  const blocks: Block[] = [];
  await inParts(ids, async (part) => {
    const rows = await queries.query<{ bytes: string }>(
      `select encode(bytes, 'base64') as bytes from tool_blocks where project_id = $1 and source_id = $2
         and id in (select jsonb_array_elements_text($3::jsonb))`,
      [projectId, sourceId, JSON.stringify(part)],
    );
    // Bytes of a buffer are a part of something larger.
    for (const { bytes } of rows) blocks.push(newBlock(new Uint8Array(Buffer.from(bytes, 'base64'))));
  });
  return blocks;
}

/** Definitions of these tools that lie outside of memory are in it from now on, as far as the database has them. */
export async function readIntoMemory(
  queries: Queries,
  place: Place,
  tools: readonly KeptTool[],
): Promise<void> {
  const outside = tools
    .map(({ listing }) => listing.block)
    .filter(({ lies }) => !(lies instanceof Uint8Array));
  const ids = new Set(outside.map(({ id }) => id));
  const read = new Map((await readBlocks(queries, place, [...ids])).map(({ id, lies }) => [id, lies]));
  for (const block of outside) block.lies = read.get(block.id) ?? block.lies;
}

/** How a source wrote its tools, as of this revision; `null`: that is not known. */
export async function readSeen(
  queries: Queries,
  { projectId, sourceId }: Place,
  revision: string,
): Promise<SeenTools | null> {
  const [row] = await queries.query<{ about: string | null; marks: string | null }>(
    `select seen_about as about, encode(seen_marks, 'base64') as marks from offers
     where project_id = $1 and source_id = $2 and revision = $3 and tools_revision = $3`,
    [projectId, sourceId, revision],
  );
  const { about = null, marks = null } = row ?? {};
  return about === null || marks === null ? null : { about, marks: Buffer.from(marks, 'base64') };
}

/** `gone`: ids of those that go; `null`: whatever else is there. */
export async function writeBlocks(
  queries: Queries,
  { projectId, sourceId }: Place,
  put: readonly Block[],
  gone: readonly string[] | null,
): Promise<void> {
  const columns = [projectId, sourceId] as const;
  if (gone === null)
    await queries.query('delete from tool_blocks where project_id = $1 and source_id = $2', columns);
  await inParts(put, (part) => {
    const given = part.map(({ id, bytes }) => ({ id, bytes: base64Of(bytes) }));
    return queries.query(
      `insert into tool_blocks (project_id, source_id, id, bytes)
       select $1, $2, id, decode(bytes, 'base64') from jsonb_to_recordset($3::jsonb) as given(id text, bytes text)
       on conflict (project_id, source_id, id) do nothing`,
      [...columns, JSON.stringify(given)],
    );
  });
  await inParts(gone ?? [], (part) =>
    queries.query(
      `delete from tool_blocks where project_id = $1 and source_id = $2
         and id in (select jsonb_array_elements_text($3::jsonb))`,
      [...columns, JSON.stringify(part)],
    ),
  );
}

/** In which both drivers take and give bytes quickly. */
export function base64Of({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

async function inParts<Item>(items: readonly Item[], work: (part: readonly Item[]) => Promise<unknown>) {
  const rests = createRests();
  for (let from = 0; from < items.length; from += atOnce) {
    await rests();
    await work(items.slice(from, from + atOnce));
  }
}
