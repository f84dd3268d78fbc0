import { secretReferences } from '@sallyport/contracts';
import type { JsonSchema, Source, SourceFailure } from '#domain';
import { err, isMembers, type MaybePromise, ok, type Result } from '#foundation';
import type { SourceDeps } from '../contract.ts';

const ours = /^(host|connection|content-length|transfer-encoding|content-type|accept|mcp-.*)$/i;
const token = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

/** The source's own header lines. */
export interface SourceHeaders {
  /** An `authorization` is among them. */
  readonly authorizes: boolean;
  /** Those that are the same in every request. */
  readonly fixed: string;
  /**
   * Those with secrets of the project, as they are now; an error says which is missing, or cannot be sent. `null`: there are none, and
   * requests are not held up for them.
   */
  readonly secret: (() => MaybePromise<Result<string, string>>) | null;
}

/** Fails on what no retry can mend. */
export function sourceHeaders(
  source: Source,
  secretOf: NonNullable<SourceDeps['secretOf']>,
): Result<SourceHeaders, SourceFailure> {
  const { secrets: own } = source;
  const entries = Object.entries(source.headers);
  for (const [name, value] of entries) {
    if (!token.test(name)) return refused(`header ${JSON.stringify(name)} is not a valid header name`);
    if (ours.test(name)) return refused(`header ${name} is set by the gateway itself; remove it`);
    if (!isHeaderText(value)) return refused(`header ${name} holds characters that a header cannot carry`);
    if (source.authProvider != null && /^authorization$/i.test(name))
      return refused(`header ${name} is that of the user, as there is an auth_provider; remove it`);
  }
  const authorizes = entries.some(([name]) => /^authorization$/i.test(name));
  const isOfProject = ([, value]: readonly [string, string]) =>
    secretReferences(value).some((name) => !Object.hasOwn(own, name));
  const fixed = linesOf(
    entries.filter((entry) => !isOfProject(entry)),
    new Map(Object.entries(own)),
  );
  if (!fixed.ok) return refused(fixed.error);
  const secret = entries.filter(isOfProject);
  if (secret.length === 0) return ok({ authorizes, fixed: fixed.value, secret: null });
  const names = [...new Set(secret.flatMap(([, value]) => secretReferences(value)))];
  const filled = (values: readonly (string | null)[]) =>
    linesOf(secret, new Map(names.map((name, at) => [name, values[at] ?? null])));
  return ok({
    authorizes,
    fixed: fixed.value,
    secret() {
      const opened = names.map((name) =>
        Object.hasOwn(own, name) ? (own[name] as string) : secretOf(source.projectId, name),
      );
      return opened.some((value) => value instanceof Promise)
        ? Promise.all(opened).then(filled)
        : filled(opened as (string | null)[]);
    },
  });
}

function linesOf(
  entries: readonly (readonly [string, string])[],
  secrets: ReadonlyMap<string, string | null>,
): Result<string, string> {
  const missing = [...secrets].find(([, value]) => value === null)?.[0];
  if (missing !== undefined) {
    const where = entries.find(([, value]) => secretReferences(value).includes(missing))?.[0];
    return err(
      `header ${where} refers to the secret ${missing}, which is neither in mcp.secrets nor among the secrets of the project: set it there (POST /v1/admin/secrets/${missing})`,
    );
  }
  let lines = '';
  for (const [name, written] of entries) {
    const value = written.replace(/\$\{secret:([^}]*)\}/g, (_, secret: string) => secrets.get(secret) ?? '');
    if (!isHeaderText(value))
      return err(`header ${name} would hold characters that a header cannot carry: a secret in it has them`);
    lines += `${name}: ${value}\r\n`;
  }
  return ok(lines);
}

function refused(message: string): Result<never, SourceFailure> {
  return err({ code: 'credentials.not_configured', message, step: 'authenticated' });
}

export function isHeaderText(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f || code > 0xff) return false;
  }
  return true;
}

const plain = /^[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?$/;

/** A value as `Mcp-Name` and `Mcp-Param-*` carry it: as it is where that is safe, otherwise in base64. */
export function encodeHeaderValue(value: string): string {
  if (plain.test(value) && !value.startsWith('=?base64?')) return value;
  return `=?base64?${Buffer.from(value, 'utf8').toString('base64')}?=`;
}

/** An argument that is repeated in a header. */
interface ParamHeader {
  readonly name: string;
  readonly path: readonly string[];
}

const planned = new WeakMap<JsonSchema, readonly ParamHeader[]>();

/** The `Mcp-Param-*` lines for a call with these arguments. */
export function paramHeaderLines(schema: JsonSchema, args: { readonly [name: string]: unknown }): string {
  let plan = planned.get(schema);
  if (plan === undefined) {
    const found = paramHeadersOf(schema);
    plan = found.ok ? found.value : [];
    planned.set(schema, plan);
  }
  let lines = '';
  for (const { name, path } of plan) {
    let value: unknown = args;
    for (const key of path) {
      value = isMembers(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    }
    const text = textOf(value);
    if (text !== null) lines += `mcp-param-${name}: ${encodeHeaderValue(text)}\r\n`;
  }
  return lines;
}

function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || Number.isSafeInteger(value)) return String(value);
  return null;
}

const maxDepth = 64;

/** Finds the properties annotated `x-mcp-header`; the error says which annotation the protocol forbids, and why. */
export function paramHeadersOf(schema: JsonSchema): Result<readonly ParamHeader[], string> {
  const found: ParamHeader[] = [];
  const problem = collect(schema, [], true, found);
  if (problem !== null) return err(problem);
  const names = new Set(found.map(({ name }) => name.toLowerCase()));
  return names.size === found.length ? ok(found) : err('two properties have the same x-mcp-header');
}

function collect(
  node: unknown,
  path: readonly string[],
  reachable: boolean,
  found: ParamHeader[],
): string | null {
  if (path.length > maxDepth) return null;
  if (Array.isArray(node)) return firstProblem(node, (item) => collect(item, [...path, '*'], false, found));
  if (!isMembers(node)) return null;
  const header = node['x-mcp-header'];
  if (header !== undefined && (path.length > 0 || !reachable)) {
    const problem = annotationProblem(node, header, reachable);
    if (problem !== null) return `x-mcp-header of ${path.join('.')} ${problem}`;
    found.push({ name: header as string, path });
  }
  return firstProblem(Object.entries(node), ([keyword, value]) => {
    if (keyword === 'properties' && isMembers(value)) {
      return firstProblem(Object.entries(value), ([name, property]) =>
        collect(property, [...path, name], reachable, found),
      );
    }
    if (mapKeywords.has(keyword) && isMembers(value)) {
      return firstProblem(Object.values(value), (inner) => collect(inner, [...path, keyword], false, found));
    }
    return schemaKeywords.has(keyword) ? collect(value, [...path, keyword], false, found) : null;
  });
}

/** Keywords whose values hold schemas that a plain chain of `properties` does not reach. */
const schemaKeywords = new Set([
  ...['items', 'prefixItems', 'contains', 'unevaluatedItems', 'anyOf', 'oneOf', 'allOf', 'not'],
  ...['additionalProperties', 'unevaluatedProperties', 'propertyNames', 'if', 'then', 'else'],
]);
const mapKeywords = new Set(['patternProperties', '$defs', 'definitions', 'dependentSchemas']);

function annotationProblem(
  node: { readonly type?: unknown },
  header: unknown,
  reachable: boolean,
): string | null {
  if (typeof header !== 'string' || !token.test(header)) return 'is not a valid header name';
  if (!reachable) return 'is not reached by properties alone';
  if (node.type !== 'string' && node.type !== 'integer' && node.type !== 'boolean') {
    return 'stands at a type that is not string, integer or boolean';
  }
  return null;
}

function firstProblem<T>(items: readonly T[], problemOf: (item: T) => string | null): string | null {
  for (const item of items) {
    const problem = problemOf(item);
    if (problem !== null) return problem;
  }
  return null;
}
