import { CommandError } from '../command-error.ts';
import { applyEdits } from '../files/apply-edits.ts';
import type { FileChange } from '../files/file-change.ts';
import { shownUrl } from '../output/shown-url.ts';
import { ofProcess } from './client.ts';
import { mergeJson, removeJson } from './json-edit.ts';

/** What `.mcp.json` says of one server that is reached over HTTP. */
export interface McpServerEntry {
  /** With the path of the MCP endpoint: `http://github-mcp.ai-platform.svc.cluster.local:8080/mcp`. */
  readonly url: string;
  /** Each value refers to the environment: `Bearer ${GITHUB_TOKEN}`. What the file says stays where this is left out. */
  readonly headers?: Readonly<Record<string, string>>;
}

export type McpJsonEdit =
  | { readonly set: string; readonly entry: McpServerEntry }
  | { readonly remove: string };

/**
 * Adds, updates or removes entries under `mcpServers`; the file is made where it is missing (`before: null`). Fields of an
 * entry that are not ours stay, and so does everything around it, to the byte.
 */
export function editMcpJson(path: string, before: string | null, edits: readonly McpJsonEdit[]): FileChange {
  let after = before;
  for (const edit of edits) {
    if ('set' in edit) after = withEntry(after ?? '', edit.set, edit.entry, path);
    else if (after !== null) after = applyEdits(after, removeJson(after, ['mcpServers', edit.remove], path));
  }
  return { path, before, after };
}

function withEntry(text: string, name: string, entry: McpServerEntry, file: string): string {
  checkEntry(name, entry);
  return mergeJson(text, ['mcpServers', name], { type: 'http', ...entry }, ofProcess, file);
}

function checkEntry(name: string, { url, headers = {} }: McpServerEntry): void {
  const path = URL.parse(url)?.pathname ?? '/';
  if (!/^https?:\/\//.test(url) || path === '/') {
    throw new CommandError(
      'mcp_json.url_invalid',
      `the address of ${name} is ${shownUrl(url)}: it must be http(s) and end with the path of the MCP endpoint, such as /mcp`,
    );
  }
  for (const [header, value] of Object.entries(headers)) {
    if (/\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}/.test(value)) continue;
    throw new CommandError(
      'mcp_json.plain_header',
      `the header ${header} of ${name} must refer to the environment, as in "Bearer \${NAME}"`,
      ['The file is in git: a value written into it is known to everybody who can read the repository.'],
    );
  }
}
