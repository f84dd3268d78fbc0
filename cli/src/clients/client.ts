/** How one client of MCP is told of a server: as data, so that all are written alike. */

export const clientNames = [
  'claude-code',
  'claude-desktop',
  'codex',
  'cursor',
  'gemini',
  'goose',
  'opencode',
  'vscode',
  'windsurf',
  'zed',
] as const;
export type ClientName = (typeof clientNames)[number];
export type Scope = 'user' | 'project';

/** Where files of this person and project are. */
export interface Place {
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly project: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A header: a value that is written as it is, or what stands before the value of a variable of the environment. */
export type HeaderValue = string | { readonly env: string; readonly before: string };

export interface Target {
  readonly url: string;
  readonly headers: Readonly<Record<string, HeaderValue>>;
}

/** Fields of an entry whose server is started as a process. */
export const ofProcess = ['command', 'args', 'env', 'cwd'];

export interface Client {
  readonly title: string;
  readonly format: 'json' | 'toml' | 'yaml';
  /** `null`: it has no file of this scope. */
  path(scope: Scope, place: Place): string | null;
  /** Object of the file that lists servers by name. */
  readonly under: string;
  /** How a text of the file refers to a variable of the environment; `null`: it cannot. */
  readonly reference: ((name: string) => string) | null;
  entry(name: string, target: Target): Readonly<Record<string, unknown>>;
  /** Fields of an entry that say how its server is reached: those that are not wanted go. */
  readonly own: readonly string[];
  /** What the person does next. */
  readonly next: string;
}

/** Headers as texts of the file. */
export function headerTexts(
  headers: Target['headers'],
  reference: ((name: string) => string) | null,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      if (typeof value === 'string') return [name, value];
      if (reference === null) throw new Error('this client refers to no variables');
      return [name, value.before + reference(value.env)];
    }),
  );
}
