import { posix, win32 } from 'node:path';
import { type Client, type ClientName, headerTexts, ofProcess, type Place, type Target } from './client.ts';

/** Files and formats of widely used clients, as of November 2026. */

const join = ({ platform }: Place, ...parts: string[]): string =>
  (platform === 'win32' ? win32 : posix).join(...parts);

/** Where applications with a window keep their settings. */
function applicationFolder(place: Place): string {
  const { platform, home, env } = place;
  if (platform === 'win32') return env.APPDATA ?? join(place, home, 'AppData', 'Roaming');
  if (platform === 'darwin') return join(place, home, 'Library', 'Application Support');
  return configFolder(place);
}

function configFolder(place: Place): string {
  return place.env.XDG_CONFIG_HOME ?? join(place, place.home, '.config');
}

const braces = (name: string) => `\${${name}}`;
const envBraces = (name: string) => `\${env:${name}}`;

function withHeaders(
  entry: Record<string, unknown>,
  { headers }: Target,
  reference: ((name: string) => string) | null,
  field = 'headers',
): Record<string, unknown> {
  return Object.keys(headers).length === 0 ? entry : { ...entry, [field]: headerTexts(headers, reference) };
}

/** A file that maps names to servers under `mcpServers`. */
function inMcpServers(
  given: Pick<Client, 'title' | 'path' | 'reference' | 'next'> & {
    readonly fields: (url: string) => Record<string, unknown>;
    readonly own?: readonly string[];
    readonly under?: string;
  },
): Client {
  const { fields, own = [], under = 'mcpServers', ...rest } = given;
  return {
    ...rest,
    format: 'json',
    under,
    own: ['type', 'url', 'headers', ...ofProcess, ...own],
    entry: (_name, target) => withHeaders(fields(target.url), target, rest.reference),
  };
}

export const knownClients: Readonly<Record<ClientName, Client>> = {
  'claude-code': inMcpServers({
    title: 'Claude Code',
    path: (scope, place) =>
      scope === 'project'
        ? join(place, place.project, '.mcp.json')
        : join(place, place.env.CLAUDE_CONFIG_DIR ?? place.home, '.claude.json'),
    reference: braces,
    fields: (url) => ({ type: 'http', url }),
    next: 'Start Claude Code anew; /mcp signs in.',
  }),
  'claude-desktop': {
    title: 'Claude Desktop',
    format: 'json',
    path: (scope, place) =>
      scope === 'project'
        ? null
        : join(place, applicationFolder(place), 'Claude', 'claude_desktop_config.json'),
    under: 'mcpServers',
    reference: null,
    // Its file lists programs only, so a program goes between; values are given to it apart from its arguments.
    entry: (_name, { url, headers }) => {
      const texts = Object.entries(headerTexts(headers, null));
      const variable = (at: number) => `HEADER_${at + 1}`;
      const args = texts.flatMap(([name], at) => ['--header', `${name}:${braces(variable(at))}`]);
      const insecure = url.startsWith('http:') ? ['--allow-http'] : [];
      return {
        command: 'npx',
        args: ['-y', 'mcp-remote', url, ...insecure, ...args],
        ...(texts.length === 0
          ? {}
          : { env: Object.fromEntries(texts.map(([, value], at) => [variable(at), value])) }),
      };
    },
    own: ['type', 'url', 'headers', ...ofProcess],
    next: 'Start Claude Desktop anew; a browser opens for the sign-in.',
  },
  codex: {
    title: 'Codex',
    format: 'toml',
    path: (scope, place) =>
      scope === 'project'
        ? join(place, place.project, '.codex', 'config.toml')
        : join(place, place.env.CODEX_HOME ?? join(place, place.home, '.codex'), 'config.toml'),
    under: 'mcp_servers',
    reference: (name) => name,
    entry: (_name, { url, headers }) => codexEntry(url, headers),
    own: ['url', 'bearer_token_env_var', 'http_headers', 'env_http_headers', 'bearer_token', ...ofProcess],
    next: 'codex mcp login <name> signs in.',
  },
  cursor: inMcpServers({
    title: 'Cursor',
    path: (scope, place) =>
      join(place, scope === 'project' ? place.project : place.home, '.cursor', 'mcp.json'),
    reference: envBraces,
    fields: (url) => ({ url }),
    next: 'Switch it on in the settings of Cursor, under MCP; it signs in there.',
  }),
  gemini: inMcpServers({
    title: 'Gemini CLI',
    path: (scope, place) =>
      join(place, scope === 'project' ? place.project : place.home, '.gemini', 'settings.json'),
    reference: braces,
    fields: (url) => ({ httpUrl: url }),
    own: ['httpUrl'],
    next: 'Start Gemini CLI anew; /mcp auth <name> signs in.',
  }),
  goose: {
    title: 'goose',
    format: 'yaml',
    path: (scope, place) => {
      if (scope === 'project') return null;
      return place.platform === 'win32'
        ? join(place, applicationFolder(place), 'Block', 'goose', 'config', 'config.yaml')
        : join(place, configFolder(place), 'goose', 'config.yaml');
    },
    under: 'extensions',
    reference: braces,
    entry: (name, target) => {
      const variables = Object.values(target.headers).flatMap((value) =>
        typeof value === 'string' ? [] : [value.env],
      );
      const entry = { enabled: true, type: 'streamable_http', name, uri: target.url, timeout: 300 };
      return {
        ...withHeaders(entry, target, braces),
        ...(variables.length === 0 ? {} : { env_keys: variables }),
      };
    },
    own: ['type', 'name', 'uri', 'url', 'headers', 'env_keys', 'cmd', 'args', 'envs'],
    next: 'Start a new session of goose.',
  },
  opencode: inMcpServers({
    title: 'OpenCode',
    path: (scope, place) =>
      scope === 'project'
        ? join(place, place.project, 'opencode.json')
        : join(place, configFolder(place), 'opencode', 'opencode.json'),
    reference: (name) => `{env:${name}}`,
    fields: (url) => ({ type: 'remote', url, enabled: true }),
    under: 'mcp',
    own: ['environment'],
    next: 'opencode mcp auth <name> signs in.',
  }),
  vscode: inMcpServers({
    title: 'VS Code',
    path: (scope, place) =>
      scope === 'project'
        ? join(place, place.project, '.vscode', 'mcp.json')
        : join(place, applicationFolder(place), 'Code', 'User', 'mcp.json'),
    reference: envBraces,
    fields: (url) => ({ type: 'http', url }),
    under: 'servers',
    next: 'Start it from the file, or from the list "MCP: List Servers"; it signs in there.',
  }),
  windsurf: inMcpServers({
    title: 'Windsurf',
    path: (scope, place) =>
      scope === 'project' ? null : join(place, place.home, '.codeium', 'windsurf', 'mcp_config.json'),
    reference: envBraces,
    fields: (url) => ({ serverUrl: url }),
    own: ['serverUrl'],
    next: 'Refresh the list of MCP servers in Cascade; it signs in there.',
  }),
  zed: inMcpServers({
    title: 'Zed',
    path: (scope, place) => {
      if (scope === 'project') return join(place, place.project, '.zed', 'settings.json');
      const folder = place.platform === 'win32' ? applicationFolder(place) : configFolder(place);
      return join(place, folder, place.platform === 'win32' ? 'Zed' : 'zed', 'settings.json');
    },
    reference: null,
    fields: (url) => ({ url }),
    under: 'context_servers',
    next: 'Zed opens a browser for the sign-in.',
  }),
};

/** Codex has a field of its own for each way that a header may be said. */
function codexEntry(url: string, headers: Target['headers']): Record<string, unknown> {
  const entry: Record<string, unknown> = { url };
  const plain: Record<string, string> = {};
  const byVariable: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string') plain[name] = value;
    else if (name.toLowerCase() === 'authorization' && value.before === 'Bearer ') {
      entry.bearer_token_env_var = value.env;
    } else byVariable[name] = value.env;
  }
  if (Object.keys(plain).length > 0) entry.http_headers = plain;
  if (Object.keys(byVariable).length > 0) entry.env_http_headers = byVariable;
  return entry;
}
