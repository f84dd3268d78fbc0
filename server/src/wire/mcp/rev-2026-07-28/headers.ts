import type { IncomingHttpHeaders } from 'node:http';
import type { GatewayView, ShownTool } from '#catalog';
import type { JsonSchema, Refusal } from '#domain';
import { refusal } from '#domain';
import { isMembers, type MaybePromise, type Members } from '#foundation';

/** SEP-2243: what a header says and what the body says must be one and the same, or a policy could be fooled by either. */

/** The member of `params` that `Mcp-Name` repeats. */
const nameMember: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
};

/** The first header that is missing or says something else than the body; `null` when all agree. */
export function headerMismatch(
  headers: IncomingHttpHeaders,
  method: string,
  params: Members,
): Refusal | null {
  const said = headers['mcp-method'];
  if (said === undefined) return mismatch('Mcp-Method', 'is missing');
  if (said !== method) return mismatch('Mcp-Method', 'is not the method of the body');
  const member = nameMember[method];
  if (member === undefined) return null;
  const name = headers['mcp-name'];
  if (name === undefined) return mismatch('Mcp-Name', 'is missing');
  if (decode(name) !== params[member]) return mismatch('Mcp-Name', `is not params.${member} of the body`);
  return null;
}

/** The first `Mcp-Param-*` header that does not repeat the argument it is annotated for. */
export function paramMismatch(
  headers: IncomingHttpHeaders,
  params: Members,
  view: GatewayView,
  maySee: (shown: ShownTool) => Promise<boolean>,
): MaybePromise<Refusal | null> {
  const shown = typeof params.name === 'string' ? view.find(params.name) : null;
  const wanted = shown === null ? [] : annotated(shown.inputSchema);
  if (shown === null || wanted.length === 0) return null;
  return maySee(shown).then((sees) => (sees ? mismatchAmong(wanted, headers, params.arguments) : null));
}

function mismatchAmong(
  wanted: readonly Annotation[],
  headers: IncomingHttpHeaders,
  args: unknown,
): Refusal | null {
  for (const { header, path } of wanted) {
    const value = valueAt(args, path);
    const said = headers[`mcp-param-${header.toLowerCase()}`];
    const field = `Mcp-Param-${header}`;
    if (value === undefined || value === null) {
      if (said !== undefined) return mismatch(field, `is sent, but arguments.${path.join('.')} is not`);
    } else if (said === undefined) return mismatch(field, 'is missing');
    else if (!says(decode(said), value))
      return mismatch(field, `is not arguments.${path.join('.')} of the body`);
  }
  return null;
}

interface Annotation {
  readonly header: string;
  readonly path: readonly string[];
}

const annotations = new WeakMap<JsonSchema, readonly Annotation[]>();

/** Properties annotated `x-mcp-header`, reachable through `properties` alone. */
function annotated(schema: JsonSchema): readonly Annotation[] {
  let found = annotations.get(schema);
  if (found === undefined) {
    found = collect(schema, [], 0);
    annotations.set(schema, found);
  }
  return found;
}

function collect(schema: Members, path: readonly string[], depth: number): Annotation[] {
  if (depth > 16 || !isMembers(schema.properties)) return [];
  return Object.entries(schema.properties).flatMap(([name, property]) => {
    if (!isMembers(property)) return [];
    const here = [...path, name];
    const header = property['x-mcp-header'];
    const own = typeof header === 'string' ? [{ header, path: here }] : [];
    return [...own, ...collect(property, here, depth + 1)];
  });
}

function valueAt(args: unknown, path: readonly string[]): unknown {
  let value = args;
  for (const name of path) value = isMembers(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return value;
}

function says(text: string | null, value: unknown): boolean {
  if (text === null) return false;
  if (typeof value === 'number') return Number(text) === value && text.trim() !== '';
  return text === String(value);
}

/** A header value, decoded where it is wrapped as `=?base64?…?=`; `null` where that, or a character, is malformed. */
function decode(value: string | string[]): string | null {
  const text = (Array.isArray(value) ? value.join(', ') : value).trim();
  if (!/^[\t\x20-\x7e]*$/.test(text)) return null;
  const wrapped = /^=\?base64\?(.*)\?=$/.exec(text);
  if (wrapped === null) return text;
  const base64 = wrapped[1] as string;
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(base64)) return null;
  const bytes = Buffer.from(base64, 'base64');
  const decoded = bytes.toString('utf8');
  return Buffer.from(decoded).equals(bytes) ? decoded : null;
}

function mismatch(header: string, problem: string): Refusal {
  return refusal('request.header_mismatch', `the header ${header} ${problem}`, { field: header });
}
