import { CommandError } from '../command-error.ts';
import { clusterUrl } from '../manifests/names.ts';
import type { Conventions } from '../spec/conventions.ts';
import type { ServerSpec } from '../spec/server-spec.ts';
import type { Worker } from './answers.ts';

/** A server as a source of a Sallyport is to be. */
export interface Declaration {
  readonly id: string;
  readonly type: 'mcp' | 'http';
  readonly uri: string;
  /** Name of the variable, and what it holds: the worker's secret, or the server's bearer token. */
  readonly secret?: { readonly name: string; readonly value: string };
}

/** Where the server is reached from inside of its cluster. A worker is named without the path of its MCP endpoint. */
export function declarationOf(
  spec: ServerSpec,
  conventions: Conventions,
  type: Declaration['type'] = spec.register?.type ?? 'mcp',
): Omit<Declaration, 'secret'> {
  const url = clusterUrl(spec, conventions);
  return { id: spec.register?.id ?? spec.name, type, uri: type === 'mcp' ? url : new URL(url).origin };
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: as the API has it
const tokenHeader = 'Bearer ${secret:TOKEN}';

/** Body of the request that makes it. */
export function creation({ id, type, uri, secret }: Declaration): Record<string, unknown> {
  return { id, type, [type]: settings({ id, type, uri, ...(secret === undefined ? {} : { secret }) }) };
}

function settings({ id, type, uri, secret }: Declaration): Record<string, unknown> {
  if (type === 'mcp') {
    return secret === undefined
      ? { uri }
      : { uri, headers: { Authorization: tokenHeader }, secrets: { TOKEN: secret.value } };
  }
  if (secret !== undefined) return { uri, secret: secret.value };
  throw new CommandError(
    'register.secret_needed',
    `the worker ${id} needs the secret that its tokens are signed with`,
    ['--secret-env <variable> names the variable of the environment that holds it.'],
  );
}

/** What makes the source that is there like the declaration; `null`: it is. Each change in words, without secrets. */
export function change(
  found: Worker,
  { id, type, uri, secret }: Declaration,
): { readonly body: Record<string, unknown>; readonly words: readonly string[] } | null {
  if (found.type !== type) {
    throw new CommandError(
      'register.type_differs',
      `${id} is of the type ${found.type} there, and cannot become ${type}`,
      [`Take it out first: sallyport register --remove --id ${id}`],
    );
  }
  const settings: Record<string, unknown> = {};
  const words: string[] = [];
  const current = (found.http ?? found.mcp)?.uri;
  if (current !== uri) {
    settings.uri = uri;
    words.push(`- uri: ${current}`, `+ uri: ${uri}`);
  }
  if (secret !== undefined) {
    if (type === 'http') settings.secret = secret.value;
    else {
      settings.headers = { ...found.mcp?.headers, Authorization: tokenHeader };
      settings.secrets = { TOKEN: secret.value };
    }
    words.push(`+ secret: what ${secret.name} holds`);
  }
  return words.length === 0 ? null : { body: { [type]: settings }, words };
}

/** The entry of `workers:` in sallyport.yaml: what the config file declares may be internal. */
export function configEntry({ id, type, uri, secret }: Declaration): string[] {
  const from = `{ fromEnv: ${secret?.name ?? 'WORKER_SECRET'} }`;
  const lines = ['workers:', `  - id: ${id}`, `    ${type}:`, `      uri: ${uri}`];
  if (type === 'http') return [...lines, `      secret: ${from}`];
  if (secret === undefined) return lines;
  return [
    ...lines,
    `      headers: { Authorization: "${tokenHeader}" }`,
    '      secrets:',
    `        TOKEN: ${from}`,
  ];
}
