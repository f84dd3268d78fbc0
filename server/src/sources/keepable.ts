import type { ToolListing } from '#domain';
import { err, isDeeperThan, ok, type Result } from '#foundation';

const maxNameLength = 128;
const maxVersionLength = 100;
const maxDepth = 64;
const tooDeep = `it is nested more than ${maxDepth} deep`;

/** How JSON writes NUL characters and halves of surrogate pairs; what looks so may be something else. */
const oddText = /\\u(?:0000|d[89a-f])/;

/** Why what a source lists as a tool is not looked into; `null`: it may be. */
export const unreadableEntry = (entry: unknown): string | null =>
  isDeeperThan(entry, maxDepth + 1) ? tooDeep : null;

/** Why a tool cannot be kept in the catalog, whatever kind of source lists it; otherwise it as JSON. */
export function keepableText(tool: ToolListing): Result<string, string> {
  if (isDeeperThan(tool, maxDepth + 1)) return err(tooDeep);
  const text = JSON.stringify(tool);
  const problem = problemOfNames(tool) ?? (oddText.test(text) ? problemOf(tool, 0) : null);
  return problem === null ? ok(text) : err(problem);
}

function problemOfNames(tool: ToolListing): string | null {
  const { name, toolkit } = tool;
  for (const one of [name, toolkit.name]) {
    if (one.length > maxNameLength) return `a name is longer than ${maxNameLength} characters`;
    if (/\p{Cc}/u.test(one)) return 'a name holds control characters';
  }
  if ((toolkit.version ?? '').length > maxVersionLength) {
    return `its version is longer than ${maxVersionLength} characters`;
  }
  return null;
}

/** Why something else that a source lists cannot be kept. */
export function unkeepableEntry(entry: { readonly [member: string]: unknown }): string | null {
  return problemOf(entry, 0);
}

/** The database takes neither NUL characters nor halves of surrogate pairs, and no recursion takes any depth. */
function problemOf(value: unknown, depth: number): string | null {
  if (typeof value === 'string') {
    return value.includes('\0') || !value.isWellFormed() ? 'it holds text that is no text' : null;
  }
  if (typeof value !== 'object' || value === null) return null;
  if (depth > maxDepth) return tooDeep;
  for (const [key, member] of Object.entries(value)) {
    const problem = problemOf(key, 0) ?? problemOf(member, depth + 1);
    if (problem !== null) return problem;
  }
  return null;
}
