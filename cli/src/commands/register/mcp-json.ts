import { join } from 'node:path';
import { readJson } from '../../clients/json-edit.ts';
import { editMcpJson, type McpJsonEdit } from '../../clients/mcp-json.ts';
import { readText } from '../../files/read-text.ts';
import { writeChanges } from '../../files/write-changes.ts';
import type { Gateway } from '../../remote/answers.ts';
import type { Context } from '../command.ts';
import type { Wanted } from './wanted.ts';

/**
 * The gateways, by which agents are to go; or where there is none, the server itself, whose entry `deploy generate` may have
 * written already.
 */
export async function entryOfMcpJson(
  { io, printer }: Context,
  { project, name, declaration }: Wanted,
  gateways: readonly Gateway[],
): Promise<void> {
  const path = join(project.root, project.conventions.mcpJson);
  const before = await readText(path);
  const edits: McpJsonEdit[] = gateways.map(({ slug, url }) => ({ set: slug, entry: { url } }));
  const isThere = readJson(before ?? '', ['mcpServers', name], path) !== undefined;
  if (edits.length === 0 && !isThere && declaration.type === 'mcp') {
    edits.push({ set: name, entry: { url: declaration.uri } });
  }
  await writeChanges([editMcpJson(path, before, edits)], { io, printer, dryRun: false });
}
