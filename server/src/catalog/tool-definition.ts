import { createHash } from 'node:crypto';
import type { ToolListing } from '#domain';
import { isMembers, type Members } from '#foundation';
import type { Difference } from './tool-change.ts';

const maxDifferences = 50;
const maxTextLength = 2000;
const maxPathLength = 500;
/** How much of what is the same is shown before the first difference of two long texts. */
const leadLength = 100;

/** What of a tool a model or a client sees; neither its version nor its place in the list. */
export function definitionOf(tool: ToolListing): Members {
  const { description, inputSchema, outputSchema, output, requirements, metadata, mcp } = tool;
  return {
    description,
    inputSchema,
    outputSchema,
    outputDescription: output.description,
    requirements,
    // Where there are annotations, it only repeats them.
    metadata: mcp.annotations === undefined ? metadata : null,
    mcp,
  };
}

/** The same for the same definition, in whatever order its members are written. */
export function digestOf(definition: Members): string {
  return createHash('sha256').update(canonical(definition)).digest('base64url');
}

/** Where two definitions differ. */
export function differencesOf(
  before: Members,
  after: Members,
): { readonly differences: readonly Difference[]; readonly leftOut: number } {
  const differences: Difference[] = [];
  let leftOut = 0;

  function compare(path: string, one: unknown, other: unknown): void {
    const names = namesIn(one, other);
    if (names !== null) {
      for (const name of names) {
        const pointer = `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
        compare(pointer, own(one, name), own(other, name));
      }
    } else if (canonical(one) !== canonical(other)) {
      if (differences.length < maxDifferences) differences.push(difference(path, one, other));
      else leftOut++;
    }
  }

  compare('', before, after);
  return { differences, leftOut };
}

/** The members of two objects, or of two arrays, which can be compared one by one; otherwise `null`. */
function namesIn(one: unknown, other: unknown): Iterable<string> | null {
  const comparable = (isMembers(one) && isMembers(other)) || (Array.isArray(one) && Array.isArray(other));
  return comparable ? new Set([...Object.keys(one as object), ...Object.keys(other as object)]) : null;
}

function own(holder: unknown, name: string): unknown {
  return Object.hasOwn(holder as object, name) ? (holder as Members)[name] : undefined;
}

function difference(path: string, before: unknown, after: unknown): Difference {
  const from = firstDifference(textOf(before), textOf(after));
  return {
    path: path.length > maxPathLength ? `${path.slice(0, maxPathLength).toWellFormed()}…` : path,
    ...(before === undefined ? {} : { before: shortened(before, from) }),
    ...(after === undefined ? {} : { after: shortened(after, from) }),
  };
}

/** A long value as the part of its text where it begins to differ: what is the same could hide what is not. */
function shortened(value: unknown, from: number): unknown {
  const text = textOf(value);
  if (text.length <= maxTextLength) return value;
  const start = Math.max(0, Math.min(from - leadLength, text.length - maxTextLength));
  const end = start + maxTextLength;
  return `${start > 0 ? '…' : ''}${text.slice(start, end).toWellFormed()}${end < text.length ? '…' : ''}`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

function firstDifference(one: string, other: string): number {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at++;
  return at;
}

/** JSON with the members of each object in one order. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isMembers(value)) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`);
  return `{${members.join(',')}}`;
}
